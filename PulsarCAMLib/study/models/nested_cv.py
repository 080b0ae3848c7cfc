"""Choices made inside the training lesions of a trial: thresholds and settings, by splits of their patients."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...core.errors import InputError
from ...core.task import LESION, Task
from ...core.vocabulary import FIXED, TIME_POINTS
from ...evaluation.metrics import point
from ...evaluation.multiclass import predictions_of
from ...evaluation.thresholds import DEFAULT, ChosenThreshold, choose_threshold
from ...training.study_models import Fitted, InnerAnswers, StudyModel, TrialTask


def unit_of(task: TrialTask) -> str:
    """Whose answers are asked for, in a word."""
    return task.question.unit if task.question else LESION


def inner_answers(model: StudyModel, task: TrialTask, folds: int) -> InnerAnswers:
    """Answers for the training lesions, each by a model that learnt from other patients of the training lesions.

    Patients that are in both the training and the tested lesions of a trial do no harm here: nothing but the training
    lesions and their labels is looked at.

    Raises:
        InputError: there are too few patients to split.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    labels, patients = task.labels[task.train], task.patients[task.train]
    folds = min(folds, len(np.unique(patients)), int(np.bincount(labels, minlength=task.classes).min()))
    if folds < 2:
        raise InputError(
            f"There are too few training {unit_of(task)}s for inner splits; use the fixed threshold and no tuning."
        )
    division = StratifiedGroupKFold(folds, shuffle=True, random_state=task.seed % 2**32)
    first = model.time_points[0]
    found = np.full((len(task.train), task.classes) if task.classes > 2 else len(task.train), np.nan)
    for number, (known, asked) in enumerate(division.split(np.zeros(len(labels)), labels, patients), start=1):
        part = replace(
            task,
            train=task.train[known],
            asked=((first, task.train[asked]),),
            seed=task.seed + number,
            choose_epoch=False,
            folder=task.folder / f"inner-{number}",
        )
        found[asked] = model.fit_predict(part).probabilities[0]
    return InnerAnswers(task.train, found)


def threshold_for(
    model: StudyModel, task: TrialTask, fitted: Fitted, rule: str, folds: int
) -> tuple[float, str, dict | None]:
    """Threshold of a trial by a rule (vocabulary: ``THRESHOLD_RULES``), where it comes from, and how it did there."""
    if task.classes > 2:
        return DEFAULT, "none: the likeliest class is called", None
    if rule == FIXED:
        return DEFAULT, f"fixed at {DEFAULT:g}", None
    inner = fitted.inner or inner_answers(model, task, folds)
    answered = np.isfinite(inner.probabilities)
    chosen: ChosenThreshold = choose_threshold(
        task.labels[inner.lesions[answered]], inner.probabilities[answered], task.question
    )
    words = chosen.reason or f"best balanced accuracy on inner splits of {chosen.lesions} training {unit_of(task)}s"
    return chosen.value, words, vars(chosen)


@dataclass(frozen=True)
class Tuned:
    """A model whose settings are chosen anew in every trial, inside its training lesions (nested validation).

    Attributes:
        candidates: the same model with different settings, in order of preference when they do equally well.
        words: what each candidate is, for the record.
        folds: inner splits by patient.
    """

    candidates: tuple[StudyModel, ...]
    words: tuple[str, ...]
    folds: int = 3
    name: str = ""
    title: str = ""
    about: str = ""
    time_points: tuple[str, ...] = field(default=TIME_POINTS)

    @classmethod
    def among(cls, candidates: Sequence[StudyModel], words: Sequence[str], folds: int = 3) -> Tuned:
        """A tuned model under the name of the first candidate."""
        first = candidates[0]
        about = f"{first.about} Settings chosen on inner splits by patient among: {'; '.join(words)}."
        return cls(tuple(candidates), tuple(words), folds, first.name, first.title, about, first.time_points)

    def identity(self) -> str:
        """Of all candidates and the way of choosing."""
        parts = [each.identity() for each in self.candidates]
        return hashlib.sha256(f"tuned{self.folds}{''.join(parts)}".encode()).hexdigest()

    def fit_predict(self, task: TrialTask) -> Fitted:
        """Choose by the AUC over all inner answers, then learn from all training lesions with that choice."""
        answers = [
            inner_answers(each, replace(task, folder=task.folder / f"candidate-{number}"), self.folds)
            for number, each in enumerate(self.candidates, start=1)
        ]
        scores = [_auc(task.labels[inner.lesions], inner.probabilities, task.question) for inner in answers]
        best = int(np.argmax(scores))
        fitted = self.candidates[best].fit_predict(task)
        tuning = {"chosen": self.words[best], "inner_auc": dict(zip(self.words, scores, strict=True))}
        return replace(fitted, details={**fitted.details, "tuning": tuning}, inner=answers[best])


def _auc(labels: np.ndarray, probabilities: np.ndarray, question: Task | None) -> float:
    """0.5 where it is not defined."""
    from sklearn.metrics import roc_auc_score

    answered = np.isfinite(probabilities)
    answered = answered if answered.ndim == 1 else answered.all(axis=1)
    if len(np.unique(labels[answered])) < (len(question.classes) if question else 2):
        return 0.5
    if question is None or question.binary:
        positive = question.index(question.positive) if question else 1
        return float(roc_auc_score(labels[answered] == positive, probabilities[answered]))
    value = point("auc", predictions_of(labels[answered], probabilities[answered], task=question)).value
    return 0.5 if value is None else value
