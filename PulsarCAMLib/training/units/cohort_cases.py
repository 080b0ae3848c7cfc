"""The units of a cohort table (lesions, patients) as cases of a system."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

from ...cohort.cases import Series, case_of, complete_rows, path_of, reference_role, series_of
from ...cohort.labels.lesion_label import LesionLabel
from ...cohort.tables.columns import CONFIDENCE
from ...cohort.tables.table import CohortRow, CohortTable
from ...core.case import Image
from ...core.errors import InputError
from ...core.inputs import MASK, InputRole
from ...core.task import PATIENT, Task
from ...core.vocabulary import BASELINE
from ...io.hashing import sha256_of
from ...systems.contract import LabelledUnit, System
from ...systems.registry import system_of

Progress = Callable[[float, str], None]


def usable_rows(
    table: CohortTable, labels: Sequence[LesionLabel], time_point: str = BASELINE, system: System | None = None
) -> list[tuple[CohortRow, int]]:
    """Rows of a time point that have a label and all that the system needs (MRI and contour, say), with the label.

    What the system wants of another time point is taken from that row and put into this one's ``extra``.

    Args:
        table: checked before.
        labels: of its units.
        time_point: of the rows.
        system: that is to learn from them; None: the one that comes first.

    Raises:
        InputError: there is none.
    """
    system = system or system_of()
    of_unit = {(label.patient, label.lesion): label.response for label in labels}
    label_of = {row.row: of_unit.get(key) for key, rows in table.units(system.task.unit).items() for row in rows}
    complete = complete_rows(table, time_point, system)
    found = [(row, label) for row in complete if (label := label_of.get(row.row)) is not None]
    if not found:
        raise InputError(
            f"No {system.task.unit} of the table has {needs(system, time_point)} and a {system.task.label.column}; "
            "complete the table first."
        )
    return found


def cohort_cases(
    rows: Sequence[tuple[CohortRow, int]], progress: Progress | None = None, system: System | None = None
) -> Iterator[LabelledUnit]:
    """Labelled units; every image is read once and only those of one MRI are in memory.

    Args:
        rows: of :func:`usable_rows`.
        progress: called after each MRI with the share done and a text.
        system: as :func:`usable_rows` had it.

    Raises:
        InputError: an image or a mask cannot be used.
    """
    system = system or system_of()
    first = reference_role(system)
    images: dict[Series, list[tuple[CohortRow, int]]] = {}
    for row, label in rows:
        images.setdefault(series_of(row, first), []).append((row, label))
    for count, units in enumerate(images.values(), start=1):
        read: dict[Series, Image] = {}
        for row, label in units:
            yield _unit(row, label, system, read)
        if progress:
            progress(count / len(images), f"MRI {count} of {len(images)}")


def inputs_digest(rows: Sequence[tuple[CohortRow, int]], system: System | None = None) -> str:
    """One hash of all images and masks that were used, which tells whether they are the same and not whose."""
    roles = (system or system_of()).inputs
    paths = {path for row, _ in rows for role in roles if (path := path_of(row, role))}
    return hashlib.sha256("".join(sorted(map(sha256_of, paths))).encode()).hexdigest()


def unit_name(row: CohortRow, task: Task) -> str:
    """What the unit of a row is called within its patient; a patient by its own name."""
    return row.patient if task.unit == PATIENT else row.lesion


def _unit(row: CohortRow, label: int, system: System, read: dict[Series, Image]) -> LabelledUnit:
    case = case_of(row, system, read)
    return LabelledUnit(row.patient, case, unit_name(row, system.task), label, row.extra.get(CONFIDENCE))


def needs(system: System, time_point: str) -> str:
    """What a unit needs, in words: "an MRI at the time point “baseline”, a contour on it"."""
    first, *others = [f"{_a(role)}" for role in system.needed_inputs]
    return ", ".join([f"{first} at the time point “{time_point}”", *others])


def _a(role: InputRole) -> str:
    if role.kind == MASK:
        return "a contour on it"
    return f"{'an' if role.title[:1] in 'AEFHILMNORSX' else 'a'} {role.title}"
