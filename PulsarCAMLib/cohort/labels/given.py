"""Classes that are typed into a cohort table, as name or number, for systems that compute none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ...core.task import Task
from ..findings import UNREADABLE, Finding
from ..tables.cells import BLANK, BROKEN, Unreadable, as_text
from ..tables.table import CohortRow, CohortTable
from .lesion_label import TYPED, UNKNOWN, LesionLabel


def class_number(value: object, task: Task) -> int | None:
    """Number of the class that a cell says; None for an empty one. Where a class's name is a number, only names count.

    Raises:
        Unreadable: neither a name nor a number of a class; the message ends the sentence "... ; write".
    """
    text = as_text(value).lower()
    if text in BLANK:
        return None
    names = {re.sub(r"[\s_]+", "-", name.lower()): number for number, name in enumerate(task.names)}
    plain = re.sub(r"[\s_]+", "-", text)
    if plain in names:  # before numbers: a class may be called "2", as a WHO grade is
        return names[plain]
    if re.fullmatch(r"\d+(\.0+)?", text) and text not in BROKEN and not any(name.isdigit() for name in names):
        number = int(float(text))
        if number < len(task.names):
            return number
    if any(name.isdigit() for name in names):
        raise Unreadable(" or ".join(task.names))
    raise Unreadable(", ".join(f"{number} ({name})" for number, name in enumerate(task.names)))


def given_labels(table: CohortTable, task: Task) -> tuple[LesionLabel, ...]:
    """The label of every unit, in the order of the table; what cannot be read is a finding and no label here."""
    found = []
    for (patient, lesion), rows in table.units(task.unit).items():
        said = [number for _, number in _said(rows, task)]
        number = said[0] if said else None
        rows_of = tuple(row.row for row in rows)
        found.append(LesionLabel(patient, lesion, number, TYPED if said else UNKNOWN, None, None, rows_of))
    return tuple(found)


def _said(rows: Sequence[CohortRow], task: Task) -> Iterator[tuple[CohortRow, int]]:
    """Rows that say a class, and which."""
    for row in rows:
        try:
            number = class_number(row.value(task.label.column), task)
        except Unreadable:
            continue
        if number is not None:
            yield row, number


def given_label_findings(table: CohortTable, task: Task) -> Iterator[Finding]:
    """Labels that cannot be read or contradict each other, units without one, and tables without two classes."""
    column, found = task.label.column, set()
    units = table.units(task.unit).values()
    strange = list(unreadable_labels(units, task))
    yield from strange
    unread = table.unreadable(column, strange)
    for rows in units:
        first = rows[0]
        said = list(_said(rows, task))
        found |= {number for _, number in said[:1]}
        if not said and not any(row.row in unread for row in rows):  # what cannot be read is told once
            what = f"The {task.unit} has no {column}"
            remedy = f"write its class into the column {column}; else it is left out"
            yield Finding(first.row, first.patient, first.lesion, "no label", what, remedy)
        for row, number in said[1:]:
            if number != said[0][1]:
                what = f"{column} is not that of row {said[0][0].row}, which is the same {task.unit}"
                yield Finding(row.row, row.patient, row.lesion, "contradictory label", what, "keep the right one")
    yield from class_findings(found, task)


def unreadable_labels(units: Iterable[Sequence[CohortRow]], task: Task) -> Iterator[Finding]:
    """Cells that say no class, each with what to write."""
    column = task.label.column
    for row in (row for rows in units for row in rows):
        try:
            class_number(row.value(column), task)
        except Unreadable as needed:
            what = f"“{row.value(column)}” in the column {column} cannot be read"
            yield Finding(row.row, row.patient, row.lesion, UNREADABLE, what, f"write {needed}", column)


def class_findings(found: set[int], task: Task) -> Iterator[Finding]:
    """What is wrong with a table whose units are of these classes and no others."""
    names = [task.names[number] for number in sorted(found)]
    lacking = [name for name in task.names if name not in names]
    if not names:
        what, remedy = f"No {task.unit} has a known {task.label.column}", f"fill in the column {task.label.column}"
        yield Finding(0, "", "", "nothing to learn", what, remedy)
    elif len(names) == 1:
        what = f"All {task.unit}s with a known {task.label.column} are {names[0]}"
        yield Finding(0, "", "", "one class only", what, f"add {task.unit}s of the other classes")
    elif lacking:
        what = f"No {task.unit} is {' or '.join(lacking)}"
        yield Finding(
            0, "", "", "one class only", what, "add some, or the model will never call that class with reason"
        )
