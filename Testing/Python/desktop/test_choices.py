"""The panel's choices come from the vocabulary of systems, tasks and display settings."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

import slicer
from host.making import choose_lesions
from PulsarCAMScenarios.stranger import Stranger

from PulsarCAMLib.core.display import Threshold
from PulsarCAMLib.core.vocabulary import IMAGE_FORMATS, NORMALISATIONS, PARTS, STATISTICS
from PulsarCAMLib.systems.autoencoder import system
from PulsarCAMLib.systems.autoencoder.maps import closed_form as maps, compute
from PulsarCAMLib.systems.autoencoder.system import AUTOENCODER

NEW = replace(maps.METHODS[1], name="layercam", title="Layer-CAM", saved_name="LAYERCAM")


@pytest.fixture
def panel(a_desktop, a_model):
    return a_desktop.open_panel()


@pytest.fixture
def a_new_method(monkeypatch):
    """As if it had been written into ``systems/autoencoder/maps/closed_form.py``."""
    methods = (*maps.METHODS[:3], NEW, *maps.METHODS[3:])
    for owner, name in ((maps, "METHODS"), (compute, "METHODS"), (system, "METHODS"), (system.Autoencoder, "maps")):
        monkeypatch.setattr(owner, name, methods)


def rows(box) -> list[str]:
    return [box.itemText(n) for n in range(box.count)]


def test_what_saved_scenes_hold_stays(a_desktop):
    from PulsarCAMLib.desktop import choices

    methods = choices.method_choices(AUTOENCODER)
    assert [each.saved for each in methods] == [
        *("PIXELWISE", "GRADCAM", "GRADCAMPP"),
        *("PIXELWISE_RELATIVE", "GRADCAM_RELATIVE", "SIGNED"),
    ]
    assert [each.label for each in methods] == [
        "Pixel-wise CAM",
        "Grad-CAM",
        "Grad-CAM++",
        "Pixel-wise CAM, relative",
        "Grad-CAM, relative",
        "Pixel-wise CAM, signed (both classes)",
    ]
    classes = choices.class_choices(AUTOENCODER.task)
    assert [each.saved for each in classes] == ["NON_RESPONSE", "RESPONSE", "PREDICTED"]
    assert [each.label for each in classes] == [
        "Non-response (does not shrink)",
        "Response (shrinks)",
        "Predicted class of each lesion",
    ]
    for kind, names in (
        (choices.Parts, "AUTO TOGETHER SEPARATE"),
        (choices.Normalisation, "NONE LESION SCAN"),
        (choices.Statistic, "MEAN SPREAD"),
        (choices.ColorMap, "AUTO HEAT VIRIDIS GREY"),
        (choices.ImageFormat, "NRRD NIFTI"),
    ):
        assert [member.name for member in kind] == names.split()
        assert all(member.label() not in ("", member.value) or member.name == "GREY" for member in kind)


def test_the_library_offers_what_it_knows(a_desktop):
    from PulsarCAMLib.desktop import choices

    assert tuple(member.value for member in choices.Normalisation) == NORMALISATIONS
    assert tuple(member.value for member in choices.Statistic) == STATISTICS
    assert tuple(member.value for member in choices.Parts) == PARTS
    assert tuple(member.value for member in choices.ImageFormat) == IMAGE_FORMATS


def test_a_name_that_the_system_does_not_have_stands_for_its_usual_choice(a_desktop):
    from PulsarCAMLib.desktop import choices

    offered = choices.method_choices(Stranger())
    assert [each.saved for each in offered] == ["GRADCAM", "SALIENCY", "SLOW"]
    assert choices.chosen(offered, "SALIENCY", "gradcam").value == "saliency"
    for saved in ("PIXELWISE", ""):
        assert choices.chosen(offered, saved, "gradcam").value == "gradcam"


def test_a_scene_of_an_earlier_version_opens_with_its_choices(panel):
    for name, value in (("method", "GRADCAMPP"), ("target", "PREDICTED")):
        panel.state.parameterNode.SetParameter(name, value)
    assert panel.ui.methodComboBox.currentText == "Grad-CAM++"
    assert panel.ui.targetComboBox.currentText == "Predicted class of each lesion"
    settings = panel.settings()
    assert (settings.method, settings.target) == ("gradcam++", "predicted")


def test_a_new_method_is_offered_compared_and_drawn(a_new_method, panel):
    assert rows(panel.ui.methodComboBox)[3] == "Layer-CAM"
    choose_lesions(panel)
    panel.ui.methodComboBox.currentIndex = 3
    assert panel.state.parameterNode.GetParameter("method") == "LAYERCAM"
    panel.ui.applyButton.click()
    assert panel.state.heatMapVolume.GetAttribute("PulsarCAM.method") == "layercam"
    panel.ui.compareButton.click()
    shown = [slicer.mrmlScene.GetSingletonNode(f"PulsarCAM{n}", "vtkMRMLSliceNode") for n in (1, 2, 3, 4)]
    assert [node.GetLayoutLabel() for node in shown] == ["Pixel-wise CAM", "Grad-CAM", "Grad-CAM++", "Layer-CAM"]
    panel.ui.compareButton.click()
    panel.ui.compareMapsButton.click()
    assert panel.ui.agreementResultsTable.rowCount > 0
    assert "Layer-CAM" in panel.state.profileChart.GetTitle()


def test_per_cent_in_the_panel_are_shares_everywhere_else(panel, tmp_path):
    """Fails where the panel's per cent are divided by anything but 100, or divided twice."""
    import csv

    choose_lesions(panel)
    panel.ui.applyButton.click()
    panel.ui.thresholdSliderWidget.value = 30
    assert panel.settings().threshold == Threshold("fraction", 0.3)
    result = panel.result().scanResult
    expected = [
        int(region.mask.sum()) for region in result.sub_regions("pixelwise", "non-response", Threshold("fraction", 0.3))
    ]
    voxel_cm3 = result.geometry.voxel_volume_mm3 / 1000
    written = slicer.util.arrayFromTableColumn(panel.state.lesionTable, "activated_volume_cm3")
    assert [round(each / voxel_cm3) for each in written] == expected
    assert panel.state.subRegions.GetAttribute("PulsarCAM.threshold").startswith("above 30% of")
    panel.ui.exportReportCheckBox.checked = False
    panel.dialogs.folder = lambda _title, _start: str(tmp_path)
    panel.ui.exportButton.click()
    with (tmp_path / "t1c_lesions.csv").open(encoding="utf-8") as file:
        exported = [float(row["activated_volume_cm3"]) for row in csv.DictReader(file)]
    assert [round(each / voxel_cm3) for each in exported] == expected


def test_a_method_that_takes_another_pass_waits_for_apply(panel, monkeypatch):
    choose_lesions(panel)
    panel.ui.applyButton.click()
    run = panel.resultCache.of(panel.state)
    units = tuple(
        replace(unit, maps={key: value for key, value in unit.maps.items() if key[0] != "gradcam"})
        for unit in run.written.scanResult.units
    )
    run.written = replace(run.written, scanResult=replace(run.written.scanResult, units=units))
    panel.ui.methodComboBox.currentIndex = 1
    assert "Grad-CAM is computed when it is asked for: press Apply." in panel.ui.statusLabel.text
    assert panel.state.heatMapVolume.GetAttribute("PulsarCAM.method") == "pixelwise"
    panel.ui.applyButton.click()
    assert panel.state.heatMapVolume.GetAttribute("PulsarCAM.method") == "gradcam"
