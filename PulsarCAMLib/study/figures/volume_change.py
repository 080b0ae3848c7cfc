"""The volume change as a number in a study: every model's features, a regression, the study's own splits.

Beside the question of a class (response or not) the same trials answer how much of its volume a lesion keeps: a ridge
regression learns from the training lesions of a split, on the columns of a model on features or on what the trial's
network has learnt to see, and answers for the lesions that the split holds out. A control learns and is judged on
changes that are dealt out anew among the lesions, as its labels are. The paper's protocol holds nothing out and has no
such figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from ...core.vocabulary import BASELINE, PAPER
from ...evaluation.regression import regression_figures
from ...features.models.model import FeatureStudyModel
from ...features.models.regression import fit_change_model, log_change
from ...training.units.samples import TrainingSamples
from ..models.learnt import kept_features, network_of, originals_of
from ..models.study_models import study_models_of
from ..run import Study
from ..splits import Split, permuted, protocol_splits
from ..volumes import read_changes


@dataclass(frozen=True, eq=False)
class PredictedChange:
    """What one model says of one protocol's held-out lesions, mean of the trials that held them out.

    Attributes:
        protocol, model: names.
        time_point: of the MRI that was asked.
        control: whether changes were dealt out anew.
        lesions: int ``[m]``; in a control a lesion may be there several times.
        truth, predicted: ``[m]``, ln of the share of the first volume that is left.
    """

    protocol: str
    model: str
    time_point: str
    control: bool
    lesions: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray


def predicted_changes(study: Study) -> list[PredictedChange]:
    """Of every model under every protocol that holds lesions out, controls behind their trials.

    Raises:
        InputError: the study's folder is damaged.
    """
    settings, changes = study.settings, log_change(read_changes(study.folder, len(study.lesions)))
    models = [
        each for each in study_models_of(settings, study.facts, study.folder) if each.name not in settings.controlled
    ]
    found = []
    for protocol in (name for name in settings.protocols if name != PAPER):
        numbers = {"trials": settings.trials_of(protocol), "controls": settings.controls}
        own = {"folds": settings.folds, "seed": settings.seed}
        splits = list(protocol_splits(study.lesions, protocol, **numbers, **own))
        for model in models:
            read_once = cache(partial(originals_of, model))
            for control in (False, True):
                parts = [
                    answer
                    for split in splits
                    if split.control == control and (answer := _answered(study, model, split, changes, read_once))
                ]
                if parts:
                    found.append(_together(protocol, model, control, parts))
    return found


def change_summary(study: Study, resamples: int) -> list[dict[str, Any]]:
    """Figures of :func:`predicted_changes` as JSON values, one entry per protocol and model, with its control.

    ``r2``, ``spearman`` and ``slope`` are of the logarithm; ``mean_absolute_error`` is in percent of the first volume.
    """
    entries: dict[tuple[str, str], dict[str, Any]] = {}
    for each in predicted_changes(study):
        patients = study.lesions.patients[each.lesions]
        figures = regression_figures(each.truth, each.predicted, patients, resamples, told_as=_percent)
        told = {name: asdict(amount) for name, amount in figures.items()}
        key = each.protocol, each.model
        if each.control:
            entries.get(key, {})["control"] = told
            continue
        entries[key] = {
            "protocol": each.protocol,
            "model": each.model,
            "time_point": each.time_point,
            "lesions": len(each.lesions),
            "patients": len(np.unique(patients)),
            "figures": told,
            "control": None,
            "points": {
                "lesion": each.lesions.tolist(),
                "measured_percent": _percent(each.truth).tolist(),
                "predicted_percent": _percent(each.predicted).tolist(),
            },
        }
    return list(entries.values())


def _percent(changes: np.ndarray) -> np.ndarray:
    """What is left of the first volume, from its logarithm."""
    return 100 * np.exp(changes)


def _answered(
    study: Study, model: Any, split: Split, changes: np.ndarray, samples: Callable[[], TrainingSamples | None]
) -> tuple | None:
    """Lesions, truth and prediction of one split; None where the model cannot be asked or nothing is known."""
    truth = permuted(changes, study.settings.seed, split.number) if split.control else changes
    point = model.time_points[0]
    asked = dict(split.asked).get(point)
    columns = _columns(study, model, split, samples) if asked is not None else None
    if columns is None:
        return None
    usable = np.isfinite(truth) & np.isfinite(columns).any(axis=1)
    train, tested = split.train[usable[split.train]], asked[usable[asked]]
    if not len(tested) or not len(train):
        return None
    fitted = fit_change_model(columns[train], truth[train])
    return tested, truth[tested], fitted.predict(columns[tested])


def _columns(
    study: Study, model: Any, split: Split, samples: Callable[[], TrainingSamples | None]
) -> np.ndarray | None:
    """Numbers ``[L, p]`` to learn from; NaN where a lesion has none."""
    if isinstance(model, FeatureStudyModel):
        return model.columns_at(model.time_points[0])
    network = network_of(model)
    if network is None:
        return None
    return kept_features(study.folder, len(study.lesions), network, split, samples)


def _together(protocol: str, model: Any, control: bool, parts: list[tuple]) -> PredictedChange:
    lesions, truth, predicted = (np.concatenate(each) for each in zip(*parts, strict=True))
    if not control:
        names, where = np.unique(lesions, return_inverse=True)
        counts = np.bincount(where)
        truth, predicted = (np.bincount(where, values) / counts for values in (truth, predicted))
        lesions = names
    point = model.time_points[0] if model.time_points else BASELINE
    return PredictedChange(protocol, model.name, point, control, lesions, truth, predicted)
