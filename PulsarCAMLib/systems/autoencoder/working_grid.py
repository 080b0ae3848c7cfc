"""The working grid of a lesion: the lattice on which its patches are cut.

Every slice of a lesion is a crop of one lattice at whole-pixel corners, so the way from patch to MRI is one affine map.
Along an axis that runs with one of the MRI's and keeps its spacing, lattice points are voxel centres; along any other,
the lattice is anchored half a pixel beside the lesion's centre of mass, so that a patch of even size is centred on it
and cropping the MRI changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.geometry import VolumeGeometry, kji_of
from ...core.lesion import Lesion
from .preprocessing import Preprocessing

PARALLEL_TOLERANCE = 1e-6
"""1 - cosine below which two axes count as parallel (0.08 degrees)."""

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
        anchor: a lattice point, as coordinates along x, y, z in millimetres.
    """

    direction: np.ndarray
    spacing: np.ndarray
    anchor: np.ndarray

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
        preprocessing: plane and in-plane spacing.
        rotation_deg: turns the patch about the lesion's centre of mass within its plane (augmentation).
        scale: enlarges the pixels of a lesion that would not fit.
    """
    volume_axes = np.asarray(geometry.direction)
    wanted = DISPLAY_AXES_LPS[plane_of(geometry, preprocessing.plane)].T
    direction = _closest_axes(volume_axes, wanted) if preprocessing.plane == "volume" else wanted.copy()
    nearest = np.argmax(np.abs(volume_axes.T @ direction), axis=0)
    if rotation_deg:
        angle = np.deg2rad(rotation_deg)
        cos, sin = np.cos(angle), np.sin(angle)
        direction[:, :2] = direction[:, :2] @ np.array([[cos, -sin], [sin, cos]])
    spacing = np.asarray(geometry.spacing)[nearest]
    if preprocessing.in_plane_spacing_mm is not None:
        spacing[:2] = preprocessing.in_plane_spacing_mm
    spacing[:2] *= scale
    # The inverse, not the transpose: headers are rounded, so axes may be perpendicular to 1e-3 only.
    to_axes = np.linalg.inv(direction)
    on_voxels = to_axes @ np.asarray(geometry.origin)
    anchor = to_axes @ lesion.centroid_lps(geometry) + spacing / 2
    for axis in range(3):
        cosine = abs(volume_axes[:, nearest[axis]] @ direction[:, axis])
        if 1 - cosine < PARALLEL_TOLERANCE and np.isclose(spacing[axis], geometry.spacing[nearest[axis]], rtol=1e-9):
            anchor[axis] = on_voxels[axis]
    return WorkingAxes(direction, spacing, anchor)


def _closest_axes(volume_axes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The MRI's own axes, swapped in plane and flipped so that they run as displayed; slices stay slices."""
    in_plane = np.abs(volume_axes[:, :2].T @ wanted[:, :2])
    swapped = in_plane[0, 1] + in_plane[1, 0] > in_plane[0, 0] + in_plane[1, 1]
    direction = volume_axes[:, [1, 0, 2] if swapped else [0, 1, 2]].copy()
    signs = np.sign(np.sum(direction * wanted, axis=0))
    return direction * np.where(signs == 0, 1.0, signs)
