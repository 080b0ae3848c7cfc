"""The units of a cohort table as the checks take them, with planted tissue where the table knows of some."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..cohort.tables.table import CohortRow
from ..core.errors import InputError
from .subjects import Subject, subject_of_case

if TYPE_CHECKING:
    from ..systems.contract import System

PLANTED, PLANTED_MAP, LABEL = "planted", "planted_map", "label_value"
"""Columns ``truth_...`` of a synthetic cohort: whether tissue was planted (else it was), where, and under which value
(else under any)."""


def cohort_subjects(
    rows: Sequence[tuple[CohortRow, int]],
    folder: Path,
    system: System,
    preprocessing: Any,
    progress: Callable[[float, str], None] | None = None,
) -> list[Subject]:
    """Labelled units of a table; planted truth for those of the class whose maps are scored.

    Args:
        rows: of :func:`~PulsarCAMLib.training.units.cohort_cases.usable_rows`.
        folder: of the table, from which its paths of the truth count.
        system: whose model is checked.
        preprocessing: the model's.
        progress: called after each MRI with the share done and a text.

    Raises:
        InputError: an image, a mask or a map of planted tissue cannot be used.
    """
    from ..training.units.cohort_cases import cohort_cases, unit_name

    known = {(row.patient, unit_name(row, system.task)): row for row, _ in rows}
    explained = system.task.index(system.task.explained)
    found = []
    for unit in cohort_cases(rows, progress, system):
        planted = None
        if unit.label == explained:
            planted = planted_of(known[unit.patient, unit.name], unit.case.geometry.shape, folder)
        found.append(
            subject_of_case(
                system, unit.patient, unit.case, preprocessing, unit=unit.name, label=unit.label, planted=planted
            )
        )
    return found


def planted_of(row: CohortRow, shape: tuple[int, ...], folder: Path) -> np.ndarray | None:
    """Planted tissue of a row's unit, bool ``[k, j, i]`` on the voxels of its MRI; None: the row knows of none.

    Args:
        row: of the table.
        shape: of its MRI.
        folder: of the table, from which its paths of the truth count.

    Raises:
        InputError: the map cannot be read, or is not on these voxels.
    """
    truth: Mapping[str, str] = row.truth
    if PLANTED_MAP not in truth or float(truth.get(PLANTED, 1)) == 0:
        return None
    from ..io.volumes import read_volume

    values, _ = read_volume(folder / str(truth[PLANTED_MAP]))
    if values.shape != shape:
        raise InputError(f"Row {row.row}: the map of planted tissue is not on the voxels of its MRI.")
    return values == float(truth[LABEL]) if LABEL in truth else values > 0
