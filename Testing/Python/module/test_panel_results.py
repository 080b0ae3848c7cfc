"""What the panel does with a result: live settings, looks, tables, comparison, inspection, export."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

import slicer
from host.making import an_mri, choose_lesions
from PulsarCAMScenarios.looking import tip_of

from PulsarCAMLib.systems.maps.blocks import OcclusionSettings


def test_settings_wait_for_apply_where_the_user_wants_that(panel):
    choose_lesions(panel)
    panel.ui.applyButton.click()
    panel.ui.updateCheckBox.checked = False
    panel.ui.methodComboBox.currentIndex = 1
    assert panel.state.heatMapVolume.GetAttribute("PulsarCAM.method") == "pixelwise"
    assert "Show changes at once" in panel.ui.statusLabel.text
    panel.ui.updateCheckBox.checked = True
    assert panel.state.heatMapVolume.GetAttribute("PulsarCAM.method") == "gradcam"
    assert "Show changes at once" not in panel.ui.statusLabel.text


def test_a_volume_that_is_chosen_as_output_is_written_by_apply_only(panel):
    choose_lesions(panel)
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
    choose_lesions(panel)
    panel.ui.applyButton.click()
    box = panel.ui.methodComboBox
    box.currentIndex = [box.itemText(n) for n in range(box.count)].index("Pixel-wise CAM, signed (both classes)")
    assert not panel.ui.targetComboBox.enabled
    assert "both classes" in tip_of(panel.ui.targetComboBox)
    display = panel.state.heatMapVolume.GetDisplayNode()
    assert display.GetColorNode().GetName() == "PulsarCAM signed"


def test_the_look_changes_only_what_it_names(panel):
    composite = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    choose_lesions(panel)
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
    choose_lesions(panel)
    panel.ui.applyButton.click()
    panel.exit()
    composite.SetForegroundOpacity(0.123)
    panel.enter()
    assert composite.GetForegroundOpacity() == pytest.approx(0.123)


def test_a_closed_scene_unfolds_the_inputs_that_its_answer_had_folded(panel):
    choose_lesions(panel)
    panel.ui.applyButton.click()
    assert panel.ui.inputsCollapsibleButton.collapsed
    slicer.mrmlScene.Clear(0)
    assert not panel.ui.inputsCollapsibleButton.collapsed


def test_headings_sort_and_the_chosen_lesion_stays(panel):
    from PulsarCAMLib.desktop.widgets.narrow_table import TWO_LINES

    choose_lesions(panel)
    panel.ui.applyButton.click()
    panel.results.choose("right")
    panel.results.sort_by(0, True)
    names = [panel.ui.resultsTable.item(row, 0).text() for row in range(2)]
    assert names == ["right", "left"]
    assert panel.ui.resultsTable.currentRow() == 0
    (row,) = (row for row in panel.results._rows if row["lesion"] == "right")
    p, low, high = (row[name] for name in ("probability_response", "answer_low", "answer_high"))
    panel.results.narrow.arrange(TWO_LINES)  # as in a panel that is wide enough for ranges
    assert panel.ui.resultsTable.item(0, 2).text() == f"{p:.2f}\n({low:.2f} to {high:.2f})"
    told = panel.ui.resultsTable.item(0, 1).toolTip()
    assert told.startswith(f"right: {row['answer']}, p(response) {p:.2f} (")
    not_ruled_out, curve, *_ = panel.ui.lesionLabel.text.splitlines()
    assert not_ruled_out.startswith("right, with errors for at most 10% of patients: ")
    assert curve.startswith("right: probability of response in each of its ")


def test_methods_are_compared_and_the_views_come_back(panel):
    choose_lesions(panel)
    panel.ui.applyButton.click()
    before = slicer.app.layoutManager().layout
    panel.ui.compareButton.click()
    assert panel.ui.compareButton.text == "Earlier views"
    shown = {c.GetLayoutName(): c for c in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")}
    maps = [slicer.mrmlScene.GetNodeByID(shown[f"PulsarCAM{n}"].GetForegroundVolumeID()) for n in range(1, 6)]
    methods = ["pixelwise", "gradcam", "gradcam++", "pixelwise-relative", "gradcam-relative"]
    assert [m.GetAttribute("PulsarCAM.method") for m in maps] == methods
    panel.ui.targetComboBox.currentIndex = 1
    assert {m.GetAttribute("PulsarCAM.target") for m in maps} == {"response"}
    panel.ui.compareButton.click()
    assert slicer.app.layoutManager().layout == before
    assert panel.ui.compareButton.text == "Methods side by side"


def test_one_slice_is_opened_up_and_saved(panel, tmp_path):
    pytest.importorskip("matplotlib", reason="Matplotlib is not installed")
    choose_lesions(panel)
    panel.ui.applyButton.click()
    panel.results.choose("left")
    panel.ui.inspectButton.click()
    window = panel.methodViews._inspector
    window.slice_slider.value = 0
    window.member_box.currentIndex = 1
    assert (window._seen.slice, window._seen.member) == (0, 0)
    panel.dialogs.new_picture = lambda _title: str(tmp_path / "slice")
    window.save_button.click()
    assert (tmp_path / "slice.png").read_bytes().startswith(b"\x89PNG")


def test_export_asks_before_it_replaces(panel, tmp_path):
    choose_lesions(panel)
    panel.ui.applyButton.click()
    panel.ui.exportReportCheckBox.checked = False
    panel.dialogs.folder = lambda _title, _start: str(tmp_path)
    panel.ui.exportButton.click()
    assert panel.ui.statusLabel.text.startswith("5 files written")
    (tmp_path / "t1c_lesions.csv").write_text("mine")
    asked = []
    panel.dialogs.agree = lambda question, _title: asked.append(question) or False
    panel.ui.exportButton.click()
    assert "t1c_lesions.csv" in asked[0]
    assert (tmp_path / "t1c_lesions.csv").read_text() == "mine"
    panel.dialogs.agree = lambda _question, _title: True
    panel.ui.exportButton.click()
    assert (tmp_path / "t1c_lesions.csv").read_text() != "mine"
    for name in ("HeatMap", "SubRegions", "Tables"):
        getattr(panel.ui, f"export{name}CheckBox").checked = False
    assert not panel.ui.exportButton.enabled
    assert "Tick at least one" in tip_of(panel.ui.exportButton)


def test_settings_of_a_method_stand_where_the_method_has_some_and_make_a_result_old(panel, monkeypatch):
    choose_lesions(panel)
    panel.ui.explanationCollapsibleButton.collapsed = False
    system, row = panel.models.system(), (panel.ui.mapSettingsLineEdit, panel.ui.mapSettingsLineEditLabel)
    assert all(widget.isHidden() for widget in row)
    panel.state.mapSettings = "block 8"
    assert panel.inputs()["mapSettings"] == ""
    before = panel.inputsKey()
    first, *others = system.maps
    monkeypatch.setattr(type(system), "maps", (replace(first, choices=OcclusionSettings), *others))
    panel.refresh()
    assert not any(widget.isHidden() for widget in row)
    assert "what stands in" in tip_of(panel.ui.mapSettingsLineEdit)
    assert panel.ui.mapSettingsLineEdit.text == panel.inputs()["mapSettings"] == "block 8"
    assert panel.inputsKey() != before


def test_a_tool_tip_tells_how_far_an_answer_moves(a_desktop):
    from PulsarCAMLib.desktop.results.row_words import left_out, stability

    row = {"p_min": 0.412, "p_max": 0.66, "stability": 9 / 11}
    told = "0.41 to 0.66 when contour, image or grid lie half a voxel otherwise; the class stays in 82%"
    assert stability(row) == told
    assert stability({"p_min": 0.412}) == ""  # a table of before, or one without it
    row = {"logit": -2.1, "logit_change_outside": 0.123, "logit_change_shuffled": 4.5}
    assert left_out(row) == (
        "Logit -2.10: +0.12 with tissue outside the contour replaced, +4.50 with pixels inside shuffled"
    )
    assert left_out({"logit": -2.1}) == ""


def test_lesions_that_painting_left_out_are_painted_only_after_a_question(panel, monkeypatch):
    section, ui, painted, asked = panel.painting, panel.ui, [], []
    monkeypatch.setattr(section, "_why_not", lambda: "")
    monkeypatch.setattr(section, "_paint", lambda anyway: painted.append(anyway) or "")
    ui.paintGroupBox.collapsed = False
    section._rows = [{"lesion": "left", "painted": 1, "why_not": ""}]
    section._enable()
    assert ui.paintLeftOutButton.isHidden()
    section._rows.append({"lesion": "right", "painted": 0, "why_not": "its answer is not stable"})
    section._enable()
    assert not ui.paintLeftOutButton.isHidden()
    for agree in (False, True):
        panel.dialogs.agree = lambda question, _title, agree=agree: asked.append(question) or agree
        ui.paintLeftOutButton.click()
        assert painted == [True] * agree
    assert asked[0].startswith("“right” is not painted: its answer is not stable.")
    assert "left" not in asked[0]
