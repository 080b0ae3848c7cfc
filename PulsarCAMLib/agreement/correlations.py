"""What agrees with what: heat maps beside gradient, intensity, entropy and depth, and where the activation lies.

All of it inside the GTV, one row per lesion, map and quantity, for tables, files and reports alike.

A heat map has fewer independent values than voxels: it is interpolated from the model's cells (16 x 16 on a patch of 64
pixels, so cells of about 4 mm), and only those inside the GTV count. Two things follow, and both are in the rows.
``cells`` says how many there are, and the effective sample size never exceeds it. ``spearman_even_map`` says what a map
with the SAME value in every cell of the GTV would get: interpolation alone lets any map fall towards the border, and
gradient, entropy and depth have their own pattern there. ``partial`` is the rank correlation that is left when this
even map is taken out of both; it is the one to believe wherever ``spearman_even_map`` is not near zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.errors import InputError
from ..core.geometry.upsampling import upsample_to
from ..core.geometry.volume import VolumeGeometry
from ..core.task import BOTH, PREDICTED
from ..core.vocabulary import DEFAULT_SIGMA_MM
from ..explanation.result import CaseResult, UnitResult
from ..features.gradients import GradientMaps
from ..systems.contract import System
from .other_maps import MapInLesion
from .similarity import TOP_SHARE, top_dice
from .spatial import Correlation, Places, RankedMap, adjust, correlate
from .voxel_measures import ENTROPY_RADIUS_MM, quantity_maps

EMPTY = "the heat map is zero everywhere in the lesion"
FEW = "too few independent places are left"

COLUMNS = (
    "voxels", "cells", "cell_mm", "spearman", "effective_samples", "p_value", "p_adjusted", "spearman_even_map",
    "partial", "partial_p_value", "partial_p_adjusted", "dice", "jaccard", "dice_by_chance", "undefined",
)  # fmt: skip
"""Of the table of agreement, after those that say what is compared."""


def maps_to_compare(
    system: System, methods: Sequence[str] | None = None, targets: Sequence[str] | None = None
) -> list[tuple[str, str]]:
    """Pairs of method and class; a signed map has both classes in it and comes once.

    Args:
        system: whose maps.
        methods: names; None: those computed for every case.
        targets: classes; None: all.

    Raises:
        InputError: the system has no such method.
    """
    methods = system.usual_maps if methods is None else methods
    targets = system.task.names if targets is None else targets
    pairs = [(m, BOTH if system.method(m).signed else t) for m in methods for t in targets]
    return list(dict.fromkeys(pairs))


def heat_map_in(result: CaseResult, lesion: UnitResult, method: str, target: str) -> np.ndarray:
    """A lesion's raw mean map in its own box, ``[k, j, i]``; ``"both"`` as class for the signed map."""
    return result.pasted(lesion, method, None if target == BOTH else target).values


def agreement_table(
    result: CaseResult,
    volume: np.ndarray,
    geometry: VolumeGeometry,
    *,
    methods: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    lesions: Sequence[UnitResult] | None = None,
    sigma_mm: float = DEFAULT_SIGMA_MM,
    entropy_radius_mm: float = ENTROPY_RADIUS_MM,
    top_share: float = TOP_SHARE,
    gradients: Sequence[GradientMaps] | None = None,
    others: Sequence[Mapping[str, MapInLesion]] | None = None,
) -> list[dict]:
    """One row per lesion, heat map and quantity of :data:`.voxel_measures.QUANTITIES`, and other map by its name.

    Columns: lesion, map_method, map_class, quantity, voxels, cells, cell_mm; ``spearman`` with its ``p_value`` and
    ``effective_samples`` after :mod:`.spatial`; ``spearman_even_map``, ``partial`` and ``partial_p_value`` as above;
    ``p_adjusted`` and ``partial_p_adjusted``, Benjamini and Hochberg over all rows of this table; ``dice`` and
    ``jaccard`` of the top ``top_share`` of both (by chance: ``dice_by_chance``); ``undefined``, why a value is None.

    Args:
        result: of the scan.
        volume: the MRI ``[k, j, i]`` it was made from.
        geometry: its place.
        methods: computed ones; None: those computed for every case.
        targets: classes, ``"predicted"`` takes each lesion's own; None: all.
        lesions: only these of the result.
        sigma_mm: scale of the gradient.
        entropy_radius_mm: of the local entropy.
        top_share: share of the lesion's voxels that counts as the top of a map.
        gradients: of each of these lesions, if they are there already.
        others: further maps in each of these lesions, of :func:`.other_maps.placed_maps`.

    Raises:
        InputError: an unknown method or class, a share outside 0..1, or an MRI that does not fit.
    """
    if not 0 < top_share < 1:
        raise InputError(f"The share that counts as the top of a map must lie between 0 and 1, not {top_share}.")
    rows = []
    lesions = result.units if lesions is None else lesions
    none = [None] * len(lesions)
    for lesion, made, further in zip(lesions, gradients or none, others or none, strict=True):
        options = {"sigma_mm": sigma_mm, "entropy_radius_mm": entropy_radius_mm}
        quantities = quantity_maps(volume, geometry, lesion.lesion, **options, gradients=made)
        compared = _Agreement(result, lesion, quantities, top_share, further or {})
        rows += compared.rows(maps_to_compare(result.system, methods, targets))
    adjust(rows, "p_value", "p_adjusted")
    adjust(rows, "partial_p_value", "partial_p_adjusted")
    return rows


class _Agreement:
    """One lesion: ranks and autocovariances are made once and used for all maps of the same cells."""

    def __init__(
        self, result: CaseResult, lesion: UnitResult, quantities: dict, share: float, others: Mapping[str, MapInLesion]
    ) -> None:
        self.result, self.lesion, self.share, self.others = result, lesion, share, others
        self.quantities = quantities | {name: each.values for name, each in others.items() if not each.undefined}
        self.places: dict[bytes, Places] = {}
        self.by_cells: dict[tuple[int, ...], _OfCells] = {}

    def rows(self, maps: list[tuple[str, str]]) -> list[dict]:
        found = []
        for method, target in maps:
            values = heat_map_in(self.result, self.lesion, method, target)
            target = self.lesion.predicted_class if target == PREDICTED else target
            about = {"lesion": self.lesion.name, "map_method": method, "map_class": target}
            own = self._of_cells(method)
            heats: dict[int, _Side] = {}
            for name, quantity in own.sides.items():
                key = id(quantity.ranks.places)
                if key not in heats:
                    heats[key] = self._side(values, self.quantities[name], own.even)
                most = self.others[name].voxels if name in self.others else math.inf
                found.append(about | {"quantity": name} | self._cells(heats[key], quantity, own, min(own.cells, most)))
            for name, other in self.others.items():
                if other.undefined:
                    found.append(about | {"quantity": name} | self._untold(own, f"this {self._unit} {other.undefined}"))
        return found

    def _of_cells(self, method: str) -> _OfCells:
        """What all methods share whose maps have as many cells as this one's."""
        key = self.lesion.cells_of(method)
        if key not in self.by_cells:
            even = even_map(self.result, self.lesion, method)
            sides = {name: self._side(values, values, even) for name, values in self.quantities.items()}
            self.by_cells[key] = _OfCells(cells_of(self.lesion, method), cell_mm(self.lesion, method), even, sides)
        return self.by_cells[key]

    def _side(self, values: np.ndarray, known_in: np.ndarray, even_values: np.ndarray) -> _Side:
        known = self.lesion.lesion.mask & np.isfinite(known_in)
        places = self.places.setdefault(known.tobytes(), Places(known, self.result.geometry.spacing[::-1]))
        ranks, even = RankedMap.of(values[known], places), RankedMap.of(even_values[known], places)
        return _Side(values[known], ranks, ranks.without(even), correlate(ranks, even).rho)

    @property
    def _unit(self) -> str:
        return self.result.task.unit

    def _untold(self, own: _OfCells, why: str) -> dict:
        """A row of a map that cannot be compared here: the reason in the place of every number."""
        told = {"voxels": self.lesion.lesion.voxels, "cells": own.cells, "cell_mm": own.cell_mm}
        return dict.fromkeys(COLUMNS) | told | {"dice_by_chance": self.share, "undefined": why}

    def _cells(self, heat: _Side, quantity: _Side, own: _OfCells, most: float) -> dict:
        plain = correlate(heat.ranks, quantity.ranks, most)
        partial = correlate(heat.beyond, quantity.beyond, most, removed=1)
        dice = None if plain.rho is None else top_dice(heat.values, quantity.values, self.share)
        return {
            "voxels": len(heat.values),
            "cells": own.cells,
            "cell_mm": own.cell_mm,
            "spearman": plain.rho,
            "effective_samples": plain.samples,
            "p_value": plain.p,
            "p_adjusted": None,
            "spearman_even_map": quantity.even,
            "partial": partial.rho,
            "partial_p_value": partial.p,
            "partial_p_adjusted": None,
            "dice": dice,
            "jaccard": None if dice is None else dice / (2 - dice),
            "dice_by_chance": self.share,
            "undefined": self._why(heat, plain, partial),
        }

    def _why(self, heat: _Side, plain: Correlation, partial: Correlation) -> str:
        if not heat.values.any():
            return EMPTY
        if plain.reason or not partial.reason:
            return plain.reason
        return "no partial correlation: " + ("one map says no more than the even map" if partial.rho is None else FEW)


@dataclass(frozen=True)
class _Side:
    """One of two maps: its values, their ranks, what the even map leaves of these, and its correlation with that."""

    values: np.ndarray
    ranks: RankedMap
    beyond: RankedMap
    even: float | None


@dataclass(frozen=True)
class _OfCells:
    """How many cells of which side hold some of the GTV, the even map on them, and every quantity beside that."""

    cells: int
    cell_mm: float
    even: np.ndarray
    sides: dict[str, _Side]


def cells_of(lesion: UnitResult, method: str) -> int:
    """Cells of a method's maps that hold some of the GTV, over all slices: no map has more independent values."""
    return int(np.count_nonzero(_cell_masks(lesion, method)))


def cell_mm(lesion: UnitResult, method: str) -> float:
    """Side of such a cell in millimetres (in-plane; the larger where they differ)."""
    return lesion.samples.cell_mm(lesion.cells_of(method)[-1])


def even_map(result: CaseResult, lesion: UnitResult, method: str) -> np.ndarray:
    """What interpolation makes of the same value in every cell of the GTV, in the lesion's box ``[k, j, i]``."""
    maps = upsample_to(_cell_masks(lesion, method).astype(np.float32), lesion.sample_size)
    return lesion.samples.paste(maps, result.geometry).values


def _cell_masks(lesion: UnitResult, method: str) -> np.ndarray:
    """Cells with at least one pixel of the unit, bool ``[n, *cells]`` (method.md 1.6, reading 9).

    A pixel is of the cell in which its centre lies, for not every network halves its sizes without rest.
    """
    masks = lesion.samples.masks[:, 0]
    for axis, cells in enumerate(lesion.cells_of(method), start=1):
        size = masks.shape[axis]
        cell = ((np.arange(size) + 0.5) * cells / size).astype(int)
        masks = np.logical_or.reduceat(masks, np.searchsorted(cell, np.arange(cells)), axis=axis)
    return masks
