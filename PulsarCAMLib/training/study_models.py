"""What takes part in a study: anything that learns from some lesions and answers for others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..core.task import Task


@dataclass(frozen=True, eq=False)
class TrialTask:
    """One training and what is asked of it.

    Attributes:
        train: lesion indices to learn from.
        labels: int ``[L]``, class numbers of ALL lesions (permuted in a control); only those of ``train`` may be
            looked at.
        patients: int ``[L]`` of all lesions, for splits inside the training lesions.
        asked: (time point, lesion indices) whose probabilities are wanted.
        seed: of everything random.
        folder: of this task alone, for what the model wants to keep; may not exist yet.
        cancelled: True stops.
        question: what is asked; None: the task of the default system.
        choose_epoch: whether a network's epoch is chosen on what is asked, whose labels may then be looked at: the
            protocol "best-epoch", which flatters.
    """

    train: np.ndarray
    labels: np.ndarray
    patients: np.ndarray
    asked: tuple[tuple[str, np.ndarray], ...]
    seed: int
    folder: Path
    cancelled: Callable[[], bool] | None = None
    question: Task | None = None
    choose_epoch: bool = False

    @property
    def classes(self) -> int:
        """How many."""
        return len(self.question.classes) if self.question else 2


@dataclass(frozen=True, eq=False)
class InnerAnswers:
    """Answers for the training lesions themselves, each by a model that did not see that patient.

    Attributes:
        lesions: indices.
        probabilities: ``[n]`` of the positive class of two, ``[n, C]`` of more.
    """

    lesions: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True, eq=False)
class Fitted:
    """Answers to a task.

    Attributes:
        probabilities: one array for each of ``TrialTask.asked``: ``[m]``, of the positive class of two, or ``[m, C]``;
            NaN where there is no answer.
        details: JSON values worth keeping: selected features, chosen settings.
        inner: if the model has them anyway.
    """

    probabilities: tuple[np.ndarray, ...]
    details: dict[str, Any] = field(default_factory=dict)
    inner: InnerAnswers | None = None


class StudyModel(Protocol):
    """A model that takes part; must be picklable, for it travels to other processes.

    Attributes:
        name: short, of files and options.
        title: for people.
        about: one sentence for the report.
        time_points: MRIs on which it can be asked; only the second where it uses both.
    """

    name: str
    title: str
    about: str
    time_points: tuple[str, ...]

    def identity(self) -> str:
        """Hash of everything that decides its answers, the data included."""

    def fit_predict(self, task: TrialTask) -> Fitted:
        """Learn and answer."""
