"""The panel on the desktop stand-in: real .ui, real widget class, real MRML; what a person sees and presses."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

import slicer
from host.making import CARD, GRIDS, a_label_map, a_segmentation, an_mri, box, state_of_scene

from PulsarCAMLib.desktop.looking import tip_of

UI_FILES = sorted((Path(__file__).resolve().parents[3] / "PulsarCAM" / "Resources" / "UI").glob("*.ui"))
NO_CONTROLS = ("QLabel", "QProgressBar", "QWidget", "qMRMLWidget")
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
    assert tip_of(panel.ui.applyButton) == "Choose the MRI first"
    panel.ui.inputVolumeSelector.setCurrentNode(an_mri())
    assert tip_of(panel.ui.applyButton) == "Choose the segmentation of the lesions first"
    choose(panel)
    assert panel.ui.applyButton.enabled
    assert tip_of(panel.ui.applyButton) == "Predict and explain every lesion"


def test_the_mri_selector_offers_no_label_maps_and_the_lesion_selector_both_kinds(panel):
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
        if name.endswith(
            ("Selector", "ComboBox", "SliderWidget", "Button", "Label", "progressBar", "Table", "CheckBox")
        ):
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


def test_the_sample_button_is_there_until_there_is_an_mri(panel):
    assert panel.ui.sampleDataButton.visible or not panel.ui.sampleDataButton.isHidden()
    panel.ui.sampleDataButton.click()
    assert panel.ui.sampleDataButton.isHidden()
    assert panel.state.inputVolume is not None
    assert panel.ui.segmentsTable.rowCount == 4
    assert panel.ui.applyButton.enabled


def test_the_table_follows_the_segmentation(panel):
    _, mask = choose(panel)
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
    mri, mask = choose(panel)
    panel.ui.noSegmentsButton.click()
    ids = [mask.GetSegmentation().GetNthSegmentID(n) for n in range(2)]
    assert json.loads(panel.state.leftOutSegments) == ids
    other = a_segmentation(MASKS, mri, name="others")
    panel.ui.inputSegmentationSelector.setCurrentNode(other)
    assert panel.lesionList.chosen_ids() is None


def test_labels_of_a_label_map_can_be_ticked_too(panel):
    choose(panel)
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
    _, mask = choose(panel)
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
    panel.asking.folder = lambda _title: str(tmp_path / "bundle")
    panel.ui.modelAddFolderButton.click()
    assert panel.state.model == "random"
    assert panel.ui.modelComboBox.currentText == "Random weights for tests"
    panel.asking.agree = lambda _question, _title: False
    panel.ui.modelRemoveButton.click()
    assert panel.state.model == "random"
    panel.asking.agree = lambda _question, _title: True
    panel.ui.modelRemoveButton.click()
    assert panel.state.model == "synthetic-demo"
    assert not panel.ui.modelRemoveButton.enabled
    assert "comes with PulsarCAM" in tip_of(panel.ui.modelRemoveButton)
    panel.asking.folder = lambda _title: ""
    panel.ui.modelAddFolderButton.click()
    assert panel.ui.modelComboBox.count == len(panel.logic.modelNames())


def test_a_model_that_is_gone_is_told(panel):
    choose(panel)
    panel.state.model = "gone"
    assert panel.ui.modelComboBox.currentIndex == -1
    assert not panel.ui.applyButton.enabled
    assert "no model “gone”" in panel.ui.modelOriginLabel.text


def test_the_card_is_one_click_away_and_its_text_cannot_be_markup(panel):
    from PulsarCAMLib.desktop.card_page import card_page
    from PulsarCAMLib.models import ModelCard

    panel.ui.modelCardButton.click()
    dialog = panel.models._card_dialog
    assert dialog.windowTitle == panel.logic.modelCard("synthetic-demo").title
    page = card_page(ModelCard.from_fields(CARD | {"title": "<b>x</b>", "training": {"a": {"b": ["<i>", 1.5, True]}}}))
    assert "&lt;b&gt;x" in page
    assert "<i>" not in page
    assert "Research use only" in page


def test_settings_wait_for_apply_where_the_user_wants_that(panel):
    choose(panel)
    panel.ui.applyButton.click()
    panel.ui.updateCheckBox.checked = False
    panel.ui.methodComboBox.currentIndex = 1
    assert panel.state.heatMapVolume.GetAttribute("PulsarCAM.method") == "pixelwise"
    assert "Update at once" in panel.ui.statusLabel.text
    panel.ui.updateCheckBox.checked = True
    assert panel.state.heatMapVolume.GetAttribute("PulsarCAM.method") == "gradcam"
    assert "Update at once" not in panel.ui.statusLabel.text


def test_a_volume_that_is_chosen_as_output_is_written_by_apply_only(panel):
    choose(panel)
    panel.ui.applyButton.click()
    mine = an_mri("mine")
    before = slicer.util.arrayFromVolume(mine).copy()
    panel.ui.heatMapSelector.setCurrentNode(mine)
    panel.ui.methodComboBox.currentIndex = 1
    assert (slicer.util.arrayFromVolume(mine) == before).all()
    assert panel.state.spreadVolume.GetAttribute("PulsarCAM.method") == "gradcam"
    panel.ui.applyButton.click()
    assert mine.GetAttribute("PulsarCAM.method") == "gradcam"


def test_the_signed_map_needs_no_class(panel):
    choose(panel)
    panel.ui.applyButton.click()
    panel.ui.methodComboBox.currentIndex = 3
    assert not panel.ui.targetComboBox.enabled
    assert "both classes" in tip_of(panel.ui.targetComboBox)
    display = panel.state.heatMapVolume.GetDisplayNode()
    assert display.GetColorNode().GetName() == "PulsarCAM signed"


def test_the_look_changes_only_what_it_names(panel):
    composite = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    choose(panel)
    panel.ui.applyButton.click()
    panel.ui.opacitySliderWidget.value = 80
    assert composite.GetForegroundOpacity() == pytest.approx(0.8)
    panel.ui.statisticComboBox.currentIndex = 1
    assert composite.GetForegroundVolumeID() == panel.state.spreadVolume.GetID()
    panel.ui.legendCheckBox.checked = True
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(panel.state.spreadVolume)
    assert legend.GetVisibility()
    panel.ui.colorMapComboBox.currentIndex = 3
    assert panel.state.spreadVolume.GetDisplayNode().GetColorNode().GetName() == "Grey"


def test_opening_the_panel_on_a_scene_with_results_changes_no_view(panel):
    composite = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    choose(panel)
    panel.ui.applyButton.click()
    panel.exit()
    composite.SetForegroundOpacity(0.123)
    panel.enter()
    assert composite.GetForegroundOpacity() == pytest.approx(0.123)


def test_headings_sort_and_the_chosen_lesion_stays(panel):
    choose(panel)
    panel.ui.applyButton.click()
    panel.results.choose("right")
    panel.results.sort_by(0, True)
    names = [panel.ui.resultsTable.item(row, 0).text() for row in range(2)]
    assert names == ["right", "left"]
    assert panel.ui.resultsTable.currentRow() == 0
    assert panel.ui.lesionLabel.text.startswith("right")


def test_methods_are_compared_and_the_views_come_back(panel):
    choose(panel)
    panel.ui.applyButton.click()
    before = slicer.app.layoutManager().layout
    panel.ui.compareButton.click()
    assert panel.ui.compareButton.text == "Earlier views"
    shown = {c.GetLayoutName(): c for c in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")}
    maps = [slicer.mrmlScene.GetNodeByID(shown[f"PulsarCAM{n}"].GetForegroundVolumeID()) for n in (1, 2, 3)]
    assert [m.GetAttribute("PulsarCAM.method") for m in maps] == ["pixelwise", "gradcam", "gradcam++"]
    panel.ui.targetComboBox.currentIndex = 1
    assert {m.GetAttribute("PulsarCAM.target") for m in maps} == {"response"}
    panel.ui.compareButton.click()
    assert slicer.app.layoutManager().layout == before
    assert panel.ui.compareButton.text == "Compare methods"


def test_one_slice_is_opened_up_and_saved(panel, tmp_path):
    pytest.importorskip("matplotlib", reason="Matplotlib is not installed")
    choose(panel)
    panel.ui.applyButton.click()
    assert not panel.ui.inspectButton.enabled
    assert "Choose a lesion" in tip_of(panel.ui.inspectButton)
    panel.results.choose("left")
    panel.ui.inspectButton.click()
    window = panel.tools._inspector
    window.slice_slider.value = 0
    window.member_box.currentIndex = 1
    assert (window._seen.slice, window._seen.member) == (0, 0)
    panel.asking.new_picture = lambda _title: str(tmp_path / "slice")
    window.save_button.click()
    assert (tmp_path / "slice.png").read_bytes().startswith(b"\x89PNG")


def test_export_asks_before_it_replaces(panel, tmp_path):
    choose(panel)
    panel.ui.applyButton.click()
    panel.ui.exportReportCheckBox.checked = False
    panel.asking.folder = lambda _title, _start: str(tmp_path)
    panel.ui.exportButton.click()
    assert panel.ui.statusLabel.text.startswith("5 files written")
    (tmp_path / "t1c_lesions.csv").write_text("mine")
    asked = []
    panel.asking.agree = lambda question, _title: asked.append(question) or False
    panel.ui.exportButton.click()
    assert "t1c_lesions.csv" in asked[0]
    assert (tmp_path / "t1c_lesions.csv").read_text() == "mine"
    panel.asking.agree = lambda _question, _title: True
    panel.ui.exportButton.click()
    assert (tmp_path / "t1c_lesions.csv").read_text() != "mine"
    for name in ("HeatMap", "SubRegions", "Tables"):
        getattr(panel.ui, f"export{name}CheckBox").checked = False
    assert not panel.ui.exportButton.enabled
    assert "Tick at least one" in tip_of(panel.ui.exportButton)


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
    choose(panel)

    def fail(**_):
        raise RuntimeError("boom")

    monkeypatch.setattr(panel.logic, "explain", fail)
    panel.ui.applyButton.click()
    assert "boom" in panel.ui.statusLabel.text
    assert "Traceback" in a_desktop.messages[-1][2]
    assert panel.ui.applyButton.text == "Apply"


def test_going_to_another_module_while_it_runs_disconnects_at_the_end(panel, a_desktop):
    choose(panel)
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


@pytest.mark.parametrize("path", UI_FILES, ids=lambda path: path.name)
def test_the_keyboard_reaches_every_control_from_top_to_bottom(path):
    tree = ET.parse(path).getroot()
    stops = [stop.text for stop in tree.iter("tabstop")]
    assert stops == [w.get("name") for w in tree.iter("widget") if w.get("class") not in NO_CONTROLS]


@pytest.mark.parametrize("path", UI_FILES, ids=lambda path: path.name)
def test_nothing_in_the_panel_has_a_color_or_style_of_its_own(path):
    text = path.read_text(encoding="utf-8")
    assert not [word for word in ("styleSheet", "palette", "<color", "<font") if word in text]


def test_the_panel_is_narrow_enough_for_a_small_screen(panel):
    from host.pythonqt import unwrap

    choose(panel)
    panel.ui.applyButton.click()
    panel.results.choose("left")
    sections = [getattr(panel.ui, name) for name in dir(panel.ui) if name.endswith("CollapsibleButton")]
    assert len(sections) == 7
    for section in sections:
        section.collapsed = False
    assert unwrap(panel.parent).minimumSizeHint().width() <= 380


def test_opening_the_panel_imports_nothing_heavy():
    code = (
        "import sys; from host.desktop import Desktop\n"
        "with Desktop() as desktop:\n"
        "    desktop.open_panel()\n"
        "    found = {'torch', 'matplotlib', 'pandas', 'safetensors'} & set(sys.modules)\n"
        "    sys.exit(f'imported: {found}' if found else 0)\n"
    )
    paths = [p for p in sys.path if p]
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}\n{code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
