"""A small plot of cumulative curves, in the colors of the application's own style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import qt

from ..widgets.plotting import Pencil, PlotLabel, painted

LEFT, RIGHT, TOP, BOTTOM = 44, 8, 22, 32
SAMPLE, GAP = 16, 5
"""Length of a line in the legend, and what separates it from its text."""


@dataclass(frozen=True)
class Curve:
    """One line: its name, and where it is at each value of the axis, in per cent."""

    name: str
    percent: tuple[float, ...]


class CurveLabel(PlotLabel):
    """Shows curves as wide as the panel is.

    Attributes:
        axis: what goes to the right, such as "Dose (Gy)".
    """

    axis = ""
    at: Sequence[float] = ()
    curves: Sequence[Curve] = ()

    def show_curves(self, axis: str, at: Sequence[float], curves: Sequence[Curve]) -> None:
        """Show these, or nothing.

        Args:
            axis: what goes to the right.
            at: values of the axis, ascending, at least two.
            curves: as many per cents each; at most three.
        """
        self.axis, self.at, self.curves = axis, tuple(at), tuple(curves) if len(at) > 1 else ()
        self.visible = bool(self.curves)
        self.draw()

    def drawn(self, size: tuple[int, int], palette, ratio: float):
        """See :meth:`..widgets.plotting.PlotLabel.drawn`."""
        if not self.curves:
            return None
        return painted(size, palette, ratio, lambda pencil: _Plot(pencil, self, size).draw())


class _Plot:
    def __init__(self, pencil: Pencil, shown: CurveLabel, size: tuple[int, int]) -> None:
        self.pencil, self.shown = pencil, shown
        self.width, self.height = size
        self.first, self.last = shown.at[0], shown.at[-1]

    def draw(self) -> None:
        self._axes()
        for n, curve in enumerate(self.shown.curves):
            self._pen(n)
            path = qt.QPainterPath()  # one path, for dashes to go on from point to point
            path.moveTo(self._x(self.first), self._y(curve.percent[0]))
            for value, percent in zip(self.shown.at, curve.percent, strict=True):
                path.lineTo(self._x(value), self._y(percent))
            self.pencil.painter.setBrush(qt.QBrush())
            self.pencil.painter.drawPath(path)
        self._legend()

    def _pen(self, n: int) -> None:
        """Thin, thick, dashed: they differ without color, too."""
        self.pencil.pen(self.pencil.line if n else self.pencil.ink, 2 if n else 1, qt.Qt.DashLine if n > 1 else None)

    def _axes(self) -> None:
        self.pencil.pen(self.pencil.faint)
        for percent in (0, 50, 100):
            self.pencil.segment(LEFT, self._y(percent), self.width - RIGHT, self._y(percent))
        self.pencil.pen(self.pencil.ink)
        for percent in (0, 50, 100):
            self.pencil.text(0, self._y(percent) - 8, LEFT - 5, qt.Qt.AlignRight, f"{percent} %")
        below = self.height - BOTTOM + 2
        self.pencil.text(LEFT, below, 40, qt.Qt.AlignLeft, f"{self.first:g}")
        self.pencil.text(self.width - RIGHT - 60, below, 60, qt.Qt.AlignRight, f"{self.last:.3g}")
        self.pencil.text(LEFT, below + 13, self.width - LEFT - RIGHT, qt.Qt.AlignCenter, self.shown.axis)

    def _legend(self) -> None:
        room = (self.width - LEFT - RIGHT) // len(self.shown.curves)
        for n, curve in enumerate(self.shown.curves):
            x = LEFT + n * room
            self._pen(n)
            self.pencil.segment(x, 9, x + SAMPLE, 9)
            self.pencil.pen(self.pencil.ink)
            self.pencil.text(x + SAMPLE + GAP, 1, room - SAMPLE - GAP, qt.Qt.AlignLeft, curve.name)

    def _x(self, value: float) -> float:
        return LEFT + (value - self.first) / (self.last - self.first) * (self.width - LEFT - RIGHT)

    def _y(self, percent: float) -> float:
        return self.height - BOTTOM - percent / 100 * (self.height - TOP - BOTTOM)
