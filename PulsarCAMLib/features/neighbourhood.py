"""The tissue around a lesion: a crop of the MRI, and distances from the GTV in millimetres."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..core.errors import InputError
from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import Lesion, check_lies_on
from ..lesions.distances import depth_of


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """A block of the MRI around a lesion.

    Attributes:
        values: float64 ``[k, j, i]``; NaN where the MRI is not finite.
        inside: bool ``[k, j, i]``, the GTV.
        offset: array index ``(k, j, i)`` of the block in the MRI.
        geometry: place of the block.
    """

    values: np.ndarray
    inside: np.ndarray
    offset: tuple[int, int, int]
    geometry: VolumeGeometry

    @property
    def spacing_kji(self) -> tuple[float, float, float]:
        """Voxel size in millimetres along the array's axes."""
        return self.geometry.spacing[::-1]

    @cached_property
    def depth_mm(self) -> np.ndarray:
        """Depth under the GTV's surface, negative outside; the block's border is no surface."""
        return depth_of(self.inside, self.spacing_kji)

    def distance_outside_mm(self) -> np.ndarray:
        """Distance from the GTV's surface, 0 inside; counted as :func:`..explanation.tables.depth_mm` counts depth."""
        return np.maximum(-self.depth_mm, 0.0)


def neighbourhood_of(
    volume: np.ndarray, geometry: VolumeGeometry, lesion: Lesion, reach_mm: float, extra_voxels: int = 1
) -> Neighbourhood:
    """The block that reaches ``reach_mm`` and ``extra_voxels`` beyond the lesion's box, cut at the MRI's border.

    Raises:
        InputError: the MRI is no 3D image of numbers, does not fit its geometry, or the lesion lies outside it.
    """
    check_lies_on(volume, geometry, lesion)
    if not np.isfinite(reach_mm) or reach_mm < 0:
        raise InputError(f"A distance around the lesion must be zero or more millimetres, not {reach_mm}.")
    pad = np.ceil(reach_mm / np.array(geometry.spacing[::-1]) - 1e-9).astype(int) + extra_voxels
    low = np.maximum(np.array(lesion.offset) - pad, 0)
    high = np.minimum(np.array(lesion.offset) + lesion.mask.shape + pad, volume.shape)
    values = volume[tuple(map(slice, low, high))].astype(np.float64)
    values[~np.isfinite(values)] = np.nan
    inside = np.zeros(values.shape, dtype=bool)
    inside[tuple(slice(o - a, o - a + n) for o, a, n in zip(lesion.offset, low, lesion.mask.shape, strict=True))] = (
        lesion.mask
    )
    offset = tuple(int(o) for o in low)
    return Neighbourhood(values, inside, offset, geometry.cropped(offset, values.shape))
