"""Volumes that get at least a dose, around one lesion among several.

Metastases lie near each other, and half of the prescribed dose often joins them. A voxel belongs to the lesion whose
GTV is nearest to it (distance to the nearest voxel of its surface; ties to the lesion asked for), and of what belongs
to a lesion only the part counts that is connected with its GTV. So the volumes of all lesions on an MRI never overlap,
and a treated lesion that nobody contoured is left out as soon as its isodose is separate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import CONNECTIVITY_26, Lesion
from ..lesions.resampling import resample

MOST_VOXELS = 1_500_000
"""Of the grid on which volumes are counted."""


def isodose_volumes_cm3(
    dose: np.ndarray,
    dose_geometry: VolumeGeometry,
    geometry: VolumeGeometry,
    lesion: Lesion,
    thresholds_gy: Sequence[float],
    *,
    others: Sequence[Lesion] = (),
    step_mm: float = 0.5,
) -> tuple[float, ...]:
    """Volume around a lesion that gets at least each of the doses, in cubic centimetres; 0 where none of it does.

    Args:
        dose: in Gy ``[k, j, i]``.
        dose_geometry: its place.
        geometry: of the MRI.
        lesion: on the MRI's grid.
        thresholds_gy: doses.
        others: the other lesions on the MRI.
        step_mm: voxels of the grid on which the interpolated dose is counted.

    Raises:
        ValueError: the volume reaches the border of the dose grid, so a part of it is not known.
    """
    inside = geometry.to_lps((np.argwhere(lesion.mask) + lesion.offset)[:, ::-1])
    box = _box_of(dose >= min(thresholds_gy), dose_geometry.to_ijk(inside)[:, ::-1])
    if box is None:
        return tuple(0.0 for _ in thresholds_gy)
    fine = _finer(dose_geometry, box, step_mm)
    values = resample(dose_geometry.to_sitk(dose.astype(np.float32)), fine, edges=True)
    seeds = _nearest_voxels(fine, inside)
    mine = _territory(fine, values >= min(thresholds_gy), geometry, lesion, others)
    volumes = []
    for threshold in thresholds_gy:
        region = _connected(mine & (values >= threshold), seeds)
        _refuse_cut(region, fine, dose_geometry)
        volumes.append(np.count_nonzero(region) * fine.voxel_volume_mm3 / 1000)
    return tuple(volumes)


def _box_of(high: np.ndarray, points_kji: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """First and last index of the region of ``high`` that the points touch, one voxel wider; None where there is none.

    Every dose voxel beside a point is a seed: a lesion may be smaller than the voxels of the dose.
    """
    corners = np.concatenate([np.floor(points_kji), np.ceil(points_kji)]).astype(int)
    low, high_corner = corners.min(axis=0), corners.max(axis=0) + 1
    touched = np.zeros(high.shape, dtype=bool)
    touched[tuple(slice(max(a, 0), b) for a, b in zip(low, high_corner, strict=True))] = True
    found = np.argwhere(_touching(high, touched & high))
    if not found.size:
        return None
    limit = np.array(high.shape) - 1
    return np.maximum(found.min(axis=0) - 1, 0), np.minimum(found.max(axis=0) + 1, limit)


def _finer(geometry: VolumeGeometry, box: tuple[np.ndarray, np.ndarray], step_mm: float) -> VolumeGeometry:
    """A grid over a box of another, with its axes and at most ``step_mm`` between voxels where that is affordable.

    It covers the box's voxels whole, not only their centres.
    """
    first, last = box
    spacing = np.array(geometry.spacing[::-1])
    size = (last - first + 1) * spacing
    step = max(step_mm, float(np.prod(size) / MOST_VOXELS) ** (1 / 3))
    count = np.maximum(np.ceil(size / step - 1e-9), 1).astype(int)
    finer = size / count
    start = first - 0.5 + 0.5 * finer / spacing
    origin = geometry.to_lps(start[::-1])
    return VolumeGeometry(tuple(count), tuple(finer[::-1]), tuple(origin), geometry.direction)


def _nearest_voxels(grid: VolumeGeometry, lps: np.ndarray) -> np.ndarray:
    """Voxels nearest to points, bool ``[k, j, i]``; points outside the grid are left out."""
    at = np.rint(grid.to_ijk(lps)).astype(int)[:, ::-1]
    at = at[((at >= 0) & (at < grid.shape)).all(axis=1)]
    found = np.zeros(grid.shape, dtype=bool)
    found[tuple(at.T)] = True
    return found


def _territory(
    grid: VolumeGeometry, wanted: np.ndarray, geometry: VolumeGeometry, lesion: Lesion, others: Sequence[Lesion]
) -> np.ndarray:
    """Those of the ``wanted`` voxels that are nearer to this lesion than to any other."""
    from scipy import spatial

    if not others:
        return wanted
    mine = wanted.copy()
    at = np.argwhere(wanted)
    points = grid.to_lps(at[:, ::-1])
    own = spatial.cKDTree(_surface_lps(lesion, geometry)).query(points)[0]
    rest = np.concatenate([_surface_lps(other, geometry) for other in others])
    nearest = spatial.cKDTree(rest).query(points)[0]
    mine[tuple(at[nearest < own].T)] = False
    return mine


def _surface_lps(lesion: Lesion, geometry: VolumeGeometry) -> np.ndarray:
    """Centres of the outermost voxels of a GTV, LPS millimetres ``[n, 3]``."""
    from scipy import ndimage

    surface = lesion.mask & ~ndimage.binary_erosion(lesion.mask)
    return geometry.to_lps((np.argwhere(surface) + lesion.offset)[:, ::-1])


def _connected(region: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The parts of a region that hold a seed."""
    return _touching(region, region & seeds)


def _touching(region: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    parts, _ = ndimage.label(region, CONNECTIVITY_26)
    wanted = np.unique(parts[seeds])
    return np.isin(parts, wanted[wanted > 0])


def _refuse_cut(region: np.ndarray, grid: VolumeGeometry, whole: VolumeGeometry) -> None:
    """Raise where a region reaches the outermost voxels of the dose grid."""
    found = np.argwhere(region)
    if not found.size:
        return
    ijk = whole.to_ijk(grid.to_lps(np.stack([found.min(axis=0), found.max(axis=0)])[:, ::-1]))
    if (ijk < 0).any() or (ijk > np.array(whole.shape[::-1]) - 1).any():
        raise ValueError("the isodose reaches the border of the dose grid, so its volume is not known")
