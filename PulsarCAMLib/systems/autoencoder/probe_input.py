"""Patches by formula: what a bundle's card keeps the members' answers to."""

from __future__ import annotations

import numpy as np


def waves_and_discs(side: int) -> tuple[np.ndarray, np.ndarray]:
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
