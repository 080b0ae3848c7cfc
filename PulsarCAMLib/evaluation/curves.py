"""Curves behind the numbers: ROC, precision against recall, and calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.task import Task
from .predictions import Predictions
from .undefined import why_undefined

BINS = 10
FEWEST_IN_BIN = 12
"""Lesions in a point of a calibration curve; fewer lesions give fewer points, at least one."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Points of a curve, from the highest threshold down.

    Attributes:
        x, y: the points; empty where there is no curve.
        thresholds: probability of the positive class from which on a lesion is called positive; the ROC begins with
            infinity (nothing is).
        area: AUC, or average precision.
        reason: why there is no curve.
    """

    x: np.ndarray
    y: np.ndarray
    thresholds: np.ndarray
    area: float | None
    reason: str = ""


_NOTHING = np.zeros(0)


def roc_points(labels, probabilities, *, positive: str | None = None, task: Task | None = None) -> Curve:
    """ROC: x = 1 - specificity, y = sensitivity; arguments as :func:`.metrics.evaluate_predictions`."""
    from sklearn.metrics import roc_auc_score, roc_curve

    given = Predictions.of(labels, probabilities, positive=positive, task=task)
    reason = why_undefined("auc", given)
    if reason:
        return Curve(_NOTHING, _NOTHING, _NOTHING, None, reason)
    x, y, thresholds = roc_curve(given.truth, given.scores)
    return Curve(x, y, thresholds, float(roc_auc_score(given.truth, given.scores)))


def precision_recall_points(labels, probabilities, *, positive: str | None = None, task: Task | None = None) -> Curve:
    """Precision against recall: x = recall, y = precision.

    The area is average precision, a sum of steps: the trapezoidal area is too high, for precision is not linear
    between the points.
    """
    from sklearn.metrics import average_precision_score, precision_recall_curve

    given = Predictions.of(labels, probabilities, positive=positive, task=task)
    reason = why_undefined("average_precision", given)
    if reason:
        return Curve(_NOTHING, _NOTHING, _NOTHING, None, reason)
    precision, recall, thresholds = precision_recall_curve(given.truth, given.scores)
    area = float(average_precision_score(given.truth, given.scores))
    # scikit-learn's last point (recall 0, precision 1) has no threshold: nothing is called.
    return Curve(recall[::-1], precision[::-1], np.append(thresholds, np.inf)[::-1], area)


@dataclass(frozen=True)
class CalibrationBin:
    """Lesions with similar predictions.

    Attributes:
        low, high: lowest and highest probability among them.
        count: how many.
        predicted: their mean probability.
        observed: share of them that is of the positive class.
    """

    low: float
    high: float
    count: int
    predicted: float
    observed: float

    def interval(self) -> tuple[float, float]:
        """95 % interval of the observed share (Wilson), as if the lesions were independent."""
        from .small_samples import wilson

        return wilson(round(self.observed * self.count), self.count)


def calibration_points(
    labels, probabilities, *, positive: str | None = None, task: Task | None = None, bins: int | None = None
) -> list[CalibrationBin]:
    """Calibration curve in bins of (nearly) equal counts; equal probabilities are never parted, so there may be fewer.

    With fewer than some 30 lesions a bin, the points scatter widely even for a perfect model.

    Args:
        labels, probabilities, positive, task: as :func:`.metrics.evaluate_predictions` takes them.
        bins: how many; default: up to :data:`BINS`, each of :data:`FEWEST_IN_BIN` lesions or more.
    """
    given = Predictions.of(labels, probabilities, positive=positive, task=task)
    if bins is None:
        bins = int(np.clip(len(given) // FEWEST_IN_BIN, 1, BINS))
    return _points(given.truth, given.scores, bins)


def class_calibration_points(
    labels: np.ndarray, probabilities: np.ndarray, task: Task
) -> dict[str, list[CalibrationBin]]:
    """Calibration of every class against all others, by its name; bins as :func:`calibration_points` has them.

    Args:
        labels: ``[N]``, numbers of classes in the task's order.
        probabilities: ``[N, C]``.
        task: of three classes or more.
    """
    bins = int(np.clip(len(labels) // FEWEST_IN_BIN, 1, BINS))
    found = zip(task.names, np.asarray(probabilities, dtype=float).T, strict=True)
    return {name: _points(np.asarray(labels) == n, scores, bins) for n, (name, scores) in enumerate(found)}


def _points(truth: np.ndarray, scores: np.ndarray, bins: int) -> list[CalibrationBin]:
    number, count = quantile_bins(scores, bins)
    groups = [number == n for n in range(count)]
    return [
        CalibrationBin(
            low=float(scores[group].min()),
            high=float(scores[group].max()),
            count=int(group.sum()),
            predicted=float(scores[group].mean()),
            observed=float(truth[group].mean()),
        )
        for group in groups
        if group.any()
    ]


def expected_calibration_error(truth: np.ndarray, scores: np.ndarray, bins: int = BINS) -> float:
    """Mean distance of predicted and observed share over the bins, weighted by their counts.

    It is above 0 for a perfectly calibrated model, too (about 0.1 with 69 lesions in ten bins), and its bootstrap
    interval shares this bias: compare it between models on the same lesions, do not read it alone.
    """
    number, count = quantile_bins(scores, bins)
    gaps = np.bincount(number, weights=np.asarray(scores) - np.asarray(truth), minlength=count)
    return float(np.abs(gaps).sum() / len(scores))


def quantile_bins(scores: np.ndarray, bins: int = BINS) -> tuple[np.ndarray, int]:
    """Bin of every lesion ``[N]`` by quantiles (scikit-learn's strategy "quantile"), and the number of bins."""
    if not len(scores):
        return np.zeros(0, dtype=int), 0
    # In per cent as scikit-learn does, so that edges on a probability round alike.
    edges = np.percentile(scores, np.linspace(0, 1, bins + 1) * 100)
    return np.searchsorted(edges[1:-1], scores), bins
