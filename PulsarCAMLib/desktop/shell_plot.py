"""A small plot of where a heat map lies under a lesion's surface, in the colors of the application's own style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import qt
from slicer.i18n import tr as _

HEIGHT, NARROWEST = 130, 180
LEFT, RIGHT, TOP, BOTTOM = 38, 8, 22, 32
SAMPLE = 12
"""Side of a square in the legend."""


@dataclass(frozen=True)
class Shell:
    """Depth in millimetres from the surface, and the shares 0..1 of activation and volume in it."""

    begin: float
    end: float
    activation: float
    volume: float


class ShellLabel(qt.QLabel):
    """Shows the shells as wide as the panel is."""

    shells: Sequence[Shell] = ()

    def sizeHint(self):  # noqa: N802 - Qt's name
        """Whatever the panel gives; the picture must not keep the panel from becoming narrower."""
        return qt.QSize(NARROWEST, HEIGHT)

    def minimumSizeHint(self):  # noqa: N802
        """Likewise."""
        return qt.QSize(NARROWEST, HEIGHT)

    def resizeEvent(self, _event) -> None:  # noqa: N802
        """The panel became wider or narrower."""
        self.draw()

    def show_shells(self, shells: Sequence[Shell]) -> None:
        """Show these, or nothing."""
        self.shells = tuple(shells)
        self.visible = bool(shells)
        self.draw()

    def draw(self) -> None:
        """Draw anew."""
        if self.shells:
            size = max(NARROWEST, self.width), HEIGHT
            self.setPixmap(draw_shells(self.shells, size, self.palette, self.devicePixelRatioF()))


def draw_shells(shells: Sequence[Shell], size: tuple[int, int], palette, ratio: float):
    """A ``QPixmap`` with a bar for each shell: filled the share of the activation, outlined that of the volume.

    Args:
        shells: from the surface inwards.
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
        _Plot(painter, shells, size, palette).draw()
    finally:
        painter.end()
    return pixmap


class _Plot:
    def __init__(self, painter, shells: Sequence[Shell], size: tuple[int, int], palette) -> None:
        self.painter, self.shells = painter, shells
        self.width, self.height = size
        self.ink = palette.color(qt.QPalette.Text)
        self.fill = palette.color(qt.QPalette.Highlight)
        self.faint = palette.color(qt.QPalette.Mid)
        self.top = max(max(shell.activation, shell.volume) for shell in shells) or 1.0
        self.end = shells[-1].end

    def draw(self) -> None:
        self._axes()
        for shell in self.shells:
            left, right = self._x(shell.begin) + 1, self._x(shell.end) - 1
            self._bar(left, right, shell.activation, self.fill, is_filled=True)
            self._bar(left, right, shell.volume, self.ink, is_filled=False)
        self._legend()

    def _axes(self) -> None:
        self._pen(self.faint)
        for share in (0.0, 0.5, 1.0):
            self.painter.drawLine(LEFT, self._y(share * self.top), self.width - RIGHT, self._y(share * self.top))
        self._pen(self.ink)
        for share in (0.0, 0.5, 1.0):
            y = self._y(share * self.top) - 8
            self._text(0, y, LEFT - 5, qt.Qt.AlignRight, f"{100 * share * self.top:.0f} %")
        below = self.height - BOTTOM + 2
        self._text(LEFT, below, 40, qt.Qt.AlignLeft, "0")
        self._text(self.width - RIGHT - 60, below, 60, qt.Qt.AlignRight, f"{self.end:g}")
        self._text(LEFT, below + 13, self.width - LEFT - RIGHT, qt.Qt.AlignCenter, _("mm under the surface"))

    def _legend(self) -> None:
        x = LEFT
        for text, color, is_filled in ((_("activation"), self.fill, True), (_("volume"), self.ink, False)):
            self._pen(color)
            self.painter.setBrush(qt.QBrush(color) if is_filled else qt.QBrush())
            self.painter.drawRect(x, 4, SAMPLE, SAMPLE - 2)
            self._pen(self.ink)
            self._text(x + SAMPLE + 5, 1, 90, qt.Qt.AlignLeft, text)
            x += SAMPLE + 95

    def _bar(self, left: int, right: int, share: float, color, is_filled: bool) -> None:
        self._pen(color)
        self.painter.setBrush(qt.QBrush(color) if is_filled else qt.QBrush())
        top = self._y(share)
        self.painter.drawRect(left, top, max(1, right - left), self._y(0.0) - top)

    def _x(self, depth: float) -> int:
        return round(LEFT + depth / self.end * (self.width - LEFT - RIGHT))

    def _y(self, share: float) -> int:
        return round(self.height - BOTTOM - share / self.top * (self.height - TOP - BOTTOM))

    def _pen(self, color) -> None:
        pen = qt.QPen(color)
        pen.setWidth(1)
        self.painter.setPen(pen)

    def _text(self, x: int, y: int, width: int, alignment, text: str) -> None:
        self.painter.drawText(x, y, width, 16, alignment | qt.Qt.AlignVCenter, text)
