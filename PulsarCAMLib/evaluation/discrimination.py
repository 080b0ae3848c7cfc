"""How well probabilities separate the classes.

Lesions of one patient are not independent, so intervals resample whole patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.errors import InputError
from ..core.task import PATIENT, Task
from .predictions import default_task
from .resampling import LEVEL, TOO_FEW, interval, interval_or_none, patient_weights
from .weighted import in_chunks, weighted_auc


@dataclass(frozen=True)
class Discrimination:
    """Area under the ROC curve, and how sure it is.

    Attributes:
        auc: of the lesions, by scikit-learn.
        low, high: 95 % interval of a bootstrap over patients; None where they are too few for one.
        p_value: two-sided, of the hypothesis that the AUC is 0.5 (labels permuted over lesions).
        patients, lesions, responses: how many; ``responses`` are those of the positive class.
    """

    auc: float
    low: float | None
    high: float | None
    p_value: float
    patients: int
    lesions: int
    responses: int

    @property
    def differs_from_chance(self) -> bool:
        """Whether the AUC can be told from 0.5: the interval leaves 0.5 out and the permutation test agrees."""
        if self.low is None or self.high is None:
            return False
        return self.p_value < 1 - LEVEL and not self.low <= 0.5 <= self.high

    def sentence(self, task: Task | None = None) -> str:
        """The result in the words of a task, by default of the default system's."""
        task = task or default_task()
        own, name = task.of(task.positive).adjective, "AUC" if task.binary else "Macro AUC"
        verdict = "" if self.differs_from_chance else ", not distinguishable from 0.5"
        reach = TOO_FEW if self.low is None else f"95 % interval {self.low:.3f} to {self.high:.3f} over patients"
        return (
            f"{name} {self.auc:.3f} ({reach}, permutation p = {self.p_value:.4f}; {_counted(self, task)}, "
            f"{self.responses} {own}){verdict}"
        )


def _counted(found: Discrimination, task: Task) -> str:
    if task.unit == PATIENT:
        return f"{found.patients} patients"
    return f"{found.lesions} {task.unit}s of {found.patients} patients"


def discrimination(
    labels: np.ndarray,
    scores: np.ndarray,
    patients: np.ndarray,
    *,
    resamples: int = 2000,
    seed: int = 0,
    task: Task | None = None,
) -> Discrimination:
    """AUC with a patient-level bootstrap interval and a permutation test.

    It is that of the positive class of two; of more, the mean AUC of every class against all others.

    Args:
        labels: ``[N]``, numbers of classes.
        scores: ``[N]``, higher for the positive class; ``[N, C]`` of more than two classes.
        patients: ``[N]``, whose lesion it is.
        resamples: bootstrap samples, and permutations.
        seed: of both.
        task: None: that of the default system.

    Raises:
        InputError: a class is missing, or scores are not finite.
    """
    task = task or default_task()
    labels, scores, patients = np.asarray(labels, dtype=int), np.asarray(scores, dtype=float), np.asarray(patients)
    if len(np.unique(labels)) != len(task.classes) or not np.isfinite(scores).all():
        raise InputError(f"An AUC needs {_all_kinds(task)} {task.unit}s, all with a finite score.")
    asked = [(task.index(task.positive), scores)] if task.binary else list(enumerate(scores.T))
    auc = _mean([_auc(labels == number, own) for number, own in asked])
    rng = np.random.default_rng(seed)
    weights = patient_weights(patients, resamples, rng)
    samples = in_chunks(lambda w: _mean([weighted_auc(labels == number, own, w) for number, own in asked]), weights)
    low, high = interval_or_none(samples, patients)
    dealt = (rng.permutation(labels) for _ in range(resamples))
    chance = np.array([_mean([_rank_auc(own == number, s) for number, s in asked]) for own in dealt])
    # A hair of tolerance, so that equal AUCs count as equal whatever the order of their sums.
    extreme = int(np.count_nonzero(np.abs(chance - 0.5) >= abs(auc - 0.5) - 1e-12))
    return Discrimination(
        auc=auc,
        low=low,
        high=high,
        p_value=float((extreme + 1) / (resamples + 1)),
        patients=len(np.unique(patients)),
        lesions=len(labels),
        responses=int((labels == task.index(task.positive)).sum()),
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


def _all_kinds(task: Task) -> str:
    """ "responding and non-responding"."""
    others = [each.adjective for each in task.classes if each.name != task.positive]
    return " and ".join([task.of(task.positive).adjective, *others])


def _auc(truth: np.ndarray, scores: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, scores))


def _mean(values: Sequence):
    """Of one value the value itself, to the last bit."""
    return values[0] if len(values) == 1 else sum(values) / len(values)


def _rank_auc(truth: np.ndarray, scores: np.ndarray) -> float:
    """AUC as the Mann-Whitney statistic; NaN with one class only."""
    from scipy.stats import rankdata

    truth = np.asarray(truth, dtype=bool)
    positive = int(truth.sum())
    negative = len(truth) - positive
    if not positive or not negative:
        return float("nan")
    return float((rankdata(scores)[truth].sum() - positive * (positive + 1) / 2) / (positive * negative))
