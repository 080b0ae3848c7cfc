"""Answers as scores: one number for a class, whatever the number of classes and outputs."""

from __future__ import annotations

import numpy as np

from ..core.task import Task
from ..explanation.probabilities import class_probabilities, predicted_class, votes


def class_index(task: Task, name: str | None = None) -> int:
    """Number of a class; default: the positive one."""
    return task.index(name or task.positive)


def log_odds(logits: np.ndarray, number: int, task: Task) -> np.ndarray:
    """Log odds of a class against all others, in the precision of the logits.

    Args:
        logits: ``[K, n]`` of the positive class of two, or ``[K, n, C]``.
        number: of the class.
        task: its classes.

    Returns:
        ``[K, n]``; of one output the logit itself, its sign turned for the class that is not positive.
    """
    if logits.ndim == 2:
        return logits if number == class_index(task) else -logits
    others = np.delete(logits, number, axis=-1)
    top = others.max(axis=-1, keepdims=True)
    return logits[..., number] - (top[..., 0] + np.log(np.exp(others - top).sum(axis=-1)))


def chances(logits: np.ndarray, number: int, task: Task, temperature: float) -> np.ndarray:
    """Probability of a class ``[K, n]``, after the card's temperature."""
    if logits.ndim > 2:
        return class_probabilities(logits, task, temperature)[number]
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-log_odds(logits, number, task).astype(np.float64) / temperature))


def ranking(logits: np.ndarray, task: Task) -> np.ndarray:
    """What an AUC ranks units by, mean over the members: ``[n]`` of two classes, ``[n, C]`` of more."""
    if task.binary:
        return log_odds(logits, class_index(task), task).mean(axis=0)
    return np.stack([log_odds(logits, number, task).mean(axis=0) for number in range(len(task.classes))], axis=-1)


def called(
    logits: np.ndarray, task: Task, temperature: float, threshold: float, *, majority: bool = False
) -> np.ndarray:
    """Number of the class that is called for each of N units, int ``[N]``; by mean or by majority of the members."""
    found = class_probabilities(logits, task, temperature)
    if majority:
        found, threshold = votes(found, task, threshold), 0.5
    return np.array([task.index(predicted_class(each, task, threshold)) for each in found.mean(axis=1).T])
