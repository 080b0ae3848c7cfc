"""A fixed input, and what a bundle's members answered to it when it was made: does it still answer so, here?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .autoencoder.ensemble import Ensemble

INPUT = "waves and discs 1"
"""Name of :func:`probe_input`; another input gets another name."""

DIGITS = 7
RELATIVE, ABSOLUTE = 1e-3, 1e-3
"""How far answers may lie apart: rounding on other processors and versions of torch stays far below."""


def probe_input(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Patches by formula: the same on every machine.

    Args:
        side: of a patch in pixels.

    Returns:
        Images float32 ``[3, 1, s, s]`` in 0..1 and masks bool of the same shape: a small, a large and a shifted disc.
    """
    rows, columns = np.mgrid[:side, :side] / side
    waves = [np.sin(2 * np.pi * (a * rows + b * columns)) for a, b in ((2, 5), (7, -3), (11, 13))]
    images = np.stack([0.5 + 0.3 * waves[n] + 0.2 * waves[n - 1] for n in range(3)])[:, None]
    discs = ((0.5, 0.5, 0.12), (0.5, 0.5, 0.4), (0.35, 0.6, 0.22))
    masks = np.stack([(rows - y) ** 2 + (columns - x) ** 2 < r**2 for y, x, r in discs])[:, None]
    return images.astype(np.float32), masks


def probe_logits(ensemble: Ensemble) -> np.ndarray:
    """What the members answer, ``[members, 3]``."""
    import torch

    images, masks = probe_input(ensemble.architecture.patch_size)
    with torch.inference_mode():
        return ensemble.logits(torch.from_numpy(images), torch.from_numpy(masks)).double().cpu().numpy()


def probe_card(ensemble: Ensemble) -> dict[str, Any]:
    """The card's section ``probe``."""
    logits = [[float(f"{value:.{DIGITS}g}") for value in row] for row in probe_logits(ensemble).tolist()]
    return {"input": INPUT, "logits": logits}


def probe_problems(name: str, ensemble: Ensemble, recorded: Mapping[str, Any] | None) -> Iterator[str]:
    """What is wrong with the answers of model ``name``; ``recorded`` is the card's section, if it has one."""
    logits = probe_logits(ensemble)
    if not np.isfinite(logits).all():
        yield f"Model “{name}” answers a fixed input with NaN or infinite numbers."
        return
    if recorded is None:
        return
    if recorded.get("input") != INPUT:
        yield f"The card of model “{name}” records answers to an unknown input, {recorded.get('input')!r}."
        return
    try:
        wanted = np.array(recorded.get("logits"), dtype=float)
    except (TypeError, ValueError):
        wanted = np.zeros(0)
    if wanted.shape != logits.shape or not np.isfinite(wanted).all():
        yield f"The card of model “{name}” does not record one number for every member and fixed input."
    elif not np.allclose(logits, wanted, rtol=RELATIVE, atol=ABSOLUTE):
        apart = float(np.abs(logits - wanted).max())
        yield (
            f"Model “{name}” answers a fixed input otherwise than its card records (logits up to {apart:.3g} apart); "
            "do not use it on this machine."
        )
