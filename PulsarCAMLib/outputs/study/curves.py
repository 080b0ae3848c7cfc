"""Curves behind the figures of a study, as numbers: ROC, precision and recall, calibration, and training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...evaluation.curves import (
    CalibrationBin,
    Curve,
    calibration_points,
    class_calibration_points,
    precision_recall_points,
    roc_points,
)
from ...study.figures.model_results import Asked, ModelResults
from ...study.run import Study

if TYPE_CHECKING:
    from ...training.trial import TrialResult

GRID = np.linspace(0, 1, 41)
"""False positive rates at which trials are averaged."""

PREFIX, NO_TERM = "validation_", ("epoch", "seconds", "learning_rate")

TERMS = ("total", "reconstruction", "similarity", "outside", "classification", "accuracy")

HEADINGS = ("curve", "protocol", "model", "time_point", "control", "x", "y", "low", "high", "count")


@dataclass(frozen=True, eq=False)
class Band:
    """Trials' ROC curves at :data:`GRID`.

    Attributes:
        mean, sd: of the sensitivity.
        trials: in how many there is a curve.
    """

    mean: np.ndarray
    sd: np.ndarray
    trials: int


@dataclass(frozen=True, eq=False)
class ModelCurves:
    """Curves of one model under one protocol on one MRI; None or empty where there are none.

    Attributes:
        results: whose.
        roc, precision_recall: of the pool.
        calibration: of the pool.
        trials, controls: ROC curves by trial.
        prevalence: share of the positive class in the pool.
        by_class: of more than two classes the calibration of each against all others, of the pool.
    """

    results: ModelResults
    roc: Curve
    precision_recall: Curve
    calibration: list[CalibrationBin]
    trials: Band | None
    controls: Band | None
    prevalence: float
    by_class: dict[str, list[CalibrationBin]] = field(default_factory=dict)


def model_curves(results: ModelResults, patients: np.ndarray) -> ModelCurves:
    """All curves of one model's results; where there are more than two classes calibration alone, of each class."""
    pool = results.pooled(patients)
    own = (pool.labels, pool.probabilities)
    task, trials = results.task, [None, None]
    positive = pool.labels == task.index(task.positive)
    prevalence = float(positive.mean()) if len(positive) else float("nan")
    if not task.binary:
        none = Curve(np.zeros(0), np.zeros(0), np.zeros(0), None, "there are more than two classes")
        return ModelCurves(results, none, none, [], *trials, prevalence, class_calibration_points(*own, task))
    if not results.one_by_one:
        trials = [band(results.trials), band(results.controls)]
    curves = (kind(*own, task=task) for kind in (roc_points, precision_recall_points, calibration_points))
    return ModelCurves(results, *curves, *trials, prevalence)


def band(trials: Sequence[Asked]) -> Band | None:
    """Mean and spread of the trials' ROC curves, which are straight between their points."""
    curves = [
        roc_points(trial.labels[trial.answered], trial.probabilities[trial.answered], task=trial.task)
        for trial in trials
    ]
    rows = np.array([np.interp(GRID, curve.x, curve.y) for curve in curves if curve.area is not None])
    if not len(rows):
        return None
    rows[:, 0] = 0.0
    spread = rows.std(axis=0, ddof=1) if len(rows) > 1 else np.zeros(len(GRID))
    return Band(rows.mean(axis=0), spread, len(rows))


@dataclass(frozen=True, eq=False)
class TrainingCurve:
    """How the trainings of one model went under one protocol.

    Attributes:
        model, protocol, control: which.
        epochs: int ``[E]``.
        terms: name to (mean, lowest, highest), each ``[E]``, over the trainings that reached the epoch.
        trials: how many trainings.
    """

    model: str
    protocol: str
    control: bool
    epochs: np.ndarray
    terms: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]
    trials: int


def training_curves(study: Study) -> list[TrainingCurve]:
    """Of all models whose trials kept a training."""
    groups: dict[tuple, list] = {}
    for record in study.records:
        history = _history(study, record)
        if history:
            groups.setdefault((record.model, record.protocol, record.control), []).append(history)
    return [_training_curve(key, histories) for key, histories in groups.items()]


def _history(study: Study, record) -> list[dict] | None:
    from ...study.models.network_model import TRAINING
    from ...training.trial import finished_trial

    trained = finished_trial(study.folder_of(record) / TRAINING)
    return trained.history if trained else None


def _training_curve(key: tuple, histories: list[list[dict]]) -> TrainingCurve:
    longest = max(map(len, histories))
    terms = {}
    for name in _names(row for history in histories for row in history):
        values = np.full((len(histories), longest), np.nan)
        for row, history in zip(values, histories, strict=True):
            row[: len(history)] = [epoch.get(name, np.nan) for epoch in history]
        if np.isfinite(values).any(axis=0).all():
            terms[name] = (np.nanmean(values, axis=0), np.nanmin(values, axis=0), np.nanmax(values, axis=0))
    return TrainingCurve(*key, np.arange(1, longest + 1), terms, len(histories))


@dataclass(frozen=True, eq=False)
class MemberCurve:
    """How the training of one member of a bundle went.

    Attributes:
        number: of the member, from 1.
        best_epoch: whose weights it has.
        epochs: int ``[E]``.
        training: name to ``[E]``.
        validation: the same of patients set aside, NaN where an epoch was not measured; empty without such patients.
    """

    number: int
    best_epoch: int
    epochs: np.ndarray
    training: dict[str, np.ndarray]
    validation: dict[str, np.ndarray]


def member_curves(trained: Sequence[TrialResult]) -> list[MemberCurve]:
    """Of a bundle's members, in their order."""
    return [_member_curve(number, each) for number, each in enumerate(trained, start=1)]


def terms_of(curves: Iterable[Iterable[str]]) -> list[str]:
    """Names of what trainings tell, the known ones first."""
    names = list(dict.fromkeys(name for terms in curves for name in terms))
    return [*(name for name in TERMS if name in names), *(name for name in names if name not in TERMS)]


def _names(rows: Iterable[dict]) -> list[str]:
    """Figures of the lesions learnt from."""
    found = dict.fromkeys(name for row in rows for name in row)
    return terms_of([[name for name in found if name not in NO_TERM and not name.startswith(PREFIX)]])


def _member_curve(number: int, trained: TrialResult) -> MemberCurve:
    def columns(prefix: str) -> dict[str, np.ndarray]:
        found = {
            n: np.array([row.get(f"{prefix}{n}", np.nan) for row in trained.history]) for n in _names(trained.history)
        }
        return {name: values for name, values in found.items() if np.isfinite(values).any()}

    epochs = np.arange(1, len(trained.history) + 1)
    return MemberCurve(number, trained.best_epoch, epochs, columns(""), columns(PREFIX))


def rows(
    found: Sequence[ModelCurves], trained: Sequence[TrainingCurve], members: Sequence[MemberCurve] = ()
) -> Iterator[tuple]:
    """Lines of ``curves.csv`` under :data:`HEADINGS`."""
    for member in members:
        for kind, terms in (("training", member.training), ("validation", member.validation)):
            for name, values in terms.items():
                for epoch, value in zip(member.epochs.tolist(), values.tolist(), strict=True):
                    if np.isfinite(value):
                        own = (f"member {kind} {name}", "", f"member-{member.number}", "baseline", 0)
                        yield (*own, epoch, value, "", "", 1)
    for each in found:
        yield from _model_rows(each)
    for curve in trained:
        own = (curve.protocol, curve.model, "baseline", int(curve.control))
        for name, (mean, low, high) in curve.terms.items():
            for at, values in enumerate(zip(mean.tolist(), low.tolist(), high.tolist(), strict=True)):
                yield (f"training {name}", *own, int(curve.epochs[at]), *values, curve.trials)


def _model_rows(found: ModelCurves) -> Iterator[tuple]:
    own = (found.results.protocol, found.results.model, found.results.time_point)
    for name, curve in (("roc pooled", found.roc), ("precision-recall pooled", found.precision_recall)):
        for x, y in zip(curve.x.tolist(), curve.y.tolist(), strict=True):
            yield (name, *own, 0, x, y, "", "", "")
    for each in found.calibration:
        yield ("calibration pooled", *own, 0, each.predicted, each.observed, each.low, each.high, each.count)
    for name, points in found.by_class.items():
        for each in points:
            yield (
                f"calibration pooled of {name}",
                *own,
                0,
                each.predicted,
                each.observed,
                *each.interval(),
                each.count,
            )
    for control, by_trial in ((0, found.trials), (1, found.controls)):
        if by_trial:
            for x, mean, sd in zip(GRID.tolist(), by_trial.mean.tolist(), by_trial.sd.tolist(), strict=True):
                yield ("roc by trial", *own, control, x, mean, mean - sd, mean + sd, by_trial.trials)
