"""Linear resampling between the MRI's grid and a lesion's working grid, by SimpleITK."""

from __future__ import annotations

import numpy as np

from ..core.geometry import VolumeGeometry


def block_of(grid: VolumeGeometry, geometry: VolumeGeometry, margin: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """First and one-past-last array index (k, j, i) of the part of the volume that ``grid`` touches."""
    reach = geometry.to_ijk(grid.corners_lps())
    limit = np.array(geometry.shape)
    low = np.clip(np.floor(reach.min(axis=0)).astype(int)[::-1] - margin, 0, limit - 1)
    high = np.clip(np.ceil(reach.max(axis=0)).astype(int)[::-1] + 1 + margin, low + 1, limit)
    return low, high


def image_around(volume: np.ndarray, geometry: VolumeGeometry, grid: VolumeGeometry):
    """SimpleITK image of the part of the MRI that ``grid`` touches, finite everywhere."""
    low, high = block_of(grid, geometry, margin=1)
    block = volume[tuple(slice(a, b) for a, b in zip(low, high, strict=True))].astype(np.float32)
    finite = np.isfinite(block)
    if not finite.all():
        block[~finite] = block[finite].min() if finite.any() else 0.0
    return geometry.cropped(tuple(low), block.shape).to_sitk(block)


def resample(image, grid: VolumeGeometry, edges: bool = False) -> np.ndarray:
    """Linear interpolation of a SimpleITK image on ``grid``; outside the image zero, or its edge voxels."""
    import SimpleITK as sitk

    resample = sitk.ResampleImageFilter()
    resample.SetInterpolator(sitk.sitkLinear)
    resample.SetUseNearestNeighborExtrapolator(edges)
    resample.SetSize(grid.shape[::-1])
    resample.SetOutputSpacing(grid.spacing)
    resample.SetOutputOrigin(grid.origin)
    resample.SetOutputDirection([c for row in grid.direction for c in row])
    return sitk.GetArrayFromImage(resample.Execute(image))
