"""What a network has to beat: the commonest class, the system's own rule on sizes, and a plain model on growth."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...cohort.labels.computed import cells_of
from ...cohort.study_lesions import StudyLesions
from ...cohort.tables.table import CohortTable
from ...core.errors import InputError
from ...core.task import Task
from ...core.vocabulary import BASELINE, BASELINES, CLINICAL, CLINICAL_TITLE, GROWTH, MAJORITY, VOLUME_RULE
from ...evaluation.predictions import default_task
from ...features.clinical import clinical_features
from ...io.csv_files import csv_text, read_csv
from ...systems.contract import System
from ...training.study_models import Fitted, TrialTask
from ..folder import NUMBERS, write_text

__all__ = ["NUMBERS", "Baseline", "not_beaten", "read_numbers", "write_numbers"]

CLINICAL_NUMBERS = "clinical.csv"

BY_RULE = "class_by_rule"
"""Column of :data:`NUMBERS` with the number of the class that the system's rule on sizes gives."""

ABOUT = {
    MAJORITY: "Answers with how often every class occurs among those it learnt from: looks at nothing.",
    VOLUME_RULE: "The published rule on volumes, against baseline and smallest size so far: learns nothing.",
    CLINICAL: "Multinomial logistic regression on the table's clinical columns: sees no image.",
    GROWTH: "Multinomial logistic regression on how sizes have changed: sees masks or sizes, no image.",
}


@dataclass(frozen=True)
class Baseline:
    """One of :func:`..settings.baselines_of`; see :class:`...training.study_models.StudyModel`.

    Attributes:
        name: which.
        numbers: file of :func:`write_numbers`, or of :func:`write_clinical`; not read by the commonest class.
        sha256: its hash.
    """

    name: str
    numbers: Path
    sha256: str = ""
    time_points: tuple[str, ...] = (BASELINE,)

    @property
    def title(self) -> str:
        """For people."""
        return {**BASELINES, CLINICAL: CLINICAL_TITLE}[self.name]

    @property
    def about(self) -> str:
        """One sentence for the report."""
        return ABOUT[self.name]

    def identity(self) -> str:
        """Of what it is and what it looks at."""
        return hashlib.sha256(f"{self.name}{self.sha256}".encode()).hexdigest()

    def fit_predict(self, task: TrialTask) -> Fitted:
        """Learn from the training units' numbers and labels only."""
        question = task.question or default_task()
        labels = task.labels[task.train]
        often = np.bincount(labels, minlength=task.classes) / len(labels)
        answers = []
        for _, wanted in task.asked:
            found = np.tile(often, (len(wanted), 1))
            if self.name == VOLUME_RULE:
                by_rule = read_numbers(self.numbers)[0][wanted]
                known = np.isfinite(by_rule)
                found[known] = np.eye(task.classes)[by_rule[known].astype(int)]
            elif self.name == GROWTH:
                found = _regression(read_numbers(self.numbers)[1], labels, task, wanted)
            elif self.name == CLINICAL:
                found = _regression(_table(self.numbers)[1], labels, task, wanted)
            answers.append(told(found, question))
        return Fitted(tuple(answers))


def told(probabilities: np.ndarray, task: Task) -> np.ndarray:
    """``[m]`` of the positive class of two, or ``[m, C]``."""
    return probabilities[:, task.index(task.positive)] if task.binary else probabilities


def _regression(numbers: np.ndarray, labels: np.ndarray, task: TrialTask, wanted: np.ndarray) -> np.ndarray:
    """Probabilities ``[m, C]`` of a model on standardised numbers; gaps are filled with the training's medians."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(class_weight="balanced", max_iter=2000, random_state=task.seed % 2**31),
    )
    model.fit(numbers[task.train], labels)
    found = np.zeros((len(wanted), task.classes))
    found[:, model.classes_] = model.predict_proba(numbers[wanted])
    return found


def write_numbers(cohort: CohortTable, lesions: StudyLesions, system: System, path: Path) -> str:
    """What the system measures of every unit of a study, as a file; its hash.

    Raises:
        InputError: a mask cannot be used.
        OutputError: the file cannot be written.
    """
    of_row: dict[int, dict[str, float]] = {}
    for rows in cohort.visits.values():
        found = system.unit_numbers([cells_of(row) for row in rows])
        of_row |= {row.row: dict(numbers) for row, numbers in zip(rows, found, strict=True)}
    units = [of_row[int(row)] for row in lesions.rows[BASELINE]]
    names = [BY_RULE, *sorted({name for numbers in units for name in numbers} - {BY_RULE})]
    return _written(path, names, units)


def _written(path: Path, names: Sequence[str], units: Sequence[Mapping[str, float | None]]) -> str:
    text = csv_text(names, ([_cell(numbers.get(name)) for name in names] for numbers in units))
    write_text(path, text)
    return hashlib.sha256(text.encode()).hexdigest()


def write_clinical(
    cohort: CohortTable, lesions: StudyLesions, path: Path, on_warning: Callable[[str], None] | None = None
) -> str:
    """The clinical columns of every unit of a study as numbers, in a file; its hash.

    Raises:
        InputError: there is none.
        OutputError: the file cannot be written.
    """
    found, problems = clinical_features(cohort.rows)
    for problem in problems if on_warning else ():
        on_warning(str(problem))
    units = [found[int(row)] for row in lesions.rows[BASELINE]]
    names = sorted({name for numbers in units for name, value in numbers.items() if value is not None})
    if not names:
        raise InputError(
            "The table has no clinical column that could answer by itself; begin the names of such columns with "
            "clinical_, or leave this model out."
        )
    return _written(path, names, units)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.9g}"


def read_numbers(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Class by rule ``[L]`` (NaN where it cannot be told) and all other numbers ``[L, n]`` (NaN where unknown).

    Raises:
        InputError: the file is missing or damaged.
    """
    headings, table = _table(path)
    if headings[0] != BY_RULE:
        raise InputError(f"The study's numbers {path} are damaged; run the study anew.")
    return table[:, 0], table[:, 1:]


def _table(path: Path) -> tuple[list[str], np.ndarray]:
    """Headings and numbers ``[L, n]`` of a file."""
    try:
        headings, lines = read_csv(path)
        table = np.array([[float(cell) if cell else np.nan for cell in line] for line in lines])
        if table.shape[1] != len(headings):
            raise ValueError(headings)
    except (ValueError, IndexError, csv.Error, InputError) as error:
        raise InputError(f"The study's numbers {path} are missing or damaged; run the study anew.") from error
    return headings, table


def not_beaten(names: Sequence[str], balanced_accuracy: dict[str, float | None], network: str) -> list[str]:
    """Baselines whose balanced accuracy the network does not exceed, the strongest first."""
    own = balanced_accuracy.get(network)
    if own is None:
        return []
    better = {name: value for name in names if (value := balanced_accuracy.get(name)) is not None and value >= own}
    return sorted(better, key=lambda name: -better[name])
