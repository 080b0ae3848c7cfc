"""What RANO compares, from masks of enhancing tumour: perpendicular diameters of every lesion, and the volume.

A lesion is a connected part of the mask (26 neighbours). It is measured on the axial slice with its largest section,
whatever way the image is stored: the longest diameter of the section, and the longest one at right angles to it, both
of the section's convex hull, so that a ring is measured across. Voxels count from edge to edge: a row of n has the
length n times their spacing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...core.errors import InputError
from ...core.geometry.volume import VolumeGeometry
from ...core.lesion import CONNECTIVITY_26
from .criteria import MEASURABLE_MM

TARGETS = 5
"""Lesions whose products are added up, the largest ones (Wen 2010: two to five)."""


@dataclass(frozen=True, eq=False)
class Diameters:
    """One lesion, measured as RANO wants it.

    Attributes:
        longest_mm: of the section.
        perpendicular_mm: the longest one at right angles.
        ends_lps: LPS millimetres ``[2, 2, 3]`` of the ends of both.
        slice: index of the slice along ``axis``.
        axis: of the array ``[k, j, i]`` that numbers axial slices.
        volume_cm3: of the lesion.
    """

    longest_mm: float
    perpendicular_mm: float
    ends_lps: np.ndarray
    slice: int
    axis: int
    volume_cm3: float

    @property
    def product_mm2(self) -> float:
        """Of both diameters."""
        return self.longest_mm * self.perpendicular_mm

    @property
    def measurable(self) -> bool:
        """Whether both are at least 10 mm."""
        return min(self.longest_mm, self.perpendicular_mm) >= MEASURABLE_MM * (1 - 1e-9)


@dataclass(frozen=True, eq=False)
class Measurement:
    """All enhancing tumour of one scan.

    Attributes:
        lesions: by product, the largest first.
        volume_cm3: of all of them.
    """

    lesions: tuple[Diameters, ...]
    volume_cm3: float

    @property
    def product_mm2(self) -> float:
        """Sum of the products of the :data:`TARGETS` largest lesions.

        Those that can no longer be measured stay in the sum, or shrinking below 10 mm would look like vanishing.
        """
        return sum(lesion.product_mm2 for lesion in self.lesions[:TARGETS])

    @property
    def measurable(self) -> bool:
        """Whether a lesion can be measured at all."""
        return any(lesion.measurable for lesion in self.lesions)

    @property
    def gone(self) -> bool:
        """Whether there is no enhancing tumour."""
        return not self.lesions


def measure_mask(mask: np.ndarray, geometry: VolumeGeometry) -> Measurement:
    """Measure a mask.

    Args:
        mask: bool ``[k, j, i]``, perhaps empty.
        geometry: its place.

    Raises:
        InputError: the mask is not on that grid.

    Examples:
        >>> mask = np.zeros((6, 40, 40), bool)
        >>> mask[2:4, 10:22, 5:30] = True
        >>> found = measure_mask(mask, VolumeGeometry(mask.shape, spacing=(1, 1, 5)))
        >>> round(found.lesions[0].longest_mm, 1), found.volume_cm3
        (26.5, 3.0)
    """
    from scipy import ndimage

    if mask.shape != geometry.shape:
        raise InputError(f"The mask has shape {mask.shape}, its geometry {geometry.shape}.")
    numbered, _ = ndimage.label(mask, CONNECTIVITY_26)
    lesions = [
        _diameters(numbered[box] == number, [s.start for s in box], geometry)
        for number, box in enumerate(ndimage.find_objects(numbered), start=1)
    ]
    lesions.sort(key=lambda lesion: -lesion.product_mm2)
    return Measurement(tuple(lesions), float(np.count_nonzero(mask)) * geometry.voxel_volume_mm3 / 1000)


def measure_file(path: Path, label_value: int | None = None, segment: str | None = None) -> Measurement:
    """Measure the mask in a file on its own grid; an empty one says that the tumour is gone.

    Args:
        path: label volume or ``.seg.nrrd``.
        label_value: only this value of a label volume, such as the one of enhancing tumour; a volume without it says
            that the tumour is gone.
        segment: only this segment.

    Raises:
        InputError: it is no mask.
    """
    from ...lesions.from_files import read_own_lesions

    chosen = None if label_value is None else [label_value]
    named = [segment] if segment else None
    geometry, lesions, _ = read_own_lesions(path, "together", chosen, named, asks=False, may_be_empty=True)
    mask = np.zeros(geometry.shape, dtype=bool)
    for lesion in lesions:
        mask[lesion.box] |= lesion.mask
    return measure_mask(mask, geometry)


def axial_axis(geometry: VolumeGeometry) -> int:
    """Axis of the array ``[k, j, i]`` along which axial slices are numbered: the one nearest to head and feet."""
    return 2 - int(np.argmax(np.abs(np.asarray(geometry.direction)[2])))


def _diameters(part: np.ndarray, offset: Sequence[int], geometry: VolumeGeometry) -> Diameters:
    """Of one lesion in its box, which begins at the array index ``offset``."""
    axis = axial_axis(geometry)
    areas = part.sum(axis=tuple(each for each in range(3) if each != axis))
    at = int(np.argmax(areas))
    section = np.argwhere(part.take(at, axis=axis)).astype(float)
    first, second = (each for each in range(3) if each != axis)
    spacing = np.array([geometry.spacing[2 - first], geometry.spacing[2 - second]])
    corners = _hull(_edges(section) * spacing)
    longest = _longest(corners)
    across = _longest_across(corners, longest)
    kji = np.zeros((2, 2, 3))
    kji[..., axis] = at
    kji[..., first], kji[..., second] = (np.stack([longest, across])[..., n] / spacing[n] for n in range(2))
    ends = geometry.to_lps((kji + np.asarray(offset))[..., ::-1])
    long_mm, across_mm = (float(np.linalg.norm(line[1] - line[0])) for line in (longest, across))
    volume = float(np.count_nonzero(part)) * geometry.voxel_volume_mm3 / 1000
    return Diameters(long_mm, across_mm, ends, at + int(offset[axis]), axis, volume)


def _edges(pixels: np.ndarray) -> np.ndarray:
    """Middles of the four edges of every pixel, in pixels."""
    steps = np.array([[0.5, 0], [-0.5, 0], [0, 0.5], [0, -0.5]])
    return (pixels[:, None] + steps).reshape(-1, 2)


def _hull(points: np.ndarray) -> np.ndarray:
    """Corners of the convex hull in order, ``[n, 2]``."""
    from scipy.spatial import ConvexHull

    return points[ConvexHull(points).vertices]


def _longest(corners: np.ndarray) -> np.ndarray:
    """The two corners farthest apart, ``[2, 2]``."""
    from scipy.spatial.distance import pdist, squareform

    first, second = np.unravel_index(int(np.argmax(squareform(pdist(corners)))), (len(corners), len(corners)))
    return corners[[first, second]]


def _longest_across(corners: np.ndarray, line: np.ndarray) -> np.ndarray:
    """The hull's longest chord at right angles to a line, ``[2, 2]``.

    Its length as a function of the place along the line is concave and bends at corners only, so one of them has it.
    """
    along = (line[1] - line[0]) / np.linalg.norm(line[1] - line[0])
    across = np.array([-along[1], along[0]])
    u, v = corners @ along, corners @ across
    following = np.roll(np.arange(len(corners)), -1)
    chords = []
    for place in u:
        ends = []
        for here, there in zip(range(len(corners)), following, strict=True):
            low, high = sorted((u[here], u[there]))
            if not low <= place <= high:
                continue
            if high - low < 1e-12:
                ends += [v[here], v[there]]
            else:
                ends.append(v[here] + (v[there] - v[here]) * (place - u[here]) / (u[there] - u[here]))
        chords.append((max(ends) - min(ends), place, min(ends), max(ends)))
    _, place, low, high = max(chords)
    return np.stack([place * along + low * across, place * along + high * across])
