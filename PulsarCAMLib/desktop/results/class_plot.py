"""A small plot of the probabilities of all classes, in the classes' own colors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import qt

from ..widgets.plotting import TEXT_HEIGHT, Pencil, PlotLabel, painted

LEFT, RIGHT, MARGIN = 8, 84, 6
ROW = 22
NAME_SHARE = 0.3
"""Of the width, at most, for the names of the classes."""


@dataclass(frozen=True)
class ClassBar:
    """One class.

    Attributes:
        name: for people.
        probability: 0..1, mean over the ensemble.
        spread: its standard deviation; None where it is not known.
        color: ``#rrggbb``; empty: that of what is plotted.
        predicted: whether it is the answer.
    """

    name: str
    probability: float
    spread: float | None = None
    color: str = ""
    predicted: bool = False

    @property
    def text(self) -> str:
        """Number and spread."""
        return f"{self.probability:.2f}" + (f" ± {self.spread:.2f}" if self.spread is not None else "")


class ClassLabel(PlotLabel):
    """Shows the bars as wide as the panel is, and as high as there are classes."""

    bars: Sequence[ClassBar] = ()

    def show_bars(self, bars: Sequence[ClassBar]) -> None:
        """Show these, or nothing."""
        self.bars = tuple(bars)
        self.HEIGHT = 2 * MARGIN + ROW * len(self.bars)
        self.visible = bool(bars)
        self.updateGeometry()
        self.draw()

    def drawn(self, size: tuple[int, int], palette, ratio: float):
        """See :meth:`..widgets.plotting.PlotLabel.drawn`."""
        return draw_classes(self.bars, size, palette, ratio) if self.bars else None


def draw_classes(bars: Sequence[ClassBar], size: tuple[int, int], palette, ratio: float):
    """A ``QPixmap`` with a bar for each class and a line as long as twice its spread.

    Args:
        bars: from the top downwards.
        size, palette, ratio: see :func:`..widgets.plotting.painted`.
    """
    return painted(size, palette, ratio, lambda pencil: _draw(pencil, bars, size[0]), smooth=False)


def _draw(pencil: Pencil, bars: Sequence[ClassBar], width: int) -> None:
    begin, end = LEFT + round(NAME_SHARE * width), width - RIGHT
    for index, bar in enumerate(bars):
        top = MARGIN + index * ROW
        middle = top + ROW // 2
        color = qt.QColor(bar.color) if bar.color else pencil.line
        pencil.pen(pencil.ink)
        mark = f"▸ {bar.name}" if bar.predicted else bar.name
        pencil.text(LEFT, middle - TEXT_HEIGHT // 2, begin - LEFT - 6, qt.Qt.AlignRight, mark)
        pencil.text(end + 6, middle - TEXT_HEIGHT // 2, RIGHT - 10, qt.Qt.AlignLeft, bar.text)
        pencil.pen(pencil.faint)
        pencil.segment(begin, top + 3, begin, top + ROW - 3)
        pencil.pen(color)
        pencil.painter.setBrush(qt.QBrush(color))
        pencil.painter.drawRect(begin, top + 5, max(1, round(bar.probability * (end - begin))), ROW - 11)
        if bar.spread:
            low, high = max(0.0, bar.probability - bar.spread), min(1.0, bar.probability + bar.spread)
            pencil.pen(pencil.ink, 2)
            pencil.segment(begin + low * (end - begin), middle, begin + high * (end - begin), middle)
