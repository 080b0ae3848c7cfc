"""Section: the lesions by risk, the slices of one, and how the overlay looks."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from ..core.errors import PulsarCAMError
from ..scene import views
from ..scene.provenance import INPUT_VOLUME
from ..scene.segments import to_world
from ..scene.state import rows_of
from .section import Section, slot, slot_with_value
from .slice_plot import SlicePoint, draw_slices
from .tables import set_up_table

PLOT_HEIGHT = 130
NARROWEST_COLUMN = 56
NARROWEST_PLOT = 160
COLUMNS = ("lesion", "probability_response", "predicted_class", "volume_cm3")


class Results(Section):
    """Everything about the result reads the table nodes, so it is there again when a scene is opened."""

    def set_up(self) -> None:
        """Prepare the table."""
        self._rows, self._key, self._chosen, self._look = [], (), None, None
        self._sorted_by, self._descending, self._drawn_width = 1, False, 0
        self._outlined: set[str] = set()
        headings = (_("Lesion"), _("P(response)"), _("Predicted"), _("cm³"))
        tips = (
            _("Name of the segment"),
            _("Probability of response: the mean over the ensemble ± its standard deviation"),
            _("The class that the model's threshold gives"),
            _("Volume of the contoured lesion"),
        )
        header = set_up_table(self.ui.resultsTable, headings, tips, NARROWEST_COLUMN)
        header.setSortIndicatorShown(True)
        header.setSectionsClickable(True)
        header.connect("sectionClicked(int)", self.on_heading)
        header.connect("sectionResized(int,int,int)", self.on_resized)
        self.ui.resultsTable.connect("itemSelectionChanged()", self.on_row)

    def refresh(self) -> None:
        """Show the lesion table of the parameter set."""
        node = self.state.lesionTable
        key = (node.GetID(), node.GetTable().GetMTime()) if node is not None and node.GetTable() else None
        if key != self._key:
            self._key, self._rows = key, _known(rows_of(node))
            self._fill()
        self.ui.resultsCollapsibleButton.enabled = bool(self._rows)
        self.ui.resultsCollapsibleButton.toolTip = "" if self._rows else _("There is no result yet: press Apply")
        self.show_look()

    def forget(self) -> None:
        """Another parameter set has another result."""
        self._key, self._chosen, self._look = (), None, None
        self._outlined.clear()

    def show_new(self, result) -> None:
        """A new result: lay its map over the MRI, and choose no lesion yet."""
        self._chosen, self._look = None, None
        self.ui.resultsCollapsibleButton.collapsed = False
        views.show_over(result.volumeNode, self._shown_map(result.heatMapNode, result.spreadNode), self._opacity())
        lesions = result.segmentationNode
        if lesions.GetID() not in self._outlined:  # once: who fills them again wants it so
            self._outlined.add(lesions.GetID())
            views.clear_fill(lesions)
        self.show_look(anew=True)

    def show_look(self, anew: bool = False) -> None:
        """Opacity, colors, legend, and whether mean or spread lies over the MRI.

        Args:
            anew: also where the settings are those shown last, because the map was written anew.
        """
        heat_map, spread = self.state.heatMapVolume, self.state.spreadVolume
        look = (heat_map, spread, self.state.statistic, self._opacity(), self.state.colorMap, self.state.legend)
        if look == self._look and not anew:
            return
        before, self._look = self._look, look
        if before is None and not anew:
            return  # the panel was opened: the views and displays are the user's
        shown = self._shown_map(heat_map, spread)
        volume = shown.GetNodeReference(INPUT_VOLUME) if shown is not None else None
        if before is not None and before[2] != look[2] and volume is not None:
            views.show_over(volume, shown, self._opacity(), instead_of=(heat_map, spread))
        if before is None or before[3] != look[3]:
            views.set_opacity((heat_map, spread), self._opacity())
        for node, is_spread in ((heat_map, False), (spread, True)):
            if anew or before is None or before[4] != look[4]:
                views.set_colors(node, self.state.colorMap.value, is_spread)
            views.set_legend(node, self.state.legend and node is shown, self._legend_title(is_spread))

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
            self.choose(self._rows[row]["lesion"])

    def choose(self, name: str) -> None:
        """Show a lesion in all slice views, and its slices in the plot."""
        self._chosen = name
        place = self.place_of(name)
        if place is not None:
            views.jump_to(place)
        self._show_chosen()
        self.panel.tools.refresh()
        self.panel.compare.on_chosen(name)

    def choose_row_of(self, name: str) -> None:
        """Choose a lesion as if its row were clicked."""
        names = [row["lesion"] for row in self._rows]
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
        found = [row for row in self._rows if row["lesion"] == name]
        return to_world(volume, [found[0][f"centroid_{axis}_mm"] for axis in "ras"]) if found else None

    def _slices(self, name: str) -> list[dict]:
        return [row for row in rows_of(self.state.sliceTable) if row.get("lesion") == name]

    def _fill(self) -> None:
        key = COLUMNS[self._sorted_by]
        self._rows.sort(key=lambda row: (row[key], row["lesion"]), reverse=self._descending)
        table = self.ui.resultsTable
        was_blocked = table.blockSignals(True)
        table.setRowCount(len(self._rows))
        for index, row in enumerate(self._rows):
            for column, text in enumerate(_texts(row)):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(text)
                if column in (1, 3):
                    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
                table.setItem(index, column, item)
        order = qt.Qt.DescendingOrder if self._descending else qt.Qt.AscendingOrder
        table.horizontalHeader().setSortIndicator(self._sorted_by, order)
        names = [row["lesion"] for row in self._rows]
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
        points = [
            SlicePoint(row["mri_slice"], row["probability_response"], row["probability_spread"], bool(row["answers"]))
            for row in (self._slices(self._chosen) if self._chosen else [])
        ]
        self.ui.slicePlotLabel.visible = bool(points)
        self._drawn_width = 0
        if not points:
            self.ui.lesionLabel.text = _("Choose a lesion to see it in the slice views.") if self._rows else ""
            return
        self.ui.lesionLabel.text = _("{lesion}: probability of response in each of its {n} slices").format(
            lesion=self._chosen, n=len(points)
        )
        label = self.ui.slicePlotLabel
        self._drawn_width = self.ui.resultsTable.width
        width = max(NARROWEST_PLOT, self._drawn_width)
        ratio = label.devicePixelRatioF()
        label.setPixmap(draw_slices(points, self._threshold(), (width, PLOT_HEIGHT), label.palette, ratio))

    def _threshold(self) -> float | None:
        name = self.state.lesionTable.GetAttribute("PulsarCAM.modelName")
        try:
            return self.logic.modelCard(name).decision_threshold
        except PulsarCAMError:
            return None

    def _shown_map(self, heat_map, spread):
        return spread if self.state.statistic.value == "std" and spread is not None else heat_map

    def _opacity(self) -> float:
        return self.state.opacity / 100

    def _legend_title(self, spread: bool) -> str:
        method = self.state.method.label().split(",")[0]
        return _("{method}: spread").format(method=method) if spread else method


def _known(rows: list[dict]) -> list[dict]:
    """Rows of a table that PulsarCAM wrote; of any other table none."""
    return [row for row in rows if all(column in row for column in (*COLUMNS, "probability_spread"))]


def _texts(row: dict) -> list[str]:
    probability = f"{row['probability_response']:.2f} ± {row['probability_spread']:.2f}"
    predicted = {"response": _("response"), "non-response": _("non-response")}.get(row["predicted_class"], "")
    return [row["lesion"], probability, predicted, f"{row['volume_cm3']:.2f}"]
