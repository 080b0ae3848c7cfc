"""The lesions of a cohort table as the checks take them, with planted tissue where the table knows of some."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..cohort.table import CohortRow
from ..core.errors import InputError
from ..systems.autoencoder.preprocessing import Preprocessing
from .subjects import Subject, subject_from_scan

PLANTED, PLANTED_MAP, LABEL = "planted", "planted_map", "label_value"
"""Columns ``truth_...`` of a synthetic cohort: whether tissue was planted, where, and under which value."""


def cohort_subjects(
    rows: Sequence[tuple[CohortRow, int]],
    folder: Path,
    preprocessing: Preprocessing,
    progress: Callable[[float, str], None] | None = None,
) -> list[Subject]:
    """Labelled lesions of a table; planted truth for non-responders, as the maps are scored.

    Args:
        rows: of :func:`~PulsarCAMLib.training.cohort_cases.usable_rows`.
        folder: of the table, from which its paths of the truth count.
        preprocessing: the model's.
        progress: called after each MRI with the share done and a text.

    Raises:
        InputError: an image, a mask or a map of planted tissue cannot be used.
    """
    from ..training.cohort_cases import cohort_cases

    known = {row.key: row for row, _ in rows}
    return [
        subject_from_scan(
            unit.patient,
            unit.case.reference_image.voxels,
            unit.case.geometry,
            unit.case.lesions[0],
            preprocessing,
            response=unit.label,
            planted=_planted(known[unit.patient, unit.name], unit.case.geometry.shape, folder, unit.label),
        )
        for unit in cohort_cases(rows, progress)
    ]


def _planted(row: CohortRow, shape: tuple[int, ...], folder: Path, response: int) -> np.ndarray | None:
    truth: Mapping[str, str] = row.truth
    if response or not {PLANTED, PLANTED_MAP, LABEL} <= set(truth) or float(truth[PLANTED]) == 0:
        return None
    from ..io.volumes import read_volume

    values, _ = read_volume(folder / str(truth[PLANTED_MAP]))
    if values.shape != shape:
        raise InputError(f"Row {row.row}: the map of planted tissue is not on the voxels of its MRI.")
    return values == float(truth[LABEL])
