"""The change of a lesion's volume as a number, learnt from columns of numbers: ridge regression on the logarithm.

The predecessor of the paper's series predicted the change of the GTV from features (R2 0.743 on 69 lesions). What is
learnt is the natural logarithm of the volume at follow-up over that at baseline, for half and double are the same step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEAST, MOST = 0.05, 20.0
"""Shares of the first volume between which a change counts: a lesion that is gone counts as one of 5 %."""

PENALTIES = tuple(float(10.0**power) for power in np.arange(-2, 5.01, 0.5))
"""Ridge penalties that are tried, by leaving out one training lesion at a time."""

LEAST_LESIONS = 5


def log_change(shares: np.ndarray) -> np.ndarray:
    """ln of the share of the first volume that is left, between :data:`LEAST` and :data:`MOST`; NaN stays NaN."""
    return np.log(np.clip(np.asarray(shares, dtype=float), LEAST, MOST))


@dataclass(frozen=True, eq=False)
class ChangeModel:
    """A fitted regression.

    Attributes:
        pipeline: imputation, scaling, ridge regression; None where there was nothing to learn.
        constant: the answer to everything in that case: the mean of the training lesions.
        lowest, highest: of the training lesions' logarithms; no answer lies far beyond.
    """

    pipeline: object
    constant: float
    lowest: float
    highest: float

    def predict(self, values: np.ndarray) -> np.ndarray:
        """ln of the share that is left ``[m]`` for columns ``[m, p]``, not more than ln 2 beyond what was learnt."""
        if self.pipeline is None or not len(values):
            return np.full(len(values), self.constant)
        found = self.pipeline.predict(_finite(values))  # type: ignore[attr-defined]
        return np.clip(found, self.lowest - np.log(2), self.highest + np.log(2))


def fit_change_model(values: np.ndarray, changes: np.ndarray) -> ChangeModel:
    """Learns from training lesions and nothing else.

    Args:
        values: ``[n, p]``; NaN where a column has no value (the training lesions' median stands in).
        changes: ``[n]`` of :func:`log_change`, all known.
    """
    from sklearn.feature_selection import VarianceThreshold
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    mean = float(changes.mean()) if len(changes) else float("nan")
    values = _finite(values)
    known = np.isfinite(values).any(axis=0) if len(values) else np.zeros(values.shape[1], bool)
    varies = known & (np.nanmax(values, axis=0, initial=-np.inf) > np.nanmin(values, axis=0, initial=np.inf))
    if len(changes) < LEAST_LESIONS or not varies.any() or not np.ptp(changes):
        return ChangeModel(None, mean, mean, mean)
    steps = (SimpleImputer(strategy="median", keep_empty_features=True), VarianceThreshold(), StandardScaler())
    pipeline = make_pipeline(*steps, RidgeCV(PENALTIES)).fit(values, changes)
    return ChangeModel(pipeline, mean, float(changes.min()), float(changes.max()))


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)
