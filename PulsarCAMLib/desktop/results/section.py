"""Section: the lesions by risk, each with its answer in words, and the slices of one."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from ...core.errors import PulsarCAMError
from ...core.geometry.slice_place import SlicePlace
from ...core.task import Task
from ...explanation.plain import plain_words
from ...scene.reading.segments import to_world
from ...scene.reading.slices import place_in_scene
from ...scene.showing import views
from ...scene.state import rows_of
from ...scene.writing.provenance import INPUT_VOLUME, PREFIX
from ...systems.registry import system_of
from ..section import Section, slot, slot_with_value
from ..widgets.narrow_table import NarrowTable
from ..widgets.scrolling import scroll_to_top
from ..widgets.tables import fit_height, set_up_table
from .class_plot import ClassBar, ClassLabel
from .marks import SIDE, answer_icon
from .row_words import answer_words, left_out, not_ruled_out, stability
from .slice_plot import SlicePoint, draw_slices
from .unit_columns import (
    ANSWER,
    HIGH,
    LOW,
    PROBABILITY,
    SPREAD,
    UnitColumns,
    answer_of,
    has_range,
    known_rows,
    predicted,
)

PLOT_HEIGHT = 120
NARROWEST_COLUMN = 40
NARROWEST_PLOT = 160
MOST_ROWS = 6
"""Shown at once; more would push plot and buttons away."""

FOLDED = ("inputsCollapsibleButton", "advancedCollapsibleButton", "explanationCollapsibleButton")
"""What makes room for an answer."""


class Results(Section):
    """Everything about the result reads the table nodes, so it is there again when a scene is opened."""

    def set_up(self) -> None:
        """Prepare the table."""
        self._rows, self._unit, self._key, self._chosen = [], UnitColumns(), (), None
        self._sorted_by, self._descending, self._drawn_width = 0, False, 0
        self.narrow = NarrowTable(self.ui.resultsTable)
        table, usual = self.ui.resultsTable, system_of()
        told = tuple(usual.task.probability_column(name) for name in usual.task.told)
        self._head(UnitColumns(usual.task.unit, told, tuple(usual.measures)))
        table.setIconSize(qt.QSize(SIDE, SIDE))
        self._settled = qt.QTimer()
        self._settled.setSingleShot(True)
        self._settled.setInterval(0)
        self._settled.connect("timeout()", self.on_settled)
        header = table.horizontalHeader()
        header.setSortIndicatorShown(True)
        header.setSectionsClickable(True)
        header.connect("sectionClicked(int)", self.on_heading)
        header.connect("sectionResized(int,int,int)", self.on_resized)
        table.connect("itemSelectionChanged()", self.on_row)
        self._classes = ClassLabel()
        layout = self.ui.resultsCollapsibleButton.layout()
        layout.insertWidget(layout.indexOf(self.ui.slicePlotLabel), self._classes)
        self._classes.toolTip = _(
            "Probability of every class: mean over the ensemble; the line reaches one standard deviation to both sides"
        )

    def _head(self, unit: UnitColumns) -> None:
        """Headings in the words of the table's columns."""
        if unit == self._unit:
            return
        self._unit = unit
        self._sorted_by, self._descending = unit.sorted_by, False
        headings, tips = zip(*unit.headings(), strict=True)
        self.ui.resultsTable.setColumnCount(len(headings))
        set_up_table(self.ui.resultsTable, headings, tips, NARROWEST_COLUMN, stretched=1)

    def refresh(self) -> None:
        """Show the lesion table of the parameter set."""
        node = self.state.lesionTable
        key = (node.GetID(), node.GetTable().GetMTime()) if node is not None and node.GetTable() else None
        if key != self._key:
            had, self._key, self._rows = bool(self._rows), key, known_rows(rows_of(node))
            if self._rows:
                self._head(UnitColumns.of(self._rows))
            elif had:  # the scene was closed, or its result deleted: inputs come next, which an answer had folded
                self.ui.inputsCollapsibleButton.collapsed = False
            self._fill()
        self.ui.resultsCollapsibleButton.enabled = bool(self._rows)
        self.ui.resultsCollapsibleButton.toolTip = "" if self._rows else _("There is no result yet: press Apply")

    def forget(self) -> None:
        """Another parameter set has another result."""
        self.leave()

    def leave(self) -> None:
        """Another MRI has another result."""
        self._key, self._chosen = (), None

    def show_new(self) -> None:
        """A new result: what stood above it folds, and all views go to the lesion that matters most.

        Where the chosen lesion was answered for again, it stays the chosen one.
        """
        self.refresh()  # while Apply runs nothing follows the parameter node
        self.ui.resultsCollapsibleButton.collapsed = False
        for name in FOLDED:
            getattr(self.ui, name).collapsed = True
        scroll_to_top(self.ui.resultsCollapsibleButton)
        if self._chosen is not None:
            self.choose(self._chosen, zoom=True)

    @slot_with_value
    def on_heading(self, column: int) -> None:
        """Sort by a column; again: the other way round."""
        self.sort_by(column, not self._descending if column == self._sorted_by else False)

    def sort_by(self, column: int, descending: bool) -> None:
        """Sort the lesions."""
        self._sorted_by, self._descending = column, descending
        self._fill()

    @slot
    def on_resized(self) -> None:
        """The panel became wider or narrower, and one column with it."""
        self._settled.start()  # all columns at once, and after a scroll bar came or went

    @slot
    def on_settled(self) -> None:
        """They have their widths, so rows have their heights."""
        if self.state is None or not self._rows:
            return
        self._fit_table()
        if self._drawn_width != self.ui.resultsTable.width:
            self._show_chosen()

    def clean_up(self) -> None:
        """The panel goes for good."""
        self._settled.stop()

    @slot
    def on_row(self) -> None:
        """The user chose a lesion."""
        row = self.ui.resultsTable.currentRow()
        if 0 <= row < len(self._rows):
            self.choose(self._unit.name(self._rows[row]))

    def chosen_name(self) -> str | None:
        """Name of the chosen lesion."""
        return self._chosen

    def choose(self, name: str, zoom: bool = False) -> None:
        """Show a lesion in all slice views, and its slices in the plot.

        Args:
            name: of the lesion.
            zoom: whether views that show much more than the lesion come closer.
        """
        self._chosen = name
        place = self.place_of(name)
        if place is not None:
            views.jump_to(place)
            views.zoom_to(self._volume_of(name), come_closer=zoom)
        self._show_chosen()
        self.panel.methodViews.refresh()
        self.panel.compare.on_chosen(name)
        self.panel.dose.on_chosen(name)
        self.panel.painting.on_chosen(name)

    def choose_row_of(self, name: str) -> None:
        """Choose a lesion as if its row were clicked."""
        names = self._names()
        if name in names and name != self._chosen:
            self.ui.resultsTable.setCurrentCell(names.index(name), 0)

    def place_of(self, name: str) -> tuple[float, float, float] | None:
        """Centre of the slice that answers for a lesion, RAS millimetres of the scene."""
        volume = self._volume()
        if volume is None:
            return None
        found = [row for row in self._slices(name) if row["answers"]]
        if found:
            return to_world(volume, [found[0][f"centre_{axis}_mm"] for axis in "ras"])
        found = self._rows_of(name)
        return to_world(volume, [found[0][f"centroid_{axis}_mm"] for axis in "ras"]) if found else None

    def answering_place(self, name: str) -> SlicePlace | None:
        """Number and position of the slice that answers for a lesion, as the slice views show it."""
        volume = self._volume()
        found = [row for row in self._slices(name) if row["answers"]]
        if volume is None or not found:
            return None
        (row, *_more) = found  # numbers of tables of earlier versions begin at 0 in the only column that they have
        return place_in_scene(volume, row["mri_slice"] + 1, [row[f"centre_{axis}_mm"] for axis in "ras"])

    def verdict(self) -> str:
        """What the answers of the result that is shown are worth; empty in scenes of earlier versions."""
        table = self.state.lesionTable
        return (table.GetAttribute(f"{PREFIX}modelVerdict") or "") if table is not None else ""

    def whose(self) -> str:
        """Whose rows these are, where another MRI, or none, is chosen; empty where nobody would ask."""
        volume = self._volume() if self._rows else None
        if volume is None or self.state.inputVolume is volume:
            return ""
        return _("(the table below is that of “{mri}”)").format(mri=volume.GetName())

    def _volume(self):
        table = self.state.lesionTable
        return table.GetNodeReference(INPUT_VOLUME) if table is not None else None

    def _names(self) -> list[str]:
        return [self._unit.name(row) for row in self._rows]

    def _rows_of(self, name: str | None) -> list[dict]:
        return [row for row in self._rows if self._unit.name(row) == name]

    def _volume_of(self, name: str) -> float | None:
        """Cubic centimetres; None where the table does not tell."""
        rows = self._rows_of(name)
        return rows[0].get("volume_cm3") if rows else None

    def _slices(self, name: str | None) -> list[dict]:
        return [row for row in rows_of(self.state.sliceTable) if row.get(self._unit.column) == name]

    def _fill(self) -> None:
        self._sorted_by = min(self._sorted_by, len(self._unit.columns) - 1)  # the table before had more
        key, unit = self._unit.columns[self._sorted_by], self._unit
        self._rows.sort(key=lambda row: (unit.value(row, key), unit.name(row)), reverse=self._descending)
        table = self.ui.resultsTable
        was_blocked = table.blockSignals(True)
        table.setRowCount(len(self._rows))
        card = self._card() if self._rows else None
        task = card.system.task if card is not None else None
        for index, row in enumerate(self._rows):
            for column, name in enumerate(unit.columns):
                table.setItem(index, column, self._item(row, name, task))
        order = qt.Qt.DescendingOrder if self._descending else qt.Qt.AscendingOrder
        table.horizontalHeader().setSortIndicator(self._sorted_by, order)
        names = self._names()
        if self._chosen not in names:
            self._chosen = self._matters_most(task)
        if self._chosen is None:
            table.clearSelection()
            table.setCurrentCell(-1, -1)
        else:
            table.setCurrentCell(names.index(self._chosen), 0)
        table.blockSignals(was_blocked)
        self.narrow.measure(self._unit, self._rows)
        self._fit_table()
        self._show_chosen()

    def _fit_table(self) -> None:
        """As high as its rows, with what there is room for."""
        self.ui.resultsTable.visible = bool(self._rows)
        if self._rows:
            self.narrow.fit()
        fit_height(self.ui.resultsTable, MOST_ROWS)

    def _matters_most(self, task: Task | None) -> str | None:
        """The unit that most speaks for the class that is explained; without the model the first row."""
        if not self._rows:
            return None
        column = task.probability_column(task.explained) if task is not None else ""
        if column in self._unit.told:
            return self._unit.name(max(self._rows, key=lambda row: row[column]))
        told = self._unit.told[0]  # of the other one of two classes
        return self._unit.name(min(self._rows, key=lambda row: (row[told], self._unit.name(row))))

    def _item(self, row: dict, column: str, task: Task | None):
        if column == self._unit.column:
            return _with_tip(qt.QTableWidgetItem(self._unit.name(row)), self._unit.name(row))
        if column == ANSWER:
            words = answer_words(row, task)
            item = qt.QTableWidgetItem(words)
            table = self.ui.resultsTable
            item.setIcon(answer_icon(answer_of(row), task, table.palette, table.devicePixelRatioF()))
            return _with_tip(item, self._plain(row) or words, not_ruled_out(row, self._unit.name(row)))
        text = self._unit.figure(row, column)
        item = qt.QTableWidgetItem(text)
        item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
        first = column == self._unit.told[0]  # it also tells how far it moves, and without what
        return _with_tip(item, text, *((self._spread(row, column), stability(row), left_out(row)) if first else ()))

    def _spread(self, row: dict, column: str) -> str:
        spread = self._unit.spread_of(row, column)
        return _("Standard deviation over the ensemble: {spread:.2f}").format(spread=spread) if spread else ""

    def _show_chosen(self) -> None:
        """The plot and the words above it."""
        self._show_classes()
        self.ui.verdictLabel.text = self.verdict()
        self.ui.verdictLabel.visible = bool(self.ui.verdictLabel.text)
        run = self.panel.resultCache.of(self.state) if self._rows else None
        self.ui.warningsLabel.text = "\n".join(run.written.scanResult.warnings if run is not None else ())
        self.ui.warningsLabel.visible = bool(self.ui.warningsLabel.text)
        rows = self._slices(self._chosen) if self._chosen and len(self._unit.told) == 1 else []
        told = self._unit.told[0] if rows else ""
        points = [SlicePoint(row["mri_slice"] + 1, row[told], row[SPREAD], bool(row["answers"])) for row in rows]
        self.ui.slicePlotLabel.visible = bool(points)
        self._drawn_width = self.ui.resultsTable.width
        also = "\n".join(filter(None, (not_ruled_out(row, self._chosen) for row in self._rows_of(self._chosen))))
        if not points:
            self.ui.lesionLabel.text = also or self._chosen or ""
            return
        text = _("{lesion}: probability of {name} in each of its {n} slices.")
        text = text.format(lesion=self._chosen, name=self._unit.class_of(told), n=len(points))
        answering = self.answering_place(self._chosen)
        answers = _("The large dot answers for it: {place}").format(place=answering.words) if answering else ""
        self.ui.lesionLabel.text = "\n".join(filter(None, (also, text, answers)))
        label = self.ui.slicePlotLabel
        width = max(NARROWEST_PLOT, self._drawn_width)
        ratio = label.devicePixelRatioF()
        label.setPixmap(draw_slices(points, self._threshold(), (width, PLOT_HEIGHT), label.palette, ratio))

    def _show_classes(self) -> None:
        """The plot of all classes, for the chosen unit, where there are more than two."""
        shown = self._rows_of(self._chosen)
        if not shown or len(self._unit.told) < 2:
            self._classes.show_bars(())
            return
        row, card = shown[0], self._card()
        colors = {each.name: each.color for each in card.system.task.classes} if card is not None else {}
        names = {column: self._unit.class_of(column) for column in self._unit.told}
        self._classes.show_bars(
            [
                ClassBar(name, row[told], self._unit.spread_of(row, told), colors.get(name, ""), name == predicted(row))
                for told, name in names.items()
            ]
        )

    def _threshold(self) -> float | None:
        card = self._card()
        return card.decision_threshold if card is not None and card.system.task.binary else None

    def _card(self):
        """Of the model whose result is shown; None where it is not installed any more."""
        try:
            return self.logic.modelCard(self.state.lesionTable.GetAttribute("PulsarCAM.modelName"))
        except PulsarCAMError:
            return None

    def _plain(self, row: dict) -> str:
        """One sentence on a row, as console and page say it; empty in tables of earlier versions."""
        if not has_range(row):
            return ""
        column = self._unit.told[0]
        if len(self._unit.told) > 1:
            column = PROBABILITY + row["predicted_class"].replace("-", "_")
        figures = (row[column], row[LOW], row[HIGH])
        return plain_words(self._unit.name(row), row[ANSWER], f"p({self._unit.class_of(column)})", figures)


def _with_tip(item, *told: str):
    item.setToolTip("\n".join(filter(None, told)))
    return item
