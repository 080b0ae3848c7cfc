"""Tables that are damaged, made to fill the memory or full of odd names are read, or refused in one sentence."""

from __future__ import annotations

import os
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from PulsarCAMLib.cli import main
from PulsarCAMLib.cohort.tables import workbook
from PulsarCAMLib.cohort.tables.limits import MOST_CELLS, MOST_COLUMNS, MOST_ROWS
from PulsarCAMLib.cohort.tables.sheets import read_sheet, write_sheet
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import InputError

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "cases" / "hostile"
CASES = sorted([*SHARED.glob("xlsx-*.xlsx"), *SHARED.glob("*.csv")])

pytest.importorskip("openpyxl")


def check(capsys, path, *more) -> tuple[int, str]:
    code = main(["cohort", "check", str(path), "--no-images", *more])
    said = capsys.readouterr()
    assert "unexpected" not in said.err
    assert len(said.err.splitlines()) <= 1
    return code, said.out + said.err


@pytest.mark.skipif(not CASES, reason="the cases of ../shared are not here")
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_the_cases_end_with_a_sentence(path, capsys):
    code, said = check(capsys, path)
    assert code == 3
    if path.name == "xlsx-far-right-cells.xlsx":
        assert "larger than any cohort" in said
    elif path.suffix == ".xlsx":
        assert "is not a readable XLSX workbook" in said
    else:
        assert "There is no" in said


def a_workbook(path: Path) -> bytes:
    write_sheet(path, ["patient", "lesion", "volume_cm3"], [["a", "1", 2.5], ["b", "2", 1.5]], overwrite=True)
    return path.read_bytes()


def with_sheet(path: Path, rows: str, kind: str = "worksheet") -> Path:
    """A workbook whose sheet has these rows."""
    a_workbook(path.with_name("whole.xlsx"))
    with zipfile.ZipFile(path.with_name("whole.xlsx")) as whole, zipfile.ZipFile(path, "w", 8) as packed:
        for name in whole.namelist():
            content = whole.read(name)
            if name.startswith("xl/worksheets/"):
                content = (
                    f'<?xml version="1.0"?>{kind if kind.startswith("<") else ""}<worksheet xmlns="http://schemas.'
                    f'openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>'
                ).encode()
            packed.writestr(name, content)
    return path


HEADS = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>patient</t></is></c><c r="B1" t="inlineStr"><is><t>lesion</t></is></c>'
    '</row><row r="2"><c r="A2"><v>7</v></c><c r="B2"><v>1</v></c></row>'
)


@pytest.mark.parametrize("at", range(0, 100, 4))
def test_a_workbook_with_damaged_bytes_is_read_or_refused(tmp_path, at):
    """Deflate streams, the zip's directory and its headers, each damaged."""
    whole = a_workbook(tmp_path / "a.xlsx")
    place = len(whole) * at // 100
    for change in (
        whole[:place],
        whole[:place] + bytes(8) + whole[place + 8 :],
        whole[:place] + b"\xff" + whole[place + 1 :],
    ):
        (tmp_path / "b.xlsx").write_bytes(change)
        with suppress(InputError):
            assert read_sheet(tmp_path / "b.xlsx").headings


def test_a_stray_value_far_away_is_refused_and_a_stray_colour_is_not(tmp_path):
    value = with_sheet(tmp_path / "a.xlsx", HEADS + '<row r="3"><c r="XFD3"><v>1</v></c></row>')
    with pytest.raises(InputError, match="remove stray cells far to the right"):
        read_sheet(value)
    below = with_sheet(tmp_path / "c.xlsx", HEADS + '<row r="1048576"><c r="A1048576"><v>1</v></c></row>')
    with pytest.raises(InputError, match="far below"):
        read_sheet(below)
    colour = '<row r="3"><c r="XFD3" s="1"/></row><row r="1048576"><c r="A1048576" s="1"/></row>'
    sheet = read_sheet(with_sheet(tmp_path / "b.xlsx", HEADS + colour))
    assert sheet.headings == ("patient", "lesion")
    assert sheet.rows == ((2, (7, 1)),)


def test_a_workbook_that_unpacks_to_more_than_a_table_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "MOST_ELEMENTS", 1000)
    path = with_sheet(tmp_path / "a.xlsx", HEADS + "<a/>" * 1000)
    with pytest.raises(InputError, match="larger than any cohort"):
        read_sheet(path)
    with pytest.raises(InputError, match="larger"):
        read_sheet(with_sheet(tmp_path / "a.xlsx", HEADS + "<a>" * 200 + "</a>" * 200))
    monkeypatch.setattr(workbook, "LARGEST_BYTES", 20_000)
    with pytest.raises(InputError, match="larger"):
        read_sheet(with_sheet(tmp_path / "a.xlsx", HEADS + " " * 20_000))


def test_a_row_with_more_cells_than_any_has_is_refused(tmp_path):
    path = with_sheet(tmp_path / "a.xlsx", '<row r="1">' + '<c r="A1"><v>1</v></c>' * 17_000 + "</row>")
    with pytest.raises(InputError, match="larger"):
        read_sheet(path)


def test_entities_are_not_expanded(tmp_path):
    kind = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    path = with_sheet(tmp_path / "a.xlsx", HEADS.replace("patient", "&b;"), kind)
    with pytest.raises(InputError, match="not a readable XLSX"):
        read_sheet(path)


@pytest.mark.parametrize(
    "text",
    [
        "patient,lesion" + "," * (2 * MOST_COLUMNS + 9) + "\n",
        "patient,lesion" + ",x" * (MOST_COLUMNS - 1) + "\n1,1\n",
        "patient,lesion" + ",x" * 3900 + "\n" + "1,1\n" * (MOST_CELLS // 3900),
        "patient,lesion\n" + "1,1\n" * MOST_ROWS,
    ],
    ids=["separators", "columns", "cells", "rows"],
)
def test_a_csv_that_is_larger_than_any_cohort_is_refused(tmp_path, text):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="larger than any cohort"):
        read_sheet(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"patient,lesion\na,1\0\n", "not a CSV file of UTF-8"),
        ("patient,lesion\na,1\n".encode("utf-16"), "not a CSV file of UTF-8"),
        (b"patient,lesion\na," + b"x" * 200_000 + b"\n", "damaged near row"),
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\n\n ,\n", "is empty"),
        (b"a,b\n1,2\n", "no column patient and no column lesion"),
        (b"patient,patient,lesion\n1,2,3\n", "twice"),
    ],
)
def test_other_encodings_and_damage_are_sentences(tmp_path, capsys, content, said):
    (tmp_path / "a.csv").write_bytes(content)
    code, told = check(capsys, tmp_path / "a.csv")
    assert code == 3
    assert said in told


def test_a_latin_1_table_is_read(tmp_path):
    (tmp_path / "a.csv").write_bytes("patient;lesion\nMüller;1\n".encode("cp1252"))
    assert read_cohort(tmp_path / "a.csv").patients == ("Müller",)


@pytest.mark.skipif(os.name != "posix", reason="pipes")
def test_pipes_folders_and_impossible_paths_are_no_tables(tmp_path, capsys):
    os.mkfifo(tmp_path / "a.csv")
    (tmp_path / "b.xlsx").mkdir()
    for path in (tmp_path / "a.csv", tmp_path / "b.xlsx", "x" * 5000 + ".csv", "a\0.csv", "\udcff.csv", "/dev/zero"):
        code, said = check(capsys, path)
        assert code == 3
        assert len(said) < 600


NAMES = ("left\x1b[31m\x07 frontal", "a\u202eb", "x\x00".replace("\x00", "\x7f"))
TOLD = ("left\\x1b[31m\\x07 frontal", "a\\u202eb", "x\\x7f")


def test_control_characters_in_names_have_one_spelling_in_terminal_and_tables(tmp_path, capsys):
    table = tmp_path / "a.csv"
    lines = [f'"{name}","{name}",-1,2' for name in NAMES]
    table.write_text("\n".join(["patient,lesion,volume_cm3,followup_volume_cm3", *lines]) + "\n", encoding="utf-8")
    assert read_cohort(table).patients == TOLD
    code, said = check(capsys, table)
    assert code == 3
    assert not set("\x1b\x07\u202e\x7f") & set(said)
    found = tmp_path / "f.csv"
    assert main(["cohort", "check", str(table), "--no-images", "-o", str(found)]) == 3
    for text in TOLD:
        assert text in said
        assert text in found.read_text(encoding="utf-8-sig")


def test_a_very_long_path_in_a_table_is_a_finding(tmp_path, capsys):
    table = tmp_path / "a.csv"
    table.write_text(f"patient,lesion,image,dose\na,1,{'x' * 5000}.nrrd,{'y/' * 4000}z\n", encoding="utf-8")
    code, said = check(capsys, table)
    assert code == 3
    assert said.count(f"There is no {tmp_path}") == 2
    assert max(map(len, said.splitlines())) < 1000
