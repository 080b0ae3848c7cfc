"""What a person does after Apply: looks, compares, renames, deletes, reloads."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path

import numpy as np
import slicer

from PulsarCAMScenarios.looking import assert_in_the_middle, tip_of

VIEWS = ("Red", "Green", "Yellow")


class AfterApply:
    """Mixed into ``Scenarios``, whose helpers it uses."""

    def explained(self, count: int = 2):
        """MRI and segmentation, explained."""
        chosen = self.choose(count)
        self.press_apply()
        return chosen

    def choose_row(self, row: int) -> str:
        """Choose a lesion in the table of results."""
        self.panel.ui.resultsTable.setCurrentCell(row, 0)
        return self.rows()[row][0]

    def composites(self) -> list:
        """What the usual slice views show."""
        found = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
        return [node for node in found if node.GetLayoutName() in VIEWS]

    def assert_all_views_at(self, place) -> None:
        """Every usual slice view cuts through this place."""
        found = [n for n in slicer.util.getNodesByClass("vtkMRMLSliceNode") if n.GetLayoutName() in VIEWS]
        assert len(found) == len(VIEWS)
        for node in found:
            matrix = slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())
            assert abs(matrix[:3, 2] @ (np.asarray(place) - matrix[:3, 3])) < 0.01, node.GetName()

    def test_a_chosen_lesion_is_shown_in_all_slice_views(self):
        _, lesions = self.explained(3)
        for row in (2, 0):
            name = self.choose_row(row)
            place = self.panel.results.place_of(name)
            self.assert_all_views_at(place)
            segment = lesions.GetSegmentation().GetSegmentIdBySegmentName(name)
            across = np.subtract(lesions.GetSegmentCenterRAS(segment), place)[:2]
            assert np.abs(across).max() < 1.0
            assert name in self.panel.ui.lesionLabel.text

    def test_opacity_colors_and_spread_change_what_the_views_show(self):
        volume, _ = self.explained()
        state = self.panel.state
        ui = self.panel.ui
        for composite in self.composites():
            assert composite.GetBackgroundVolumeID() == volume.GetID()
            assert composite.GetForegroundVolumeID() == state.heatMapVolume.GetID()
        ui.opacitySliderWidget.value = 30
        assert [round(c.GetForegroundOpacity(), 2) for c in self.composites()] == [0.3] * 3
        colors = state.heatMapVolume.GetDisplayNode().GetColorNodeID()
        ui.colorMapComboBox.currentIndex = ui.colorMapComboBox.count - 1
        assert state.heatMapVolume.GetDisplayNode().GetColorNodeID() != colors
        ui.statisticComboBox.currentIndex = 1
        assert {c.GetForegroundVolumeID() for c in self.composites()} == {state.spreadVolume.GetID()}
        ui.statisticComboBox.currentIndex = 0
        assert {c.GetForegroundVolumeID() for c in self.composites()} == {state.heatMapVolume.GetID()}

    def test_the_legend_comes_and_goes(self):
        self.explained()
        logic, heat_map = slicer.modules.colors.logic(), self.panel.state.heatMapVolume
        assert logic.GetColorLegendDisplayNode(heat_map).GetVisibility()
        self.panel.ui.legendCheckBox.checked = False
        assert not logic.GetColorLegendDisplayNode(heat_map).GetVisibility()

    def test_methods_side_by_side_and_back(self):
        self.explained()
        ui = self.panel.ui
        manager = slicer.app.layoutManager()
        layout, text = manager.layout, ui.compareButton.text
        lesion = self.choose_row(1)
        ui.compareButton.click()
        assert_in_the_middle("PulsarCAM", self.panel.results.place_of(lesion))
        assert manager.layout != layout
        assert ui.compareButton.text != text
        shown = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
        maps = {c.GetForegroundVolumeID() for c in shown if c.GetLayoutName() not in VIEWS}
        methods = {slicer.mrmlScene.GetNodeByID(i).GetAttribute("PulsarCAM.method") for i in maps if i}
        assert methods == {"pixelwise", "gradcam", "gradcam++", "pixelwise-relative", "gradcam-relative"}
        ui.compareButton.click()
        assert manager.layout == layout
        assert ui.compareButton.text == text

    def test_a_slice_is_opened_up_and_saved(self):
        if importlib.util.find_spec("matplotlib") is None:
            self.delayDisplay("matplotlib is not installed")
            return
        self.explained()
        name = self.choose_row(0)
        self.panel.ui.inspectButton.click()
        inspector = self.panel.methodViews._inspector
        assert name in inspector.dialog.windowTitle
        assert inspector.dialog.visible
        inspector.slice_slider.value = 0
        inspector.member_box.currentIndex = 1
        with tempfile.TemporaryDirectory() as folder:
            inspector.save(str(Path(folder) / "slice"))
            assert (Path(folder) / "slice.png").read_bytes().startswith(b"\x89PNG")
        assert "Saved" in self.panel.ui.statusLabel.text
        inspector.close()

    def test_new_names_of_nodes_and_segments_break_nothing(self):
        volume, lesions = self.explained()
        volume.SetName("another name")
        lesions.SetName("and another")
        segmentation = lesions.GetSegmentation()
        segmentation.GetSegment(segmentation.GetNthSegmentID(0)).SetName("frontal")
        assert self.panel.ui.segmentsTable.item(0, 0).text() == "frontal"
        assert self.panel.ui.inputVolumeSelector.currentNode() is volume
        heat_map = self.panel.state.heatMapVolume
        self.press_apply()
        assert self.panel.state.heatMapVolume is heat_map
        assert sorted(row[0] for row in self.rows()) == ["GTV 2", "frontal"]

    def test_a_segment_is_deleted_and_one_is_added(self):
        from PulsarCAMScenarios import make_lesions

        volume, lesions = self.explained(3)
        lesions.GetSegmentation().RemoveSegment(lesions.GetSegmentation().GetNthSegmentID(1))
        assert self.panel.ui.segmentsTable.rowCount == 2
        assert "The inputs changed" in self.panel.ui.statusLabel.text
        self.press_apply()
        assert sorted(row[0] for row in self.rows()) == ["GTV 1", "GTV 3"]
        donor = make_lesions(volume, 4, "donor")
        lesions.GetSegmentation().CopySegmentFromSegmentation(
            donor.GetSegmentation(), donor.GetSegmentation().GetNthSegmentID(3)
        )
        assert self.panel.ui.segmentsTable.rowCount == 3
        self.press_apply()
        assert sorted(row[0] for row in self.rows()) == ["GTV 1", "GTV 3", "GTV 4"]

    def test_deleted_inputs_leave_the_panel_waiting_for_new_ones(self):
        volume, lesions = self.explained()
        heat_map = self.panel.state.heatMapVolume
        slicer.mrmlScene.RemoveNode(volume)
        assert self.panel.ui.inputVolumeSelector.currentNode() is None
        assert tip_of(self.panel.ui.applyButton) == "Choose the MRI first"
        assert not self.panel.ui.applyButton.enabled
        slicer.mrmlScene.RemoveNode(lesions)
        assert self.panel.state.inputSegmentation is None
        assert self.panel.state.heatMapVolume is heat_map
        slicer.mrmlScene.RemoveNode(heat_map)
        for node in (self.panel.state.subRegions, self.panel.state.lesionTable, self.panel.state.sliceTable):
            slicer.mrmlScene.RemoveNode(node)
        assert self.rows() == []
        self.explained()
        assert len(self.rows()) == 2

    def test_cancel_while_the_result_is_written_leaves_the_scene_as_it_was(self):
        self.choose(4)
        before = slicer.mrmlScene.GetNumberOfNodes()
        self.while_it_runs(self.panel.ui.applyButton.click, after=0.9)
        assert slicer.mrmlScene.GetNumberOfNodes() == before
        assert "Stopped" in self.panel.ui.statusLabel.text
        self.press_apply()
        assert len(self.rows()) == 4

    def test_an_mri_apart_from_its_lesions_is_one_sentence(self):
        volume, _ = self.choose()
        away = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        matrix = np.eye(4)
        matrix[:3, 3] = 900
        slicer.util.updateTransformMatrixFromArray(away, matrix)
        volume.SetAndObserveTransformNodeID(away.GetID())
        before = slicer.mrmlScene.GetNumberOfNodes()
        self.press_apply()
        assert "lies outside the MRI" in self.panel.ui.statusLabel.text
        assert slicer.mrmlScene.GetNumberOfNodes() == before
        self.assert_ready()

    def test_the_module_is_left_and_entered_again(self):
        self.explained()
        rows, parent = self.rows(), self.panel.parent
        self.choose_row(1)
        parent.exit()
        assert self.panel.state is None
        parent.enter()
        assert self.rows() == rows
        assert self.panel.ui.applyButton.enabled

    def test_a_reload_of_the_module_keeps_settings_and_results(self):
        volume, _ = self.explained()
        self.panel.ui.thresholdSliderWidget.value = 70
        rows, old = self.rows(), self.panel
        self.panel.onReload()
        self.panel = slicer.util.getModuleWidget("PulsarCAM")
        assert self.panel is not old
        assert old.state is None
        self.answer()
        assert self.panel.ui.inputVolumeSelector.currentNode() is volume
        assert self.panel.ui.thresholdSliderWidget.value == 70
        self.wait_for(lambda: self.rows() == rows)  # a table that was not laid out yet is narrow, and has no ranges
        self.press_apply()
        assert self.rows() == rows
        self.assert_ready()
