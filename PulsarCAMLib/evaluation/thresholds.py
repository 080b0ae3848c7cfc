"""The threshold of the decision, chosen where it may be chosen: on training (or inner validation) lesions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.task import Task
from .predictions import Predictions
from .undefined import why_undefined

DEFAULT = 0.5


@dataclass(frozen=True)
class ChosenThreshold:
    """A threshold and how it did where it was chosen.

    Attributes:
        value: probability from which on the positive class is predicted.
        balanced_accuracy: on the lesions it was chosen on (too good for others); None where nothing could be chosen.
        lesions: how many these were.
        reason: why the default was taken.
    """

    value: float
    balanced_accuracy: float | None
    lesions: int
    reason: str = ""


def choose_threshold(labels: np.ndarray, probabilities: np.ndarray, task: Task | None = None) -> ChosenThreshold:
    """Threshold of highest balanced accuracy, which is that of highest Youden index (J = 2 * balanced accuracy - 1).

    Between two neighbouring probabilities every threshold decides alike, and their middle is taken; of equally good
    ones that nearest to 0.5.

    Args:
        labels: ``[N]`` of TRAINING lesions, numbers of classes; a threshold chosen on the lesions it is judged on
            flatters.
        probabilities: ``[N]``, of the positive class.
        task: of two classes; None: that of the default system.

    Raises:
        InputError: labels or probabilities that are none.
    """
    given = Predictions.of(labels, probabilities, task=task)
    reason = why_undefined("balanced_accuracy", given)
    distinct = np.unique(given.scores)
    if not reason and len(distinct) < 2:
        reason = f"all {given.task.unit}s have the same probability"
    if reason:
        return ChosenThreshold(DEFAULT, None, len(given), reason)
    candidates = (distinct[1:] + distinct[:-1]) / 2
    # A middle that rounds onto the lower probability would decide otherwise than the upper one.
    candidates = np.where(candidates > distinct[:-1], candidates, distinct[1:])
    positive, negative = np.sort(given.scores[given.truth]), np.sort(given.scores[~given.truth])
    sensitivity = 1 - np.searchsorted(positive, candidates, side="left") / len(positive)
    specificity = np.searchsorted(negative, candidates, side="left") / len(negative)
    quality = (sensitivity + specificity) / 2
    best = np.flatnonzero(quality >= quality.max() - 1e-12)
    chosen = best[np.argmin(np.abs(candidates[best] - DEFAULT))]
    return ChosenThreshold(float(candidates[chosen]), float(quality[chosen]), len(given))
