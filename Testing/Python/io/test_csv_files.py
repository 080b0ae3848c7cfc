"""Cells that a spreadsheet would run are made harmless, and read back as they were."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

import PulsarCAMLib
from PulsarCAMLib.cohort.tables.sheets import read_sheet, write_sheet
from PulsarCAMLib.io.csv_files import as_meant, cells_of, csv_text, harmless, read_csv, records_of
from PulsarCAMLib.outputs.tables import write_table

FORMULAS = (
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "\nx",
    '=HYPERLINK("http://x")',
    "-",
    "＝1",
    "=",
)
NUMBERS = ("-1.5", "+3", "-1e-05", "-.5", "12", "-inf", "1.5", "-3.")
PLAIN = ("a=b", "'tis", "'", "left frontal", "", "P-1", "3 - 4", "2026-01-31", "a@b")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_a_text(text):
    assert harmless(text) == f"'{text}"
    assert as_meant(harmless(text)) == text
    assert as_meant(harmless(harmless(text))) == f"'{text}", "an apostrophe of somebody's own stays"


@pytest.mark.parametrize("text", [*NUMBERS, *PLAIN])
def test_numbers_and_other_texts_stay(text):
    assert harmless(text) == text
    assert as_meant(text) == text


def test_what_is_no_text_stays():
    assert harmless(-1.5) == -1.5
    assert harmless(None) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4))
def test_whatever_is_written_is_read(cells):
    text = csv_text(["a", "b", "c", "d"][: len(cells)], [cells])
    assert list(cells_of(io.StringIO(text, newline="")))[1] == cells
    for first in (cell[:1] for row in csv.reader(io.StringIO(text, newline="")) for cell in row):
        assert first not in set("=@\t\r\n")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_table_of_results_and_a_cohort_table_have_no_formula_and_lose_no_name(tmp_path, text):
    write_table(tmp_path / "r.csv", [{"lesion": text, text: -1.5}])
    with (tmp_path / "r.csv").open(newline="", encoding="utf-8") as file:
        heads, cells = csv.reader(file)
    assert heads[1].startswith("'")
    assert cells == [f"'{text}", "-1.5"]
    assert records_of(*read_csv(tmp_path / "r.csv")) == [{"lesion": text, text: "-1.5"}]
    for ending in (".csv", ".xlsx"):
        path = write_sheet(tmp_path / f"c{ending}", ["patient", "note_x"], [["a", text], ["b", "-1.5"]], overwrite=True)
        sheet = read_sheet(path)
        found = sheet.rows[0][1][1]
        assert found == text or (ending == ".xlsx" and found == text.replace("\r", "\\r")), "XML has no bare return"
        assert str(sheet.rows[1][1][1]) == "-1.5"


def test_there_is_one_writer_and_one_reader_of_csv():
    root = Path(PulsarCAMLib.__file__).parent
    known = {"io/csv_files.py", "desktop/train/findings.py", "desktop/train/curves.py"}
    found = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if re.search(r"csv\.(reader|writer|DictReader|DictWriter)\(|\.to_csv\(.*path", path.read_text(encoding="utf-8"))
    }
    assert found <= known, "cells go through PulsarCAMLib.io.csv_files"


def test_a_table_of_ours_that_is_damaged_is_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1,2,3\n")
    with pytest.raises(ValueError, match="zip"):
        records_of(*read_csv(path))
    path.write_bytes(b"a,b\n\xff\xfe,2\n")
    with pytest.raises(UnicodeDecodeError):
        read_csv(path)
