"""What a person does with two patients in one scene."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import slicer

from PulsarCAMScenarios.looking import tip_of

COMPARED = (
    *("gradientMagnitudeVolume", "radialGradientVolume", "agreementTable", "shellTable"),
    *("profileTable", "profileChart"),
)
INPUT_SELECTORS = ("inputVolumeSelector", "inputSegmentationSelector")


def ijk_to_ras(node):
    """Of a volume, as a VTK matrix."""
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return matrix


def at(i: int, j: int, k: int) -> np.ndarray:
    """Matrix that begins to count at this voxel."""
    matrix = np.eye(4)
    matrix[:3, 3] = i, j, k
    return matrix


class TwoPatients:
    """Mixed into ``Scenarios``, whose helpers it uses."""

    def offered(self, name: str) -> list[str]:
        """Names of the nodes that a selector offers."""
        selector = getattr(self.panel.ui, name)
        return sorted(selector.nodeFromIndex(n).GetName() for n in range(selector.nodeCount()))

    def choose_patient(self, name: str, count: int):
        """MRI and contours of another patient, both chosen: the first has brighter voxels for each lesion more."""
        from PulsarCAMScenarios import make_lesions, make_mri

        volume = make_mri(f"MRI {name}")
        values = slicer.util.arrayFromVolume(volume)
        values += 10 * count
        slicer.util.arrayFromVolumeModified(volume)
        lesions = make_lesions(volume, count, f"GTVs {name}")
        self.panel.ui.inputVolumeSelector.setCurrentNode(volume)
        self.panel.ui.inputSegmentationSelector.setCurrentNode(lesions)
        return volume, lesions

    def outputs(self) -> dict:
        """Parameter to chosen output, of results and comparison."""
        names = ("heatMapVolume", "spreadVolume", "subRegions", "lesionTable", "sliceTable", *COMPARED)
        return {name: getattr(self.panel.state, name) for name in names}

    def two_patients(self):
        """MRIs and outputs of A with 2 lesions, compared, and then of B with 3."""
        first, _ = self.choose_patient("A", 2)
        self.press_apply()
        self.press_compare()
        made = self.outputs()
        second, _ = self.choose_patient("B", 3)
        self.press_apply()
        return first, made, second, self.outputs()

    def folder_of(self, node) -> str:
        """Name of the subject hierarchy's folder that holds a node."""
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
        return hierarchy.GetItemName(hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)))

    def other_contours(self, shift_mm: float):
        """Contours drawn on an MRI of 10 slices, not 12, that lies so far to the right of the chosen one."""
        from PulsarCAMScenarios import IJK_TO_RAS, SHAPE

        values = np.zeros((SHAPE[0] - 2, *SHAPE[1:]), dtype=np.int16)
        matrix = IJK_TO_RAS.copy()
        matrix[0, 3] += shift_mm
        drawn_on = slicer.util.addVolumeFromArray(values, ijkToRAS=matrix, name="MRI B")
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "GTVs B")
        node.SetReferenceImageGeometryParameterFromVolumeNode(drawn_on)
        values = values.astype(np.uint8)
        values[3:7, 40:50, 2:22] = 1
        segment = node.GetSegmentation().AddEmptySegment("", "GTV 1")
        slicer.util.updateSegmentBinaryLabelmapFromArray(values, node, segment, drawn_on)
        return drawn_on, node

    def fit(self) -> str:
        """What the panel says under the selector of the contours."""
        return self.panel.fit.label.text

    def test_contours_of_another_patient_are_a_question_before_apply(self):
        volume, own = self.choose()
        assert self.fit() == ""
        _, others = self.other_contours(3.5)
        ui = self.panel.ui
        ui.inputSegmentationSelector.setCurrentNode(others)
        said = self.fit()
        assert "“GTVs B” was drawn on “MRI B” of 10 slices" in said
        assert "“MRI” has 12 slices" in said
        assert "their middles lie 4.6 mm apart" in said, said
        assert "choose the contours of “MRI”" in said
        before = slicer.mrmlScene.GetNumberOfNodes()
        self.press_apply()
        assert slicer.mrmlScene.GetNumberOfNodes() == before
        assert "Nothing was changed." in ui.statusLabel.text
        self.answer(agree=True)
        self.press_apply()
        assert len(self.rows()) == 1
        self.answer(agree=False)
        self.press_apply()
        assert "explained" in ui.statusLabel.text, "asked once"
        ui.inputSegmentationSelector.setCurrentNode(own)
        assert self.fit() == ""
        assert volume.GetScene() is not None

    def test_contours_that_lie_elsewhere_are_refused_and_parts_outside_are_told(self):
        self.choose()
        ui = self.panel.ui
        _, partly = self.other_contours(-8.0)
        ui.inputSegmentationSelector.setCurrentNode(partly)
        assert "40.0 % of “GTV 1” lies outside the MRI" in self.fit(), self.fit()
        assert ui.applyButton.enabled
        _, apart = self.other_contours(500.0)
        ui.inputSegmentationSelector.setCurrentNode(apart)
        assert "lies outside the MRI “MRI” by 430 mm" in self.fit(), self.fit()
        assert not ui.applyButton.enabled
        assert tip_of(ui.applyButton) == self.fit()
        ui.inputSegmentationSelector.setCurrentNode(None)
        assert self.fit() == ""

    def test_a_part_of_the_mri_is_no_other_image(self):
        from PulsarCAMScenarios import make_lesions

        volume, _ = self.choose()
        part = slicer.util.addVolumeFromArray(
            slicer.util.arrayFromVolume(volume)[2:9, 10:80, 5:85].copy(),
            ijkToRAS=slicer.util.arrayFromVTKMatrix(ijk_to_ras(volume)) @ at(5, 10, 2),
            name="part",
        )
        lesions = make_lesions(volume, 1, "cropped")
        lesions.SetReferenceImageGeometryParameterFromVolumeNode(part)
        self.panel.ui.inputSegmentationSelector.setCurrentNode(lesions)
        assert self.fit() == ""

    def test_a_slice_has_one_number_and_position_everywhere(self):
        volume, _ = self.explained()
        name = self.choose_row(0)
        place = self.panel.results.answering_place(name)
        ras = self.panel.results.place_of(name)
        view = slicer.mrmlScene.GetSingletonNode("Red", "vtkMRMLSliceNode")
        assert abs(view.GetSliceToRAS().GetElement(2, 3) - place.position_mm) < 0.01, "where the axial view is"
        assert place.position_mm == ras[2]
        k = round((place.position_mm - ijk_to_ras(volume).GetElement(2, 3)) / 3)
        assert place.number == k + 1
        assert place.words in self.panel.ui.lesionLabel.text
        table = self.panel.state.sliceTable
        answers = list(slicer.util.arrayFromTableColumn(table, "answers")).index(1)
        for column, value in (
            ("mri_slice", k),
            ("mri_slice_number", place.number),
            ("mri_slice_position_mm", place.position_mm),
        ):
            assert slicer.util.arrayFromTableColumn(table, column)[answers] == value, column
        seen = self.panel.logic.inspectSlice(self.panel.result(), name)
        assert seen.place == place.words

    def test_a_second_mri_gets_results_of_its_own(self):
        first, _ = self.choose_patient("A", 2)
        self.press_apply()
        self.press_compare()
        made = self.outputs()
        names = {name: node.GetName() for name, node in made.items()}
        heat = slicer.util.arrayFromVolume(made["heatMapVolume"]).copy()
        second, _ = self.choose_patient("B", 3)
        assert self.rows() == self.agreement() == []
        assert set(self.outputs().values()) == {None}
        assert not self.panel.ui.exportButton.enabled
        self.press_apply()
        other = self.outputs()
        assert not {node.GetID() for node in other.values() if node} & {node.GetID() for node in made.values()}
        assert {name: node.GetName() for name, node in made.items()} == names
        assert (slicer.util.arrayFromVolume(made["heatMapVolume"]) == heat).all()
        assert made["heatMapVolume"].GetNodeReference("PulsarCAM.inputVolume") is first
        assert other["heatMapVolume"].GetNodeReference("PulsarCAM.inputVolume") is second
        assert len(self.rows()) == 3
        assert self.agreement() == [], "B was not compared"
        assert {self.folder_of(node) for node in made.values()} == {"MRI A PulsarCAM"}
        assert {self.folder_of(node) for node in other.values() if node} == {"MRI B PulsarCAM"}
        self.press_compare()
        assert self.panel.ui.compareLesionComboBox.count == 3
        assert not {node.GetID() for node in self.outputs().values()} & {node.GetID() for node in made.values()}

    def test_the_first_mri_chosen_again_shows_its_results_again(self):
        first, made, second, other = self.two_patients()
        ui, rows = self.panel.ui, self.rows()
        assert {c.GetForegroundVolumeID() for c in self.composites()} == {other["heatMapVolume"].GetID()}
        ui.inputVolumeSelector.setCurrentNode(first)
        assert self.outputs() == made
        assert len(self.rows()) == 2
        assert self.agreement() != []
        assert self.panel.state.inputSegmentation.GetName() == "GTVs A"
        assert "The results of “MRI A” are shown again." in ui.statusLabel.text
        assert {c.GetForegroundVolumeID() for c in self.composites()} == {made["heatMapVolume"].GetID()}
        assert {c.GetBackgroundVolumeID() for c in self.composites()} == {first.GetID()}
        drawn = ("GTVs A", "GTVs B", made["subRegions"].GetName(), other["subRegions"].GetName())
        displays = [slicer.util.getNode(name).GetDisplayNode() for name in drawn]
        assert [bool(d.GetVisibility()) for d in displays] == [True, False, True, False], "nobody else's lie over it"
        heat = slicer.util.arrayFromVolume(other["heatMapVolume"]).copy()
        ui.targetComboBox.currentIndex = 0
        assert self.panel.state.heatMapVolume.GetAttribute("PulsarCAM.target") == "non-response"
        ui.targetComboBox.currentIndex = 1
        assert self.panel.state.heatMapVolume.GetAttribute("PulsarCAM.target") == "response"
        assert (slicer.util.arrayFromVolume(other["heatMapVolume"]) == heat).all()
        before = slicer.mrmlScene.GetNumberOfNodes()
        self.press_apply()
        assert slicer.mrmlScene.GetNumberOfNodes() == before
        assert self.outputs() == made
        ui.inputVolumeSelector.setCurrentNode(second)
        assert self.rows() == rows
        assert [bool(d.GetVisibility()) for d in displays] == [False, True, False, True]
        assert other["heatMapVolume"].GetAttribute("PulsarCAM.target") == "response"

    def test_views_of_one_patients_comparison_go_when_another_is_chosen(self):
        first, _, _, _ = self.two_patients()
        ui, manager = self.panel.ui, slicer.app.layoutManager()
        layout = manager.layout
        ui.compareButton.click()
        assert manager.layout != layout
        ui.inputVolumeSelector.setCurrentNode(first)
        assert manager.layout == layout
        assert ui.compareButton.text == "Methods side by side"
        ui.sideBySideButton.click()
        assert manager.layout != layout
        self.choose_patient("C", 1)
        assert manager.layout == layout

    def test_both_patients_are_saved_with_the_scene(self):
        _, _, _, _ = self.two_patients()
        rows = self.rows()
        self.reopen()
        assert self.rows() == rows
        self.panel.ui.inputVolumeSelector.setCurrentNode(slicer.util.getNode("MRI A"))
        assert len(self.rows()) == 2
        assert self.agreement() != []
        assert self.panel.state.heatMapVolume.GetName().startswith("MRI A")
        self.panel.ui.inputVolumeSelector.setCurrentNode(slicer.util.getNode("MRI B"))
        assert self.rows() == rows
        assert self.panel.state.agreementTable is None

    def test_a_deleted_mri_leaves_its_results_and_those_of_the_other(self):
        first, made, second, other = self.two_patients()
        slicer.mrmlScene.RemoveNode(first)
        said = "“MRI A” was deleted. What was made of it stays in the scene"
        assert said in self.panel.ui.statusLabel.text
        assert "Choose another MRI" not in self.panel.ui.statusLabel.text
        assert self.outputs() == other
        assert all(node.GetScene() is not None for node in made.values())
        third, _ = self.choose_patient("C", 1)
        self.press_apply()
        last = self.outputs()
        slicer.mrmlScene.RemoveNode(third)
        assert self.panel.state.inputVolume is None
        assert self.outputs() == last, "what is shown stays as long as no other MRI is chosen"
        assert "“MRI C” was deleted" in self.panel.ui.statusLabel.text
        assert "Choose another MRI to go on." in self.panel.ui.statusLabel.text
        self.panel.ui.inputVolumeSelector.setCurrentNode(second)
        assert self.outputs() == other
        assert all(node.GetScene() is not None for node in last.values() if node)

    def test_a_patient_whose_contours_were_deleted_is_not_given_those_of_the_other(self):
        _, mask = self.choose_patient("A", 2)
        self.press_apply()
        other, own = self.choose_patient("B", 3)
        self.press_apply()
        self.panel.ui.inputVolumeSelector.setCurrentNode(slicer.util.getNode("MRI A"))
        assert self.panel.state.inputSegmentation is mask
        slicer.mrmlScene.RemoveNode(own)
        self.panel.ui.inputVolumeSelector.setCurrentNode(other)
        assert self.panel.state.inputSegmentation is None

    def test_a_result_of_another_mri_is_overwritten_only_after_a_question(self):
        first, _ = self.choose_patient("A", 2)
        self.press_apply()
        heat_map = self.panel.state.heatMapVolume
        heat = slicer.util.arrayFromVolume(heat_map).copy()
        self.choose_patient("B", 3)
        self.panel.ui.heatMapSelector.setCurrentNode(heat_map)
        self.press_apply()
        assert "Nothing was changed." in self.panel.ui.statusLabel.text
        assert np.array_equal(slicer.util.arrayFromVolume(heat_map), heat)
        assert heat_map.GetNodeReference("PulsarCAM.inputVolume") is first
        self.answer(agree=True)
        self.press_apply()
        assert not np.array_equal(slicer.util.arrayFromVolume(heat_map), heat)

    def test_what_was_made_is_not_offered_as_an_input(self):
        self.compared()
        self.panel.ui.compareButton.click()
        self.panel.ui.compareButton.click()
        assert [self.offered(name) for name in INPUT_SELECTORS] == [["MRI"], ["GTVs"]]
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "scene.mrb")
            assert slicer.util.saveScene(path, properties={})
            slicer.mrmlScene.Clear()
            slicer.util.loadScene(path, properties={})
        assert [self.offered(name) for name in INPUT_SELECTORS] == [["MRI"], ["GTVs"]]
        assert self.panel.ui.heatMapSelector.currentNode() is not None, "outputs may be chosen as outputs"
        slicer.mrmlScene.Clear()
        self.choose()
        assert [self.offered(name) for name in INPUT_SELECTORS] == [["MRI"], ["GTVs"]], "IDs are given again"

    def test_a_heat_map_of_an_old_scene_is_refused_as_the_mri(self):
        self.explained()
        state, ui = self.panel.state, self.panel.ui
        state.inputVolume = state.heatMapVolume
        assert not ui.applyButton.enabled
        assert tip_of(ui.applyButton).endswith("not an image; choose “MRI”, from which it was made.")
