"""The units of a study (lesions, or patients) as numbers: no name of a patient, a lesion or a file is kept."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..core.task import LESION, Task
from ..core.vocabulary import BASELINE, SECOND, TIME_POINTS
from ..io.csv_files import csv_text, read_csv
from ..systems.registry import DEFAULT, system_of
from .tables.table import CohortRow

ROWS = {BASELINE: "baseline_row", SECOND: "second_row"}
NO_ROW = -1


@dataclass(frozen=True, eq=False)
class StudyLesions:
    """Lesions, or whatever the system's unit is, in the order of their baseline rows in the cohort table.

    Attributes:
        patients: int ``[L]``, 1, 2, ... in the order of the table.
        labels: int ``[L]``, numbers of classes in the task's order.
        rows: time point to int ``[L]``: the row in the table, -1 where the lesion has no such MRI.
        system: name of the system that asks about them.
    """

    patients: np.ndarray
    labels: np.ndarray
    rows: dict[str, np.ndarray]
    system: str = DEFAULT

    @property
    def task(self) -> Task:
        """What is asked about them."""
        return system_of(self.system).task

    def __len__(self) -> int:
        return len(self.labels)

    def having(self, time_point: str) -> np.ndarray:
        """bool ``[L]``: which lesions have an MRI of this time point."""
        return self.rows[time_point] != NO_ROW

    @classmethod
    def of(
        cls,
        baseline: Sequence[tuple[CohortRow, int]],
        second: Sequence[tuple[CohortRow, int]],
        system: str = DEFAULT,
    ) -> StudyLesions:
        """From rows and classes of :func:`~PulsarCAMLib.training.units.cohort_cases.usable_rows`."""
        numbers: dict[str, int] = {}
        patients = [numbers.setdefault(row.patient, len(numbers) + 1) for row, _ in baseline]
        later = {row.key: row.row for row, _ in second}
        rows = {
            BASELINE: np.array([row.row for row, _ in baseline]),
            SECOND: np.array([later.get(row.key, NO_ROW) for row, _ in baseline]),
        }
        return cls(np.array(patients), np.array([label for _, label in baseline]), rows, system)

    def to_csv(self) -> str:
        """One line per lesion; :meth:`from_csv` reads it."""
        unit, lines = LESION if self.task.unit == LESION else "unit", []
        for lesion in range(len(self)):
            rows = [int(self.rows[point][lesion]) for point in TIME_POINTS]
            shown = ["" if row == NO_ROW else row for row in rows]
            lines.append([lesion, int(self.patients[lesion]), int(self.labels[lesion]), *shown])
        return csv_text((unit, "patient", self.task.label.column, *ROWS.values()), lines)

    @classmethod
    def from_csv(cls, path: str | Path, system: str = DEFAULT) -> StudyLesions:
        """From a file of :meth:`to_csv`, whose columns are in their order.

        Raises:
            InputError: the file cannot be read.
        """
        try:
            _, lines = read_csv(path)
            _, patients, labels, *rows = np.array([[int(cell or NO_ROW) for cell in line] for line in lines]).T
            return cls(patients, labels, dict(zip(ROWS, rows, strict=True)), system)
        except (ValueError, TypeError, csv.Error, InputError) as error:
            raise InputError(f"The list of lesions {path} is missing or damaged; run the study anew.") from error
