"""What a person does with the section “Compare”."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import slicer

from PulsarCAMScenarios.looking import assert_in_the_middle, tip_of

MADE = ("gradientMagnitudeVolume", "radialGradientVolume", "agreementTable", "shellTable", "profileTable")
QUANTITIES = 5
SIDE_VIEWS = 4


def write_cohort_agreement(folder: Path) -> None:
    """A folder as ``pulsarcam agreement`` writes it, of one heat map in 3 lesions of 2 patients."""
    from PulsarCAMLib.agreement.folder import FEATURES, KIND, TABLES, AgreementTables
    from PulsarCAMLib.outputs.tables import write_agreement

    about = {"map_method": "gradcam", "map_class": "response"}
    none = {"p_value": None, "p_adjusted": None, "undefined": "no p-value from 2 patient(s)"}
    ends = {"low": 0.1, "high": 0.5}
    summary = [
        about | {"quantity": name, "lesions": 3, "patients": 2, "mean_partial": n / 10} | ends | none
        for n, name in enumerate(("intensity", "border_distance"), start=1)
    ]
    shares = {"lesions": 3, "patients": 2, "volume_share": 0.5, "activation_share": 0.5, "concentration": 1.0} | ends
    places = (("core", 2.0, None), ("margin", 0.0, 2.0), ("shell 1", 0.0, 1.0), ("shell 2", 1.0, 2.0))
    depths = [
        about | {"region": region, "from_mm": begin, "to_mm": end} | shares for region, begin, end in places
    ]  # fmt: skip
    partial = {"beyond": "volume_cm3", "partial": 0.2, "partial_p_value": None, "partial_p_adjusted": None}
    features = [{"feature": "gradient_x", "outcome": "activated_share", "spearman": 0.4} | partial | none]
    options = {"method": "gradcam", "target": "response", "outcome": "activated_share", "time_point": "baseline"}
    facts = {
        "kind": KIND,
        "pulsarcam": "0",
        "model": {"name": "m", "sha256": "0", "synthetic": True, "origin": "a test"},
        "options": options,
        "lesions": 3,
        "patients": 2,
        "files": [f"{name}.csv" for name in (*TABLES, FEATURES)],
    }
    write_agreement(folder, AgreementTables(facts, summary, depths, features=features))
    (folder / "result.json").write_text(json.dumps(facts), encoding="utf-8")


class Comparing:
    """Mixed into ``Scenarios``, whose helpers it uses."""

    def press_compare(self) -> None:
        """Press Compare and wait."""
        button = self.panel.ui.compareMapsButton
        assert button.enabled, tip_of(button)
        button.click()

    def while_it_compares(self, act: Callable[[], None], press: Callable[[], None] | None = None) -> None:
        """Do something once, when the first lesion is compared, or when what ``press`` starts comes to it."""
        section, done = self.panel.apply, []
        original = section.on_progress

        def on_progress(fraction: float, text: str) -> None:
            original(fraction, text)
            if not done:
                done.append(True)
                act()

        section.on_progress = on_progress
        try:
            (press or self.press_compare)()
        finally:
            section.on_progress = original
        assert done

    def agreement(self) -> list[list[str]]:
        """Texts of the table of agreement."""
        table = self.panel.ui.agreementResultsTable
        return [[table.item(r, c).text() for c in range(table.columnCount)] for r in range(table.rowCount)]

    def compared(self, count: int = 2):
        """MRI and segmentation, explained and compared."""
        chosen = self.explained(count)
        self.press_compare()
        return chosen

    def test_compare_waits_for_a_result(self):
        button = self.panel.ui.compareMapsButton
        assert not button.enabled
        assert tip_of(button).startswith("Press Apply first")
        assert tip_of(self.panel.ui.sideBySideButton) == "Press Compare first"
        self.explained()
        assert button.enabled
        self.panel.ui.compareChosenOnlyCheckBox.checked = True
        assert button.enabled

    def test_heat_maps_are_compared_with_what_one_sees_in_the_mri(self):
        volume, _ = self.compared()
        state = self.panel.state
        ui = self.panel.ui
        for name in MADE:
            assert getattr(state, name).GetNodeReference("PulsarCAM.inputVolume") is volume, name
        magnitude, radial = (
            slicer.util.arrayFromVolume(node) for node in (state.gradientMagnitudeVolume, state.radialGradientVolume)
        )
        assert magnitude.shape == radial.shape == slicer.util.arrayFromVolume(volume).shape
        assert magnitude.max() > 0
        assert -1 <= radial.min() < 0 < radial.max() <= 1
        assert len(self.agreement()) == QUANTITIES
        assert "of the activation" in ui.compareLabel.text or "empty" in ui.compareLabel.text
        assert "2 lesions compared" in ui.statusLabel.text
        assert state.profileChart.GetNumberOfPlotSeriesNodes() == 2
        self.assert_ready()

    def test_another_map_is_compared_with_and_its_overlap_is_told(self):
        volume, _ = self.explained(2)
        values = slicer.util.arrayFromVolume(volume)
        other = slicer.util.addVolumeFromArray(values * 1, name="ADC")
        other.CopyOrientation(volume)
        slicer.util.updateVolumeFromArray(other, (values[::-1] * 1.5).astype("float32"))
        ui, state = self.panel.ui, self.panel.state
        ui.compareWithSelector.setCurrentNode(other)
        assert state.compareWithVolume is other
        self.press_compare()
        assert [row[0] for row in self.agreement()][QUANTITIES:] == ["ADC"]
        assert "“ADC”" in ui.compareLabel.text
        assert state.overlapTable.GetNodeReference("PulsarCAM.inputVolume") is volume
        assert state.overlapTable.GetNumberOfRows() > 0
        ui.compareWithSelector.setCurrentNode(volume)
        self.press_compare()
        assert "is the MRI itself" in ui.statusLabel.text
        assert len(self.agreement()) == QUANTITIES + 1
        slicer.mrmlScene.RemoveNode(other)
        ui.compareWithSelector.setCurrentNode(None)
        self.press_compare()
        assert len(self.agreement()) == QUANTITIES
        assert state.overlapTable is None
        assert not slicer.util.getNodes("* overlap table")
        self.assert_ready()

    def test_the_agreement_shown_is_that_of_the_chosen_lesion_and_map(self):
        self.compared(2)
        ui = self.panel.ui
        first = self.agreement()
        ui.methodComboBox.currentIndex = 1
        second = self.agreement()
        assert second != first
        assert "Grad-CAM" in self.panel.state.profileChart.GetTitle()
        ui.methodComboBox.currentIndex = 3
        assert len(self.agreement()) == QUANTITIES, "the signed map has both classes at once"
        ui.methodComboBox.currentIndex = 0
        ui.compareLesionComboBox.currentIndex = 1
        assert self.agreement() != first
        name = ui.compareLesionComboBox.currentText
        assert self.panel.results.chosen_name() == name
        other = [row[0] for row in self.rows()].index("GTV 1" if name == "GTV 2" else "GTV 2")
        self.choose_row(other)
        assert ui.compareLesionComboBox.currentText != name

    def test_only_the_chosen_lesion_is_compared_and_then_all_in_the_same_nodes(self):
        self.explained(3)
        ui = self.panel.ui
        state = self.panel.state
        ui.compareChosenOnlyCheckBox.checked = True
        name = self.choose_row(1)
        self.press_compare()
        assert [ui.compareLesionComboBox.itemText(i) for i in range(ui.compareLesionComboBox.count)] == [name]
        nodes = [getattr(state, parameter) for parameter in MADE]
        ui.compareChosenOnlyCheckBox.checked = False
        self.press_compare()
        assert ui.compareLesionComboBox.count == 3
        assert ui.compareLesionComboBox.currentText == name
        assert [getattr(state, parameter) for parameter in MADE] == nodes

    def test_cancel_while_comparing_leaves_the_scene_as_it_was(self):
        self.explained(3)
        before = slicer.mrmlScene.GetNumberOfNodes()
        ui = self.panel.ui
        locked = []

        def stop() -> None:
            locked.append(not ui.compareCollapsibleButton.enabled)
            ui.applyButton.click()

        self.while_it_compares(stop)
        assert locked == [True]
        assert slicer.mrmlScene.GetNumberOfNodes() == before
        assert self.panel.state.agreementTable is None
        assert "Stopped" in ui.statusLabel.text
        self.press_compare()
        assert len(self.agreement()) == QUANTITIES
        self.assert_ready()

    def test_four_linked_views_side_by_side_and_back(self):
        self.compared()
        ui = self.panel.ui
        manager = slicer.app.layoutManager()
        layout, text = manager.layout, ui.sideBySideButton.text
        lesion = self.choose_row(1)
        ui.sideBySideButton.click()
        assert_in_the_middle("PulsarCAMSide", self.panel.results.place_of(lesion))
        assert manager.layout != layout
        found = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
        shown = [c for c in found if c.GetLayoutName().startswith("PulsarCAMSide")]
        assert len(shown) == SIDE_VIEWS
        assert all(c.GetLinkedControl() for c in shown)
        state = self.panel.state
        assert {c.GetBackgroundVolumeID() for c in shown} == {state.inputVolume.GetID()}
        maps = (state.heatMapVolume, state.gradientMagnitudeVolume, state.radialGradientVolume)
        assert {c.GetForegroundVolumeID() for c in shown} == {None, *(node.GetID() for node in maps)}
        plots = slicer.util.getNodesByClass("vtkMRMLPlotViewNode")
        assert state.profileChart.GetID() in [plot.GetPlotChartNodeID() for plot in plots]
        ui.sideBySideButton.click()
        assert manager.layout == layout
        assert ui.sideBySideButton.text == text

    def test_a_comparison_is_saved_with_the_scene(self):
        self.compared()
        self.panel.ui.compareMarginSliderWidget.value = 3.5
        agreement, words = self.agreement(), self.panel.ui.compareLabel.text
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "scene.mrb")
            assert slicer.util.saveScene(path)
            slicer.mrmlScene.Clear()
            assert self.agreement() == []
            slicer.util.loadScene(path, properties={})
        assert self.agreement() == agreement
        assert self.panel.ui.compareLabel.text == words
        assert self.panel.ui.compareMarginSliderWidget.value == 3.5
        assert self.panel.ui.sideBySideButton.enabled

    def test_what_was_compared_is_exported_with_the_result(self):
        self.compared()
        self.panel.parent.exit()
        self.panel.parent.enter()
        self.panel.ui.exportReportCheckBox.checked = False
        with tempfile.TemporaryDirectory() as folder:
            self.answer(folder=folder)
            self.panel.ui.exportButton.click()
            names = {path.name for path in Path(folder).iterdir()}
        more = ("agreement.csv", "gradient_magnitude.nrrd", "radial_gradient.nrrd", "shells.csv")
        assert names > {f"MRI_{end}" for end in more}

    def test_a_new_result_says_that_the_comparison_is_old(self):
        _, lesions = self.compared()
        lesions.GetSegmentation().RemoveSegment(lesions.GetSegmentation().GetNthSegmentID(1))
        assert not self.panel.ui.compareMapsButton.enabled
        self.press_apply()
        assert "result before" in self.panel.ui.compareLabel.text
        self.press_compare()
        assert "result before" not in self.panel.ui.compareLabel.text
        assert self.panel.ui.compareLesionComboBox.count == 1

    def test_a_deleted_gradient_map_is_made_again(self):
        volume, _ = self.compared()
        state = self.panel.state
        slicer.mrmlScene.RemoveNode(state.radialGradientVolume)
        assert state.radialGradientVolume is None
        assert tip_of(self.panel.ui.sideBySideButton) == "Press Compare first"
        magnitude = state.gradientMagnitudeVolume
        self.press_compare()
        assert state.gradientMagnitudeVolume is magnitude
        assert state.radialGradientVolume is not None
        assert volume.GetScene() is not None

    def test_gradient_maps_lie_under_the_transform_of_the_mri(self):
        _lesions, moved = self.choose_moved()
        self.press_apply()
        self.press_compare()
        for node in (self.panel.state.gradientMagnitudeVolume, self.panel.state.radialGradientVolume):
            assert node.GetTransformNodeID() == moved.GetID()

    def test_what_the_maps_go_with_over_a_cohort_is_opened_as_tables_and_plots(self):
        ui = self.panel.ui
        before = slicer.mrmlScene.GetNumberOfNodes()
        self.answer(folder="")
        ui.openCohortAgreementButton.click()
        assert slicer.mrmlScene.GetNumberOfNodes() == before
        with tempfile.TemporaryDirectory() as folder:
            write_cohort_agreement(Path(folder))
            self.answer(folder=folder)
            ui.openCohortAgreementButton.click()
            name = Path(folder).name
        assert "3 lesions of 2 patients" in ui.statusLabel.text
        tables = [slicer.util.getNode(f"{name} {role} table") for role in ("summary", "depth", "profile", "feature")]
        assert [table.GetNumberOfRows() for table in tables] == [2, 4, 2, 1]
        charts = [slicer.util.getNode(f"{name} {role} chart") for role in ("summary", "profile", "feature")]
        plots = slicer.util.getNodesByClass("vtkMRMLPlotViewNode")
        assert {chart.GetID() for chart in charts} <= {plot.GetPlotChartNodeID() for plot in plots}
        self.assert_ready()

    def test_a_folder_that_is_no_cohorts_agreement_is_one_sentence(self):
        before = slicer.mrmlScene.GetNumberOfNodes()
        with tempfile.TemporaryDirectory() as folder:
            self.answer(folder=folder)
            self.panel.ui.openCohortAgreementButton.click()
        assert "not a folder that pulsarcam agreement wrote" in self.panel.ui.statusLabel.text
        assert slicer.mrmlScene.GetNumberOfNodes() == before
