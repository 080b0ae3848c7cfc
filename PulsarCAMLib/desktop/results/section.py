"""Section: the lesions by risk, the slices of one, and how the overlay looks."""

from __future__ import annotations

from dataclasses import dataclass

import qt
from slicer.i18n import tr as _

from ...core.errors import PulsarCAMError
from ...core.slice_place import SlicePlace
from ...core.task import LESION, UNITS
from ...explanation.plain import plain_words
from ...scene.reading.segments import to_world
from ...scene.reading.slices import place_in_scene
from ...scene.showing import views
from ...scene.state import rows_of
from ...scene.writing.provenance import INPUT_VOLUME, PREFIX
from ...systems.registry import all_measures, system_of
from ..section import Section, slot, slot_with_value
from ..widgets.tables import set_up_table
from .class_plot import ClassBar, ClassLabel
from .row_words import left_out, not_ruled_out, stability
from .slice_plot import SlicePoint, draw_slices

PLOT_HEIGHT = 130
NARROWEST_COLUMN = 56
NARROWEST_PLOT = 160
PROBABILITY, SPREAD, SPREAD_OF = "probability_", "probability_spread", "spread_"
PLAIN = ("answer", "answer_low", "answer_high")
COLUMNS = ("predicted_class", SPREAD)
"""Of every table of units, behind the unit's own name."""


@dataclass(frozen=True)
class _Unit:
    """How a table names things, from its columns: they are there again when a scene is opened, the model perhaps not.

    Attributes:
        column: of the unit's name, "lesion" or "patient".
        told: columns of probabilities.
        measures: columns that say how large it is.
    """

    column: str = "lesion"
    told: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()

    @classmethod
    def of(cls, rows: list[dict]) -> _Unit:
        names = list(rows[0]) if rows else []
        told = tuple(name for name in names if name.startswith(PROBABILITY) and name != SPREAD)
        return cls(names[0], told, tuple(name for name in all_measures() if name in names)) if names else cls()

    @property
    def columns(self) -> tuple[str, ...]:
        """Shown, in order."""
        return (self.column, *self.told, "predicted_class", *self.measures)

    def class_of(self, column: str) -> str:
        """Name of the class whose probability a column holds."""
        return column.removeprefix(PROBABILITY).replace("_", "-")

    def spread_of(self, row: dict, column: str) -> float | None:
        """Spread of a probability; None in tables that were written before each class had its own."""
        own = SPREAD if len(self.told) == 1 else SPREAD_OF + column.removeprefix(PROBABILITY)
        return row.get(own)


class Results(Section):
    """Everything about the result reads the table nodes, so it is there again when a scene is opened."""

    def set_up(self) -> None:
        """Prepare the table."""
        self._rows, self._unit, self._key, self._chosen, self._look = [], _Unit(), (), None, None
        self._sorted_by, self._descending, self._drawn_width = 1, False, 0
        self._outlined: set[str] = set()
        usual = system_of()
        told = tuple(usual.task.probability_column(name) for name in usual.task.told)
        self._head(_Unit(usual.task.unit, told, tuple(usual.measures)))
        header = self.ui.resultsTable.horizontalHeader()
        header.setSortIndicatorShown(True)
        header.setSectionsClickable(True)
        header.connect("sectionClicked(int)", self.on_heading)
        header.connect("sectionResized(int,int,int)", self.on_resized)
        self.ui.resultsTable.connect("itemSelectionChanged()", self.on_row)
        self._classes = ClassLabel()
        layout = self.ui.resultsCollapsibleButton.layout()
        layout.insertWidget(layout.indexOf(self.ui.slicePlotLabel), self._classes)
        self._classes.toolTip = _(
            "Probability of every class: mean over the ensemble; the line reaches one standard deviation to both sides"
        )

    def _head(self, unit: _Unit) -> None:
        """Headings in the words of the table's columns."""
        if unit == self._unit:
            return
        self._unit = unit
        self._sorted_by, self._descending = 1, False
        names = [unit.class_of(column) for column in unit.told]
        lesions = unit.column == LESION
        tip = _("Probability of {name}: the mean over the ensemble ± its standard deviation")
        sizes = [all_measures()[column].removeprefix("Volume ") for column in unit.measures]
        headings = (unit.column.capitalize(), *(f"P({name})" for name in names), _("Predicted"), *sizes)
        tips = (
            _("Name of the segment") if lesions else _("Whose answer it is"),
            *(tip.format(name=name) for name in names),
            _("The class that the model's threshold gives") if len(names) == 1 else _("The likeliest class"),
            *(_("Volume of the contoured lesion") if lesions else _("Measured on the outline") for _size in sizes),
        )
        self.ui.resultsTable.setColumnCount(len(headings))
        set_up_table(self.ui.resultsTable, headings, tips, NARROWEST_COLUMN)

    def refresh(self) -> None:
        """Show the lesion table of the parameter set."""
        node = self.state.lesionTable
        key = (node.GetID(), node.GetTable().GetMTime()) if node is not None and node.GetTable() else None
        if key != self._key:
            self._key, self._rows = key, _known(rows_of(node))
            if self._rows:
                self._head(_Unit.of(self._rows))
            self._fill()
        self.ui.resultsCollapsibleButton.enabled = bool(self._rows)
        self.ui.resultsCollapsibleButton.toolTip = "" if self._rows else _("There is no result yet: press Apply")
        self.show_look()

    def forget(self) -> None:
        """Another parameter set has another result."""
        self.leave()
        self._outlined.clear()

    def leave(self) -> None:
        """Another MRI has another result."""
        self._key, self._chosen, self._look = (), None, None

    def show_new(self, result) -> None:
        """A new result: lay its map over the MRI, and choose no lesion yet."""
        self._chosen, self._look = None, None
        self.ui.resultsCollapsibleButton.collapsed = False
        shown = self._shown_map(result.heatMapNode, result.spreadNode)
        views.show_over(shown.GetNodeReference(INPUT_VOLUME) or result.volumeNode, shown, self._opacity())
        lesions = result.segmentationNode
        if lesions is not None and lesions.GetID() not in self._outlined:  # once: who fills them again wants it so
            self._outlined.add(lesions.GetID())
            views.clear_fill(lesions)
        self.show_look(anew=True)

    def show_look(self, anew: bool = False) -> None:
        """Opacity, colors, legend, and whether mean or spread lies over the MRI.

        Args:
            anew: also where the settings are those shown last, because the map was written anew.
        """
        heat_map, spread = self.state.heatMapVolume, self.state.spreadVolume
        shown = self._shown_map(heat_map, spread)
        volume = shown.GetNodeReference(INPUT_VOLUME) if shown is not None else None
        look = (heat_map, spread, self.state.statistic, self._opacity(), self.state.colorMap, self.state.legend, volume)
        if look == self._look and not anew:
            return
        before, self._look = self._look, look
        if before is None and not anew:
            return  # the panel was opened: the views and displays are the user's
        if before is not None and (before[2], before[6]) != (look[2], volume) and volume is not None:
            views.show_over(volume, shown, self._opacity(), instead_of=(heat_map, spread))
        if before is None or before[3] != look[3]:
            views.set_opacity((heat_map, spread), self._opacity())
        for node, is_spread in ((heat_map, False), (spread, True)):
            if anew or before is None or before[4] != look[4]:
                views.set_colors(node, self.state.colorMap.value, is_spread)
            views.set_legend(node, self.state.legend and node is shown, self._legend_title(is_spread))

    def shown_map(self):
        """The map that lies over the images now: mean or spread; None where there is none."""
        return self._shown_map(self.state.heatMapVolume, self.state.spreadVolume)

    def chosen_name(self) -> str | None:
        """Name of the chosen lesion."""
        return self._chosen

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
        """The panel became wider or narrower, and the first column with it."""
        if self.state is not None and self._drawn_width not in (0, self.ui.resultsTable.width):
            self._show_chosen()

    @slot
    def on_row(self) -> None:
        """The user chose a lesion."""
        row = self.ui.resultsTable.currentRow()
        if 0 <= row < len(self._rows):
            self.choose(self._name(self._rows[row]))

    def choose(self, name: str) -> None:
        """Show a lesion in all slice views, and its slices in the plot."""
        self._chosen = name
        place = self.place_of(name)
        if place is not None:
            views.jump_to(place)
        self._show_chosen()
        self.panel.methodViews.refresh()
        self.panel.compare.on_chosen(name)

    def choose_row_of(self, name: str) -> None:
        """Choose a lesion as if its row were clicked."""
        names = [self._name(row) for row in self._rows]
        if name in names and name != self._chosen:
            self.ui.resultsTable.setCurrentCell(names.index(name), 0)

    def place_of(self, name: str) -> tuple[float, float, float] | None:
        """Centre of the slice that answers for a lesion, RAS millimetres of the scene."""
        table = self.state.lesionTable
        volume = table.GetNodeReference(INPUT_VOLUME) if table is not None else None
        if volume is None:
            return None
        found = [row for row in self._slices(name) if row["answers"]]
        if found:
            return to_world(volume, [found[0][f"centre_{axis}_mm"] for axis in "ras"])
        found = [row for row in self._rows if self._name(row) == name]
        return to_world(volume, [found[0][f"centroid_{axis}_mm"] for axis in "ras"]) if found else None

    def answering_place(self, name: str) -> SlicePlace | None:
        """Number and position of the slice that answers for a lesion, as the slice views show it."""
        table = self.state.lesionTable
        volume = table.GetNodeReference(INPUT_VOLUME) if table is not None else None
        found = [row for row in self._slices(name) if row["answers"]]
        if volume is None or not found:
            return None
        (row, *_more) = found  # numbers of tables of earlier versions begin at 0 in the only column that they have
        return place_in_scene(volume, row["mri_slice"] + 1, [row[f"centre_{axis}_mm"] for axis in "ras"])

    def _slices(self, name: str) -> list[dict]:
        return [row for row in rows_of(self.state.sliceTable) if row.get(self._unit.column) == name]

    def _fill(self) -> None:
        if self._sorted_by >= len(self._unit.columns):  # the table before had more
            self._sorted_by = 0
        key = self._unit.columns[self._sorted_by]
        self._rows.sort(key=lambda row: (row[key], self._name(row)), reverse=self._descending)
        table = self.ui.resultsTable
        was_blocked = table.blockSignals(True)
        table.setRowCount(len(self._rows))
        for index, row in enumerate(self._rows):
            for column, text in enumerate(self._texts(row)):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(self._tip(row, column, text))
                if self._unit.columns[column] not in (self._unit.column, "predicted_class"):
                    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
                table.setItem(index, column, item)
        order = qt.Qt.DescendingOrder if self._descending else qt.Qt.AscendingOrder
        table.horizontalHeader().setSortIndicator(self._sorted_by, order)
        names = [self._name(row) for row in self._rows]
        if self._chosen in names:
            table.setCurrentCell(names.index(self._chosen), 0)
        else:
            self._chosen = None
            table.clearSelection()
            table.setCurrentCell(-1, -1)
        table.blockSignals(was_blocked)
        self._show_chosen()

    def _show_chosen(self) -> None:
        """The plot and the words above it."""
        self._show_classes()
        rows = self._slices(self._chosen) if self._chosen and len(self._unit.told) == 1 else []
        told = self._unit.told[0] if rows else ""
        points = [SlicePoint(row["mri_slice"] + 1, row[told], row[SPREAD], bool(row["answers"])) for row in rows]
        self.ui.slicePlotLabel.visible = bool(points)
        self._drawn_width = 0
        if not points:
            choose = _("Choose a {unit} to see it in the slice views.").format(unit=self._unit.column)
            told = "\n".join(filter(None, (self._verdict(), self._told() or self._chosen or choose)))
            self.ui.lesionLabel.text = told if self._rows else ""
            return
        text = _("{lesion}: probability of {name} in each of its {n} slices")
        text = text.format(lesion=self._chosen, name=self._unit.class_of(told), n=len(points))
        answering = self.answering_place(self._chosen)
        answers = _("The one that answers: {place}").format(place=answering.words) if answering is not None else ""
        self.ui.lesionLabel.text = "\n".join(filter(None, (self._verdict(), self._told(), text, answers)))
        label = self.ui.slicePlotLabel
        self._drawn_width = self.ui.resultsTable.width
        width = max(NARROWEST_PLOT, self._drawn_width)
        ratio = label.devicePixelRatioF()
        label.setPixmap(draw_slices(points, self._threshold(), (width, PLOT_HEIGHT), label.palette, ratio))

    def _show_classes(self) -> None:
        """The plot of all classes, for the chosen unit or the only one, where there are more than two."""
        shown = [row for row in self._rows if self._name(row) == self._chosen or len(self._rows) == 1]
        if not shown or len(self._unit.told) < 2:
            self._classes.show_bars(())
            return
        row, card = shown[0], self._card()
        colors = {each.name: each.color for each in card.system.task.classes} if card is not None else {}
        names = {column: self._unit.class_of(column) for column in self._unit.told}
        self._classes.show_bars(
            [
                ClassBar(name, row[told], self._unit.spread_of(row, told), colors.get(name, ""), name == _answer(row))
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

    def _shown_map(self, heat_map, spread):
        return spread if self.state.statistic.value == "std" and spread is not None else heat_map

    def _opacity(self) -> float:
        return self.state.opacity / 100

    def _legend_title(self, spread: bool) -> str:
        method = self.panel.displaySection.method().label.split(",")[0]
        told = _("{method}: spread").format(method=method) if spread else method
        heat_map = self.state.heatMapVolume
        unit = heat_map.GetAttribute(f"{PREFIX}units") if heat_map is not None else ""
        return f"{told}\n({unit})" if unit else told

    def _name(self, row: dict) -> str:
        return row[self._unit.column]

    def _tip(self, row: dict, column: int, text: str) -> str:
        """Of a cell: the verdict first; that of the first probability also tells how far it moves, and without what."""
        told = (self._plain(row), stability(row), left_out(row)) if column == 1 else ()
        told = (not_ruled_out(row),) if self._unit.columns[column] == "predicted_class" else told
        return "\n".join(filter(None, (self._verdict(), text, *told)))

    def _plain(self, row: dict) -> str:
        """One sentence on a row; empty in tables of earlier versions."""
        if any(row.get(name) is None for name in PLAIN):
            return ""
        column = self._unit.told[0]
        if len(self._unit.told) > 1:
            column = PROBABILITY + row["predicted_class"].replace("-", "_")
        figures = (row[column], row["answer_low"], row["answer_high"])
        return plain_words(self._name(row), row["answer"], f"p({self._unit.class_of(column)})", figures)

    def _told(self) -> str:
        """The sentence on the chosen unit."""
        rows = [row for row in self._rows if self._name(row) == self._chosen]
        return "\n".join(filter(None, (self._plain(rows[0]), not_ruled_out(rows[0])))) if rows else ""

    def _verdict(self) -> str:
        """What the answers of the result that is shown are worth; empty in scenes of earlier versions."""
        return (self.state.lesionTable and self.state.lesionTable.GetAttribute(f"{PREFIX}modelVerdict")) or ""

    def _texts(self, row: dict) -> list[str]:
        probabilities = []
        for column in self._unit.told:
            spread = self._unit.spread_of(row, column)
            probabilities.append(f"{row[column]:.2f}" + (f" ± {spread:.2f}" if spread is not None else ""))
        sizes = [f"{row[column]:.2f}" for column in self._unit.measures]
        return [self._name(row), *probabilities, row["predicted_class"], *sizes]


def _answer(row: dict) -> str:
    """The predicted class, written as columns write classes."""
    return row["predicted_class"].replace("_", "-")


def _known(rows: list[dict]) -> list[dict]:
    """Rows of a table that PulsarCAM wrote; of any other table none."""
    own = [row for row in rows if next(iter(row)) in UNITS and all(column in row for column in COLUMNS)]
    return own if _Unit.of(own).told else []
