"""How well numbers are predicted: error, explained share, order, with intervals by patient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .resampling import interval, patient_weights

RESAMPLES = 2000
LEAST = 3
"""Lesions below which no figure is defined."""


@dataclass(frozen=True)
class Amount:
    """One figure.

    Attributes:
        value: of all lesions; None where it is not defined.
        low, high: middle 95 % of a bootstrap over patients; None where it is not defined.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


def regression_figures(
    truth: np.ndarray,
    predicted: np.ndarray,
    patients: np.ndarray,
    resamples: int = RESAMPLES,
    seed: int = 0,
    told_as: Callable[[np.ndarray], np.ndarray] | None = None,
) -> dict[str, Amount]:
    """R2, mean absolute error, rank correlation and calibration slope.

    ``r2`` is the explained share of the variance, 1 less squared error over that of the mean of the same lesions: 0 for
    the mean, below 0 for worse. ``mean_absolute_error`` is in the numbers' own unit, or in that of ``told_as``.
    ``spearman`` is the correlation of ranks. ``slope`` is that of the truth on the prediction: 1 where predictions mean
    what they say, below 1 where they say too much.

    Args:
        truth, predicted: ``[m]``, finite.
        patients: ``[m]``, drawn whole.
        resamples: bootstrap samples; 0 for no intervals.
        seed: of these.
        told_as: makes of numbers those in which people are told the error, such as percent of a logarithm.
    """
    truth, predicted = (np.asarray(each, dtype=float) for each in (truth, predicted))
    off = np.abs(truth - predicted if told_as is None else told_as(truth) - told_as(predicted))
    whole = _figures(truth, predicted, off)
    found = {name: [] for name in whole}
    weights = patient_weights(patients, resamples, np.random.default_rng(seed)) if resamples and len(truth) else []
    for row in weights:
        again = np.repeat(np.arange(len(truth)), row.astype(int))
        for name, value in _figures(truth[again], predicted[again], off[again]).items():
            found[name].append(np.nan if value is None else value)
    amounts = {}
    for name, value in whole.items():
        low, high = interval(np.array(found[name], dtype=float))
        known = value is not None and np.isfinite(low)
        amounts[name] = Amount(value, low if known else None, high if known else None)
    return amounts


def _figures(truth: np.ndarray, predicted: np.ndarray, off: np.ndarray) -> dict[str, float | None]:
    from scipy.stats import rankdata

    enough = len(truth) >= LEAST
    varies = enough and np.ptp(truth) > 0
    both = varies and np.ptp(predicted) > 0
    error = truth - predicted
    return {
        "r2": float(1 - (error**2).sum() / ((truth - truth.mean()) ** 2).sum()) if varies else None,
        "mean_absolute_error": float(off.mean()) if enough else None,
        "spearman": float(np.corrcoef(rankdata(truth), rankdata(predicted))[0, 1]) if both else None,
        "slope": float(np.polyfit(predicted, truth, 1)[0]) if both else None,
    }
