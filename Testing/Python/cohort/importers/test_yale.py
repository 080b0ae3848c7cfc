"""Yale's collection on files called as documented: visits by date, one a day, clinical facts, what is told."""

from datetime import date

import openpyxl
import pytest

from PulsarCAMLib.cohort.importers.imported import save_imported
from PulsarCAMLib.cohort.importers.yale import import_yale
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.systems.registry import system_of


def a_study(source, patient, day, time="03-04-05", kinds=("PRE", "POST", "T2", "FLAIR")):
    folder = source / patient / day
    folder.mkdir(parents=True, exist_ok=True)
    for kind in kinds:
        (folder / f"{patient}_{day}_{time}_{kind}.nii.gz").touch()


def told(found, kind):
    return [(each.row, each.patient, each.what) for each in found.findings if each.kind == kind]


def test_studies_become_visits_in_the_order_of_their_dates(tmp_path):
    a_study(tmp_path, "YG_B", "2021-03-01")
    a_study(tmp_path, "YG_A", "2020-05-01", kinds=("POST",))
    a_study(tmp_path, "YG_A", "2020-01-02")
    book = openpyxl.Workbook()
    book.active.title = "Clinical_data"
    book.active.append(("patient_id", "study_datetime", "age_at_Imaging (years)", "sex", "race"))
    book.active.append(("YG_A", "2020-01-02_03-04-05", 64, "F", "x"))
    book.save(tmp_path / "Yale-Brain-Mets-Longitudinal_ClinicalData_20250605.xlsx")
    found = import_yale(tmp_path)
    rows = found.table.rows
    assert [(row.patient, row.date) for row in rows] == [
        ("YG_A", date(2020, 1, 2)), ("YG_A", date(2020, 5, 1)), ("YG_B", date(2021, 3, 1)),
    ]  # fmt: skip
    ends = {"t1": "_PRE.nii.gz", "t2": "_T2.nii.gz", "flair": "_FLAIR.nii.gz", "t1c": "_POST.nii.gz"}
    assert all(rows[0].value(name).name.endswith(end) for name, end in ends.items())
    assert [row.lesion for row in rows] == ["visit 1", "visit 2", "visit 1"]
    assert rows[0].clinical == {"age": 64.0, "sex": "F"}
    assert told(found, "missing modality") == [(3, "YG_A", "The examination has no PRE, T2, FLAIR")]
    assert any("not taken over: race" in what for *_, what in told(found, "taken as"))
    assert sum("no line for this examination" in what for *_, what in told(found, "taken as")) == 2
    table, _ = save_imported(found, tmp_path / "yale.csv")
    assert read_cohort(table, system_of("rano")).rows == rows
    _, findings = save_imported(found, tmp_path / "nobody.csv", anonymous=True)
    assert "YG_" not in findings.read_text(encoding="utf-8-sig")


def test_one_examination_a_day_counts_and_strange_files_are_told(tmp_path):
    a_study(tmp_path, "YG_A", "2020-01-02", "03-00-00", kinds=("POST",))
    a_study(tmp_path, "YG_A", "2020-01-02", "09-00-00")
    a_study(tmp_path, "YG_A", "2020-01-02", "11-00-00")
    (tmp_path / "notes.nii.gz").touch()
    (tmp_path / "YG_A_2020-13-41_03-04-05_POST.nii.gz").touch()
    found = import_yale(tmp_path)
    (row,) = found.table.rows
    assert "09-00-00" in row.value("t1c").name
    assert len(told(found, "left out")) == 4


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="unpack the collection"):
        import_yale(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        import_yale(tmp_path / "nowhere")
