"""What the lesions of one explained case get, and their activated parts: for panel, console and command line alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..agreement.correlations import cells_of
from ..agreement.spatial import Places
from ..core.display import DisplaySettings
from ..core.errors import Cancelled, InputError
from ..core.lesion import Lesion
from ..core.progress import IsCancelled, OnProgress, silent
from ..core.task import PREDICTED
from ..explanation.result import CaseResult, UnitResult
from ..explanation.tables import depth_mm
from .contrast import LESS, MORE, Difference, difference
from .courses import Course, Planned, planned
from .histogram import Histogram, levels_up_to
from .isodoses import conformity_and_gradient
from .sampling import dose_at, share_outside
from .settings import PHYSICAL, DoseTold
from .solids import Solid, solid_of

WHOLE, ACTIVATED, REST = "lesion", "activated", "rest"
REGIONS = (WHOLE, ACTIVATED, REST)

MUCH_GY, LITTLE_GY = 150.0, 1.0
"""A lesion is hardly ever given more than this, and one that was treated no less."""

FAR_FROM_PRESCRIBED = 0.5, 2.0
"""Median dose over the prescription beyond these: one of the two is probably another one's."""

DIFFERENCES = ("difference", "difference_at_equal_depth")


@dataclass(frozen=True, eq=False)
class CaseDose:
    """What was found.

    Attributes:
        settings: how.
        rows: of ``dose.csv``: one per lesion and region, and per map for the parts of a lesion.
        curves: of ``dose_curves.csv``: one per row of ``rows`` that says something, and dose.
        contrasts: of ``dose_contrast.csv``: one per lesion and map.
        notes: what the person should know, one sentence each: courses first, then doubts.
        doubts: those of the notes that speak against the doses.
        courses: for ``result.json``.
    """

    settings: DoseTold
    rows: list[dict]
    curves: list[dict]
    contrasts: list[dict]
    notes: tuple[str, ...]
    doubts: tuple[str, ...]
    courses: tuple[Mapping[str, object], ...] = field(default=())

    def record(self) -> dict[str, object]:
        """For ``result.json``: how it was made, and the answers."""
        answers = (
            "lesion",
            "map_method",
            "map_class",
            "difference_gy",
            "difference_low_gy",
            "difference_high_gy",
            "answer",
        )
        return {
            "settings": self.settings.to_card(),
            "quantity": self.settings.words,
            "courses": [dict(each) for each in self.courses],
            "notes": list(self.notes),
            "activated_against_rest": [{name: row[name] for name in answers} for row in self.contrasts],
        }


def dose_of_case(
    result: CaseResult,
    courses: Sequence[Course],
    shown: Sequence[DisplaySettings],
    settings: DoseTold | None = None,
    *,
    progress: OnProgress = silent,
    cancelled: IsCancelled | None = None,
) -> CaseDose:
    """Dose statements on every lesion, on its activated part, and on the rest of it.

    Args:
        result: of the case.
        courses: planned doses in the MRI's space.
        shown: maps whose activated parts are meant, with their thresholds.
        settings: None: the usual ones.
        progress: is told the fraction done and what is being done.
        cancelled: is asked before each lesion.

    Raises:
        InputError: no course, or one that cannot be used; or every lesion lies outside the dose.
        Cancelled: the user stopped the work.
    """
    settings = settings or DoseTold()
    total = planned(courses, settings)
    lesions = [_Lesion(result, unit, total, settings) for unit in result.units]
    if all(each.outside == 1 for each in lesions):
        raise InputError(
            "All lesions lie outside the dose grid: dose and MRI do not share a space, or belong to different plans; "
            "register the dose to this MRI."
        )
    rows: list[dict] = []
    contrasts: list[dict] = []
    histograms: list[tuple[dict, Histogram]] = []
    others = [unit.lesion for unit in result.units]
    regions = [_regions(result, one) for one in shown]
    for n, each in enumerate(lesions):
        if cancelled and cancelled():
            raise Cancelled("Stopped; nothing was changed.")
        progress(n / len(lesions), f"Dose of {each.unit.name}")
        found = each.whole([other for m, other in enumerate(others) if m != n])
        for one, parts in zip(shown, regions, strict=True):
            more, contrast = each.parts(one, parts[n])
            found += more
            contrasts.append(contrast)
        rows += [row for row, _ in found]
        histograms += [(row, histogram) for row, histogram in found if histogram is not None]
    told = [course.told(n) for n, course in enumerate(courses, start=1)]
    if len(courses) > 1:
        told.append(f"The {len(courses)} doses are added up; where one of them has no grid, nothing is said.")
    if settings.quantity != PHYSICAL:
        told.append(f"All doses are {settings.words}; time between courses is not in it.")
    doubts = tuple(_doubts(rows, settings, total))
    about = tuple({"fractions": c.fractions, "from": c.source, "most_gy": float(c.dose.max())} for c in courses)
    return CaseDose(settings, rows, _curves(histograms), contrasts, (*told, *doubts), doubts, about)


def _regions(result: CaseResult, one: DisplaySettings) -> list[Lesion]:
    return result.sub_regions(one.method, one.target, one.threshold, one.input)


class _Lesion:
    """One lesion: its samples, and to which of its voxels each belongs."""

    def __init__(self, result: CaseResult, unit: UnitResult, total: Planned, settings: DoseTold) -> None:
        self.result, self.unit, self.total, self.settings = result, unit, total, settings
        self.solid: Solid = solid_of(unit.lesion, result.geometry)
        self.outside = max(share_outside(grid, self.solid.points) for grid in total.grids)
        self.doses = None if self.outside else dose_at(total.dose, total.geometry, self.solid.points)

    def whole(self, others: Sequence[Lesion]) -> list[tuple[dict, Histogram | None]]:
        """The row of the lesion as a whole."""
        row, histogram = self._row(WHOLE, None, {"map_method": "", "map_class": "", "map_input": ""})
        prescribed = self.settings.prescription_gy
        reason = row["undefined"] or ("" if prescribed else "no prescribed dose was given")
        if histogram is not None and prescribed:
            around = self.result.geometry, self.unit.lesion, others
            found = conformity_and_gradient(histogram, self.total, *around, prescribed)
            for name, (value, why) in zip(("conformity_paddick", "gradient_index"), found, strict=True):
                row[name] = value
                reason = reason or why
        row["undefined"] = row["undefined"] or reason
        return [(row, histogram)]

    def parts(self, one: DisplaySettings, region: Lesion) -> tuple[list[tuple[dict, Histogram | None]], dict]:
        """The rows of the activated part and of the rest, and what they differ by."""
        target = self.unit.predicted_class if one.target == PREDICTED else one.target
        target = "" if self.unit.is_signed(one.method) else target
        about = {"map_method": one.method, "map_class": target, "map_input": one.input}
        inside = region.mask[tuple(self._voxels.T)]
        found = [self._row(ACTIVATED, inside, about), self._row(REST, ~inside, about)]
        return found, self._contrast(about, region.mask[self.unit.lesion.mask], one.method, found)

    @cached_property
    def _voxels(self) -> np.ndarray:
        """Index of the lesion's voxel that a sample belongs to: its own, or else the nearest ``[n, 3]``."""
        from scipy import ndimage

        mask, spacing = self.unit.lesion.mask, self.result.geometry.spacing[::-1]
        at = np.rint(self.result.geometry.to_ijk(self.solid.points)[:, ::-1] - self.unit.lesion.offset).astype(int)
        at = np.clip(at, 0, np.array(mask.shape) - 1)
        nearest = ndimage.distance_transform_edt(~mask, sampling=spacing, return_distances=False, return_indices=True)
        return nearest[(slice(None), *at.T)].T

    def _row(self, region: str, inside: np.ndarray | None, about: dict) -> tuple[dict, Histogram | None]:
        taken = slice(None) if inside is None else inside
        mm3 = self.solid.mm3[taken]
        voxels = float(mm3.sum()) / self.total.voxel_mm3
        reason = ""
        if not mm3.size:
            reason = "no voxel of the lesion is in it"
        elif self.outside:
            reason = f"{100 * self.outside:.0f} % of the lesion lie outside the dose grid"
        elif voxels < self.settings.least_voxels:
            least = self.settings.least_voxels
            reason = f"{voxels:.1f} voxels of the dose are fewer than {least:g}, too few to say anything"
        histogram = None if reason or self.doses is None else Histogram.of(self.doses[taken], mm3)
        return {
            "lesion": self.unit.name,
            **about,
            "region": region,
            "quantity": self.settings.words,
            "volume_cm3": float(mm3.sum()) / 1000,
            "dose_voxels": voxels,
            **self._measures(histogram),
            "conformity_paddick": None,
            "gradient_index": None,
            "surface_of": self.solid.made_of,
            "undefined": reason,
        }, histogram

    def _measures(self, found: Histogram | None) -> dict[str, float | None]:
        prescribed = self.settings.prescription_gy
        levels = {f"v{gy:g}_percent": gy for gy in self.settings.thresholds_gy}
        return {
            "mean_gy": found and found.mean,
            "min_gy": found and found.least,
            "max_gy": found and found.most,
            **{f"d{percent}_gy": found and found.d(percent) for percent in (98, 50, 2)},
            **{name: found and 100 * found.v(gy) for name, gy in levels.items()},
            "prescription_gy": prescribed,
            "v_prescription_percent": 100 * found.v(prescribed) if found and prescribed else None,
        }

    @cached_property
    def _at_voxels(self) -> tuple[np.ndarray, np.ndarray, Places]:
        """Dose and depth at the lesion's voxels ``[n]``, and how these lie: the same for every map."""
        lesion, geometry = self.unit.lesion, self.result.geometry
        at = geometry.to_lps((np.argwhere(lesion.mask) + lesion.offset)[:, ::-1])
        doses = dose_at(self.total.dose, self.total.geometry, at)
        return doses, depth_mm(lesion, geometry)[lesion.mask], Places(lesion.mask, geometry.spacing[::-1])

    def _contrast(self, about: dict, activated: np.ndarray, method: str, found: list) -> dict:
        (one, first), (other, second) = found
        row = {"lesion": self.unit.name, **about, "quantity": self.settings.words}
        row |= {"activated_mean_gy": one["mean_gy"], "rest_mean_gy": other["mean_gy"]}
        reason = next(
            (f"{name}: {each['undefined']}" for name, each in ((ACTIVATED, one), (REST, other)) if each["undefined"]),
            "",
        )
        plain = level = Difference(None, None, None, None, reason)
        if first is not None and second is not None:
            doses, depth, places = self._at_voxels
            own = doses, activated, places, cells_of(self.unit, method)
            # The difference is that of the two means as told; the voxels say how sure it is.
            plain = difference(*own).moved_to(first.mean - second.mean)
            level = difference(*own, depth)
        for name, each in zip(DIFFERENCES, (plain, level), strict=True):
            row |= {f"{name}_gy": each.gy, f"{name}_low_gy": each.low, f"{name}_high_gy": each.high}
        row |= {"effective_samples": plain.samples, "answer": plain.answer if plain.gy is not None else "not told"}
        row |= {"answer_at_equal_depth": level.answer if level.gy is not None else "not told"}
        return row | {"undefined": plain.reason or level.reason}


def _curves(histograms: Sequence[tuple[dict, Histogram]]) -> list[dict]:
    """Cumulative curves, all at the same doses."""
    if not histograms:
        return []
    levels = levels_up_to(max(histogram.most for _, histogram in histograms))
    names = ("lesion", "map_method", "map_class", "map_input", "region", "quantity")
    return [
        {name: row[name] for name in names}
        | {"dose_gy": float(gy), "volume_percent": 100 * share, "volume_cm3": share * histogram.volume_mm3 / 1000}
        for row, histogram in histograms
        for gy, share in zip(levels, histogram.curve(levels).tolist(), strict=True)
    ]


def _doubts(rows: Sequence[dict], settings: DoseTold, total: Planned) -> Iterator[str]:
    """What speaks against these doses being those of these lesions."""
    most, unit = float(total.dose.max()), settings.words.partition(" (")[0]
    if most > MUCH_GY:
        yield (
            f"The dose reaches {most:.0f} {unit}, more than patients are given; was its scaling lost, or were plans "
            "added that replace each other?"
        )
    whole = [row for row in rows if row["region"] == WHOLE and row["mean_gy"] is not None]
    low, high = FAR_FROM_PRESCRIBED
    for row in whole:
        if row["mean_gy"] < LITTLE_GY:
            yield (
                f"“{row['lesion']}” gets {row['mean_gy']:.2f} {unit} in the mean, as if it was not treated; does this "
                "dose belong to this lesion, and does it lie right on the MRI?"
            )
        elif settings.prescription_gy and not low <= row["d50_gy"] / settings.prescription_gy <= high:
            yield (
                f"Half of “{row['lesion']}” gets {row['d50_gy']:.1f} {unit}, which does not go with a prescribed dose "
                f"of {settings.prescription_gy:g} {unit}; is one of the two another plan's, or of one fraction only?"
            )


def sentence_of(row: Mapping[str, object]) -> str:
    """A row of contrasts in words, for a person."""
    what = f"In “{row['lesion']}” the activated part"
    if row["difference_gy"] is None:
        return f"“{row['lesion']}”: nothing is said of its parts ({row['undefined']})."
    gy, unit = float(str(row["difference_gy"])), str(row["quantity"]).partition(" (")[0]
    more = "more" if gy > 0 else "less"
    if row["difference_low_gy"] is None:
        return f"{what} gets {abs(gy):.2f} {unit} {more} in the mean; no interval can be told ({row['undefined']})."
    low, high = (_signed(float(str(row[f"difference_{end}_gy"]))) for end in ("low", "high"))
    interval = f"95 % interval {low} to {high} {unit}"
    if row["answer"] in (LESS, MORE):
        same = row["answer_at_equal_depth"] == row["answer"]
        told = "and so it does at equal depth" if same else "but at equal depth this is not shown"
        return f"{what} gets {abs(gy):.2f} {unit} {more} than the rest ({interval}), {told}."
    return f"{what} is not shown to get another dose than the rest ({_signed(gy)} {unit}, {interval})."


def _signed(gy: float) -> str:
    return f"{gy:+.2f}".replace("-", "−")
