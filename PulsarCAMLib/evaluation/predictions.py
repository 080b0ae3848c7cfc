"""Predictions of two classes as the metrics see them: truth, probability, decision, patient, the positive class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.errors import InputError
from ..core.task import Task


def default_task() -> Task:
    """Of the system that is meant where none is named."""
    from ..systems.registry import system_of

    return system_of().task


@dataclass(frozen=True, eq=False)
class Predictions:
    """Units (lesions, or patients) with their truth and a model's answers.

    The task's positive class is predicted when its probability is at least the threshold, whichever class is called
    positive: that choice renames the metrics, it changes no decision.

    Attributes:
        truth: bool ``[N]``, whether the unit is of the positive class.
        scores: ``[N]``, probability of the positive class, 0..1.
        called: bool ``[N]``, whether it is predicted to be of the positive class.
        patients: ``[N]``, whose lesion it is; None if not known.
        positive: name of the class.
        task: its classes and unit.
    """

    truth: np.ndarray
    scores: np.ndarray
    called: np.ndarray
    patients: np.ndarray | None
    positive: str
    task: Task

    @classmethod
    def of(
        cls,
        labels,
        probabilities,
        patients=None,
        *,
        threshold=0.5,
        positive: str | None = None,
        task: Task | None = None,
    ) -> Predictions:
        """Predictions from class labels and probabilities of the task's positive class.

        Args:
            labels: ``[N]``, numbers of classes in the task's order.
            probabilities: ``[N]``, of the task's positive class, 0..1.
            patients: ``[N]``, names or numbers.
            threshold: probability from which on that class is predicted: one number, or ``[N]`` where folds have
                thresholds of their own. To be chosen on training data only.
            positive: the class that sensitivity, precision, F1 and the curves are about; None: the task's.
            task: of two classes; None: that of the default system.

        Raises:
            InputError: lengths that differ, unknown labels, probabilities that are none.
        """
        labels, probabilities = np.asarray(labels), np.asarray(probabilities, dtype=float)
        task = task or default_task()
        positive, names = positive or task.positive, task.names
        if positive not in names:
            raise InputError(f"The positive class is one of {', '.join(names)}, not {positive!r}.")
        if labels.ndim != 1 or labels.shape != probabilities.shape:
            raise InputError(f"There must be one label and one probability for every {task.unit}.")
        if labels.size and (labels.dtype.kind not in "bif" or not np.isin(labels, (0, 1)).all()):
            raise InputError(
                f"Labels are 1 ({names[1]}) or 0 ({names[0]}); leave out {task.unit}s without a known "
                f"{task.label.column}."
            )
        if not ((probabilities >= 0) & (probabilities <= 1)).all():
            raise InputError(f"Probabilities of {task.positive} lie between 0 and 1, and none may be missing.")
        if patients is not None and np.shape(patients) != labels.shape:
            raise InputError(f"There must be one patient for every {task.unit}.")
        threshold = np.broadcast_to(np.asarray(threshold, dtype=float), labels.shape)
        if not np.isfinite(threshold).all():
            raise InputError("The threshold of the decision must be a number.")
        own = positive == task.positive
        return cls(
            truth=labels == task.index(positive),
            scores=probabilities if own else 1 - probabilities,
            called=(probabilities >= threshold) == own,
            patients=None if patients is None else np.asarray(patients),
            positive=positive,
            task=task,
        )

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def negative(self) -> str:
        """The other class."""
        return next(name for name in self.task.names if name != self.positive)
