"""``pulsarcam explain --compare --report`` on a small made scan."""

import csv

import numpy as np
import pytest
import SimpleITK as sitk
from making_files import a_scan, files_in, two_boxes

from PulsarCAMLib.agreement.voxel_measures import QUANTITIES


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_tables_gradient_maps_and_report_are_written_beside_the_maps(tmp_path, pulsarcam):
    volume, labels = a_scan(tmp_path)
    out = tmp_path / "out"
    options = ("--no-pictures", "--compare", "--report", "--class", "both", "--margin-mm", "3", "--shell-mm", "2")
    assert pulsarcam("explain", volume, labels, "-o", out, *options)[0] == 0
    more = {"agreement.csv", "shells.csv", "gradient_magnitude.nrrd", "radial_gradient.nrrd", "report.html"}
    assert more <= set(files_in(out))
    rows = rows_of(out / "agreement.csv")
    assert len(rows) == 2 * 2 * len(QUANTITIES)
    assert {row["map_class"] for row in rows} == {"response", "non-response"}
    shells = rows_of(out / "shells.csv")
    assert {row["to_mm"] for row in shells if row["region"] == "margin"} == {"3"}
    assert {row["to_mm"] for row in shells if row["region"] == "shell 1"} == {"2"}
    mri = sitk.ReadImage(str(volume))
    for name, least in (("gradient_magnitude", 0), ("radial_gradient", -1)):
        image = sitk.ReadImage(str(out / f"{name}.nrrd"))
        assert (image.GetSize(), image.GetSpacing()) == (mri.GetSize(), mri.GetSpacing())
        assert (image.GetOrigin(), image.GetDirection()) == (mri.GetOrigin(), mri.GetDirection())
        values = sitk.GetArrayFromImage(image)
        assert not values[two_boxes() == 0].any()
        assert least <= values.min() <= values.max()
        assert np.abs(values).max() > 0
        assert image.GetMetaData("PulsarCAM.sigma_mm") == "1.0"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "What the heat map agrees with" in page
    assert "Distance to the border" in page


@pytest.mark.parametrize(("target", "maps"), [("both", 11), ("response", 5)])
def test_all_methods_and_both_classes_are_all_maps_with_the_signed_one(target, maps, tmp_path, pulsarcam):
    out = tmp_path / "out"
    options = ("--no-pictures", "--compare", "--method", "all", "--class", target)
    assert pulsarcam("explain", *a_scan(tmp_path), "-o", out, *options)[0] == 0
    for name in ("agreement.csv", "shells.csv"):
        found = {(row["map_method"], row["map_class"]) for row in rows_of(out / name)}
        assert len(found) == maps
        assert (("pixelwise-signed", "both") in found) == (target == "both")


@pytest.mark.parametrize("method", ["gradcam", "pixelwise-signed"])
def test_the_scene_has_gradient_maps_tables_and_the_plot_too(method, tmp_path, pulsarcam):
    slicer = pytest.importorskip("slicer", reason="the slicer-core package is not installed")
    from PulsarCAMLib.scene.headless import HeadlessSlicer

    out = tmp_path / "out"
    options = ("--no-pictures", "--compare", "--scene", "--method", method)
    assert pulsarcam("explain", *a_scan(tmp_path), "-o", out, *options)[0] == 0
    with HeadlessSlicer():
        slicer.util.loadScene(str(out / "scene.mrb"), properties={})
        for name in ("gradient magnitude", "radial gradient"):
            values = slicer.util.arrayFromVolume(slicer.util.getNode(f"MRI {name}"))
            written = sitk.GetArrayFromImage(sitk.ReadImage(str(out / f"{name.replace(' ', '_')}.nrrd")))
            assert np.array_equal(values, written)
        table = slicer.util.getNode("MRI agreement table")
        assert table.GetNumberOfRows() == len(rows_of(out / "agreement.csv")) > 0
        profile = slicer.util.getNode("MRI profile table")
        assert profile.GetNumberOfRows() > 1
        chart = slicer.util.getNode("MRI profile chart")
        assert chart.GetNumberOfPlotSeriesNodes() == profile.GetNumberOfColumns() - 1 == 2


def test_without_the_option_nothing_is_compared(tmp_path, pulsarcam):
    out = tmp_path / "out"
    assert pulsarcam("explain", *a_scan(tmp_path), "-o", out, "--no-pictures", "--report")[0] == 0
    assert not {"agreement.csv", "shells.csv", "gradient_magnitude.nrrd"} & set(files_in(out))
    assert "What the heat map agrees with" not in (out / "report.html").read_text(encoding="utf-8")


def test_the_signed_map_and_the_predicted_class_are_compared_too(tmp_path, pulsarcam):
    out = tmp_path / "out"
    options = ("--no-pictures", "--compare", "--report", "--method", "pixelwise-signed", "--method", "gradcam")
    assert pulsarcam("explain", *a_scan(tmp_path), "-o", out, *options, "--class", "predicted")[0] == 0
    found = {(row["map_method"], row["map_class"]) for row in rows_of(out / "agreement.csv")}
    assert ("pixelwise-signed", "both") in found
    assert {method for method, _ in found} == {"pixelwise-signed", "gradcam"}
    assert "What the heat map agrees with" in (out / "report.html").read_text(encoding="utf-8")


def test_shells_without_thickness_are_refused_and_nothing_is_left(tmp_path, pulsarcam):
    code, _, err = pulsarcam("explain", *a_scan(tmp_path), "-o", tmp_path / "out", "--compare", "--shell-mm", "0")
    assert code == 3
    assert "thicker than zero" in err
    assert not (tmp_path / "out").exists()
