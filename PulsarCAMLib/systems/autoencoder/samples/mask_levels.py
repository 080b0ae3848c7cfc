"""How much of each pixel lies in the GTV: what the network is told where a contour passes between pixels.

A mask of yes and no jumps when a contour drawn on voxels passes a pixel's centre: a header that is 1e-3 mm off switches
whole cells of the bottleneck. Shares of pixels move by as little as the contour does (method.md 1.6, reading 26).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ....core.geometry.volume import VolumeGeometry
from ....lesions.resampling import resample

if TYPE_CHECKING:
    from .working_grid import WorkingAxes

STEPS = 4
"""Points along a side of a pixel at which the mask is read, where pixels do not lie on voxels."""

EXACT = 1e-5
"""Shares so near to 0 or 1 are 0 or 1: the last digits of a header."""


def levels_on(
    mask_image, axes: WorkingAxes, first: np.ndarray, masks: np.ndarray, voxel_mm: tuple[float, ...]
) -> np.ndarray:
    """Share of every pixel that lies in the GTV, of the fullest pixel of its slice.

    Where pixels lie on the MRI's voxels, one reading per pixel says 0 or 1. Where they do not, the mask (interpolated
    linearly between voxel centres) is averaged over the pixel; between the two cases over a part of it, so that one
    passes into the other as :func:`.working_grid.likeness` says.

    Args:
        mask_image: SimpleITK image of the GTV, 0 and 1, with a margin of zeros.
        axes: lattice of the lesion.
        first: lattice point (x, y, z) of pixel (0, 0) on slice 0.
        masks: bool ``[n, h, w]``, the GTV as yes and no on these pixels, slices one after another.
        voxel_mm: of the MRI, whose largest side says how far around the GTV a share can be above 0.

    Returns:
        ``[n, h, w]``: bool where all are 0 or 1, else float32 in 0..1. A slice of the GTV that lies between the points
        keeps its mask.
    """
    rows, columns = (np.flatnonzero(masks.any(axis=axis)) for axis in ((0, 2), (0, 1)))
    reach = int(np.ceil(max(voxel_mm) / min(axes.spacing[:2]))) + 1
    top, left = max(0, rows[0] - reach), max(0, columns[0] - reach)
    bottom = min(masks.shape[1], rows[-1] + reach + 1)
    right = min(masks.shape[2], columns[-1] + reach + 1)
    corner = np.add(first, [left, top, 0])
    last = np.add(first, [right - 1, bottom - 1, len(masks) - 1])
    shares = _shares(mask_image, axes, corner, last)
    fullest = shares.max(axis=(1, 2), keepdims=True)
    shares /= np.where(fullest > EXACT, fullest, 1)
    found = np.zeros(masks.shape, dtype=np.float32)
    found[:, top:bottom, left:right] = np.where(shares < EXACT, 0, np.where(shares > 1 - EXACT, 1, shares))
    lost = fullest[:, 0, 0] <= EXACT
    found[lost] = masks[lost]
    return found != 0 if ((found == 0) | (found == 1)).all() else found


def _shares(mask_image, axes: WorkingAxes, corner: np.ndarray, last: np.ndarray) -> np.ndarray:
    """The mask averaged over every pixel, or the part of it that ``axes.alike`` leaves, on a block of the lattice.

    Points that lie evenly from pixel to pixel are read at once, for a reading costs much the same however many it has.
    """
    steps = [STEPS if alike < 1 else 1 for alike in axes.alike]
    across, down = (
        ((np.arange(count) + 0.5) / count - 0.5) * (1 - alike) for count, alike in zip(steps, axes.alike, strict=True)
    )
    width, height = last[:2] - corner[:2] + 1
    if all(alike in (0, 1) for alike in axes.alike):
        grid = _aside(axes, across[0], down[0]).geometry(corner, last)
        fine = VolumeGeometry(
            (grid.shape[0], height * steps[1], width * steps[0]),
            (grid.spacing[0] / steps[0], grid.spacing[1] / steps[1], grid.spacing[2]),
            grid.origin,
            grid.direction,
        )
        read = resample(mask_image, fine).astype(float)
        return read.reshape(len(read), height, steps[1], width, steps[0]).mean(axis=(2, 4))
    shares = np.zeros((last[2] - corner[2] + 1, height, width))
    for y in down:
        for x in across:
            shares += resample(mask_image, _aside(axes, x, y).geometry(corner, last))
    return shares / (len(across) * len(down))


def _aside(axes: WorkingAxes, x: float, y: float) -> WorkingAxes:
    """The lattice, moved by parts of a pixel."""
    return replace(axes, anchor=axes.anchor + np.array([x, y, 0]) * axes.spacing)
