"""Patches from which a part is taken away: of a whole training (controls), or of one lesion (left out)."""

from __future__ import annotations

import numpy as np

from ...core.errors import InputError
from .controls import INSIDE_ONLY, MASK_ONLY, MEAN_ONLY, OUTSIDE, OUTSIDE_ONLY, SHUFFLED, STRUCTURE
from .samples.intensities import OUTSIDE_VALUE, to_unit_range

SEED = 2025
"""Of pixels that change places."""


def inside_of(masks: np.ndarray) -> np.ndarray:
    """Pixels of the GTV, bool, also where masks are shares of pixels."""
    return masks if masks.dtype == bool else masks >= 0.5


def controlled(
    name: str, images: np.ndarray, masks: np.ndarray, numbers: np.ndarray, percentiles: tuple[float, float]
) -> np.ndarray:
    """Patches as a control's network sees them, float32 ``[n, 1, s, s]``.

    A part that is seen alone is stretched between its own percentiles, so that what was taken away does not tell by how
    bright the rest is; what was clipped for it before stays clipped.

    Args:
        name: of a control that is a network.
        images: ``[n, 1, s, s]`` in 0..1.
        masks: ``[n, 1, s, s]``.
        numbers: ``[n]``, from which the order of shuffled pixels is drawn.
        percentiles: that become 0 and 1.
    """
    inside = inside_of(masks)
    if name == MASK_ONLY:
        return masks.astype(np.float32)
    if name == SHUFFLED:
        return np.stack([_shuffled(*each) for each in zip(images, inside, numbers.tolist(), strict=True)])
    if name not in (OUTSIDE_ONLY, INSIDE_ONLY):
        raise InputError(f"The control {name!r} is no network; ask for its column.")
    seen = inside if name == INSIDE_ONLY else ~inside
    return np.stack([_alone(image, where, percentiles) for image, where in zip(images, seen, strict=True)])


def column(name: str, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The number of a control that is one, of every patch: mean intensity inside, or pixels of the GTV."""
    inside = inside_of(masks)
    pixels = inside.sum(axis=(1, 2, 3)).astype(float)
    if name != MEAN_ONLY:
        return pixels
    return np.where(inside, images, 0).sum(axis=(1, 2, 3), dtype=float) / np.maximum(pixels, 1)


def left_out(name: str, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Patches with the outside replaced, or with the pixels inside in another order; each by itself."""
    change = {OUTSIDE: _carried_on, STRUCTURE: _shuffled}[name]
    return np.stack([change(image, inside) for image, inside in zip(images, inside_of(masks), strict=True)])


def _carried_on(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Every pixel outside as the nearest one inside: no edge is drawn where the contour was."""
    from scipy import ndimage

    if not inside.any():
        return image
    rows, columns = ndimage.distance_transform_edt(~inside[0], return_distances=False, return_indices=True)
    return np.ascontiguousarray(image[:, rows, columns])


def _shuffled(image: np.ndarray, inside: np.ndarray, number: int = 0) -> np.ndarray:
    changed = image.copy()
    changed[inside] = np.random.default_rng([SEED, number]).permutation(changed[inside])
    return changed


def _alone(image: np.ndarray, seen: np.ndarray, percentiles: tuple[float, float]) -> np.ndarray:
    if not seen.any():
        return np.full_like(image, OUTSIDE_VALUE)
    stretched = to_unit_range(image, tuple(np.percentile(image[seen], percentiles)))
    return np.where(seen, stretched, np.float32(OUTSIDE_VALUE))
