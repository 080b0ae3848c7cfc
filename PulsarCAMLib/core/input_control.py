"""What an answer is held against to see where it comes from: the same question with a part of the input taken away.

Names and words only, so that options and tables are made of them without NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass

VOLUME, OF_SAMPLE = "volume", "of-sample"
"""Where a control that is a number takes it from."""


@dataclass(frozen=True)
class InputControl:
    """A model that sees less than the network, trained and judged on the same splits.

    Attributes:
        name: of options, folders and cards, as in "mask-only".
        title: for people, as in "mask only".
        about: what it sees, one sentence.
        verdict: what follows for the network where this does as well, as the rest of a sentence after "so".
        column: what number it answers by, :data:`VOLUME` or :data:`OF_SAMPLE` (the system says it of a sample), which
            takes a moment; empty: it is a network, which takes as long as one.
    """

    name: str
    title: str
    about: str
    verdict: str
    column: str = ""


@dataclass(frozen=True)
class LeaveOut:
    """A part of one unit's input that is replaced before the same network is asked again.

    Attributes:
        name: of the column of tables, behind ``logit_change_``.
        title: what was done, in words, as in "tissue outside the contour replaced".
        heading: of a column, short.
        share: limit of the change as a share of the logit's size.
        least: the same in logits, where the logit is small; 0: there is none.
        too_much: whether a change from the limit on is told of; else one that does not reach it.
        warning: sentence of the units told of; ``{names}`` stands for them, each with its change.
        why: what a reader of a table should know, one sentence or two.
    """

    name: str
    title: str
    heading: str
    share: float
    least: float
    too_much: bool
    warning: str
    why: str

    @property
    def column(self) -> str:
        """Of tables."""
        return f"logit_change_{self.name}"

    def warns(self, logit: float, change: float) -> bool:
        """Whether this change of this logit is told of."""
        limit = max(self.share * abs(logit), self.least)
        return abs(change) >= limit if self.too_much else abs(change) < limit
