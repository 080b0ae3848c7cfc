"""Checks as numbers with intervals over patients, and a verdict for every map that a map can fail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import numpy as np

from ..core.task import Task
from ..evaluation.resampling import LEVEL, interval, interval_or_none, patient_weights
from ..evaluation.weighted import in_chunks, weighted_auc
from .answers import ranking
from .checks import LABELS, SHUFFLED, SIZE, Checks
from .maps import MapNames
from .perturbation import KINDS
from .randomisation import ALL

CHANGED_BELOW = 0.5
"""A map has changed when the mean rank correlation with the original is below this, with its whole interval.

After randomising, the mean size of the correlation: a map that keeps its pattern and turns its sign has not changed.
"""

STABLE_ABOVE = 0.5
"""A map is stable when the mean rank correlation with the original is above this, with its whole interval."""

EMPTY_LIMIT = 0.5
"""A map that is constant in this share of the units explains nothing."""

REMOVALS = ("deletion", "insertion")
NO_CONTROL = "no model was trained on permuted labels"


def summarise(checks: Checks, *, resamples: int = 2000, seed: int = 0, no_control: str = NO_CONTROL) -> dict:
    """Everything as JSON values.

    Args:
        checks: as measured.
        resamples: bootstrap samples of patients.
        seed: of the bootstrap.
        no_control: why no model was trained on permuted labels, where none was.

    Returns:
        ``maps``: per map ``scores`` (mean, low, high, lesions; None where a check does not apply; no interval where
        the units are one patient's), ``against_intensity`` (the strongest of them where there are several channels),
        and ``verdicts`` (True: passed, None: not decided, for want of an interval) with ``passed``; ``auc``: of the
        model and of every randomised stage; ``image``: whether the model looks at it, and at which input;
        ``not_measured``: check to reason; ``unit`` and ``stages``; ``settings`` and ``limits``. ``lesions`` counts
        units, whatever they are.
    """
    mean = _Means(checks.patients, resamples, seed)
    names = dict.fromkeys(score for _, score in checks.scores)
    maps = {}
    for name in checks.names.every:
        scores = {s: mean(checks.scores.get((name, s))) for s in names}
        gains = {s: _against_intensity(checks, name, s, mean) for s in REMOVALS}
        maps[name] = {"scores": scores, "against_intensity": gains, **_verdicts(name, scores, gains, checks.names)}
    matters = float(np.mean(checks.input_matters))
    image: dict = {"share_of_lesions_where_it_matters": matters, "looked_at": matters > 0.5}
    for title, apart in checks.channel_changes.items():
        told = {"changed": float(np.isfinite(apart).mean()), "probability_change": float(np.nan_to_num(apart).mean())}
        image.setdefault("inputs", {})[title] = told
    return {
        "lesions": len(checks.subjects),
        "patients": len(np.unique(checks.patients)),
        "members": len(checks.logits),
        "maps": maps,
        "auc": _aucs(checks, resamples, seed),
        "not_measured": _not_measured(checks, maps, no_control),
        "image": image,
        "unit": checks.names.system.task.unit,
        "stages": list(checks.stages),
        "settings": asdict(checks.settings) | {"resamples": resamples, "bootstrap_seed": seed},
        "limits": {"changed_below": CHANGED_BELOW, "stable_above": STABLE_ABOVE, "empty": EMPTY_LIMIT},
    }


def _against_intensity(checks: Checks, name: str, score: str, mean: _Means) -> dict | None:
    """Gain of a map less that of the image's intensity; of several channels the one that gains most."""
    best = max(checks.names.intensities, key=lambda each: np.mean(checks.scores[each, score]))
    return mean(checks.scores[name, score] - checks.scores[best, score])


def _not_measured(checks: Checks, maps: dict, no_control: str) -> dict[str, str]:
    """Why a check has no result."""
    task = checks.names.system.task
    scores = maps[checks.names.model[0]]["scores"]
    reasons = {
        "planted tissue": ("auroc", f"no {task.unit} has planted tissue that is known"),
        "members": ("members", "the model has one member"),
        "rotation": ("rotation", "there is no MRI at hand to cut turned patches from"),
        "permuted labels": (LABELS, no_control),
    }
    found = {what: reason for what, (score, reason) in reasons.items() if not scores.get(score)}
    if _missing_classes(checks, task):
        found["AUC"] = f"{task.unit}s of {task.every_class} with a known {task.label.column} are needed"
    if len(np.unique(checks.patients)) < 2:
        found["verdicts"] = "an interval over patients needs at least two of them"
    return found


def _missing_classes(checks: Checks, task: Task) -> bool:
    return {s.label for s in checks.subjects} - {None} != set(range(len(task.classes)))


class _Means:
    """Means over lesions with intervals over patients; samples are drawn once for all columns of the same lesions."""

    def __init__(self, patients: np.ndarray, resamples: int, seed: int) -> None:
        self._patients, self._resamples, self._seed = patients, resamples, seed
        self._weights: dict[bytes, np.ndarray] = {}

    def __call__(self, values: np.ndarray | None) -> dict | None:
        """Mean, interval (None for one patient) and number of the lesions with a value; None where there is none."""
        if values is None or not np.isfinite(values).any():
            return None
        defined = np.isfinite(values)
        found = {"mean": float(values[defined].mean()), "low": None, "high": None, "lesions": int(defined.sum())}
        if len(np.unique(self._patients[defined])) < 2:
            return found
        if defined.tobytes() not in self._weights:
            rng = np.random.default_rng(self._seed)
            weights = patient_weights(self._patients[defined], self._resamples, rng)
            self._weights[defined.tobytes()] = weights / weights.sum(axis=1, keepdims=True)
        low, high = interval(self._weights[defined.tobytes()].astype(np.float64) @ values[defined])
        return found | {"low": low, "high": high}


def _verdicts(name: str, scores: dict, gains: dict, names: MapNames) -> dict:
    """Each check failed, passed or not decided; maps of intensity are not held against themselves."""
    against = [] if name in names.intensities else [gains[s] for s in REMOVALS]
    verdicts = {
        "says something": scores["constant"]["mean"] < EMPTY_LIMIT,
        "changes with the model": _below(scores[ALL + SIZE], CHANGED_BELOW),
        "changes with the image": _below(scores[SHUFFLED], CHANGED_BELOW),
        "names what counts": _all(_above(value, 0) for value in (*(scores[s] for s in REMOVALS), *against)),
        "stable": _all(_above(scores[kind], STABLE_ABOVE) for kind in KINDS if scores.get(kind)),
    }
    if scores.get(LABELS + SIZE):
        verdicts["changes with the labels"] = _below(scores[LABELS + SIZE], CHANGED_BELOW)
    return {"verdicts": verdicts, "passed": _all(verdicts.values())}


def _below(value: dict, limit: float) -> bool | None:
    return None if value["high"] is None else value["high"] < limit


def _above(value: dict, limit: float) -> bool | None:
    return None if value["low"] is None else value["low"] > limit


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    """False if one is, then None if one is, else True."""
    found = set(verdicts)
    return False if False in found else None if None in found else True


def _aucs(checks: Checks, resamples: int, seed: int) -> dict | None:
    """AUC of the model and of every randomised stage; None without every class, no interval for one patient.

    Of more than two classes the mean over the classes of the AUC of each against all others. A random model's AUC is no
    constant but differs from draw to draw, so the interval samples patients and draws.
    """
    task = checks.names.system.task
    if _missing_classes(checks, task):
        return None
    known = np.array([s.label is not None for s in checks.subjects])
    labels = np.array([-1 if s.label is None else s.label for s in checks.subjects])[known]
    numbers = [task.index(task.positive)] if task.binary else list(range(len(task.classes)))
    truths = np.stack([labels == number for number in numbers])
    rng = np.random.default_rng(seed)
    patients = checks.patients[known]
    weights = patient_weights(patients, resamples, rng) if len(np.unique(patients)) > 1 else None
    stages = {"as trained": ranking(checks.logits, task)[None], **checks.random_ranking}
    found = {stage: _auc(truths, ranked[:, known], weights, rng) for stage, ranked in stages.items()}
    trained = found["as trained"]
    chance = None if trained["low"] is None else bool(trained["low"] <= 0.5 <= trained["high"])
    return found | {"as trained": trained | {"chance": chance}}


def _auc(truths: np.ndarray, ranked: np.ndarray, weights: np.ndarray | None, rng: np.random.Generator) -> dict:
    """Of truths ``[classes, N]`` and ``ranked`` ``[draws, N]`` (one class) or ``[draws, N, classes]``."""
    columns = ranked[..., None] if ranked.ndim == 2 else ranked
    once = np.ones((1, columns.shape[1]))
    each = [float(_mean_auc(truths, scores, once)[0]) for scores in columns]
    found = {"mean": float(np.mean(each)), "lowest": min(each), "highest": max(each), "draws": len(each)}
    if weights is None:
        return found | {"low": None, "high": None, "chance": None}
    samples = np.stack([in_chunks(lambda w, s=scores: _mean_auc(truths, s, w), weights) for scores in columns])
    picked = rng.integers(0, len(columns), samples.shape)
    low, high = interval_or_none(np.take_along_axis(samples, picked, axis=0).mean(axis=0))
    chance = None if low is None or high is None else _at_chance(each, low, high)
    return found | {"low": low, "high": high, "chance": chance}


def _mean_auc(truths: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Over the classes, ``[B]``; NaN where a class is missing under a row of weights."""
    return np.mean([weighted_auc(truth, scores[:, n], weights) for n, truth in enumerate(truths)], axis=0)


def _at_chance(draws: list[float], low: float, high: float) -> bool | None:
    """Whether 0.5 is within the interval, or within that of the mean over draws; None where one draw cannot tell.

    One random model ranks lesions better or worse than chance by luck; how much by, only several of them show.
    """
    from scipy.stats import t

    if low <= 0.5 <= high:
        return True
    if len(draws) < 2:
        return None
    reach = t.ppf((1 + LEVEL) / 2, len(draws) - 1) * np.std(draws, ddof=1) / np.sqrt(len(draws))
    return bool(abs(np.mean(draws) - 0.5) <= reach)


__all__ = ["ALL", "CHANGED_BELOW", "STABLE_ABOVE", "summarise"]
