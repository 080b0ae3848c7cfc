"""What explaining a unit would refuse or doubt, told when the table is checked: by the same functions of its system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..core.case import Image
from ..core.errors import COLUMN, InputError
from ..core.inputs import MASK
from ..core.vocabulary import BASELINE
from ..io.plain_files import is_there
from ..systems.contract import System
from .cases import Series, case_of, complete_rows, path_of, series_of
from .findings import Finding
from .reader import ImageKey, Reader
from .tables.table import CohortRow, CohortTable

REFUSED_REMEDY = "choose or export the right files; as it is the work would stop here"
DOUBTED_REMEDY = "look at the images, and correct the files if they are wrong"


def judged_units(table: CohortTable, system: System) -> dict[int, CohortRow]:
    """Rows that stand for a unit whose images can be judged together, by their numbers; none where nothing is said."""
    if not system.judges:
        return {}
    rows = complete_rows(table, BASELINE, system)
    return {
        row.row: row for row in rows if all(is_there(path) for role in system.inputs if (path := path_of(row, role)))
    }


def images_of(row: CohortRow, system: System) -> set[ImageKey]:
    """Images that a unit's judgement needs."""
    roles = [role for role in system.inputs if role.kind != MASK and path_of(row, role)]
    return {(*series_of(row, role), role.kind) for role in roles}


def case_findings(reader: Reader, row: CohortRow, system: System, preprocessing: Any) -> Iterator[Finding]:
    """Findings on the images of a unit together.

    Args:
        reader: of the table's files; an image of another row that it cannot read is told there.
        row: of :func:`judged_units`.
        system: that is to learn from it.
        preprocessing: of the model that is to be trained.
    """
    read: dict[Series, Image] = {}
    try:
        for role in system.inputs:
            if role.kind != MASK and path_of(row, role):
                read[series_of(row, role)] = reader.voxels(*series_of(row, role), role)
    except InputError:
        return
    try:
        told: Sequence[str] = system.judged(case_of(row, system, read), preprocessing)
    except InputError as error:
        what = error.told(COLUMN).rstrip(".")
        yield Finding(row.row, row.patient, row.lesion, "unusable case", what, REFUSED_REMEDY)
        return
    for sentence in told:
        what = sentence.rstrip(".")
        yield Finding(row.row, row.patient, row.lesion, "doubtful case", what, DOUBTED_REMEDY)
