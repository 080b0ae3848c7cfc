"""Sets of classes with a chosen error rate, calibrated by patient, as the section ``conformal`` of a card.

One score a patient, the largest over its units: patients are exchangeable, units of one patient are not. For a new
patient the sets of all units together then hold the true classes with a probability of at least 1 - rate, whatever the
network is worth (method.md 5.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.pluralize import pluralize
from ..core.task import PATIENT, Task
from ..systems.bundles.conformal import ERROR_RATE, Conformal, fewest_patients, limit_of
from .small_samples import wilson

DIGITS = 9
"""Decimals of scores in a card."""


def patient_scores(labels: np.ndarray, probabilities: np.ndarray, patients: np.ndarray) -> dict[Any, float]:
    """Of every patient the largest ``1 - p(true class)`` of its units.

    Args:
        labels: int ``[N]``, numbers of classes.
        probabilities: ``[N, C]``.
        patients: ``[N]``, whose unit it is.
    """
    scores = 1 - probabilities[np.arange(len(labels)), np.asarray(labels, dtype=int)]
    return {name: float(scores[patients == name].max()) for name in np.unique(patients)}


def conformal_section(
    labels: np.ndarray,
    probabilities: np.ndarray,
    patients: np.ndarray,
    task: Task,
    *,
    error_rate: float = ERROR_RATE,
    also_chosen: str = "",
) -> dict[str, Any]:
    """What a card keeps: scores, and how often sets held the truth for patients who did not calibrate them.

    Args:
        labels: ``[N]`` of validation units.
        probabilities: ``[N, C]``, mean over the members, without temperature.
        patients: ``[N]``.
        task: its classes.
        error_rate: for which coverage is told.
        also_chosen: what else was chosen on these patients, as a sentence; it weakens what is promised.
    """
    patients = np.asarray(patients)
    found = patient_scores(labels, probabilities, patients)
    whole = Conformal(tuple(sorted(round(score, DIGITS) for score in found.values())))
    count, needed = len(found), fewest_patients(error_rate)
    of_units = "" if task.unit == PATIENT else f", the largest over its {task.unit}s"
    about = (
        f"Sets of classes that hold the true class of a new patient, of all its {task.unit}s at once, with a "
        f"probability of at least {1 - error_rate:.0%}"
        if task.unit != PATIENT
        else f"Sets of classes that hold a new patient's true class with a probability of at least {1 - error_rate:.0%}"
    )
    about += f". One score a patient: 1 - p(true class) without temperature{of_units}"
    section = {
        "about": f"{about}. {also_chosen}".strip(),
        "error_rate": error_rate,
        "patients": count,
        "needed": needed,
        "scores": list(whole.scores),
        "coverage": _coverage(labels, probabilities, patients, found, error_rate),
    }
    refused = whole.refusal(error_rate)
    return section | {"text": refused or _said(section["coverage"], task, error_rate, count)}


def _coverage(
    labels: np.ndarray, probabilities: np.ndarray, patients: np.ndarray, scores: dict[Any, float], error_rate: float
) -> dict[str, Any] | None:
    """Every patient judged by the scores of all others; None where these are too few."""
    covered, sizes = 0, []
    for name, own in scores.items():
        limit = limit_of(tuple(sorted(score for other, score in scores.items() if other != name)), error_rate)
        if limit is None:
            return None
        covered += own <= limit
        sizes += (1 - probabilities[patients == name] <= limit).sum(axis=1).tolist()
    return _counts(int(covered), len(scores), sizes)


def coverage_for_others(
    labels: Sequence[int], sets: Sequence[tuple[str, ...]], patients: Sequence[str], task: Task
) -> dict[str, Any]:
    """How often sets held the truth for patients who have not calibrated them.

    Args:
        labels: ``[N]``, numbers of classes.
        sets: ``[N]``, names that were not ruled out.
        patients: ``[N]``, whose unit it is.
        task: its classes.

    Returns:
        ``covered`` of ``patients`` (all units of one counted together) with the Wilson interval ``low`` to ``high``
        (95 %), and ``single``, the share of ``units`` for which one class alone was named.
    """
    held: dict[str, bool] = {}
    for label, names, patient in zip(labels, sets, patients, strict=True):
        held[patient] = held.get(patient, True) and task.names[label] in names
    return _counts(sum(held.values()), len(held), [len(names) for names in sets])


def _counts(covered: int, patients: int, sizes: Sequence[int]) -> dict[str, Any]:
    low, high = wilson(covered, patients)
    single = float(np.mean(np.asarray(sizes) == 1))
    return {"covered": covered, "patients": patients, "low": low, "high": high, "single": single, "units": len(sizes)}


def _said(coverage: dict[str, Any] | None, task: Task, error_rate: float, count: int) -> str:
    if coverage is None:
        return f"How often they hold it was not measured: of {pluralize(count, 'patient')} none can be spared."
    whole = f"all {task.unit}s of " if task.unit != PATIENT else ""
    return (
        f"Each of {coverage['patients']} validation patients judged by the others: the sets held the truth for {whole}"
        f"{coverage['covered']} ({coverage['covered'] / coverage['patients']:.0%}, 95 % interval {coverage['low']:.0%} "
        f"to {coverage['high']:.0%}; {1 - error_rate:.0%} were asked for), and named one class alone for "
        f"{coverage['single']:.0%} of {coverage['units']} {task.unit}s"
    )
