"""Is one model better than another on the same lesions? A paired bootstrap over patients.

DeLong's test of two AUCs is not used: it takes lesions for independent, while several belong to one patient. Both
models are measured on the same samples of patients, so what the samples have in common cancels.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from ..core.errors import InputError
from ..core.task import Task
from .metrics import Value, metrics_of, point, value_with_interval
from .multiclass import ClassPredictions, predictions_of, weighted_metric
from .predictions import Predictions, default_task
from .resampling import LEVEL, patient_weights


@dataclass(frozen=True)
class Comparison:
    """One metric of two models.

    Attributes:
        metric, positive: which, and about which class.
        first, second: of each model.
        difference: first minus second, with its interval.
        p_value: two-sided, of no difference, by the bootstrap; None where there is no difference to test.
        lesions, patients: how many both were measured on.
    """

    metric: str
    positive: str
    first: Value
    second: Value
    difference: Value
    p_value: float | None
    lesions: int
    patients: int

    @property
    def differs(self) -> bool:
        """Whether the interval of the difference leaves 0 out."""
        return self.difference.low is not None and not self.difference.low <= 0 <= self.difference.high

    def as_dict(self) -> dict:
        """JSON values."""
        return asdict(self) | {"differs": self.differs, "level": LEVEL}


def compare_models(
    labels: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    patients: np.ndarray,
    *,
    metric: str = "auc",
    thresholds: tuple[float | np.ndarray, float | np.ndarray] = (0.5, 0.5),
    positive: str | None = None,
    task: Task | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Difference of a metric between two models, with an interval and a p-value.

    The p-value is twice the share of samples in which the difference does not have the sign it mostly has (with one
    added to counts, so it is never 0). It says nothing about training again: the models are taken as they are.

    Args:
        labels: ``[N]``, numbers of classes.
        first, second: ``[N]`` or ``[N, C]``, probabilities of the two models for the same lesions.
        patients: ``[N]``.
        metric: of :func:`.metrics.metrics_of`.
        thresholds: of the two models' decisions.
        positive: the class that metrics of two classes are about; None: the task's.
        task: None: that of the default system.
        resamples: bootstrap samples.
        seed: of them.

    Raises:
        InputError: an unknown metric, or predictions that are none.
    """
    task = task or default_task()
    if metric not in (known := metrics_of(task)):
        raise InputError(f"The metric {metric!r} is not known; choose one of {', '.join(known)}.")
    models = [
        predictions_of(labels, scores, patients, threshold=threshold, positive=positive, task=task)
        for scores, threshold in zip((first, second), thresholds, strict=True)
    ]
    values = [point(metric, model) for model in models]
    difference, p_value = _difference(metric, models, values, resamples, seed)
    count = len(np.unique(models[0].patients))
    return Comparison(metric, positive or task.positive, *values, difference, p_value, len(models[0]), count)


def _difference(
    metric: str, models: list[Predictions | ClassPredictions], values: list[Value], resamples: int, seed: int
) -> tuple[Value, float | None]:
    reasons = [f"{name} model: {v.reason}" for name, v in zip(("first", "second"), values, strict=True) if v.reason]
    if reasons:
        return Value(None, reason="; ".join(reasons)), None
    found = values[0].value - values[1].value
    if len(np.unique(models[0].patients)) < 2:
        return Value(found, reason="an interval over patients needs at least two of them"), None
    weights = patient_weights(models[0].patients, resamples, np.random.default_rng(seed))
    samples = weighted_metric(metric, models[0], weights) - weighted_metric(metric, models[1], weights)
    difference = value_with_interval(found, samples)
    if difference.low is None:
        return difference, None
    samples = samples[np.isfinite(samples)]
    # A hair of tolerance, so that equal models count as equal whatever the order of their sums.
    below, above = np.count_nonzero(samples <= 1e-12), np.count_nonzero(samples >= -1e-12)
    return difference, float(min(1.0, 2 * (min(below, above) + 1) / (len(samples) + 1)))
