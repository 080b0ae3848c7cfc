"""Predictions of lesions as the metrics see them: truth, probability, decision, patient, and the positive class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.errors import InputError

CLASSES = ("non-response", "response")
POSITIVE = CLASSES[1]
"""Positive class where nothing else is said."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Lesions with their truth and a model's answers.

    A lesion is predicted to respond when its probability is at least the threshold, whichever class is called positive:
    the choice of the positive class renames the metrics, it changes no decision.

    Attributes:
        truth: bool ``[N]``, whether the lesion is of the positive class.
        scores: ``[N]``, probability of the positive class, 0..1.
        called: bool ``[N]``, whether it is predicted to be of the positive class.
        patients: ``[N]``, whose lesion it is; None if not known.
        positive: "response" or "non-response".
    """

    truth: np.ndarray
    scores: np.ndarray
    called: np.ndarray
    patients: np.ndarray | None
    positive: str

    @classmethod
    def of(cls, labels, probabilities, patients=None, *, threshold=0.5, positive: str = POSITIVE) -> Predictions:
        """Predictions from class labels and probabilities of response.

        Args:
            labels: ``[N]``, 1 response, 0 non-response.
            probabilities: ``[N]``, of response, 0..1.
            patients: ``[N]``, names or numbers.
            threshold: probability from which on a lesion is predicted to respond: one number, or ``[N]`` where folds
                have thresholds of their own. To be chosen on training data only.
            positive: the class that sensitivity, precision, F1 and the curves are about.

        Raises:
            InputError: lengths that differ, unknown labels, probabilities that are none.
        """
        labels, probabilities = np.asarray(labels), np.asarray(probabilities, dtype=float)
        if positive not in CLASSES:
            raise InputError(f"The positive class is one of {', '.join(CLASSES)}, not {positive!r}.")
        if labels.ndim != 1 or labels.shape != probabilities.shape:
            raise InputError("There must be one label and one probability for every lesion.")
        if labels.size and (labels.dtype.kind not in "bif" or not np.isin(labels, (0, 1)).all()):
            raise InputError("Labels are 1 (response) or 0 (non-response); leave out lesions without a known response.")
        if not ((probabilities >= 0) & (probabilities <= 1)).all():
            raise InputError("Probabilities of response lie between 0 and 1, and none may be missing.")
        if patients is not None and np.shape(patients) != labels.shape:
            raise InputError("There must be one patient for every lesion.")
        threshold = np.broadcast_to(np.asarray(threshold, dtype=float), labels.shape)
        if not np.isfinite(threshold).all():
            raise InputError("The threshold of the decision must be a number.")
        responds = positive == CLASSES[1]
        return cls(
            truth=(labels == 1) == responds,
            scores=probabilities if responds else 1 - probabilities,
            called=(probabilities >= threshold) == responds,
            patients=None if patients is None else np.asarray(patients),
            positive=positive,
        )

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def negative(self) -> str:
        """The other class."""
        return CLASSES[self.positive == CLASSES[0]]
