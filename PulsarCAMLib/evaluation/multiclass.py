"""Predictions of more than two classes: what they are, when a metric has no value, and the metrics under weights.

Every class counts the same whatever its share: recall and precision of each, mean recall (balanced accuracy), mean F1,
and the mean over the classes of the AUC of that class against all others (one-vs-rest, as scikit-learn's
``average="macro"``). The calibration error is of the called class's probability (Guo et al. 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.errors import InputError
from ..core.task import Task
from .curves import expected_calibration_error
from .predictions import Predictions, default_task
from .weighted import in_chunks, ratio, weighted, weighted_auc, weighted_calibration_error

RECALL = "recall_"
"""Begins the name of a class's recall; then :attr:`~PulsarCAMLib.core.task.TaskClass.column`."""

PRECISION = "precision_"
"""Begins the name of a class's precision."""

CALIBRATION = "calibration_error"
"""Of the called class: how far its probability is from how often it is right; lower is better, and it comes last."""

OF_ALL = ("balanced_accuracy", "f1", "accuracy", "auc")
TITLES = {
    "balanced_accuracy": "balanced accuracy",
    "f1": "macro F1",
    "accuracy": "accuracy",
    "auc": "macro AUC",
    CALIBRATION: "expected calibration error",
}


def class_metrics(task: Task) -> tuple[str, ...]:
    """Names of the metrics of a task with more than two classes; higher is better but for the last."""
    of_each = (f"{kind}{each.column}" for kind in (RECALL, PRECISION) for each in task.classes)
    return (*OF_ALL, *of_each, CALIBRATION)


def class_metric_title(name: str, task: Task) -> str:
    """The same for people."""
    kind, number = _of_class(name, task)
    return TITLES[name] if number is None else f"{kind.rstrip('_')} of {task.names[number]}"


def _of_class(name: str, task: Task) -> tuple[str, int | None]:
    """:data:`RECALL` or :data:`PRECISION` and the number of the class that it is of; None: it is of all."""
    columns = [each.column for each in task.classes]
    for kind in (RECALL, PRECISION):
        if name.startswith(kind) and name.removeprefix(kind) in columns:
            return kind, columns.index(name.removeprefix(kind))
    return "", None


@dataclass(frozen=True, eq=False)
class ClassPredictions:
    """Units with their truth and a model's answers; the likeliest class is called.

    Attributes:
        truth: int ``[N]``, numbers of classes in the task's order.
        scores: ``[N, C]``, probabilities.
        called: int ``[N]``.
        patients: ``[N]``, whose unit it is; None if not known.
        task: its classes.
    """

    truth: np.ndarray
    scores: np.ndarray
    called: np.ndarray
    patients: np.ndarray | None
    task: Task

    @classmethod
    def of(cls, labels, probabilities, patients, task: Task) -> ClassPredictions:
        """Predictions from class numbers ``[N]`` and probabilities ``[N, C]``.

        Raises:
            InputError: lengths that differ, unknown labels, probabilities that are none.
        """
        labels, probabilities = np.asarray(labels), np.asarray(probabilities, dtype=float)
        count = len(task.classes)
        if labels.ndim != 1 or probabilities.shape != (len(labels), count):
            raise InputError(f"There must be one label and {count} probabilities for every {task.unit}.")
        if labels.size and (labels.dtype.kind not in "bif" or not np.isin(labels, np.arange(count)).all()):
            known = ", ".join(f"{n} ({name})" for n, name in enumerate(task.names))
            raise InputError(f"Labels are {known}; leave out {task.unit}s without a known {task.label.column}.")
        sums = probabilities.sum(axis=1)
        if not ((probabilities >= 0) & (probabilities <= 1)).all() or not np.allclose(sums, 1, atol=1e-3):
            raise InputError("Probabilities of the classes lie between 0 and 1 and sum to 1, and none may be missing.")
        if patients is not None and np.shape(patients) != labels.shape:
            raise InputError(f"There must be one patient for every {task.unit}.")
        own = None if patients is None else np.asarray(patients)
        return cls(labels.astype(int), probabilities, probabilities.argmax(axis=1), own, task)

    def __len__(self) -> int:
        return len(self.truth)

    def confusion(self) -> np.ndarray:
        """int ``[C, C]``: rows are the true classes, columns the called ones."""
        count = len(self.task.classes)
        return np.bincount(self.truth * count + self.called, minlength=count**2).reshape(count, count)

    def point(self, name: str) -> float:
        """One metric, by scikit-learn; only where it is defined."""
        from sklearn import metrics as sk

        numbers, (kind, own) = np.arange(len(self.task.classes)), _of_class(name, self.task)
        if own is not None:
            score = sk.recall_score if kind == RECALL else sk.precision_score
            return float(score(self.truth, self.called, labels=[own], average="macro"))
        if name == CALIBRATION:
            return expected_calibration_error(self.truth == self.called, self.scores.max(axis=1))
        if name == "balanced_accuracy":
            return float(sk.balanced_accuracy_score(self.truth, self.called))
        if name == "accuracy":
            return float(sk.accuracy_score(self.truth, self.called))
        if name == "f1":
            return float(sk.f1_score(self.truth, self.called, labels=numbers, average="macro"))
        return float(np.mean([sk.roc_auc_score(self.truth == n, self.scores[:, n]) for n in numbers]))

    def why_undefined(self, name: str) -> str:
        """Why a metric has no value on these units; "" if it has one."""
        unit, (kind, own) = self.task.unit, _of_class(name, self.task)
        if not len(self):
            return f"there is no {unit}"
        there = np.bincount(self.truth, minlength=len(self.task.classes)) > 0
        called = np.bincount(self.called, minlength=len(self.task.classes)) > 0
        if kind == PRECISION:
            return "" if called[own] else f"no {unit} is predicted {self.task.names[own]}"
        if kind == RECALL:
            return "" if there[own] else f"no {unit} is {self.task.names[own]}"
        missing = self._names(~there)
        if name in ("balanced_accuracy", "auc") and missing:
            return f"no {unit} is {missing}, and all classes are needed"
        if name == "f1" and (missing := self._names(~there & ~called)):
            return f"no {unit} is {missing} or predicted so"
        return ""

    def _names(self, which: np.ndarray) -> str:
        return " or ".join(name for name, chosen in zip(self.task.names, which, strict=True) if chosen)

    def weighted(self, name: str, weights: np.ndarray) -> np.ndarray:
        """A metric ``[B]`` under each row of weights ``[B, N]``; NaN where it is not defined."""
        return in_chunks(lambda part: self._weighted(name, part), weights)

    def _weighted(self, name: str, weights: np.ndarray) -> np.ndarray:
        numbers, (kind, own) = range(len(self.task.classes)), _of_class(name, self.task)
        if name == "accuracy":
            return ratio(weights @ (self.truth == self.called), weights.sum(axis=1))
        if name == "auc":
            return np.mean([weighted_auc(self.truth == n, self.scores[:, n], weights) for n in numbers], axis=0)
        if name == CALIBRATION:
            return weighted_calibration_error(self.truth == self.called, self.scores.max(axis=1), weights)
        true, called, hits = zip(*(self._sums(n, weights) for n in numbers), strict=True)
        if own is not None:
            return ratio(hits[own], (true if kind == RECALL else called)[own])
        if name == "f1":
            return np.mean([ratio(2 * hits[n], true[n] + called[n]) for n in numbers], axis=0)
        return np.mean([ratio(hits[n], true[n]) for n in numbers], axis=0)

    def _sums(self, number: int, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Under each row of weights: how many are of a class, are called so, are both."""
        true, called = self.truth == number, self.called == number
        return weights @ true, weights @ called, weights @ (true & called)


def predictions_of(
    labels, probabilities, patients=None, *, threshold=0.5, positive: str | None = None, task: Task | None = None
) -> Predictions | ClassPredictions:
    """Predictions of a task, whatever the number of its classes; arguments as :meth:`Predictions.of`.

    With more than two classes probabilities are ``[N, C]``, the likeliest class is called, and there is neither a
    threshold nor a positive class.

    Raises:
        InputError: labels or probabilities that are none.
    """
    task = task or default_task()
    if task.binary:
        return Predictions.of(labels, probabilities, patients, threshold=threshold, positive=positive, task=task)
    return ClassPredictions.of(labels, probabilities, patients, task)


def weighted_metric(name: str, given: Predictions | ClassPredictions, weights: np.ndarray) -> np.ndarray:
    """A metric ``[B]`` under each row of weights ``[B, N]``, whatever the number of classes; NaN: not defined."""
    return given.weighted(name, weights) if isinstance(given, ClassPredictions) else weighted(name, given, weights)
