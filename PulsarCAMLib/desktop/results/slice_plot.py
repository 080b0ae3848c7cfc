"""A small plot of the slices' probabilities, in the colors of the application's own style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import qt
from slicer.i18n import tr as _

from ..widgets.plotting import Pencil, painted

LEFT, RIGHT, TOP, BOTTOM = 34, 10, 10, 30
DOT, ANSWER = 3, 5


@dataclass(frozen=True)
class SlicePoint:
    """One slice: its number in the MRI, counted from 1 as in 3D Slicer, probability of the class told 0..1 and spread;
    whether it answers.
    """

    number: int
    probability: float
    spread: float
    answers: bool


def draw_slices(points: Sequence[SlicePoint], threshold: float | None, size: tuple[int, int], palette, ratio: float):
    """A ``QPixmap`` with one dot per slice.

    Args:
        points: in any order.
        threshold: probability from which that class is called, or None.
        size, palette, ratio: see :func:`..widgets.plotting.painted`.
    """
    shown = sorted(points, key=lambda p: p.number)
    return painted(size, palette, ratio, lambda pencil: _Plot(pencil, shown, size).draw(threshold))


class _Plot:
    def __init__(self, pencil: Pencil, points: list[SlicePoint], size: tuple[int, int]) -> None:
        self.pencil, self.points = pencil, points
        self.width, self.height = size

    def draw(self, threshold: float | None) -> None:
        self._axes(threshold)
        self.pencil.pen(self.pencil.line, 1)
        for before, after in zip(self.points, self.points[1:], strict=False):
            self.pencil.segment(
                self._x(before), self._y(before.probability), self._x(after), self._y(after.probability)
            )
        for point in self.points:
            self._dot(point)

    def _axes(self, threshold: float | None) -> None:
        right, bottom = self.width - RIGHT, self.height - BOTTOM
        self.pencil.pen(self.pencil.faint, 1)
        for value in (0.0, 0.5, 1.0):
            self.pencil.segment(LEFT, self._y(value), right, self._y(value))
        if threshold is not None:
            self.pencil.pen(self.pencil.ink, 1, qt.Qt.DashLine)
            self.pencil.segment(LEFT, self._y(threshold), right, self._y(threshold))
        self.pencil.pen(self.pencil.ink, 1)
        for value, text in ((0.0, "0"), (0.5, "0.5"), (1.0, "1")):
            self.pencil.text(0, self._y(value) - 8, LEFT - 6, qt.Qt.AlignRight, text)
        first, last = self.points[0].number, self.points[-1].number
        self.pencil.text(LEFT, bottom + 8, 60, qt.Qt.AlignLeft, str(first))
        self.pencil.text(LEFT, bottom + 8, right - LEFT, qt.Qt.AlignHCenter, _("MRI slice"))
        if last != first:
            self.pencil.text(right - 60, bottom + 8, 60, qt.Qt.AlignRight, str(last))

    def _dot(self, point: SlicePoint) -> None:
        x, y = self._x(point), self._y(point.probability)
        self.pencil.pen(self.pencil.line, 2)
        low, high = max(0.0, point.probability - point.spread), min(1.0, point.probability + point.spread)
        self.pencil.segment(x, self._y(low), x, self._y(high))
        reach = ANSWER if point.answers else DOT
        self.pencil.pen(self.pencil.ink if point.answers else self.pencil.line, 1)
        self.pencil.painter.setBrush(qt.QBrush(self.pencil.ink if point.answers else self.pencil.line))
        self.pencil.painter.drawEllipse(round(x) - reach, round(y) - reach, 2 * reach, 2 * reach)

    def _x(self, point: SlicePoint) -> float:
        first, last = self.points[0].number, self.points[-1].number
        share = (point.number - first) / (last - first) if last > first else 0.5
        return LEFT + ANSWER + share * (self.width - LEFT - RIGHT - 2 * ANSWER)

    def _y(self, probability: float) -> float:
        return self.height - BOTTOM - probability * (self.height - TOP - BOTTOM)
