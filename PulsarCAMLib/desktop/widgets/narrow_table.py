"""What the table of results does where it is narrow: words are never cut; what goes is in the tool tips."""

from __future__ import annotations

from collections.abc import Sequence

from ..results.unit_columns import ANSWER

LEAST_OF_AN_ANSWER, LEAST_OF_A_FIGURE = 0.62, 0.76
"""Of their widths, for two lines: "Will probably" and what follows, "0.11" and its range."""

ONE_LINE, TWO_LINES, NO_SIZES, NO_RANGES = 0, 1, 2, 3
"""Figures and answers in one line; then figures take two lines, else sizes go, and then the ranges."""

BEFORE_LAYOUT = 100
"""Width in pixels that Qt gives a widget which was not laid out yet: it is not its own, and nothing is cut for it."""


class NarrowTable:
    """Arranges the columns of a table of units.

    Args:
        table: the widget, with an item in every cell.
    """

    def __init__(self, table) -> None:
        self._table, self._unit = table, None
        self._rows: Sequence[dict] = ()
        self._widths: list[int] = []
        self._now = ONE_LINE

    def measure(self, unit, rows: Sequence[dict]) -> None:
        """Widths that the columns ask for, with all in one line.

        Args:
            unit: its :class:`PulsarCAMLib.desktop.results.unit_columns.UnitColumns`.
            rows: as they stand in the table.
        """
        self._unit, self._rows = unit, rows
        table, header = self._table, self._table.horizontalHeader()
        for column, (heading, _tip) in enumerate(unit.headings()):
            table.horizontalHeaderItem(column).setText(heading)  # where it was narrow, that of the figures is not
        columns = range(len(unit.columns))
        self._widths = [max(table.sizeHintForColumn(n), header.sectionSizeHint(n)) for n in columns]
        self._now = -1

    def fit(self) -> None:
        """As much as there is room for."""
        last = NO_RANGES if len(self._unit.told) == 1 else NO_SIZES
        fitting = (n for n in range(last) if self._needed(n) <= self._table.width)
        self.arrange(next(fitting, last) if self._table.width != BEFORE_LAYOUT else ONE_LINE)

    def _needed(self, arrangement: int) -> float:
        """How wide the table must be for it."""
        widths = dict(zip(self._unit.columns, self._widths, strict=True))
        needed = sum(self._widths) - (1 - LEAST_OF_AN_ANSWER) * widths[ANSWER]
        breaks = arrangement >= TWO_LINES and len(self._unit.told) == 1
        needed -= sum(widths[name] for name in self._unit.measures) * (arrangement >= NO_SIZES)
        return needed - (1 - LEAST_OF_A_FIGURE) * widths[self._unit.told[0]] * breaks

    def arrange(self, arrangement: int) -> None:
        """Show what one of these has, and hide the rest."""
        if arrangement == self._now:
            return
        self._now = arrangement
        table, unit = self._table, self._unit
        was_blocked = table.blockSignals(True)
        for column, name in enumerate(unit.columns):
            if name in unit.measures:
                table.setColumnHidden(column, arrangement >= NO_SIZES)
            if name not in unit.told:
                continue
            table.horizontalHeaderItem(column).setText("P" if arrangement == NO_RANGES else unit.headings()[column][0])
            for index, row in enumerate(self._rows):
                mean, bracket, more = unit.figure(row, name).partition(" (")
                ends = {ONE_LINE: bracket + more, NO_RANGES: ""}
                table.item(index, column).setText(mean + ends.get(arrangement, (bracket + more).replace(" ", "\n", 1)))
        table.blockSignals(was_blocked)
