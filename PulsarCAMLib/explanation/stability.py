"""How far an answer moves when contour, image or grid lie half a voxel otherwise: what one input decides.

The ensemble's spread tells how much the members disagree on one input; this tells how much one input decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..core.pluralize import pluralize
from ..core.task import LESION

if TYPE_CHECKING:
    from .result import UnitResult

MOST_MOVED = 0.2
"""A probability that moves over more than this is told of, even where the class stays."""


@dataclass(frozen=True, eq=False)
class Stability:
    """The answers of one unit, changed in P ways.

    Attributes:
        ways: names in words, as in "contour half a voxel larger".
        probability: of the positive class as it is.
        probabilities: ``[P]``, of the positive class, mean over the members.
        kept: ``[P]`` bool: the predicted class is that of the unit as it is.
        moved_mm: ``[P]``, how far the centre of the usual map moves; NaN where a map is empty.
    """

    ways: tuple[str, ...]
    probability: float
    probabilities: np.ndarray
    kept: np.ndarray
    moved_mm: np.ndarray

    @property
    def lowest(self) -> float:
        """Probability, the unit as it is among them."""
        return float(min(self.probability, *self.probabilities))

    @property
    def highest(self) -> float:
        """Likewise."""
        return float(max(self.probability, *self.probabilities))

    @property
    def share(self) -> float:
        """Of the ways in which the predicted class stays."""
        return float(self.kept.mean())

    @property
    def centre_moves_mm(self) -> float:
        """The most that the centre of the map moves; NaN where no map has one."""
        finite = self.moved_mm[np.isfinite(self.moved_mm)]
        return float(finite.max()) if len(finite) else float("nan")

    @property
    def worst(self) -> str:
        """The way that moves the probability most."""
        return self.ways[int(np.argmax(np.abs(self.probabilities - self.probability)))]

    @property
    def is_stable(self) -> bool:
        """Whether the class stays in every way and the probability moves over no more than :data:`MOST_MOVED`."""
        return bool(self.kept.all()) and self.highest - self.lowest <= MOST_MOVED

    def row(self) -> dict[str, float]:
        """Columns of a table of units."""
        return {
            "p_min": self.lowest,
            "p_max": self.highest,
            "stability": self.share,
            "map_centre_moves_mm": self.centre_moves_mm,
        }

    def in_words(self) -> str:
        """As "0.41 to 0.66 by half a voxel, class stays in 9 of 11"."""
        return f"{range_text(self.lowest, self.highest)}, class stays in {int(self.kept.sum())} of {len(self.kept)}"


def range_text(low: float, high: float) -> str:
    """As "0.41 to 0.66 by half a voxel"."""
    return f"{low:.2f} to {high:.2f} by half a voxel"


def stability_notes(units: Sequence[UnitResult]) -> list[str]:
    """Sentences on answers that another person's contour would change."""
    notes = []
    for unit in units:
        found = unit.stability
        if found is None or found.is_stable:
            continue
        what = "contour or grid" if unit.task.unit == LESION else "image or grid"
        ends = "" if found.kept.all() else (
            f" and changes the predicted class in {int((~found.kept).sum())} of {pluralize(len(found.kept), 'way')}"
        )  # fmt: skip
        notes.append(
            f"The answer for “{unit.name}” is not stable: {what} half a voxel otherwise moves the "
            f"{unit.task.probability_title()} between {found.lowest:.2f} and {found.highest:.2f}{ends} (most: "
            f"{found.worst}); another person's contour may be answered otherwise."
        )
    return notes
