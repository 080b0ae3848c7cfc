"""How well a model does, as a section of its card: JSON values with a sentence."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from ..core.task import Task
from .curves import calibration_points
from .discrimination import Discrimination, discrimination
from .metrics import evaluate_predictions, metrics_of
from .predictions import default_task

DIGITS = 12
"""Decimals of a card's figures, which are rounded again when they are shown: enough not to be rounded twice."""


def performance_section(
    labels: np.ndarray,
    probabilities: np.ndarray,
    patients: np.ndarray,
    *,
    threshold: float = 0.5,
    positive: str | None = None,
    resamples: int = 2000,
    task: Task | None = None,
) -> dict[str, Any]:
    """All metrics with intervals over patients, calibration, and the AUC in words.

    Args:
        labels: ``[N]``, numbers of classes; all must be there.
        probabilities: ``[N]``, of the positive class of two; ``[N, C]`` of more classes.
        patients: ``[N]``, whose lesion it is.
        threshold: probability from which on the positive class is called; not chosen on these lesions.
        positive: the class that the metrics are about.
        resamples: of the bootstrap and of the permutations.
        task: None: that of the default system.

    Raises:
        InputError: lesions of one class only, or predictions that are none.
    """
    task = task or default_task()
    found = discrimination(labels, probabilities, patients, resamples=resamples, task=task)
    options = {"task": task, "threshold": threshold, "positive": positive, "resamples": resamples}
    measured = evaluate_predictions(labels, probabilities, patients, **options).as_dict()
    decisions = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    if not task.binary:
        return rounded(_of_classes(found, measured, task))
    section = {
        "text": found.sentence(task),
        **asdict(found),
        "differs_from_chance": found.differs_from_chance,
        "positive": measured["positive"],
        "threshold": threshold,
        "prevalence": measured["prevalence"],
        "level": measured["level"],
        "metrics": {name: measured["values"][name] for name in metrics_of(task)},
        "decisions": {name: measured[name] for name in decisions},
        "calibration": [
            asdict(each) for each in calibration_points(labels, probabilities, positive=positive, task=task)
        ],
    }
    return rounded(section)


def _of_classes(found: Discrimination, measured: dict[str, Any], task: Task) -> dict[str, Any]:
    """The section of a task with more than two classes."""
    kept = {name: measured[name] for name in ("positive", "prevalence", "level", "classes", "confusion")}
    head = {"text": found.sentence(task), **asdict(found), "differs_from_chance": found.differs_from_chance}
    return head | kept | {"metrics": measured["values"]}


def rounded(value: Any, digits: int = DIGITS) -> Any:
    """Numbers with so many decimals, at any depth; a number that is none becomes None, as JSON wants it."""
    if isinstance(value, dict):
        return {key: rounded(part, digits) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part, digits) for part in value]
    if isinstance(value, float | np.floating):
        return round(float(value), digits) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
