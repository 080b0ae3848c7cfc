"""Classes that a system computes from a patient's visits, where the table does not give them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...core.errors import InputError
from ...core.task import Task
from ...systems.contract import ComputedLabel, System
from ..findings import Finding
from ..tables.columns import COLUMNS
from ..tables.table import CohortRow, CohortTable
from .given import class_findings, class_number, unreadable_labels
from .lesion_label import TYPED, UNKNOWN, LesionLabel


def rule_of(task: Task, name: str | None = None) -> str:
    """The name of a rule, the usual one where none is given.

    Raises:
        InputError: the task has no such rule.
    """
    rules = task.label.rules
    if name is not None and name not in rules:
        known = ", ".join(rules) or "none"
        raise InputError(f"The rule of the column {task.label.column} must be one of {known}; it is {name!r}.")
    return name or next(iter(rules))


NOT_READ = "not told by the table alone, and no mask was read"


def computed_labels(
    table: CohortTable, system: System, rule: str | None = None, *, read_files: bool = True
) -> tuple[LesionLabel, ...]:
    """The label of every visit that has one before it: as typed, else by the system's rule.

    Args:
        table: checked before.
        system: whose task is computed.
        rule: of the task's; None: the usual one.
        read_files: measure masks; without them a label is not known where the table does not tell it.

    Raises:
        InputError: the task has no such rule, or a mask cannot be used.
    """
    found, units = [], table.units(system.task.unit)
    name = rule_of(system.task, rule)
    for row, typed, made in _labels(table, system, name, read_files):
        if row.key not in units:
            continue
        if made.wrong and typed is None:
            raise InputError(f"Row {row.row}: {made.wrong}; check the table first.")
        label = typed if typed is not None else made.label
        source = TYPED if typed is not None else UNKNOWN if label is None else name
        why = "" if typed is not None else made.why if read_files or label is not None else NOT_READ
        found.append(LesionLabel(*row.key, label, source, None, None, (row.row,), why))
    return tuple(found)


def computed_label_findings(
    table: CohortTable, system: System, rule: str | None = None, read_files: bool = True
) -> Iterator[Finding]:
    """Labels that cannot be read, computed or believed, and tables without two classes."""
    task, name = system.task, rule_of(system.task, rule)
    units, found, waiting = table.units(task.unit), set(), False
    strange = list(unreadable_labels(units.values(), task))
    yield from strange
    unread = table.unreadable(task.label.column, strange)
    for row, typed, made in _labels(table, system, name, read_files):
        if made.wrong:
            remedy = f"correct the mask, or write the class into the column {task.label.column}"
            yield Finding(row.row, row.patient, row.lesion, "unusable mask", made.wrong, remedy)
        for doubt in made.doubts:
            remedy = "see which is right; what is typed counts"
            yield Finding(row.row, row.patient, row.lesion, "volumes differ", doubt, remedy)
        if row.key not in units:
            continue
        label = typed if typed is not None else made.label
        found |= {label} - {None}
        if label is None and not made.wrong and row.row not in unread:
            waiting |= not read_files
            what = f"The {task.unit} has no {task.label.column}, and by {name} none can be told: {made.why}"
            remedy = f"add what is lacking, or write its class into the column {task.label.column}; else it is left out"
            if read_files:
                yield Finding(row.row, row.patient, row.lesion, "label not computed", what, remedy)
        elif typed is not None and made.label not in (None, typed):
            what = (
                f"{task.label.column} is {task.names[typed]}, but by {name} it is {task.names[made.label]}: {made.why}"
            )
            yield Finding(
                row.row, row.patient, row.lesion, "label differs", what, "see which is right; what is typed counts"
            )
    if not waiting:
        yield from class_findings(found, task)


def _labels(
    table: CohortTable, system: System, rule: str, read_files: bool
) -> Iterator[tuple[CohortRow, int | None, ComputedLabel]]:
    """Every visit with the class typed for it and the one computed; a patient's first visit has none to be typed."""
    for rows in table.visits.values():
        made = system.computed_labels([cells_of(row) for row in rows], rule, read_files=read_files)
        for number, (row, label) in enumerate(zip(rows, made, strict=True)):
            yield row, _typed(row, system.task) if number else None, label


def _typed(row: CohortRow, task: Task) -> int | None:
    try:
        return class_number(row.value(task.label.column), task)
    except ValueError:
        return None


def cells_of(row: CohortRow) -> dict[str, Any]:
    """What is in a row, by column; what is empty is absent."""
    own = {name: getattr(row, name) for name in COLUMNS}
    return {name: value for name, value in {**own, **row.extra}.items() if value is not None}
