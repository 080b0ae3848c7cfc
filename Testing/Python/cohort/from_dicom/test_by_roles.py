"""``cohort from-dicom --system``: series become columns by what the person says, for systems of whole images."""

from __future__ import annotations

import csv
from datetime import date

import numpy as np
import pytest
import SimpleITK as sitk
from making_files import PLAIN, a_volume
from making_structures import a_series, a_square, a_structure_set, an_object, on_plane

from PulsarCAMLib.cli import main
from PulsarCAMLib.cohort.cases import complete_rows
from PulsarCAMLib.cohort.from_dicom import by_roles
from PulsarCAMLib.cohort.from_dicom.by_roles import columns_taken
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.inputs import DOSE, MASK, MRI, InputRole
from PulsarCAMLib.core.task import LESION, PATIENT, VISIT
from PulsarCAMLib.io.dicom.folder import take_stock
from PulsarCAMLib.systems.registry import systems

SMALL = PLAIN.cropped((0, 0, 0), (6, 24, 24))
OF_VISITS = next(each for each in systems() if each.task.unit == VISIT)
OF_PATIENTS = next(each for each in systems() if each.task.unit == PATIENT)
DAYS = ("20210305", "20210402", "20210610")


def an_mri(folder, patient, day, name, seed=0, number=0):
    """A series of a patient with a description, on a day."""
    place = folder / f"Doe{patient}" / day / f"{name}{number}"

    def own(data, _n):
        whose(data, patient, day)
        data.SeriesDescription = name

    uid = f"1.2.3.{patient}.{day}.{int.from_bytes(name.encode())}.{number}"
    a_series(place, a_volume(SMALL, seed=seed), SMALL, uid, own)


def whose(data, patient, day):
    data.PatientName, data.PatientID, data.StudyDate = f"Doe{patient}^Jane", f"ID-{patient}", day
    data.StudyInstanceUID, data.FrameOfReferenceUID = f"1.2.{patient}.{day}", f"1.3.{patient}.{day}"


def a_dose(folder, patient, day):
    fields = {
        "FrameOfReferenceUID": f"1.3.{patient}.{day}", "PatientID": f"ID-{patient}", "DoseUnits": "GY",
        "DoseType": "PHYSICAL", "DoseSummationType": "PLAN", "DoseGridScaling": "0.5", "NumberOfFrames": 4, "Rows": 3,
        "Columns": 5, "PixelSpacing": [2.0, 1.5], "ImagePositionPatient": [10.0, 20.0, 30.0],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "GridFrameOffsetVector": [0.0, 3.0, 6.0, 9.0],
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16, "BitsStored": 16,
        "HighBit": 15, "PixelRepresentation": 0, "PixelData": np.arange(60, dtype=np.uint16).tobytes(),
    }  # fmt: skip
    data = an_object("1.2.840.10008.5.1.4.1.1.481.2", "RTDOSE", f"1.4.{patient}.{day}", **fields)
    data.save_as(folder / f"Doe{patient}" / f"RD{day}.dcm", enforce_file_format=True)


def rows_of(path):
    with path.open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def made(folder, system, *take, code=0, more=()):
    told = [word for each in take for word in ("--take", each)]
    command = ["cohort", "from-dicom", str(folder / "in"), "-o", str(folder / "t.csv"), "--system", system.name]
    assert main([*command, *told, *more]) == code
    return rows_of(folder / "t.csv") if code == 0 else None


def findings(folder, patient=None):
    return [row["what"] for row in rows_of(folder / "t-findings.csv") if patient in (None, row["patient"])]


def test_visits_become_rows_whose_series_are_columns(tmp_path):
    columns = [role.table_column for role in OF_VISITS.needed_inputs]
    first, *others = dict.fromkeys(columns)
    for n, day in enumerate(DAYS[:2]):
        for m, column in enumerate((first, *others)):
            an_mri(tmp_path / "in", 1, day, f"AX {column.upper()} TSE", seed=10 * n + m)
    contours = [("GTV", [on_plane(a_square(4), k, SMALL) for k in (2, 3)])]
    own = {"frame": f"1.3.1.{DAYS[1]}", "change": lambda data: whose(data, 1, DAYS[1])}
    a_structure_set(tmp_path / "in" / "RS.dcm", contours, **own)
    an_mri(tmp_path / "in", 1, DAYS[2], f"{first} a")
    an_mri(tmp_path / "in", 1, DAYS[2], f"{first} b", number=1)
    take = [f"{first}=*{first.upper()}*", *(f"{each}={each}" for each in others)]
    rows = made(tmp_path, OF_VISITS, *take)
    assert [row["date"] for row in rows] == ["2000-01-01", "2000-01-29"]
    assert rows[0][first] == f"t-files/P001/visit-1-{first}.nrrd"
    assert all(row[each] for row in rows for each in columns)
    assert any(f"of one day could all be {first}" in text for text in findings(tmp_path, "P001"))
    assert any("What became of the patients is in no header" in text for text in findings(tmp_path))
    table = read_cohort(tmp_path / "t.csv", OF_VISITS)
    assert [row.row for row in complete_rows(table, "baseline", OF_VISITS)] == [3], "the first visit has none before"
    mask = OF_VISITS.role(MASK)
    nothing = f"Nothing is taken as {mask.table_column} of visit 1: no structure set goes with series"
    assert any(text.startswith(nothing) for text in findings(tmp_path, "P001"))
    assert table.rows[0].value(mask.table_column) is None
    drawn = sitk.GetArrayFromImage(sitk.ReadImage(str(table.rows[1].value(mask.table_column))))
    assert [int(plane.sum()) > 0 for plane in drawn] == [False, False, True, True, False, False]
    image = sitk.GetArrayFromImage(sitk.ReadImage(str(table.rows[1].value(others[0]))))
    np.testing.assert_array_equal(image, a_volume(SMALL, seed=11))
    for path in tmp_path.glob("t*/**/*.csv"):
        assert "Doe" not in path.read_text()


def test_a_patient_is_a_row_with_the_last_day_and_of_a_day_before_what_is_asked_of_it(tmp_path):
    now = [role.table_column for role in OF_PATIENTS.needed_inputs]
    (before,) = set(columns_taken(OF_PATIENTS)) - set(now)
    (dose,) = [role.table_column for role in OF_PATIENTS.inputs if role.kind == DOSE]
    for patient, days in ((1, DAYS[:2]), (2, DAYS)):
        for n, day in enumerate(days):
            an_mri(tmp_path / "in", patient, day, "T1 GD", seed=n)
        a_dose(tmp_path / "in", patient, days[0])
    rows = made(tmp_path, OF_PATIENTS, f"{now[0]}=t1", f"{before}=t1")
    assert [(row["patient"], bool(row[before]), bool(row[dose])) for row in rows] == [
        ("P001", True, True), ("P002", False, False),
    ]  # fmt: skip
    assert any(f"2 days before it hold {before}; none is taken" in text for text in findings(tmp_path, "P002"))
    table = read_cohort(tmp_path / "t.csv", OF_PATIENTS)
    assert len(complete_rows(table, "baseline", OF_PATIENTS)) == 2
    shown = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / rows[0][now[0]])))
    np.testing.assert_array_equal(shown, a_volume(SMALL, seed=1))
    rows = made(tmp_path, OF_PATIENTS, f"{now[0]}=t1", f"{before}=1,3", more=("--overwrite", "--real-dates"))
    assert [bool(row[before]) for row in rows] == [True, True]
    assert rows[1]["date"] == "2021-06-10"


def test_one_series_is_one_column_and_what_is_not_taken_is_told(tmp_path):
    an_mri(tmp_path / "in", 1, DAYS[0], "T1")
    an_mri(tmp_path / "in", 1, DAYS[1], "T1")
    columns = list(columns_taken(OF_VISITS))
    assert made(tmp_path, OF_VISITS, *(f"{each}=t1" for each in columns), code=3) is None
    now = OF_PATIENTS.needed_inputs[0].table_column
    (before,) = set(columns_taken(OF_PATIENTS)) - {now}
    (row,) = made(tmp_path, OF_PATIENTS, f"{now}=1", f"{before}=2")
    assert not row.get(before)
    told = findings(tmp_path, "P001")
    assert f"series 1 (MR, 6 slices) is {now} of visit 1" in told
    assert f"series 2 (MR, 6 slices) is not used: {before} is that of another day, or left out" in told
    assert f"Nothing is taken as {before}" in told


def test_every_column_that_stays_empty_is_told_for_every_patient(tmp_path):
    now = OF_PATIENTS.needed_inputs[0].table_column
    (before,) = set(columns_taken(OF_PATIENTS)) - {now}
    (dose,) = [role.table_column for role in OF_PATIENTS.inputs if role.kind == DOSE]
    for day in DAYS[:2]:
        an_mri(tmp_path / "in", 1, day, "T1")
    a_dose(tmp_path / "in", 1, DAYS[2])
    an_mri(tmp_path / "in", 2, DAYS[0], "T1")
    made(tmp_path, OF_PATIENTS, f"{now}=t1")
    for patient in ("P001", "P002"):
        empty = [row for row in rows_of(tmp_path / "t-findings.csv") if row["patient"] == patient]
        told = {row["what"] for row in empty if row["kind"] == "left out"}
        assert f"Nothing is taken as {before}: no --take names the column" in told
        assert any(f"Nothing is taken as {dose} of visit 1: no RTDOSE lies in the frame" in text for text in told)
    assert any("dose 1 (RTDOSE) is not used" in text for text in findings(tmp_path, "P001"))


def test_a_series_that_what_is_said_means_twice_is_one_column_and_that_is_told(tmp_path):
    now = OF_PATIENTS.needed_inputs[0].table_column
    (before,) = set(columns_taken(OF_PATIENTS)) - {now}
    for day in DAYS[:2]:
        an_mri(tmp_path / "in", 1, day, "T1")
    an_mri(tmp_path / "in", 2, DAYS[0], "T1")
    rows = made(tmp_path, OF_PATIENTS, f"{now}=t1", f"{before}=t1")
    assert [bool(row[before]) for row in rows] == [True, False]
    words = f"could be {' and '.join(sorted((now, before)))} by what is said: it is"
    assert any(
        f"series 1 (MR, 6 slices) {words} {before} of visit 1 alone" in text for text in findings(tmp_path, "P001")
    )
    assert any(f"series 2 (MR, 6 slices) {words} {now} of visit 1 alone" in text for text in findings(tmp_path, "P001"))
    assert any(f"series 3 (MR, 6 slices) {words} {now} of visit 1 alone" in text for text in findings(tmp_path, "P002"))


def test_a_series_is_never_two_columns_of_one_row(tmp_path):
    told = []
    an_mri(tmp_path, 1, DAYS[0], "T1")
    (item,) = take_stock(tmp_path).series
    columns = {name: (InputRole(name, name, MRI, needed=name == "a", column=name),) for name in "abc"}
    days = by_roles._row_of_patient(
        {date(2021, 3, 5): {"a": item, "b": item, "c": item}}, columns, lambda *said: told.append(said)
    )
    assert days == []
    assert told[0][1] == "series 1 (MR, 6 slices) could be a and b and c"


@pytest.mark.parametrize(
    ("system", "more", "code", "says"),
    [
        (OF_VISITS, (), 3, "say which series that is, as --take"),
        (OF_VISITS, ("--take", "t9=x"), 3, "has no column t9 of MRIs"),
        (OF_VISITS, ("--take", "x"), 2, "is not COLUMN=TEXT"),
        (OF_VISITS, ("--take", "t1="), 2, "is not COLUMN=TEXT"),
        (OF_VISITS, ("--visits", "baseline"), 3, "choose MRIs with contours"),
        (OF_PATIENTS, ("--segments", "GTV"), 3, "choose MRIs with contours"),
        (OF_PATIENTS, ("--take", "event=99"), 3, "There is no series 99 for event"),
        (OF_PATIENTS, ("--take", "event=a", "--take", "event=b"), 3, "names the column event twice"),
        (OF_PATIENTS, ("--take", "event=flair"), 3, "There is no day with event"),
        (next(each for each in systems() if each.task.unit == LESION), ("--take", "image=1"), 3, "of whole images"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(tmp_path, monkeypatch, capsys, system, more, code, says):
    monkeypatch.chdir(tmp_path)
    an_mri(tmp_path / "in", 1, DAYS[0], "T1")
    made(tmp_path, system, code=code, more=(*more, "--quiet"))
    err = capsys.readouterr().err
    assert says in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
