"""The public volume table of OpenBTAI (Ocaña-Tienda et al., Sci Data 10:208, 2023) as a cohort: real label rules.

The table has one row per lesion and date. Dates are shifted, and the first scan is not necessarily that of treatment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ...core.errors import InputError
from ..findings import Finding
from ..tables.cells import Unreadable, as_date, as_number
from ..tables.table import CohortRow, CohortTable
from .imported import ASSUMED, LEFT_OUT, Imported, about_source, lines_of

NEEDED = ("patient", "lesion", "time_point", "totalvolume")
WINDOW_DAYS = (60, 120)
"""The follow-up of a pair: about three months, as in Peng et al. 2025."""


@dataclass(frozen=True)
class _Scan:
    date: date
    volume_cm3: float
    tumour: str


def import_openbtai(path: str | Path, window_days: tuple[int, int] = WINDOW_DAYS) -> CohortTable:
    """The table alone of :func:`openbtai_cohort`, with its arguments and errors."""
    return openbtai_cohort(path, window_days).table


def openbtai_cohort(path: str | Path, window_days: tuple[int, int] = WINDOW_DAYS) -> Imported:
    """Pairs of volumes: the first scan of each lesion, and the first one after it within the window.

    Args:
        path: ``OpenBTAI_MORPHOLOGICAL_MEASUREMENTS.xlsx``, or a CSV with its columns.
        window_days: fewest and most days between the two scans, both included.

    Returns:
        One row per lesion that has such a pair, without images; total volumes in cm3. The others are findings.

    Raises:
        InputError: not that table, or a cell of it cannot be read.
        DependencyError: openpyxl is missing.
    """
    scans: dict[tuple[str, str], list[_Scan]] = {}
    for number, values in lines_of(Path(path), NEEDED, "the volume table of OpenBTAI"):
        scans.setdefault((values["patient"], values["lesion"]), []).append(_scan(number, values))
    pairs = {key: _pair(sorted(found, key=lambda scan: scan.date), window_days) for key, found in scans.items()}
    rows = tuple(_row(n, key, *pair) for n, (key, pair) in enumerate(((k, p) for k, p in pairs.items() if p), start=2))
    columns = ("patient", "lesion", "date", "volume_cm3", "followup_date", "followup_volume_cm3")
    table = CohortTable(rows, (*columns, "clinical_primary_tumor"))
    return Imported(table, (*_about_all(window_days), *_without_pair(scans, pairs, window_days)))


def _about_all(window: tuple[int, int]) -> Iterator[Finding]:
    what = (
        f"The first scan is taken as the baseline and the first one {window[0]} to {window[1]} days later as follow-up"
    )
    yield about_source(ASSUMED, f"{what}; the table does not say when treatment was", "nothing")


def _without_pair(
    scans: Mapping[tuple[str, str], list[_Scan]], pairs: Mapping[tuple[str, str], object], window: tuple[int, int]
) -> Iterator[Finding]:
    """Lesions that have no row, and why."""
    for (patient, lesion), pair in pairs.items():
        count = len(scans[patient, lesion])
        if pair is None:
            within = f"none of its {count} scans is {window[0]} to {window[1]} days after the first"
            what = f"The lesion has no follow-up: {'there is one scan only' if count == 1 else within}"
            yield about_source(LEFT_OUT, what, "nothing", patient, lesion)


def _scan(number: int, values: dict[str, str]) -> _Scan:
    try:
        when, volume = as_date(values["time_point"]), as_number(values["totalvolume"])
    except Unreadable as needed:
        raise InputError(f"Row {number} of the OpenBTAI table cannot be read: write {needed}.") from needed
    return _Scan(when, volume, values.get("primary_tumor", ""))


def _pair(scans: list[_Scan], window: tuple[int, int]) -> tuple[_Scan, _Scan] | None:
    later = (scan for scan in scans[1:] if window[0] <= (scan.date - scans[0].date).days <= window[1])
    second = next(later, None)
    return (scans[0], second) if second else None


def _row(number: int, key: tuple[str, str], first: _Scan, last: _Scan) -> CohortRow:
    return CohortRow(
        number,
        *key,
        date=first.date,
        volume_cm3=first.volume_cm3,
        followup_date=last.date,
        followup_volume_cm3=last.volume_cm3,
        clinical={"primary_tumor": first.tumour} if first.tumour else {},
    )
