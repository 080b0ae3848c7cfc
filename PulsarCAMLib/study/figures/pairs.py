"""Differences between two models on the same splits, and between trials and controls, with intervals that are honest.

Repeated splits share most of their training lesions, so their spread divided by the root of their number is far too
small for an error. Nadeau and Bengio (2003), "Inference for the generalization error", Machine Learning 52: 239-281,
replace 1/n by 1/n + n_test/n_train, with Student's t of n - 1 degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ...core.task import Task
from ...core.vocabulary import PAPER
from ...evaluation.metrics import shown_first
from ...evaluation.model_comparison import compare_models
from ...evaluation.multiclass import predictions_of, weighted_metric
from ...evaluation.resampling import LEVEL, TOO_FEW, interval_or_none, patient_weights
from .model_results import Asked, ModelResults, Pooled

NO_SPLITS = "the paper's protocol repeats seeds, not splits, and tests the lesions it learnt from"
ONE_PATIENT = "every trial holds one patient only; see the pooled difference"


def corrected_interval(differences: Sequence[float], test_share: float) -> dict[str, Any]:
    """Mean of differences over repeated splits and its corrected 95 % interval.

    Args:
        differences: one for each split.
        test_share: n_test / n_train.

    Returns:
        ``mean``, ``sd``, ``trials``, ``low``, ``high``, ``p_value`` and ``reason`` (why there is no interval).
    """
    from scipy.stats import t

    values = np.asarray(differences, dtype=float)
    found: dict[str, Any] = dict.fromkeys(("mean", "sd", "low", "high", "p_value"))
    found |= {"trials": len(values), "reason": ""}
    if not len(values):
        return found | {"reason": "defined for both models in no trial"}
    found["mean"] = float(values.mean())
    if len(values) < 2:
        return found | {"reason": "an interval needs at least two trials"}
    found["sd"] = float(values.std(ddof=1))
    error = found["sd"] * math.sqrt(1 / len(values) + test_share)
    reach = float(t.ppf((1 + LEVEL) / 2, len(values) - 1)) * error
    p_value = float(2 * t.sf(abs(found["mean"]) / error, len(values) - 1)) if error else None
    return found | {"low": found["mean"] - reach, "high": found["mean"] + reach, "p_value": p_value}


def by_split(results: ModelResults, metric: str = "auc", chance: float = 0.5) -> dict[str, Any] | None:
    """Mean AUC over repeated splits with its corrected 95 % interval (cut at 0 and 1), and whether 0.5 is outside; or
    another metric and what guessing reaches in it.

    This and not the pool decides whether a model is better than chance: within a split one model ranks lesions that it
    has not seen, while the pool averages models each of which lacked just the lesion it is asked about, which without
    any signal brings the pooled AUC below 0.5. None where a protocol has no splits, or one patient in each.
    """
    if results.one_by_one or results.protocol == PAPER:
        return None
    share = tested_share(results.trials) if results.trials else 0.0
    found = corrected_interval(values_of(results.trials, metric) - chance, share)
    if found["low"] is None:
        return None
    low, high = max(found["low"] + chance, 0.0), min(found["high"] + chance, 1.0)
    return {
        metric: found["mean"] + chance,
        "low": low,
        "high": high,
        "p_value": found["p_value"],
        "differs": not low <= chance <= high,
    }


def tested_share(trials: Sequence[Asked]) -> float:
    """n_test / n_train of some trials."""
    return float(np.mean([len(trial.lesions) / trial.train for trial in trials]))


def differences(everything: Sequence[ModelResults], patients: np.ndarray, resamples: int) -> list[dict[str, Any]]:
    """First minus second, for all pairs of models that were asked about the same MRI under the same protocol."""
    return [
        _pair(first, second, patients, resamples)
        for first, second in combinations(everything, 2)
        if (first.protocol, first.time_point) == (second.protocol, second.time_point)
    ]


def _pair(first: ModelResults, second: ModelResults, patients: np.ndarray, resamples: int) -> dict[str, Any]:
    mine, other = ({trial.number: trial for trial in results.trials} for results in (first, second))
    numbers = [number for number in mine if number in other]
    by_trial = [] if first.one_by_one else [_on_common(mine[number], other[number]) for number in numbers]
    share = tested_share([mine[number] for number in numbers]) if numbers else 0.0
    metrics = {}
    for name in shown_first(first.task):
        defined = [a.values[name].value - b.values[name].value for a, b in by_trial if _both(a, b, name)]
        metrics[name] = corrected_interval([] if first.one_by_one else defined, share)
        metrics[name] |= _cut(metrics[name], -1.0, 1.0)
        if first.one_by_one:
            metrics[name]["reason"] = ONE_PATIENT
        elif first.protocol == PAPER:
            metrics[name] |= {"low": None, "high": None, "p_value": None, "reason": NO_SPLITS}
    return {
        "protocol": first.protocol,
        "time_point": first.time_point,
        "first": first.model,
        "second": second.model,
        "trials": len(numbers),
        "test_share": share,
        "metrics": metrics,
        "pooled_auc": _pooled_difference(first.task, first.pooled(patients), second.pooled(patients), resamples),
    }


def _on_common(first: Asked, second: Asked):
    """Evaluations on the lesions that both answered for."""
    common = np.intersect1d(first.lesions[first.answered], second.lesions[second.answered])
    both = []
    for trial in (first, second):
        chosen = trial.answered & np.isin(trial.lesions, common)
        same = int(chosen.sum()) == int(trial.answered.sum())
        both.append(trial.evaluation if same else trial.among(chosen))
    return both


def _both(first, second, name: str) -> bool:
    return first.values[name].value is not None and second.values[name].value is not None


def _pooled_difference(task: Task, first: Pooled, second: Pooled, resamples: int) -> dict[str, Any]:
    common = np.intersect1d(first.lesions, second.lesions)
    first, second = first.among(common), second.among(common)
    own = (first.labels, first.probabilities, second.probabilities, first.patients)
    return compare_models(*own, metric="auc", resamples=resamples, task=task).as_dict()


def mean_interval(values: np.ndarray) -> dict[str, Any]:
    """95 % interval of the mean of independent AUCs, by Student's t, cut at 0 and 1."""
    return _cut(corrected_interval(values, 0.0), 0.0, 1.0)


def _cut(found: dict[str, Any], least: float, most: float) -> dict[str, Any]:
    """``low`` and ``high``, no further than the figure itself can go."""
    low, high = found["low"], found["high"]
    return {"low": low, "high": high} if low is None else {"low": max(low, least), "high": min(high, most)}


def against_control(results: ModelResults, patients: np.ndarray, resamples: int, metric: str = "auc") -> dict[str, Any]:
    """Mean AUC (or another metric) of the trials minus that of the controls, with a 95 % interval.

    Leave one patient out: AUC of the pool minus that of the controls' pool, by a bootstrap over patients.

    For repeated splits the error is sqrt(s^2 (1/n + n_test/n_train) + s_c^2 / n_c), with s and n of the trials and s_c
    and n_c of the controls, each of which has a permutation of its own. Trials of the paper's protocol share one set of
    labels, so how far another set would move them is known from the controls only: sqrt(s_c^2 (1 + 1/n_c)). Degrees of
    freedom of Student's t by Welch and Satterthwaite.
    """
    from scipy.stats import t

    found: dict[str, Any] = dict.fromkeys(("difference", "low", "high", "differs"))
    if results.one_by_one:
        return found | _pool_against_control(results, patients, resamples, metric)
    own, controls = (values_of(trials, metric) for trials in (results.trials, results.controls))
    if not len(own) or len(controls) < 2:
        return found | {"reason": "it needs finished trials and at least two finished controls"}
    found["difference"] = float(own.mean() - controls.mean())
    spread = controls.var(ddof=1)
    if results.protocol == PAPER:
        variance, free = spread * (1 + 1 / len(controls)), len(controls) - 1
    elif len(own) < 2:
        return found | {"reason": "it needs at least two finished trials"}
    else:
        parts = own.var(ddof=1) * (1 / len(own) + tested_share(results.trials)), spread / len(controls)
        variance = sum(parts)
        below = parts[0] ** 2 / (len(own) - 1) + parts[1] ** 2 / (len(controls) - 1)
        free = variance**2 / below if below else len(controls) - 1
    reach = float(t.ppf((1 + LEVEL) / 2, free)) * math.sqrt(variance)
    found |= _cut({"low": found["difference"] - reach, "high": found["difference"] + reach}, -1.0, 1.0)
    return found | {"differs": not found["low"] <= 0 <= found["high"], "reason": ""}


def _pool_against_control(results: ModelResults, patients: np.ndarray, resamples: int, metric: str) -> dict[str, Any]:
    pools = [results.pooled(patients), results.control_pool(patients)]
    if any(len(np.unique(pool.labels)) < len(results.task.classes) for pool in pools):
        classes = "both" if results.task.binary else "all"
        return {"reason": f"it needs finished trials and controls of {classes} classes"}
    everybody = np.concatenate([pool.patients for pool in pools])
    weights = patient_weights(everybody, max(resamples, 1), np.random.default_rng(0))
    parts = np.split(weights, [len(pools[0].labels)], axis=1)
    samples, values = [], []
    for pool, part in zip(pools, parts, strict=True):
        own = predictions_of(pool.labels, pool.probabilities, task=results.task)
        samples.append(weighted_metric(metric, own, part))
        values.append(float(weighted_metric(metric, own, np.ones((1, len(own))))[0]))
    low, high = interval_or_none(samples[0] - samples[1], everybody)
    if low is None or high is None:
        return {"reason": TOO_FEW}
    return {
        "difference": values[0] - values[1],
        "low": low,
        "high": high,
        "differs": not low <= 0 <= high,
        "reason": "",
    }


def balanced_of_classes(
    results: ModelResults, pooled: dict[str, Any] | None, control_pooled: dict[str, Any] | None, found: dict[str, Any]
) -> dict[str, Any] | None:
    """What judges a task of more than two classes: balanced accuracy beside chance and beside its control.

    Args:
        results: of one model under one protocol.
        pooled, control_pooled: evaluations of the pools; None where there are none.
        found: difference to the control, of :func:`against_control`.

    Returns:
        ``metric``, ``chance``, ``value``, ``low``, ``high``, ``differs``, ``control`` and ``against_control``; None
        where it is not defined.
    """
    name, chance = "balanced_accuracy", 1 / len(results.task.classes)
    splits = by_split(results, name, chance)
    if splits:
        own = {"value": splits[name], "low": splits["low"], "high": splits["high"], "differs": splits["differs"]}
    elif pooled and pooled["values"][name]["value"] is not None:
        value, low, high = (pooled["values"][name][key] for key in ("value", "low", "high"))
        own = {"value": value, "low": low, "high": high, "differs": low is not None and not low <= chance <= high}
    else:
        return None
    controls = values_of(results.controls, name)
    control = float(controls.mean()) if len(controls) else None
    if results.one_by_one:
        control = control_pooled["values"][name]["value"] if control_pooled else None
    return {"metric": name, "chance": chance, **own, "control": control, "against_control": found}


def values_of(trials: Sequence[Asked], metric: str) -> np.ndarray:
    """A metric of each trial in which it is defined."""
    values = [trial.evaluation.values[metric].value for trial in trials]
    return np.array([value for value in values if value is not None])


def aucs(trials: Sequence[Asked]) -> np.ndarray:
    """AUC of each trial in which it is defined."""
    return values_of(trials, "auc")
