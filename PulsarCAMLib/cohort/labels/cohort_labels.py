"""Response of every lesion of a cohort, computed from its two volumes; typed labels only where there is no volume."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.errors import InputError
from ...core.task import COMPUTED, SHRINKAGE
from ...core.vocabulary import BASELINE
from ...io.plain_files import is_there
from ...systems.contract import System
from ..findings import errors_in
from ..masks import FIRST, FOLLOWUP, Measured, Progress, mask_place, measure
from ..tables.table import CohortRow, CohortTable
from .lesion_label import FROM_BOTH, FROM_MASKS, FROM_VOLUMES, TYPED, UNKNOWN, LesionLabel
from .response import responds


def check_shrinkage(shrinkage: float) -> float:
    """The share itself.

    Raises:
        InputError: not strictly between 0 and 1.
    """
    if not 0 < shrinkage < 1:
        raise InputError(f"The shrinkage that counts as response is a share between 0 and 1, not {shrinkage:g}.")
    return shrinkage


def label_cohort(
    table: CohortTable,
    shrinkage: float = 0.2,
    *,
    measured: Measured | None = None,
    progress: Progress | None = None,
    system: System | None = None,
    rule: str | None = None,
) -> tuple[LesionLabel, ...]:
    """Label every unit: by the classes given or by the system's rule where its task wants it, else by shrinkage.

    By shrinkage, response if and only if ``V_followup < (1 - shrinkage) * V_baseline``, strictly.

    A volume that the table gives is taken before one that is measured on the mask. Both belong to the baseline row of
    the lesion; further MRIs before treatment share its label.

    Args:
        table: checked before; see :func:`PulsarCAMLib.cohort.checks.check_cohort`.
        shrinkage: share of the volume that must be lost; 0.2 in Peng et al. 2025; 0.3 and 0.5 are common.
        measured: volumes of :func:`PulsarCAMLib.cohort.masks.measure`; None measures what the table does not give;
            empty: no mask is read, by other systems' rules either.
        progress: of that measuring.
        system: whose task says where labels come from; None: shrinkage.
        rule: by which the system computes labels; None: its usual one.

    Returns:
        Labels in the order of the table; a lesion without follow-up has None.

    Raises:
        InputError: a mask that is needed cannot be used, or the shrinkage is out of range.
    """
    if system and system.task.label.kind == COMPUTED:
        from .computed import computed_labels

        return computed_labels(table, system, rule, read_files=measured is None)
    if system and system.task.label.kind != SHRINKAGE:
        from .given import given_labels

        return given_labels(table, system.task)
    check_shrinkage(shrinkage)
    if measured is None:
        measured = _measure_missing(table, progress)
    return tuple(label_lesion(rows, shrinkage, measured) for rows in table.lesions.values())


def labels_without_files(
    table: CohortTable, shrinkage: float, system: System, rule: str | None = None
) -> tuple[LesionLabel, ...] | None:
    """The labels of :func:`label_cohort`, where the table alone tells them; None: masks may have a say."""
    found = label_cohort(table, shrinkage, measured={}, system=system, rule=rule)
    is_typed = system.task.label.kind not in (COMPUTED, SHRINKAGE)  # then an empty cell stays unknown
    return found if is_typed or all(label.source != UNKNOWN for label in found) else None


def label_lesion(rows: Sequence[CohortRow], shrinkage: float, measured: Measured) -> LesionLabel:
    """Label of one lesion from its rows."""
    base, last = baseline_row(rows), followup_row(rows)
    first = _volume(base.volume_cm3, measured.get((base.row, FIRST))) if base else (None, "")
    follow = _volume(last.followup_volume_cm3, measured.get((last.row, FOLLOWUP))) if last else (None, "")
    typed = next((row.response for row in rows if row.response is not None), None)
    if first[0] is not None and first[0] > 0 and follow[0] is not None:
        response = responds(first[0], follow[0], shrinkage)
        source = first[1] if first[1] == follow[1] else FROM_BOTH
    else:
        response, source = typed, UNKNOWN if typed is None else TYPED
    patient, lesion = rows[0].key
    return LesionLabel(patient, lesion, response, source, first[0], follow[0], tuple(row.row for row in rows))


def baseline_row(rows: Sequence[CohortRow]) -> CohortRow | None:
    """The row of the first MRI."""
    return next((row for row in rows if row.time_point == BASELINE), None)


def followup_row(rows: Sequence[CohortRow]) -> CohortRow | None:
    """The row that knows the follow-up: the baseline's if it does."""
    known = [row for row in rows if row.followup_volume_cm3 is not None or row.followup_segmentation]
    return next((row for row in known if row.time_point == BASELINE), known[0] if known else None)


def _volume(given: float | None, mask: float | None) -> tuple[float | None, str]:
    return (mask, FROM_MASKS) if given is None else (given, FROM_VOLUMES)


def _measure_missing(table: CohortTable, progress: Progress | None) -> Measured:
    wanted = set()
    for rows in table.lesions.values():
        base, last = baseline_row(rows), followup_row(rows)
        if base and last:
            wanted |= {(base.row, FIRST)} if base.volume_cm3 is None else set()
            wanted |= {(last.row, FOLLOWUP)} if last.followup_volume_cm3 is None else set()
    missing = [
        place.path
        for row in table.rows
        for which in (FIRST, FOLLOWUP)
        if (row.row, which) in wanted and (place := mask_place(row, which)) and not is_there(place.path)
    ]
    if missing:
        raise InputError(f"{len(missing)} masks are missing, the first is {missing[0]}; check the table first.")
    measured, findings = measure(table, wanted, progress=progress) if wanted else ({}, [])
    if wrong := errors_in(findings):
        first = wrong[0]
        raise InputError(f"Row {first.row}: {first.what}; check the table first.")
    return measured
