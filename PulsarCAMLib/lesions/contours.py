"""Masks and volumes of closed planar contours, as they come with structure sets.

A voxel is inside where a ray from its centre crosses the contours of its plane an odd number of times (even-odd rule),
all of them taken together: so are holes by a keyhole, holes drawn as contours of their own, and XOR (DICOM PS3.3
C.8.8.6.3). A centre on the line itself belongs to the region on the side of the lower index and not to the one on the
other side, so that regions that touch share no voxel and lose none.

The rasteriser is our own, since none of the libraries at hand is right on these cases: rt-utils and dcmrtstruct2nii
draw with whole pixels and assume axial slices, platipy loses slices of tilted MRIs, skimage.draw knows one polygon
without a rule for its border, matplotlib.path tests points one polygon at a time. It is twenty lines of NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.errors import GeometryError, InputError
from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import Lesion
from ..core.pluralize import pluralize

DECIMALS = 6
"""Of voxel indices: a centre on a contour is decided by the rule, not by rounding on the way there."""

ONE_PLANE_MM = 0.1
"""Contours whose planes are this near are on one; points of one contour may be so far apart. Files are rounded."""

ON_SLICE = 0.05
"""A plane is a slice's if it is off by no more than this share of the distance of slices."""

TILT_DEGREES = 0.5
"""Planes that are turned by more are not parallel to the slices."""

EVERY_OTHER = 1.5
"""Planes that are apart by more than so many slices leave slices out."""

MOST_VOXELS = 200_000_000
"""A mask of more voxels is no lesion; a contour with a damaged number may reach over kilometres."""

MOST_PLANES = 5_000
"""More planes than an image has slices."""

SAME_SHARE = 0.02
"""Two contours of a plane between which there is less than this share of the area of either are one, drawn twice: a
shell so thin (a hundredth of its radius) is no lesion."""

CROSSING_SHARE = 0.05
"""Of the smaller one: two contours that share more than this, and leave as much, cross each other."""


@dataclass(frozen=True)
class Drawn:
    """A structure as a mask.

    Attributes:
        lesion: on :attr:`own`; the volume is the enclosed area times the distance of planes.
        own: grid of the mask: the lattice itself, as far as the contours reach, or with other distances of slices.
        told: how contours became slices, where that is not plain; one sentence each.
    """

    lesion: Lesion
    own: VolumeGeometry
    told: tuple[str, ...]


def drawn(name: str, contours: Sequence[np.ndarray], lattice: VolumeGeometry, usual_mm: float | None = None) -> Drawn:
    """The mask of closed contours.

    Planes that lie on slices fill these. Where planes are evenly spaced in another way (drawn on another series, or on
    every second slice), the mask has slices of its own, each contour standing for the distance to the next. Uneven
    ones go to the nearest slice.

    Args:
        name: of the structure.
        contours: points ``[n, 3]`` in LPS millimetres, at least one of three points.
        lattice: whose pixels the mask has: the MRI's.
        usual_mm: distance of planes in the structure set, for structures of fewer than three planes; None: of slices.

    Raises:
        InputError: they enclose nothing, or reach over more than any lesion.
        GeometryError: their planes are not parallel to the slices.
    """
    planes, doubts = _once(name, _planes(name, contours, lattice))
    heights, slice_mm = np.array(list(planes)), lattice.spacing[2]
    step_mm, start_mm, ks, told = _slices(name, heights, slice_mm, usual_mm)
    told += doubts
    pixel_mm2 = lattice.spacing[0] * lattice.spacing[1]
    areas = [area(polygons) * pixel_mm2 for polygons in planes.values()]
    if not sum(areas) > 0:
        raise InputError(f"The contours of “{name}” enclose nothing; contour it or leave it out.")
    points = np.concatenate([polygon for polygons in planes.values() for polygon in polygons])
    low = np.floor(points.min(axis=0)).astype(int)
    columns, rows = np.ceil(points.max(axis=0)).astype(int) - low + 1
    first = min(ks)
    if float(max(ks) - first + 1) * rows * columns > MOST_VOXELS:
        wide = " x ".join(f"{n * mm:.0f}" for n, mm in zip((columns, rows), lattice.spacing[:2], strict=True))
        raise InputError(f"The contours of “{name}” reach over {wide} mm, which no lesion does; is the file damaged?")
    mask = np.zeros((max(ks) - first + 1, rows, columns), dtype=bool)
    nearest: dict[int, tuple[float, float]] = {}  # slice: how far off its plane lies, and the area there
    doubled = 0
    for k, height, polygons, mm2 in zip(ks, heights, planes.values(), areas, strict=True):
        off = abs(height - k * slice_mm)
        doubled += k in nearest
        if k not in nearest or off < nearest[k][0]:
            nearest[k] = off, mm2
            mask[k - first] = enclosed([polygon - low for polygon in polygons], rows, columns)
    if doubled:
        told.append(
            f"{doubled} contour planes of “{name}” are nearest to a slice that another one fills, and are left out."
        )
    start = lattice.to_lps(np.array([*low, start_mm / slice_mm]))
    own = VolumeGeometry(mask.shape, (*lattice.spacing[:2], step_mm), tuple(start), lattice.direction)
    if not mask.any():  # smaller than a pixel: the nearest one stands for it
        largest = int(np.argmax(areas))
        i, j = np.rint(np.concatenate(list(planes.values())[largest]).mean(axis=0)).astype(int) - low
        mask[ks[largest] - first, j, i] = True
        told.append(f"“{name}” is smaller than a voxel, which is taken for it.")
    elif hollow := _hollow(mask, {k - first for k in ks}):
        told.append(
            f"The contours of “{name}” on {pluralize(hollow, 'slice')} between its first and its last enclose no "
            "voxel, so nothing is filled there; look at them."
        )
    lesion = replace(Lesion.from_mask(name, mask), drawn_mm3=float(sum(mm2 for _, mm2 in nearest.values())) * step_mm)
    return Drawn(lesion, own, tuple(told))


def enclosed(polygons: Sequence[np.ndarray], rows: int, columns: int) -> np.ndarray:
    """Pixels whose centre is inside by the even-odd rule, bool ``[row, column]``.

    Args:
        polygons: points ``[n, (column, row)]``; centres of pixels are whole numbers.
        rows, columns: size of the image.

    Examples:
        >>> square = np.array([[0, 0], [3, 0], [3, 3], [0, 3]])
        >>> enclosed([square, square / 3 + 1], 4, 4).astype(int).tolist()
        [[1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]]
    """
    row, at = _crossings(polygons, np.arange(rows, dtype=float))
    column = np.clip(np.ceil(np.round(at, DECIMALS)), 0, columns).astype(int)
    turns = np.bincount(row * (columns + 1) + column, minlength=rows * (columns + 1)).reshape(rows, columns + 1)
    return (np.cumsum(turns, axis=1)[:, :-1] & 1).astype(bool)


def area(polygons: Sequence[np.ndarray]) -> float:
    """Area that polygons enclose by the even-odd rule, in pixels; exact unless their lines cross each other.

    Between neighbouring corners the enclosed length of a row changes linearly, so that of the middle row is the mean.

    Examples:
        >>> square = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 3.0], [0.0, 3.0]])
        >>> area([square, square / 3 + 1])
        8.0
    """
    corners = np.unique(np.concatenate(polygons)[:, 1])
    if len(corners) < 2:
        return 0.0
    row, at = _crossings(polygons, (corners[1:] + corners[:-1]) / 2)
    at = at[np.lexsort((at, row))]  # in pairs: a closed line crosses every row an even number of times
    return float(((at[1::2] - at[::2]) * np.diff(corners)[np.sort(row)[::2]]).sum())


def _crossings(polygons: Sequence[np.ndarray], rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the lines cross rows: index of the row, and column. A line holds its lower end, not its upper one."""
    start = np.concatenate(polygons)
    end = np.concatenate([part for each in polygons for part in (each[1:], each[:1])])
    down = (start[:, 1] > end[:, 1])[:, None]
    low, high = np.where(down, end, start), np.where(down, start, end)
    first, last = np.searchsorted(rows, low[:, 1]), np.searchsorted(rows, high[:, 1])
    many = last - first
    line = np.repeat(np.arange(len(start)), many)
    row = np.arange(len(line)) - np.repeat(np.cumsum(many) - many, many) + first[line]
    share = (rows[row] - low[line, 1]) / (high[line, 1] - low[line, 1])
    return row, low[line, 0] + share * (high[line, 0] - low[line, 0])


def _planes(name: str, contours: Sequence[np.ndarray], lattice: VolumeGeometry) -> dict[float, list[np.ndarray]]:
    """Height above the first slice in mm to the contours there, as points ``[n, (i, j)]``; from low to high."""
    ends = np.cumsum([len(points) for points in contours])[:-1]
    ijk = np.split(np.round(lattice.to_ijk(np.concatenate(contours)), DECIMALS), ends)
    spread = [float(np.ptp(each[:, 2])) * lattice.spacing[2] for each in ijk]
    _refuse_tilted(name, [c for c, mm in zip(contours, spread, strict=True) if mm > ONE_PLANE_MM], lattice)
    found: dict[float, list[np.ndarray]] = {}
    for height, each in sorted(
        ((float(e[:, 2].mean()) * lattice.spacing[2], e) for e in ijk), key=lambda pair: pair[0]
    ):
        last = next(reversed(found), None)
        same = last is not None and height - last <= ONE_PLANE_MM
        found.setdefault(last if last is not None and same else height, []).append(each[:, :2])
    return found


def _once(name: str, planes: dict[float, list[np.ndarray]]) -> tuple[dict[float, list[np.ndarray]], list[str]]:
    """Planes with every contour once, and what is to be told: by the even-odd rule one drawn twice erases itself."""
    found: dict[float, list[np.ndarray]] = {}
    twice = crossing = 0
    for height, polygons in planes.items():
        kept: list[np.ndarray] = []
        sizes: list[float] = []
        crosses = False
        for polygon in polygons if len(polygons) > 1 else ():
            size = area([polygon])
            shared = [_shared(polygon, size, *each) for each in zip(kept, sizes, strict=True)]
            if any(part is None for part in shared):
                twice += 1
                continue
            crosses |= any(
                CROSSING_SHARE < (part or 0) / max(min(size, other), 1e-12) < 1 - CROSSING_SHARE
                for part, other in zip(shared, sizes, strict=True)
            )
            kept.append(polygon)
            sizes.append(size)
        crossing += crosses
        found[height] = kept or polygons
    told = []
    if twice:
        are = "is there twice and counts" if twice == 1 else "are there more than once and count"
        told.append(f"{pluralize(twice, 'contour')} of “{name}” {are} once.")
    if crossing:
        told.append(
            f"Contours of “{name}” cross each other on {pluralize(crossing, 'plane')}; where two overlap is outside, "
            "as DICOM has it. Was their union meant?"
        )
    return found, told


def _shared(polygon: np.ndarray, size: float, other: np.ndarray, other_size: float) -> float | None:
    """Area that two polygons share, in pixels; None: they are one."""
    low, high = np.maximum(polygon.min(0), other.min(0)), np.minimum(polygon.max(0), other.max(0))
    if (low > high).any():
        return 0.0
    if polygon.shape == other.shape and (polygon == other).all():
        return None
    between = area([polygon, other])
    if size and other_size and between < SAME_SHARE * min(size, other_size):
        return None
    return (size + other_size - between) / 2


def _hollow(mask: np.ndarray, drawn_on: set[int]) -> int:
    """Slices between the first and the last that are filled, with contours and without a voxel."""
    filled = np.flatnonzero(mask.any(axis=(1, 2)))
    return sum(1 for k in drawn_on if filled[0] < k < filled[-1] and k not in filled)


def plane_heights(contours: Sequence[np.ndarray], lattice: VolumeGeometry) -> np.ndarray:
    """Distances in mm of the planes of contours from the first slice, sorted, each once."""
    heights = np.sort([float(lattice.to_ijk(c)[:, 2].mean()) * lattice.spacing[2] for c in contours])
    return heights[np.diff(heights, prepend=-np.inf) > ONE_PLANE_MM]


def _refuse_tilted(name: str, contours: Sequence[np.ndarray], lattice: VolumeGeometry) -> None:
    """Refuse contours that are not planar, or on planes that are turned against the slices by more than rounding."""
    worst = 0.0
    for points in contours:
        centred = points - points.mean(axis=0)
        _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
        off = float(np.abs(centred @ axes[2]).max())
        if off > max(ONE_PLANE_MM, ON_SLICE * lattice.spacing[2]):
            raise GeometryError(
                f"A contour of “{name}” is not planar (its points lie up to {off:.1f} mm off a plane); draw it anew or "
                "make a mask of it in 3D Slicer."
            )
        if sizes[1] > 1e-3 * sizes[0]:  # else it is a line, which has no plane
            cosine = abs(float(axes[2] @ np.asarray(lattice.direction)[:, 2]))
            worst = max(worst, float(np.degrees(np.arccos(min(cosine, 1.0)))))
    if worst > TILT_DEGREES:
        raise GeometryError(
            f"The contours of “{name}” lie on planes that are turned by {worst:.1f} degrees against the slices of the "
            "MRI; give the series on which they were drawn, or make a mask of them in 3D Slicer."
        )


def _slices(
    name: str, heights: np.ndarray, slice_mm: float, usual_mm: float | None
) -> tuple[float, float, list[int], list[str]]:
    """Distance of the mask's slices, height of the first, the slice of each plane, and what is to be said of it."""
    nearest = np.rint(heights / slice_mm)
    on_slices = bool((np.abs(heights - nearest * slice_mm) <= max(ONE_PLANE_MM, ON_SLICE * slice_mm)).all())
    gaps = np.diff(heights)
    step = float(gaps.min()) if len(gaps) > 1 else usual_mm or slice_mm
    steps = np.rint((heights - heights[0]) / step)
    even = bool((np.abs(heights - heights[0] - steps * step) <= max(ONE_PLANE_MM, ON_SLICE * step)).all())
    if even and len(gaps):  # the mean is better known than the least
        step = step if steps[-1] == 0 else float((heights[-1] - heights[0]) / steps[-1])
    if on_slices and (step < EVERY_OTHER * slice_mm or not even):
        ks = [int(k) for k in nearest]
        missing = ks[-1] - ks[0] + 1 - len(set(ks))
        told = f"“{name}” has no contour on {missing} slices between its first and its last, which are left empty."
        return slice_mm, ks[0] * slice_mm, ks, [told] if missing else []
    if even and steps[-1] < MOST_PLANES:
        return step, float(heights[0]), [int(k) for k in steps], [
            f"The contours of “{name}” are {step:.2f} mm apart and not on every slice of the MRI ({slice_mm:.2f} mm); "
            "each stands for that distance."
        ]  # fmt: skip
    far = float(np.abs(heights - nearest * slice_mm).max())
    return slice_mm, nearest[0] * slice_mm, [int(k) for k in nearest], [
        f"Contours of “{name}” lie between the slices of the MRI and are taken for the nearest one (up to {far:.2f} mm "
        "away)."
    ]  # fmt: skip
