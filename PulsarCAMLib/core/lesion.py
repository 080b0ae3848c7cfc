"""A lesion: a name and the voxels of its GTV on the MRI's grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import InputError
from .geometry.volume import VolumeGeometry, kji_of
from .visible import visible

CONNECTIVITY_26 = np.ones((3, 3, 3), dtype=bool)


@dataclass(frozen=True, eq=False)
class Lesion:
    """One lesion (GTV), cut to its bounding box.

    Attributes:
        name: as the user knows it (segment name), control characters as :func:`.visible.visible` tells them.
        mask: bool ``[k, j, i]``, cut to the bounding box of the lesion.
        offset: array index ``(k, j, i)`` of the box in the MRI.
        drawn_mm3: volume of the contour as it was drawn, where that was on another grid than the MRI's or reaches out
            of it; None: the voxels here are the contour.
        contours: closed planar contours that it was drawn with, points ``[n, 3]`` in LPS millimetres of the MRI, by the
            even-odd rule on each plane; none: it was drawn as voxels.
    """

    name: str
    mask: np.ndarray
    offset: tuple[int, int, int]
    drawn_mm3: float | None = None
    contours: tuple[np.ndarray, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", visible(self.name))  # one spelling in everything that tells of it

    @classmethod
    def from_mask(cls, name: str, mask: np.ndarray) -> Lesion:
        """Lesion from a mask on the whole grid of the MRI.

        Raises:
            InputError: the mask is not three-dimensional, holds NaN, or is empty.

        Examples:
            >>> mask = np.zeros((10, 64, 64), bool)
            >>> mask[4:6, 20:30, 30:40] = True
            >>> lesion = Lesion.from_mask("left frontal", mask)
            >>> lesion.voxels, lesion.offset
            (200, (4, 20, 30))
            >>> lesion.volume_cm3(VolumeGeometry(mask.shape, spacing=(1, 1, 5)))
            1.0
        """
        inside = as_inside(name, mask)
        box = bounding_box(inside)
        if box is None:
            raise InputError(f"Segment “{name}” is empty: contour it or leave it out.")
        return cls(name, inside[box].copy(), kji_of(s.start for s in box))

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Where :attr:`mask` lies in the MRI's array."""
        k, j, i = (slice(o, o + n) for o, n in zip(self.offset, self.mask.shape, strict=True))
        return k, j, i

    @property
    def voxels(self) -> int:
        """Number of voxels."""
        return int(np.count_nonzero(self.mask))

    def volume_cm3(self, geometry: VolumeGeometry) -> float:
        """Volume in cubic centimetres: of the contour as drawn, else voxel count times voxel volume."""
        drawn = self.voxels * geometry.voxel_volume_mm3 if self.drawn_mm3 is None else self.drawn_mm3
        return drawn / 1000.0

    def full_mask(self, shape: tuple[int, int, int]) -> np.ndarray:
        """The mask on the whole grid, bool ``[k, j, i]``."""
        full = np.zeros(shape, dtype=bool)
        full[self.box] = self.mask
        return full

    def centroid_lps(self, geometry: VolumeGeometry) -> np.ndarray:
        """Centre of mass of the voxels in LPS millimetres ``[3]``."""
        kji = np.argwhere(self.mask).mean(axis=0) + self.offset
        return geometry.to_lps(kji[::-1])


def check_lies_on(volume: np.ndarray, geometry: VolumeGeometry, lesion: Lesion) -> None:
    """Refuse what is no MRI, or a lesion that is not on it.

    Raises:
        InputError: ``volume`` is not one 3D array of numbers in ``geometry``, or the lesion is empty or outside it.
    """
    if volume.ndim != 3 or volume.dtype.kind not in "iufb":
        raise InputError(f"The MRI must be one 3D volume of numbers; it has shape {volume.shape} of {volume.dtype}.")
    if volume.shape != geometry.shape:
        raise InputError(f"The MRI's array has shape {volume.shape}, its geometry {geometry.shape}.")
    if any(s.start < 0 or s.stop > n for s, n in zip(lesion.box, volume.shape, strict=True)):
        raise InputError(f"Lesion “{lesion.name}” lies outside the MRI; was it drawn on another image?")
    if not lesion.mask.any():
        raise InputError(f"Lesion “{lesion.name}” is empty: contour it or leave it out.")


def as_inside(name: str, mask: np.ndarray) -> np.ndarray:
    """The mask as bool ``[k, j, i]``.

    Raises:
        InputError: it is not three-dimensional, or holds NaN.
    """
    mask = np.asarray(mask)
    if mask.ndim != 3:
        raise InputError(f"The mask of “{name}” has {mask.ndim} dimensions; it needs three.")
    if mask.dtype.kind == "f" and not np.isfinite(mask).all():
        raise InputError(f"The mask of “{name}” holds NaN or infinite values; export it again as a binary mask.")
    return mask if mask.dtype == bool else mask != 0


def bounding_box(inside: np.ndarray) -> tuple[slice, ...] | None:
    """Smallest box that holds all that is inside; None where nothing is."""
    box = []
    for axis in range(3):
        used = np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis)))
        if not used.size:
            return None
        box.append(slice(int(used[0]), int(used[-1]) + 1))
    return tuple(box)
