"""What a lesion fills, as points with a volume each: finer than voxels, because dose falls by Gy from voxel to voxel.

A ball of 5 mm has some 65 voxels of 1 mm, and counting those whose centre is inside errs by a quarter of its volume. So
nothing is counted here; the surface is followed instead, from whatever was drawn:

- **Contours** (RTSTRUCT): the enclosed area of a plane is exact. Between the planes it follows parabolas through the
  areas of three planes, which are exact for balls, ellipsoids and cones, and for cylinders along the normal; the shape
  between two planes is that of their interpolated signed distances (Raya and Udupa, IEEE Trans Med Imaging 1990;9:
  32-42), of which so much is taken as the area says. Beyond the outermost plane the parabola goes on to where it ends
  (a cap); where it does not end within the distance of planes, the end is flat, half that distance away, as planning
  systems have it.
- **Voxels** (segmentations, label maps): the level set of the mask after a Gaussian of one voxel, at most 1 mm, that
  has exactly the volume of the voxels. Their corners reach into lower dose than the lesion does: in a ball of 5 mm on
  voxels of 0.5 mm D98 is 7 % of the prescription too low with corners, and 0.7 % with this surface. What the voxels do
  not tell no surface brings back: see the table of errors in dose.md.

Millimetres are LPS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import Lesion
from ..lesions.contours import EVERY_OTHER, ONE_PLANE_MM, area, enclosed

POINTS = 20_000
"""About so many points stand for a lesion; see the table of errors in dose.md."""

SMOOTHEST_MM = 1.0
"""Largest sigma of the Gaussian that makes a surface of voxels."""

EQUAL = 1e-6
"""Points of a mask whose smoothed values differ by less share what is left: no side is preferred."""

INNER, INNER_SHARE = 1.5, 0.95
"""From so many points under the border on (of smoothed voxels: from this value on) points are spread in their cells."""

CAP_STEPS = 1.25
"""A cap that would be longer than so many distances of planes is none: a further contour would have been drawn."""

WIDEST = 1.25
"""Between two planes the area is at most so many times the larger one."""


@dataclass(frozen=True, eq=False)
class Solid:
    """What a lesion fills.

    Attributes:
        points: LPS millimetres ``[n, 3]``.
        mm3: volume that each stands for ``[n]``.
        made_of: "contours" or "voxels".
    """

    points: np.ndarray
    mm3: np.ndarray
    made_of: str

    @property
    def volume_mm3(self) -> float:
        """Of the whole."""
        return float(self.mm3.sum())


def solid_of(lesion: Lesion, geometry: VolumeGeometry, points: int = POINTS) -> Solid:
    """A lesion's solid: of its contours where it has them, else of its voxels.

    Args:
        lesion: on the MRI's grid.
        geometry: of the MRI.
        points: about how many.
    """
    if lesion.contours:
        return of_contours(lesion.contours, geometry.spacing[2], points)
    return of_voxels(lesion, geometry, points)


def of_voxels(lesion: Lesion, geometry: VolumeGeometry, points: int = POINTS) -> Solid:
    """The solid of a mask; volume as drawn, where that was on another grid."""
    from scipy import ndimage

    spacing = np.array(geometry.spacing[::-1])
    volume = lesion.voxels * geometry.voxel_volume_mm3
    pitch = (volume / points) ** (1 / 3)
    parts = np.maximum(np.ceil(spacing / pitch - 0.25), 1).astype(int)
    around = np.ceil(3 * SMOOTHEST_MM / spacing).astype(int) + 1
    padded = np.pad(lesion.mask, around[:, None].repeat(2, axis=1)).astype(np.float32)
    depth = ndimage.gaussian_filter(padded, np.minimum(1, SMOOTHEST_MM / spacing), mode="constant")
    axes = [(np.arange(n * p) + 0.5) / p - 0.5 for n, p in zip(padded.shape, parts, strict=True)]
    for axis, at in enumerate(axes):
        depth = _interpolated(depth, at, axis)
    count = lesion.voxels * int(np.prod(parts))
    shares = _deepest(depth.ravel(), count)
    taken = np.flatnonzero(shares)
    kji = np.unravel_index(taken, depth.shape)
    at = np.stack([axis[index] for axis, index in zip(axes, kji, strict=True)], axis=1) - around + lesion.offset
    at += _spread(len(at)) / parts * (depth.ravel()[taken] > INNER_SHARE)[:, None]
    drawn = volume if lesion.drawn_mm3 is None else lesion.drawn_mm3
    return Solid(geometry.to_lps(at[:, ::-1]), shares[taken] * (drawn / count), "voxels")


def _interpolated(block: np.ndarray, at: np.ndarray, axis: int) -> np.ndarray:
    """Linearly along an axis; the outermost values hold beyond the outermost centres."""
    at = np.clip(at, 0, block.shape[axis] - 1)
    low = np.minimum(np.floor(at).astype(int), block.shape[axis] - 2)
    share = (at - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
    return np.take(block, low, axis) * (1 - share) + np.take(block, low + 1, axis) * share


def of_contours(contours: Sequence[np.ndarray], slice_mm: float, points: int = POINTS) -> Solid:
    """The solid of closed planar contours, by the even-odd rule on each plane.

    Args:
        contours: points ``[n, 3]`` in LPS millimetres, on parallel planes.
        slice_mm: distance of planes where there is only one.
        points: about how many.
    """
    frame = _frame(contours)
    heights, planes = _planes(contours, frame)
    areas = np.array([area(polygons) for polygons in planes])
    gaps = np.diff(heights)
    step = float(gaps.min()) if len(gaps) else slice_mm
    runs = np.split(np.arange(len(heights)), np.flatnonzero(gaps > EVERY_OTHER * step) + 1)
    pitch = max((float(areas.sum()) * step / points) ** (1 / 3), 1e-3)
    corners = np.concatenate([polygon for polygons in planes for polygon in polygons])
    columns, rows = (np.ceil(np.ptp(corners, axis=0) / pitch) + 5).astype(int)
    low = (corners.min(axis=0) + corners.max(axis=0)) / 2 - (
        np.array([columns, rows]) - 1
    ) / 2 * pitch  # even on both sides
    found, weights = [], []
    for run in runs:
        depths = [_depth([(p - low) / pitch for p in planes[n]], rows, columns) for n in run]
        for below, share, at, mm2, thick in _layers(heights[run], areas[run], step, pitch):
            depth = depths[below] if share == 0 else (1 - share) * depths[below] + share * depths[below + 1]
            shares = _deepest(depth.ravel(), mm2 / pitch**2)
            taken = np.flatnonzero(shares)
            row, column = np.unravel_index(taken, depth.shape)
            moves = _spread(len(taken)) * (depth.ravel()[taken] > depth.ravel()[taken].min() + INNER)[:, None]
            uv = low + pitch * (np.stack([column, row], axis=1) + moves[:, :2])
            found.append(np.column_stack([uv, at + thick * moves[:, 2]]))
            weights.append(shares[taken] * (pitch**2 * thick))
    return Solid(frame.to_lps(np.concatenate(found)), np.concatenate(weights), "contours")


def _frame(contours: Sequence[np.ndarray]) -> VolumeGeometry:
    """Millimetres along and across the planes: the third axis is their normal."""
    largest = max(contours, key=lambda points: float(np.ptp(points, axis=0).max()))
    _, _, axes = np.linalg.svd(largest - largest.mean(axis=0), full_matrices=False)
    normal = axes[2] * np.sign(axes[2][np.argmax(np.abs(axes[2]))])
    along = np.eye(3)[np.argmin(np.abs(normal))]
    along = along - (along @ normal) * normal
    along /= np.linalg.norm(along)
    direction = np.stack([along, np.cross(normal, along), normal], axis=1)
    return VolumeGeometry((1, 1, 1), origin=tuple(largest[0]), direction=tuple(map(tuple, direction)))


def _planes(contours: Sequence[np.ndarray], frame: VolumeGeometry) -> tuple[np.ndarray, list[list[np.ndarray]]]:
    """Heights of the planes in mm, rising, and the polygons ``[n, 2]`` on each."""
    each = sorted((frame.to_ijk(points) for points in contours), key=lambda points: float(points[:, 2].mean()))
    heights: list[float] = []
    planes: list[list[np.ndarray]] = []
    for points in each:
        height = float(points[:, 2].mean())
        if heights and height - heights[-1] <= ONE_PLANE_MM:
            planes[-1].append(points[:, :2])
        else:
            heights.append(height)
            planes.append([points[:, :2]])
    return np.array(heights), planes


def _depth(polygons: Sequence[np.ndarray], rows: int, columns: int) -> np.ndarray:
    """Signed distance from the contours in pixels, positive inside."""
    from scipy import ndimage

    inside = enclosed(polygons, rows, columns)
    if not inside.any():  # thinner than the points: the nearest one
        column, row = np.rint(np.concatenate(polygons).mean(axis=0)).astype(int)
        inside[np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1)] = True
    return np.where(inside, ndimage.distance_transform_edt(inside) - 0.5, 0.5 - ndimage.distance_transform_edt(~inside))


def _spread(count: int) -> np.ndarray:
    """Even moves within a cell ``[n, 3]``, -1/2 to 1/2, so that inner points do not lie in rows along the dose grid.

    An additive recurrence of the roots of x^4 = x + 1, which fills a cube evenly at any number of points.
    """
    root = 1.2207440846057596
    return (np.arange(1, count + 1)[:, None] * root ** -np.arange(1.0, 4.0)) % 1 - 0.5


def _deepest(depth: np.ndarray, count: float) -> np.ndarray:
    """Shares of the deepest points ``[n]``, 0..1, that are so many together; equally deep ones share what is left.

    So no side is preferred where points along a border are equally deep.
    """
    whole = min(max(int(np.ceil(count)), 1), depth.size)
    level = np.partition(depth, -whole)[-whole]
    inner, border = depth > level + EQUAL, np.abs(depth - level) <= EQUAL
    return inner + border * ((count - np.count_nonzero(inner)) / np.count_nonzero(border))


def _layers(
    heights: np.ndarray, areas: np.ndarray, step: float, pitch: float
) -> Iterator[tuple[int, float, float, float, float]]:
    """Thin layers of a run of planes: index of the plane below, share of the next one, height, area, thickness."""
    last = len(heights) - 1
    for n in range(last):
        gap = heights[n + 1] - heights[n]
        shapes = [_parabola(heights, areas, at) for at in {max(n - 1, 0), min(n, max(last - 2, 0))}]
        count = max(int(np.ceil(gap / pitch)), 2)
        for share in (np.arange(count) + 0.5) / count:
            at = heights[n] + share * gap
            mm2 = float(np.clip(np.mean([shape(at) for shape in shapes]), 0, WIDEST * max(areas[n], areas[n + 1])))
            if mm2 > 0:
                yield n, float(share), at, mm2, gap / count
    for n, way in ((0, -1), (last, 1)):
        shape = _parabola(heights, areas, 0 if n == 0 else max(last - 2, 0))
        reach, tapers = _cap(shape, heights[n], way, areas[n], step)
        count = max(int(np.ceil(reach / pitch)), 2)
        for off in (np.arange(count) + 0.5) * reach / count:
            mm2 = float(np.clip(shape(heights[n] + way * off), 0, areas[n])) if tapers else float(areas[n])
            if mm2 > 0:
                yield n, 0.0, heights[n] + way * off, mm2, reach / count


def _parabola(heights: np.ndarray, areas: np.ndarray, first: int) -> Callable[[float], float]:
    """Area by height through three planes; with fewer, that of a ball: the second derivative of its area is -2 pi."""
    some = slice(first, first + 3)
    x, y = heights[some], areas[some]
    if len(x) >= 3:
        return _shifted(np.polyfit(x - x[0], y, 2), x[0])
    slope = (y[1] - y[0]) / (x[1] - x[0]) + np.pi * (x[1] - x[0]) if len(x) == 2 else 0.0
    return _shifted(np.array([-np.pi, slope, y[0]]), x[0])


def _shifted(coefficients: np.ndarray, start: float) -> Callable[[float], float]:
    return lambda at: float(np.polyval(coefficients, at - start))


def _cap(shape: Callable[[float], float], height: float, way: int, mm2: float, step: float) -> tuple[float, bool]:
    """How far the solid goes beyond its last plane, and whether it tapers to nothing there."""
    # a parabola through three values of off = 0, 1/2, 1 step
    a0, a1, a2 = (shape(height + way * off * step) for off in (0.0, 0.5, 1.0))
    curve, slope = 2 * (a2 - 2 * a1 + a0), 4 * a1 - 3 * a0 - a2
    roots = np.roots([curve, slope, a0]) if abs(curve) > 1e-12 * mm2 else np.array([-a0 / slope]) if slope < 0 else []
    ends = [float(r.real) for r in np.atleast_1d(roots) if abs(r.imag) < 1e-6 + 0.05 * abs(r) and r.real > 0]
    if ends and min(ends) <= CAP_STEPS and a1 < a0 * 1.05:
        return min(min(ends), CAP_STEPS) * step, True
    return step / 2, False
