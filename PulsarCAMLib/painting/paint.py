"""From an explained scan to a prescription, its spread and boost contours: for console and command line alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..core.case import Image
from ..core.display import Threshold
from ..core.errors import Cancelled, Cure, InputError
from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import Lesion
from ..core.task import LESION, PREDICTED
from ..explanation.plain import plain_answer
from ..explanation.result import CaseResult, UnitResult
from ..io.dose import HIGHEST_GY
from ..lesions.distances import distance_to
from .doubts import ANYWAY, against_lesion, against_model, doubts_on_lesion, mean_overlap
from .quality import Quality, histogram, quality_of, refuse_apart
from .rules import boost_by_contours, dose_by_numbers, near_organs
from .settings import CONTOURS, JOINT, LABEL, PaintingSettings

OTHER_CLASS = "The higher dose lies where the map speaks for “{}”; the model is made to explain “{}”."

NO_ORGANS = Cure("give them", "with --paint-organs FILE", panel="give them (organs=...)")

ONLY_WITHIN = (
    "No boost lies within the organs, but it may lie right beside them, for no distance to them was asked for."
)


@dataclass(frozen=True, eq=False)
class PaintedLesion:
    """What one lesion would be prescribed.

    Attributes:
        name: of the lesion.
        region: voxels with a prescription on the MRI's grid: the GTV, and what of the boost leaves it.
        dose: Gy in the region's box, float64 ``[k, j, i]``, 0 outside the region.
        spread: standard deviation over the members, likewise; zero where there is one member.
        boost: what gets the higher level (contours), or at least halfway to it (numbers); perhaps empty.
        row: of the table of lesions.
        quality: of a dose that was given beside it; None: none was.
    """

    name: str
    region: Lesion
    dose: np.ndarray
    spread: np.ndarray
    boost: Lesion
    row: dict
    quality: Quality | None = None


@dataclass(frozen=True, eq=False)
class Painting:
    """A prescription for a scan: research use only, not a plan.

    Attributes:
        settings: rule and parameters.
        method, target: of the map that was painted from.
        threshold: what counts as activated.
        geometry: of the MRI.
        lesions: that are painted.
        table: one row per lesion of the result, those that are not painted with the reason.
        despite: what speaks against model, map or lesion, where it was painted in spite of it.
        warnings: sentences for the user.
        facts: of the model: name, hash and so on.
    """

    settings: PaintingSettings
    method: str
    target: str
    threshold: Threshold
    geometry: VolumeGeometry
    lesions: tuple[PaintedLesion, ...]
    table: list[dict]
    despite: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Of nodes and pages: rule, levels and what it is not."""
        return f"{self.settings.title} ({LABEL})"

    @property
    def prescription(self) -> np.ndarray:
        """Gy on the MRI's grid, float32 ``[k, j, i]``; 0 where nothing is prescribed."""
        return self._volume("dose")

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation of that over the members, likewise."""
        return self._volume("spread")

    @property
    def boosts(self) -> list[Lesion]:
        """One for each painted lesion, named so that nobody takes it for a target; an empty one is left out."""
        found = [each.boost for each in self.lesions if each.boost.mask.any()]
        return [Lesion(f"{each.name} boost ({LABEL})", each.mask, each.offset) for each in found]

    @property
    def histogram(self) -> list[dict]:
        """Rows of the Q-volume histogram; none where no dose was given or nothing is known of it."""
        return histogram({each.name: each.quality for each in self.lesions if each.quality is not None})

    def record(self) -> dict[str, object]:
        """What travels with every file and node, as JSON values."""
        return {
            "label": LABEL,
            "rule": self.settings.in_words,
            "parameters": self.settings.to_card(),
            "map_method": self.method,
            "map_class": self.target,
            "activated": {"kind": self.threshold.kind, "value": self.threshold.value},
            "despite": list(self.despite),
            "warnings": list(self.warnings),
            "lesions": self.table,
        }

    def _volume(self, what: str) -> np.ndarray:
        volume = np.zeros(self.geometry.shape, dtype=np.float32)
        for each in self.lesions:
            block = volume[each.region.box]
            np.maximum(block, getattr(each, what), out=block, where=each.region.mask, casting="same_kind")
        return volume


def paint(
    result: CaseResult,
    settings: PaintingSettings,
    *,
    method: str | None = None,
    target: str | None = None,
    threshold: Threshold | None = None,
    dose: Image | None = None,
    organs: Sequence[Lesion] = (),
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Painting:
    """Paint the lesions of an explained scan by a rule.

    A lesion that may not be painted (:mod:`.doubts`) is left out and listed with the reason.

    Args:
        result: of the scan.
        settings: rule and parameters.
        method: name of the map; None: the system's first.
        target: class whose evidence is painted; None: the one that the task explains.
        threshold: what counts as activated.
        dose: that is given beside the prescription, in Gy, in the MRI's space.
        organs: to be kept away from, on the MRI's grid.
        progress: called with a fraction 0..1 and a text.
        cancelled: asked before each lesion; True ends the work.

    Raises:
        InputError: model or map may not be believed, no lesion may be painted (both: unless ``settings.anyway``), the
            map has no class of its own, the answers are not for lesions, or a distance to organs without organs.
        GeometryError: no lesion lies in the dose.
        Cancelled: the user stopped the work.
    """
    method, target = method or result.default_method, target or result.task.explained
    _check(result, settings, method, target, organs)
    if dose is not None:
        check_dose(dose, result.geometry, [unit.lesion for unit in result.units])
    despite = against_model(result, method)
    if despite and not settings.anyway:
        raise InputError(f"Nothing is painted. {' '.join(despite).rstrip('.')}", ANYWAY)
    painter = _Painter(result, settings, method, target, threshold or Threshold(), tuple(organs), dose)
    painted, table, warnings = [], [], []
    for n, unit in enumerate(result.units):
        if cancelled and cancelled():
            raise Cancelled("Stopped; nothing was changed.")
        if progress:
            progress(n / len(result.units), f"Painting {unit.name}")
        found, reasons = painter.lesion(unit)
        row = found.row | {"painted": not reasons or settings.anyway, "why_not": "; ".join(reasons)}
        doubts = [*doubts_on_lesion(unit, row["overlap"], result, bool(row["boost_cm3"]))]
        if reasons and row["painted"]:
            despite.append(f"“{unit.name}” is painted in spite of this: {row['why_not']}.")
        elif reasons:
            doubts = [*reasons, *doubts]
        if row["painted"] and found.quality is not None and found.quality.doubt:
            doubts.append(found.quality.doubt)
        who = f"“{unit.name}”{'' if row['painted'] else ' is not painted'}"
        warnings += [f"{who}: {text}{'' if text.endswith('?') else '.'}" for text in doubts]
        if row["painted"]:
            painted.append(found)
            table.append(row)
        else:
            told = (
                "lesion",
                "answer",
                "stable",
                "p_min",
                "p_max",
                "map_centre_moves_mm",
                "overlap",
                "painted",
                "why_not",
            )
            table.append(dict.fromkeys(row) | {name: row[name] for name in told})
    if not painted:
        raise InputError(f"No lesion may be painted: “{table[0]['lesion']}”, for {table[0]['why_not']}", ANYWAY)
    if organs and not settings.organ_mm:
        warnings.append(ONLY_WITHIN)
    others = [] if target in (result.task.explained, PREDICTED) else [OTHER_CLASS.format(target, result.task.explained)]
    told = (*despite, *others, *warnings)
    facts = dict(result.card.facts())
    return Painting(
        settings, method, target, painter.threshold, result.geometry, tuple(painted), table, tuple(despite), told, facts
    )


def _check(result: CaseResult, settings: PaintingSettings, method: str, target: str, organs: Sequence[Lesion]) -> None:
    task = result.task
    if task.unit != LESION:
        raise InputError(
            f"The model “{result.card.name}” answers for {task.unit}s; painting needs answers for lesions."
        )
    if method not in result.units[0].methods:
        raise InputError(f"The map “{method}” was not computed; there are {', '.join(result.units[0].methods)}.")
    if result.method(method).signed:
        raise InputError(
            f"The map {result.method(method).title} has all classes in one; paint from one with a class of its own, "
            f"such as {result.default_method}."
        )
    if target not in (*task.names, PREDICTED):
        raise InputError(f"There is no class “{target}” to paint from; there are {', '.join(task.names)}.")
    if settings.organ_mm and not organs:
        raise InputError("A distance to organs is given, but no organs", NO_ORGANS)


def check_dose(dose: Image, geometry: VolumeGeometry, lesions: Sequence[Lesion]) -> None:
    """Refuse what cannot be a dose beside the prescription of these lesions.

    Args:
        dose: in the MRI's space.
        geometry: of the MRI.
        lesions: on its grid.

    Raises:
        InputError: its values are none in Gy.
        GeometryError: no lesion lies in it.
    """
    voxels = dose.voxels
    if not np.isfinite(voxels).all():
        raise InputError("The dose beside the prescription holds NaN or infinite values; export it again.")
    if voxels.min() < 0 or not 0 < voxels.max() <= HIGHEST_GY:
        raise InputError(
            f"The dose beside the prescription must be Gy, from zero to {HIGHEST_GY:g} and not zero everywhere; was "
            "another volume given in its place?"
        )
    refuse_apart(dose, geometry, lesions)


class _Painter:
    """One scan: maps of the mean and of every member become doses by the same range."""

    def __init__(self, result, settings, method, target, threshold, organs, dose) -> None:
        self.result, self.settings, self.threshold = result, settings, threshold
        self.method, self.target, self.organs, self.given = method, target, organs, dose

    def lesion(self, unit: UnitResult) -> tuple[PaintedLesion, list[str]]:
        """A lesion's prescription, and why it may not be painted."""
        mean = self.result.pasted(unit, self.method, self.target).values
        limit = self.result.threshold_value(unit, self.method, mean, self.threshold)
        ends = self._ends(unit, mean)
        boost, region, dose = self._one(unit, mean, limit, ends)
        members = [self._one(unit, heat, limit, ends) for heat in self._members(unit)]
        doses = np.stack([self._onto(each[1], each[2], region) for each in members])
        boosts = np.stack([self._onto(each[0], each[0].mask, region) for each in members])
        overlap = mean_overlap(boosts, self._onto(boost, boost.mask, region))
        spread = np.where(region.mask, doses.std(axis=0), 0.0)
        quality = None if self.given is None else quality_of(self.given, self.result.geometry, dose, region)
        row = self._row(unit, region, dose, spread, boost, overlap) | ({} if quality is None else quality.row())
        return PaintedLesion(unit.name, region, dose, spread, boost, row, quality), list(against_lesion(unit, overlap))

    def _ends(self, unit: UnitResult, mean: np.ndarray) -> tuple[float, float]:
        if self.settings.range == JOINT:
            return 0.0, unit.joint_maximum(self.method)
        inside = mean[unit.lesion.mask]
        return float(inside.min()), float(inside.max())

    def _members(self, unit: UnitResult) -> list[np.ndarray]:
        """Every member's own map in the lesion's box."""
        count = len(unit.raw_maps(self.method, self.target))
        maps = (unit.sample_maps(self.method, self.target, member=n) for n in range(count))
        return [unit.samples.paste(each, self.result.geometry).values for each in maps]

    def _one(
        self, unit: UnitResult, heat: np.ndarray, limit: float, ends: tuple[float, float]
    ) -> tuple[Lesion, Lesion, np.ndarray]:
        """Boost, region and dose of one map."""
        lesion, geometry = unit.lesion, self.result.geometry
        low, high = self.settings.levels
        if self.settings.rule == CONTOURS:
            active = (heat > limit) & lesion.mask
            boost = boost_by_contours(active, lesion, geometry, self.organs, self.settings)
            region = _together(lesion, boost)
            boosted = self._onto(boost, boost.mask, region)
            return boost, region, np.where(boosted, high, np.where(region.mask, low, 0.0))
        dose = dose_by_numbers(heat, ends, self.settings)
        near = near_organs(self.organs, geometry, lesion.offset, lesion.mask.shape, self.settings.organ_mm)
        dose = np.where(lesion.mask, np.where(near, low, dose), 0.0)
        boost = Lesion(lesion.name, dose >= self.settings.middle_gy, lesion.offset)
        return boost, Lesion(lesion.name, lesion.mask, lesion.offset), dose

    def _onto(self, place: Lesion, values: np.ndarray, region: Lesion) -> np.ndarray:
        """Values of one box in that of another region, which need not hold it; the lower level or False elsewhere."""
        empty = False if values.dtype == bool else self.settings.levels[0]
        found = np.full(region.mask.shape, empty, dtype=values.dtype)
        low = np.maximum(place.offset, region.offset)
        high = np.minimum(np.add(place.offset, values.shape), np.add(region.offset, region.mask.shape))
        if (high > low).all():
            there = tuple(slice(a - o, b - o) for a, b, o in zip(low, high, region.offset, strict=True))
            here = tuple(slice(a - o, b - o) for a, b, o in zip(low, high, place.offset, strict=True))
            found[there] = values[here]
        return found

    def _row(self, unit, region: Lesion, dose: np.ndarray, spread: np.ndarray, boost: Lesion, overlap) -> dict:
        geometry, inside = self.result.geometry, dose[region.mask]
        found = unit.stability
        stable = {"stable": None if found is None else found.is_stable}
        told = {} if found is None else found.row()
        stable |= {name: _known(told.get(name)) for name in ("p_min", "p_max", "map_centre_moves_mm")}
        of_boost = boost.mask.any()
        row = {
            "lesion": unit.name,
            "painted": True,
            "why_not": "",
            "answer": plain_answer(unit, self.result.card).answer,
            "gtv_cm3": unit.lesion.volume_cm3(geometry),
            "boost_cm3": boost.volume_cm3(geometry) if of_boost else 0.0,
            "mean_gy": float(inside.mean()),
            "lowest_gy": float(inside.min()),
            "highest_gy": float(inside.max()),
            "mean_spread_gy": float(spread[region.mask].mean()),
            "highest_spread_gy": float(spread[region.mask].max()),
            "overlap": overlap,
            **stable,
        }
        for organ in self.organs:
            row[f"boost_to_{organ.name}_mm"] = self._distance(boost, organ) if of_boost else None
        return row

    def _distance(self, boost: Lesion, organ: Lesion) -> float:
        """From the centre of the boost's nearest voxel to the organ's surface, mm; negative where it lies inside."""
        spacing = self.result.geometry.spacing[::-1]
        apart = distance_to(organ.mask, organ.offset, spacing, boost.offset, boost.mask.shape)
        return float(apart[boost.mask].min())


def _known(value: float | None) -> float | None:
    """JSON and tables know no NaN."""
    return None if value is None or not np.isfinite(value) else float(value)


def _together(lesion: Lesion, boost: Lesion) -> Lesion:
    """The GTV and what of the boost leaves it."""
    low = np.minimum(lesion.offset, boost.offset)
    high = np.maximum(np.add(lesion.offset, lesion.mask.shape), np.add(boost.offset, boost.mask.shape))
    mask = np.zeros(high - low, dtype=bool)
    for each in (lesion, boost):
        at = tuple(slice(o - a, o - a + n) for o, a, n in zip(each.offset, low, each.mask.shape, strict=True))
        mask[at] |= each.mask
    return Lesion(lesion.name, mask, tuple(int(n) for n in low))
