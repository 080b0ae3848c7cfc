"""What a person does with the panel, step by step: run by the module's self test in Slicer and by the tests outside.

Every method ``test_...`` of :class:`Scenarios` begins in an empty scene with ``self.panel`` open, and uses nothing that
only one of the two places has.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import slicer

from PulsarCAMScenarios.after import AfterApply
from PulsarCAMScenarios.another_system import AnotherSystem
from PulsarCAMScenarios.bad_inputs import BadInputs
from PulsarCAMScenarios.belonging import Belonging
from PulsarCAMScenarios.compare import Comparing
from PulsarCAMScenarios.dicom_out import TakingDicom
from PulsarCAMScenarios.dose import TellingDose
from PulsarCAMScenarios.first_look import FirstLook
from PulsarCAMScenarios.looking import tip_of
from PulsarCAMScenarios.painting import PaintingDose
from PulsarCAMScenarios.several_classes import SeveralClasses
from PulsarCAMScenarios.train import Training
from PulsarCAMScenarios.two_patients import TwoPatients

SHAPE = (12, 90, 90)
IJK_TO_RAS = np.array([[0.8, 0, 0, -36], [0, 0.8, 0, -36], [0, 0, 3, -18], [0, 0, 0, 1]], dtype=float)


def make_mri(name: str = "MRI"):
    """A made MRI node with noise."""
    values = np.random.default_rng(0).normal(300, 50, SHAPE).astype(np.int16)
    return slicer.util.addVolumeFromArray(values, ijkToRAS=IJK_TO_RAS, name=name)


def make_lesions(volume, count: int = 2, name: str = "GTVs"):
    """A segmentation with so many box-shaped segments, "GTV 1" and so on, that do not touch (at most 64)."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for index in range(count):
        mask = np.zeros(SHAPE, dtype=np.uint8)
        row, column = divmod(index, 8)
        size = 6 + index % 3
        mask[3:7, 3 + 11 * row : 3 + 11 * row + size, 3 + 11 * column : 3 + 11 * column + size] = 1
        segment_id = node.GetSegmentation().AddEmptySegment("", f"GTV {index + 1}")
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment_id, volume)
    return node


class Scenarios(
    AfterApply,
    FirstLook,
    AnotherSystem,
    SeveralClasses,
    Comparing,
    TellingDose,
    PaintingDose,
    TakingDicom,
    Belonging,
    TwoPatients,
    BadInputs,
    Training,
):
    """Mixed into the module's test class, which sets ``panel``."""

    panel = None

    def begin(self) -> None:
        """An empty scene and the open panel, which asks nobody."""
        slicer.mrmlScene.Clear()
        slicer.util.getModule("PulsarCAM").widgetRepresentation().enter()
        self.panel = slicer.util.getModuleWidget("PulsarCAM")
        self.answer()

    def end(self) -> None:
        """The panel asks the person again, and is folded as it opens."""
        self.end_training()
        for section in (self.panel.ui.doseCollapsibleButton, self.panel.ui.paintGroupBox):
            section.collapsed = True
        for name in ("folder", "agree"):
            vars(self.panel.dialogs).pop(name, None)

    def choose(self, count: int = 2):
        """Make an MRI with lesions and choose them in the selectors."""
        volume = make_mri()
        lesions = make_lesions(volume, count)
        self.panel.ui.inputVolumeSelector.setCurrentNode(volume)
        self.panel.ui.inputSegmentationSelector.setCurrentNode(lesions)
        return volume, lesions

    def choose_moved(self):
        """Choose an MRI and lesions under a transform that moves both; the lesions and the transform."""
        volume, lesions = self.choose()
        moved = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        matrix = np.eye(4)
        matrix[:3, 3] = 30, -20, 10
        slicer.util.updateTransformMatrixFromArray(moved, matrix)
        for node in (volume, lesions):
            node.SetAndObserveTransformNodeID(moved.GetID())
        return lesions, moved

    def press_apply(self) -> None:
        """Press Apply and wait."""
        assert self.panel.ui.applyButton.enabled, tip_of(self.panel.ui.applyButton)
        self.panel.ui.applyButton.click()

    def while_it_runs(self, act: Callable[[], None], after: float = 0.5) -> None:
        """Do something once, when so much of the work is done."""
        section, done = self.panel.apply, []
        original = section.on_progress

        def on_progress(fraction: float, text: str) -> None:
            original(fraction, text)
            if fraction >= after and not done:
                done.append(True)
                act()

        section.on_progress = on_progress
        try:
            self.press_apply()
        finally:
            section.on_progress = original
        assert done

    def answer(self, folder: str = "", agree: bool = False) -> None:
        """What the person answers from now on."""
        dialogs = self.panel.dialogs
        dialogs.folder = lambda _title, _start="": folder
        dialogs.agree = lambda _question, _title: agree

    def rows(self) -> list[list[str]]:
        """Texts of the table of results, in one line each."""
        table, columns = self.panel.ui.resultsTable, range(self.panel.ui.resultsTable.columnCount)
        return [[table.item(r, c).text().replace("\n", " ") for c in columns] for r in range(table.rowCount)]

    def assert_ready(self) -> None:
        """The panel waits for the next press."""
        assert not self.panel.isRunning
        assert self.panel.ui.applyButton.text == "Apply"
        assert not self.panel.ui.progressBar.visible
        assert self.panel.ui.inputsCollapsibleButton.enabled

    def test_apply_says_what_is_missing(self):
        ui = self.panel.ui
        assert not ui.applyButton.enabled
        assert tip_of(ui.applyButton) == "Choose the MRI first"
        self.choose()
        ui.noSegmentsButton.click()
        assert tip_of(ui.applyButton) == "Tick at least one lesion first"
        ui.allSegmentsButton.click()
        assert ui.applyButton.enabled

    def test_apply_explains_every_lesion(self):
        volume, _ = self.choose()
        self.press_apply()
        state = self.panel.state
        heat_map = slicer.util.arrayFromVolume(state.heatMapVolume)
        assert heat_map.shape == SHAPE
        assert heat_map.any()
        assert len(self.rows()) == 2
        assert state.heatMapVolume.GetNodeReference("PulsarCAM.inputVolume") is volume
        self.assert_ready()

    def test_filled_contours_do_not_hide_the_first_heat_map(self):
        _, lesions = self.choose()
        display = lesions.GetDisplayNode()
        assert display.GetVisibility2DFill()
        self.press_apply()
        assert not display.GetVisibility2DFill()
        assert display.GetVisibility2DOutline()
        display.SetVisibility2DFill(True)
        self.press_apply()
        assert display.GetVisibility2DFill()

    def test_only_ticked_segments_are_explained(self):
        _, lesions = self.choose(3)
        import qt

        self.panel.ui.segmentsTable.item(1, 0).setCheckState(qt.Qt.Unchecked)
        assert self.panel.lesionList.chosen_ids() == [lesions.GetSegmentation().GetNthSegmentID(n) for n in (0, 2)]
        self.press_apply()
        assert sorted(row[0] for row in self.rows()) == ["GTV 1", "GTV 3"]

    def test_the_slider_redraws_sub_regions_without_computing(self):
        self.choose()
        self.press_apply()
        heat_map = self.panel.state.heatMapVolume
        drawn = heat_map.GetImageData().GetMTime()
        volumes = [self._activated(percent) for percent in (5, 40, 80)]
        assert volumes == sorted(volumes, reverse=True)
        assert volumes[0] > volumes[-1]
        assert heat_map.GetImageData().GetMTime() == drawn

    def _activated(self, percent: float) -> float:
        self.panel.ui.thresholdSliderWidget.value = percent
        return float(np.sum(slicer.util.arrayFromTableColumn(self.panel.state.lesionTable, "activated_volume_cm3")))

    def test_another_method_is_shown_at_once_in_the_same_nodes(self):
        self.choose()
        self.press_apply()
        heat_map = self.panel.state.heatMapVolume
        before = slicer.util.arrayFromVolume(heat_map).copy()
        self.panel.ui.methodComboBox.currentIndex = 2
        assert self.panel.state.heatMapVolume is heat_map
        assert not np.array_equal(slicer.util.arrayFromVolume(heat_map), before)
        assert heat_map.GetAttribute("PulsarCAM.method") == "gradcam++"

    def test_changed_inputs_are_told_and_nothing_is_redrawn(self):
        volume, _ = self.choose()
        self.press_apply()
        values = slicer.util.arrayFromVolume(volume)
        values += 1
        slicer.util.arrayFromVolumeModified(volume)
        self.panel.ui.targetComboBox.currentIndex = 1
        assert self.panel.state.heatMapVolume.GetAttribute("PulsarCAM.target") == "non-response"
        assert "The inputs changed" in self.panel.ui.statusLabel.text
        assert not self.panel.ui.exportButton.enabled
        self.press_apply()
        assert self.panel.state.heatMapVolume.GetAttribute("PulsarCAM.target") == "response"
        assert "The inputs changed" not in self.panel.ui.statusLabel.text

    def test_choosing_a_lesion_shows_its_slices(self):
        self.choose(3)
        self.press_apply()
        self.panel.ui.resultsTable.setCurrentCell(1, 0)
        assert self.panel.results.chosen_name() == self.rows()[1][0]
        assert self.panel.ui.inspectButton.enabled

    def test_cancel_half_way_leaves_the_scene_as_it_was(self):
        self.choose(8)
        before = slicer.mrmlScene.GetNumberOfNodes()
        self.while_it_runs(self.panel.ui.applyButton.click)
        assert slicer.mrmlScene.GetNumberOfNodes() == before
        assert self.panel.state.heatMapVolume is None
        assert "Stopped" in self.panel.ui.statusLabel.text
        self.assert_ready()

    def test_the_scene_is_closed_in_the_middle(self):
        self.choose(8)
        self.while_it_runs(lambda: slicer.mrmlScene.Clear())
        assert self.panel.state.inputVolume is None
        self.assert_ready()
        self.choose()
        self.press_apply()
        assert len(self.rows()) == 2

    def test_the_mri_is_deleted_in_the_middle(self):
        volume, _ = self.choose(8)
        self.while_it_runs(lambda: slicer.mrmlScene.RemoveNode(volume))
        assert "removed" in self.panel.ui.statusLabel.text
        assert self.panel.state.heatMapVolume is None
        self.assert_ready()

    def test_an_output_is_deleted_renamed_and_made_anew(self):
        self.choose()
        self.press_apply()
        self.panel.state.subRegions.SetName("mine")
        slicer.mrmlScene.RemoveNode(self.panel.state.heatMapVolume)
        assert self.panel.state.heatMapVolume is None, self.panel.state.heatMapVolume.GetName()
        self.panel.ui.thresholdSliderWidget.value = 20
        assert self.panel.state.heatMapVolume is None
        self.press_apply()
        assert self.panel.state.heatMapVolume is not None
        assert self.panel.state.subRegions.GetName() == "mine"

    def test_running_twice_writes_into_the_same_nodes(self):
        self.choose()
        self.press_apply()
        before = slicer.mrmlScene.GetNumberOfNodes()
        self.press_apply()
        assert slicer.mrmlScene.GetNumberOfNodes() == before

    def test_two_parameter_sets_keep_their_own_settings_and_results(self):
        self.choose()
        self.panel.ui.thresholdSliderWidget.value = 30
        self.press_apply()
        first = self.panel.state.parameterNode
        self.panel.ui.parameterSetSelector.addNode()
        assert self.panel.state.parameterNode is not first
        assert self.panel.state.threshold == 50
        assert self.rows() == []
        self.panel.ui.parameterSetSelector.setCurrentNode(first)
        assert self.panel.ui.thresholdSliderWidget.value == 30
        assert len(self.rows()) == 2

    def reopen(self):
        """Save the scene, close it, which leaves nothing, and open it again."""
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "scene.mrb")
            assert slicer.util.saveScene(path, properties={})
            slicer.mrmlScene.Clear()
            assert self.rows() == []
            assert set(self.outputs().values()) == {None}
            slicer.util.loadScene(path, properties={})

    def test_a_saved_scene_opens_with_its_settings_and_results(self):
        self.choose()
        self.panel.ui.targetComboBox.currentIndex = 1
        self.press_apply()
        rows = self.rows()
        self.reopen()
        assert self.panel.ui.targetComboBox.currentIndex == 1
        assert self.rows() == rows, self.rows()
        assert tip_of(self.panel.ui.exportButton).startswith("Press Apply first")

    def test_an_empty_segmentation_is_one_sentence(self):
        self.choose(0)
        self.press_apply()
        assert "no segment" in self.panel.ui.statusLabel.text
        self.assert_ready()

    def test_one_lesion_and_forty(self):
        for count in (1, 40):
            slicer.mrmlScene.Clear()
            self.choose(count)
            self.press_apply()
            assert len(self.rows()) == count
            probabilities = [float(row[2].split()[0]) for row in self.rows()]
            assert probabilities == sorted(probabilities)

    def test_a_volume_under_a_transform(self):
        lesions, moved = self.choose_moved()
        self.press_apply()
        assert self.panel.state.heatMapVolume.GetTransformNodeID() == moved.GetID()
        place = self.panel.results.place_of("GTV 1")
        centre = lesions.GetSegmentCenterRAS(lesions.GetSegmentation().GetNthSegmentID(0))
        assert np.allclose(place[:2], centre[:2], atol=1)

    def test_missing_torch_is_one_sentence(self):
        self.choose()
        there = sys.modules.get("torch")
        sys.modules["torch"] = None
        try:
            self.press_apply()
        finally:
            sys.modules.pop("torch")
            if there is not None:
                sys.modules["torch"] = there
        assert "PyTorch" in self.panel.ui.statusLabel.text
        self.assert_ready()

    def test_a_broken_bundle_is_refused(self):
        before = self.panel.ui.modelComboBox.count
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "card.json").write_text("{}", encoding="utf-8")
            self.answer(folder=folder)
            self.panel.ui.modelAddFolderButton.click()
        assert "not a PulsarCAM model card" in self.panel.ui.statusLabel.text
        assert self.panel.ui.modelComboBox.count == before

    def test_export_writes_all_or_nothing(self):
        self.choose()
        self.press_apply()
        self.panel.ui.exportReportCheckBox.checked = False
        with tempfile.TemporaryDirectory() as folder:
            self.answer(folder=folder)
            self.panel.ui.exportButton.click()
            names = sorted(path.name for path in Path(folder).iterdir())
            maps = [f"pixelwise_non-response_{end}" for end in ("mean.nrrd", "regions.seg.nrrd", "std.nrrd")]
            ends = ["lesions.csv", *maps, "slices.csv"]
            assert names == [f"MRI_{end}" for end in ends]
            protected = Path(folder) / "protected"
            protected.mkdir()
            protected.chmod(0o500)
            where = str(protected) if not os.access(protected, os.W_OK) else str(protected / "missing")
            self.answer(folder=where)
            self.panel.ui.exportButton.click()
            assert "folder" in self.panel.ui.statusLabel.text
            assert list(protected.iterdir()) == []
            protected.chmod(0o700)
        self.assert_ready()
