"""How a feature model is made from a table of features: every choice in one frozen value."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields

from ...core.errors import InputError
from ...core.settings import typed

CORRELATION_KEEPS = ("related", "first")
SELECTIONS = ("l1", "elastic-net", "mutual-information", "none")
CLASSIFIERS = ("logistic", "random-forest", "svm")
IMBALANCE = ("none", "weighted", "resampled")

ALGORITHM = 1
"""Raised when the same settings give other models than before."""


@dataclass(frozen=True)
class FeatureModelSettings:
    """Choices of a feature model; all of it is fitted on training lesions only.

    Attributes:
        least_known: a feature must have a value in at least this share of the training lesions; the gaps of the others
            get the median. Features that are the same on all training lesions always go.
        correlation_limit: of two features whose rank correlation (Spearman, absolute) exceeds this, one goes; 1 keeps
            all.
        correlation_keeps: ``"related"``: the one more related to the response (its AUC is further from 0.5) stays;
            ``"first"``: the one with the earlier name stays, and the labels are not looked at.
        selection: ``"l1"`` or ``"elastic-net"``: features with a weight in a sparse logistic regression;
            ``"mutual-information"``: those with the most; how many is tuned. ``"none"``: all that are left.
        most_features: that a selection may keep.
        classifier: ``"logistic"`` (L2), ``"random-forest"`` or ``"svm"`` (radial basis; probabilities by Platt's
            sigmoid on inner folds).
        imbalance: ``"none"``; ``"weighted"``: both classes count the same; ``"resampled"``: lesions of the smaller
            class are drawn again until there are as many. After either, probabilities are those of a cohort that is
            half responding, and 0.5 is a sensible threshold.
        inner_folds: folds within the training lesions, by patient, in which strengths are tuned by AUC; 0: no tuning.
        seed: added to that of the task.
    """

    least_known: float = 0.5
    correlation_limit: float = 0.9
    correlation_keeps: str = "related"
    selection: str = "l1"
    most_features: int = 10
    classifier: str = "logistic"
    imbalance: str = "weighted"
    inner_folds: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        known = {
            "correlation_keeps": CORRELATION_KEEPS,
            "selection": SELECTIONS,
            "classifier": CLASSIFIERS,
            "imbalance": IMBALANCE,
        }
        for name, values in known.items():
            if getattr(self, name) not in values:
                raise InputError(
                    f"A feature model's {name.replace('_', ' ')} {getattr(self, name)!r} is unknown; use one of "
                    f"{', '.join(values)}."
                )
        if not 0 < self.least_known <= 1 or not 0 < self.correlation_limit <= 1:
            raise InputError("A feature model's least known share and correlation limit lie above 0 and up to 1.")
        if self.most_features < 1 or self.seed < 0:
            raise InputError("A feature model needs room for at least one feature and a seed of 0 or more.")
        if self.inner_folds != 0 and self.inner_folds < 2:
            raise InputError("A feature model is tuned in two or more inner folds, or in none (0).")

    def to_card(self) -> dict:
        """As plain JSON values; :meth:`from_card` reads them."""
        return asdict(self)

    @classmethod
    def from_card(cls, card: dict) -> FeatureModelSettings:
        """From :meth:`to_card`'s values.

        Raises:
            InputError: a field is missing, unknown or not usable.
        """
        names = [f.name for f in fields(cls)]
        if set(card) != set(names):
            raise InputError(f"Settings of a feature model must have exactly these fields: {', '.join(names)}.")
        return cls(**typed(cls, card, "A feature model"))

    def identity(self) -> str:
        """Hash of everything that decides the model, as far as settings do."""
        return hashlib.sha256(json.dumps([ALGORITHM, self.to_card()], sort_keys=True).encode()).hexdigest()
