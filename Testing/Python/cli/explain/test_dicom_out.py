"""``pulsarcam explain --dicom-out``: a DICOM folder goes in, DICOM objects of the same patient come out."""

from __future__ import annotations

import csv

import numpy as np
import pydicom
import pytest

pytest.importorskip("highdicom", reason="highdicom (extra dicom) is not installed")

import SimpleITK as sitk
from making_dicom_objects import valid
from making_files import OBLIQUE, a_scan, a_volume, files_in
from making_structures import a_registration, a_series, a_square, a_structure_set, on_plane

from PulsarCAMLib.io.dicom.segments import read_segment_voxels
from PulsarCAMLib.lesions.from_structures import lesions_from_structures

NAME = "pixelwise_non-response"


def an_export(folder, **more):
    a_series(folder / "mri", a_volume(), OBLIQUE, change=valid)
    drawn = [(f"GTV {n}", [on_plane(a_square(7, at), k, OBLIQUE) for k in (3, 4, 5, 6)])
             for n, at in ((1, (-12, 4)), (2, (12, -8)))]  # fmt: skip
    a_structure_set(folder / "RS.dcm", drawn, kinds=("GTV", "GTV"), change=valid, **more)
    return folder


def test_everything_comes_out_as_dicom_where_the_other_files_say_it_is(tmp_path, pulsarcam):
    out = tmp_path / "out"
    code, _, err = pulsarcam("explain", an_export(tmp_path / "export"), "-o", out, "--no-pictures", "--dicom-out")
    assert code == 0, err
    assert [name for name in files_in(out) if name.startswith("dicom/")] == [
        "dicom/lesions_seg.dcm",
        f"dicom/{NAME}_mean_pm.dcm",
        f"dicom/{NAME}_regions_seg.dcm",
        f"dicom/{NAME}_std_pm.dcm",
        "dicom/report_sr.dcm",
        "dicom/structures.dcm",
    ]
    heat_map = sitk.GetArrayFromImage(sitk.ReadImage(str(out / f"{NAME}_mean.nrrd")))
    made = pydicom.dcmread(out / f"dicom/{NAME}_mean_pm.dcm")
    frames = np.frombuffer(made.FloatPixelData, "<f4").reshape(-1, made.Rows, made.Columns)
    places = [group.PlanePositionSequence[0].ImagePositionPatient for group in made.PerFrameFunctionalGroupsSequence]
    ks = np.rint(OBLIQUE.to_ijk(np.array(places, float))[:, 2]).astype(int)
    assert np.array_equal(frames, heat_map[ks])
    assert heat_map.any()
    assert not np.delete(heat_map, ks, axis=0).any()

    structures = pydicom.dcmread(out / "dicom/structures.dcm")
    names = [each.ROIName for each in structures.StructureSetROISequence]
    assert names == ["GTV 1", "GTV 2", "GTV 1 activated", "GTV 2 activated"]
    frame = str(structures.FrameOfReferenceUID)
    regions, _ = lesions_from_structures(out / "dicom/structures.dcm", OBLIQUE, wanted=names[2:], frame=frame)
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(out / f"{NAME}_regions.seg.nrrd")))
    for value, region in enumerate(regions, start=1):
        assert np.array_equal(region.full_mask(OBLIQUE.shape), labels == value)
    voxels, _ = read_segment_voxels(out / f"dicom/{NAME}_regions_seg.dcm", [1, 2])
    assert [int(each.sum()) for each in voxels] == [int((labels == value).sum()) for value in (1, 2)]
    assert_report(out, structures)
    assert_only_dicom_objects_carry_the_patient(out)


def assert_report(out, structures):
    """A group a lesion and a sub-region, with the table's numbers, of the same study."""
    with (out / "lesions.csv").open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    report = pydicom.dcmread(out / "dicom/report_sr.dcm")
    assert report.StudyInstanceUID == structures.StudyInstanceUID
    measured = next(each for each in report.ContentSequence if meaning(each) == "Imaging Measurements")
    groups = [texts_and_numbers(each) for each in measured.ContentSequence]
    assert [each["Tracking Identifier"] for each in groups] == ["GTV 1", "GTV 2", "GTV 1 activated", "GTV 2 activated"]
    for n, row in enumerate(table):
        assert groups[n]["Volume"] == pytest.approx(1000 * float(row["volume_cm3"]), rel=1e-5)
        assert groups[n]["Model's probability of response"] == pytest.approx(
            float(row["probability_response"]), abs=1e-5
        )
        assert groups[n + 2]["Volume"] == pytest.approx(1000 * float(row["activated_volume_cm3"]), rel=1e-5)
        assert groups[n]["Intended use"] == "Research use only"


def meaning(item):
    return item.ConceptNameCodeSequence[0].CodeMeaning


def texts_and_numbers(group):
    found = {}
    for item in group.ContentSequence:
        if item.ValueType == "NUM":
            found[meaning(item)] = float(item.MeasuredValueSequence[0].NumericValue)
        elif item.ValueType == "TEXT":
            found[meaning(item)] = item.TextValue
        elif item.ValueType == "CODE":
            found[meaning(item)] = item.ConceptCodeSequence[0].CodeMeaning
    return found


def assert_only_dicom_objects_carry_the_patient(out):
    planted = ("Müller", "Jürgen", "12345", "19620229", "1.2.3.")
    for name in files_in(out):
        content = (out / name).read_bytes()
        assert name.startswith("dicom/") == any(word.encode() in content for word in planted), name


def test_contours_of_another_frame_stay_out_of_the_new_structure_set(tmp_path, pulsarcam):
    export = an_export(tmp_path / "export", frame="1.2.3.99")
    a_registration(export / "REG.dcm", np.eye(4), "1.2.3.99")
    out = tmp_path / "out"
    code, _, err = pulsarcam("explain", export, "-o", out, "--no-pictures", "--dicom-out")
    assert code == 0, err
    made = pydicom.dcmread(out / "dicom/structures.dcm")
    assert "PredecessorStructureSetSequence" not in made
    assert {each.ReferencedFrameOfReferenceUID for each in made.StructureSetROISequence} == {"1.2.3.3"}
    names = ["GTV 1", "GTV 2", "GTV 1 activated", "GTV 2 activated"]
    assert [each.ROIName for each in made.StructureSetROISequence] == names


def test_an_mri_that_is_no_dicom_is_refused_before_anything_is_computed(tmp_path, pulsarcam):
    volume, labels = a_scan(tmp_path)
    code, _, err = pulsarcam("explain", volume, labels, "-o", tmp_path / "out", "--dicom-out")
    assert code == 3
    assert "the MRI is none" in err
    assert not (tmp_path / "out").exists()


def test_a_slice_that_is_gone_meanwhile_leaves_nothing(tmp_path, pulsarcam, monkeypatch):
    export = an_export(tmp_path / "export")
    from PulsarCAMLib.outputs.volumes import HeatMaps

    write = HeatMaps.write

    def and_lose_a_slice(self, *arguments):
        next((export / "mri").glob("*.dcm")).unlink()
        write(self, *arguments)

    monkeypatch.setattr(HeatMaps, "write", and_lose_a_slice)
    code, _, err = pulsarcam("explain", export, "-o", tmp_path / "out", "--no-pictures", "--dicom-out")
    assert code == 3
    assert "1 of 12 files of the MRI's DICOM series are no longer in" in err
    assert not (tmp_path / "out").exists()


def test_no_objects_are_written_into_the_study_of_one_of_two_patients():
    from types import SimpleNamespace

    from PulsarCAMLib.cli.explain.dicom_out import refuse_dicom_out
    from PulsarCAMLib.core.errors import InputError
    from PulsarCAMLib.io.dicom.pairing import RENAMED

    job = SimpleNamespace(dicom=True, frames=SimpleNamespace(doubts=(RENAMED,)))
    with pytest.raises(InputError, match="two patients mixed"):
        refuse_dicom_out(job, None, None)
