"""A fixed input, and what a bundle's members answered to it when it was made: does it still answer so, here?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..contract import Predictor
    from .card import ModelCard

INPUT = "waves and discs 1"
"""Name of the systems' fixed inputs; other inputs get another name."""

DIGITS = 7
RELATIVE, ABSOLUTE = 1e-3, 1e-3
"""How far answers may lie apart: rounding on other processors and versions of torch stays far below."""


def probe_logits(card: ModelCard, ensemble: Predictor) -> np.ndarray | None:
    """What the members answer to the system's fixed input, ``[members, 3]`` or ``[members, 3, classes]``."""
    import torch

    given = card.system.probe_input(card.architecture, card.preprocessing)
    if given is None:
        return None
    images, masks = given
    with torch.inference_mode():
        return ensemble.logits(torch.from_numpy(images), torch.from_numpy(masks)).double().cpu().numpy()


def probe_card(card: ModelCard, ensemble: Predictor) -> dict[str, Any] | None:
    """The card's section ``probe``; None for a system without a fixed input."""
    logits = probe_logits(card, ensemble)
    return None if logits is None else {"input": INPUT, "logits": _rounded(logits.tolist())}


def _rounded(values: Any) -> Any:
    return [_rounded(each) for each in values] if isinstance(values, list) else float(f"{values:.{DIGITS}g}")


def probe_problems(card: ModelCard, ensemble: Predictor) -> Iterator[str]:
    """What is wrong with the answers of a model, beside those that its card records, if it does."""
    name, recorded = card.name, card.fields.get("probe")
    logits = probe_logits(card, ensemble)
    if logits is None:
        return
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
