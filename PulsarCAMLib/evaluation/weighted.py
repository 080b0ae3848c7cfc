"""The metrics for thousands of bootstrap samples at once: lesions with weights, one row per sample.

scikit-learn computes one sample a call; two thousand samples of ten metrics would take a minute. A test holds these
formulas to scikit-learn's ``sample_weight``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .curves import quantile_bins
from .predictions import Predictions

CHUNK = 256
"""Samples at once, so that large cohorts do not need gigabytes."""


def weighted(name: str, given: Predictions, weights: np.ndarray) -> np.ndarray:
    """A metric under each row of weights.

    Args:
        name: in :data:`PulsarCAMLib.core.vocabulary.METRICS`.
        given: N lesions.
        weights: ``[B, N]``, how often each lesion counts.

    Returns:
        ``[B]`` float64, NaN where the metric is not defined.
    """
    return in_chunks(lambda part: _weighted(name, given, part), weights)


def in_chunks(function: Callable[[np.ndarray], np.ndarray], weights: np.ndarray) -> np.ndarray:
    """``function`` of float64 weights ``[b, N]``, put together to ``[B]``."""
    parts = range(0, max(len(weights), 1), CHUNK)
    return np.concatenate([function(weights[n : n + CHUNK].astype(np.float64)) for n in parts])


def _weighted(name: str, given: Predictions, weights: np.ndarray) -> np.ndarray:
    if name == "auc":
        return weighted_auc(given.truth, given.scores, weights)
    if name == "average_precision":
        return _average_precision(given.truth, given.scores, weights)
    if name == "brier":
        return ratio(weights @ (given.scores - given.truth) ** 2, weights.sum(axis=1))
    if name == "calibration_error":
        return weighted_calibration_error(given.truth, given.scores, weights)
    return _of_decisions(name, given.truth, given.called, weights)


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """``above / below`` ``[B]``; NaN where ``below`` is 0."""
    return np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)


def _of_decisions(name: str, truth: np.ndarray, called: np.ndarray, weights: np.ndarray) -> np.ndarray:
    tp, fp = weights @ (truth & called), weights @ (~truth & called)
    fn, tn = weights @ (truth & ~called), weights @ (~truth & ~called)
    if name == "balanced_accuracy":
        return (ratio(tp, tp + fn) + ratio(tn, tn + fp)) / 2
    if name == "macro_f1":
        return (ratio(2 * tp, 2 * tp + fp + fn) + ratio(2 * tn, 2 * tn + fp + fn)) / 2
    return {
        "sensitivity": lambda: ratio(tp, tp + fn),
        "specificity": lambda: ratio(tn, tn + fp),
        "accuracy": lambda: ratio(tp + tn, tp + tn + fp + fn),
        "precision": lambda: ratio(tp, tp + fp),
        "f1": lambda: ratio(2 * tp, 2 * tp + fp + fn),
    }[name]()


def _groups(scores: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sums of ``values [B, N]`` over lesions of equal score, by rising score."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    return np.add.reduceat(values[:, order], starts, axis=1)


def weighted_auc(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """AUC ``[B]`` as the Mann-Whitney statistic, ties counted half; scores may be any numbers, ``weights`` float64."""
    positive, negative = _groups(scores, weights * truth), _groups(scores, weights * ~truth)
    below = np.cumsum(negative, axis=1) - negative / 2
    return ratio((positive * below).sum(axis=1), positive.sum(axis=1) * negative.sum(axis=1))


def _average_precision(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    positive, every = _groups(-scores, weights * truth), _groups(-scores, weights)
    called, hits, total = np.cumsum(every, axis=1), np.cumsum(positive, axis=1), positive.sum(axis=1)
    precision = np.divide(hits, called, out=np.zeros_like(hits), where=called > 0)
    both = (total > 0) & (total < called[:, -1])
    return np.where(both, ratio((positive * precision).sum(axis=1), total), np.nan)


def weighted_calibration_error(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """With the bins of the whole sample, so that a sample differs by its lesions only."""
    number, _ = quantile_bins(scores)
    gaps = [np.abs(weights[:, number == n] @ (scores - truth)[number == n]) for n in np.unique(number)]
    return ratio(np.sum(gaps, axis=0), weights.sum(axis=1))
