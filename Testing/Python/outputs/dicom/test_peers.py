"""Other programs judge and read what is written: dciodvfy, dcmqi in two versions, plastimatch, SimpleITK.

A ramp in all three directions and contours with a hole, on an oblique series, with names beyond ASCII.
"""

import numpy as np
import pytest

pytest.importorskip("highdicom", reason="highdicom (extra dicom) is not installed")

import SimpleITK as sitk
from dicom_peers import (
    OLD_DCMQI,
    by_dcmqi,
    by_plastimatch,
    dose_by_plastimatch,
    messages,
    on_grid,
    program,
    report_by_dcmqi,
    unexplained,
)
from making_dicom_objects import a_maker, a_ramp, a_source, some_regions
from making_files import OBLIQUE

from PulsarCAMLib.outputs.dicom.dose_grid import dose_of
from PulsarCAMLib.outputs.dicom.parametric_map import parametric_map_of
from PulsarCAMLib.outputs.dicom.report import Figure, Group, report_of
from PulsarCAMLib.outputs.dicom.segmentation import segmentation_of
from PulsarCAMLib.outputs.dicom.structure_set import Region, structure_set_of
from PulsarCAMLib.outputs.dicom.tracking import tracked

VERSIONS = pytest.mark.parametrize("version", ["", OLD_DCMQI])
OBJECTS = ("structures", "seg", "pm", "dose", "report")


def needs(name, version=""):
    if program(name, version) is None:
        where = f"dcmqi {version}, which Testing/dicom_peers.sh installs" if version else "the extra test"
        pytest.skip(f"{name} is not installed; it comes with {where}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All objects of one series, which lies beside them."""
    folder = tmp_path_factory.mktemp("objects")
    source, _ = a_source(folder / "mri")
    maker, regions = a_maker(), some_regions()
    seg = segmentation_of(regions, source, maker, "lesion", "activated", True)
    figures = [Figure("volume", "Volume", 12.5, "mm3"), Figure("share", "Share that is activated", 0.25)]
    answers = {("answer", "Answer"): ("uncertain", "uncertain")}
    groups = [Group(each.name, True, seg, n, figures, answers) for n, each in enumerate(regions[:2], start=1)]
    pm = parametric_map_of(a_ramp(), source, maker, "a ramp", ("ramp", "Ramp"), "no unit", (0.0, 12.0), (2, 9))
    made = {
        "structures": structure_set_of([Region(each, "above half") for each in regions], source, maker),
        "seg": seg,
        "pm": pm,
        "dose": dose_of(a_ramp() * 5, OBLIQUE, source, maker, "prescription"),
        "report": report_of(groups, source, maker, "lesion", [pm]),
    }
    for name, each in made.items():
        each.save_as(folder / f"{name}.dcm", enforce_file_format=True)
    return folder


@pytest.mark.parametrize("name", OBJECTS)
def test_the_validator_finds_nothing_that_is_not_explained(folder, name):
    needs("dciodvfy")
    assert unexplained(folder / f"{name}.dcm", [next((folder / "mri").glob("*.dcm"))]) == []


def test_the_validator_would_find_something(folder, tmp_path):
    needs("dciodvfy")
    import pydicom

    data = pydicom.dcmread(folder / "pm.dcm")
    del data.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence
    data.save_as(tmp_path / "bad.dcm")
    assert unexplained(tmp_path / "bad.dcm", [])
    assert messages(tmp_path / "bad.dcm")


@VERSIONS
def test_dcmqi_places_the_ramp_where_it_is(folder, tmp_path, version):
    needs("paramap2itkimage", version)
    (image,) = by_dcmqi(folder / "pm.dcm", tmp_path / "out", "paramap2itkimage", version)
    assert image.GetSize() == (64, 60, 7)
    assert np.array_equal(on_grid(image, OBLIQUE)[2:9], a_ramp()[2:9])


@VERSIONS
def test_dcmqi_reads_the_segments(folder, tmp_path, version):
    needs("segimage2itkimage", version)
    images = by_dcmqi(folder / "seg.dcm", tmp_path / "out", "segimage2itkimage", version)
    for image, region in zip(images, some_regions()[:2], strict=True):
        assert np.array_equal(on_grid(image, OBLIQUE) > 0, region.full_mask(OBLIQUE.shape))


@VERSIONS
def test_dcmqi_reads_the_report(folder, tmp_path, version):
    needs("tid1500reader", version)
    found = report_by_dcmqi(folder / "report.dcm", tmp_path / "out", version)["Measurements"]
    source, _ = a_source(tmp_path / "mri")
    for group, region in zip(found, some_regions()[:2], strict=True):
        uid, identifier = tracked(source, region.name, True)
        assert (group["TrackingUniqueIdentifier"], group["TrackingIdentifier"]) == (uid, identifier)
        assert [float(item["value"]) for item in group["measurementItems"]] == [12.5, 0.25]
        assert group["measurementItems"][0]["units"]["CodeValue"] == "mm3"


def test_plastimatch_rasterises_the_structures_to_the_same_voxels(folder, tmp_path):
    needs("plastimatch")
    found = by_plastimatch(folder / "structures.dcm", folder / "mri", tmp_path / "out")
    masks = [on_grid(image, OBLIQUE) > 0 for _, image in sorted(found.items())]
    wanted = [region.full_mask(OBLIQUE.shape) for region in some_regions()[:2]]
    assert len(masks) == 2
    for mask, region in zip(sorted(masks, key=np.sum), sorted(wanted, key=np.sum), strict=True):
        assert np.array_equal(mask, region)


def test_simpleitk_and_plastimatch_read_the_dose(folder, tmp_path):
    needs("plastimatch")
    import pydicom

    scaling = float(pydicom.dcmread(folder / "dose.dcm", stop_before_pixels=True).DoseGridScaling)
    stored = sitk.ReadImage(str(folder / "dose.dcm"))
    assert np.abs(sitk.GetArrayFromImage(stored) * scaling - a_ramp() * 5).max() < 1e-4
    assert np.allclose(stored.GetOrigin(), OBLIQUE.origin, atol=1e-4)
    assert np.allclose(np.reshape(stored.GetDirection(), (3, 3)), OBLIQUE.direction, atol=1e-6)
    assert np.allclose(stored.GetSpacing()[:2], OBLIQUE.spacing[:2])
    gray = dose_by_plastimatch(folder / "dose.dcm", tmp_path / "out")
    assert np.abs(sitk.GetArrayFromImage(gray) - a_ramp() * 5).max() < 1e-3
