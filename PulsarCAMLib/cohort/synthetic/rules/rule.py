"""What a rule of a synthetic cohort is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ....core.vocabulary import RULES as TITLES
from .mark import Mark

if TYPE_CHECKING:
    from ..lesions import Tumour

INSIDE, WHOLE, OUTSIDE, NOWHERE = "inside", "whole", "outside", "nowhere"
"""Where the truth lies: in a part of the GTV, in all of it, beyond its contour, or in no voxel at all."""

PLACES = {
    INSIDE: "a part of the GTV",
    WHOLE: "the whole GTV",
    OUTSIDE: "outside the contour, nowhere in the GTV",
    NOWHERE: "no place at all",
}
"""In words, as the tables of a cohort say it."""


def no_marks(_rng: np.random.Generator, _tumour: Tumour, _against: bool) -> tuple[Mark, ...]:
    """Nothing is changed."""
    return ()


def same_size(drawn: float, _against: bool) -> float:
    """The size is as drawn."""
    return drawn


@dataclass(frozen=True)
class Rule:
    """What decides whether a lesion responds, and what else is made alike in both classes.

    Attributes:
        name: as typed.
        place: where the planted truth lies, a word of :data:`PLACES`.
        matched: what is alike in both classes although the rule would change it, in words.
        marks: of a tumour, given its own random stream and whether the rule speaks against a response.
        size: place of the tumour's size between smallest (0) and largest (1), as drawn and whether the rule speaks
            against a response.
    """

    name: str
    place: str
    matched: str
    marks: Callable[[np.random.Generator, Tumour, bool], tuple[Mark, ...]] = no_marks
    size: Callable[[float, bool], float] = same_size

    @property
    def title(self) -> str:
        """What decides, for people."""
        return TITLES[self.name]
