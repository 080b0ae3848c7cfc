"""The units of a cohort table (lesions, patients) as cases of a system."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..cohort.columns import CONFIDENCE
from ..cohort.lesion_label import LesionLabel
from ..cohort.masks import lesion_of, lesions_in, mask_place_of
from ..cohort.table import CohortRow, CohortTable
from ..core.case import Case, Image
from ..core.errors import InputError
from ..core.inputs import DOSE, MASK, InputRole
from ..core.lesion import Lesion
from ..core.task import LESION, PATIENT, Task
from ..core.vocabulary import BASELINE, BEFORE
from ..io.hashing import sha256_of
from ..systems.contract import LabelledUnit, System
from ..systems.registry import system_of

Progress = Callable[[float, str], None]

_Series = tuple[Path, str | None]


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


def complete_rows(table: CohortTable, time_point: str, system: System) -> list[CohortRow]:
    """The same whether there is a label or not."""
    found, previous = [], table.previous
    for rows in table.units(system.task.unit).values():
        own = [_with_others(row, rows, previous.get(row.row), system) for row in rows if row.time_point == time_point]
        found += [row for row in own if all(_path(row, role) for role in system.needed_inputs)]
    return sorted(found, key=lambda row: row.row)


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
    images: dict[_Series, list[tuple[CohortRow, int]]] = {}
    for row, label in rows:
        images.setdefault(series_of(row, first), []).append((row, label))
    for count, units in enumerate(images.values(), start=1):
        read: dict[_Series, Image] = {}
        for row, label in units:
            yield _unit(row, label, system, read)
        if progress:
            progress(count / len(images), f"MRI {count} of {len(images)}")


def inputs_digest(rows: Sequence[tuple[CohortRow, int]], system: System | None = None) -> str:
    """One hash of all images and masks that were used, which tells whether they are the same and not whose."""
    roles = (system or system_of()).inputs
    paths = {path for row, _ in rows for role in roles if (path := _path(row, role))}
    return hashlib.sha256("".join(sorted(map(sha256_of, paths))).encode()).hexdigest()


def unit_name(row: CohortRow, task: Task) -> str:
    """What the unit of a row is called within its patient; a patient by its own name."""
    return row.patient if task.unit == PATIENT else row.lesion


def reference_role(system: System) -> InputRole:
    """The input on whose grid maps are written."""
    return next(role for role in system.inputs if role.kind != MASK)


def _path(row: CohortRow, role: InputRole) -> Path | None:
    """Where an input lies: in the row itself, or where :func:`_with_others` put what another row of the unit names."""
    return row.value(role.table_column) if role.time_point == BASELINE else row.extra.get(role.name)


def series_of(row: CohortRow, role: InputRole) -> _Series:
    """Where an image is read from, and which series."""
    path = _path(row, role)
    assert path is not None
    return path, row.series if path == row.image else None


def _with_others(row: CohortRow, rows: Sequence[CohortRow], before: CohortRow | None, system: System) -> CohortRow:
    """The row with what other rows of its unit, or the patient's row before it, name for the system."""
    extra = {}
    for role in system.inputs:
        if role.time_point == BASELINE:
            continue
        there = [each for each in rows if each.time_point == role.time_point]
        other = before if role.time_point == BEFORE else next(iter(there), None)
        path = other.value(role.table_column) if other else None
        if path:
            extra[role.name] = path
    return replace(row, extra={**row.extra, **extra}) if extra else row


def _unit(row: CohortRow, label: int, system: System, read: dict[_Series, Image]) -> LabelledUnit:
    case = case_of(row, system, read)
    return LabelledUnit(row.patient, case, unit_name(row, system.task), label, row.extra.get(CONFIDENCE))


def case_of(row: CohortRow, system: System, read: dict[_Series, Image]) -> Case:
    """Images and lesion of a complete row.

    Args:
        row: of :func:`complete_rows`.
        system: whose inputs they are.
        read: what has been read so far; is added to.

    Raises:
        InputError: an image or a mask cannot be used.
    """
    images: dict[str, Image] = {}
    for role in system.inputs:
        if role.kind == MASK or not _path(row, role):
            continue
        key = series_of(row, role)
        if key not in read:
            read[key] = _image(key, role)
        images[role.name] = read[key]
    reference = reference_role(system).name
    grid = images[reference].geometry
    return Case(images, _lesions(row, system, grid), reference=reference)


def _image(series: _Series, role: InputRole) -> Image:
    from ..io.dose import read_dose
    from ..io.volumes import read_volume

    if role.kind == DOSE:
        return Image(*read_dose(series[0]))
    return Image(*read_volume(*series, wanted=role.about or role.title))


def _lesions(row: CohortRow, system: System, grid) -> tuple[Lesion, ...]:
    role = system.role(MASK)
    place = role and mask_place_of(row, role)
    if place is None:
        return ()
    return (lesion_of(row, grid),) if system.task.unit == LESION else lesions_in(place, grid)


def needs(system: System, time_point: str) -> str:
    """What a unit needs, in words: "an MRI at the time point “baseline”, a contour on it"."""
    first, *others = [f"{_a(role)}" for role in system.needed_inputs]
    return ", ".join([f"{first} at the time point “{time_point}”", *others])


def _a(role: InputRole) -> str:
    if role.kind == MASK:
        return "a contour on it"
    return f"{'an' if role.title[:1] in 'AEFHILMNORSX' else 'a'} {role.title}"
