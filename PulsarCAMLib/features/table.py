"""Features of all lesions and time points of a cohort, over processes or machines, resumable."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import numpy as np

from ..cohort.tables.table import CohortRow, CohortTable
from ..core.errors import Cancelled, InputError
from ..core.pluralize import pluralize
from .clinical import clinical_features
from .row import FeatureRow
from .settings import FeatureSettings
from .store import Keys, make_folder, saved_lesion
from .values import (
    GROUPS,
    NOT_COMPUTED,
    FeatureTable,
    Problem,
    excluded_by_gradient_index,
    group_of,
    read_features,
    with_delta,
)
from .work import Done, Work, all_of, each_of

__all__ = [
    "GROUPS",
    "FeatureTable",
    "Problem",
    "compute_features",
    "excluded_by_gradient_index",
    "group_of",
    "read_features",
    "with_delta",
]

Progress = Callable[[float, str], None]

NO_DOSE = "no dose is given for this row"


def compute_features(
    table: CohortTable,
    groups: Sequence[str] = GROUPS,
    settings: FeatureSettings | None = None,
    folder: str | Path = "features",
    *,
    only: Collection[int] | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> FeatureTable:
    """Features of the rows of a cohort table.

    Lesions that are finished in the folder already are not computed again. A lesion that cannot be used has no values
    and is listed in :attr:`FeatureTable.problems`; the others go on. What comes out does not depend on ``jobs``.

    Args:
        table: the cohort.
        groups: of :data:`GROUPS`.
        settings: None: the usual ones.
        folder: where finished lesions are kept, made if need be; it gets no name of a patient, lesion or file.
        only: numbers of the rows to be computed; the others are neighbours that end a lesion's surroundings, no more.
            None: all rows.
        jobs: MRIs worked on side by side, by joblib; 1 stays in this process. Within ``joblib.parallel_config`` the
            engine named there does the work (-1: all its workers), and the folder must be the same path for all.
        progress: called now and then with the share done and a text.
        cancelled: asked between lesions (between MRIs where ``jobs`` is not 1); True stops.

    Raises:
        InputError: an unknown group.
        DependencyError: radiomics without mirp.
        OutputError: the folder cannot be written.
        Cancelled: ``cancelled`` said so; what is finished stays in the folder.
    """
    unknown = [group for group in groups if group not in GROUPS]
    if unknown or not groups:
        raise InputError(f"There are no features called {', '.join(unknown)}; choose from {', '.join(GROUPS)}.")
    groups = tuple(group for group in GROUPS if group in groups)
    if "radiomics" in groups:
        from ..core.requirements import FOR_RADIOMICS, require
        from .radiomics.extraction import EXTRA, IN_SLICER

        require(FOR_RADIOMICS, EXTRA, IN_SLICER)
    settings, folder = settings or FeatureSettings(), Path(folder)
    make_folder(folder)
    chosen = {row.row for row in table.rows if only is None or row.row in only}
    collected = _Collected(table, chosen, groups)
    works = _plan(table, chosen, groups, Keys(settings), folder, collected)
    _compute(works, settings, folder, collected, jobs, progress, cancelled)
    return collected.table()


class _Collected:
    """What is known of every row so far."""

    def __init__(self, table: CohortTable, chosen: set[int], groups: tuple[str, ...]) -> None:
        self._chosen = chosen
        self._rows, self._groups = [row for row in table.rows if row.row in chosen], groups
        self._found: dict[tuple[int, str], FeatureRow] = {}
        self._missing: dict[tuple[int, str], str] = {}
        self._problems: list[Problem] = []
        numbers = {key: n for n, key in enumerate(table.lesions)}
        self._lesions = [numbers[row.key] for row in self._rows]
        if "clinical" in groups:
            clinical, self._problems = clinical_features(self._rows)
            self._found |= {(row, "clinical"): features for row, features in clinical.items()}

    def add(self, done: Done) -> None:
        for group, found in done.found.items():
            if isinstance(found, Problem):
                self._problems.append(found)
            else:
                self._found[done.row, group] = found

    def leave_out(self, row: int, group: str, reason: str) -> None:
        """Without a problem."""
        self._missing[row, group] = reason

    def refuse(self, row: int, group: str, sentence: str) -> None:
        if row in self._chosen:
            self._problems.append(Problem(row, group, sentence))

    def table(self) -> FeatureTable:
        by_group = {
            group: list(dict.fromkeys(n for row in self._rows for n in self._found.get((row.row, group), ())))
            for group in self._groups
        }
        names = [name for each in by_group.values() for name in each]
        values, reasons = np.full((len(self._rows), len(names)), np.nan), {}
        at = {name: n for n, name in enumerate(names)}
        for line, row in enumerate(self._rows):
            for group, own in by_group.items():
                found = self._found.get((row.row, group), {})
                why = getattr(found, "reasons", {})
                instead = self._missing.get((row.row, group), NOT_COMPUTED)
                for name in own:
                    value = found.get(name)
                    if value is None:
                        reasons[row.row, name] = why.get(name, instead)
                    else:
                        values[line, at[name]] = value
        order = {group: n for n, group in enumerate(("", *GROUPS))}
        problems = tuple(sorted(set(self._problems), key=lambda p: (p.row, order[p.group], p.sentence)))
        rows, points = [row.row for row in self._rows], tuple(row.time_point for row in self._rows)
        return FeatureTable(
            np.array(rows, int), np.array(self._lesions, int), points, tuple(names), values, reasons, problems
        )


def _plan(
    table: CohortTable, chosen: set[int], groups: tuple[str, ...], keys: Keys, folder: Path, collected: _Collected
) -> list[list[Work]]:
    """What is left to do, by MRI; what is finished is collected."""
    wanted = [group for group in groups if group != "clinical"]
    usable = _usable(table, collected) if wanted else []
    by_mri: dict[tuple, list[CohortRow]] = {}
    for row in usable:
        by_mri.setdefault((row.image, row.series), []).append(row)
    works = []
    for rows in by_mri.values():
        each = []
        for row in (row for row in rows if row.row in chosen):
            others = tuple(other for other in rows if other is not row)
            left = _left(row, wanted, others, keys, folder, collected)
            each += [Work(row, left, others if "dose" in left else ())] if left else []
        works += [each] if each else []
    return works


def _usable(table: CohortTable, collected: _Collected) -> list[CohortRow]:
    seen: dict[tuple, int] = {}
    usable = []
    for row in table.rows:
        first = seen.setdefault((row.key, row.time_point), row.row)
        if not row.image or not row.segmentation:
            collected.refuse(row.row, "", f"no {'contour' if row.image else 'MRI'} is given.")
        elif first != row.row:
            collected.refuse(row.row, "", f"the same lesion at the same time point is in row {first} already.")
        else:
            usable.append(row)
    return usable


def _left(row: CohortRow, wanted: list[str], others, keys: Keys, folder: Path, collected: _Collected) -> dict[str, str]:
    """Groups that are to be computed, with the name of their file."""
    left = {}
    for group in wanted:
        if group == "dose" and not row.dose:
            collected.leave_out(row.row, group, NO_DOSE)
            continue
        try:
            key = keys.key(row, group, others)
        except InputError as error:
            collected.refuse(row.row, group, str(error))
            continue
        found = saved_lesion(folder, key)
        if found is None:
            left[group] = key
        else:
            collected.add(Done(row.row, {group: found}))
    return left


def _compute(works, settings, folder, collected: _Collected, jobs: int, progress, cancelled) -> None:
    total = sum(map(len, works))
    for count, done in enumerate(_spread(works, settings, folder, jobs, cancelled), start=1):
        collected.add(done)
        if progress:
            progress(count / total, f"lesion {count} of {total}")
    if progress:
        progress(1.0, f"{total} lesions")


def _spread(works: list[list[Work]], settings, folder: Path, jobs: int, cancelled) -> Iterator[Done]:
    if jobs == 1 or not works:
        for each in works:
            _stop_if(cancelled)
            for done in each_of(each, settings, folder):
                yield done
                _stop_if(cancelled)
        return
    from ..io.workers import ATTEMPTS, as_they_come

    lost = len(works)
    for _, found in as_they_come(all_of, [(each, settings, folder) for each in works], at_once=jobs):
        lost -= 1
        yield from found
        _stop_if(cancelled)
    if lost:
        raise InputError(
            f"{pluralize(lost, 'MRI')} of the cohort went down with the process {ATTEMPTS} times; free memory or use "
            "fewer processes, and start again to go on."
        )


def _stop_if(cancelled: Callable[[], bool] | None) -> None:
    if cancelled and cancelled():
        raise Cancelled("stopped; the lesions that are finished are kept")
