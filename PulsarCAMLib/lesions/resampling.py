"""Linear resampling between the MRI's grid and a lesion's working grid, by SimpleITK."""

from __future__ import annotations

import numpy as np

from ..core.geometry import VolumeGeometry, moved


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


def resample(
    image, grid: VolumeGeometry, edges: bool = False, matrix: np.ndarray | None = None, nearest: bool = False
) -> np.ndarray:
    """A SimpleITK image on ``grid``; outside the image zero, or its edge voxels.

    Interpolated linearly, or ``nearest``: the value of the voxel that a point lies in.
    """
    import SimpleITK as sitk

    resample = sitk.ResampleImageFilter()
    resample.SetInterpolator(sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear)
    resample.SetUseNearestNeighborExtrapolator(edges)
    resample.SetSize(grid.shape[::-1])
    resample.SetOutputSpacing(grid.spacing)
    resample.SetOutputOrigin(grid.origin)
    resample.SetOutputDirection([c for row in grid.direction for c in row])
    if matrix is not None:
        resample.SetTransform(sitk.AffineTransform(matrix[:3, :3].ravel().tolist(), matrix[:3, 3].tolist()))
    return sitk.GetArrayFromImage(resample.Execute(image))
