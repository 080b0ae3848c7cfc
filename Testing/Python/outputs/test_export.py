"""What the panel's Export writes: images on exactly the MRI's grid, tables, a report; all or nothing."""

from __future__ import annotations

import csv

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")
pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")

import SimpleITK as sitk
import slicer
from host.making import GRIDS, a_result, an_mri, box, shown_as

from PulsarCAMLib.agreement.map_comparison import compare_maps
from PulsarCAMLib.core.errors import OutputError
from PulsarCAMLib.outputs.export import Export, Told, export_files

MASKS = {"left": box((4, 10, 12), (8, 22, 30)), "right": box((9, 30, 34), (12, 40, 44))}


@pytest.fixture
def result(a_scene):
    return a_result(an_mri(ijk_to_ras=GRIDS["oblique"]), MASKS)


def export(result, folder, name="My MRI", overwrite=False, comparison=None, **files):
    volume = np.zeros(result.geometry.shape, dtype=np.int16)
    facts = {"method": "pixelwise", "nothing": None}
    how = {"told": Told(comparison), "overwrite": overwrite}
    return export_files(result, volume, folder, name, shown_as(), Export(**files), facts, **how)


@pytest.mark.parametrize("images", ["nrrd", "nii.gz"])
def test_images_lie_on_the_mris_grid(result, tmp_path, images):
    paths = export(result, tmp_path, images=images, report=False)
    assert len(paths) == 5
    read = sitk.ReadImage(str(tmp_path / f"My_MRI_pixelwise_non-response_mean.{images}"))
    assert np.allclose(sitk.GetArrayFromImage(read), result.heat_map())
    assert np.allclose(read.GetOrigin(), result.geometry.origin, atol=1e-4)
    assert np.allclose(read.GetSpacing(), result.geometry.spacing, atol=1e-5)
    assert np.allclose(np.reshape(read.GetDirection(), (3, 3)), result.geometry.direction, atol=1e-5)


def test_nifti_sub_regions_are_labels_in_the_order_of_the_table(result, tmp_path):
    export(result, tmp_path, images="nii.gz", heat_map=False, report=False)
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "My_MRI_pixelwise_non-response_regions.nii.gz")))
    for value, region in enumerate(result.sub_regions(), start=1):
        assert np.array_equal(labels == value, region.full_mask(labels.shape))
    with (tmp_path / "My_MRI_lesions.csv").open(encoding="utf-8") as file:
        assert [row["lesion"] for row in csv.DictReader(file)] == ["left", "right"]


def test_nrrd_says_where_it_comes_from(result, tmp_path):
    export(result, tmp_path, report=False, tables=False, sub_regions=False)
    read = sitk.ReadImage(str(tmp_path / "My_MRI_pixelwise_non-response_std.nrrd"))
    assert read.GetMetaData("PulsarCAM.method") == "pixelwise"
    assert read.GetMetaData("PulsarCAM.statistic") == "std"
    assert "PulsarCAM.nothing" not in read.GetMetaDataKeys()


def test_the_report_is_one_page(result, tmp_path):
    pytest.importorskip("matplotlib", reason="Matplotlib is not installed")
    (path,) = export(result, tmp_path, heat_map=False, tables=False, sub_regions=False)
    assert "Research use only" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("images", ["nrrd", "nii.gz"])
def test_what_was_compared_is_written_too(result, tmp_path, images):
    volume = np.random.default_rng(0).normal(300, 50, result.geometry.shape)
    found = compare_maps(result, volume)
    paths = export(result, tmp_path, images=images, report=False, compared=True, comparison=found)
    assert len(paths) == 9
    for name, wanted in (("gradient_magnitude", found.magnitude), ("radial_gradient", found.radial)):
        read = sitk.ReadImage(str(tmp_path / f"My_MRI_{name}.{images}"))
        assert np.allclose(sitk.GetArrayFromImage(read), wanted)
        assert np.allclose(read.GetOrigin(), result.geometry.origin, atol=1e-4)
    for name, rows in (("agreement", found.agreement), ("shells", found.shells)):
        with (tmp_path / f"My_MRI_{name}.csv").open(encoding="utf-8") as file:
            assert len(list(csv.DictReader(file))) == len(rows)


def test_nothing_chosen_and_files_in_the_way_are_told(result, tmp_path):
    nothing = dict.fromkeys(("heat_map", "sub_regions", "tables", "report"), False)
    with pytest.raises(OutputError, match="Nothing is chosen"):
        export(result, tmp_path, **nothing)
    export(result, tmp_path, **nothing | {"tables": True})
    with pytest.raises(OutputError, match="Already in"):
        export(result, tmp_path, report=False)
    assert len(list(tmp_path.iterdir())) == 2
    export(result, tmp_path, report=False, overwrite=True)
    assert len(list(tmp_path.iterdir())) == 5
    assert slicer.mrmlScene is not None


def test_names_of_scans_cannot_leave_the_folder(result, tmp_path):
    paths = export(result, tmp_path, name="../../etc/passwd", heat_map=False, sub_regions=False, report=False)
    assert all(path.parent == tmp_path and path.exists() for path in paths)
