"""Where a volume is: the map between array indices and millimetres.

Arrays are indexed ``[k, j, i]`` (slice, row, column), as NumPy sees a Slicer or SimpleITK volume; index vectors are
written ``(i, j, k)``. Millimetres are LPS (DICOM, ITK) unless a name says RAS (Slicer).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import GeometryError

Kji = tuple[int, int, int]
"""An array index or a shape: slice, row, column."""

LPS_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Turns LPS millimetres into RAS millimetres and back."""

ORTHOGONALITY_TOLERANCE = 1e-3
"""Largest cosine between two axes (0.06 degrees) that is still taken for rounding in a file header."""

SAME_GRID_TOLERANCE_MM = 1e-3
"""Corners of two grids closer than this are the same grid."""


def kji_of(values: Iterable[float]) -> Kji:
    """Three whole numbers as a plain tuple."""
    k, j, i = (int(value) for value in values)
    return k, j, i


def moved(points: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    """Points ``[..., 3]`` after a 4x4 matrix; None leaves them where they are."""
    return points if matrix is None else np.asarray(points) @ matrix[:3, :3].T + matrix[:3, 3]


@dataclass(frozen=True)
class VolumeGeometry:
    """Shape and place of a volume.

    Attributes:
        shape: number of voxels ``(k, j, i)``, the shape of the array.
        spacing: voxel size in millimetres along ``(i, j, k)``.
        origin: LPS millimetres of the centre of voxel ``(0, 0, 0)``.
        direction: 3x3, columns are the LPS unit vectors of the axes i, j, k; may be left-handed.

    Raises:
        GeometryError: an empty shape, a spacing that is not positive, or axes that are not perpendicular.

    Examples:
        >>> geometry = VolumeGeometry((20, 256, 256), spacing=(0.9, 0.9, 3.0), origin=(-115.2, -115.2, -30.0))
        >>> geometry.to_lps([128, 128, 10]).round(3).tolist()
        [0.0, 0.0, 0.0]
        >>> geometry.to_ijk([0.0, 0.0, 3.0]).round(3).tolist()
        [128.0, 128.0, 11.0]
        >>> round(geometry.voxel_volume_mm3, 2)
        2.43
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[tuple[float, float, float], ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "shape", tuple(int(n) for n in self.shape))
        put(self, "spacing", tuple(float(s) for s in self.spacing))
        put(self, "origin", tuple(float(o) for o in self.origin))
        axes = np.asarray(self.direction, dtype=float).reshape(3, 3)
        put(self, "direction", tuple(tuple(float(c) for c in row) for row in axes))
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise GeometryError(f"A volume needs three dimensions of at least one voxel, not {self.shape}.")
        if not np.isfinite(self.spacing).all() or min(self.spacing) <= 0 or not np.isfinite(self.origin).all():
            raise GeometryError(f"The volume's spacing {self.spacing} mm or origin {self.origin} mm is not usable.")
        if not np.isfinite(axes).all() or np.abs(axes.T @ axes - np.eye(3)).max() > ORTHOGONALITY_TOLERANCE:
            raise GeometryError(
                "The volume's axes are not perpendicular (a tilted gantry or a shearing transform); "
                "resample the volume to an ordinary grid first."
            )

    @classmethod
    def from_ijk_to_lps(cls, matrix: np.ndarray, shape: tuple[int, int, int]) -> VolumeGeometry:
        """Geometry from a 4x4 matrix that takes ``(i, j, k, 1)`` to LPS millimetres."""
        matrix = np.asarray(matrix, dtype=float)
        spacing = np.linalg.norm(matrix[:3, :3], axis=0)
        if not np.isfinite(matrix).all() or (spacing <= 0).any():
            raise GeometryError("The volume's IJK-to-world matrix has a zero or non-finite axis.")
        return cls(shape, tuple(spacing), tuple(matrix[:3, 3]), tuple(map(tuple, matrix[:3, :3] / spacing)))

    @classmethod
    def from_ijk_to_ras(cls, matrix: np.ndarray, shape: tuple[int, int, int]) -> VolumeGeometry:
        """Geometry from Slicer's 4x4 IJK-to-RAS matrix."""
        return cls.from_ijk_to_lps(LPS_RAS @ np.asarray(matrix, dtype=float), shape)

    @classmethod
    def from_sitk(cls, image) -> VolumeGeometry:
        """Geometry of a three-dimensional SimpleITK image."""
        direction = np.reshape(image.GetDirection(), (3, 3))
        return cls(image.GetSize()[::-1], image.GetSpacing(), image.GetOrigin(), tuple(map(tuple, direction)))

    @cached_property
    def ijk_to_lps(self) -> np.ndarray:
        """4x4, ``(i, j, k, 1)`` to LPS millimetres."""
        matrix = np.eye(4)
        matrix[:3, :3] = np.asarray(self.direction) * np.asarray(self.spacing)
        matrix[:3, 3] = self.origin
        return matrix

    @cached_property
    def ijk_to_ras(self) -> np.ndarray:
        """4x4, ``(i, j, k, 1)`` to RAS millimetres: Slicer's IJK-to-RAS matrix."""
        return LPS_RAS @ self.ijk_to_lps

    @cached_property
    def lps_to_ijk(self) -> np.ndarray:
        """4x4, LPS millimetres to ``(i, j, k, 1)``."""
        return np.linalg.inv(self.ijk_to_lps)

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel in cubic millimetres."""
        return float(np.prod(self.spacing))

    def to_lps(self, ijk: np.ndarray) -> np.ndarray:
        """LPS millimetres ``[..., 3]`` of (fractional) indices ``[..., (i, j, k)]``."""
        return np.asarray(ijk, dtype=float) @ self.ijk_to_lps[:3, :3].T + self.ijk_to_lps[:3, 3]

    def to_ijk(self, lps: np.ndarray) -> np.ndarray:
        """Fractional indices ``[..., (i, j, k)]`` of LPS millimetres ``[..., 3]``."""
        return np.asarray(lps, dtype=float) @ self.lps_to_ijk[:3, :3].T + self.lps_to_ijk[:3, 3]

    def to_sitk(self, array: np.ndarray):
        """SimpleITK image of ``array`` ``[k, j, i]`` in this place."""
        import SimpleITK as sitk

        if tuple(array.shape) != self.shape:
            raise GeometryError(f"The array's shape {tuple(array.shape)} is not the geometry's {self.shape}.")
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(self.spacing)
        image.SetOrigin(self.origin)
        image.SetDirection([c for row in self.direction for c in row])
        return image

    def cropped(self, offset_kji: tuple[int, int, int], shape: tuple[int, int, int]) -> VolumeGeometry:
        """Geometry of the block of ``shape`` that begins at array index ``offset_kji`` (may lie outside)."""
        origin = self.to_lps(np.asarray(offset_kji, dtype=float)[::-1])
        return VolumeGeometry(shape, self.spacing, tuple(origin), self.direction)

    def corners_lps(self) -> np.ndarray:
        """LPS millimetres ``[8, 3]`` of the centres of the eight corner voxels."""
        k, j, i = (np.array([0, n - 1]) for n in self.shape)
        return self.to_lps(np.stack(np.meshgrid(i, j, k, indexing="ij"), -1).reshape(-1, 3))

    def same_grid(self, other: VolumeGeometry) -> bool:
        """Whether both have the same voxels, up to :data:`SAME_GRID_TOLERANCE_MM` at every corner."""
        return (
            self.shape == other.shape
            and float(np.abs(self.corners_lps() - other.corners_lps()).max()) < SAME_GRID_TOLERANCE_MM
        )
