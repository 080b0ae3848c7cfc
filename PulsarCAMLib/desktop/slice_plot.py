"""A small plot of the slices' probabilities, in the colors of the application's own style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import qt
from slicer.i18n import tr as _

LEFT, RIGHT, TOP, BOTTOM = 34, 10, 10, 30
DOT, ANSWER = 3, 5


@dataclass(frozen=True)
class SlicePoint:
    """One slice: its number in the MRI, probability of response 0..1 and spread; whether it answers."""

    number: int
    probability: float
    spread: float
    answers: bool


def draw_slices(points: Sequence[SlicePoint], threshold: float | None, size: tuple[int, int], palette, ratio: float):
    """A ``QPixmap`` with one dot per slice.

    Args:
        points: in any order.
        threshold: probability from which a lesion is called response, or None.
        size: width and height in pixels.
        palette: the ``QPalette`` of the widget that shows it.
        ratio: of the screen's pixels to those of ``size``.
    """
    pixmap = qt.QPixmap(*(round(ratio * side) for side in size))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(palette.color(qt.QPalette.Base))
    painter = qt.QPainter()
    painter.begin(pixmap)
    try:
        painter.setRenderHint(qt.QPainter.Antialiasing, True)
        _Plot(painter, sorted(points, key=lambda p: p.number), size, palette).draw(threshold)
    finally:
        painter.end()
    return pixmap


class _Plot:
    def __init__(self, painter, points: list[SlicePoint], size: tuple[int, int], palette) -> None:
        self.painter, self.points = painter, points
        self.width, self.height = size
        self.ink = palette.color(qt.QPalette.Text)
        self.line = palette.color(qt.QPalette.Highlight)
        self.faint = palette.color(qt.QPalette.Mid)

    def draw(self, threshold: float | None) -> None:
        self._axes(threshold)
        self._pen(self.line, 1)
        for before, after in zip(self.points, self.points[1:], strict=False):
            self._segment(self._x(before), self._y(before.probability), self._x(after), self._y(after.probability))
        for point in self.points:
            self._dot(point)

    def _axes(self, threshold: float | None) -> None:
        right, bottom = self.width - RIGHT, self.height - BOTTOM
        self._pen(self.faint, 1)
        for value in (0.0, 0.5, 1.0):
            self._segment(LEFT, self._y(value), right, self._y(value))
        if threshold is not None:
            self._pen(self.ink, 1, qt.Qt.DashLine)
            self._segment(LEFT, self._y(threshold), right, self._y(threshold))
        self._pen(self.ink, 1)
        for value, text in ((0.0, "0"), (0.5, "0.5"), (1.0, "1")):
            self._text(0, self._y(value) - 8, LEFT - 6, 16, qt.Qt.AlignRight | qt.Qt.AlignVCenter, text)
        first, last = self.points[0].number, self.points[-1].number
        self._text(LEFT, bottom + 8, 60, 18, qt.Qt.AlignLeft | qt.Qt.AlignVCenter, str(first))
        self._text(LEFT, bottom + 8, right - LEFT, 18, qt.Qt.AlignCenter, _("MRI slice"))
        if last != first:
            self._text(right - 60, bottom + 8, 60, 18, qt.Qt.AlignRight | qt.Qt.AlignVCenter, str(last))

    def _dot(self, point: SlicePoint) -> None:
        x, y = self._x(point), self._y(point.probability)
        self._pen(self.line, 2)
        low, high = max(0.0, point.probability - point.spread), min(1.0, point.probability + point.spread)
        self._segment(x, self._y(low), x, self._y(high))
        reach = ANSWER if point.answers else DOT
        self._pen(self.ink if point.answers else self.line, 1)
        self.painter.setBrush(qt.QBrush(self.ink if point.answers else self.line))
        self.painter.drawEllipse(round(x) - reach, round(y) - reach, 2 * reach, 2 * reach)

    def _x(self, point: SlicePoint) -> float:
        first, last = self.points[0].number, self.points[-1].number
        share = (point.number - first) / (last - first) if last > first else 0.5
        return LEFT + ANSWER + share * (self.width - LEFT - RIGHT - 2 * ANSWER)

    def _y(self, probability: float) -> float:
        return self.height - BOTTOM - probability * (self.height - TOP - BOTTOM)

    def _pen(self, color, width: int, style=None) -> None:
        pen = qt.QPen(color)
        pen.setWidth(width)
        if style is not None:
            pen.setStyle(style)
        self.painter.setPen(pen)

    def _segment(self, x1: float, y1: float, x2: float, y2: float) -> None:
        self.painter.drawLine(round(x1), round(y1), round(x2), round(y2))

    def _text(self, x: float, y: float, width: float, height: float, alignment, text: str) -> None:
        self.painter.drawText(round(x), round(y), round(width), round(height), alignment, text)
