"""Temperature: the one number that turns an ensemble's logits into calibrated probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.errors import InputError
from ...core.task import Task
from ...core.vocabulary import MAJORITY, MEAN
from ...systems.registry import system_of
from ..words import all_classes

LIMITS = (0.05, 50.0)
"""Temperatures looked at."""

FOLDS = 5
"""Parts of the validation patients, each of which judges a temperature that the others chose."""


def ensemble_probability(logits: np.ndarray, temperature: float = 1.0, rule: str = MEAN) -> np.ndarray:
    """Mean over the members of the probability at a temperature T, or the share of members that call a class.

    Args:
        logits: ``[members, N]`` of the positive class of two, or ``[members, N, classes]``.
        temperature: T.
        rule: of :data:`~PulsarCAMLib.core.vocabulary.ENSEMBLE_RULES`.

    Returns:
        ``[N]`` of the positive class, ``sigmoid(s / T)``; or ``[N, classes]``, softmax of ``s / T``.
    """
    from scipy.special import expit, softmax

    scaled = np.asarray(logits, dtype=float) / temperature
    found = expit(scaled) if scaled.ndim == 2 else softmax(scaled, axis=2)
    if rule == MAJORITY:
        found = found >= 0.5 if found.ndim == 2 else np.eye(found.shape[2])[found.argmax(axis=2)]
    return found.mean(axis=0)


def unit_losses(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Negative log-likelihood ``[N]`` of the ensemble's probability of every unit's class."""
    return -np.log(_of_classes(logits, temperature)[np.arange(len(labels)), np.asarray(labels, dtype=int)])


def log_loss(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> float:
    """Mean negative log-likelihood of the ensemble's probability."""
    return float(unit_losses(logits, labels, temperature).mean())


def _of_classes(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities ``[N, C]``, away from 0 and 1; of one logit the second class is its."""
    found = np.clip(ensemble_probability(logits, temperature), 1e-12, 1 - 1e-12)
    return found if found.ndim == 2 else np.stack([1 - found, found], axis=1)


@dataclass(frozen=True)
class Calibration:
    """A temperature, and how it was judged.

    Attributes:
        temperature: T.
        uncalibrated: log loss at T = 1.
        held_out: log loss of temperatures, each on patients that did not choose it.
        surer: whether a T below 1 was let stand, because such patients agreed.
    """

    temperature: float
    uncalibrated: float
    held_out: float
    surer: bool


def calibrate(
    logits: np.ndarray, labels: np.ndarray, patients: np.ndarray | None = None, task: Task | None = None
) -> Calibration:
    """Temperature by the rule of method.md 5.2: fitted to smoothed labels, and below 1 only where others agree.

    Labels are smoothed as Platt (1999) does, counting patients: of a class that n_c patients have, its probability is
    asked to be (n_c + 1) / (n_c + C) and not 1. So no temperature makes a model surer than its validation patients
    allow, however far they lie apart. A temperature below 1 (which makes surer) must besides lower the log loss of
    patients that did not choose it, in :data:`FOLDS` folds, by more than one standard error over patients; else it
    is 1.

    Args:
        logits: as :func:`ensemble_probability` takes them, of validation units: of patients that are neither trained
            nor tested on.
        labels: ``[N]``, numbers of the classes; 1 is the class of the logits where they are of one.
        patients: ``[N]``, whose unit it is; None: every unit is of a patient of its own.
        task: whose classes these are, for the sentence; None: that of the system that comes first.

    Raises:
        InputError: only one class.
    """
    task, labels = task or system_of().task, np.asarray(labels, dtype=int)
    if len(np.unique(labels)) < 2:
        raise InputError(f"Calibration needs {all_classes(task)} validation {task.unit}s.")
    names, whose = np.unique(np.arange(len(labels)) if patients is None else patients, return_inverse=True)
    plain, fitted = unit_losses(logits, labels), _fitted(logits, labels, whose)
    fold = np.random.default_rng(0).permutation(len(names)) % min(FOLDS, len(names))
    chosen = np.ones(len(labels))
    for number in range(fold.max() + 1):
        asked = fold[whose] == number
        if len(np.unique(labels[~asked])) > 1:
            chosen[asked] = _fitted(logits[:, ~asked], labels[~asked], whose[~asked])
    gains = plain - _losses_at(logits, labels, chosen)
    by_patient = np.bincount(whose, gains) / np.bincount(whose)
    error = by_patient.std(ddof=1) / np.sqrt(len(names)) if len(names) > 1 else np.inf
    surer = bool(fitted < 1 and by_patient.mean() > error)
    held_out = _losses_at(logits, labels, chosen if surer else np.maximum(chosen, 1.0))
    return Calibration(fitted if surer else max(fitted, 1.0), float(plain.mean()), float(held_out.mean()), surer)


def _losses_at(logits: np.ndarray, labels: np.ndarray, temperatures: np.ndarray) -> np.ndarray:
    """Losses ``[N]``, every unit at a temperature of its own."""
    found = np.empty(len(labels))
    for each in np.unique(temperatures):
        own = temperatures == each
        found[own] = unit_losses(logits[:, own], labels[own], float(each))
    return found


def fit_temperature(
    logits: np.ndarray, labels: np.ndarray, patients: np.ndarray | None = None, task: Task | None = None
) -> float:
    """The temperature of :func:`calibrate`."""
    return calibrate(logits, labels, patients, task).temperature


def _fitted(logits: np.ndarray, labels: np.ndarray, whose: np.ndarray) -> float:
    """Temperature of smallest cross-entropy to the smoothed labels."""
    from scipy.optimize import minimize_scalar

    targets = _smoothed(labels, whose, 2 if np.ndim(logits) == 2 else np.shape(logits)[2])

    def entropy(log_temperature: float) -> float:
        return -float((targets * np.log(_of_classes(logits, np.exp(log_temperature)))).sum(axis=1).mean())

    found = minimize_scalar(entropy, bounds=tuple(np.log(LIMITS)), method="bounded")
    return float(np.exp(found.x))


def _smoothed(labels: np.ndarray, whose: np.ndarray, classes: int) -> np.ndarray:
    """Targets ``[N, C]``: (n_c + 1) / (n_c + C) for the unit's class, 1 / (n_c + C) for the others, n_c patients."""
    counts = np.array([len(np.unique(whose[labels == number])) for number in range(classes)], dtype=float)
    below = counts[labels] + classes
    targets = np.repeat((1 / below)[:, None], classes, axis=1)
    targets[np.arange(len(labels)), labels] = (counts[labels] + 1) / below
    return targets
