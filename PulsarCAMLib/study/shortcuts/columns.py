"""Columns of a cohort table that ought to have no say in an answer, such as the site, as classes of a study's units.

A column of words has a class for each word; numbers of few values have one for each value, and more of them are cut at
their median. A class that only one patient has can be learnt from nobody else: its units are left out, and its word,
which may be a name, is written nowhere.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...cohort.study_lesions import StudyLesions
from ...cohort.tables.cells import BLANK, as_text
from ...cohort.tables.columns import CLINICAL, NOTE, known_columns, plain_name
from ...cohort.tables.table import CohortRow, CohortTable
from ...core.errors import Cure, InputError
from ...core.task import Task
from ...core.vocabulary import BASELINE
from ...io.csv_files import csv_text, read_csv
from ..folder import write_text

SHORTCUTS = "shortcuts.csv"

MOST_VALUES = 5
"""Numbers of up to so many different values are classes as they are."""

LEAST_PATIENTS = 2
"""Of a class."""


@dataclass(frozen=True, eq=False)
class NamedColumn:
    """A column as classes.

    Attributes:
        name: as it was asked for.
        words: of its classes, in order.
        classes: int ``[L]``, number of each unit's class; -1 where it has none: an empty cell, or a class of one
            patient.
    """

    name: str
    words: tuple[str, ...]
    classes: np.ndarray

    @property
    def title(self) -> str:
        """For people: "site" of clinical_site."""
        return plain_title(self.name)


def plain_title(name: str) -> str:
    """A column's name without what marks it as clinical or as a note."""
    plain = plain_name(name)
    for prefix in (CLINICAL, NOTE):
        plain = plain.removeprefix(prefix)
    return plain.replace("_", " ")


def classes_of(cohort: CohortTable, lesions: StudyLesions, name: str) -> NamedColumn:
    """A column's classes for every unit of a study.

    Raises:
        InputError: the table has no such column, it can be no shortcut, or fewer than two classes are left.
    """
    rows = {row.row: row for row in cohort.rows}
    reader = _reader(cohort, lesions.task, name)
    cells = [reader(rows[int(row)]) for row in lesions.rows[BASELINE]]
    words, known = _words(cells), [cell is not None for cell in cells]
    numbers = np.full(len(cells), -1)
    patients = lesions.patients
    kept = [
        word
        for word in dict.fromkeys(word for word in words if word)
        if len({int(p) for p, own in zip(patients, words, strict=True) if own == word}) >= LEAST_PATIENTS
    ]
    kept.sort(key=_in_order)
    if len(kept) < 2:
        told = "is empty for all of them" if not any(known) else "has fewer than two values that two patients share"
        raise InputError(
            f"Whether the column “{name}” is a shortcut cannot be tested on these {len(cells)} {lesions.task.unit}s: "
            f"it {told}",
            Cure("name another column", "with --shortcuts"),
        )
    for at, word in enumerate(words):
        if word in kept:
            numbers[at] = kept.index(word)
    return NamedColumn(name, tuple(kept), numbers)


def _reader(cohort: CohortTable, task: Task, name: str):
    """What gives a row's cell: a number, a text, or None."""
    plain, known = plain_name(name), known_columns()
    clinical = {key for row in cohort.rows for key in row.clinical}
    notes = {key for row in cohort.rows for key in row.note}
    for prefix, keys, field in ((CLINICAL, clinical, "clinical"), (NOTE, notes, "note")):
        key = plain.removeprefix(prefix)
        if key in keys and (plain.startswith(prefix) or plain not in known):
            return lambda row: _cell(getattr(row, field).get(key))
    if plain in ("patient", "lesion", "truth", task.label.column) or (plain in known and known[plain].kind == "file"):
        why = {"patient": "names the patient", task.label.column: "is the answer itself"}.get(plain, "is no fact")
        raise InputError(
            f"The column “{name}” {why}, so it can be no shortcut", Cure("name another column", "with --shortcuts")
        )
    if plain in known and plain in cohort.columns:
        return lambda row: _cell(_value(row, plain))
    there = ", ".join(sorted({f"{CLINICAL}{key}" for key in clinical} | {f"{NOTE}{key}" for key in notes}))
    raise InputError(
        f"The table has no column “{name}” that could be a shortcut; it has {there or 'none'} (begin a column's name "
        f"with {CLINICAL} or {NOTE} to keep it)",
        Cure("name one of these", "with --shortcuts"),
    )


def _value(row: CohortRow, column: str) -> float | str | None:
    value = row.value(column)
    if value is None or isinstance(value, (int, float)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _cell(cell: float | str | None) -> float | str | None:
    if isinstance(cell, str):
        text = " ".join(cell.split()).lower()
        if text in BLANK:
            return None
        try:
            return float(text)
        except ValueError:
            return text
    return None if cell is None else float(cell)


def _words(cells: Sequence[float | str | None]) -> list[str]:
    """Word of every cell's class; "" where it is empty."""
    known = [cell for cell in cells if cell is not None]
    numbers = [cell for cell in known if isinstance(cell, float)]
    if len(numbers) < len(known) or len(set(numbers)) <= MOST_VALUES:
        return ["" if cell is None else as_text(cell) for cell in cells]
    middle = float(np.median(numbers))
    return ["" if cell is None else f"{'up to' if cell <= middle else 'above'} {middle:g}" for cell in cells]  # type: ignore[operator]


def _in_order(word: str) -> tuple[int, float, str]:
    """Numbers by their size, what is above the median last."""
    try:
        return 0, float(word), word
    except ValueError:
        return 1, float(word.startswith("above ")), word


def write_columns(cohort: CohortTable, lesions: StudyLesions, names: Sequence[str], folder: Path) -> str:
    """The classes of some columns as a file of a study's folder; its hash.

    Raises:
        InputError: see :func:`classes_of`.
        OutputError: the file cannot be written.
    """
    columns = [classes_of(cohort, lesions, name) for name in names]
    cells = [["" if n < 0 else each.words[n] for n in each.classes] for each in columns]
    text = csv_text(names, zip(*cells, strict=True))
    write_text(folder / SHORTCUTS, text)
    return hashlib.sha256(text.encode()).hexdigest()


def read_columns(folder: Path, units: int) -> list[NamedColumn]:
    """What :func:`write_columns` has written.

    Raises:
        InputError: the file is missing or damaged.
    """
    path = folder / SHORTCUTS
    try:
        names, lines = read_csv(path)
        columns = list(zip(*lines, strict=True))
        if len(lines) != units or len(columns) != len(names):
            raise ValueError(len(lines))
    except (ValueError, csv.Error, InputError) as error:
        raise InputError(f"The study's columns {path} are missing or damaged; run the study anew.") from error
    found = []
    for name, cells in zip(names, columns, strict=True):
        words = sorted({cell for cell in cells if cell}, key=_in_order)
        numbers = np.array([words.index(cell) if cell else -1 for cell in cells])
        found.append(NamedColumn(name, tuple(words), numbers))
    return found
