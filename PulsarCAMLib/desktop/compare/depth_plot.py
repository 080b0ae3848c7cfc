"""A small plot of where a heat map lies under a lesion's surface, in the colors of the application's own style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import qt
from slicer.i18n import tr as _

from ..widgets.plotting import Pencil, PlotLabel, painted

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


class ShellLabel(PlotLabel):
    """Shows the shells as wide as the panel is."""

    shells: Sequence[Shell] = ()

    def show_shells(self, shells: Sequence[Shell]) -> None:
        """Show these, or nothing."""
        self.shells = tuple(shells)
        self.visible = bool(shells)
        self.draw()

    def drawn(self, size: tuple[int, int], palette, ratio: float):
        """See :meth:`..widgets.plotting.PlotLabel.drawn`."""
        return draw_shells(self.shells, size, palette, ratio) if self.shells else None


def draw_shells(shells: Sequence[Shell], size: tuple[int, int], palette, ratio: float):
    """A ``QPixmap`` with a bar for each shell: filled the share of the activation, outlined that of the volume.

    Args:
        shells: from the surface inwards.
        size, palette, ratio: see :func:`..widgets.plotting.painted`.
    """
    return painted(size, palette, ratio, lambda pencil: _Plot(pencil, shells, size).draw(), smooth=False)


class _Plot:
    def __init__(self, pencil: Pencil, shells: Sequence[Shell], size: tuple[int, int]) -> None:
        self.pencil, self.shells = pencil, shells
        self.width, self.height = size
        self.top = max(max(shell.activation, shell.volume) for shell in shells) or 1.0
        self.end = shells[-1].end

    def draw(self) -> None:
        self._axes()
        for shell in self.shells:
            left, right = self._x(shell.begin) + 1, self._x(shell.end) - 1
            self._bar(left, right, shell.activation, self.pencil.line, is_filled=True)
            self._bar(left, right, shell.volume, self.pencil.ink, is_filled=False)
        self._legend()

    def _axes(self) -> None:
        self.pencil.pen(self.pencil.faint)
        for share in (0.0, 0.5, 1.0):
            self.pencil.segment(LEFT, self._y(share * self.top), self.width - RIGHT, self._y(share * self.top))
        self.pencil.pen(self.pencil.ink)
        for share in (0.0, 0.5, 1.0):
            y = self._y(share * self.top) - 8
            self.pencil.text(0, y, LEFT - 5, qt.Qt.AlignRight, f"{100 * share * self.top:.0f} %")
        below = self.height - BOTTOM + 2
        self.pencil.text(LEFT, below, 40, qt.Qt.AlignLeft, "0")
        self.pencil.text(self.width - RIGHT - 60, below, 60, qt.Qt.AlignRight, f"{self.end:g}")
        self.pencil.text(LEFT, below + 13, self.width - LEFT - RIGHT, qt.Qt.AlignCenter, _("mm under the surface"))

    def _legend(self) -> None:
        x = LEFT
        for text, color, is_filled in (
            (_("activation"), self.pencil.line, True),
            (_("volume"), self.pencil.ink, False),
        ):
            self.pencil.pen(color)
            self.pencil.painter.setBrush(qt.QBrush(color) if is_filled else qt.QBrush())
            self.pencil.painter.drawRect(x, 4, SAMPLE, SAMPLE - 2)
            self.pencil.pen(self.pencil.ink)
            self.pencil.text(x + SAMPLE + 5, 1, 90, qt.Qt.AlignLeft, text)
            x += SAMPLE + 95

    def _bar(self, left: int, right: int, share: float, color, is_filled: bool) -> None:
        self.pencil.pen(color)
        self.pencil.painter.setBrush(qt.QBrush(color) if is_filled else qt.QBrush())
        top = self._y(share)
        self.pencil.painter.drawRect(left, top, max(1, right - left), self._y(0.0) - top)

    def _x(self, depth: float) -> int:
        return round(LEFT + depth / self.end * (self.width - LEFT - RIGHT))

    def _y(self, share: float) -> int:
        return round(self.height - BOTTOM - share / self.top * (self.height - TOP - BOTTOM))
