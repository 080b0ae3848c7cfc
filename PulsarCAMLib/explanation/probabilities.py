"""From logits to probabilities of classes, and to the class that is called."""

from __future__ import annotations

import numpy as np

from ..core.task import Task
from ..core.vocabulary import MAJORITY
from ..systems.bundles.card import ModelCard


def class_probabilities(logits: np.ndarray, task: Task, temperature: float = 1.0) -> np.ndarray:
    """Probabilities ``[C, ...]`` of every class, in double precision.

    Args:
        logits: ``[K, n]`` of the positive class of a binary task (sigmoid), or ``[K, n, C]`` (softmax).
        task: its classes.
        temperature: divides the logits: the calibration found on validation patients.

    Examples:
        >>> from PulsarCAMLib.systems.registry import system_of
        >>> two_members = np.array([[0.0, 2.0], [0.0, -2.0]])
        >>> class_probabilities(two_members, system_of().task).mean(axis=1).round(2).tolist()
        [[0.5, 0.5], [0.5, 0.5]]
    """
    scaled = logits.astype(np.float64) / temperature
    if logits.ndim == 2:
        with np.errstate(over="ignore"):
            positive = 1 / (1 + np.exp(-scaled))
        other = 1 - positive
        return np.stack([positive if name == task.positive else other for name in task.names])
    grown = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.moveaxis(grown / grown.sum(axis=-1, keepdims=True), -1, 0)


def votes(probabilities: np.ndarray, task: Task, threshold: float = 0.5) -> np.ndarray:
    """What each member calls: 1 for its class, 0 for the others; their mean over the members is the share of votes.

    Args:
        probabilities: ``[C, ...]`` of each member.
        task: its classes.
        threshold: as :func:`predicted_class` takes it.

    Examples:
        >>> from PulsarCAMLib.systems.registry import system_of
        >>> three_members = np.array([[0.9, 0.4, 0.45], [0.1, 0.6, 0.55]])
        >>> votes(three_members, system_of().task).mean(axis=1).round(2).tolist()
        [0.33, 0.67]
    """
    called = probabilities.argmax(axis=0)
    if task.binary:
        positive = task.index(task.positive)
        called = np.where(probabilities[positive] >= threshold, positive, 1 - positive)
    return (np.arange(len(probabilities)).reshape(-1, *[1] * called.ndim) == called).astype(np.float64)


def answered(logits: np.ndarray, card: ModelCard) -> tuple[np.ndarray, float]:
    """Probabilities ``[C, K, n]`` by a card's temperature and rule of the ensemble, and their threshold."""
    found, threshold = class_probabilities(logits, card.system.task, card.temperature), card.decision_threshold
    if card.ensemble_rule == MAJORITY:
        return votes(found, card.system.task, threshold), 0.5
    return found, threshold


def predicted_class(probabilities: np.ndarray, task: Task, threshold: float = 0.5) -> str:
    """Name of the class that is called.

    Args:
        probabilities: ``[C]``, mean over the members.
        task: its classes.
        threshold: of two classes, the positive one is called from this probability on; of more, the likeliest is.
    """
    if not task.binary:
        return task.names[int(np.argmax(probabilities))]
    other = next(name for name in task.names if name != task.positive)
    return task.positive if probabilities[task.index(task.positive)] >= threshold else other
