"""Distances in millimetres from the surface of a mask, which is known at the middles of its voxel faces."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np

DECIMALS = 6
"""Distances are whole nanometres, so that rounding moves no voxel across a limit that it lies at."""

AROUND = 3
"""Voxels around a mask's box, which half a voxel aside and smoothing over one need."""

KEPT_BYTES = 64 * 2**20
"""Of depths: some thirty lesions of 30 mm with voxels of half a millimetre."""

_kept: OrderedDict[tuple[int, tuple[float, ...]], tuple[np.ndarray, np.ndarray]] = OrderedDict()
_keeping = threading.Lock()


def depth_of(inside: np.ndarray, spacing_kji: tuple[float, float, float]) -> np.ndarray:
    """Distance from every voxel's centre to the nearest middle of a face between a voxel inside and one outside.

    Exact before planes along the grid, whatever the spacing. Askew to the grid these points stray to both sides of the
    true surface; edges and corners of voxels stray towards the side that is asked for, so that distances to the faces
    as a whole would read 0.35 mm too little on average in a ball of 10 mm radius and voxels of 1 mm, these 0.1 mm.

    Args:
        inside: bool ``[k, j, i]``; where the array ends there is no surface.
        spacing_kji: voxel size in millimetres along the array's axes.

    Returns:
        float64 ``[k, j, i]``, millimetres, positive inside and negative outside; infinite where there is no surface.
    """
    from scipy import ndimage

    nearest = np.full(inside.shape, np.inf)
    for axis, spacing in enumerate(spacing_kji):
        line = np.moveaxis(inside, axis, 0)
        crossed = line[1:] != line[:-1]
        if crossed.any():
            # Every other place along the axis is a face, in steps of half a voxel.
            elsewhere = np.ones((2 * len(line) - 1, *line.shape[1:]), dtype=bool)
            elsewhere[1::2] = ~crossed
            steps = [spacing / 2, *np.delete(spacing_kji, axis)]
            found = ndimage.distance_transform_edt(elsewhere, sampling=steps)[::2]
            nearest = np.minimum(nearest, np.moveaxis(found, 0, axis))
    return np.round(nearest, DECIMALS) * np.where(inside, 1, -1)


def depth_around(mask: np.ndarray, spacing_kji: tuple[float, float, float]) -> np.ndarray:
    """:func:`depth_of` a mask that ends at its box, with :data:`AROUND` voxels outside on every side.

    Kept for the masks that were last asked for, up to :data:`KEPT_BYTES`: tables, dose and stability ask for the same.

    Args:
        mask: bool ``[k, j, i]``, as a lesion has it; from here on it must not be changed.
        spacing_kji: voxel size in millimetres along the array's axes.

    Returns:
        float64, larger than the mask by twice :data:`AROUND` along each axis; not to be changed.
    """
    key = (id(mask), tuple(spacing_kji))
    with _keeping:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key][1]
    depth = depth_of(np.pad(mask, AROUND), spacing_kji)
    depth.flags.writeable = False
    with _keeping:
        _kept[key] = mask, depth  # with the mask, for else another array could come to have its number
        while sum(each.nbytes for _, each in _kept.values()) > KEPT_BYTES:
            _kept.popitem(last=False)
    return depth


def distance_to(
    mask: np.ndarray,
    offset: tuple[int, int, int],
    spacing_kji: tuple[float, float, float],
    box: tuple[int, int, int],
    shape: tuple[int, int, int],
) -> np.ndarray:
    """Distance from the centres of a box of voxels to the surface of a mask that may lie anywhere on the same grid.

    The surface is that of :func:`depth_of`.

    Args:
        mask: bool ``[k, j, i]``, not empty.
        offset: array index of its first voxel.
        spacing_kji: voxel size in millimetres along the array's axes.
        box: array index of the first voxel that is asked about.
        shape: of what is asked about.

    Returns:
        float64 of that shape, millimetres, positive outside the mask and negative inside.
    """
    from scipy import spatial

    spacing = np.asarray(spacing_kji, dtype=float)
    padded = np.pad(mask, 1)
    faces = []
    for axis in range(3):
        found = np.argwhere(np.diff(padded, axis=axis)).astype(float)
        found[:, axis] += 0.5
        faces.append(found)
    points = (np.concatenate(faces) - 1 + np.asarray(offset)) * spacing
    asked = np.moveaxis(np.indices(shape), 0, -1).reshape(-1, 3) + np.asarray(box)
    found = spatial.cKDTree(points).query(asked * spacing)[0]
    within = asked - np.asarray(offset)
    there = ((within >= 0) & (within < mask.shape)).all(axis=1)
    inside = np.zeros(len(asked), dtype=bool)
    inside[there] = mask[tuple(within[there].T)]
    return np.round(np.where(inside, -found, found), DECIMALS).reshape(shape)


def grown(
    mask: np.ndarray, margin_mm: float, spacing_kji: tuple[float, float, float]
) -> tuple[np.ndarray, tuple[int, int, int]]:
    """A mask with all voxels whose centre is no further than a margin from its surface, and how much the array grew.

    Returns:
        bool ``[k, j, i]``, and how many voxels it is larger on both sides of each axis.
    """
    if margin_mm <= 0 or not mask.any():
        return mask.copy(), (0, 0, 0)
    k, j, i = (int(np.ceil(margin_mm / mm)) + 1 for mm in spacing_kji)
    reach = (k, j, i)
    padded = np.pad(mask, [(n, n) for n in reach])
    return depth_of(padded, spacing_kji) >= -margin_mm, reach
