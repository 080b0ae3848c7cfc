"""How well a model does, as a section of its card: JSON values with a sentence."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from ..core.vocabulary import METRICS
from .curves import calibration_points
from .discrimination import discrimination
from .metrics import evaluate_predictions
from .predictions import POSITIVE

DIGITS = 12
"""Decimals of a card's figures, which are rounded again when they are shown: enough not to be rounded twice."""


def performance_section(
    labels: np.ndarray,
    probabilities: np.ndarray,
    patients: np.ndarray,
    *,
    threshold: float = 0.5,
    positive: str = POSITIVE,
    resamples: int = 2000,
) -> dict[str, Any]:
    """All metrics with intervals over patients, calibration, and the AUC in words.

    Args:
        labels: ``[N]``, 1 response, 0 non-response; both must be there.
        probabilities: ``[N]``, of response.
        patients: ``[N]``, whose lesion it is.
        threshold: probability from which on a lesion is called responding; not chosen on these lesions.
        positive: the class that the metrics are about.
        resamples: of the bootstrap and of the permutations.

    Raises:
        InputError: lesions of one class only, or predictions that are none.
    """
    found = discrimination(labels, probabilities, patients, resamples=resamples)
    options = {"threshold": threshold, "positive": positive, "resamples": resamples}
    measured = evaluate_predictions(labels, probabilities, patients, **options).as_dict()
    decisions = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    section = {
        "text": found.sentence(),
        **asdict(found),
        "differs_from_chance": found.differs_from_chance,
        "positive": positive,
        "threshold": threshold,
        "prevalence": measured["prevalence"],
        "level": measured["level"],
        "metrics": {name: measured["values"][name] for name in METRICS},
        "decisions": {name: measured[name] for name in decisions},
        "calibration": [asdict(each) for each in calibration_points(labels, probabilities, positive=positive)],
    }
    return rounded(section)


def rounded(value: Any, digits: int = DIGITS) -> Any:
    """Numbers with so many decimals, at any depth; a number that is none becomes None, as JSON wants it."""
    if isinstance(value, dict):
        return {key: rounded(part, digits) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part, digits) for part in value]
    if isinstance(value, float | np.floating):
        return round(float(value), digits) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
