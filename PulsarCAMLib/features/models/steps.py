"""The steps of a feature model that scikit-learn does not have; each learns from what its ``fit`` is given only."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.stats import rankdata
from sklearn import __version__ as sklearn_version
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

_L1_RATIO_ALONE = tuple(int(part) for part in sklearn_version.split(".")[:2]) >= (1, 8)

FLAT = 1e-9
"""A spread below this share of the largest value is rounding."""

TIE = 1e-9
"""Numbers this near to each other are the same, so that no order hangs on rounding."""


class _Columns(TransformerMixin, BaseEstimator):
    """Keeps the columns ``kept_``, in that order."""

    def transform(self, values: np.ndarray) -> np.ndarray:
        check_is_fitted(self)
        return values[:, self.kept_]


class VariableColumns(_Columns):
    """Keeps columns with enough values that differ; NaN is no value.

    Attributes:
        usable_: how many such columns there are. If there are none, the first column stays, for what comes next needs
            one.
    """

    def __init__(self, least_known: float = 0.5) -> None:
        self.least_known = least_known

    def fit(self, values: np.ndarray, y=None) -> VariableColumns:
        known = np.isfinite(values)
        low, high = np.where(known, values, np.inf).min(axis=0), np.where(known, values, -np.inf).max(axis=0)
        enough = known.any(axis=0) & (known.mean(axis=0) >= self.least_known - TIE)
        size = np.where(enough, np.maximum(np.abs(low), np.abs(high)), 1.0)
        spread = np.where(enough, high, 0.0) - np.where(enough, low, 0.0)
        kept = np.flatnonzero(enough & (spread > FLAT * size))
        self.usable_ = len(kept)
        self.kept_ = kept if len(kept) else np.array([0])
        return self


class DecorrelatedColumns(_Columns):
    """Goes through the columns from the best to the worst and drops each that correlates with one it has kept.

    Args:
        limit: of the absolute rank correlation.
        keeps: what the best is; see :class:`.settings.FeatureModelSettings`.
    """

    def __init__(self, limit: float = 0.9, keeps: str = "related") -> None:
        self.limit = limit
        self.keeps = keeps

    def fit(self, values: np.ndarray, y: np.ndarray) -> DecorrelatedColumns:
        ranks = rankdata(values, axis=0)
        order = np.arange(values.shape[1])
        if self.keeps == "related":
            order = np.argsort(-_rounded(np.abs(column_aucs(ranks, y) - 0.5)), kind="stable")
        ranks = ranks[:, order] - ranks.mean(axis=0)
        length = np.linalg.norm(ranks, axis=0)
        ranks /= np.where(length > 0, length, 1.0)
        # Above 1 nothing correlates, so a limit of 1 keeps copies too.
        alike = np.abs(ranks.T @ ranks) > (self.limit + TIE if self.limit < 1 else np.inf)
        dropped = np.zeros(len(order), dtype=bool)
        for at in range(len(order)):
            if not dropped[at]:
                dropped[at + 1 :] |= alike[at, at + 1 :]
        self.kept_ = np.sort(order[~dropped])
        return self


class MutualInformationOrder(_Columns):
    """Puts the columns in the order of their mutual information with the classes, most first."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, values: np.ndarray, y: np.ndarray) -> MutualInformationOrder:
        neighbours = max(1, min(3, int(np.bincount(y).min()) - 1))
        found = mutual_info_classif(values, y, n_neighbors=neighbours, random_state=self.seed)
        self.kept_ = np.argsort(-_rounded(found), kind="stable")
        return self


class FirstColumns(_Columns):
    """Keeps the first columns; all of them for None."""

    def __init__(self, count: int | None = None) -> None:
        self.count = count

    def fit(self, values: np.ndarray, y=None) -> FirstColumns:
        self.kept_ = np.arange(values.shape[1])[: self.count]
        return self


class SparseColumns(_Columns):
    """Keeps the columns with a weight in a sparse logistic regression, at least one, at most ``most``.

    Args:
        strength: inverse penalty, in units of the one at which the first column gets a weight.
        l1_ratio: 1 for L1, less for an elastic net.
        most: those with the largest weights.
        balanced: both classes count the same.
        seed: of the solver.
    """

    def __init__(
        self, strength: float = 2.0, l1_ratio: float = 1.0, most: int = 10, balanced: bool = False, seed: int = 0
    ) -> None:
        self.strength = strength
        self.l1_ratio = l1_ratio
        self.most = most
        self.balanced = balanced
        self.seed = seed

    def fit(self, values: np.ndarray, y: np.ndarray) -> SparseColumns:
        share = 1 / np.bincount(y, minlength=2) if self.balanced else np.full(2, 2 / len(y))
        weights = share[y] * len(y) / 2
        pull = np.abs(values.T @ (weights * (y - np.average(y, weights=weights))))
        found = np.zeros(values.shape[1])
        if pull.max() > TIE:
            inverse = self.strength / (self.l1_ratio * pull.max())
            model = logistic(inverse, l1_ratio=self.l1_ratio, balanced=self.balanced, seed=self.seed)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # which weights are 0 shows long before
                found = np.abs(model.fit(values, y).coef_[0])
        if found.max() <= TIE:
            found = pull
            kept = np.array([int(np.argmax(_rounded(pull)))])
        else:
            kept = np.argsort(-_rounded(found), kind="stable")[: self.most]
        self.kept_ = np.sort(kept[found[kept] > TIE * found.max()] if found.max() > 0 else kept)
        return self


class Resampled(ClassifierMixin, BaseEstimator):
    """A classifier that sees lesions of the smaller class again, drawn with replacement, until there are as many."""

    def __init__(self, estimator=None, seed: int = 0) -> None:
        self.estimator = estimator
        self.seed = seed

    def fit(self, values: np.ndarray, y: np.ndarray) -> Resampled:
        counts = np.bincount(y, minlength=2)
        smaller = np.flatnonzero(y == np.argmin(counts))
        again = np.random.default_rng(self.seed).choice(smaller, counts.max() - counts.min())
        rows = np.concatenate([np.arange(len(y)), again]).astype(int)
        self.estimator_ = clone(self.estimator).fit(values[rows], y[rows])
        self.classes_ = self.estimator_.classes_
        return self

    def predict(self, values: np.ndarray) -> np.ndarray:
        return self.estimator_.predict(values)

    def predict_proba(self, values: np.ndarray) -> np.ndarray:
        return self.estimator_.predict_proba(values)

    def decision_function(self, values: np.ndarray) -> np.ndarray:
        return self.estimator_.decision_function(values)


def logistic(inverse: float, *, l1_ratio: float = 0.0, balanced: bool = False, seed: int = 0) -> LogisticRegression:
    """Logistic regression with a penalty, in the words that the installed scikit-learn understands."""
    solver, more = {0.0: ("lbfgs", {}), 1.0: ("liblinear", {"intercept_scaling": 10.0})}.get(
        l1_ratio, ("saga", {"tol": 1e-3})
    )
    if _L1_RATIO_ALONE:
        more = more | {"l1_ratio": l1_ratio}
    else:
        more = more | {"penalty": {0.0: "l2", 1.0: "l1"}.get(l1_ratio, "elasticnet")}
        more |= {"l1_ratio": l1_ratio} if 0 < l1_ratio < 1 else {}
    weight = "balanced" if balanced else None
    return LogisticRegression(C=inverse, solver=solver, class_weight=weight, random_state=seed, max_iter=2000, **more)


def column_aucs(ranks: np.ndarray, y: np.ndarray) -> np.ndarray:
    """AUC of each column from its ranks ``[n, p]``; scikit-learn's takes one column and a hundred times as long."""
    ones = int(y.sum())
    return (ranks[y == 1].sum(axis=0) - ones * (ones + 1) / 2) / (ones * (len(y) - ones))


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.round(values, 9)
