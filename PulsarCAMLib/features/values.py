"""A table of features: one line per lesion and time point, known by row numbers of the cohort table, never by names."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..core.vocabulary import BASELINE, GROUPS as TYPED, SECOND, TIME_POINTS
from ..io.atomic import write_whole
from ..io.csv_files import csv_text, read_csv, records_of

GROUPS = tuple(TYPED.values())
"""Kinds of features; the name of a feature begins with that of its group."""

DELTA, RELATIVE = "delta_", "_relative"

GRADIENT_INDEX = "dose_gradient_index"

KEYS = ("row", "lesion_number", "time_point")

PEOPLE = ("patient", "lesion")
"""Columns of a user's own table, beside the row numbers; only :func:`read_people` reads them."""


def group_of(name: str) -> str:
    """The group of a feature, also of its change.

    Raises:
        InputError: the name is no feature's.
    """
    stem = name.removeprefix(DELTA)
    group = next((group for group in GROUPS if stem.startswith(f"{group}_")), None)
    if group is None:
        raise InputError(f"“{name}” is not the name of a feature; they begin with {', '.join(GROUPS)}.")
    return group


NOT_COMPUTED = "the lesion could not be used; see the list of problems"
"""Reason of every value of a lesion that a :class:`Problem` tells about."""


@dataclass(frozen=True)
class Problem:
    """Why a lesion has no features of a group.

    Attributes:
        row: of the cohort table; 0 for the whole table.
        group: in :data:`GROUPS`; "" for all of them.
        sentence: for the person; may name files.
    """

    row: int
    group: str
    sentence: str

    def __str__(self) -> str:
        where = f"Row {self.row}" if self.row else "Table"
        return f"{where}{f' ({self.group})' if self.group else ''}: {self.sentence}"


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features of a cohort.

    Attributes:
        rows: int ``[N]``, row numbers of the cohort table (headings are row 1).
        lesions: int ``[N]``, 0, 1, ... in the order in which the cohort table first has them; two rows of the same
            lesion have the same number.
        time_points: "baseline" or "second", ``N`` of them.
        names: of the ``n`` features.
        values: float ``[N, n]``; NaN where a value does not exist.
        reasons: (row, name) to why it does not exist; not for every NaN, where a table was read from a file.
        problems: lesions that could not be used, in the order of the rows.
    """

    rows: np.ndarray
    lesions: np.ndarray
    time_points: tuple[str, ...]
    names: tuple[str, ...]
    values: np.ndarray
    reasons: Mapping[tuple[int, str], str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def group_of(self, name: str) -> str:
        """See :func:`group_of`."""
        return group_of(name)

    def column(self, name: str) -> np.ndarray:
        """Values of one feature ``[N]``.

        Raises:
            InputError: the table does not have it.
        """
        if name not in self.names:
            raise InputError(f"The table of features has no column {name}.")
        return self.values[:, self.names.index(name)]

    def save(
        self, path: str | Path, *, people: Mapping[int, tuple[str, str]] | None = None, overwrite: bool = False
    ) -> Path:
        """Write the values as CSV; an empty cell is a value that does not exist.

        Args:
            path: of the file.
            people: row to patient and lesion, for a table that stays with the one whose patients they are.
            overwrite: replace a file that is already there.

        Raises:
            OutputError: see :func:`..io.atomic.write_whole`.
        """
        return write_whole(path, self.as_csv(people).encode(), overwrite=overwrite)

    def as_csv(self, people: Mapping[int, tuple[str, str]] | None = None) -> str:
        """The content of the file of :meth:`save`."""
        lines = [[*KEYS[:1], *(PEOPLE if people else ()), *KEYS[1:], *self.names]]
        for n, row in enumerate(self.rows.tolist()):
            who = people[row] if people else ()
            cells = ["" if math.isnan(value) else repr(value) for value in self.values[n].tolist()]
            lines.append([row, *who, int(self.lesions[n]), self.time_points[n], *cells])
        return csv_text((), lines)

    def reasons_as_csv(self) -> str:
        """Why values do not exist: row, feature, reason; one line for a whole group that has one and the same."""
        lines: list[Sequence[object]] = [["row", "feature", "reason"]]
        lines += [[problem.row, f"{problem.group or 'all'}_*", problem.sentence] for problem in self.problems]
        told = {(problem.row, problem.group) for problem in self.problems}
        for row in self.rows.tolist():
            lines += [[row, *each] for each in self._reasons_of(row, told)]
        return csv_text((), lines)

    def _reasons_of(self, row: int, told: set[tuple[int, str]]) -> list[tuple[str, str]]:
        found: dict[str, list[tuple[str, str]]] = {}
        for name in self.names:
            if self.reasons.get((row, name)) == NOT_COMPUTED and told & {(row, ""), (row, group_of(name))}:
                continue
            start = f"{DELTA if name.startswith(DELTA) else ''}{group_of(name)}_"
            found.setdefault(start, []).append((name, self.reasons.get((row, name), "")))
        lines = []
        for start, each in found.items():
            same = {reason for _, reason in each}
            whole = len(same) == 1 and len(each) > 1 and each[0][1]
            lines += [(f"{start}*", each[0][1])] if whole else [(name, reason) for name, reason in each if reason]
        return lines


def read_features(path: str | Path) -> FeatureTable:
    """A table that :meth:`FeatureTable.save` wrote, without reasons and problems.

    Raises:
        InputError: no such file, or not a table of features.
    """
    path = Path(path)
    try:
        headings, rows = read_csv(path)
        lines = records_of(headings, rows)
    except (ValueError, csv.Error) as error:
        raise InputError(f"The table of features {path} is damaged; compute it again.") from error
    missing = [key for key in KEYS if key not in headings]
    if missing:
        raise InputError(f"{path.name} is not a table of features; it has no column {' and no column '.join(missing)}.")
    names = tuple(name for name in headings if name not in (*KEYS, *PEOPLE))
    for name in names:
        group_of(name)
    try:
        values = [[float(line[name]) if line[name] else math.nan for name in names] for line in lines]
        rows, lesions = ([int(line[key]) for line in lines] for key in KEYS[:2])
    except (TypeError, ValueError) as error:
        raise InputError(f"The table of features {path.name} has a cell that is no number ({error}).") from error
    points = tuple(line["time_point"] for line in lines)
    if set(points) - set(TIME_POINTS):
        raise InputError(f"The table of features {path.name} has a time point that is not known.")
    array = np.array(values, dtype=float).reshape(len(lines), len(names))
    return FeatureTable(np.array(rows, int), np.array(lesions, int), points, names, array)


def read_people(path: str | Path) -> dict[int, tuple[str, str]]:
    """Row to patient and lesion, of a table that :meth:`FeatureTable.save` wrote with ``people``.

    Raises:
        InputError: no such file, or it does not say whose lesions these are.
    """
    path = Path(path)
    try:
        lines = records_of(*read_csv(path))
    except (ValueError, csv.Error) as error:
        raise InputError(f"The table of features {path} is damaged; compute it again.") from error
    try:
        return {int(line["row"]): (line["patient"], line["lesion"]) for line in lines}
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path.name} does not say whose lesions these are (columns row, patient and lesion); compute it by "
            "pulsarcam features."
        ) from error


NO_CHANGE_YET = "a change is known on the second MRI only"
NO_PAIR = "the lesion has no first MRI to compare with"
NOT_BOTH = "the feature does not exist on both MRIs"


def with_delta(table: FeatureTable) -> FeatureTable:
    """The table with how features changed from the first to the second MRI, in the rows of the second.

    ``delta_<name>`` is second less first. ``delta_<name>_relative`` is the same over the first; only features have it
    that are above zero on every first MRI and not below zero on any second one, in all lesions that have both. Clinical
    facts do not change.
    """
    names = [name for name in table.names if not name.startswith(DELTA) and group_of(name) != "clinical"]
    at = [table.names.index(name) for name in names]
    first_of = {int(lesion): n for n, lesion in enumerate(table.lesions) if table.time_points[n] == BASELINE}
    pairs = [
        (first_of[int(lesion)], n)
        for n, lesion in enumerate(table.lesions)
        if table.time_points[n] == SECOND and int(lesion) in first_of
    ]
    firsts, seconds = (np.array([pair[n] for pair in pairs], dtype=int) for n in range(2))
    before, after = table.values[firsts][:, at], table.values[seconds][:, at]
    both = np.isfinite(before) & np.isfinite(after)
    ratios = both.any(axis=0) & ((before > 0) | ~both).all(axis=0) & ((after >= 0) | ~both).all(axis=0)
    change = after - before
    relative = change[:, ratios] / np.where(both, before, np.nan)[:, ratios]
    values = np.full((len(table.rows), len(names) + int(ratios.sum())), np.nan)
    values[seconds] = np.concatenate([change, relative], axis=1)
    new = [f"{DELTA}{name}" for name in names]
    new += [f"{DELTA}{name}{RELATIVE}" for name, ratio in zip(names, ratios, strict=True) if ratio]
    reasons = dict(table.reasons) | _delta_reasons(table, values, new, set(seconds.tolist()))
    kept = [n for n, name in enumerate(table.names) if not name.startswith(DELTA)]
    all_names = tuple(table.names[n] for n in kept) + tuple(new)
    together = np.concatenate([table.values[:, kept], values], axis=1)
    return replace(table, names=all_names, values=together, reasons=reasons)


def _delta_reasons(table: FeatureTable, values: np.ndarray, names: list[str], paired: set[int]) -> dict:
    found = {}
    for n, row in enumerate(table.rows.tolist()):
        why = NOT_BOTH if n in paired else NO_CHANGE_YET if table.time_points[n] == BASELINE else NO_PAIR
        found |= {(row, names[at]): why for at in np.flatnonzero(np.isnan(values[n]))}
    return found


def excluded_by_gradient_index(table: FeatureTable, limit: float = 4.0) -> np.ndarray:
    """Rows of lesions whose dose falls off too slowly, bool ``[N]``: the gradient index is above the limit on any MRI.

    Lesions without a gradient index stay: not knowing is no reason to leave a lesion out.

    Raises:
        InputError: the table has no gradient index.
    """
    above = table.column(GRADIENT_INDEX) > limit
    return np.isin(table.lesions, table.lesions[above])
