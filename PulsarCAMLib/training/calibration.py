"""Temperature: the one number that turns an ensemble's logits into calibrated probabilities."""

from __future__ import annotations

import numpy as np

from ..core.errors import InputError
from ..core.task import Task
from ..core.vocabulary import MAJORITY, MEAN
from ..systems.registry import system_of
from .words import all_classes

LIMITS = (0.05, 50.0)
"""Temperatures looked at."""


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


def log_loss(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> float:
    """Mean negative log-likelihood of the ensemble's probability."""
    probability = np.clip(ensemble_probability(logits, temperature), 1e-12, 1 - 1e-12)
    if probability.ndim == 2:
        return float(-np.mean(np.log(probability[np.arange(len(probability)), np.asarray(labels, dtype=int)])))
    return float(-np.mean(np.where(np.asarray(labels) == 1, np.log(probability), np.log1p(-probability))))


def fit_temperature(logits: np.ndarray, labels: np.ndarray, task: Task | None = None) -> float:
    """Temperature of smallest log loss.

    Args:
        logits: as :func:`ensemble_probability` takes them, of validation units: of patients that are neither trained
            nor tested on.
        labels: ``[N]``, numbers of the classes; 1 is the class of the logits where they are of one.
        task: whose classes these are, for the sentence; None: that of the system that comes first.

    Raises:
        InputError: only one class.
    """
    from scipy.optimize import minimize_scalar

    task = task or system_of().task
    if len(np.unique(labels)) < 2:
        raise InputError(f"Calibration needs {all_classes(task)} validation {task.unit}s.")
    bounds = tuple(np.log(LIMITS))
    found = minimize_scalar(lambda t: log_loss(logits, labels, np.exp(t)), bounds=bounds, method="bounded")
    return float(np.exp(found.x))
