"""The panel on the desktop stand-in: real .ui, real widget class, real MRML; what a person sees and presses."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

import slicer
from host.making import CARD, GRIDS, MASKS, a_label_map, a_segmentation, an_mri, choose_lesions, state_of_scene
from PulsarCAMScenarios.looking import tip_of


def test_apply_says_what_is_missing(panel):
    assert not panel.ui.applyButton.enabled
    assert tip_of(panel.ui.applyButton) == "Choose the MRI first"
    panel.ui.inputVolumeSelector.setCurrentNode(an_mri())
    assert tip_of(panel.ui.applyButton) == "Choose the segmentation of the lesions first"
    choose_lesions(panel)
    assert panel.ui.applyButton.enabled
    assert tip_of(panel.ui.applyButton) == "Predict and explain every lesion"


def test_the_mri_selector_offers_no_label_maps_and_the_lesion_selector_both_kinds(panel):
    choose_lesions(panel)
    a_label_map(MASKS["left"], GRIDS["axial"])
    assert panel.ui.inputVolumeSelector.nodeCount() == 1
    assert panel.ui.inputSegmentationSelector.nodeCount() == 2


def test_the_models_origin_is_shown(panel):
    assert panel.ui.modelComboBox.currentText == panel.logic.modelCard("synthetic-demo").title
    assert "synthetic" in panel.ui.modelOriginLabel.text
    assert "Research use only" in panel.ui.modelOriginLabel.text


def test_apply_makes_the_outputs_and_shows_the_overlay(panel):
    composite = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    mri, _ = choose_lesions(panel)
    panel.ui.applyButton.click()
    state = panel._parameterNode
    assert state.heatMapVolume is not None
    assert composite.GetBackgroundVolumeID() == mri.GetID()
    assert composite.GetForegroundVolumeID() == state.heatMapVolume.GetID()
    assert composite.GetForegroundOpacity() == 0.5
    assert panel.ui.heatMapSelector.currentNode() is state.heatMapVolume
    assert panel.ui.resultsCollapsibleButton.enabled
    verdict, done = (label.text.splitlines()[0] for label in (panel.ui.verdictLabel, panel.ui.statusLabel))
    assert verdict.startswith("SYNTHETIC model, not for patients: ")
    assert done == "2 lesions explained. Below the results: 3 warnings."
    assert len(panel.ui.warningsLabel.text.splitlines()) == 3
    said = [label.text for label in (panel.ui.statusLabel, panel.ui.modelOriginLabel, panel.ui.lesionLabel)]
    assert not [text for text in said if verdict in text], "once is enough"
    panel.ui.resultsCollapsibleButton.collapsed = True
    assert panel.ui.modelOriginLabel.text.startswith(verdict), "one place says it as long as the model is chosen"
    assert panel.ui.applyButton.text == "Apply"
    assert panel.ui.applyButton.enabled
    assert not panel.ui.progressBar.visible


def test_a_second_apply_writes_into_the_same_nodes(panel):
    choose_lesions(panel)
    panel.ui.applyButton.click()
    first = panel._parameterNode.heatMapVolume
    count = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    panel.ui.methodComboBox.currentIndex = 1
    panel.ui.applyButton.click()
    assert panel._parameterNode.heatMapVolume is first
    assert first.GetAttribute("PulsarCAM.method") == "gradcam"
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == count


def test_cancel_leaves_the_scene_as_it_was(panel):
    choose_lesions(panel)
    before = state_of_scene()
    seen = []

    def press_cancel():
        if panel.isRunning and not seen:
            seen.append((panel.ui.applyButton.text, panel.ui.inputsCollapsibleButton.enabled))
            panel.ui.applyButton.click()

    slicer.app.processEvents = press_cancel
    panel.ui.applyButton.click()
    assert seen == [("Cancel", False)]
    assert panel.ui.statusLabel.text == "Stopped; the scene is as it was."
    assert panel.ui.applyButton.text == "Apply"
    assert panel.ui.inputsCollapsibleButton.enabled
    assert state_of_scene() == before


def test_contours_apart_from_the_mri_are_told_before_apply(panel):
    _, mask = choose_lesions(panel)
    slicer.util.updateTransformMatrixFromArray(
        node := slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode"), GRIDS["axial"] * 40
    )
    mask.SetAndObserveTransformNodeID(node.GetID())
    assert "lies outside the MRI" in panel.ui.statusLabel.text
    assert "lies outside the MRI" in panel.fit.label.text
    assert not panel.ui.applyButton.enabled
    mask.SetAndObserveTransformNodeID(None)
    assert panel.fit.label.text == ""
    assert panel.ui.applyButton.enabled


def test_an_error_is_shown_and_the_panel_is_ready_again(panel):
    mri = an_mri()
    panel.ui.inputVolumeSelector.setCurrentNode(mri)
    panel.ui.inputSegmentationSelector.setCurrentNode(a_segmentation({"left": MASKS["left"] * 0}, mri))
    panel.ui.applyButton.click()
    assert "Empty in “GTVs”" in panel.ui.statusLabel.text
    assert panel.ui.applyButton.enabled
    assert panel.ui.applyButton.text == "Apply"


def test_the_state_is_saved_with_the_scene_and_bound_both_ways(panel):
    choose_lesions(panel)
    panel.ui.targetComboBox.currentIndex = 1
    panel.ui.thresholdSliderWidget.value = 70
    node = panel._parameterNode.parameterNode
    assert node.GetParameter("target") == "RESPONSE"
    assert float(node.GetParameter("threshold")) == 70
    panel._parameterNode.method = "GRADCAMPP"
    assert panel.ui.methodComboBox.currentText == "Grad-CAM++"


def test_closing_the_scene_empties_the_panel(panel):
    choose_lesions(panel)
    panel.ui.applyButton.click()
    slicer.mrmlScene.Clear(False)
    assert panel.ui.inputVolumeSelector.currentNode() is None
    assert not panel.ui.applyButton.enabled
    choose_lesions(panel)
    panel.ui.applyButton.click()
    assert panel.ui.statusLabel.text.splitlines()[0].startswith("2 lesions")


def test_leaving_and_entering_the_panel_keeps_the_state(panel):
    mri, _ = choose_lesions(panel)
    panel.exit()
    panel.ui.targetComboBox.currentIndex = 1
    panel.enter()
    assert panel.ui.inputVolumeSelector.currentNode() is mri
    assert panel.ui.targetComboBox.currentIndex == 0


def test_the_sample_button_is_there_until_there_is_an_mri(panel):
    assert panel.ui.sampleDataButton.visible or not panel.ui.sampleDataButton.isHidden()
    panel.ui.sampleDataButton.click()
    assert panel.ui.sampleDataButton.isHidden()
    assert panel.state.inputVolume is not None
    assert panel.ui.segmentsTable.rowCount == 4
    assert panel.ui.applyButton.enabled


def test_the_table_follows_the_segmentation(panel):
    _, mask = choose_lesions(panel)
    segmentation = mask.GetSegmentation()
    segmentation.GetNthSegment(0).SetName("renamed")
    assert panel.ui.segmentsTable.item(0, 0).text() == "renamed"
    segmentation.RemoveSegment(segmentation.GetNthSegmentID(1))
    assert panel.ui.segmentsTable.rowCount == 1
    panel.exit()
    segmentation.AddEmptySegment("", "later")
    assert panel.ui.segmentsTable.rowCount == 1
    panel.enter()
    assert panel.ui.segmentsTable.rowCount == 2


def test_ticks_are_saved_as_ids_and_belong_to_one_segmentation(panel):
    mri, mask = choose_lesions(panel)
    panel.ui.noSegmentsButton.click()
    ids = [mask.GetSegmentation().GetNthSegmentID(n) for n in range(2)]
    assert json.loads(panel.state.leftOutSegments) == ids
    other = a_segmentation(MASKS, mri, name="others")
    panel.ui.inputSegmentationSelector.setCurrentNode(other)
    assert panel.lesionList.chosen_ids() is None


def test_labels_of_a_label_map_can_be_ticked_too(panel):
    choose_lesions(panel)
    labels = a_label_map(MASKS["left"] + 2 * MASKS["right"], GRIDS["axial"])
    panel.ui.inputSegmentationSelector.setCurrentNode(labels)
    assert panel.ui.segmentsTable.rowCount == 2
    panel.state.leftOutSegments = '["1"]'
    panel.ui.applyButton.click()
    assert [row["lesion"] for row in panel.results._rows] == ["Lesion 2"]


def test_double_clicking_a_segment_shows_it(panel):
    node = slicer.vtkMRMLSliceNode()
    node.SetSingletonTag("Red")
    node = slicer.mrmlScene.GetSingletonNode("Red", "vtkMRMLSliceNode") or slicer.mrmlScene.AddNode(node)
    _, mask = choose_lesions(panel)
    panel.ui.segmentsTable.setCurrentCell(1, 0)
    panel.ui.showSegmentButton.click()
    centre = mask.GetSegmentCenterRAS(mask.GetSegmentation().GetNthSegmentID(1))
    assert slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())[:3, 3] == pytest.approx(centre)


def test_models_are_added_chosen_and_removed_after_a_question(panel, tmp_path, monkeypatch):
    from making_models import random_bundle

    monkeypatch.setenv("PULSARCAM_MODELS", str(tmp_path / "user"))
    panel.models.list_models()
    panel.refresh()
    random_bundle(tmp_path / "bundle", count=1)
    panel.dialogs.folder = lambda _title: str(tmp_path / "bundle")
    panel.ui.modelAddFolderButton.click()
    assert panel.state.model == "random"
    assert panel.ui.modelComboBox.currentText == "Random weights for tests"
    panel.dialogs.agree = lambda _question, _title: False
    panel.ui.modelRemoveButton.click()
    assert panel.state.model == "random"
    panel.dialogs.agree = lambda _question, _title: True
    panel.ui.modelRemoveButton.click()
    assert panel.state.model == "synthetic-demo"
    assert not panel.ui.modelRemoveButton.enabled
    assert "comes with PulsarCAM" in tip_of(panel.ui.modelRemoveButton)
    panel.dialogs.folder = lambda _title: ""
    panel.ui.modelAddFolderButton.click()
    assert panel.ui.modelComboBox.count == len(panel.logic.modelNames())


def test_a_model_that_is_gone_is_told(panel):
    choose_lesions(panel)
    panel.state.model = "gone"
    assert panel.ui.modelComboBox.currentIndex == -1
    assert not panel.ui.applyButton.enabled
    assert "no model “gone”" in panel.ui.modelOriginLabel.text


def test_the_card_is_one_click_away_and_its_text_cannot_be_markup(panel):
    from PulsarCAMLib.desktop.inputs.card_page import card_page
    from PulsarCAMLib.systems.bundles.card import ModelCard

    panel.ui.modelCardButton.click()
    dialog = panel.models._card_dialog
    assert dialog.windowTitle == panel.logic.modelCard("synthetic-demo").title
    page = card_page(ModelCard.from_fields(CARD | {"title": "<b>x</b>", "training": {"a": {"b": ["<i>", 1.5, True]}}}))
    assert "&lt;b&gt;x" in page
    assert "<i>" not in page
    assert "Research use only" in page


def test_a_deleted_parameter_set_gives_way_to_the_modules_own(panel):
    own = panel.state.parameterNode
    second = panel.ui.parameterSetSelector.addNode()
    assert panel.state.parameterNode is second
    panel.exit()
    panel.enter()
    assert panel.state.parameterNode is second
    slicer.mrmlScene.RemoveNode(second)
    assert panel.state.parameterNode is own


def test_an_unexpected_error_is_told_with_its_details_and_the_panel_is_ready(panel, a_desktop, monkeypatch):
    choose_lesions(panel)

    def fail(**_):
        raise RuntimeError("boom")

    monkeypatch.setattr(panel.logic, "explain", fail)
    panel.ui.applyButton.click()
    assert "boom" in panel.ui.statusLabel.text
    assert "Traceback" in a_desktop.messages[-1][2]
    assert panel.ui.applyButton.text == "Apply"


def test_going_to_another_module_while_it_runs_disconnects_at_the_end(panel, a_desktop):
    choose_lesions(panel)
    left = []

    def leave():
        if panel.isRunning and not left:
            left.append(True)
            panel.parent.exit()

    a_desktop.while_running(leave)
    panel.ui.applyButton.click()
    a_desktop.while_running(None)
    assert left
    assert panel.state is None
    panel.parent.enter()
    assert panel.ui.resultsTable.rowCount == 2
