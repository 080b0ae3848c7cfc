"""The grid of a sample: how large, how fine, and whose axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...core.geometry.volume import VolumeGeometry, moved
from ...core.lesion import Lesion
from .preprocessing import PATIENT_AXES, VolumePreprocessing
from .space import box_lps, inverse, rigid

MARGIN = 0.25
"""Free room around a unit on each side, as a share of its extent, where no spacing is given."""

Located = tuple[Lesion, VolumeGeometry, np.ndarray | None]
"""A unit on an image's grid, and the way from the common space to that image's own."""


def grid_of(units: Sequence[Located], preprocessing: VolumePreprocessing) -> VolumeGeometry:
    """The sample's grid in the common space: in the middle of what the units fill together.

    Args:
        units: at least one. Along the axes of an image only the first counts.
        preprocessing: of the model.
    """
    size = np.array(preprocessing.size)
    k, j, i = preprocessing.size
    if preprocessing.axes == PATIENT_AXES:
        boxes = np.stack([box_lps(*each) for each in units])
        low, high = boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)
        extent, middle, axes = (high - low)[::-1], (low + high) / 2, np.eye(3)
        extent = np.maximum(extent, 1.0)  # a unit of one voxel has an extent, too
    else:
        unit, geometry, way = units[0]
        extent = np.array(unit.mask.shape) * np.array(geometry.spacing[::-1])
        middle = geometry.to_lps((np.array(unit.offset) + (np.array(unit.mask.shape) - 1) / 2)[::-1])
        axes = np.asarray(geometry.direction)
        if way is not None:
            back = np.linalg.inv(way)
            middle, axes = moved(middle, back), rigid(back)[:3, :3] @ axes
    spacing = extent * (1 + 2 * MARGIN) / size if preprocessing.spacing is None else preprocessing.spacing[::-1]
    spacing = np.asarray(spacing, dtype=float)
    first = middle - axes @ ((size - 1) / 2 * spacing)[::-1]
    return VolumeGeometry((k, j, i), tuple(spacing[::-1]), tuple(first), tuple(map(tuple, axes)))


def warning_of_size(unit: Lesion, geometry: VolumeGeometry, grid: VolumeGeometry, way: np.ndarray | None) -> list[str]:
    """What part of a unit lies beyond its sample."""
    points = geometry.to_lps((np.argwhere(unit.mask) + unit.offset)[:, ::-1])
    at = grid.to_ijk(moved(points, inverse(way)))
    beyond = ((at < -0.5) | (at > np.array(grid.shape)[::-1] - 0.5)).any(axis=1).mean()
    if not beyond:
        return []
    return [f"“{unit.name}” is larger than what the model sees of it: {max(beyond, 0.01):.0%} lies outside."]
