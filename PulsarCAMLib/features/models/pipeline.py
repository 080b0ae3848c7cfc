"""A feature model: one scikit-learn pipeline, fitted on training lesions and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logit
from sklearn import config_context
from sklearn.inspection import permutation_importance
from sklearn.pipeline import Pipeline

from .settings import FeatureModelSettings
from .steps import Resampled, logistic
from .tuning import Tuning, first_steps, is_svm, scores_of, tuned

LEAST_SLOPE = 0.01
"""Inner folds without any signal must not turn a support vector machine's order of the lesions round."""

LISTED = 50
"""Features told of one model, those with the largest weights."""


@dataclass(frozen=True, eq=False)
class FeatureModel:
    """A fitted model.

    Attributes:
        pipeline: imputation, scaling, selection and classifier; None if there was nothing to learn.
        constant: the answer to everything in that case.
        sigmoid: slope and offset that turn decision values into probabilities; None where the classifier gives them.
        inner: ``[n]``, probabilities of the training lesions by models that did not see their patients; NaN if none.
        details: JSON values: selected features, chosen strengths, inner AUC, notes.
    """

    pipeline: Pipeline | None
    constant: float
    sigmoid: tuple[float, float] | None
    inner: np.ndarray
    details: dict[str, Any]

    def predict(self, values: np.ndarray) -> np.ndarray:
        """Probabilities of the positive class ``[m]`` for features ``[m, p]``, NaN where a feature has no value."""
        if self.pipeline is None:
            return np.full(len(values), self.constant)
        if not len(values):
            return np.empty(0)
        steps, classifier = self.pipeline[:-1], self.pipeline[-1]
        return _probabilities(scores_of(classifier, steps.transform(_finite(values))), self.sigmoid)


def fit_feature_model(
    values: np.ndarray,
    names: Sequence[str],
    labels: np.ndarray,
    patients: np.ndarray,
    settings: FeatureModelSettings | None = None,
    seed: int = 0,
) -> FeatureModel:
    """Learns from training lesions.

    Args:
        values: ``[n, p]``, NaN where a feature has no value.
        names: of the p features.
        labels: ``[n]``, 1 the positive class, 0 the other.
        patients: ``[n]``, whose lesion it is; inner folds keep a patient's lesions together.
        settings: every choice.
        seed: added to that of the settings.
    """
    settings = settings or FeatureModelSettings()
    values, y = _finite(values), np.asarray(labels).astype(int)
    about = {
        "lesions": len(y),
        "patients": len(np.unique(patients)),
        "responding": int(y.sum()),
        "features": len(names),
    }
    if len(np.unique(y)) < 2:
        return _constant(y, about, "all training lesions are of one class" if len(y) else "there is no training lesion")
    seed = (settings.seed + seed) % 2**32
    steps = first_steps(settings, seed).fit(values, y)
    if not steps["variance"].usable_:
        return _constant(y, about, "no feature varies between the training lesions")
    with config_context(assume_finite=True, skip_parameter_validation=True):  # such checks take longer than the fits
        tuning = tuned(values, y, np.asarray(patients), settings, seed)
    before = steps.transform(values)
    select = tuning.select[1].fit(before, y)
    classify = tuning.classify[1].fit(select.transform(before), y)
    pipeline = Pipeline([*steps.steps, ("select", select), ("classify", classify)])
    sigmoid = _sigmoid(tuning.scores, y, settings) if is_svm(classify) else None
    details = about | _told(pipeline, values, y, names, tuning, settings)
    return FeatureModel(pipeline, float("nan"), sigmoid, _probabilities(tuning.scores, sigmoid), details)


def _constant(y: np.ndarray, about: dict, reason: str) -> FeatureModel:
    """The positive class's share of the training lesions for everybody."""
    share = float(y.mean()) if len(y) else float("nan")
    notes = [f"{reason}, so every lesion gets their share of response"]
    return FeatureModel(None, share, None, np.full(len(y), np.nan), about | {"selected": [], "notes": notes})


def _told(
    pipeline: Pipeline,
    values: np.ndarray,
    y: np.ndarray,
    names: Sequence[str],
    tuning: Tuning,
    settings: FeatureModelSettings,
) -> dict[str, Any]:
    kept, left = np.arange(len(names)), {}
    for name in ("variance", "correlation", "order", "select"):
        if name in pipeline.named_steps:
            kept = kept[pipeline[name].kept_]
            left[name] = len(kept)
    weights, meaning = _weights(pipeline, values, y)
    order = np.argsort(-np.abs(np.round(weights, 9)), kind="stable")[:LISTED]
    notes = [f"nothing was tuned: {tuning.reason}"] if tuning.reason else []
    if tuning.reason and settings.classifier == "svm":
        notes.append("a support vector machine needs inner folds for its probabilities: logistic regression instead")
    return {
        "left_after": {name: count for name, count in left.items() if name != "order"},
        "selected": [{"feature": names[kept[at]], "weight": float(weights[at])} for at in order],
        "weights_are": meaning,
        "chosen": tuning.select[0] | tuning.classify[0],
        "inner_auc": float(np.mean(tuning.auc_by_fold)) if tuning.auc_by_fold else None,
        "inner_auc_by_fold": list(tuning.auc_by_fold),
        "notes": notes,
    }


def _weights(pipeline: Pipeline, values: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, str]:
    """A number for each selected feature, and what it is."""
    classifier = pipeline[-1]
    classifier = classifier.estimator_ if isinstance(classifier, Resampled) else classifier
    if hasattr(classifier, "coef_"):
        return classifier.coef_[0], "coefficients (log odds per standard deviation of the training lesions)"
    if hasattr(classifier, "feature_importances_"):
        return classifier.feature_importances_, "mean decrease in impurity"
    seen = pipeline[:-1].transform(values)
    if seen.shape[1] > LISTED:
        return np.zeros(seen.shape[1]), "not computed: too many features to permute one by one"
    found = permutation_importance(classifier, seen, y, scoring="roc_auc", n_repeats=10, random_state=0)
    return found.importances_mean, "fall of the training lesions' AUC when the feature is permuted"


def _sigmoid(scores: np.ndarray, y: np.ndarray, settings: FeatureModelSettings) -> tuple[float, float]:
    """Platt's slope and offset from decision values of inner folds."""
    balanced = settings.imbalance != "none"
    found = logistic(1.0, balanced=balanced).fit(scores[:, None], y)
    slope = float(found.coef_[0, 0])
    if slope < LEAST_SLOPE:
        return LEAST_SLOPE, float(0.0 if balanced else logit(y.mean()))
    return slope, float(found.intercept_[0])


def _probabilities(scores: np.ndarray, sigmoid: tuple[float, float] | None) -> np.ndarray:
    return scores if sigmoid is None else expit(sigmoid[0] * scores + sigmoid[1])


def _finite(values: np.ndarray) -> np.ndarray:
    values = np.array(values, dtype=float)
    values[~np.isfinite(values)] = np.nan
    return values
