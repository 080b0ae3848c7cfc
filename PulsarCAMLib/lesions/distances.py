"""Distances in millimetres from the surface of a mask, which is known at the middles of its voxel faces."""

from __future__ import annotations

import numpy as np

DECIMALS = 6
"""Distances are whole nanometres, so that rounding moves no voxel across a limit that it lies at."""


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
