"""One answer in plain words: what is said of a unit, from where to where, and whether that can be relied on.

The rule is in method.md 5.1: uncertain is what another member, half a voxel or the error rate would have answered
otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.vocabulary import MAJORITY
from ..systems.bundles.conformal import CANNOT_TELL

if TYPE_CHECKING:
    from ..systems.bundles.card import ModelCard
    from .result import UnitResult

UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class PlainAnswer:
    """What a tired physician reads of one unit.

    Attributes:
        name: of the unit.
        answer: the class, or :data:`UNCERTAIN`.
        title: of the probability, as "p(response)".
        probability: mean over the members.
        low, high: range over the members, and over half a voxel where that was asked.
    """

    name: str
    answer: str
    title: str
    probability: float
    low: float
    high: float

    @property
    def sentence(self) -> str:
        """ "Lesion 2: uncertain, p(response) 0.58 (0.27 to 0.89)"."""
        return plain_words(self.name, self.answer, self.title, (self.probability, self.low, self.high))

    def row(self) -> dict[str, object]:
        """Columns of tables."""
        return {"answer": self.answer, "answer_low": self.low, "answer_high": self.high}


def plain_words(name: str, answer: str, title: str, figures: tuple[float, float, float]) -> str:
    """The sentence of :class:`PlainAnswer`; figures are probability, lowest and highest."""
    p, low, high = figures
    return f"{name}: {answer}, {title} {p:.2f}" + (f" ({low:.2f} to {high:.2f})" if high > low else "")


def plain_answer(unit: UnitResult, card: ModelCard) -> PlainAnswer:
    """Of one unit of a result of that model."""
    task = unit.task
    told = task.positive if task.binary else unit.predicted_class
    members = unit.class_probabilities[:, :, unit.main]
    own = members[task.index(told)]
    low, high, found = float(own.min()), float(own.max()), unit.stability
    if found is not None and told == task.positive:
        low, high = min(low, found.lowest), max(high, found.highest)
    if task.binary:
        threshold = 0.5 if card.ensemble_rule == MAJORITY else card.decision_threshold
        doubtful = low < threshold <= high
    else:
        doubtful = bool((members.argmax(axis=0) != task.index(unit.predicted_class)).any())
    doubtful |= found is not None and not bool(found.kept.all())
    doubtful |= unit.conformal is not None and unit.conformal.words == CANNOT_TELL
    answer = UNCERTAIN if doubtful else unit.predicted_class
    title = task.short_probability_title(told)
    return PlainAnswer(unit.name, answer, title, float(own.mean()), low, high)
