"""What the small plots share: pictures in the screen's resolution, pens and texts in the application's colors."""

from __future__ import annotations

from collections.abc import Callable

import qt

TEXT_HEIGHT = 16
USUAL_TEXT, LARGE_TEXT, USUAL_POINTS = 12, 13, 10
"""Pixels that fit the height, and points from where on an application's font is a large one."""


class Pencil:
    """Draws lines and texts in whole pixels with the colors of a widget's palette.

    Attributes:
        painter: the ``QPainter``.
        ink, line, faint: colors of text, of what is plotted, and of the grid.
    """

    def __init__(self, painter, palette) -> None:
        self.painter = painter
        self.ink = palette.color(qt.QPalette.Text)
        self.line = palette.color(qt.QPalette.Highlight)
        self.faint = palette.color(qt.QPalette.Mid)

    def pen(self, color, width: int = 1, style=None) -> None:
        """Draw with this from now on."""
        pen = qt.QPen(color)
        pen.setWidth(width)
        if style is not None:
            pen.setStyle(style)
        self.painter.setPen(pen)

    def segment(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """A straight line."""
        self.painter.drawLine(round(x1), round(y1), round(x2), round(y2))

    def text(self, x: float, y: float, width: float, alignment, text: str) -> None:
        """A line of text in a box that begins at (x, y)."""
        box = (round(x), round(y), round(width), TEXT_HEIGHT)
        self.painter.drawText(*box, alignment | qt.Qt.AlignVCenter, text)


def painted(size: tuple[int, int], palette, ratio: float, draw: Callable[[Pencil], None], *, smooth: bool = True):
    """A ``QPixmap`` on the background of lists and tables.

    Args:
        size: width and height in pixels.
        palette: the ``QPalette`` of the widget that shows it.
        ratio: of the screen's pixels to those of ``size``.
        draw: draws it.
        smooth: whether lines are anti-aliased.
    """
    pixmap = qt.QPixmap(*(round(ratio * side) for side in size))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(palette.color(qt.QPalette.Base))
    painter = qt.QPainter()
    painter.begin(pixmap)
    try:
        painter.setRenderHint(qt.QPainter.Antialiasing, smooth)
        painter.setFont(_font())
        draw(Pencil(painter, palette))
    finally:
        painter.end()
    return pixmap


def _font():
    """The application's, in a size that the plots have room for."""
    font = qt.QApplication.font()
    font.setPixelSize(LARGE_TEXT if font.pointSize() > USUAL_POINTS else USUAL_TEXT)
    return font


class PlotLabel(qt.QLabel):
    """Shows a plot as wide as the panel is; what it shows is a subclass's.

    Attributes:
        HEIGHT, NARROWEST: in pixels.
    """

    HEIGHT, NARROWEST = 130, 180

    def sizeHint(self):  # noqa: N802 - Qt's name
        """Whatever the panel gives; the picture must not keep the panel from becoming narrower."""
        return qt.QSize(self.NARROWEST, self.HEIGHT)

    def minimumSizeHint(self):  # noqa: N802
        """Likewise."""
        return qt.QSize(self.NARROWEST, self.HEIGHT)

    def resizeEvent(self, _event) -> None:  # noqa: N802
        """The panel became wider or narrower."""
        self.draw()

    def draw(self) -> None:
        """Draw anew, if there is something to show."""
        size = max(self.NARROWEST, self.width), self.HEIGHT
        picture = self.drawn(size, self.palette, self.devicePixelRatioF())
        if picture is not None:
            self.setPixmap(picture)

    def drawn(self, size: tuple[int, int], palette, ratio: float):
        """The ``QPixmap``, or None where there is nothing to show."""
        raise NotImplementedError
