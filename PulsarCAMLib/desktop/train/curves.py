"""The curves of a training that runs: read from its folder, drawn in the colors of the application's own style."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import qt
from slicer.i18n import tr as _

from ..widgets.plotting import Pencil, PlotLabel, painted

LEFT, RIGHT, TOP, BOTTOM, LEGEND = 38, 8, 22, 20, 18
SAMPLE = 26
"""Length of a line in the legend."""
FEWEST_EPOCHS = 2


@dataclass(frozen=True)
class Chart:
    """One figure over the epochs.

    Attributes:
        title: what the person reads.
        training, validation: columns of ``history.csv``.
        top: upper end of the axis; None: the largest value.
    """

    title: str
    training: str
    validation: str
    top: float | None = None


def charts() -> tuple[Chart, Chart]:
    """Loss and accuracy."""
    return (
        Chart(_("Loss"), "total", "validation_total"),
        Chart(_("Accuracy"), "accuracy", "validation_accuracy", top=1.0),
    )


Curve = list[tuple[float, float]]
"""Epoch and value."""


def read_histories(run_folder: Path) -> list[list[dict[str, float]]]:
    """One row per epoch for each member whose training has begun."""
    found = []
    for path in sorted(run_folder.glob("member-*/history.csv")):
        try:
            with path.open(encoding="utf-8", newline="") as file:
                found.append([_numbers(row) for row in csv.DictReader(file)])
        except (OSError, ValueError):  # it is being replaced: the next look finds it
            continue
    return [history for history in found if history]


def curves_of(histories: Sequence[Sequence[dict[str, float]]], column: str) -> list[Curve]:
    """One curve per member."""
    every = [[(row["epoch"], row[column]) for row in history if column in row] for history in histories]
    return [curve for curve in every if curve]


def mean_of(curves: Sequence[Curve]) -> Curve:
    """At each epoch, the mean over the members that have come so far."""
    by_epoch: dict[float, list[float]] = {}
    for epoch, value in (point for curve in curves for point in curve):
        by_epoch.setdefault(epoch, []).append(value)
    return [(epoch, sum(values) / len(values)) for epoch, values in sorted(by_epoch.items())]


class CurvesLabel(PlotLabel):
    """Shows the curves as wide as the panel is."""

    HEIGHT, NARROWEST = 160, 200
    histories = ()

    def drawn(self, size: tuple[int, int], palette, ratio: float):
        """See :meth:`..widgets.plotting.PlotLabel.drawn`."""
        return draw_curves(self.histories, size, palette, ratio) if self.histories else None


def draw_curves(histories, size: tuple[int, int], palette, ratio: float):
    """A ``QPixmap`` with loss and accuracy side by side: training as a full, validation as a dashed line.

    The faint lines are the members, the strong ones their mean.

    Args:
        histories: as :func:`read_histories` gives them.
        size, palette, ratio: see :func:`..widgets.plotting.painted`.
    """
    width, height = size[0], size[1] - LEGEND

    def draw(pencil: Pencil) -> None:
        half = width // 2
        for number, chart in enumerate(charts()):
            _Axes(pencil, (number * half, half, height)).draw(chart, histories)
        _Axes(pencil, (0, width, height)).legend()

    return painted(size, palette, ratio, draw)


class _Axes:
    def __init__(self, pencil: Pencil, place: tuple[int, int, int]) -> None:
        self.pencil = pencil
        begin, width, height = place
        self.begin, self.left, self.right = begin, begin + LEFT, begin + width - RIGHT
        self.bottom = height - BOTTOM
        self.last, self.top = float(FEWEST_EPOCHS), 1.0

    def draw(self, chart: Chart, histories) -> None:
        """Axes, then both kinds of curves."""
        kinds = ((chart.training, self.pencil.line, None), (chart.validation, self.pencil.ink, qt.Qt.DashLine))
        drawn = [(curves_of(histories, column), color, style) for column, color, style in kinds]
        points = [point for curves, _color, _style in drawn for curve in curves for point in curve]
        self.last = max([FEWEST_EPOCHS, *(epoch for epoch, _value in points)])
        self.top = chart.top or 1.05 * max([value for _epoch, value in points], default=1.0) or 1.0
        self._axes(chart.title)
        for curves, color, style in drawn:
            for curve in curves if len(curves) > 1 else ():
                self._curve(curve, _see_through(color), 1, style)
            self._curve(mean_of(curves), color, 2, style)

    def legend(self) -> None:
        """What the lines are, beneath both figures."""
        y, half = self.bottom + BOTTOM + LEGEND // 2, (self.right - self.left) // 2
        kinds = ((_("training"), self.pencil.line, None), (_("validation"), self.pencil.ink, qt.Qt.DashLine))
        for number, (text, color, style) in enumerate(kinds):
            x = self.left + number * half
            self.pencil.pen(color, 2, style)
            self.pencil.segment(x, y, x + SAMPLE, y)
            self.pencil.pen(self.pencil.ink, 1)
            self.pencil.text(x + SAMPLE + 6, y - 8, half - SAMPLE - 6, qt.Qt.AlignLeft, text)

    def _axes(self, title: str) -> None:
        self.pencil.pen(self.pencil.faint, 1)
        for share in (0.0, 0.5, 1.0):
            self.pencil.segment(self.left, self._y(share * self.top), self.right, self._y(share * self.top))
        self.pencil.pen(self.pencil.ink, 1)
        for share in (0.0, 0.5, 1.0):
            text, y = f"{share * self.top:.2g}", self._y(share * self.top)
            self.pencil.text(self.begin, y - 8, LEFT - 5, qt.Qt.AlignRight, text)
        wide = self.right - self.left
        self.pencil.text(self.left, 2, wide, qt.Qt.AlignLeft, title)
        self.pencil.text(self.left, self.bottom + 3, wide, qt.Qt.AlignLeft, "1")
        self.pencil.text(self.left, self.bottom + 3, wide, qt.Qt.AlignHCenter, _("epoch"))
        self.pencil.text(self.left, self.bottom + 3, wide, qt.Qt.AlignRight, f"{self.last:g}")

    def _curve(self, curve: Curve, color, width: int, style) -> None:
        self.pencil.pen(color, width, style)
        path = qt.QPainterPath()
        for number, (epoch, value) in enumerate(curve):
            (path.lineTo if number else path.moveTo)(self._x(epoch), self._y(value))
        self.pencil.painter.drawPath(path)
        if len(curve) == 1:
            self.pencil.painter.drawEllipse(round(self._x(curve[0][0])) - 1, round(self._y(curve[0][1])) - 1, 2, 2)

    def _x(self, epoch: float) -> float:
        return self.left + (epoch - 1) / (self.last - 1) * (self.right - self.left)

    def _y(self, value: float) -> float:
        return self.bottom - min(1.0, max(0.0, value / self.top)) * (self.bottom - TOP)


def _see_through(color):
    faint = qt.QColor(color)
    faint.setAlpha(80)
    return faint


def _numbers(row: dict[str, str]) -> dict[str, float]:
    return {name: float(text) for name, text in row.items() if text}
