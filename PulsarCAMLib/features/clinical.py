"""Clinical columns of a cohort table as features.

Numbers are taken as they are. A column with a word in it is a column of words: each word becomes a feature
``clinical_<column>=<word>`` that is 1 or 0; capitals and spaces around it do not count. A word that only one patient
has gets no feature of its own (all others are 0 then): it could be learnt by heart, and it may be a name. An empty cell
has no value.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..cohort.tables.cells import BLANK, as_text
from ..cohort.tables.columns import CLINICAL
from ..cohort.tables.table import CohortRow
from .row import FeatureRow
from .values import Problem

EMPTY = "the cell is empty"


def clinical_features(rows: Sequence[CohortRow]) -> tuple[dict[int, FeatureRow], list[Problem]]:
    """Clinical features of all rows of a table, by row number, and columns that cannot serve."""
    found = {row.row: FeatureRow() for row in rows}
    problems = []
    for column in dict.fromkeys(name for row in rows for name in row.clinical):
        cells = {row.row: _cell(row, column) for row in rows}
        if not any(isinstance(cell, str) for cell in cells.values()):
            for number, cell in cells.items():
                found[number].put(f"{CLINICAL}{column}", cell, EMPTY)
            continue
        words = _shared_words(rows, cells)
        if not words:
            what = f"no word in the column {CLINICAL}{column} belongs to two patients, so it cannot serve as a feature."
            problems.append(Problem(0, "clinical", what))
        for word in words:
            for number, cell in cells.items():
                value = None if cell is None else float(as_text(cell) == word)
                found[number].put(f"{CLINICAL}{column}={word}", value, EMPTY)
    return found, problems


def _cell(row: CohortRow, column: str) -> float | str | None:
    cell = row.clinical.get(column)
    if isinstance(cell, str):
        cell = " ".join(cell.split()).lower()
        return None if cell in BLANK else cell
    return cell


def _shared_words(rows: Sequence[CohortRow], cells: dict[int, float | str | None]) -> list[str]:
    """Words of at least two patients, sorted; a number among words is a word."""
    patients: dict[str, set[str]] = {}
    for row in rows:
        if cells[row.row] is not None:
            patients.setdefault(as_text(cells[row.row]), set()).add(row.patient)
    return sorted(word for word, whose in patients.items() if len(whose) > 1)
