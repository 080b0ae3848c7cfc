"""Choosing a feature model's strengths in inner folds by patient, and the parts that are chosen among."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.stats import rankdata
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from .settings import FeatureModelSettings
from .steps import (
    TIE,
    DecorrelatedColumns,
    FirstColumns,
    MutualInformationOrder,
    Resampled,
    SparseColumns,
    VariableColumns,
    column_aucs,
    logistic,
)

STRENGTHS = (1.2, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Of the sparse step, sparsest first, see :class:`.steps.SparseColumns`."""

COUNTS = (1, 2, 3, 5, 10, 20, 50)
"""How many features mutual information may leave."""

L2_STRENGTHS = (0.1, 1.0)
SVM_STRENGTHS = (0.3, 1.0, 10.0)

UNTUNED = 2.0, 5, 1.0
"""Strength of the sparse step, number of features and strength of the classifier where nothing can be tuned."""

ELASTIC = 0.5
TREES = 200

Part = tuple[dict, object]
"""What was chosen, in JSON values, and the step of the pipeline."""


@dataclass(frozen=True, eq=False)
class Tuning:
    """What inner folds said.

    Attributes:
        select, classify: the parts that did best; of equally good ones the sparsest and the most penalised.
        scores: ``[n]``, decision or probability for every training lesion by a model that did not see its patient; NaN
            where there are no inner folds.
        auc_by_fold: of the best.
        reason: why nothing was tuned; "" if it was.
    """

    select: Part
    classify: Part
    scores: np.ndarray
    auc_by_fold: tuple[float, ...]
    reason: str = ""


def first_steps(settings: FeatureModelSettings, seed: int) -> Pipeline:
    """Everything before the steps that are tuned."""
    steps = [
        ("variance", VariableColumns(settings.least_known)),
        ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
        ("scale", StandardScaler()),
        ("correlation", DecorrelatedColumns(settings.correlation_limit, settings.correlation_keeps)),
    ]
    if settings.selection == "mutual-information":
        steps.append(("order", MutualInformationOrder(seed)))
    return Pipeline(steps)


def tuned(values: np.ndarray, y: np.ndarray, patients: np.ndarray, settings: FeatureModelSettings, seed: int) -> Tuning:
    """Chooses among all pairs of selection and classifier by the mean AUC over the inner folds.

    Args:
        values: ``[n, p]`` of the training lesions, NaN where a feature has no value.
        y: ``[n]``, 1 the positive class, 0 the other, both there.
        patients: ``[n]``; none is on both sides of a fold.
        settings: of the model.
        seed: of the folds and of the parts.
    """
    folds, reason = inner_folds(y, patients, settings.inner_folds, seed)
    if not folds:
        select, classify = _untuned(settings, seed)
        return Tuning(select, classify, np.full(len(y), np.nan), (), reason)
    selections, classifiers = _selections(settings, seed), _classifiers(settings, seed)
    pairs = list(product(selections, classifiers))
    scores, aucs = np.full((len(pairs), len(y)), np.nan), np.empty((len(pairs), len(folds)))
    for number, (known, asked) in enumerate(folds):
        steps = first_steps(settings, seed).fit(values[known], y[known])
        before = steps.transform(values[known]), steps.transform(values[asked])
        for s, (_, select) in enumerate(selections):
            select = clone(select).fit(before[0], y[known])
            seen, unseen = map(select.transform, before)
            for c, (_, classify) in enumerate(classifiers):
                at = s * len(classifiers) + c
                scores[at, asked] = scores_of(clone(classify).fit(seen, y[known]), unseen)
        aucs[:, number] = column_aucs(rankdata(scores[:, asked].T, axis=0), y[asked])
    mean = aucs.mean(axis=1)
    best = int(np.flatnonzero(mean >= mean.max() - TIE)[0])
    return Tuning(*pairs[best], scores[best], tuple(map(float, aucs[best])))


def inner_folds(
    y: np.ndarray, patients: np.ndarray, wanted: int, seed: int
) -> tuple[list[tuple[np.ndarray, np.ndarray]], str]:
    """Folds with both classes on both sides and no patient on both; fewer than wanted where patients are few.

    Returns:
        ``(training, test)`` indices of each fold; and, if there is none, why.
    """
    if not wanted:
        return [], "the settings ask for no inner folds"
    most = min(len(np.unique(patients[y == label])) for label in (0, 1))
    for count in range(min(wanted, most), 1, -1):
        division = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # classes that are short of a fold are refused below
            folds = list(division.split(np.zeros((len(y), 1)), y, patients))
        if all(len(np.unique(y[side])) == 2 for fold in folds for side in fold):
            return folds, ""
    return [], "too few patients of each class for inner folds that hold both"


def scores_of(classifier, values: np.ndarray) -> np.ndarray:
    """What ranks the lesions: probability of the positive class, or for a support vector machine its decision value."""
    if is_svm(classifier):
        return classifier.decision_function(values)
    return classifier.predict_proba(values)[:, 1]


def is_svm(classifier) -> bool:
    """Whether its scores are decision values and no probabilities."""
    return isinstance(classifier.estimator if isinstance(classifier, Resampled) else classifier, SVC)


def _selections(settings: FeatureModelSettings, seed: int) -> list[Part]:
    if settings.selection == "none":
        return [({}, FirstColumns())]
    if settings.selection == "mutual-information":
        counts = sorted({min(count, settings.most_features) for count in COUNTS})
        return [({"features": count}, FirstColumns(count)) for count in counts]
    return [_sparse(strength, settings, seed) for strength in STRENGTHS]


def _sparse(strength: float, settings: FeatureModelSettings, seed: int) -> Part:
    ratio = 1.0 if settings.selection == "l1" else ELASTIC
    balanced = settings.imbalance != "none"
    step = SparseColumns(strength, ratio, most=settings.most_features, balanced=balanced, seed=seed)
    return {"sparse_strength": strength}, step


def _classifiers(settings: FeatureModelSettings, seed: int) -> list[Part]:
    if settings.classifier == "random-forest":
        return [({}, _classifier(None, settings, seed))]
    strengths = L2_STRENGTHS if settings.classifier == "logistic" else SVM_STRENGTHS
    return [({"classifier_strength": strength}, _classifier(strength, settings, seed)) for strength in strengths]


def _classifier(strength: float | None, settings: FeatureModelSettings, seed: int):
    balanced = settings.imbalance == "weighted"
    weight = "balanced" if balanced else None
    if settings.classifier == "random-forest":
        made = RandomForestClassifier(TREES, min_samples_leaf=3, class_weight=weight, random_state=seed, n_jobs=1)
    elif settings.classifier == "svm":
        made = SVC(C=strength, class_weight=weight)
    else:
        made = logistic(strength, balanced=balanced, seed=seed)
    return Resampled(made, seed) if settings.imbalance == "resampled" else made


def _untuned(settings: FeatureModelSettings, seed: int) -> tuple[Part, Part]:
    """Stated values; a support vector machine, whose probabilities need inner folds, becomes a logistic regression."""
    sparse, count, strength = UNTUNED
    if settings.selection == "none":
        select = _selections(settings, seed)[0]
    elif settings.selection == "mutual-information":
        count = min(count, settings.most_features)
        select = {"features": count}, FirstColumns(count)
    else:
        select = _sparse(sparse, settings, seed)
    if settings.classifier == "random-forest":
        return select, _classifiers(settings, seed)[0]
    simple = FeatureModelSettings(imbalance=settings.imbalance)
    return select, ({"classifier_strength": strength}, _classifier(strength, simple, seed))
