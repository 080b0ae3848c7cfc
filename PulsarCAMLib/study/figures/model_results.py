"""Answers of a study by model: all trials of one model under one protocol on one MRI, the late fusion included.

What was not answered (NaN) is left out and counted. Every control is judged on its own permuted labels.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ...core.task import Task
from ...core.vocabulary import LEAVE_ONE_OUT, TIME_POINTS
from ...evaluation.metrics import ClassEvaluation, Evaluation, evaluate_predictions
from ...features.models.fusion import fused
from ..models.study_models import study_models_of
from ..records import Answers, TrialRecord
from ..run import Study

FUSION, FUSION_TITLE = "fusion", "Late fusion"


def there(probabilities: np.ndarray) -> np.ndarray:
    """bool ``[m]``: for whom there is an answer."""
    answered = np.isfinite(probabilities)
    return answered if answered.ndim == 1 else answered.all(axis=1)


@dataclass(frozen=True, eq=False)
class Asked:
    """What one trial was asked about one MRI.

    Attributes:
        number: of the trial within its protocol.
        lesions: int ``[m]``.
        labels: int ``[m]``, as they are judged: permuted in a control.
        probabilities: ``[m]``, or ``[m, C]`` of more than two classes; NaN where there is no answer.
        threshold: of the trial's decisions.
        train: how many lesions were learnt from.
        task: what was asked.
    """

    number: int
    lesions: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    threshold: float
    train: int
    task: Task

    @property
    def answered(self) -> np.ndarray:
        """bool ``[m]``."""
        return there(self.probabilities)

    @cached_property
    def evaluation(self) -> Evaluation | ClassEvaluation:
        """Of all that was answered, without intervals."""
        return self.among(self.answered)

    def among(self, chosen: np.ndarray) -> Evaluation | ClassEvaluation:
        """Of some of the lesions, bool ``[m]``, all of them answered."""
        own = {"threshold": self.threshold, "task": self.task}
        return evaluate_predictions(self.labels[chosen], self.probabilities[chosen], **own)


@dataclass(frozen=True, eq=False)
class Pooled:
    """Every lesion once, with the mean of its probabilities over the trials that answered for it.

    Attributes:
        lesions: int ``[m]``, ascending.
        labels, patients: int ``[m]``.
        probabilities: ``[m]`` or ``[m, C]``, means over those trials.
        thresholds: ``[m]``, the same.
    """

    lesions: np.ndarray
    labels: np.ndarray
    patients: np.ndarray
    probabilities: np.ndarray
    thresholds: np.ndarray

    def among(self, lesions: np.ndarray) -> Pooled:
        """Some of the lesions."""
        chosen = np.isin(self.lesions, lesions)
        return Pooled(*(values[chosen] for values in vars(self).values()))


@dataclass(frozen=True, eq=False)
class ModelResults:
    """One protocol, one model, one MRI.

    Attributes:
        protocol, model, time_point: which.
        task: what was asked.
        trials, controls: finished ones.
    """

    protocol: str
    model: str
    time_point: str
    task: Task
    trials: list[Asked] = field(default_factory=list)
    controls: list[Asked] = field(default_factory=list)

    @property
    def one_by_one(self) -> bool:
        """Whether a trial holds one patient only, so that figures by trial mean little and only the pool counts."""
        return self.protocol == LEAVE_ONE_OUT

    def pooled(self, patients: np.ndarray) -> Pooled:
        """The pool of the trials; patients ``[L]`` of all lesions."""
        lesions, where, labels, p, thresholds = self._stacked(self.trials)
        counts = np.bincount(where, minlength=len(lesions))

        def mean(values: np.ndarray) -> np.ndarray:
            return np.bincount(where, values, len(lesions)) / counts

        means = [mean(p) if p.ndim == 1 else np.stack([mean(each) for each in p.T], axis=1), mean(thresholds)]
        own = np.zeros(len(lesions), dtype=int)
        own[where] = labels
        return Pooled(lesions, own, patients[lesions], *means)

    def control_pool(self, patients: np.ndarray) -> Pooled:
        """All answers of all controls, each with its own permuted label; a lesion may be there several times."""
        lesions, where, labels, p, thresholds = self._stacked(self.controls)
        return Pooled(lesions[where], labels, patients[lesions[where]], p, thresholds)

    def _stacked(self, trials: list[Asked]) -> tuple[np.ndarray, ...]:
        """Lesions there are, and of every answer: which of them, label, probability, threshold."""
        none = np.zeros(0)
        empty = {"probabilities": none if self.task.binary else np.zeros((0, len(self.task.classes)))}
        columns = [
            np.concatenate([empty.get(name, none), *(getattr(trial, name)[trial.answered] for trial in trials)])
            for name in ("lesions", "labels", "probabilities")
        ]
        thresholds = np.concatenate([none, *(np.full(trial.answered.sum(), trial.threshold) for trial in trials)])
        lesions, where = np.unique(columns[0].astype(int), return_inverse=True)
        return lesions, where, columns[1].astype(int), columns[2], thresholds


def model_results_of(study: Study) -> list[ModelResults]:
    """All in which there is a finished trial or control: protocols, models, MRIs in the order of the settings."""
    records = (*study.records, *fusion_records(study))
    names = (*study.settings.models, FUSION)
    by_model = {
        (protocol, model, point): ModelResults(protocol, model, point, study.lesions.task)
        for protocol in study.settings.protocols
        for model in names
        for point in TIME_POINTS
    }
    for record in records:
        for answers in record.answers:
            results = by_model[record.protocol, record.model, answers.time_point]
            found = (
                record.labels[answers.lesions],
                answers.probabilities,
                record.threshold,
                len(record.train),
                study.lesions.task,
            )
            asked = Asked(record.number, answers.lesions, *found)
            (results.controls if record.control else results.trials).append(asked)
    return [results for results in by_model.values() if results.trials or results.controls]


def fusion_records(study: Study) -> list[TrialRecord]:
    """Late fusion: the mean of the models' probabilities in every trial that all of them have finished.

    Where a model cannot be asked, such as one of both MRIs about the first, it is the mean of the others. Its threshold
    is the mean of theirs.
    """
    if len(study.settings.fused) < 2:
        return []
    groups: dict[tuple, list[TrialRecord]] = {}
    for record in (each for each in study.records if each.model in study.settings.fused):
        groups.setdefault((record.protocol, record.control, record.number), []).append(record)
    makers = _members_of(study)
    found = []
    for members in groups.values():
        own = makers[members[0].protocol]
        answers = [a for point in TIME_POINTS if (a := _fused_answers(members, point, own[point]))]
        if answers:
            threshold = float(np.mean([record.threshold for record in members]))
            changed = {"model": FUSION, "answers": tuple(answers), "threshold": threshold, "details": {}}
            found.append(replace(members[0], threshold_from="mean of the members' thresholds", **changed))
    return found


def _members_of(study: Study) -> dict[str, dict[str, set[str]]]:
    """Which models are ever asked about an MRI, by protocol."""
    found = {protocol: {point: set() for point in TIME_POINTS} for protocol in study.settings.protocols}
    for record in (each for each in study.records if each.model in study.settings.fused):
        for answers in record.answers:
            found[record.protocol][answers.time_point].add(record.model)
    return found


def _fused_answers(members: list[TrialRecord], point: str, wanted: set[str]) -> Answers | None:
    asked = {r.model: a for r in members for a in r.answers if a.time_point == point}
    if len(asked) < 2 or set(asked) != wanted:
        return None
    lesions = next(iter(asked.values())).lesions
    return Answers(point, lesions, fused([a.probabilities for a in asked.values()]))


def model_titles(study: Study) -> dict[str, tuple[str, str]]:
    """Title and one sentence about every model, the late fusion included."""
    models = study_models_of(study.settings, study.facts, study.folder)
    words = {each.name: (each.title, each.about) for each in models}
    if len(study.settings.fused) > 1:
        members = ", ".join(title for name, (title, _) in words.items() if name in study.settings.fused)
        about = f"Mean of the probabilities of {members} on the same splits; answered where all of them answer."
        words[FUSION] = (FUSION_TITLE, about)
    return words
