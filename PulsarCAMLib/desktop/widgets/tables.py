"""The panel's tables: one column takes the room there is, the others what they need; as high as what they hold."""

from __future__ import annotations

from collections.abc import Sequence

import qt


def set_up_table(table, headings: Sequence[str], tips: Sequence[str], narrowest: int, stretched: int = 0):
    """Give a table its headings and their tool tips; one column stretches, none is narrower than so many pixels.

    Returns the horizontal header.
    """
    table.setHorizontalHeaderLabels(list(headings))
    for column, tip in enumerate(tips):
        table.horizontalHeaderItem(column).setToolTip(tip)
    header = table.horizontalHeader()
    for column in range(len(headings)):
        mode = qt.QHeaderView.Stretch if column == stretched else qt.QHeaderView.ResizeToContents
        header.setSectionResizeMode(column, mode)
    header.setMinimumSectionSize(narrowest)
    table.verticalHeader().hide()
    table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
    return header


def fit_height(table, most: int) -> None:
    """Make a table as high as its rows, but at most so many of them; the others are scrolled to."""
    table.resizeRowsToContents()
    rows = sum(table.rowHeight(row) for row in range(min(most, table.rowCount)))
    table.setFixedHeight(table.horizontalHeader().sizeHint.height() + rows + 2 * table.frameWidth)
