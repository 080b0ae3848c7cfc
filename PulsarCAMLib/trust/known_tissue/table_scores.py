"""A model bundle on the lesions of a table that knows where the truth is: what :mod:`.synthetic_scores` is for patients
who are generated, so that a rule made elsewhere is judged as those that PulsarCAM generates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...cohort.tables.table import CohortRow
from ..cohort_subjects import planted_of
from ..maps import map_names
from .map_scores import scores_of_unit
from .synthetic_scores import LesionScore

if TYPE_CHECKING:
    from ...systems.bundles.bundle import ModelBundle


def score_rows(
    bundle: ModelBundle,
    rows: Sequence[tuple[CohortRow, int]],
    folder: Path,
    progress: Callable[[float, str], None] | None = None,
) -> list[LesionScore]:
    """Predict every lesion, and score the maps of those of the explained class whose truth is known.

    Args:
        bundle: the model; it must not have seen the patients.
        rows: of :func:`~PulsarCAMLib.training.units.cohort_cases.usable_rows`.
        folder: of the table, from which its paths of the truth count.
        progress: called after each MRI with the share done and a text.

    Raises:
        InputError: an image, a mask or a map of planted tissue cannot be used.
    """
    from ...explanation.explain import explain_case
    from ...training.units.cohort_cases import cohort_cases, unit_name

    system = bundle.card.system
    task, names = system.task, map_names(system)
    known = {(row.patient, unit_name(row, task)): row for row, _ in rows}
    found = []
    for unit in cohort_cases(rows, progress, system):
        image = unit.case.reference_image.voxels
        result = explain_case(unit.case, bundle, methods=names.model, each_input=False)
        (explained,) = result.units
        truth = planted_of(known[unit.patient, unit.name], image.shape, folder)
        share, maps, empty = 0.0, {}, ()
        if truth is not None:
            share = float(truth[explained.lesion.box][explained.lesion.mask].mean())
            if unit.label == task.index(task.explained):
                maps, empty = scores_of_unit(result, explained, [image], truth, names, task.explained)
        found.append(LesionScore(unit.patient, unit.name, unit.label, explained.probability, share, maps, empty))
    return found
