"""Sections of a lesion among the MRI's own indices: what decides where its patches lie without asking any header.

A header is rounded, an index is not. What is found here changes with the contour and with how the MRI is stored, not
with its spacing, its origin or its direction (up to which of its axes is nearest to the patch's).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ....core.geometry.volume import VolumeGeometry
from ....core.lesion import Lesion

if TYPE_CHECKING:
    from .working_grid import WorkingAxes

BESIDE_TIES = 1e-3
"""Voxels or pixels by which a limit lies beside the places where centres of contours drawn on voxels meet it exactly,
such as half way between two voxels, so that the last digits of a spacing decide nothing."""

BESIDE_HALVES = 0.0375
"""Pixels beside the lattice at which masks are read: pixels of 1 mm lie exactly half way between voxels of 2 mm, where
contours run. As much as 1e-3 mm of a spacing amounts to near the patch's border, too little to be seen, and between the
places where voxels of whole twentieths of a millimetre would meet a pixel of 1 mm half way."""


@dataclass(frozen=True, eq=False)
class AnsweringSection:
    """The section of a lesion that answers for it, by voxels.

    Attributes:
        centre: its centre of mass, fractional indices (i, j, k) of the MRI; whole along the slices.
        nearest: the MRI's axis (0: i, 1: j, 2: k) nearest to columns, rows and slices of the patch (x, y, z).
        signs: 1 where that axis runs the same way, else -1.
        fraction: along x and y, how far beyond the centre of a voxel the centre of mass lies, in voxels, 0 to 1.
    """

    centre: np.ndarray
    nearest: np.ndarray
    signs: np.ndarray
    fraction: np.ndarray

    @classmethod
    def of(cls, lesion: Lesion, nearest: np.ndarray, forwards: np.ndarray, rule: str) -> AnsweringSection:
        """The section that answers.

        Args:
            lesion: on the MRI's grid.
            nearest, forwards: as the attributes; whether an axis runs the same way.
            rule: of the answering slice.
        """
        kji_axis = 2 - int(nearest[2])
        counts = lesion.mask.sum(axis=tuple(axis for axis in range(3) if axis != kji_axis))
        used = np.flatnonzero(counts)
        used = used if forwards[2] else used[::-1]
        at = used[answering_slice(counts[used].astype(float), rule)]
        inside = np.insert(np.argwhere(lesion.mask.take(at, axis=kji_axis)), kji_axis, at, axis=1)
        centre = (inside.mean(axis=0) + lesion.offset)[::-1]
        signs = np.where(forwards, 1.0, -1.0)
        along = (signs * centre[nearest])[:2]
        return cls(centre, nearest, signs, along - np.floor(along + BESIDE_TIES))

    def middle(self, alike: np.ndarray) -> np.ndarray:
        """Index (i, j, k) that the middle of the patch lies at: the centre of mass, or half a voxel beside a voxel.

        Args:
            alike: along x and y, how nearly pixels are as large as voxels: 1, the patch is moved by up to half a voxel
                so that they lie on them; 0, it is not moved; between them by a part of that.
        """
        found = self.centre.copy()
        found[self.nearest[:2]] += self.signs[:2] * alike * (0.5 - self.fraction)
        return found


def answering_slice(areas: np.ndarray, rule: str) -> int:
    """Which of some slices answers; ``rule`` as ``Preprocessing.answering_slice``."""
    off_middle = np.abs(np.arange(len(areas)) - (len(areas) - 1) / 2)
    if rule == "middle":
        candidates = np.flatnonzero(off_middle == off_middle.min())
        return int(candidates[np.argmax(areas[candidates])])
    candidates = np.flatnonzero(np.isclose(areas, areas.max()))
    return int(candidates[np.argmin(off_middle[candidates])])


def widest(axes: WorkingAxes, geometry: VolumeGeometry, lesion: Lesion) -> float:
    """Pixels, with fractions, that the lesion's voxels span along the columns or the rows, whichever is more."""
    inner = np.zeros_like(lesion.mask)
    inner[..., 1:-1] = lesion.mask[..., :-2] & lesion.mask[..., 2:]  # between two others of its row: at no end
    at = axes.coordinates(_voxel_centres(geometry, replace(lesion, mask=lesion.mask & ~inner)))
    steps = np.linalg.inv(axes.direction) @ geometry.ijk_to_lps[:3, :3] / axes.spacing[:, None]
    return float((np.ptp(at, axis=0) + np.abs(steps).sum(axis=1))[:2].max())


def beside_the_answer(lesion: Lesion, section: AnsweringSection) -> Lesion:
    """The answering section and the MRI's slices beside it, for patches on the MRI's own slices: what is read there."""
    k = int(section.centre[2]) - lesion.offset[0]
    low = max(k - 1, 0)
    return replace(lesion, mask=lesion.mask[low : k + 2], offset=(lesion.offset[0] + low, *lesion.offset[1:]))


def read_for_masks(axes: WorkingAxes, first: np.ndarray, last: np.ndarray) -> VolumeGeometry:
    """Where a mask is read for a block of the lattice: a little beside it, so that no pixel lies half way."""
    if axes.section is None:
        return axes.geometry(first, last)
    beside = axes.anchor + np.array([BESIDE_HALVES, BESIDE_HALVES, 0]) * axes.spacing
    return replace(axes, anchor=beside).geometry(first, last)


def section_centres(
    axes: WorkingAxes, geometry: VolumeGeometry, lesion: Lesion, mask: np.ndarray, first: np.ndarray, used: np.ndarray
) -> list[np.ndarray]:
    """Centre of mass (row, column) of every used slice of a mask on the lattice, in its pixels.

    That of the answering section lies where it does among the voxels, so that its patch keeps its pixels whatever their
    size; those of the other slices are as far from it as they are, and their patches move by whole pixels as they must.

    Args:
        axes: with a section.
        geometry: of the MRI.
        lesion: whose voxels are counted.
        mask: bool ``[z, y, x]``, for slices that hold no voxel's centre.
        first: lattice point (x, y, z) of its first pixel.
        used: its slices.
    """
    section = axes.section
    assert section is not None
    at = axes.coordinates(_voxel_centres(geometry, lesion))
    slices = np.floor(at[:, 2] + 0.5 + BESIDE_TIES).astype(int) - first[2]
    within = axes.alike * section.fraction + (1 - axes.alike) / 2  # of the pixel before the middle of the patch
    moved = within - axes.coordinates(geometry.to_lps(section.centre))[:2] + BESIDE_TIES
    found = []
    for k in used:
        here = at[slices == k, :2]
        middle = here.mean(axis=0) if len(here) else np.argwhere(mask[k]).mean(axis=0)[::-1] + first[:2]
        found.append((middle + moved - first[:2])[::-1])
    return found


def _voxel_centres(geometry: VolumeGeometry, lesion: Lesion) -> np.ndarray:
    """LPS millimetres ``[voxels, 3]``."""
    return geometry.to_lps((np.argwhere(lesion.mask) + lesion.offset)[:, ::-1])
