"""Section: how the heat maps agree with what one sees in the MRI, and where in the lesion they lie."""

from __future__ import annotations

from dataclasses import replace

import qt
import slicer
from slicer.i18n import tr as _

from ...core.errors import Cancelled
from ...core.pluralize import pluralize
from ...core.task import BOTH, PREDICTED
from ...scene.showing import side_by_side, views
from ...scene.showing.way_back import WayBack
from ...scene.state import rows_of
from ..last_answers import LastAnswers
from ..section import Section, set_enabled, slot
from ..widgets.tables import fit_height, set_up_table
from ..wording import words_of
from .depth_plot import Shell, ShellLabel
from .logic import PulsarCAMComparison
from .narrative import (
    details_text,
    is_known,
    number_text,
    overlap_text,
    p_text,
    quantity_labels,
    resolution_text,
    where_text,
)
from .parameters import COMPARE_OUTPUTS

NARROWEST_COLUMN = 46
MOST_ROWS = 12


class Compare(Section):
    """Reads its tables from the scene, so they are there again when a scene is opened."""

    def set_up(self) -> None:
        """Prepare table and plot, connect the buttons."""
        self._rows, self._shells, self._overlaps, self._key, self._lesion = [], [], [], None, None
        self.ui.compareWithSelector.setMRMLScene(slicer.mrmlScene)
        self.panel.ownOutputs.add_selector(self.ui.compareWithSelector)
        self._answers, self._way_back = LastAnswers(self.panel), WayBack(side_by_side.LAYOUT)
        headings = (_("Heat map and"), _("ρ"), _("partial"), _("p"))
        tips = (
            "",
            _("Spearman's rank correlation with the heat map, -1 to 1"),
            _(
                "Partial correlation: what is left when that is taken out which any map of this resolution shows by "
                "interpolation alone (a map with the same value in every cell)"
            ),
            _("p-value of the partial correlation; it knows that neighbours are alike, and how many numbers there are"),
        )
        set_up_table(self.ui.agreementResultsTable, headings, tips, NARROWEST_COLUMN)
        self.plot = ShellLabel()
        self.ui.shellPlotWidget.layout().addWidget(self.plot)
        self.ui.compareMapsButton.connect("clicked(bool)", self.on_compare)
        self.ui.sideBySideButton.connect("clicked(bool)", self.on_side_by_side)
        self.ui.compareLesionComboBox.connect("currentIndexChanged(int)", self.on_lesion)
        self.ui.openCohortAgreementButton.connect("clicked(bool)", self.on_open_cohort_agreement)
        self._name_places()

    @property
    def _unit(self) -> str:
        """Whose answers the chosen model gives: lesion, patient."""
        return self.panel.models.system().task.unit

    @property
    def is_side_by_side(self) -> bool:
        """Whether the views are those of this comparison."""
        return self._way_back.is_open

    def forget(self) -> None:
        """Another parameter set has another comparison."""
        self._key = None

    def leave(self) -> None:
        """The views of another patient's comparison go."""
        self._way_back.go()
        self.forget()

    def refresh(self) -> None:
        """Show the tables of the parameter set, for the heat map that is shown."""
        nodes = (self.state.agreementTable, self.state.shellTable, self.state.overlapTable)
        key = tuple((n.GetID(), n.GetTable().GetMTime()) for n in nodes if n is not None and n.GetTable())
        if key != self._key:
            self._key = key
            self._rows = [r for r in rows_of(nodes[0]) if "partial_p_adjusted" in r and "undefined" in r]
            self._shells = [r for r in rows_of(nodes[1]) if "activation_share" in r and "volume_share" in r]
            self._overlaps = [r for r in rows_of(nodes[2]) if "dice_by_chance" in r and "other_map" in r]
            self._fill_lesions()
        self._name_places()
        self._show()
        self._plot_anew()
        self._enable()

    def _name_places(self) -> None:
        """Say where, in the words of the chosen model's task."""
        words = words_of(self.panel.models.system())
        seen = _("What one sees in the MRI, voxel by voxel inside {region}").format(**words)
        self.ui.agreementResultsTable.horizontalHeaderItem(0).setToolTip(seen)
        share = _("Share of the activation in shells under {surface}, beside that of the volume")
        self.plot.toolTip = share.format(**words)

    def _enable(self) -> None:
        chosen = self.panel.results.chosen_name() or not self.state.compareChosenOnly
        none = _("Choose a {unit} in the table of results first").format(unit=self._unit)
        reason = self.panel.whyNoResult() or ("" if chosen else none)
        tip = _("Compute gradient maps, and compare the heat maps of all methods with what one sees in the MRI")
        set_enabled(self.ui.compareMapsButton, reason, tip)
        self._refresh_views_button()

    def _refresh_views_button(self) -> None:
        if self.is_side_by_side:
            self.ui.sideBySideButton.text = _("Earlier views")
            set_enabled(self.ui.sideBySideButton, "", _("Go back to the views as they were before"))
            return
        self.ui.sideBySideButton.text = _("Gradients side by side")
        tip = _("Show MRI, heat map, gradient magnitude and radial gradient in linked slice views, above the shells")
        missing = "" if self._volume() is not None else _("Press Compare first")
        no_views = "" if views.current_layout() is not None else _("There are no slice views to compare in")
        set_enabled(self.ui.sideBySideButton, missing or no_views, tip)

    def _volume(self):
        """The MRI that the gradient maps were made from."""
        nodes = (self.state.gradientMagnitudeVolume, self.state.radialGradientVolume)
        return None if None in nodes else nodes[0].GetNodeReference("PulsarCAM.inputVolume")

    @slot
    def on_compare(self) -> None:
        """Compare, and show what was found."""
        if self.panel.isRunning or self.panel.whyNoResult():
            return
        with self.panel.running():
            self._compare()

    def _compare(self) -> None:
        state, result = self.state, self.panel.result()
        chosen = self.panel.results.chosen_name()
        try:
            made = self.logic.compareMaps(
                result,
                lesions=[chosen] if state.compareChosenOnly and chosen else None,
                sigma=state.gradientSigma,
                margin=state.compareMargin,
                shellThickness=state.shellThickness,
                otherMaps=[state.compareWithVolume] if state.compareWithVolume else [],
                threshold=state.threshold / 100,
                method=self.panel.settings().method,
                target=self.panel.settings().target,
                **{name: getattr(state, parameter) for parameter, name in COMPARE_OUTPUTS.items()},
                progress=self.panel.apply.on_progress,
                cancelled=lambda: self.panel.cancelRequested,
            )
        except Cancelled:
            self.panel.say(_("Stopped; the scene is as it was."))
            return
        for parameter, name in COMPARE_OUTPUTS.items():
            setattr(state, parameter, getattr(made, name))
        self.panel.resultSets.keep()
        self._answers.keep(made, self._map())  # the heat map whose shells are plotted
        units = pluralize(len(made.mapComparison.lesions), result.scanResult.task.unit)
        self.panel.say(_("{units} compared.").format(units=units))

    @slot
    def on_side_by_side(self) -> None:
        """Show the maps side by side, or go back."""
        if not self._way_back.go():
            before = views.current_layout()
            side_by_side.show_side_by_side(
                self._volume(), self.state.heatMapVolume, self.logic._comparisonNodes(self._nodes()),
                self.state.opacity / 100,
            )  # fmt: skip
            self._way_back.remember(before)
            place = self.panel.results.place_of(self._lesion) if self._lesion else None
            if place is not None:
                views.jump_to(place, new_views=True)
        self._refresh_views_button()
        self.panel.methodViews.refresh()

    @slot
    def on_open_cohort_agreement(self) -> None:
        """Ask for a folder, and show what the heat maps go with over its cohort."""
        folder = self.panel.dialogs.folder(_("Folder that “pulsarcam agreement” wrote"))
        if not folder:
            return
        made = self.logic.loadCohortAgreement(folder)
        if views.current_layout() is not None:
            self.logic.showCohortAgreement(made)
        text = _("{lesions} lesions of {patients} patients: tables and plots are in the scene.")
        facts = made.tables.facts
        self.panel.say(text.format(lesions=facts["lesions"], patients=facts["patients"]))
        self._refresh_views_button()

    def _nodes(self) -> PulsarCAMComparison:
        """The comparison in the nodes of the parameter set."""
        nodes = {name: getattr(self.state, parameter) for parameter, name in COMPARE_OUTPUTS.items()}
        last = self._answers.last()
        return replace(last.made if last else PulsarCAMComparison(), **nodes)

    @slot
    def on_lesion(self) -> None:
        """The person chose a lesion here: show it everywhere."""
        self._lesion = self.ui.compareLesionComboBox.currentText or None
        if self._lesion and self.state is not None:
            self.panel.results.choose_row_of(self._lesion)
            self._show()

    def on_chosen(self, name: str) -> None:
        """The person chose a lesion in the results."""
        self._enable()
        box = self.ui.compareLesionComboBox
        index = box.findText(name)
        if index >= 0 and name != self._lesion:
            was_blocked = box.blockSignals(True)
            box.setCurrentIndex(index)
            box.blockSignals(was_blocked)
            self._lesion = name
            self._show()

    def _fill_lesions(self) -> None:
        names = list(dict.fromkeys(row["lesion"] for row in self._rows))
        box = self.ui.compareLesionComboBox
        was_blocked = box.blockSignals(True)
        box.clear()
        box.addItems(names)
        wanted = next((n for n in (self.panel.results.chosen_name(), self._lesion) if n in names), None)
        self._lesion = wanted or (names[0] if names else None)
        if self._lesion:
            box.setCurrentIndex(names.index(self._lesion))
        box.blockSignals(was_blocked)

    def _shown(self, rows: list[dict]) -> list[dict]:
        """Rows of the chosen lesion and the heat map that is shown."""
        method, target = self._map()
        mine = [row for row in rows if row["lesion"] == self._lesion and row["map_method"] == method]
        if any(row["map_class"] == BOTH for row in mine):
            return mine
        if target == PREDICTED:
            answers = {next(iter(r.values())): r["predicted_class"] for r in rows_of(self.state.lesionTable)}
            target = answers.get(self._lesion)
        return [row for row in mine if row["map_class"] == target]

    def _map(self) -> tuple[str, str]:
        """Method and class of the heat map that is shown."""
        settings = self.panel.settings()
        return settings.method, settings.target

    def _show(self) -> None:
        for name in ("compareLesionComboBoxLabel", "compareLesionComboBox", "agreementResultsTable"):
            getattr(self.ui, name).visible = bool(self._rows)
        rows, shells = self._shown(self._rows), self._shown(self._shells)
        self._fill_table(rows)
        overlaps = [overlap_text(row) for row in self._shown(self._overlaps)]
        said = (self._stale(), where_text(shells, self._unit), *overlaps, resolution_text(rows, self._unit))
        self.ui.compareLabel.text = "\n".join(filter(None, said)) or _(
            "Compare shows how the heat map goes with gradient, intensity, entropy and depth in each {unit}."
        ).format(unit=self._unit)
        self.plot.show_shells(
            [
                Shell(row["from_mm"], row["to_mm"], row["activation_share"], row["volume_share"])
                for row in shells
                if row["region"].startswith("shell") and is_known(row["activation_share"])
            ]
        )

    def _fill_table(self, rows: list[dict]) -> None:
        table, labels = self.ui.agreementResultsTable, quantity_labels()
        table.setRowCount(len(rows))
        for index, row in enumerate(rows):
            name = labels.get(row["quantity"], row["quantity"])
            for column, text in enumerate((name, *(number_text(row[k]) for k in ("spearman", "partial")), p_text(row))):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(details_text(row))
                if column:
                    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
                table.setItem(index, column, item)
        fit_height(table, MOST_ROWS)

    def forget_scene(self) -> None:
        """The next scene gives the same IDs to other nodes."""
        self._answers.clear()

    def current(self) -> PulsarCAMComparison | None:
        """The comparison of the present result, to be exported with it."""
        last = self._answers.last()
        return last.made if last and not self._stale() else None

    def _stale(self) -> str:
        if self._answers.last() is None or self._answers.is_of_present_result():
            return ""
        return _("These numbers belong to the result before: press Compare.")

    def _plot_anew(self) -> None:
        """The plot in the scene shows the shells of the heat map that is shown."""
        shown = self._map()
        last = self._answers.last()
        if last is None or last.about == shown or self.state.profileTable is None:
            return
        last.about = shown  # first: an error is told once
        try:
            self.logic.updateComparison(self._nodes(), *shown)
        except Exception as error:
            self.panel.showError(error)
