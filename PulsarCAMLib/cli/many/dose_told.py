"""What results of many patients tell of the dose: columns of the table of all, and one answer over the patients."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...core.errors import InputError

LESIONS, CONTRASTS = "dose.csv", "dose_contrast.csv"

OF_LESION = {f"{name}_gy": f"dose_{name}_gy" for name in ("mean", "min", "d98", "d50", "d2", "max")}
OF_PARTS = {
    "activated_mean_gy": "dose_activated_mean_gy",
    "rest_mean_gy": "dose_rest_mean_gy",
    "difference_gy": "dose_difference_gy",
    "difference_low_gy": "dose_difference_low_gy",
    "difference_high_gy": "dose_difference_high_gy",
    "answer": "dose_activated_gets",
    "answer_at_equal_depth": "dose_activated_gets_at_equal_depth",
}
"""Columns of a patient's tables, and what they are called in the table of all."""


def dose_of(place: Path, rows: Sequence[Mapping[str, str]]) -> tuple[list[dict[str, str]], list[dict]]:
    """Rows of a patient's table of lesions with what its tables of the dose say, and the contrasts.

    Args:
        place: the patient's folder, whose tables of the dose are there.
        rows: of its table of lesions.

    Raises:
        InputError: a table is damaged.
    """
    from ...dose.case import WHOLE
    from ...dose.folders import contrasts_of
    from ...explanation.tables import ALL_INPUTS
    from ...io.csv_files import read_csv, records_of

    try:
        contrasts = contrasts_of(place / CONTRASTS)
        whole = {row["lesion"]: row for row in records_of(*read_csv(place / LESIONS)) if row["region"] == WHOLE}
        parts = {(row["lesion"], row["map_method"], row["map_class"], row["map_input"]): row for row in contrasts}
        found = []
        for row in rows:
            own, given = whole.get(row["lesion"], {}), row.get("map_input", "")
            shown = "" if given == ALL_INPUTS else given
            ways = (parts.get((row["lesion"], row["map_method"], target, shown)) for target in (row["map_class"], ""))
            part: Mapping[str, object] = next(filter(None, ways), {})  # a signed map has no class of its own
            told = {"dose_quantity": own.get("quantity", "")}
            told |= {name: own.get(column, "") for column, name in OF_LESION.items()}
            told |= {name: _text(part.get(column)) for column, name in OF_PARTS.items()}
            told |= {
                "dose_undefined": "; ".join(
                    dict.fromkeys(filter(None, (_why(own, "mean_gy"), _why(part, "difference_low_gy"))))
                )
            }
            found.append({**row, **told})
    except (ValueError, KeyError, csv.Error, InputError) as error:  # whose sentence would name a folder
        raise InputError("Its tables of the dose are damaged; delete its folder and start again.") from error
    return found, contrasts


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _why(row: Mapping[str, object], number: str) -> str:
    """Why a number is not told; empty where it is."""
    return "" if row.get(number) not in (None, "") else str(row.get("undefined") or "")


def answer_over(patients: Mapping[str, Sequence[Mapping[str, object]]]) -> str:
    """Whether activated parts get another dose than the rest, over the patients, by the first map; one sentence.

    Empty where fewer than two patients tell something, for then there is no interval.

    Args:
        patients: pseudonym to the contrasts of all results of that patient.
    """
    from ...dose.contrast import LESS, MORE
    from ...dose.over_patients import over_patients

    told = {who: rows for who, rows in patients.items() if rows}
    if len(told) < 2:
        return ""
    first = over_patients(told)[0]
    if first["difference_low_gy"] is None:
        return ""
    gy, low, high = (f"{first[name]:+.2f}".replace("-", "−") for name in
                     ("difference_gy", "difference_low_gy", "difference_high_gy"))  # fmt: skip
    interval = f"{gy} Gy, 95 % interval {low} to {high}, {first['lesions']} lesions of {first['patients']} patients"
    if first["answer"] in (LESS, MORE):
        return f"Over the patients the activated parts get {first['answer']} dose than the rest ({interval})."
    return f"Over the patients the activated parts are not shown to get another dose than the rest ({interval})."
