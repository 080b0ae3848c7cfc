"""What agrees with what over a cohort: every lesion explained and compared, and what holds over the patients.

Lesions are called by the number of their row in the cohort table, patients by numbers; no name is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..cohort.masks import lesion_of
from ..cohort.table import CohortRow
from ..errors import Cancelled, InputError
from ..explanation import Threshold, explain_scan, lesion_table
from ..models import ModelBundle
from .compared import ComparisonSettings, MapComparison, compare_maps
from .feature_agreement import FEWEST_PATIENTS, flip_p_value
from .feature_values import FeatureTable
from .spatial import adjust

OUTCOMES = ("activated_share", "margin_share", "margin_concentration", "probability_response")
"""Properties of a lesion's heat map (the last: of its prediction) that features may go with."""

LARGEST_Z = float(np.arctanh(0.9999))


@dataclass
class CohortAgreement:
    """What was found.

    Attributes:
        lesions: one row per lesion: row, patient (number), probability_response, predicted_class and the rest of
            :data:`OUTCOMES`.
        agreement: rows of :func:`.agreement.agreement_table`, lesions as ``row``.
        shells: rows of :func:`.shells.shell_table`, likewise.
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

    def summary(self) -> list[dict]:
        """What holds over the patients: for each map and quantity, the mean partial correlation and its p-value.

        Each patient counts once, by the mean of the lesions' Fisher-transformed correlations; the p-value is from sign
        flips of patients (:func:`.feature_agreement.flip_p_value`), adjusted for the number of rows.
        """
        patient_of = dict(zip((row["row"] for row in self.lesions), self.patients, strict=True))
        groups: dict[tuple, dict[int, list[float]]] = {}
        for row in self.agreement:
            means = groups.setdefault((row["map_method"], row["map_class"], row["quantity"]), {})
            if row["partial"] is not None:
                z = float(np.clip(np.arctanh(np.clip(row["partial"], -1, 1)), -LARGEST_Z, LARGEST_Z))
                means.setdefault(patient_of[row["row"]], []).append(z)
        rows = [_over_patients(*key, found) for key, found in groups.items()]
        adjust(rows, "p_value", "p_adjusted")
        return rows


def _over_patients(method: str, target: str, quantity: str, found: dict[int, list[float]]) -> dict:
    means = np.array([np.mean(values) for values in found.values()])
    enough = len(means) >= FEWEST_PATIENTS
    return {
        "map_method": method,
        "map_class": target,
        "quantity": quantity,
        "lesions": sum(map(len, found.values())),
        "patients": len(means),
        "mean_partial": float(np.tanh(means.mean())) if len(means) else None,
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
        rows: with an MRI and a contour each; every MRI is read once.
        bundle: the model.
        settings: None: the usual ones. Properties of the lesions are those of its first method and class.
        threshold: what counts as activated.
        progress: called with a fraction 0..1 and a text.
        cancelled: asked before each MRI; True ends the work.

    Raises:
        InputError: no lesion could be used.
        Cancelled: the user stopped the work.
    """
    settings = settings or ComparisonSettings()
    people = {name: n for n, name in enumerate(dict.fromkeys(row.patient for row in rows), start=1)}
    images: dict[tuple, list[CohortRow]] = {}
    for row in rows:
        images.setdefault((row.image, row.series), []).append(row)
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


def _add_scan(found: CohortAgreement, rows: list[CohortRow], people: dict, bundle, settings, threshold) -> None:
    from ..files import read_volume

    try:
        volume, geometry = read_volume(rows[0].image, rows[0].series)
    except InputError as error:
        found.problems += [f"Row {row.row}: {error}" for row in rows]
        return
    for row in rows:
        try:
            lesion = replace(lesion_of(row, geometry), name=str(row.row))
            result = explain_scan(volume, geometry, [lesion], bundle, methods=_computed(settings))
            compared = compare_maps(result, volume, settings)
        except InputError as error:
            text = str(error)
            found.problems.append(text if text.startswith(f"Row {row.row}:") else f"Row {row.row}: {text}")
            continue
        found.lesions.append(
            {"row": row.row, "patient": people[row.patient]} | _properties(result, compared, settings, threshold)
        )
        found.agreement += [_by_row(each) for each in compared.agreement]
        found.shells += [_by_row(each) for each in compared.shells]


def _computed(settings: ComparisonSettings) -> tuple[str, ...]:
    from ..explanation import METHODS, SIGNED

    return tuple(dict.fromkeys((*METHODS, *(m for m in settings.methods if m != SIGNED))))


def _by_row(row: dict) -> dict:
    return {"row": int(row["lesion"])} | {name: value for name, value in row.items() if name != "lesion"}


def _properties(result, compared: MapComparison, settings: ComparisonSettings, threshold: Threshold | None) -> dict:
    method, target = settings.methods[0], settings.targets[0]
    row = lesion_table(result, method, target, threshold, settings.margin_mm)[0]
    shells = compared.rows_of(compared.shells, method, target)
    margin = next(each for each in shells if each["region"] == "margin")
    kept = ("volume_cm3", "probability_response", "probability_spread", "predicted_class", "activated_share")
    return {name: row[name] for name in kept} | {
        "margin_share": margin["activation_share"],
        "margin_concentration": margin["concentration"],
        "map_method": method,
        "map_class": row["map_class"],
    }


def features_by_row(lesions: Sequence[dict], table: FeatureTable) -> list[dict[str, float]]:
    """The features of each lesion, found by its row in the cohort table.

    Raises:
        InputError: the table has none of these rows.
    """
    at = {int(row): n for n, row in enumerate(table.rows)}
    if not any(row["row"] in at for row in lesions):
        raise InputError("The table of features has none of these lesions; compute it from the same cohort table.")
    return [
        dict(zip(table.names, map(float, table.values[at[row["row"]]]), strict=True)) if row["row"] in at else {}
        for row in lesions
    ]
