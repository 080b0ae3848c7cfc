"""Everything that is wrong with a cohort, at once, before any work starts."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import inf
from typing import Any

from ..core.errors import InputError
from ..core.task import COMPUTED, PATIENT, SHRINKAGE, VISIT
from ..core.vocabulary import SECOND
from ..io.names import alike
from ..io.plain_files import is_there, shown_path
from ..lesions.doubts import LARGEST_CM3
from ..systems.contract import System
from ..systems.registry import system_of
from .case_checks import case_findings, images_of, judged_units
from .findings import DOUBTFUL, UNREADABLE, Finding, in_order
from .labels.cohort_labels import baseline_row, check_shrinkage
from .labels.computed import computed_label_findings
from .labels.given import given_label_findings
from .labels.label_checks import label_findings
from .masks import FIRST, FOLLOWUP, Measured, Progress, mask_place, measure_row
from .reader import Reader
from .role_checks import (
    absent_label_values,
    missing_files,
    missing_time_points,
    needed_inputs,
    one_file_twice,
    unreadable_inputs,
)
from .tables.columns import COLUMNS
from .tables.table import CohortRow, CohortTable

SHORTENED = re.compile(r"[1-9]([.,]\d+)?[eE]\+\d+")
"""How spreadsheets save long numbers; several patients become one by it."""

SMALLEST_CM3 = 0.0002
"""A fifth of a cubic millimetre, less than a voxel of the finest MRI."""

CLINICAL = {"age": (0.0, 120.0), "kps": (0.0, 100.0), "karnofsky": (0.0, 100.0), "gy": (0.0, 200.0)}
"""Words in the names of clinical columns, and from what to what such a value can be."""

IN_FILES = ("missing file", "unusable image", "unusable mask", "mask off the image")
"""Findings that say already why the images of a row cannot be judged together."""


def check_cohort(
    table: CohortTable,
    read_images: bool = True,
    threshold: float = 0.2,
    *,
    system: System | None = None,
    rule: str | None = None,
    preprocessing: Any = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """All findings of a table, in the order of its rows; nothing is written.

    Args:
        table: as read.
        read_images: also read every image and mask: whether they can be read, whether they lie on each other, whether
            the masks' volumes agree with the table's. Without it, only the table and the existence of files.
        threshold: shrinkage that counts as response, for contradictory labels.
        system: that is to learn from it: what it needs, and where its labels come from; None: the one that comes first.
        rule: by which the system computes labels; None: its usual one.
        preprocessing: of the model that is to learn from it, by which units' images are judged; None: the usual one.
        progress: of the reading.

    Raises:
        InputError: the threshold is out of range, or a rule is named and the system computes no labels.
    """
    system = system or system_of()
    if rule is not None and system.task.label.kind != COMPUTED:
        raise InputError(
            f"The labels of {system.title} are computed by no rule, so {rule!r} means nothing for it; leave the rule "
            "out."
        )
    unit = system.task.unit
    check_shrinkage(threshold)
    findings, today = list(table.problems), datetime.date.today()
    for row in table.rows:
        findings += [*_values(row), *_doubtful(row, today), *_files(row), *one_file_twice(row, system)]
    findings += [*missing_files(table), *needed_inputs(table, system), *duplicates(table, unit)]
    findings += [*_shared_masks(table), *_mixed_patients(table, system), *_names_alike(table)]
    findings += [*_over_time(table, unit), *missing_time_points(table, system)]
    measured = {}
    if read_images:
        measured, wrong = _read_files(table, system, preprocessing, findings, progress)
        findings += [*wrong, *absent_label_values(table, system)]
    for row in table.rows:
        for which, name in ((FIRST, "mask"), (FOLLOWUP, "follow-up mask")):
            findings += _possible(row, f"volume of the {name}", measured.get((row.row, which)), may_vanish=False)
    if system.task.label.kind == SHRINKAGE:
        return in_order([*findings, *label_findings(table, measured, threshold, read_images)])
    if system.task.label.kind == COMPUTED:
        return in_order([*findings, *computed_label_findings(table, system, rule, read_images)])
    return in_order([*findings, *given_label_findings(table, system.task)])


def _read_files(
    table: CohortTable, system: System, preprocessing: Any, before: list[Finding], progress: Progress | None
) -> tuple[Measured, list[Finding]]:
    """Volumes of all masks, and findings on all files: each is read once, and judged together with those of its unit.

    Args:
        table: whose files.
        system, preprocessing: see :func:`check_cohort`.
        before: findings so far: rows whose files are wrong already are not judged.
        progress: of the rows.
    """
    reader, measured, findings = Reader(), {}, []
    units = judged_units(table, system)
    usual = preprocessing or (system.training_settings().preprocessing if units else None)
    told, numbers = {each.row for each in before if each.kind in IN_FILES}, sorted(units)
    for count, row in enumerate(table.rows, start=1):
        volumes, wrong = measure_row(reader, row)
        measured |= volumes
        wrong += unreadable_inputs(reader, row, system)
        unit = units.get(row.row)
        if unit and row.row not in told and not any(each.kind in IN_FILES for each in wrong):
            wrong += case_findings(reader, unit, system, usual)
        findings += wrong
        following = next((units[number] for number in numbers if number > row.row), None)
        reader.keep(images_of(following, system) if following else ())
        if progress:
            progress(count / len(table.rows), f"row {row.row}")
    return measured, findings


def _says(row: CohortRow, kind: str, what: str, remedy: str) -> Finding:
    return Finding(row.row, row.patient, row.lesion, kind, what, remedy)


def _values(row: CohortRow) -> Iterator[Finding]:
    yield from _possible(row, "volume_cm3", row.volume_cm3, may_vanish=False)
    yield from _possible(row, "followup_volume_cm3", row.followup_volume_cm3, may_vanish=True)
    for level in ("patient", "lesion"):
        if SHORTENED.fullmatch(getattr(row, level)):
            what = f"The {level} “{getattr(row, level)}” is a number that a spreadsheet has shortened"
            yield _says(row, UNREADABLE, what, "format the column as text and enter the numbers again")
    for prefix in ("", "followup_"):
        if getattr(row, f"{prefix}segment") and getattr(row, f"{prefix}label_value"):
            what = f"Both {prefix}segment and {prefix}label_value are given"
            yield _says(row, "unusable mask", what, "keep the one that the segmentation file has")
    if row.date and row.followup_date and row.followup_date <= row.date:
        what = f"The follow-up ({row.followup_date}) is not after the MRI ({row.date})"
        yield _says(row, "dates out of order", what, "correct date or followup_date")


def _possible(row: CohortRow, name: str, volume: float | None, may_vanish: bool) -> Iterator[Finding]:
    if volume is None:
        return
    if volume < 0 or (volume == 0 and not may_vanish):
        yield _says(row, "impossible volume", f"The {name} is {volume:g}", "write a volume above 0 cm³, or none")
    elif volume > LARGEST_CM3:
        what = f"The {name} is {volume:g} cm³, larger than any lesion"
        yield _says(row, "impossible volume", what, "convert mm³ to cm³ (divide by 1000), or correct the mask")


def _doubtful(row: CohortRow, today: datetime.date) -> Iterator[Finding]:
    """Values that can be read and hardly be meant, as warnings: dates may have been shifted, units are not known."""
    for name in ("volume_cm3", "followup_volume_cm3"):
        volume = getattr(row, name)
        if volume is not None and 0 < volume < SMALLEST_CM3:
            what = f"The {name} is {volume:g} cm³, less than a voxel of an MRI"
            yield _says(row, DOUBTFUL, what, "write it in cm³; see in which unit it was")
    for name in ("date", "followup_date"):
        date = getattr(row, name)
        if date is not None and date > today:
            yield _says(row, DOUBTFUL, f"The {name} {date} is in the future", "correct it, unless dates were shifted")
    for name, value in row.clinical.items():
        least, most = next((span for word, span in CLINICAL.items() if word in name.split("_")), (-inf, inf))
        if isinstance(value, float | int) and not least <= value <= most:
            what = f"The clinical_{name} is {value:g}, which is not from {least:g} to {most:g}"
            yield _says(row, DOUBTFUL, what, "correct it, or name the column by what it holds")


def _files(row: CohortRow) -> Iterator[Finding]:
    for name, column in COLUMNS.items():
        path = getattr(row, name) if column.kind == "file" else None
        if path and not is_there(path):
            yield _says(
                row,
                "missing file",
                f"There is no {shown_path(path)} ({name})",
                "correct the path or bring the file there",
            )


def _first_of(table: CohortTable, key: Callable[[CohortRow], object]) -> Iterator[tuple[CohortRow, CohortRow]]:
    """Rows whose key was there before, with the row that had it first."""
    first: dict[object, CohortRow] = {}
    for row in table.rows:
        value = key(row)
        if value is None:
            continue
        if first.setdefault(value, row) is not row:
            yield row, first[value]


def duplicates(table: CohortTable, unit: str) -> Iterator[Finding]:
    """Rows of a unit's MRI that another row has already."""
    names = unit
    for row, first in _first_of(table, lambda row: (row.patient, row.lesion * (unit != PATIENT), row.time_point)):
        what = f"The {row.time_point} MRI of this {unit} is in row {first.row} already"
        yield _says(row, "duplicate lesion", what, f"remove one, or name {names} or time_point differently")


def _shared_masks(table: CohortTable) -> Iterator[Finding]:
    for row, first in _first_of(table, lambda row: mask_place(row, FIRST)):
        if row.key != first.key:
            what = f"The mask is that of row {first.row} (“{first.lesion}”)"
            yield _says(row, "duplicate lesion", what, "name the segment or label value of this lesion")
    for row, first in _first_of(table, lambda row: (row.key, row.image) if row.image else None):
        if row.time_point != first.time_point:
            what = f"The {row.time_point} MRI is the file of the {first.time_point} MRI (row {first.row})"
            yield _says(row, "duplicate lesion", what, "name the other MRI, or remove the row")
    for row in table.rows:
        same_mask = row.segmentation and mask_place(row, FIRST) == mask_place(row, FOLLOWUP)
        if same_mask or (row.image and row.image == row.followup_image):
            what = f"The follow-up {'mask' if same_mask else 'MRI'} is the one of this row"
            yield _says(row, "contradictory follow-up", what, "name the one drawn at follow-up")


def _mixed_patients(table: CohortTable, system: System) -> Iterator[Finding]:
    columns = ("image", "segmentation", "followup_image", "followup_segmentation")
    for name in dict.fromkeys((*columns, *(role.table_column for role in system.inputs))):
        for row, first in _first_of(table, lambda row, name=name: row.value(name)):
            if row.patient != first.patient:
                what = f"The {name} is that of another patient (“{first.patient}”, row {first.row})"
                remedy = "correct patient or file: one person under two names would be on both sides of a split"
                yield _says(row, "patients mixed", what, remedy)


def _names_alike(table: CohortTable) -> Iterator[Finding]:
    seen: dict[tuple[str, ...], CohortRow] = {}
    for row in table.rows:
        for level, names in (("patient", (row.patient,)), ("lesion", row.key)):
            first = seen.setdefault((level, *names[:-1], alike(names[-1])), row)
            if getattr(first, level) != names[-1]:
                what = f"The {level} “{names[-1]}” looks like “{getattr(first, level)}” in row {first.row}"
                yield _says(row, "names alike", what, f"write both alike if they are one {level}")


def _over_time(table: CohortTable, unit: str) -> Iterator[Finding]:
    if unit == VISIT:
        yield from _visits(table)
        return
    for rows in table.units(unit).values():
        base = baseline_row(rows)
        if base is None:
            yield _says(rows[0], "no baseline", f"The {unit} has no baseline row", "add it, or remove this one")
            continue
        for row in rows:
            if row.time_point != SECOND:
                continue
            if row.date and base.date and row.date < base.date:
                what = f"The second MRI ({row.date}) is before the baseline ({base.date}, row {base.row})"
                yield _says(row, "dates out of order", what, "correct the dates, or swap the time points")
            if row.date and base.followup_date and base.followup_date <= row.date and not row.followup_date:
                what = f"The second MRI ({row.date}) is not before the follow-up ({base.followup_date})"
                yield _says(row, "dates out of order", what, "correct date or followup_date")


def _visits(table: CohortTable) -> Iterator[Finding]:
    """Patients with one visit only, and visits that are not in their order."""
    for rows in table.visits.values():
        if len(rows) == 1:
            what = "The patient has one visit only, so there is none to compare with"
            yield _says(rows[0], "no visit before", what, "add the visit before it; else it is left out")
        for before, row in pairwise(rows):
            if row.date and before.date and row.date <= before.date:
                what = f"The visit ({row.date}) is not after the one before it ({before.date}, row {before.row})"
                yield _says(row, "dates out of order", what, "write a patient's visits in the order of their dates")
