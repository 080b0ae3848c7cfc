"""Temperature: the one number that turns an ensemble's logits into calibrated probabilities."""

from __future__ import annotations

import numpy as np

from ..core.errors import InputError

LIMITS = (0.05, 50.0)
"""Temperatures looked at."""


def ensemble_probability(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probability of response ``[N]``: mean over the members of ``sigmoid(s / T)``; logits ``[members, N]``."""
    from scipy.special import expit

    return expit(np.asarray(logits, dtype=float) / temperature).mean(axis=0)


def log_loss(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> float:
    """Mean negative log-likelihood of the ensemble's probability."""
    probability = np.clip(ensemble_probability(logits, temperature), 1e-12, 1 - 1e-12)
    return float(-np.mean(np.where(np.asarray(labels) == 1, np.log(probability), np.log1p(-probability))))


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Temperature of smallest log loss.

    Args:
        logits: ``[members, N]`` of validation lesions: of patients that are neither trained nor tested on.
        labels: ``[N]``, 1 response, 0 non-response.

    Raises:
        InputError: only one class.
    """
    from scipy.optimize import minimize_scalar

    if len(np.unique(labels)) != 2:
        raise InputError("Calibration needs responding and non-responding validation lesions.")
    bounds = tuple(np.log(LIMITS))
    found = minimize_scalar(lambda t: log_loss(logits, labels, np.exp(t)), bounds=bounds, method="bounded")
    return float(np.exp(found.x))
