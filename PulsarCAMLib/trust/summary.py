"""Checks as numbers with intervals over patients, and a verdict for every map that a map can fail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import numpy as np

from ..evaluation.resampling import LEVEL, interval, patient_weights
from ..evaluation.weighted import in_chunks, weighted_auc
from .checks import LABELS, SHUFFLED, SIZE, Checks
from .maps import MAPS, METHODS
from .perturbation import KINDS
from .randomisation import EVERYTHING, stage_name

CHANGED_BELOW = 0.5
"""A map has changed when the mean rank correlation with the original is below this, with its whole interval.

After randomising, the mean size of the correlation: a map that keeps its pattern and turns its sign has not changed.
"""

STABLE_ABOVE = 0.5
"""A map is stable when the mean rank correlation with the original is above this, with its whole interval."""

EMPTY_LIMIT = 0.5
"""A map that is constant in this share of the lesions explains nothing."""

ALL = stage_name(EVERYTHING)
BASELINE = "intensity"
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
        the lesions are one patient's), ``against_intensity``, and ``verdicts`` (True: passed, None: not decided, for
        want of an interval) with ``passed``; ``auc``: of the model and of every
        randomised stage; ``image``: whether the model looks at it; ``not_measured``: check to reason; ``settings`` and
        ``limits``.
    """
    mean = _Means(checks.patients, resamples, seed)
    names = dict.fromkeys(score for _, score in checks.scores)
    maps = {}
    for name in MAPS:
        scores = {s: mean(checks.scores.get((name, s))) for s in names}
        gains = {s: mean(checks.scores[name, s] - checks.scores[BASELINE, s]) for s in REMOVALS}
        maps[name] = {"scores": scores, "against_intensity": gains, **_verdicts(name, scores, gains)}
    matters = float(np.mean(checks.input_matters))
    return {
        "lesions": len(checks.subjects),
        "patients": len(np.unique(checks.patients)),
        "members": len(checks.logits),
        "maps": maps,
        "auc": _aucs(checks, resamples, seed),
        "not_measured": _not_measured(checks, maps, no_control),
        "image": {"share_of_lesions_where_it_matters": matters, "looked_at": matters > 0.5},
        "settings": asdict(checks.settings) | {"resamples": resamples, "bootstrap_seed": seed},
        "limits": {"changed_below": CHANGED_BELOW, "stable_above": STABLE_ABOVE, "empty": EMPTY_LIMIT},
    }


def _not_measured(checks: Checks, maps: dict, no_control: str) -> dict[str, str]:
    """Why a check has no result."""
    scores = maps[METHODS[0]]["scores"]
    reasons = {
        "planted tissue": ("auroc", "no lesion has planted tissue that is known"),
        "members": ("members", "the model has one member"),
        "rotation": ("rotation", "there is no MRI at hand to cut turned patches from"),
        "permuted labels": (LABELS, no_control),
    }
    found = {what: reason for what, (score, reason) in reasons.items() if not scores.get(score)}
    classes = {s.response for s in checks.subjects} - {None}
    if len(classes) < 2:
        found["AUC"] = "lesions of both classes with a known response are needed"
    if len(np.unique(checks.patients)) < 2:
        found["verdicts"] = "an interval over patients needs at least two of them"
    return found


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


def _verdicts(name: str, scores: dict, gains: dict) -> dict:
    """Each check failed, passed or not decided; the intensity map is not held against itself."""
    against = [] if name == BASELINE else [gains[s] for s in REMOVALS]
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
    """AUC of the model and of every randomised stage; None without both classes, no interval for one patient.

    A random model's AUC is no constant but differs from draw to draw, so the interval samples patients and draws.
    """
    known = np.array([s.response is not None for s in checks.subjects])
    labels = np.array([s.response == 1 for s in checks.subjects])[known]
    if not known.any() or labels.all() or not labels.any():
        return None
    rng = np.random.default_rng(seed)
    patients = checks.patients[known]
    weights = patient_weights(patients, resamples, rng) if len(np.unique(patients)) > 1 else None
    stages = {"as trained": checks.logits.mean(axis=0)[None], **checks.random_logits}
    found = {stage: _auc(labels, logits[:, known], weights, rng) for stage, logits in stages.items()}
    trained = found["as trained"]
    chance = None if weights is None else bool(trained["low"] <= 0.5 <= trained["high"])
    return found | {"as trained": trained | {"chance": chance}}


def _auc(labels: np.ndarray, logits: np.ndarray, weights: np.ndarray | None, rng: np.random.Generator) -> dict:
    once = np.ones((1, len(labels)))
    each = [float(weighted_auc(labels, scores, once)[0]) for scores in logits]
    found = {"mean": float(np.mean(each)), "lowest": min(each), "highest": max(each), "draws": len(each)}
    if weights is None:
        return found | {"low": None, "high": None, "chance": None}
    samples = np.stack([in_chunks(lambda w, s=scores: weighted_auc(labels, s, w), weights) for scores in logits])
    picked = rng.integers(0, len(logits), samples.shape)
    low, high = interval(np.take_along_axis(samples, picked, axis=0).mean(axis=0))
    return found | {"low": low, "high": high, "chance": _at_chance(each, low, high)}


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
