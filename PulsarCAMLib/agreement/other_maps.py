"""Any other map of a lesion beside its heat map: spectroscopy, ADC, perfusion, PET, cell density of a pathology raster.

A map is a volume of its own grid. It is brought linearly onto the MRI's voxels, so a value of it is known between its
outermost voxels and half a voxel beyond, and nowhere that a voxel without a value (NaN) would take part in. What it is
compared in must hold some of its own voxels (:data:`FEWEST_VOXELS`): of fewer, interpolation alone makes a pattern.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.case import Image
from ..core.errors import Cure, InputError
from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import Lesion
from ..core.visible import shortened, visible
from ..io.inputs import why_no_map
from ..lesions.resampling import values_on
from .voxel_measures import QUANTITIES

FEWEST_VOXELS = 8
"""Voxels of the map that a lesion must hold by volume, as a cube of two a side: fewer show no pattern in space."""

LEAST_COVERED = 0.5
"""Share of a lesion in which the map must have values."""

ROUNDED = 1e-6
"""Differences of interpolated values that are no more than this share of them are rounding."""

USUAL_PERCENTILE = 75.0
"""The part of the map that overlaps are told with, where nobody says another one: the lesion's top quarter."""

LONGEST_NAME = 40

APART = Cure(
    "register it to the MRI first, or give the transform between them",
    "with --transform NAME=FILE",
    panel="register it to the MRI first, and put it under the transform that was found",
)


@dataclass(frozen=True, eq=False)
class OtherMap:
    """A map to compare heat maps with.

    Attributes:
        name: as tables and pages call it.
        image: its voxels and place.
        matrix: 4x4, takes LPS millimetres of the MRI to those of the map, as ITK resamples; None: they are the same.
        percentile: of the lesion's voxels; what lies above is the part that overlaps are told with.
        value: what lies above this value of the map, instead; None: by ``percentile``.

    Raises:
        InputError: a name that no table can show, a threshold out of range, or voxels that are no map.
    """

    name: str
    image: Image
    matrix: np.ndarray | None = None
    percentile: float = USUAL_PERCENTILE
    value: float | None = None

    def __post_init__(self) -> None:
        if not self.name.strip() or self.name != visible(self.name).strip() or len(self.name) > LONGEST_NAME:
            raise InputError(
                f"“{shortened(visible(self.name), LONGEST_NAME)}” is no name for a map; give it one of 1 to "
                f"{LONGEST_NAME} letters."
            )
        if not 0 <= self.percentile < 100:
            raise InputError(f"The percentile of the map “{self.name}” must lie from 0 to below 100.")
        if self.value is not None and not np.isfinite(self.value):
            raise InputError(f"The threshold of the map “{self.name}” must be a number, not {self.value}.")
        if problem := why_no_map(self.image.voxels, f"The map “{self.name}”"):
            raise InputError(problem)

    @property
    def above(self) -> str:
        """The threshold in words, after "above"."""
        return f"percentile {self.percentile:g} of the lesion" if self.value is None else f"{self.value:g}"


@dataclass(frozen=True, eq=False)
class MapInLesion:
    """A map in one lesion's box on the MRI's grid.

    Attributes:
        values: float64 ``[k, j, i]``, the map's own unit; NaN where it has no value.
        voxels: of the map that the lesion holds, by volume.
        limit: the value above which the part lies that overlaps are told with; NaN where nothing is told.
        undefined: why nothing can be said of this lesion, or an empty text.
    """

    values: np.ndarray
    voxels: float
    limit: float
    undefined: str = ""


def placed_maps(
    others: Sequence[OtherMap], geometry: VolumeGeometry, lesions: Sequence[Lesion], taken: Iterable[str] = ()
) -> list[dict[str, MapInLesion]]:
    """Every map in every lesion: one dict by the maps' names for each lesion.

    Args:
        others: the maps.
        geometry: the MRI's.
        lesions: on its grid.
        taken: names that mean something else, besides :data:`.voxel_measures.QUANTITIES`.

    Raises:
        InputError: a name twice or taken, or a map that can be compared in no lesion, with the first reason.
    """
    _check_names(others, taken)
    found = [{other.name: in_lesion(other, geometry, lesion) for other in others} for lesion in lesions]
    for other in others if lesions else ():
        reasons = [placed[other.name].undefined for placed in found]
        if all(reasons):
            more = f" (and none of {len(lesions)} can be)" if len(lesions) > 1 else ""
            told = f"The map “{other.name}” cannot be compared with: “{lesions[0].name}” {reasons[0]}{more}"
            if reasons[0] == OUTSIDE:
                raise InputError(told, APART)
            raise InputError(f"{told}.")
    return found


OUTSIDE = "lies outside it"


def in_lesion(other: OtherMap, geometry: VolumeGeometry, lesion: Lesion) -> MapInLesion:
    """A map in a lesion, and whether it can be compared there."""
    box = geometry.cropped(lesion.offset, lesion.mask.shape)
    values, within = values_on(other.image.voxels, other.image.geometry, box, other.matrix)
    values[~lesion.mask] = np.nan
    held = lesion.voxels * geometry.voxel_volume_mm3 / _own_voxel_mm3(other)
    reason = _why_not(values[lesion.mask], within[lesion.mask], held)
    known = values[np.isfinite(values)]
    limit = (
        other.value
        if other.value is not None
        else float(np.percentile(known, other.percentile))
        if known.size
        else np.nan
    )
    return MapInLesion(values, held, float("nan") if reason else float(limit), reason)


def _check_names(others: Sequence[OtherMap], taken: Iterable[str]) -> None:
    used = {name.casefold() for name in (*QUANTITIES, *taken)}
    seen: set[str] = set()
    for other in others:
        key = other.name.casefold()
        if key in seen:
            raise InputError(f"Two maps are called “{other.name}”; give each a name of its own.")
        if key in used:
            raise InputError(f"A map cannot be called “{other.name}”, for something else is; give it another name.")
        seen.add(key)


def _own_voxel_mm3(other: OtherMap) -> float:
    """Of the map, in cubic millimetres of the MRI."""
    scale = 1.0 if other.matrix is None else abs(float(np.linalg.det(other.matrix[:3, :3])))
    return other.image.geometry.voxel_volume_mm3 / scale


def _why_not(values: np.ndarray, within: np.ndarray, held: float) -> str:
    """Why nothing can be said in a lesion, after its name; empty where something can."""
    covered, known = float(within.mean()), values[np.isfinite(values)]
    if covered == 0:
        return OUTSIDE
    if covered < LEAST_COVERED:
        return f"lies in it with {covered:.0%} of its volume only"
    if known.size < LEAST_COVERED * values.size:
        return f"has no value of it (NaN) in {1 - known.size / values.size:.0%} of its volume"
    if np.ptp(known) <= ROUNDED * np.abs(known).max():
        return f"has one single value of it ({known[0]:g})"
    if held < FEWEST_VOXELS:
        return f"holds only about {held:.1f} voxels of it, and {FEWEST_VOXELS} are needed"
    return ""


def depth_rows(
    name: str, placed: MapInLesion, about: Mapping[str, object], regions: Iterable[tuple[dict, np.ndarray]], inside
) -> list[dict]:
    """The depth profile of a map in a lesion, with the columns of :func:`.depth_profile.shell_table`.

    ``activation_share`` is the share of the map's sum, so ``concentration`` is the mean in the shell over that in the
    lesion; neither is told of a map with values below zero, whose sum may be nothing. ``mean_value`` always is.

    Args:
        name: of the map; its rows have it as ``map_method``.
        placed: the map in the lesion.
        about: the lesion, as columns.
        regions: of the depth profile, over the lesion's voxels.
        inside: the lesion's mask.
    """
    values = placed.values[inside]
    known = np.isfinite(values)
    total, count = float(values[known].sum()), int(known.sum())
    signed = bool(count and values[known].min() < 0)
    rows = []
    for place, here in regions:
        own = here & known
        there = int(own.sum())
        usable = not placed.undefined and there > 0
        share = float(values[own].sum()) / total if usable and not signed and total > 0 else None
        why = placed.undefined or ("" if there else "no voxel lies at this depth")
        why = why or (
            "" if share is not None else "the map has values below zero" if signed else "the map is zero here"
        )
        rows.append(
            {**about, "map_method": name, "map_class": "", **place}
            | {"voxels": there, "volume_share": there / count if count else None, "activation_share": share}
            | {"concentration": None if share is None else share / (there / count)}
            | {"mean_value": float(values[own].mean()) if usable else None, "undefined": why}
        )
    return rows
