"""Resampling between the MRI's grid and a lesion's working grid, linear unless said otherwise, by SimpleITK."""

from __future__ import annotations

import math

import numpy as np

from ..core.geometry.volume import VolumeGeometry, moved


def block_of(
    grid: VolumeGeometry, geometry: VolumeGeometry, margin: int = 0, matrix: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """First and one-past-last array index (k, j, i) of the part of the volume that ``grid`` touches.

    ``matrix`` (4x4) takes LPS millimetres of the grid to those of the volume, here as in all functions below; None:
    they are the same.
    """
    reach = geometry.to_ijk(moved(grid.corners_lps(), matrix))
    limit = np.array(geometry.shape)
    low = np.clip(np.floor(reach.min(axis=0)).astype(int)[::-1] - margin, 0, limit - 1)
    high = np.clip(np.ceil(reach.max(axis=0)).astype(int)[::-1] + 1 + margin, low + 1, limit)
    return low, high


def image_around(volume: np.ndarray, geometry: VolumeGeometry, grid: VolumeGeometry, matrix: np.ndarray | None = None):
    """SimpleITK image of the part of the MRI that ``grid`` touches, finite everywhere."""
    low, high = block_of(grid, geometry, margin=1, matrix=matrix)
    block = volume[tuple(slice(a, b) for a, b in zip(low, high, strict=True))].astype(np.float32)
    finite = np.isfinite(block)
    if not finite.all():
        block[~finite] = block[finite].min() if finite.any() else 0.0
    return geometry.cropped(tuple(low), block.shape).to_sitk(block)


FEW_VOXELS = 16_384
"""Up to so many the work is not shared out among threads: that takes as long again, and a lesion asks for hundreds of
such grids. The values are the same."""


def resample(
    image,
    grid: VolumeGeometry,
    edges: bool = False,
    matrix: np.ndarray | None = None,
    nearest: bool = False,
    cubic: bool = False,
) -> np.ndarray:
    """A SimpleITK image on ``grid``; outside the image zero, or its edge voxels.

    Interpolated linearly, or ``nearest``: the value of the voxel that a point lies in, or ``cubic``: by B-splines.
    """
    import SimpleITK as sitk

    resample = sitk.ResampleImageFilter()
    resample.SetInterpolator(sitk.sitkNearestNeighbor if nearest else sitk.sitkBSpline if cubic else sitk.sitkLinear)
    resample.SetUseNearestNeighborExtrapolator(edges)
    resample.SetSize(grid.shape[::-1])
    resample.SetOutputSpacing(grid.spacing)
    resample.SetOutputOrigin(grid.origin)
    resample.SetOutputDirection([c for row in grid.direction for c in row])
    if math.prod(grid.shape) <= FEW_VOXELS:
        resample.SetNumberOfThreads(1)
        resample.SetNumberOfWorkUnits(1)
    if matrix is not None:
        resample.SetTransform(sitk.AffineTransform(matrix[:3, :3].ravel().tolist(), matrix[:3, 3].tolist()))
    return sitk.GetArrayFromImage(resample.Execute(image))


WHOLE = 0.999
"""Sum of the weights of voxels with a value, from which on no voxel without one takes part in an interpolated value."""


def values_on(
    voxels: np.ndarray, place: VolumeGeometry, grid: VolumeGeometry, matrix: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A volume on another grid, linearly, and where that is known at all.

    Args:
        voxels: ``[k, j, i]``; NaN where there is no value.
        place: of these voxels.
        grid: wanted.
        matrix: see :func:`block_of`.

    Returns:
        float64 ``[k, j, i]``, NaN outside the volume (half a voxel beyond its outermost centres) and wherever a voxel
        without a value would take part; and bool, where the grid lies within the volume.
    """
    corners = place.to_ijk(moved(grid.corners_lps(), matrix))
    if (corners.max(axis=0) < -0.5).any() or (corners.min(axis=0) > np.array(place.shape[::-1]) - 0.5).any():
        return np.full(grid.shape, np.nan), np.zeros(grid.shape, dtype=bool)
    low, high = block_of(grid, place, margin=1, matrix=matrix)
    block = voxels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))].astype(np.float64)
    there, finite = place.cropped(tuple(low), block.shape), np.isfinite(block)
    values = resample(there.to_sitk(np.where(finite, block, 0.0)), grid, matrix=matrix)
    weights = resample(there.to_sitk(finite.astype(np.float64)), grid, matrix=matrix)
    within = resample(there.to_sitk(np.ones(block.shape)), grid, matrix=matrix) > WHOLE
    return np.where(within & (weights > WHOLE), values, np.nan), within
