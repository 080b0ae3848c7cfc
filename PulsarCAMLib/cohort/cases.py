"""A unit of a cohort table as a case: images by role, from its row and from the rows of its other time points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..core.case import Case, Image
from ..core.inputs import MASK, InputRole
from ..core.lesion import Lesion
from ..core.task import LESION
from ..core.vocabulary import BASELINE, BEFORE
from ..systems.contract import System
from .masks import lesion_of, lesions_in, mask_place_of
from .tables.table import CohortRow, CohortTable

Series = tuple[Path, str | None]


def complete_rows(table: CohortTable, time_point: str, system: System) -> list[CohortRow]:
    """Rows of a time point that have all that a system needs, whether there is a label or not."""
    found, previous = [], table.previous
    for rows in table.units(system.task.unit).values():
        own = [_with_others(row, rows, previous.get(row.row), system) for row in rows if row.time_point == time_point]
        found += [row for row in own if all(path_of(row, role) for role in system.needed_inputs)]
    return sorted(found, key=lambda row: row.row)


def reference_role(system: System) -> InputRole:
    """The input on whose grid maps are written."""
    return next(role for role in system.inputs if role.kind != MASK)


def path_of(row: CohortRow, role: InputRole) -> Path | None:
    """Where an input lies: in the row itself, or where :func:`_with_others` put what another row of the unit names."""
    return row.value(role.table_column) if role.time_point == BASELINE else row.extra.get(role.name)


def series_of(row: CohortRow, role: InputRole) -> Series:
    """Where an image is read from, and which series."""
    path = path_of(row, role)
    assert path is not None
    return path, row.series if path == row.image else None


def _with_others(row: CohortRow, rows: Sequence[CohortRow], before: CohortRow | None, system: System) -> CohortRow:
    """The row with what other rows of its unit, or the patient's row before it, name for the system."""
    extra = {}
    for role in system.inputs:
        if role.time_point == BASELINE or role in system.other_masks:  # a table's rows are measured one by one
            continue
        there = [each for each in rows if each.time_point == role.time_point]
        other = before if role.time_point == BEFORE else next(iter(there), None)
        path = other.value(role.table_column) if other else None
        if path:
            extra[role.name] = path
    return replace(row, extra={**row.extra, **extra}) if extra else row


def case_of(row: CohortRow, system: System, read: dict[Series, Image], *, with_lesions: bool = True) -> Case:
    """Images and lesion of a complete row.

    Args:
        row: of :func:`complete_rows`.
        system: whose inputs they are.
        read: what has been read so far; is added to.
        with_lesions: False leaves the mask unread.

    Raises:
        InputError: an image or a mask cannot be used.
    """
    images: dict[str, Image] = {}
    for role in system.inputs:
        if role.kind == MASK or not path_of(row, role):
            continue
        key = series_of(row, role)
        if key not in read:
            read[key] = image_of(key, role)
        images[role.name] = read[key]
    reference = reference_role(system).name
    grid = images[reference].geometry
    return Case(images, _lesions(row, system, grid) if with_lesions else (), reference=reference)


def image_of(series: Series, role: InputRole) -> Image:
    """An MRI, a mask of the brain, or a dose in Gy.

    Raises:
        InputError: it cannot be used.
    """
    from ..io.inputs import read_input

    return read_input(series[0], role, series[1])


def _lesions(row: CohortRow, system: System, grid) -> tuple[Lesion, ...]:
    role = system.role(MASK)
    place = role and mask_place_of(row, role)
    if place is None:
        return ()
    return (lesion_of(row, grid),) if system.task.unit == LESION else lesions_in(place, grid)
