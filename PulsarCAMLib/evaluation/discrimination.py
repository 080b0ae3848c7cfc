"""How well probabilities separate responding from non-responding lesions.

Lesions of one patient are not independent, so intervals resample whole patients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from ..core.errors import InputError
from .resampling import LEVEL, interval, patient_weights
from .weighted import in_chunks, weighted_auc


@dataclass(frozen=True)
class Discrimination:
    """Area under the ROC curve, and how sure it is.

    Attributes:
        auc: of the lesions, by scikit-learn.
        low, high: 95 % interval of a bootstrap over patients.
        p_value: two-sided, of the hypothesis that the AUC is 0.5 (labels permuted over lesions).
        patients, lesions, responses: how many.
    """

    auc: float
    low: float
    high: float
    p_value: float
    patients: int
    lesions: int
    responses: int

    @property
    def differs_from_chance(self) -> bool:
        """Whether the AUC can be told from 0.5: the interval leaves 0.5 out and the permutation test agrees."""
        return self.p_value < 1 - LEVEL and not self.low <= 0.5 <= self.high

    def sentence(self) -> str:
        """The result in words."""
        verdict = "" if self.differs_from_chance else ", not distinguishable from 0.5"
        return (
            f"AUC {self.auc:.3f} (95 % interval {self.low:.3f} to {self.high:.3f} over patients, permutation "
            f"p = {self.p_value:.4f}; {self.lesions} lesions of {self.patients} patients, "
            f"{self.responses} responding){verdict}"
        )


def discrimination(
    labels: np.ndarray, scores: np.ndarray, patients: np.ndarray, *, resamples: int = 2000, seed: int = 0
) -> Discrimination:
    """AUC of response with a patient-level bootstrap interval and a permutation test.

    Args:
        labels: ``[N]``, 1 response, 0 non-response.
        scores: ``[N]``, higher for response.
        patients: ``[N]``, whose lesion it is.
        resamples: bootstrap samples, and permutations.
        seed: of both.

    Raises:
        InputError: only one class, or scores that are not finite.
    """
    from sklearn.metrics import roc_auc_score

    labels, scores, patients = np.asarray(labels, dtype=int), np.asarray(scores, dtype=float), np.asarray(patients)
    if len(np.unique(labels)) != 2 or not np.isfinite(scores).all():
        raise InputError("An AUC needs responding and non-responding lesions, all with a finite score.")
    auc = float(roc_auc_score(labels, scores))
    rng = np.random.default_rng(seed)
    weights = patient_weights(patients, resamples, rng)
    low, high = interval(in_chunks(lambda part: weighted_auc(labels == 1, scores, part), weights))
    chance = np.array([_rank_auc(rng.permutation(labels), scores) for _ in range(resamples)])
    # A hair of tolerance, so that equal AUCs count as equal whatever the order of their sums.
    extreme = int(np.count_nonzero(np.abs(chance - 0.5) >= abs(auc - 0.5) - 1e-12))
    return Discrimination(
        auc=auc,
        low=low,
        high=high,
        p_value=float((extreme + 1) / (resamples + 1)),
        patients=len(np.unique(patients)),
        lesions=len(labels),
        responses=int(labels.sum()),
    )


@dataclass(frozen=True)
class Difference:
    """Mean of paired differences with a 95 % interval of a bootstrap over patients."""

    mean: float
    low: float
    high: float
    pairs: int

    @property
    def better(self) -> bool:
        """Whether the first is clearly larger than the second."""
        return self.low > 0


def paired_difference(
    first: np.ndarray, second: np.ndarray, patients: np.ndarray, *, resamples: int = 2000, seed: int = 0
) -> Difference:
    """Mean of ``first - second`` over lesions where both are defined (not NaN).

    Raises:
        InputError: no lesion has both.
    """
    first, second, patients = np.asarray(first, float), np.asarray(second, float), np.asarray(patients)
    defined = np.isfinite(first) & np.isfinite(second)
    if not defined.any():
        raise InputError("There is no lesion for which both values are defined.")
    values, patients = (first - second)[defined], patients[defined]
    rng = np.random.default_rng(seed)
    weights = patient_weights(patients, resamples, rng)
    means = in_chunks(lambda part: part @ values / part.sum(axis=1), weights)
    return Difference(float(values.mean()), *interval(means), len(values))


def _rank_auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """AUC as the Mann-Whitney statistic; NaN with one class only."""
    positive = int(labels.sum())
    negative = len(labels) - positive
    if not positive or not negative:
        return float("nan")
    return float((rankdata(scores)[labels == 1].sum() - positive * (positive + 1) / 2) / (positive * negative))
