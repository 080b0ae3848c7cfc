"""What sections have in common whose table has rows of lesions: they follow the results, and grow old."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import qt

from .last_answers import LastAnswers
from .section import Section, slot
from .widgets.tables import fit_height


class LesionTable(Section):
    """Reads its rows from the scene, so they are there again when a scene is opened.

    A section says by :meth:`cells`, :meth:`details`, :meth:`asked`, :meth:`old` and :meth:`show` what is its own.
    """

    TABLE, MOST_ROWS = "", 6
    """Name of its table among the controls, and of how many rows it is at most as high."""

    def set_up(self) -> None:
        """Nothing is shown yet."""
        self._rows: list[dict] = []
        self._key, self._lesion, self._answers = None, None, LastAnswers(self.panel)
        self.table = getattr(self.ui, self.TABLE)
        self.table.connect("itemSelectionChanged()", self.on_row)

    def cells(self, row: dict) -> Sequence[str]:
        """Texts of a row."""
        raise NotImplementedError

    def details(self, row: dict) -> str:
        """Tool tip of a row."""
        raise NotImplementedError

    def asked(self) -> Hashable:
        """Changes when what the rows say would."""
        raise NotImplementedError

    def old(self) -> str:
        """What is said of rows that belong to what was asked before."""
        raise NotImplementedError

    def show(self) -> None:
        """Words, table and curves of the chosen lesion."""
        raise NotImplementedError

    def forget_scene(self) -> None:
        """The next scene gives the same IDs to other nodes."""
        self._answers.clear()

    def current(self) -> Any:
        """What was made of the present result, to be exported with it; None where there is nothing, or it is old."""
        last = self._answers.last()
        return last.made if last and not self.stale() else None

    def stale(self) -> str:
        """That the rows are old, or an empty text."""
        if not self._rows or self.panel.resultCache.of(self.state) is None:
            return ""
        if self._answers.is_of_present_result() and self._answers.last().about == self.asked():
            return ""
        return self.old()

    @slot
    def on_row(self) -> None:
        """The person chose a row here: show its lesion everywhere."""
        row = self.table.currentRow()
        if self.state is not None and 0 <= row < len(self._rows):
            self._lesion = self._rows[row]["lesion"]
            self.panel.results.choose_row_of(self._lesion)
            self.show()

    def on_chosen(self, name: str) -> None:
        """The person chose a lesion in the results."""
        if name != self._lesion and any(row["lesion"] == name for row in self._rows):
            self._choose(name)
            self.show()

    def fill(self) -> None:
        """The rows into the table; the lesion that was chosen stays so."""
        was_blocked = self.table.blockSignals(True)
        self.table.setRowCount(len(self._rows))
        for index, row in enumerate(self._rows):
            for column, text in enumerate(self.cells(row)):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(self.details(row))
                if column:
                    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
                self.table.setItem(index, column, item)
        self.table.blockSignals(was_blocked)
        fit_height(self.table, self.MOST_ROWS)
        names = [row["lesion"] for row in self._rows]
        wanted = (self._lesion, self.panel.results.chosen_name(), *names)
        self._choose(next((name for name in wanted if name in names), None))

    def _choose(self, name: str | None) -> None:
        """A lesion's first row; None: none."""
        self._lesion = name
        at = next((n for n, row in enumerate(self._rows) if row["lesion"] == name), None)
        if at is not None:
            was_blocked = self.table.blockSignals(True)
            self.table.setCurrentCell(at, 0)
            self.table.blockSignals(was_blocked)
