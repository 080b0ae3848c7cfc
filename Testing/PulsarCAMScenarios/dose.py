"""What a person does with the section “Dose”."""

from __future__ import annotations

import numpy as np
import slicer

from PulsarCAMScenarios.looking import tip_of

TOLD = ("doseTable", "doseContrastTable", "doseCurveTable", "doseCurveChart")


def make_dose(volume, name: str = "dose", gray: float = 10.03, per_voxel: float = 0.1, marked: bool = True):
    """A dose on the MRI's grid that grows from left to right, as SlicerRT loads it."""
    shape = slicer.util.arrayFromVolume(volume).shape
    values = np.broadcast_to(gray + per_voxel * np.arange(shape[2], dtype=np.float32), shape)
    matrix = slicer.util.arrayFromVTKMatrix(matrix_of(volume))
    node = slicer.util.addVolumeFromArray(values.copy(), ijkToRAS=matrix, name=name)
    if marked:
        node.SetAttribute("DicomRtImport.DoseVolume", "1")
    return node


def matrix_of(node):
    """IJK to RAS, as a VTK matrix."""
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return matrix


class TellingDose:
    """Mixed into ``Scenarios``, whose helpers it uses."""

    def tell_dose(self) -> None:
        """Press the button and wait."""
        button = self.panel.ui.tellDoseButton
        assert button.enabled, tip_of(button)
        button.click()

    def doses(self) -> list[list[str]]:
        """Texts of the table of doses."""
        table = self.panel.ui.doseResultsTable
        return [[table.item(r, c).text().strip() for c in range(table.columnCount)] for r in range(table.rowCount)]

    def explained_with_dose(self, count: int = 2, **about):
        """MRI and dose, explained; the only dose of the scene is chosen by itself."""
        volume, _ = self.explained(count)
        dose = make_dose(volume, **about)
        slicer.app.processEvents()
        return volume, dose

    def test_the_dose_waits_for_a_result_and_the_only_one_is_chosen(self):
        ui = self.panel.ui
        assert ui.doseCollapsibleButton.collapsed
        assert tip_of(ui.tellDoseButton).startswith("Press Apply first")
        volume, _ = self.explained(1)
        assert tip_of(ui.tellDoseButton) == "Choose the planned dose first"
        plain = make_dose(volume, "ADC", marked=False)
        slicer.app.processEvents()
        assert self.panel.state.doseVolume is None, "what is no dose by its own words is nobody's guess"
        dose = make_dose(volume)
        slicer.app.processEvents()
        assert self.panel.state.doseVolume is dose
        assert ui.tellDoseButton.enabled
        ui.doseSelector.setCurrentNode(volume)
        assert tip_of(ui.tellDoseButton) == "“MRI” is the MRI itself: choose the planned dose"
        ui.doseSelector.setCurrentNode(plain)
        assert ui.tellDoseButton.enabled
        ui.doseQuantityComboBox.currentIndex = 1
        assert "fractions" in tip_of(ui.tellDoseButton)
        ui.doseFractionsSpinBox.value = 5
        assert ui.tellDoseButton.enabled
        ui.doseSelector2.setCurrentNode(plain)
        assert tip_of(ui.tellDoseButton) == "“ADC” is chosen twice: each dose counts once"

    def test_what_lesions_and_their_activated_parts_get_is_told(self):
        from PulsarCAMLib.scene.state import rows_of

        volume, _ = self.explained_with_dose()
        self.tell_dose()
        state, ui = self.panel.state, self.panel.ui
        for name in TOLD:
            assert getattr(state, name).GetNodeReference("PulsarCAM.inputVolume") is volume, name
        assert self.folder_of(state.doseTable) == self.folder_of(state.lesionTable)
        assert [row[0] for row in self.doses()] == ["GTV 1", "activated", "rest", "GTV 2", "activated", "rest"]
        means = {row["lesion"]: row["mean_gy"] for row in rows_of(state.doseTable) if row["region"] == "lesion"}
        assert np.allclose([means["GTV 1"], means["GTV 2"]], [10.58, 11.73], atol=0.01), means  # at the boxes' middles
        assert self.doses()[3][1] == "11.7"
        said = ui.doseLabel.text.splitlines()
        assert len(said) == 2
        assert all("GTV" in line and "Gy" in line for line in said), said
        assert "Dose of 2 lesions told" in ui.statusLabel.text
        assert self.panel.dose.plot.curves[0].percent[0] == 100
        self.assert_ready()
        ui.doseResultsTable.setCurrentCell(4, 0)
        assert self.panel.results.chosen_name() == "GTV 2"
        assert self.panel.dose.plot.curves[0].name == "GTV 2"

    def test_doses_are_added_and_changed_wishes_make_them_old(self):
        volume, _ = self.explained_with_dose(1)
        self.tell_dose()
        ui, state = self.panel.ui, self.panel.state
        first = float(self.doses()[0][1])
        assert "chosen before" not in ui.doseLabel.text
        state.doseVolume2 = make_dose(volume, "second pulse")
        assert "chosen before" in ui.doseLabel.text
        nodes = slicer.mrmlScene.GetNumberOfNodes()
        self.tell_dose()
        assert slicer.mrmlScene.GetNumberOfNodes() == nodes
        assert float(self.doses()[0][1]) == round(2 * 10.58, 1) > first
        assert "2 doses are added up" in ui.doseNotesLabel.text
        ui.thresholdSliderWidget.value = 30
        assert "chosen before" in ui.doseLabel.text
        slicer.mrmlScene.RemoveNode(state.doseVolume2)
        assert state.doseVolume2 is None

    def test_a_cancel_and_a_deleted_mri_change_nothing_of_the_dose(self):
        volume, _ = self.explained_with_dose()
        before = slicer.mrmlScene.GetNumberOfNodes()
        self.while_it_compares(self.panel.ui.applyButton.click, self.tell_dose)
        assert "Stopped" in self.panel.ui.statusLabel.text
        assert slicer.mrmlScene.GetNumberOfNodes() == before
        assert self.panel.state.doseTable is None
        self.while_it_compares(lambda: slicer.mrmlScene.RemoveNode(volume), self.tell_dose)
        assert "“MRI” was removed meanwhile; nothing was written." in self.panel.ui.statusLabel.text
        assert self.panel.state.doseTable is None
        self.assert_ready()

    def test_a_dose_that_lies_elsewhere_is_one_sentence(self):
        _, dose = self.explained_with_dose()
        before = slicer.mrmlScene.GetNumberOfNodes()
        matrix = matrix_of(dose)
        matrix.SetElement(0, 3, 900)
        dose.SetIJKToRASMatrix(matrix)
        self.tell_dose()
        assert "outside the dose grid" in self.panel.ui.statusLabel.text
        assert slicer.mrmlScene.GetNumberOfNodes() == before
        self.assert_ready()

    def test_told_doses_are_there_again_when_the_scene_is_opened(self):
        self.explained_with_dose()
        self.panel.ui.prescriptionSpinBox.value = 12
        self.tell_dose()
        told, said = self.doses(), self.panel.ui.doseLabel.text
        self.reopen()
        assert self.doses() == told
        assert self.panel.ui.doseLabel.text == said
        assert self.panel.ui.prescriptionSpinBox.value == 12
        assert self.panel.state.doseVolume.GetName() == "dose"
        assert tip_of(self.panel.ui.tellDoseButton).startswith("Press Apply first")

    def test_curves_stand_beside_the_slices_and_go_again(self):
        self.explained_with_dose(1)
        ui, manager = self.panel.ui, slicer.app.layoutManager()
        assert tip_of(ui.doseCurvesButton) == "Press “Tell the dose” first"
        self.tell_dose()
        layout = manager.layout
        ui.doseCurvesButton.click()
        assert manager.layout != layout
        charts = {plot.GetPlotChartNodeID() for plot in slicer.util.getNodesByClass("vtkMRMLPlotViewNode")}
        assert self.panel.state.doseCurveChart.GetID() in charts
        ui.doseCurvesButton.click()
        assert manager.layout == layout

    def test_two_patients_keep_their_doses(self):
        first, _ = self.choose_patient("A", 1)
        self.press_apply()
        self.panel.state.doseVolume = make_dose(first, "dose A")
        self.panel.ui.doseFractionsSpinBox.value = 5
        self.tell_dose()
        table, told = self.panel.state.doseTable, self.doses()
        second, _ = self.choose_patient("B", 1)
        state = self.panel.state
        assert state.doseVolume is None, "the only dose of the scene is the other patient's"
        assert (state.doseFractions, state.doseTable, self.doses()) == (0, None, [])
        self.press_apply()
        state.doseVolume = make_dose(second, "dose B", gray=20)
        self.tell_dose()
        assert state.doseTable is not table
        self.panel.ui.inputVolumeSelector.setCurrentNode(first)
        assert (state.doseVolume.GetName(), state.doseFractions) == ("dose A", 5)
        assert state.doseTable is table
        assert self.doses() == told
