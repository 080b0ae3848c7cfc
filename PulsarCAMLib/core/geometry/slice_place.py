"""Where a slice lies, told everywhere as 3D Slicer tells it: its position in millimetres, and its number from 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .volume import VolumeGeometry


@dataclass(frozen=True)
class SlicePlace:
    """One slice of an image.

    Attributes:
        number: counted from 1, along the image's third axis, as 3D Slicer counts slices.
        of: number of slices of the image.
        axis: "R", "A" or "S", the one nearest to the normal of the slices.
        position_mm: along that axis, RAS millimetres.
    """

    number: int
    of: int
    axis: str
    position_mm: float

    @property
    def words(self) -> str:
        """As "S 35.0 mm, slice 12 of 25"."""
        return f"{self.axis} {round(self.position_mm, 1) + 0.0:.1f} mm, slice {self.number} of {self.of}"

    def facts(self) -> dict[str, object]:
        """For tables."""
        return {
            "mri_slice_number": self.number,
            "mri_slice_axis": self.axis,
            "mri_slice_position_mm": self.position_mm,
        }


def slice_place(geometry: VolumeGeometry, lps: np.ndarray) -> SlicePlace:
    """The slice of an image that is nearest to a point.

    Args:
        geometry: of the image.
        lps: the point, LPS millimetres ``[3]``.

    Examples:
        >>> geometry = VolumeGeometry((25, 64, 64), (1, 1, 3), (0, 0, 2))
        >>> slice_place(geometry, geometry.to_lps([30, 30, 11])).words
        'S 35.0 mm, slice 12 of 25'
    """
    number = round(float(geometry.to_ijk(lps)[2])) + 1
    normal = np.asarray(geometry.direction)[:, 2] * [-1, -1, 1]
    return place_of_slice(number, geometry.shape[0], normal, np.asarray(lps) * [-1, -1, 1])


def place_of_slice(number: int, of: int, normal_ras: np.ndarray, ras: np.ndarray) -> SlicePlace:
    """A slice with a known number.

    Args:
        number, of: see :class:`SlicePlace`.
        normal_ras: direction ``[3]`` across the slices.
        ras: a point of the slice, millimetres ``[3]``.
    """
    axis = int(np.argmax(np.abs(normal_ras)))
    return SlicePlace(number, of, "RAS"[axis], float(ras[axis]))
