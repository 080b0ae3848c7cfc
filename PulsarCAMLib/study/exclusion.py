"""Lesions that leave a study before it is split, for all models: those around which the dose falls off too slowly."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..cohort.tables.table import CohortTable
from ..core.errors import InputError
from ..core.pluralize import pluralize
from ..core.task import Task
from .folder import FINISHED

if TYPE_CHECKING:
    from .running import Running
    from .settings import StudySettings

STAGE = "computing gradient indices"


def check_dose(cohort: CohortTable, settings: StudySettings) -> None:
    """Refuse before hours of work a limit that cannot be applied.

    Raises:
        InputError: no row names a dose.
    """
    if settings.gi_limit is not None and not any(row.dose for row in cohort.rows):
        raise InputError(
            "No row of the table has anything in a column dose, which the limit of the gradient index needs; fill in "
            "the column dose, or leave the limit out."
        )


def within_limit(
    cohort: CohortTable, rows: tuple[list, list], settings: StudySettings, folder: Path, running: Running
) -> tuple[tuple[list, list], dict[str, Any] | None]:
    """The rows of the lesions that stay, and who left; all of them and None where there is no limit.

    A lesion leaves if its gradient index is above the limit on any of its MRIs. One without an index stays: not knowing
    is no reason to leave a lesion out. Lesions that leave still end their neighbours' surroundings.

    Args:
        cohort: table of the study.
        rows: of :func:`~.prepare.study_rows`.
        settings: of the study.
        folder: of the study, where finished lesions are kept.
        running: how.

    Returns:
        Rows as given, and JSON values without names: ``gi_limit``, how many ``lesions``, ``patients`` (with such a
        lesion) and ``responses`` left, how many lesions stay with an ``unknown`` index, and ``rows`` with the rows of
        the table, the largest index and the response of each that left.

    Raises:
        InputError: no lesion has an index, or all are above the limit.
    """
    if settings.gi_limit is None:
        return rows, None
    index, problems = _indices(cohort, rows, settings, folder, running)
    known = {key for key, value in index.items() if np.isfinite(value)}
    if not known:
        why = f" (the first reason: {problems[0]})" if problems else ""
        raise InputError(
            f"No lesion has a dose gradient index to hold against the limit{why}; put the doses right, or leave the "
            "limit out."
        )
    gone = {key for key in known if index[key] > settings.gi_limit}
    stay = tuple([part for part in each if part[0].key not in gone] for each in rows)
    if not stay[0]:
        raise InputError(f"All {len(gone)} lesions have a dose gradient index above {settings.gi_limit:g}; raise it.")
    found = _told(rows, gone, index, settings) | {"unknown": len(index) - len(known)}
    for sentence in left_out_sentences(found, settings.task) if running.on_warning else ():
        running.on_warning(sentence)
    return stay, found


def _indices(cohort, rows, settings: StudySettings, folder: Path, running: Running):
    """Largest gradient index of each lesion's MRIs by its key, NaN where none is known, and what went wrong."""
    from ..features.settings import feature_settings_of
    from ..features.table import compute_features
    from ..features.values import GRADIENT_INDEX
    from .jobs import dask_workers

    keys = {row.row: row.key for each in rows for row, _ in each}
    chosen = feature_settings_of(settings.features.get("table", {}))
    spread = partial(dask_workers, running.scheduler)
    with running.progress(STAGE) as stage, spread():
        how = {"jobs": -1 if running.scheduler else running.at_once, "progress": stage, "only": set(keys)}
        table = compute_features(cohort, ("dose",), chosen, folder / FINISHED, **how)
    index = dict.fromkeys(keys.values(), np.nan)
    if GRADIENT_INDEX in table.names:
        for row, value in zip(table.rows.tolist(), table.column(GRADIENT_INDEX).tolist(), strict=True):
            index[keys[row]] = float(np.fmax(index[keys[row]], value))
    return index, table.problems


def _told(rows: tuple[list, list], gone: set, index: dict, settings: StudySettings) -> dict[str, Any]:
    second = {row.key: row.row for row, _ in rows[1]}
    positive = settings.task.index(settings.task.positive)
    each = [
        {
            "baseline_row": row.row,
            "second_row": second.get(row.key),
            "gradient_index": round(index[row.key], 4),
            "response": int(label == positive),
        }
        for row, label in rows[0]
        if row.key in gone
    ]
    return {
        "gi_limit": settings.gi_limit,
        "lesions": len(gone),
        "of_lesions": len(rows[0]),
        "patients": len({patient for patient, _ in gone}),
        "responses": sum(one["response"] for one in each),
        "rows": each,
    }


def left_out_sentences(found: dict[str, Any] | None, task: Task) -> list[str]:
    """Who left and why, for the person, in the words of the study's task; [] where there was no limit."""
    if not found:
        return []
    adjective = task.of(task.positive).adjective
    limit = f"a dose gradient index above {found['gi_limit']:g}"
    if not found["lesions"]:
        told = f"No lesion has {limit}; all take part."
    else:
        rows = ", ".join(f"{one['baseline_row']} ({one['gradient_index']:.2f})" for one in found["rows"])
        told = (
            f"{found['lesions']} of {found['of_lesions']} lesions ({found['responses']} {adjective}; of "
            f"{pluralize(found['patients'], 'patient')}) left before the splits, for all models, for {limit}; "
            f"rows of the table, with the index: {rows}."
        )
    unknown = found["unknown"]
    if not unknown:
        return [told]
    stay = "lesion has no gradient index and stays" if unknown == 1 else "lesions have no gradient index and stay"
    return [told, f"{unknown} {stay}."]
