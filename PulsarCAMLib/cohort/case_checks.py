"""What explaining a unit would refuse or doubt, told when the table is checked: by the same functions of its system."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from ..core.case import Image
from ..core.errors import COLUMN, InputError
from ..core.inputs import MASK
from ..core.vocabulary import BASELINE
from ..io.plain_files import is_there
from ..systems.contract import System
from .cases import Series, case_of, complete_rows, path_of, series_of
from .findings import Finding
from .table import CohortRow, CohortTable

REFUSED_REMEDY = "choose or export the right files; as it is the work would stop here"
DOUBTED_REMEDY = "look at the images, and correct the files if they are wrong"


def case_findings(
    table: CohortTable,
    system: System,
    preprocessing: Any = None,
    unusable: Collection[int] = (),
    progress: Callable[[float, str], None] | None = None,
) -> Iterator[Finding]:
    """Findings on the images of every unit together; none where the system says nothing.

    Args:
        table: whose units.
        system: that is to learn from them.
        preprocessing: of the model that is to be trained; None: the system's usual one.
        unusable: rows whose files have findings of their own already.
        progress: of the reading.
    """
    if not system.judges:
        return
    preprocessing = preprocessing or system.training_settings().preprocessing
    rows = [row for row in complete_rows(table, BASELINE, system) if _all_there(row, system)]
    read: dict[Series, Image] = {}
    for count, row in enumerate(rows, start=1):
        wanted = {series_of(row, role) for role in system.inputs if role.kind != MASK and path_of(row, role)}
        for series in set(read) - wanted:  # of units before: a visit shares images with the one before it only
            del read[series]
        if row.row not in unusable:
            yield from _of_row(row, system, preprocessing, read)
        if progress:
            progress(count / len(rows), f"row {row.row}: the {system.task.unit}'s images together")


def _all_there(row: CohortRow, system: System) -> bool:
    return all(is_there(path) for role in system.inputs if (path := path_of(row, role)))


def _of_row(row: CohortRow, system: System, preprocessing: Any, read: dict[Series, Image]) -> Iterator[Finding]:
    try:
        told: Sequence[str] = system.judged(case_of(row, system, read), preprocessing)
    except InputError as error:
        what = error.told(COLUMN).rstrip(".")
        yield Finding(row.row, row.patient, row.lesion, "unusable case", what, REFUSED_REMEDY)
        return
    for sentence in told:
        what = sentence.rstrip(".")
        yield Finding(row.row, row.patient, row.lesion, "doubtful case", what, DOUBTED_REMEDY)
