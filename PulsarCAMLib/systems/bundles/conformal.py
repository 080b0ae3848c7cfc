"""Answers that may be several classes: split-conformal sets from the validation patients, one score a patient.

method.md 5.3 says how they are meant. A library was looked for: MAPIE 1.6 calibrates by unit and needs a scikit-learn
estimator around the network; puncc 0.9 likewise, by unit; crepes 0.9 takes scores as they are, but knows no patients
(its bins calibrate within groups, which is another thing) and keeps them in an object, while a card keeps numbers. What
is left for a library is one order statistic, so that NumPy does it and inference in 3D Slicer needs no further package.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...core.errors import InputError
from ...core.pluralize import counted
from ...core.task import Task

if TYPE_CHECKING:
    import numpy as np

ERROR_RATE = 0.1
"""Unless another one is asked for."""

CANNOT_TELL = "cannot tell"
"""All classes, or none: the image is unlike those of all validation patients."""


@dataclass(frozen=True)
class ConformalAnswer:
    """What can be said of one unit at an error rate.

    Attributes:
        classes: names that cannot be ruled out, in the task's order; empty where none fits.
        error_rate: share of new patients for whom the set of some unit may lack its class.
        task: whose classes these are.
    """

    classes: tuple[str, ...]
    error_rate: float
    task: Task

    @property
    def words(self) -> str:
        """ "response", "small or large", or "cannot tell"."""
        certain = 0 < len(self.classes) < len(self.task.classes)
        return " or ".join(self.classes) if certain else CANNOT_TELL


@dataclass(frozen=True)
class Conformal:
    """Scores of the validation patients, from a card.

    Attributes:
        scores: ascending; of every patient the largest of its units' ``1 - p(true class)``, p being the ensemble's mean
            probability without temperature, which these patients chose.
    """

    scores: tuple[float, ...]

    @classmethod
    def from_card(cls, section: Mapping[str, Any] | None) -> Conformal | None:
        """Of a card's section ``conformal``; None where it has none."""
        return None if section is None else cls(tuple(sorted(float(each) for each in section["scores"])))

    def limit(self, error_rate: float = ERROR_RATE) -> float | None:
        """Largest score that is still among the answers; None where the patients are too few for the rate.

        Raises:
            InputError: the rate is no share.
        """
        return limit_of(self.scores, error_rate)

    def refusal(self, error_rate: float = ERROR_RATE) -> str:
        """Why a rate is not offered, in a sentence; empty where it is."""
        there = len(self.scores)
        if self.limit(error_rate) is not None:
            return ""
        return (
            f"Sets of classes with an error rate of {error_rate:.0%} are not offered: they need at least "
            f"{counted(fewest_patients(error_rate), 'validation patient')}, and the model has {there}."
        )

    def answer(self, probabilities: np.ndarray, task: Task, error_rate: float = ERROR_RATE) -> ConformalAnswer | None:
        """Of one unit; None where the rate is not offered.

        Args:
            probabilities: ``[C]``, mean over the members, without temperature.
            task: its classes.
            error_rate: the chosen one.
        """
        limit = self.limit(error_rate)
        if limit is None:
            return None
        kept = (name for name, p in zip(task.names, probabilities, strict=True) if 1 - float(p) <= limit)
        return ConformalAnswer(tuple(kept), error_rate, task)


def fewest_patients(error_rate: float) -> int:
    """Least number of validation patients for a rate: n with ceil((n + 1)(1 - rate)) <= n, as 9 for 10 %."""
    check_error_rate(error_rate)
    return math.ceil((1 - error_rate) / error_rate - 1e-9)


def limit_of(scores: tuple[float, ...], error_rate: float) -> float | None:
    """The ceil((n + 1)(1 - rate))-th smallest of n ascending scores; None where there are fewer than that."""
    check_error_rate(error_rate)
    rank = math.ceil((len(scores) + 1) * (1 - error_rate) - 1e-9)
    return scores[rank - 1] if rank <= len(scores) else None


def check_error_rate(error_rate: float) -> None:
    """Refuse a rate that is no share.

    Raises:
        InputError: with the rate.
    """
    if not 0 < error_rate < 1:
        raise InputError(f"The error rate must lie between 0 and 1, such as 0.1; it is {error_rate:g}.")
