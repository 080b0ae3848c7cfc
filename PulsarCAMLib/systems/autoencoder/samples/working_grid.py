"""The working grid of a lesion: the lattice on which its patches are cut.

Every slice of a lesion is a crop of one lattice at whole-pixel corners, so the way from patch to MRI is one affine map.
Where the lattice lies is a rule of the model (``lattice`` of its preprocessing, method.md 1.6, reading 25):

``"by-index"``: the middle of the patch is the answering section's centre of mass, found among the MRI's indices; where
pixels are as large as voxels it is moved by up to half a voxel, so that all of them lie on voxels. Voxels that are all
but as large as the model's pixels are taken as they are, and one passes into the other (:func:`likeness`), so that
patches move by as little as the geometry does. Turned copies are anchored as before; a turn is no part of a geometry.

``"as-before"`` (models of version 0.1): along an axis that runs with one of the MRI's and keeps its spacing to nine
digits, lattice points are voxel centres; along any other, the lattice is anchored half a pixel beside the lesion's
centre of mass. A spacing of 1.0000001 mm instead of 1 moves it by up to half a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ....core.geometry.volume import VolumeGeometry, kji_of
from ....core.lesion import Lesion
from .preprocessing import BY_INDEX, HEAD, Preprocessing
from .sections import AnsweringSection

PARALLEL_TOLERANCE = 1e-6
"""1 - cosine below which two axes count as parallel (0.08 degrees)."""

LARGE_LESION_MARGIN = 2
"""Pixels left free on each side when a lesion is shrunk to fit the patch, or made to fill it."""

NEARLY, FAR = 0.005, 0.055
"""Voxels that differ from the wanted pixels by a share of up to the first are taken as they are; from the second on
they decide nothing."""

DISPLAY_AXES_LPS = {
    "axial": np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]),
    "coronal": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    "sagittal": np.array([[0, 1.0, 0], [0, 0, -1], [1, 0, 0]]),
}
"""Rows: where columns, rows and slices of a patch run to. Axial: left, posterior, superior; and so on, as displayed."""


@dataclass(frozen=True, eq=False)
class WorkingAxes:
    """Directions, spacings and lattice of a lesion's working grid.

    Attributes:
        direction: 3x3, columns are the LPS unit vectors of columns (x), rows (y) and slices (z).
        spacing: millimetres along x, y, z.
        anchor: a lattice point, as coordinates along x, y, z in millimetres; by index the pixel that is the last one
            before the middle of the answering section's patch, in its rows and columns.
        section: the answering one; None where the lattice is anchored as before.
        alike: along x and y, :func:`likeness` of voxels and pixels.
    """

    direction: np.ndarray
    spacing: np.ndarray
    anchor: np.ndarray
    section: AnsweringSection | None = None
    alike: np.ndarray = field(default_factory=lambda: np.zeros(2))

    def coordinates(self, lps: np.ndarray) -> np.ndarray:
        """Lattice coordinates ``[..., 3]`` (x, y, z in lattice steps from the anchor) of LPS points."""
        return (np.asarray(lps) @ np.linalg.inv(self.direction).T - self.anchor) / self.spacing

    def geometry(self, first: np.ndarray, last: np.ndarray) -> VolumeGeometry:
        """Geometry of the lattice block from ``first`` to ``last`` (x, y, z, both included)."""
        first, last = np.asarray(first, dtype=int), np.asarray(last, dtype=int)
        origin = self.direction @ (self.anchor + first * self.spacing)
        shape = kji_of((last - first + 1)[::-1])
        return VolumeGeometry(shape, tuple(self.spacing), tuple(origin), tuple(map(tuple, self.direction)))


def plane_of(geometry: VolumeGeometry, plane: str) -> str:
    """The anatomical plane asked for; for ``"volume"`` the one closest to the MRI's own slices."""
    if plane != "volume":
        return plane
    along = np.abs(np.asarray(geometry.direction)[:, 2])
    return ("sagittal", "coronal", "axial")[int(np.argmax(along))]


def working_axes(
    geometry: VolumeGeometry,
    lesion: Lesion,
    preprocessing: Preprocessing,
    rotation_deg: float = 0.0,
    scale: float = 1.0,
) -> WorkingAxes:
    """Axes of the lattice for one lesion.

    Args:
        geometry: of the MRI.
        lesion: gives the centre of mass.
        preprocessing: plane, in-plane spacing and rule of the lattice.
        rotation_deg: turns the patch about the lesion's centre of mass within its plane (augmentation).
        scale: enlarges the pixels of a lesion that would not fit.
    """
    volume_axes = np.asarray(geometry.direction)
    wanted = DISPLAY_AXES_LPS[plane_of(geometry, preprocessing.plane)].T
    direction = _closest_axes(volume_axes, wanted) if preprocessing.plane == "volume" else wanted.copy()
    along = volume_axes.T @ direction
    nearest = np.argmax(np.abs(along), axis=0)
    if rotation_deg:
        angle = np.deg2rad(rotation_deg)
        cos, sin = np.cos(angle), np.sin(angle)
        direction[:, :2] = direction[:, :2] @ np.array([[cos, -sin], [sin, cos]])
    spacing = np.asarray(geometry.spacing)[nearest]
    voxels = spacing[:2].copy()
    if preprocessing.in_plane_spacing_mm is not None:
        spacing[:2] = preprocessing.in_plane_spacing_mm
    spacing[:2] *= scale
    if preprocessing.lattice != BY_INDEX:
        return WorkingAxes(direction, spacing, _anchor_as_before(geometry, lesion, direction, spacing, nearest)[0])
    alike = np.array([likeness(*each) for each in zip(voxels, spacing, strict=False)])
    spacing[:2] = [pixel_size(*each) for each in zip(voxels, spacing, strict=False)]
    section = AnsweringSection.of(lesion, nearest, along[nearest, range(3)] > 0, preprocessing.answering_slice)
    middle = np.linalg.inv(direction) @ geometry.to_lps(section.middle(alike))
    if rotation_deg:
        anchor, on_voxels = _anchor_as_before(geometry, lesion, direction, spacing, nearest)
        if not on_voxels[2]:
            anchor[2] = middle[2]  # the same slices as those of the lesion as it is
        return WorkingAxes(direction, spacing, anchor)
    return WorkingAxes(direction, spacing, middle - spacing * [0.5, 0.5, 0], section, alike)


def likeness(voxel_mm: float, pixel_mm: float) -> float:
    """How nearly a voxel is as large as a pixel: 1 up to :data:`NEARLY`, 0 from :data:`FAR` on, linear between them."""
    off = abs(voxel_mm - pixel_mm) / pixel_mm
    return float(np.clip((FAR - off) / (FAR - NEARLY), 0, 1))


def pixel_size(voxel_mm: float, wanted_mm: float) -> float:
    """Millimetres of a pixel: as wanted, or the voxel's where that is all but the same; one passes into the other.

    A header's 1.0005 mm instead of 1 mm would else draw every pixel between voxels, and interpolation smooths: at
    1.001 mm p of a real lesion moved by 0.007.

    Examples:
        >>> [round(pixel_size(voxel, 1.0), 4) for voxel in (0.94, 0.96, 0.995, 0.9999, 1.0, 1.003, 1.03, 1.1)]
        [1.0, 0.9985, 0.995, 0.9999, 1.0, 1.003, 1.0025, 1.0]
    """
    off = (voxel_mm - wanted_mm) / wanted_mm
    if abs(off) <= NEARLY:
        return float(voxel_mm)
    return float(wanted_mm * (1 + np.sign(off) * NEARLY * likeness(voxel_mm, wanted_mm)))


def _anchor_as_before(
    geometry: VolumeGeometry, lesion: Lesion, direction: np.ndarray, spacing: np.ndarray, nearest: np.ndarray
) -> tuple[np.ndarray, list[bool]]:
    """The anchor in millimetres along the lattice's axes, and along which of them it is a voxel's centre."""
    # The inverse, not the transpose: headers are rounded, so axes may be perpendicular to 1e-3 only.
    to_axes = np.linalg.inv(direction)
    voxels = to_axes @ np.asarray(geometry.origin)
    anchor = to_axes @ lesion.centroid_lps(geometry) + spacing / 2
    on_voxels = [False, False, False]
    for axis in range(3):
        cosine = abs(np.asarray(geometry.direction)[:, nearest[axis]] @ direction[:, axis])
        if 1 - cosine < PARALLEL_TOLERANCE and np.isclose(spacing[axis], geometry.spacing[nearest[axis]], rtol=1e-9):
            anchor[axis], on_voxels[axis] = voxels[axis], True
    return anchor, on_voxels


def _closest_axes(volume_axes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The MRI's own axes, swapped in plane and flipped so that they run as displayed; slices stay slices."""
    in_plane = np.abs(volume_axes[:, :2].T @ wanted[:, :2])
    swapped = in_plane[0, 1] + in_plane[1, 0] > in_plane[0, 0] + in_plane[1, 1]
    direction = volume_axes[:, [1, 0, 2] if swapped else [0, 1, 2]].copy()
    signs = np.sign(np.sum(direction * wanted, axis=0))
    return direction * np.where(signs == 0, 1.0, signs)


def reach_of(
    preprocessing: Preprocessing, lesion: Lesion, geometry: VolumeGeometry
) -> tuple[float, float, float] | None:
    """Millimetres around a lesion's box, along i, j and k, that its patches hold; None: the whole image decides.

    The middle of a patch lies within the box, and its pixels may be as large as the widest section asks. Patches on the
    MRI's own slices lie along its axes; others reach as far as their corners do.
    """
    pixel_mm, size = preprocessing.in_plane_spacing_mm, preprocessing.patch_size
    if preprocessing.normalise == HEAD or pixel_mm is None:
        return None
    sides_mm = np.multiply(lesion.mask.shape[::-1], geometry.spacing)
    along = preprocessing.plane == "volume"
    widest_mm = sides_mm[:2].max() if along else np.linalg.norm(sides_mm)
    half_mm = float(max(pixel_mm, widest_mm / (size - 2 * LARGE_LESION_MARGIN)) * (size / 2 + 2))
    return (half_mm, half_mm, 0.0) if along else (2**0.5 * half_mm,) * 3
