"""What agrees with what over a cohort: every lesion explained and compared, and what holds over the patients.

Lesions are called by the number of their row in the cohort table, patients by numbers; no name is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..cohort.tables.table import CohortRow
from ..core.case import Image
from ..core.display import Threshold
from ..core.errors import Cancelled, Cure, InputError
from ..core.task import LESION
from ..evaluation.resampling import interval
from ..explanation.explain import explain_case
from ..explanation.tables import unit_table
from ..features.gradient_table import is_diagnostic
from ..features.values import FeatureTable
from ..systems.bundles.bundle import ModelBundle
from ..systems.bundles.card import ModelCard
from ..training.units.cohort_cases import case_of, reference_role, series_of
from .features import FEWEST_PATIENTS, flip_p_value
from .map_comparison import MapComparison, compare_maps
from .settings import ComparisonSettings
from .spatial import adjust

OUTCOMES = ("activated_share", "margin_share", "margin_concentration")
"""Properties of a lesion's heat map that features may go with; so may the probability of the task's positive class."""

SHARES = ("volume_share", "activation_share", "concentration")

VOLUME_FEATURE = "radiomics_original_shape_approximate_volume"
SAME_VOLUME, LEAST_CM3 = 2.0, 0.2
"""Radiomics counts cubes of its own; beyond this factor a lesion is another one, if it is not a few cubes large."""

FIRST = 3
"""So many lesions are named in a refusal."""

LARGEST_Z = float(np.arctanh(0.9999))


@dataclass
class CohortAgreement:
    """What was found.

    Attributes:
        lesions: one row per lesion: row, patient (number), probability of the positive class, predicted_class and
            :data:`OUTCOMES`.
        agreement: rows of :func:`.correlations.agreement_table`, lesions as ``row``.
        shells: rows of :func:`.depth_profile.shell_table`, likewise.
        problems: one sentence for each lesion that could not be used.
    """

    lesions: list[dict] = field(default_factory=list)
    agreement: list[dict] = field(default_factory=list)
    shells: list[dict] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def patients(self) -> list[int]:
        """Patient of each lesion."""
        return [row["patient"] for row in self.lesions]

    def summary(self, samples: int = 1_000, seed: int = 0) -> list[dict]:
        """What holds over the patients: for each map and quantity, the mean partial correlation and its p-value.

        Each patient counts once, by the mean of the lesions' Fisher-transformed correlations; the interval (``low``,
        ``high``; 95 %) is from patients drawn with replacement, the p-value from sign flips of patients
        (:func:`.features.flip_p_value`), adjusted for the number of rows.
        """
        rows = []
        for key, found in self._by_patient(self.agreement, ("map_method", "map_class", "quantity"), "partial").items():
            z = {who: np.clip(np.arctanh(np.clip(own, -1, 1)), -LARGEST_Z, LARGEST_Z) for who, own in found.items()}
            rows.append(_over_patients(*key, z, samples, seed))
        adjust(rows, "p_value", "p_adjusted")
        return rows

    def depths(self, samples: int = 1_000, seed: int = 0) -> list[dict]:
        """Where the maps lie over the patients: for each map, core, margin and shells.

        Columns: map_method, map_class, region, from_mm, to_mm, lesions and patients (that reach so deep and have a map
        that is not empty), mean ``volume_share``, ``activation_share`` and ``concentration``, and the 95 % interval of
        the latter. Each patient counts once, by the mean of the lesions.
        """
        names = ("map_method", "map_class", "region")
        places = {tuple(row[name] for name in names): (row["from_mm"], row["to_mm"]) for row in self.shells}
        defined = [row for row in self.shells if row["concentration"] is not None]
        shares = {what: self._by_patient(defined, names, what) for what in SHARES}
        rows = []
        for key in sorted(places, key=lambda key: (*key[:2], _order(key[2]))):
            own = {what: found.get(key, {}) for what, found in shares.items()}
            means = {what: np.array([np.mean(each) for each in found.values()]) for what, found in own.items()}
            lesions = sum(map(len, own["concentration"].values()))
            low, high = _interval_of_mean(means["concentration"], samples, seed)
            rows.append(
                dict(zip((*names, "from_mm", "to_mm"), (*key, *places[key]), strict=True))
                | {"lesions": lesions, "patients": len(own["concentration"])}
                | {what: float(each.mean()) if each.size else None for what, each in means.items()}
                | {"low": low, "high": high}
            )
        return rows

    def _by_patient(self, rows: list[dict], names: Sequence[str], value: str) -> dict[tuple, dict[int, list[float]]]:
        """For each key the values of each patient's lesions; a key without any value is there and empty."""
        patient_of = dict(zip((row["row"] for row in self.lesions), self.patients, strict=True))
        groups: dict[tuple, dict[int, list[float]]] = {}
        for row in rows:
            found = groups.setdefault(tuple(row[name] for name in names), {})
            if row[value] is not None:
                found.setdefault(patient_of[row["row"]], []).append(row[value])
        return groups


def _order(region: str) -> tuple[int, int]:
    return (("core", "margin").index(region), 0) if " " not in region else (2, int(region.split()[1]))


def _interval_of_mean(values: np.ndarray, samples: int, seed: int) -> tuple[float | None, float | None]:
    """95 % interval of the mean of patients' values; None for one patient."""
    if len(values) < 2:
        return None, None
    drawn = np.random.default_rng(seed).integers(0, len(values), (samples, len(values)))
    return interval(values[drawn].mean(axis=1))


def _over_patients(
    method: str, target: str, quantity: str, found: Mapping[int, np.ndarray], samples: int, seed: int
) -> dict:
    means = np.array([np.mean(values) for values in found.values()])
    enough = len(means) >= FEWEST_PATIENTS
    low, high = _interval_of_mean(means, samples, seed)
    return {
        "map_method": method,
        "map_class": target,
        "quantity": quantity,
        "lesions": sum(map(len, found.values())),
        "patients": len(means),
        "mean_partial": float(np.tanh(means.mean())) if len(means) else None,
        "low": None if low is None else float(np.tanh(low)),
        "high": None if high is None else float(np.tanh(high)),
        "positive_patients": int((means > 0).sum()),
        "p_value": flip_p_value(means) if enough else None,
        "p_adjusted": None,
        "undefined": "" if enough else f"no p-value from {len(means)} patient(s); {FEWEST_PATIENTS} are needed",
    }


def cohort_agreement(
    rows: Sequence[CohortRow],
    bundle: ModelBundle,
    settings: ComparisonSettings | None = None,
    *,
    threshold: Threshold | None = None,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> CohortAgreement:
    """Explain and compare every lesion; a lesion that cannot be used is listed and stops no other.

    Args:
        rows: with all that the model needs (MRI and contour, say); every MRI is read once.
        bundle: the model.
        settings: None: the usual ones. Properties of the lesions are those of its first method and class.
        threshold: what counts as activated.
        progress: called with a fraction 0..1 and a text.
        cancelled: asked before each MRI; True ends the work.

    Raises:
        InputError: no lesion could be used, or the model answers for patients.
        Cancelled: the user stopped the work.
    """
    refuse_patients(bundle.card)
    system = bundle.card.system
    settings = (settings or ComparisonSettings()).of(system)
    people = {name: n for n, name in enumerate(dict.fromkeys(row.patient for row in rows), start=1)}
    images: dict[tuple, list[CohortRow]] = {}
    for row in rows:
        images.setdefault(series_of(row, reference_role(system)), []).append(row)
    found = CohortAgreement()
    for n, own in enumerate(images.values()):
        if cancelled and cancelled():
            raise Cancelled("Stopped; nothing was written.")
        if progress:
            progress(n / len(images), f"MRI {n + 1} of {len(images)}")
        _add_scan(found, own, people, bundle, settings, threshold)
    if not found.lesions:
        raise InputError(f"None of the {len(rows)} rows could be used: {found.problems[0] if found.problems else ''}")
    for name, into in (("p_value", "p_adjusted"), ("partial_p_value", "partial_p_adjusted")):
        adjust(found.agreement, name, into)
    return found


def refuse_patients(card: ModelCard) -> None:
    """Refuse models whose maps have no contour in which they could be compared.

    Raises:
        InputError: it is one.
    """
    task = card.system.task
    if task.unit != LESION:
        raise InputError(
            f"The model “{card.name}” answers for {task.unit}s, and over a cohort maps are compared inside contoured "
            "lesions only",
            Cure("look at one case at a time", "with pulsarcam explain --compare"),
        )


def _add_scan(found: CohortAgreement, rows: list[CohortRow], people: dict, bundle, settings, threshold) -> None:
    read: dict[tuple, Image] = {}
    for row in rows:
        try:
            case = case_of(row, bundle.card.system, read)
            case = replace(case, lesions=(replace(case.lesions[0], name=str(row.row)),))
            result = explain_case(case, bundle, methods=_computed(settings, bundle), each_input=False)
            compared = compare_maps(result, case.reference_image.voxels, settings)
        except InputError as error:
            text = str(error)
            found.problems.append(text if text.startswith(f"Row {row.row}:") else f"Row {row.row}: {text}")
            continue
        found.lesions.append(
            {"row": row.row, "patient": people[row.patient]} | _properties(result, compared, settings, threshold)
        )
        found.agreement += [_by_row(each) for each in compared.agreement]
        found.shells += [_by_row(each) for each in compared.shells]


def _computed(settings: ComparisonSettings, bundle: ModelBundle) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*bundle.card.system.usual_maps, *settings.methods)))


def _by_row(row: dict) -> dict:
    return {"row": int(row["lesion"])} | {name: value for name, value in row.items() if name != "lesion"}


def _properties(result, compared: MapComparison, settings: ComparisonSettings, threshold: Threshold | None) -> dict:
    method, target = settings.methods[0], settings.targets[0]
    row = unit_table(result, method, target, threshold, settings.margin_mm)[0]
    shells = compared.rows_of(compared.shells, method, target)
    margin = next(each for each in shells if each["region"] == "margin")
    told = [result.task.probability_column(name) for name in result.task.told]
    kept = ("volume_cm3", *told, "probability_spread", "predicted_class", "activated_share")
    return {name: row[name] for name in kept} | {
        "margin_share": margin["activation_share"],
        "margin_concentration": margin["concentration"],
        "map_method": method,
        "map_class": row["map_class"],
    }


def lines_of(rows: Sequence[CohortRow], table: FeatureTable, people: Mapping[int, tuple[str, str]]) -> dict[int, int]:
    """Row of the cohort table to line of the table of features, of the same patient, lesion and time point.

    Args:
        rows: of the cohort table.
        table: the features, of this cohort.
        people: row of the table of features to patient and lesion (:func:`..features.values.read_people`).

    Raises:
        InputError: the table of features lacks a lesion.
    """
    at: dict[tuple, int] = {}
    for n, (row, point) in enumerate(zip(table.rows.tolist(), table.time_points, strict=True)):
        at.setdefault((*people[row], point), n)
    _refuse([row for row in rows if _who(row) not in at], len(rows), "are not in the table of features")
    return {row.row: at[_who(row)] for row in rows}


def features_of(
    lesions: Sequence[dict], rows: Sequence[CohortRow], table: FeatureTable, lines: Mapping[int, int]
) -> list[dict[str, float]]:
    """The features of each lesion, without the columns that are diagnostics.

    Args:
        lesions: of :attr:`CohortAgreement.lesions`.
        rows: of the cohort table, these lesions among them.
        table: the features.
        lines: of :func:`lines_of`.

    Raises:
        InputError: a lesion has another volume in the table of features, so it is another one, or contoured anew.
    """
    own = [lines[lesion["row"]] for lesion in lesions]
    if VOLUME_FEATURE in table.names:
        by_row = {row.row: row for row in rows}
        there = table.column(VOLUME_FEATURE)[own] / 1000
        others = [
            by_row[lesion["row"]]
            for lesion, cm3 in zip(lesions, there, strict=True)
            if lesion["volume_cm3"] >= LEAST_CM3 and abs(np.log(cm3 / lesion["volume_cm3"])) > np.log(SAME_VOLUME)
        ]
        _refuse(others, len(lesions), "have another volume in the table of features")
    found = [dict(zip(table.names, map(float, table.values[line]), strict=True)) for line in own]
    return [{name: value for name, value in row.items() if not is_diagnostic(name)} for row in found]


def _who(row: CohortRow) -> tuple[str, str, str]:
    return (*row.key, row.time_point)


def _refuse(rows: Sequence[CohortRow], of: int, what: str) -> None:
    if rows:
        shown = "; ".join(", ".join(_who(row)) for row in rows[:FIRST])
        raise InputError(
            f"{len(rows)} of {of} lesions {what} ({shown}{'; ...' if len(rows) > FIRST else ''}); compute it by "
            "pulsarcam features from the same cohort table."
        )
