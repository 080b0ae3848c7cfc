"""Do the slices of a DICOM image form one even stack? Every one is looked at, whether a file or a frame of one.

Sources: DICOM PS3.3 C.7.6.2 (position, orientation, pixel spacing), C.11.1 (rescale), C.7.6.16 (frames).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...core.errors import GeometryError, InputError
from ...core.geometry.volume import VolumeGeometry
from ..headers.limits import check_axes, check_origin, check_spacing

UNEVEN_MM = 0.05
"""Distances between neighbouring slices may differ by this much, or by two per cent: headers are rounded."""

TILT_DEGREES = 0.5
"""Angle between each step of the stack and the normal of the slices that is taken for rounding."""

OFF_GRID_MM = 0.2
"""How far a slice may lie from where an even stack would have it; small tilts add up."""

ROUNDED_MM, ROUNDED_SHARE = 0.1, 0.2
"""Positions that lie within this of an even stack, or within this share of the slices' distance where that is less,
were rounded (to a tenth of a millimetre, say): then neither their steps nor the directions of these tell anything."""

SAME_DIRECTION = 1e-3
"""Largest difference of direction cosines between slices (0.06 degrees) that is taken for rounding."""

SAME_SHARE = 1e-3
"""Share by which pixel sizes of slices may differ."""

SAME_PLACE_MM = 0.01
"""Two slices closer than this are at one position."""


@dataclass(frozen=True)
class Slice:
    """One slice, by what its header says; None where it does not say it, or not in numbers.

    Attributes:
        position: LPS millimetres of the first pixel's centre.
        orientation: direction of the rows, then of the columns.
        spacing: distance between rows, then between columns, in millimetres.
        scaling: slope and offset of the values; (1, 0) where the header is silent.
        varying: further properties by name, which tell apart images of one place.
    """

    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, ...] | None
    scaling: tuple[float, ...] | None
    varying: Mapping[str, str]


@dataclass(frozen=True)
class Stack:
    """Slices in order, and where they lie.

    Attributes:
        order: indices of the slices, along the cross product of rows and columns.
        spacing: millimetres along columns' index, rows' index, slices.
        origin: of the first in order.
        axes: 3x3, columns are the directions of i, j, k.
        one_scaling: whether all slices scale their values alike.
    """

    order: tuple[int, ...]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    axes: np.ndarray
    one_scaling: bool

    def geometry(self, rows: int, columns: int) -> VolumeGeometry:
        """Place of the image."""
        shape = len(self.order), rows, columns
        return VolumeGeometry(shape, self.spacing, self.origin, tuple(map(tuple, self.axes)))


def stack_of(slices: Sequence[Slice], where: str) -> Stack:
    """The even stack that slices form.

    Args:
        slices: at least two, in any order.
        where: what they are called, as in "The DICOM slices in scan".

    Raises:
        InputError: scaling of values that is no number.
        GeometryError: position, orientation or pixel size is missing or differs, positions are repeated, unequally
            spaced, or do not lie on a line perpendicular to the slices.
    """
    if any(each.scaling is None or each.scaling[0] == 0 for each in slices):
        raise InputError(f"{where} do not say how their values are scaled (RescaleSlope); export the series again.")
    _refuse_missing(slices, where)
    spacing = np.array([each.spacing for each in slices])
    if np.ptp(spacing, axis=0).max() > SAME_SHARE * np.abs(spacing).max():
        raise GeometryError(
            f"{where} have different pixel sizes ({spacing.min():.4g} to {spacing.max():.4g} mm), so they are no one "
            "image; export one series alone."
        )
    directions = np.array([each.orientation for each in slices])
    turned = np.flatnonzero(np.abs(directions - directions[0]).max(axis=1) > SAME_DIRECTION)
    if turned.size:
        raise GeometryError(
            f"{where} have different orientations ({turned.size} of {len(slices)} are turned against the others), so "
            "they are no one stack; export one series alone."
        )
    along_row, along_column = directions[0].reshape(2, 3)
    axes = np.stack([along_row, along_column, np.cross(along_row, along_column)], axis=1)
    check_axes(axes, where)
    check_spacing(spacing[0], where)
    positions = np.array([each.position for each in slices])
    for extreme in positions.min(axis=0), positions.max(axis=0):
        check_origin(extreme, where)
    order = np.argsort(positions @ axes[:, 2], kind="stable")
    distance = _distance(positions[order], axes[:, 2], slices, where)
    check_spacing([distance], where)
    row_mm, column_mm = (float(step) for step in spacing[0])
    x, y, z = (float(each) for each in positions[order[0]])
    one_scaling = len({each.scaling for each in slices}) == 1
    return Stack(tuple(map(int, order)), (column_mm, row_mm, distance), (x, y, z), axes, one_scaling)


def _refuse_missing(slices: Sequence[Slice], where: str) -> None:
    told = {
        "position": ("position (ImagePositionPatient)", "their order and distance are not known"),
        "orientation": ("orientation (ImageOrientationPatient)", "left and right are not known"),
        "spacing": ("pixel size (PixelSpacing)", "no volume is known"),
    }
    for field, (title, then) in told.items():
        missing = sum(getattr(each, field) is None for each in slices)
        if missing:
            some = f"{missing} of {len(slices)} have" if missing < len(slices) else "they have"
            raise GeometryError(
                f"{where} cannot be placed: {some} no {title}, so {then}; export the series again with it."
            )


def _distance(positions: np.ndarray, normal: np.ndarray, slices: Sequence[Slice], where: str) -> float:
    """Distance between the sorted slices of an even stack."""
    heights = positions @ normal
    if np.diff(heights).min() < SAME_PLACE_MM:
        raise GeometryError(_repeated(heights, slices, where))
    steps = np.diff(positions, axis=0)
    distances = np.linalg.norm(steps, axis=1)
    unit = normal / np.linalg.norm(normal)  # cosines of three decimals are up to 0.001 too short
    mean = float(heights[-1] - heights[0]) / (len(heights) - 1)
    off = np.linalg.norm(positions - (positions[0] + np.arange(len(heights))[:, None] * mean * unit), axis=1).max()
    if off <= min(ROUNDED_MM, ROUNDED_SHARE * mean):
        return mean
    typical = float(np.median(distances))
    if np.abs(distances - typical).max() > max(UNEVEN_MM, 0.02 * typical):
        raise GeometryError(
            f"{where} are not equally spaced ({distances.min():.2f} to {distances.max():.2f} mm): "
            "slices are missing or doubled; export the series again."
        )
    tilt = np.degrees(np.arccos(np.clip(steps @ unit / distances, 0, 1))).max()
    if tilt > TILT_DEGREES or off > OFF_GRID_MM:
        raise GeometryError(
            f"{where} are stacked at a tilt of {tilt:.1f} degrees (tilted gantry, or a stack that bends; up to "
            f"{off:.1f} mm off); resample the volume to an ordinary grid first."
        )
    return mean


def _repeated(heights: np.ndarray, slices: Sequence[Slice], where: str) -> str:
    places = int(np.sum(np.diff(heights) >= SAME_PLACE_MM)) + 1
    what = (
        "are all at one position" if places == 1 else f"are at {places} positions only, though there are {len(slices)}"
    )
    differ = _differing(slices)
    told = f"they differ in {differ}" if differ else "several time points, echoes or copies"
    return (
        f"{where} {what} ({told}); export one of these images alone, or choose one in 3D Slicer and save it as .nrrd."
    )


def _differing(slices: Sequence[Slice]) -> str:
    """What tells apart the images of one place, with its values."""
    for name in dict.fromkeys(name for each in slices for name in each.varying):
        values = sorted({each.varying.get(name, "") for each in slices})
        if 1 < len(values) <= 12:
            return f"{name}: {', '.join(value or 'none' for value in values)}"
    return ""
