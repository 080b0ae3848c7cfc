"""How a feature model is made from a table of features: every choice in one frozen value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...core.settings import Settings, option

CORRELATION_KEEPS = ("related", "first")
SELECTIONS = ("l1", "elastic-net", "mutual-information", "none")
CLASSIFIERS = ("logistic", "random-forest", "svm")
IMBALANCE = ("none", "weighted", "resampled")


@dataclass(frozen=True)
class FeatureModelSettings(Settings):
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

    who = "a feature model"
    algorithm = 1

    least_known: float = option(0.5, above=0, at_most=1)
    correlation_limit: float = option(0.9, above=0, at_most=1)
    correlation_keeps: str = option("related", choices=CORRELATION_KEEPS)
    selection: str = option("l1", choices=SELECTIONS)
    most_features: int = option(10, at_least=1)
    classifier: str = option("logistic", choices=CLASSIFIERS)
    imbalance: str = option("weighted", choices=IMBALANCE)
    inner_folds: int = option(5, at_least=0)
    seed: int = option(0, at_least=0)

    def disagreements(self) -> Iterator[str]:
        """See :class:`~PulsarCAMLib.core.settings.Settings`."""
        if self.inner_folds == 1:
            yield "A feature model is tuned in two or more inner folds, or in none (0)."
