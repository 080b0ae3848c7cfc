"""Which intensities become 0 and 1, and an MRI without what surrounds a lesion: what a network can know of the outside.

The percentiles of a crop (the paper's reading, method.md 1.6, reading 10) depend on everything in it: a network whose
features are masked still learns from them how bright the surroundings are. Percentiles of the GTV or of the whole head
do not tell.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....core.geometry.volume import VolumeGeometry, kji_of
from ....core.lesion import Lesion
from .preprocessing import GTV, HEAD, Preprocessing

Bounds = tuple[Any, Any]
"""Intensities that become 0 and 1: two numbers, or two arrays ``[n, 1, 1]``, of every crop its own."""

MOST_VOXELS = 2_000_000
"""Of a head that are looked at: every second, third ... along each axis, so that a large MRI costs no more."""

SPARE_VOXELS = 2
"""Around a lesion, to which its own values are carried on: linear interpolation reaches one voxel far."""

OUTSIDE_VALUE = 0.0
"""Of pixels outside the contour where they are made constant: what the convolutions see beyond a patch, too."""


def bounds_of_image(volume: np.ndarray, preprocessing: Preprocessing) -> Bounds | None:
    """From the whole MRI ``[k, j, i]``, for all of its lesions; None where the rule is another one."""
    if preprocessing.normalise != HEAD:
        return None
    from ...volumes.quality import foreground

    step = int(np.ceil(max(1.0, (volume.size / MOST_VOXELS) ** (1 / 3))))
    seen = volume[::step, ::step, ::step]
    head = foreground(seen) & np.isfinite(seen)
    return _percentiles(seen[head], preprocessing)


def bounds_of(
    images: np.ndarray, volume: np.ndarray, lesion: Lesion, preprocessing: Preprocessing, whole: Bounds | None = None
) -> Bounds:
    """By the model's rule, for crops ``[n, s, s]`` of a lesion; ``whole``: of :func:`bounds_of_image`, if known."""
    if preprocessing.normalise == GTV:
        inside = volume[lesion.box][lesion.mask]
        return _percentiles(inside[np.isfinite(inside)], preprocessing)
    whole = whole or bounds_of_image(volume, preprocessing)
    if whole is not None:
        return whole
    low, high = np.percentile(images, preprocessing.percentiles, axis=(1, 2), keepdims=True)
    return low, high


def _percentiles(values: np.ndarray, preprocessing: Preprocessing) -> Bounds:
    if not values.size:
        return 0.0, 0.0
    low, high = np.percentile(values, preprocessing.percentiles)
    return float(low), float(high)


def told_of_bounds(bounds: Bounds, name: str) -> tuple[str, ...]:
    """A sentence where nothing lies between them."""
    if bounds[1] > bounds[0]:
        return ()
    return (f"“{name}”: the MRI is constant where its intensities are measured; no answer has meaning there.",)


def to_unit_range(images: np.ndarray, bounds: Bounds) -> np.ndarray:
    """Crops ``[n, s, s]`` in 0..1 between two intensities, clipped."""
    low, high = bounds
    span = np.where(high > low, high - low, 1.0)
    return np.clip((images - low) / span, 0.0, 1.0).astype(np.float32)


def without_surroundings(
    volume: np.ndarray, geometry: VolumeGeometry, lesion: Lesion
) -> tuple[np.ndarray, VolumeGeometry]:
    """The lesion's block of an MRI; every voxel outside the contour has the value of the nearest one inside.

    So no interpolation brings anything of the outside into the contour.
    """
    from scipy import ndimage

    first = np.array(lesion.offset)
    low = np.maximum(first - SPARE_VOXELS, 0)
    high = np.minimum(first + lesion.mask.shape + SPARE_VOXELS, geometry.shape)
    block = volume[tuple(slice(a, b) for a, b in zip(low, high, strict=True))].astype(np.float32)
    inside = np.zeros(block.shape, dtype=bool)
    inside[tuple(slice(a, a + n) for a, n in zip(first - low, lesion.mask.shape, strict=True))] = lesion.mask
    known = inside & np.isfinite(block)  # a voxel without a value is one that is not known
    if known.any():
        nearest = ndimage.distance_transform_edt(
            ~known, geometry.spacing[::-1], return_distances=False, return_indices=True
        )
        block = block[tuple(nearest)]
    return block, geometry.cropped(kji_of(low), kji_of(block.shape))
