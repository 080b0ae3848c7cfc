"""The cohort table: lesions of a hospital, their files and what became of them, from CSV or XLSX.

See :mod:`.columns` for the columns, and ``PulsarCAMLib/Resources/cohort-example.csv``. Patients are called as the table
calls them, here and in everything made from it; see :func:`numbered`.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.errors import InputError
from ...core.task import LESION, VISIT
from ...core.visible import shortened, visible
from ...core.vocabulary import BASELINE
from ..findings import DOUBTFUL, IMPOSSIBLE, UNREADABLE, Finding
from .cells import Impossible, Unreadable, as_number, as_text, read_cell
from .columns import (
    CLINICAL,
    COLUMNS,
    NOTE,
    PREFIXES,
    Column,
    known_columns,
    plain_name,
    prefix_of,
    required_columns,
)

if TYPE_CHECKING:
    from ...systems.contract import System


@dataclass(frozen=True)
class CohortRow:
    """One lesion on one MRI; fields as :data:`~.columns.COLUMNS`, None where the cell is empty.

    Attributes:
        row: as the spreadsheet numbers it; headings are row 1.
        patient, lesion: names, control characters as :func:`...core.visible.visible` tells them.
        clinical, note, truth: columns with these prefixes, without the prefix; only cells that are not empty.
        extra: columns of inputs and labels that only some systems have; only cells that are not empty.
    """

    row: int
    patient: str
    lesion: str
    time_point: str = BASELINE
    date: date | None = None
    image: Path | None = None
    series: str | None = None
    segmentation: Path | None = None
    segment: str | None = None
    label_value: int | None = None
    volume_cm3: float | None = None
    followup_date: date | None = None
    followup_image: Path | None = None
    followup_segmentation: Path | None = None
    followup_segment: str | None = None
    followup_label_value: int | None = None
    followup_volume_cm3: float | None = None
    response: int | None = None
    dose: Path | None = None
    clinical: Mapping[str, float | str] = field(default_factory=dict, hash=False)
    note: Mapping[str, str] = field(default_factory=dict, hash=False)
    truth: Mapping[str, str] = field(default_factory=dict, hash=False)
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in ("patient", "lesion"):  # in the one spelling that all outputs have
            object.__setattr__(self, name, visible(getattr(self, name)))

    @property
    def key(self) -> tuple[str, str]:
        """Patient and lesion."""
        return self.patient, self.lesion

    def value(self, column: str) -> Any:
        """What is in a column, those of :attr:`extra` among them; None for an empty cell."""
        return getattr(self, column) if column in COLUMNS else self.extra.get(column)


@dataclass(frozen=True)
class CohortTable:
    """A table as it was read.

    Attributes:
        rows: with a patient, a lesion and a known time point, in the table's order.
        columns: known columns that the table has.
        problems: what was found while reading: unknown columns, cells that cannot be read.
        path: of the table; None if it was made by a program.
    """

    rows: tuple[CohortRow, ...]
    columns: tuple[str, ...]
    problems: tuple[Finding, ...] = ()
    path: Path | None = None

    @property
    def patients(self) -> tuple[str, ...]:
        """Patients in the order of the table."""
        return tuple(dict.fromkeys(row.patient for row in self.rows))

    @property
    def lesions(self) -> dict[tuple[str, str], tuple[CohortRow, ...]]:
        """(patient, lesion) to its rows."""
        found: dict[tuple[str, str], list[CohortRow]] = {}
        for row in self.rows:
            found.setdefault(row.key, []).append(row)
        return {key: tuple(rows) for key, rows in found.items()}

    @property
    def visits(self) -> dict[str, tuple[CohortRow, ...]]:
        """Patient to all rows, in the order of the table."""
        found: dict[str, list[CohortRow]] = {}
        for row in self.rows:
            found.setdefault(row.patient, []).append(row)
        return {patient: tuple(rows) for patient, rows in found.items()}

    @property
    def previous(self) -> dict[int, CohortRow]:
        """Number of a row to the patient's row before it; a patient's first row is not there."""
        return {row.row: before for rows in self.visits.values() for before, row in pairwise(rows)}

    def unreadable(self, column: str, more: Iterable[Finding] = ()) -> set[int]:
        """Rows whose cell of a column says nothing that can be meant, by the table's problems and by ``more``."""
        found = (*self.problems, *more)
        return {each.row for each in found if each.kind in (UNREADABLE, IMPOSSIBLE) and each.column == column}

    def units(self, unit: str = LESION) -> dict[tuple[str, str], tuple[CohortRow, ...]]:
        """(patient, lesion) to its rows; where the unit is the patient, (patient, "") to all rows of the patient.

        Where it is the visit: (patient, visit) to its one row, without the first visit of a patient, for which there is
        none before.
        """
        if unit == LESION:
            return self.lesions
        if unit == VISIT:
            return {row.key: (row,) for rows in self.visits.values() for row in rows[1:]}
        return {(patient, ""): rows for patient, rows in self.visits.items()}


def read_cohort(path: str | Path, system: System | None = None) -> CohortTable:
    """Read a cohort table; no other file is opened.

    Args:
        path: ``.csv`` (separated by comma, semicolon or tab) or ``.xlsx`` (its first sheet, or the one called
            "cohort"). Paths in it are relative to its folder, or absolute.
        system: for which it is read: one that answers for patients needs no column ``lesion``. None: for lesions.

    Raises:
        InputError: no such file, no table, or a column is missing without which there are no lesions. Everything else
            that is wrong is kept in :attr:`CohortTable.problems`.
        DependencyError: an ``.xlsx``, and openpyxl is not installed.
    """
    from .sheets import read_sheet

    path, known = Path(path), known_columns()
    unit = system.task.unit if system else LESION
    sheet = read_sheet(path)
    names = [plain_name(heading) for heading in sheet.headings]
    _refuse_headings(path, names, required_columns(unit))
    problems = [*_unknown_columns(sheet.headings, names, known), *sheet.problems]
    rows = []
    for number, cells in sheet.rows:
        values = {name: as_text(cell) for name, cell in zip(names, cells, strict=True) if name}
        row, wrong = _row(number, values, path.parent, sheet.decimal_comma, known, required_columns(unit))
        problems += wrong
        rows += [row] if row else []
    if not sheet.rows:
        raise InputError(f"The table {path.name} has headings but no row; write one row per {unit}.")
    if unit == VISIT:
        rows = named_visits(rows)
    there = tuple(name for name in names if name in known or prefix_of(name))
    return CohortTable(tuple(rows), there, tuple(problems), path)


def named_visits(rows: Sequence[CohortRow]) -> list[CohortRow]:
    """Rows whose ``lesion`` is the name of the visit: as typed, else its date, else its number within the patient."""
    found: list[CohortRow] = []
    for row in rows:
        number = 1 + sum(each.patient == row.patient for each in found)
        name = row.extra.get(VISIT) or (row.date.isoformat() if row.date else f"visit {number}")
        found.append(replace(row, lesion=str(name), time_point=BASELINE))
    return found


def _refuse_headings(path: Path, names: list[str], required: Sequence[str]) -> None:
    missing = [name for name in required if name not in names]
    if missing:
        raise InputError(
            f"The table {path.name} has no column {' and no column '.join(missing)}; its first row must hold the "
            "headings (see: pulsarcam cohort columns)."
        )
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise InputError(f"The table {path.name} has the column {', '.join(twice)} twice; keep one of them.")


def _unknown_columns(headings: Sequence[object], names: list[str], known: Mapping[str, Column]) -> list[Finding]:
    found = []
    for heading, name in zip(headings, names, strict=True):
        if not name or name in known or prefix_of(name):
            continue
        close = difflib.get_close_matches(name, [each for each in known if each not in names], 1, 0.75)
        advice = f"call it “{close[0]}” if that is meant, or " if close else ""
        what = f"The column “{shortened(visible(str(heading)))}” is not known and not used"
        remedy = f"{advice}begin its name with {' or '.join((CLINICAL, NOTE))} to keep it"
        found.append(Finding(0, "", "", "unknown column", what, remedy))
    return found


def _row(
    number: int,
    values: dict[str, str],
    folder: Path,
    decimal_comma: bool,
    known: Mapping[str, Column],
    required: Sequence[str],
) -> tuple[CohortRow | None, list[Finding]]:
    """One row; None where it does not say whose lesion it is, or when."""
    patient, lesion = (visible(values.get(name, "")) for name in ("patient", "lesion"))
    problems, read = [], {}
    for name, column in known.items():
        text = values.get(name, "")
        try:
            read[name] = read_cell(text, column.kind, decimal_comma, column.choices, column.within)
        except Unreadable as needed:
            what = f"“{shortened(visible(text))}” in the column {name} cannot be read"
            problems.append(Finding(number, patient, lesion, UNREADABLE, what, f"write {needed}", name))
            read[name] = None
        except Impossible as told:
            what = f"“{shortened(visible(text))}” in the column {name} {told}"
            problems.append(Finding(number, patient, lesion, IMPOSSIBLE, what, f"write {told.needed}", name))
            read[name] = None
        if read[name] is None and column.kind in ("number", "whole", "date") and text.lower() == "nan":
            what = f"“{shortened(visible(text))}” in the column {name} is taken as empty"
            remedy = "leave it empty, or write what was measured"
            problems.append(Finding(number, patient, lesion, DOUBTFUL, what, remedy))
        if read[name] is not None and column.kind == "file":
            read[name] = _resolved(read[name], folder)
    missing = [name for name in required if read[name] is None]
    for name in missing:
        problems.append(
            Finding(number, patient, lesion, "missing value", f"The column {name} is empty", f"write the {name}")
        )
    if missing or read["time_point"] is None:
        return None, problems
    extra = {name: read.pop(name) for name in known if name not in COLUMNS}
    read["lesion"] = read["lesion"] or ""
    extra = {name: value for name, value in extra.items() if value is not None}
    return CohortRow(row=number, **read, **_prefixed(values), extra=extra), problems


def _resolved(text: str, folder: Path) -> Path:
    return Path(os.path.abspath(folder / text.replace("\\", "/") if os.sep == "/" else folder / text))  # noqa: PTH100


def _prefixed(values: dict[str, str]) -> dict[str, dict]:
    found: dict[str, dict] = {prefix.rstrip("_"): {} for prefix in PREFIXES}
    for name, text in values.items():
        prefix = prefix_of(name)
        if prefix and text:
            value = _number_or_text(text) if prefix == CLINICAL else text
            found[prefix.rstrip("_")][name.removeprefix(prefix)] = value
    return found


def _number_or_text(text: str) -> float | str:
    try:
        return as_number(text)
    except Unreadable:
        return text


def save_cohort_table(table: CohortTable, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a table that :func:`read_cohort` reads back; columns without any value are left out.

    Args:
        table: its file paths are written relative to the new table where they lie below its folder.
        path: ``.csv`` or ``.xlsx``.
        overwrite: replace a file that is already there.

    Raises:
        OutputError: the file cannot be written; nothing was changed.
    """
    from .sheets import write_sheet

    path = Path(path)
    folder = Path(os.path.abspath(path.parent))  # noqa: PTH100 - as in reading: links stay as the user wrote them
    lines = [_cells(row, folder) for row in table.rows]
    used = {name for line in lines for name in line}
    order = [name for name in COLUMNS if name in used or COLUMNS[name].required]
    order += sorted(name for name in used - set(COLUMNS) if not prefix_of(name))
    order += sorted((name for name in used if prefix_of(name)), key=lambda n: (list(PREFIXES).index(prefix_of(n)), n))
    return write_sheet(path, order, [[line.get(name, "") for name in order] for line in lines], overwrite=overwrite)


def _cells(row: CohortRow, folder: Path) -> dict[str, object]:
    cells: dict[str, object] = {}
    for name in COLUMNS:
        value = getattr(row, name)
        if value is None:
            continue
        cells[name] = _cell(value, folder)
    cells |= {name: _cell(value, folder) for name, value in row.extra.items()}
    for prefix in PREFIXES:
        cells |= {prefix + name: value for name, value in getattr(row, prefix.rstrip("_")).items()}
    return cells


def _cell(value: object, folder: Path) -> object:
    if isinstance(value, Path):
        return value.relative_to(folder).as_posix() if value.is_relative_to(folder) else str(value)
    return value.isoformat() if isinstance(value, date) else value


def patient_numbers(table: CohortTable) -> dict[str, str]:
    """Patient to "P001", "P002", ... in the order of the table."""
    width = max(3, len(str(len(table.patients))))
    return {patient: f"P{number:0{width}d}" for number, patient in enumerate(table.patients, start=1)}


def numbered(table: CohortTable) -> CohortTable:
    """The same table with numbers for patients, without dates, notes or its own path.

    File paths stay, for without them nothing can be read; a table that leaves the house must not have any.
    """
    numbers = patient_numbers(table)
    rows = [replace(row, patient=numbers[row.patient], date=None, followup_date=None, note={}) for row in table.rows]
    return CohortTable(tuple(rows), tuple(name for name in table.columns if name not in ("date", "followup_date")))
