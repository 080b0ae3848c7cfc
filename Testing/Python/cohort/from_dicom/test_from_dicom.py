"""``pulsarcam cohort from-dicom``: which MRI is which, what is written, and that the table does."""

from __future__ import annotations

import csv
from datetime import date

import numpy as np
import pytest
import SimpleITK as sitk
from making_files import PLAIN, a_volume
from making_structures import a_series, a_square, a_structure_set, an_object, on_plane, shoelace_mm2

from PulsarCAMLib.cli import main
from PulsarCAMLib.cohort.checks import check_cohort
from PulsarCAMLib.cohort.findings import errors_in
from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.tables.table import read_cohort

DAYS = ("20210305", "20210402", "20210610", "20220101")


def planes(half, at=(0.0, 0.0)):
    return [on_plane(a_square(half, at), k, PLAIN) for k in (3, 4, 5)]


def a_visit(folder, patient, visit, structures, day=None, sets=1):
    """An MRI and its structure set of one patient on one day."""
    uid = f"1.2.3.{patient}.{visit}"

    def whose(data, _n=0):
        data.PatientName, data.PatientID, data.PatientBirthDate = f"Doe{patient}^Jane", f"ID-{patient}", "19620229"
        data.StudyInstanceUID, data.FrameOfReferenceUID = f"{uid}.1", f"{uid}.3"
        data.StudyDate = DAYS[visit] if day is None else day

    at = folder / f"Doe{patient}" / str(visit)
    a_series(at, a_volume(PLAIN, seed=10 * patient + visit), PLAIN, f"{uid}.2", whose)
    for n in range(sets):
        own = {"frame": f"{uid}.3", "SOPInstanceUID": f"{uid}.5.{n}"}
        a_structure_set(at / f"RS{n}.dcm", structures, change=whose, **own)


def a_dose(folder, patient, visit, name, scaling, kind="PLAN"):
    """An RTDOSE of four planes in the frame of reference of a visit's MRI."""
    uid = f"1.2.3.{patient}.{visit}"
    data = an_object("1.2.840.10008.5.1.4.1.1.481.2", "RTDOSE", f"{uid}.7.{name}", PatientID=f"ID-{patient}")
    fields = {
        "FrameOfReferenceUID": f"{uid}.3", "DoseUnits": "GY", "DoseType": "PHYSICAL", "DoseSummationType": kind,
        "DoseGridScaling": str(scaling), "NumberOfFrames": 4, "Rows": 3, "Columns": 5, "PixelSpacing": [2.0, 1.5],
        "ImagePositionPatient": [10.0, 20.0, 30.0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "GridFrameOffsetVector": [0.0, 3.0, 6.0, 9.0], "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0,
        "PixelData": np.arange(60, dtype=np.uint16).tobytes(),
    }  # fmt: skip
    for keyword, value in fields.items():
        setattr(data, keyword, value)
    data.save_as(folder / f"Doe{patient}" / f"RD{name}.dcm", enforce_file_format=True)


def rows_of(path):
    with path.open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def made(folder, *more, code=0):
    assert main(["cohort", "from-dicom", str(folder / "in"), "-o", str(folder / "cohort.csv"), *more]) == code
    return rows_of(folder / "cohort.csv") if code == 0 else None


def findings(folder, kind=None, patient=None):
    rows = rows_of(folder / "cohort-findings.csv")
    return [r["what"] for r in rows if kind in (None, r["kind"]) and patient in (None, r["patient"])]


def test_three_visits_become_first_and_second_mri_and_follow_up(tmp_path, capsys):
    two = [("GTV left", planes(6)), ("GTV_Doe1", planes(4, (12, 12))), ("Brain", planes(14))]
    a_visit(tmp_path / "in", 1, 1, two[::-1])
    a_visit(tmp_path / "in", 1, 2, [("gtv LEFT", planes(3)), ("GTV_DOE1", planes(4.1, (12, 12)))])
    a_visit(tmp_path / "in", 1, 0, two)
    rows = made(tmp_path)
    said = capsys.readouterr().out
    assert "2 lesions of 1 of 1 patient in 4 rows" in said
    assert [(r["patient"], r["lesion"], r["time_point"], r["date"]) for r in rows] == [
        ("P001", "GTV left", "baseline", "2000-01-01"), ("P001", "ROI 2", "baseline", "2000-01-01"),
        ("P001", "ROI 2", "second", "2000-01-29"), ("P001", "GTV left", "second", "2000-01-29"),
    ]  # fmt: skip
    assert [r["followup_date"] for r in rows] == ["2000-04-07", "2000-04-07", "", ""]
    assert rows[0]["image"] == "cohort-files/P001/baseline.nrrd"
    for row, area in zip(rows[:2], (planes(6), planes(4)), strict=True):
        drawn = sum(map(shoelace_mm2, area)) * PLAIN.spacing[2] / 1000
        assert float(row["volume_cm3"]) == pytest.approx(drawn, rel=1e-3)
    table = read_cohort(tmp_path / "cohort.csv")
    assert errors_in(check_cohort(table)) == []
    assert [label.response for label in label_cohort(table)] == [1, 0]
    image = sitk.ReadImage(str(table.rows[0].image))
    assert (sitk.GetArrayFromImage(image) == a_volume(PLAIN, seed=10)).all()
    assert np.allclose(image.GetOrigin(), PLAIN.origin, atol=1e-5)
    first = findings(tmp_path, "taken as", "P001")[0]
    assert first.startswith(
        "baseline by its date: series 1 (MR, 12 slices) with structure set 1 (RTSTRUCT, 3 structures"
    )


def test_real_dates_and_visits_are_as_the_person_says(tmp_path):
    for visit in range(4):
        a_visit(tmp_path / "in", 1, visit, [("GTV", planes(6 - visit))])
    assert made(tmp_path, code=3) is None
    rows = made(tmp_path, "--visits", "baseline,-,second,follow-up", "--real-dates")
    assert [(r["time_point"], r["date"]) for r in rows] == [("baseline", "2021-03-05"), ("second", "2021-06-10")]
    assert rows[0]["followup_date"] == "2022-01-01"
    assert any("MRI number 2 by date, is none of the visits" in text for text in findings(tmp_path, "left out"))
    assert main(["cohort", "from-dicom", str(tmp_path / "in"), "-o", str(tmp_path / "cohort.csv")]) == 5


def test_what_can_be_meant_in_two_ways_is_left_out_and_the_others_go_on(tmp_path):
    a_visit(tmp_path / "in", 1, 0, [("GTV", planes(6))], sets=2)
    a_visit(tmp_path / "in", 2, 0, [("GTV", planes(6))])
    a_visit(tmp_path / "in", 2, 1, [("GTV", planes(5))], day=DAYS[0])
    a_visit(tmp_path / "in", 3, 0, [("GTV", planes(6))])
    a_visit(tmp_path / "in", 3, 1, [("Other", planes(5))])
    a_visit(tmp_path / "in", 4, 0, [("Brain", planes(6))])
    rows = made(tmp_path, "--jobs", "1")
    assert [(r["patient"], r["lesion"]) for r in rows] == [("P003", "GTV")]
    assert "series 1 (MR, 12 slices) has several structure sets" in findings(tmp_path, "left out", "P001")[0]
    assert "are of one day" in findings(tmp_path, "left out", "P002")[0]
    assert any("has no structure whose name or type says GTV" in t for t in findings(tmp_path, "left out", "P004"))
    assert any("follow-up: The structure set … has no structure" in t for t in findings(tmp_path, "left out", "P003"))
    rows = made(tmp_path, "--structures", "2,4", "--overwrite")
    assert [r["patient"] for r in rows] == ["P001", "P002", "P003"]


def test_the_dose_in_the_frame_of_the_mri_is_taken_where_there_is_one(tmp_path):
    for patient in (1, 2):
        a_visit(tmp_path / "in", patient, 0, [("GTV", planes(6))])
        a_dose(tmp_path / "in", patient, 0, 1, 0.5)
    a_dose(tmp_path / "in", 1, 0, 2, 0.25, "BEAM")
    a_dose(tmp_path / "in", 2, 0, 2, 0.25)
    rows = made(tmp_path)
    assert [r["dose"] for r in rows] == ["cohort-files/P001/baseline-dose.nrrd", ""]
    dose = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / rows[0]["dose"])))
    assert (dose.ravel() == np.arange(60) / 2).all()
    assert any("dose 2 is not taken: The RTDOSE … holds a part" in t for t in findings(tmp_path, "left out", "P001"))
    assert "baseline: the doses 3, 4 lie in the frame of reference of the MRI; none is taken" in findings(
        tmp_path, "left out", "P002"
    )


def test_nothing_is_left_of_a_run_that_ends_early(tmp_path, monkeypatch, capsys):
    a_visit(tmp_path / "in", 1, 0, [("GTV", planes(6))])

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PulsarCAMLib.cohort.from_dicom.voxels.write_nrrd", full)
    made(tmp_path, code=5)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        (("--visits", "second,baseline"), 2, "in no order of time"),
        (("--visits", "baseline,baseline"), 2, "each at most once"),
        (("--visits", "second"), 2, "a baseline among them"),
        (("--series", "9"), 3, "There is no series 9"),
        (("--series", "a"), 2, "is not a list of numbers"),
        (("--segments", ","), 2, "at least one"),
        (("--segments", "no such"), 3, "has no structure “no such”"),
        (("--pseudonyms", "cohort-files/who.csv"), 5, "who is who in the folder of the results"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(tmp_path, monkeypatch, capsys, more, code, says):
    monkeypatch.chdir(tmp_path)
    a_visit(tmp_path / "in", 1, 0, [("GTV", planes(6))])
    assert main(["cohort", "from-dicom", "in", "-o", "cohort.csv", "--quiet", *more]) == code
    assert says in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_an_invented_day_keeps_what_lies_between():
    from PulsarCAMLib.cohort.from_dicom.visits import Visit, Wanted
    from PulsarCAMLib.cohort.from_dicom.voxels import _days

    visits = [Visit(point, None, day) for point, day in (("baseline", date(2021, 3, 5)), ("followup", None))]
    assert _days(visits, Wanted()) == {"baseline": date(2000, 1, 1)}
    assert _days(visits, Wanted(real_dates=True)) == {"baseline": date(2021, 3, 5)}
