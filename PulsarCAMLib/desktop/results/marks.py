"""Marks of answers, told apart by shape and color: before anything is read, and by those who see no red and green."""

from __future__ import annotations

import qt

from ...core.task import Task
from ...explanation.plain import UNCERTAIN

SIDE = 14
CIRCLE, SQUARE, DIAMOND = "circle", "square", "diamond"
UNCERTAIN_COLOR, UNKNOWN_COLOR = "#e0a100", "#808080"


def mark_of(answer: str, task: Task | None) -> tuple[str, str]:
    """Shape and color: a circle for the task's positive class, a square for others, a diamond where it is uncertain.

    Args:
        answer: name of a class, or "uncertain".
        task: of the model; None where it is not installed any more.
    """
    if answer == UNCERTAIN:
        return DIAMOND, UNCERTAIN_COLOR
    if task is None or answer not in task.names:
        return SQUARE, UNKNOWN_COLOR
    return CIRCLE if answer == task.positive else SQUARE, task.of(answer).color


def answer_icon(answer: str, task: Task | None, palette, ratio: float):
    """The ``QIcon``; chosen rows keep its colors.

    Args:
        answer, task: see :func:`mark_of`.
        palette: the ``QPalette`` of what shows it.
        ratio: of the screen's pixels to those of Qt.
    """
    shape, color = mark_of(answer, task)
    pixmap = qt.QPixmap(round(ratio * SIDE), round(ratio * SIDE))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(qt.QColor(0, 0, 0, 0))
    painter = qt.QPainter()
    painter.begin(pixmap)
    try:
        painter.setRenderHint(qt.QPainter.Antialiasing, True)
        painter.setPen(qt.QPen(palette.color(qt.QPalette.Base)))
        painter.setBrush(qt.QBrush(qt.QColor(color)))
        _draw(painter, shape)
    finally:
        painter.end()
    icon = qt.QIcon(pixmap)
    icon.addPixmap(pixmap, qt.QIcon.Selected)
    return icon


def _draw(painter, shape: str) -> None:
    if shape == CIRCLE:
        painter.drawEllipse(1, 1, SIDE - 2, SIDE - 2)
        return
    if shape == SQUARE:
        painter.drawRect(2, 2, SIDE - 4, SIDE - 4)
        return
    half, path = SIDE / 2, qt.QPainterPath()
    path.moveTo(half, 0)
    for x, y in ((SIDE, half), (half, SIDE), (0, half)):
        path.lineTo(x, y)
    path.closeSubpath()
    painter.drawPath(path)
