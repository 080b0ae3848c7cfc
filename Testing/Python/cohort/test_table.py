"""The cohort table as a file: read as typed, written back the same."""

import csv
import pickle
import re
import subprocess
import sys
import zipfile
from dataclasses import fields
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import PulsarCAMLib
from PulsarCAMLib.cohort.checks import check_cohort
from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.tables.cells import Unreadable, as_date, as_number
from PulsarCAMLib.cohort.tables.columns import COLUMNS, described, plain_name
from PulsarCAMLib.cohort.tables.table import (
    CohortRow,
    CohortTable,
    numbered,
    patient_numbers,
    read_cohort,
    save_cohort_table,
)
from PulsarCAMLib.core.errors import InputError, OutputError
from PulsarCAMLib.systems.registry import system_of

EXAMPLE = Path(PulsarCAMLib.__file__).parent / "Resources" / "cohort-example.csv"


def a_table(folder, text, name="cohort.csv", encoding="utf-8"):
    path = Path(folder) / name
    path.write_bytes(text.encode(encoding))
    return path


def test_the_example_is_read_without_a_problem_and_lacks_only_its_files():
    table = read_cohort(EXAMPLE)
    assert table.problems == ()
    assert set(table.columns) >= {"patient", "segment", "label_value", "dose", "clinical_age", "note_remark"}
    assert {finding.kind for finding in check_cohort(table)} == {"missing file"}


def test_cells_become_what_their_columns_say(tmp_path):
    first = read_cohort(EXAMPLE).rows[0]
    assert (first.row, first.key, first.time_point) == (2, ("A-017", "left frontal"), "baseline")
    assert first.date == date(2025, 3, 4)
    assert first.image == EXAMPLE.parent / "A-017" / "mri1.nrrd"
    assert first.clinical == {"age": 61.0, "primary_tumor": "NSCLC"}
    assert (first.segment, first.label_value, first.volume_cm3) == ("GTV 1", None, None)
    assert read_cohort(EXAMPLE).rows[3].label_value == 1
    assert pickle.loads(pickle.dumps(first)) == first, "rows travel to other processes"


def test_every_column_is_a_field_and_is_described():
    assert {field.name for field in fields(CohortRow)} >= set(COLUMNS)
    assert all(f"  {name} " in described(system_of()) for name in COLUMNS)


def test_a_german_spreadsheet_reads_as_an_english_one(tmp_path):
    german = a_table(tmp_path, "\ufeffPatient;Lesion;Volume (cm³);Date\r\n007;Läsion;1,250;04.03.2025\r\n")
    row = read_cohort(german).rows[0]
    assert (row.patient, row.lesion, row.volume_cm3, row.date) == ("007", "Läsion", 1.25, date(2025, 3, 4))
    old = a_table(tmp_path, "patient;lesion\n1;Läsion\n", "old.csv", "cp1252")
    assert read_cohort(old).rows[0].lesion == "Läsion"


def test_a_windows_path_is_found_on_other_systems(tmp_path):
    row = read_cohort(a_table(tmp_path, "patient,lesion,image\n1,1,scans\\mri.nrrd\n")).rows[0]
    assert row.image == tmp_path / "scans" / "mri.nrrd"


def test_row_numbers_are_those_of_the_spreadsheet(tmp_path):
    rows = read_cohort(a_table(tmp_path, 'patient,lesion\n1,"a\nb"\n,\n2,c\n')).rows
    assert [(row.row, row.patient) for row in rows] == [(2, "1"), (4, "2")]


def a_workbook_with(path, *, cell, stale=False):
    """A patient whose volume is what ``cell`` says, in the words of a sheet's XML; else as a spreadsheet saves it."""
    book = openpyxl.Workbook()
    book.active.append(["patient", "lesion", "volume_cm3"])
    book.active.append(["P1", "left", 7])
    book.save(path.with_name("whole.xlsx"))
    with zipfile.ZipFile(path.with_name("whole.xlsx")) as whole, zipfile.ZipFile(path, "w") as packed:
        for name in whole.namelist():
            text = whole.read(name)
            if name == "xl/worksheets/sheet1.xml":
                before = re.search(rb'<c r="C2"[^>]*><v>7</v></c>', text)[0]
                text = text.replace(before, cell.encode())
            if name == "xl/workbook.xml" and not stale:
                text = re.sub(rb"<calcPr[^>]*/>", b"", text)
            packed.writestr(name, text)
    return path


@pytest.mark.parametrize(
    ("cell", "stale", "told"),
    [
        (
            '<c r="C2"><f>1+1</f></c>',
            False,
            r"formulas of which the value was never computed \(C2\), .* open it in one",
        ),
        ('<c r="C2"><f>1+1</f><v></v></c>', False, r"never computed \(C2\)"),
        ('<c r="C2"><f>1+1</f><v/></c>', False, r"never computed \(C2\)"),
        ('<c r="C2"><f>1+1</f><v>0</v></c>', True, r"never computed \(C2\)"),
        ('<c r="C2" t="e"><v>#REF!</v></c>', False, r"errors instead of values \(C2: #REF!\); correct these cells"),
        ('<c r="C2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', False, r"C2: #DIV/0!"),
        ('<c r="C2"><f>1+1</f><v>2</v></c>', False, 2.0),
        ('<c r="C2" t="str"><f>""</f><v></v></c>', False, None),
        ('<c r="C2"><v>2.5</v></c>', True, 2.5),
    ],
)
def test_a_formula_without_a_value_is_told_with_its_cell(tmp_path, cell, stale, told):
    path = a_workbook_with(tmp_path / "t.xlsx", cell=cell, stale=stale)
    if isinstance(told, str):
        with pytest.raises(InputError, match=told):
            read_cohort(path)
    else:
        assert read_cohort(path).rows[0].volume_cm3 == told


def test_formulas_that_openpyxl_wrote_have_no_values(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["patient", "lesion", "volume_cm3"])
    book.active.append(["P1", "left", "=A1"])
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(InputError, match=r"never computed \(C2\)"):
        read_cohort(tmp_path / "t.xlsx")


def test_an_xlsx_keeps_names_dates_and_numbers(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "remarks"
    sheet = book.create_sheet("Cohort")
    sheet.append(["Patient", "Lesion", "Time point", "Date", "Followup volume cm3", None])
    sheet.append(["007", 2, None, date(2025, 1, 2), 1.5, None])
    book.save(tmp_path / "cohort.xlsx")
    row = read_cohort(tmp_path / "cohort.xlsx").rows[0]
    assert (row.patient, row.lesion, row.time_point) == ("007", "2", "baseline")
    assert (row.date, row.followup_volume_cm3) == (date(2025, 1, 2), 1.5)


def test_a_failed_formula_is_not_taken_for_an_empty_cell(tmp_path):
    table = read_cohort(a_table(tmp_path, "patient,lesion,volume_cm3\n1,1,#REF!\n1,2,n/a\n"))
    assert [(p.row, p.kind) for p in table.problems] == [(2, "unreadable cell")]


@pytest.mark.parametrize(
    ("text", "comma", "number"),
    [("1.25", False, 1.25), ("1,25", False, 1.25), ("1,250", True, 1.25), ("1e-3", False, 0.001), ("-2", False, -2)],
)
def test_numbers_with_one_meaning_are_read(text, comma, number):
    assert as_number(text, comma) == number


@pytest.mark.parametrize("text", ["1,250", "1.250,5", "3 cm3", "nan", "inf", "1_0", "=A1", "<0.1"])
def test_numbers_with_two_meanings_or_none_are_not_read(text):
    with pytest.raises(Unreadable):
        as_number(text)


@pytest.mark.parametrize("text", ["03/04/2025", "2025-13-01", "4.3.25", "2025", "yesterday"])
def test_dates_with_two_meanings_or_none_are_not_read(text):
    with pytest.raises(Unreadable):
        as_date(text)


def test_headings_may_be_written_freely():
    assert plain_name(" Time-Point ") == "time_point"
    assert plain_name("Volume (cm³)") == "volume_cm3"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("none.csv", None, "There is no table"),
        ("cohort.docx", "x", "neither CSV nor XLSX"),
        ("cohort.csv", "\n\n", "is empty"),
        ("cohort.csv", "patient,image\n1,a\n", "no column lesion"),
        ("cohort.csv", "patient,lesion,Lesion\n1,1,1\n", "twice"),
        ("cohort.csv", "patient,lesion\n", "no row"),
        ("cohort.csv", "p\0atient", "UTF-8"),
        ("cohort.xlsx", "not a workbook", "not a readable XLSX"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(tmp_path, name, text, says):
    if text is not None:
        a_table(tmp_path, text, name)
    with pytest.raises(InputError, match=says) as caught:
        read_cohort(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


NAMES = st.text(st.characters(categories=("L", "N"), include_characters=" ,;\"'=-_äé\n"), min_size=1, max_size=12)
NAMES = NAMES.map(str.strip).filter(lambda text: text and not text.startswith("#"))
POSITIVE = st.integers(1, 400_000_000).map(lambda n: n / 1_000_000)  # a workbook keeps 15 digits
DAYS = st.dates(date(1900, 1, 1), date(2100, 1, 1))
ROWS = st.builds(
    CohortRow,
    row=st.just(0),
    patient=NAMES,
    lesion=NAMES,
    time_point=st.sampled_from(["baseline", "second"]),
    date=st.none() | DAYS,
    image=st.none() | st.sampled_from(["a b/mri.nrrd", "ä.nii.gz", "../elsewhere.nrrd"]).map(Path),
    segment=st.none() | NAMES,
    label_value=st.none() | st.integers(1, 99),
    volume_cm3=st.none() | POSITIVE,
    followup_volume_cm3=st.none() | st.just(0.0) | POSITIVE,
    response=st.none() | st.sampled_from([0, 1]),
    clinical=st.dictionaries(
        st.sampled_from(["age", "kps"]), st.integers(-1000, 1000).map(lambda n: n / 8) | st.sampled_from(["x", "a b"])
    ),
    truth=st.dictionaries(st.just("planted"), st.sampled_from(["0", "1"])),
)


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, min_size=1, max_size=4))
def test_a_table_written_and_read_back_is_the_same(tmp_path, ending, rows):
    from dataclasses import replace

    place = lambda row: row.image and Path(tmp_path, row.image).resolve()  # noqa: E731
    rows = tuple(replace(row, row=n, image=place(row)) for n, row in enumerate(rows, start=2))
    path = save_cohort_table(CohortTable(rows, ()), tmp_path / f"cohort.{ending}", overwrite=True)
    back = read_cohort(path)
    assert back.problems == ()
    assert back.rows == rows


def test_an_existing_table_is_not_replaced_and_another_kind_is_refused(tmp_path):
    table = CohortTable((CohortRow(2, "1", "1"),), ())
    path = save_cohort_table(table, tmp_path / "cohort.csv")
    with pytest.raises(OutputError, match="exists already"):
        save_cohort_table(table, path)
    with pytest.raises(InputError, match=r"\.csv or \.xlsx"):
        save_cohort_table(table, tmp_path / "cohort.ods")
    assert [p.name for p in tmp_path.iterdir()] == ["cohort.csv"]


def test_text_that_looks_like_a_formula_stays_text_in_a_workbook(tmp_path):
    rows = (CohortRow(2, "=1+1", "1"),)
    path = save_cohort_table(CohortTable(rows, ()), tmp_path / "cohort.xlsx")
    assert openpyxl.load_workbook(path).active["A2"].data_type == "s"
    assert read_cohort(path).rows == rows


def test_files_below_the_table_are_written_relative_so_that_a_cohort_can_move(tmp_path):
    (tmp_path / "old").mkdir()
    rows = (CohortRow(2, "1", "1", image=tmp_path / "old" / "a" / "mri.nrrd"),)
    path = save_cohort_table(CohortTable(rows, ()), tmp_path / "old" / "cohort.csv")
    with path.open(encoding="utf-8") as file:
        assert next(csv.DictReader(file))["image"] == "a/mri.nrrd"
    (tmp_path / "old").rename(tmp_path / "new")
    assert read_cohort(tmp_path / "new" / "cohort.csv").rows[0].image == tmp_path / "new" / "a" / "mri.nrrd"


def test_patients_are_numbered_only_when_asked():
    table = read_cohort(EXAMPLE)
    assert table.patients == ("A-017", "B-204", "C-033")
    assert patient_numbers(table) == {"A-017": "P001", "B-204": "P002", "C-033": "P003"}
    anonymous = numbered(table)
    assert anonymous.patients == ("P001", "P002", "P003")
    assert all(row.date is None and not row.note for row in anonymous.rows)
    assert [x.response for x in label_cohort(table_with_volumes(anonymous))] == [1, 0]


def table_with_volumes(table):
    return CohortTable(tuple(row for row in table.rows if row.volume_cm3), table.columns)


def test_reading_a_table_needs_neither_pandas_nor_torch():
    code = (
        "import sys; from PulsarCAMLib.cohort import read_cohort; read_cohort(sys.argv[1]);"
        "sys.exit(any(m in sys.modules for m in ('torch', 'pandas', 'SimpleITK', 'openpyxl')))"
    )
    assert subprocess.run([sys.executable, "-c", code, EXAMPLE], check=False).returncode == 0
