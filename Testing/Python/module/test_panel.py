"""The panel on the desktop stand-in: real .ui, real widget class, real MRML; what a person sees and presses."""

from __future__ import annotations

import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

import slicer
from host.making import GRIDS, a_segmentation, an_mri, box, state_of_scene

MASKS = {"left": box((4, 10, 12), (8, 22, 30)), "right": box((9, 30, 34), (12, 40, 44))}


@pytest.fixture
def panel(a_desktop, a_model):
    return a_desktop.open_panel()


def choose(panel, grid="axial"):
    mri = an_mri(ijk_to_ras=GRIDS[grid])
    mask = a_segmentation(MASKS, mri)
    panel.ui.inputVolumeSelector.setCurrentNode(mri)
    panel.ui.inputSegmentationSelector.setCurrentNode(mask)
    return mri, mask


def test_apply_says_what_is_missing(panel):
    assert not panel.ui.applyButton.enabled
    assert panel.ui.applyButton.toolTip == "Choose the MRI first"
    panel.ui.inputVolumeSelector.setCurrentNode(an_mri())
    assert panel.ui.applyButton.toolTip == "Choose the segmentation of the lesions first"
    choose(panel)
    assert panel.ui.applyButton.enabled
    assert panel.ui.applyButton.toolTip == "Predict and explain every lesion"


def test_the_mri_selector_offers_no_label_maps_and_the_lesion_selector_both_kinds(panel):
    from host.making import a_label_map

    choose(panel)
    a_label_map(MASKS["left"], GRIDS["axial"])
    assert panel.ui.inputVolumeSelector.nodeCount() == 1
    assert panel.ui.inputSegmentationSelector.nodeCount() == 2


def test_the_models_origin_is_shown(panel):
    assert panel.ui.modelComboBox.currentText == panel.logic.modelCard("synthetic-demo").title
    assert "synthetic" in panel.ui.modelOriginLabel.text
    assert "Research use only" in panel.ui.modelOriginLabel.text


def test_apply_makes_the_outputs_and_shows_the_overlay(panel):
    composite = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    mri, _ = choose(panel)
    panel.ui.applyButton.click()
    state = panel._parameterNode
    assert state.heatMapVolume is not None
    assert composite.GetBackgroundVolumeID() == mri.GetID()
    assert composite.GetForegroundVolumeID() == state.heatMapVolume.GetID()
    assert composite.GetForegroundOpacity() == 0.5
    assert panel.ui.heatMapSelector.currentNode() is state.heatMapVolume
    assert panel.ui.resultsCollapsibleButton.enabled
    assert panel.ui.statusLabel.text.startswith("2 lesions explained.")
    assert panel.ui.applyButton.text == "Apply"
    assert panel.ui.applyButton.enabled
    assert not panel.ui.progressBar.visible


def test_a_second_apply_writes_into_the_same_nodes(panel):
    choose(panel)
    panel.ui.applyButton.click()
    first = panel._parameterNode.heatMapVolume
    count = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    panel.ui.methodComboBox.currentIndex = 1
    panel.ui.applyButton.click()
    assert panel._parameterNode.heatMapVolume is first
    assert first.GetAttribute("PulsarCAM.method") == "gradcam"
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == count


def test_cancel_leaves_the_scene_as_it_was(panel):
    choose(panel)
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


def test_an_error_is_shown_and_the_panel_is_ready_again(panel):
    _, mask = choose(panel)
    slicer.util.updateTransformMatrixFromArray(
        node := slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode"), GRIDS["axial"] * 40
    )
    mask.SetAndObserveTransformNodeID(node.GetID())
    panel.ui.applyButton.click()
    assert "lies outside the MRI" in panel.ui.statusLabel.text
    assert panel.ui.applyButton.enabled
    assert panel.ui.applyButton.text == "Apply"


def test_the_state_is_saved_with_the_scene_and_bound_both_ways(panel):
    choose(panel)
    panel.ui.targetComboBox.currentIndex = 1
    panel.ui.thresholdSliderWidget.value = 70
    node = panel._parameterNode.parameterNode
    assert node.GetParameter("target") == "RESPONSE"
    assert float(node.GetParameter("threshold")) == 70
    panel._parameterNode.method = panel.logic.getParameterNode().method.__class__.GRADCAMPP
    assert panel.ui.methodComboBox.currentText == "Grad-CAM++"


def test_closing_the_scene_empties_the_panel(panel):
    choose(panel)
    panel.ui.applyButton.click()
    slicer.mrmlScene.Clear(False)
    assert panel.ui.inputVolumeSelector.currentNode() is None
    assert not panel.ui.applyButton.enabled
    choose(panel)
    panel.ui.applyButton.click()
    assert panel.ui.statusLabel.text.startswith("2 lesions")


def test_every_control_has_a_tool_tip(panel):
    for name, widget in vars(panel.ui).items():
        if name.endswith(("Selector", "ComboBox", "SliderWidget", "Button", "Label", "progressBar", "TableView")):
            if name.endswith("CollapsibleButton"):
                continue
            assert widget.toolTip, name


def test_leaving_and_entering_the_panel_keeps_the_state(panel):
    mri, _ = choose(panel)
    panel.exit()
    panel.ui.targetComboBox.currentIndex = 1
    panel.enter()
    assert panel.ui.inputVolumeSelector.currentNode() is mri
    assert panel.ui.targetComboBox.currentIndex == 0
