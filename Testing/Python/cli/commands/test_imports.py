"""``pulsarcam cohort import``: a table with its findings beside it, both or none."""

import csv

import pytest
from making_files import files_in

from PulsarCAMLib.cli import main
from PulsarCAMLib.cli.commands import imports
from PulsarCAMLib.cohort.importers import lumiere
from PulsarCAMLib.core.errors import OutputError


def a_download(folder, *more):
    """A small LUMIERE, with ratings only."""
    folder.mkdir()
    rating = "Rating (according to RANO)"
    lines = [
        f"Patient,Date,LessThan3Months,{rating}",
        "Patient-001,week-000-1,,Pre-Op",
        "Patient-001,week-044,,PD",
        *more,
    ]
    (folder / "LUMIERE-ExpertRating-v202211.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_table_and_findings_are_written_side_by_side(tmp_path, capsys):
    source, table = a_download(tmp_path / "LUMIERE"), tmp_path / "lumiere.csv"
    assert main(["cohort", "import", "lumiere", str(source), "-o", str(table)]) == 0
    said = capsys.readouterr().out
    assert "2 rows of 1 patients" in said
    assert "1 rating not used" in said
    with (tmp_path / "lumiere-findings.csv").open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.DictReader(file))
    assert [each["row"] for each in found if each["kind"] == "rating not used"] == ["2"]
    assert all(each["severity"] == "warning" for each in found)
    assert main(["cohort", "import", "lumiere", str(source), "-o", str(table)]) == 5
    assert main(["cohort", "import", "lumiere", str(source), "-o", str(table), "--overwrite", "--masks", "none"]) == 0


def test_findings_that_are_in_the_way_leave_no_table(tmp_path):
    source = a_download(tmp_path / "LUMIERE")
    (tmp_path / "new-findings.csv").write_text("mine")
    assert main(["cohort", "import", "lumiere", str(source), "-o", str(tmp_path / "new.csv")]) == 5
    assert not (tmp_path / "new.csv").exists()
    assert (tmp_path / "new-findings.csv").read_text() == "mine"


def test_a_table_that_cannot_be_written_leaves_the_findings_as_they_were(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OutputError("The disk is full.")

    source, beside = a_download(tmp_path / "LUMIERE"), tmp_path / "lumiere-findings.csv"
    arguments = ["cohort", "import", "lumiere", str(source), "-o", str(tmp_path / "lumiere.csv")]
    monkeypatch.setattr("PulsarCAMLib.cohort.importers.imported.save_cohort_table", full)
    assert main(arguments) == 5
    assert not beside.exists()
    beside.write_text("of before")
    assert main([*arguments, "--overwrite"]) == 5
    assert beside.read_text() == "of before"


def test_nothing_is_made_where_the_table_is_in_the_way(tmp_path, monkeypatch):
    (tmp_path / "table.csv").write_text("mine")
    monkeypatch.setattr(imports, "_read", lambda _: pytest.fail("read before it was refused"))
    assert main(["cohort", "import", "proteas", str(tmp_path), "-o", str(tmp_path / "table.csv")]) == 5
    assert main(["cohort", "import", "proteas", str(tmp_path), "-o", str(tmp_path / "table.doc")]) == 3


def test_anonymous_tables_and_findings_name_nobody(tmp_path):
    source = a_download(tmp_path / "LUMIERE", "Patient-001,spring,,PD", "Patient-002,spring,,PD")
    table = tmp_path / "lumiere.csv"
    assert main(["cohort", "import", "lumiere", str(source), "-o", str(table), "--anonymous"]) == 0
    for path in (table, tmp_path / "lumiere-findings.csv"):
        assert "Patient-00" not in path.read_text(encoding="utf-8-sig")
    assert "P001" in table.read_text()
    assert "note_" not in table.read_text()


@pytest.mark.parametrize("name", [name for name in imports.NAMES if name != "openbtai"])
def test_what_is_another_download_ends_with_one_sentence_and_no_file(name, tmp_path, capsys):
    source = tmp_path / "download"
    source.mkdir()
    out = tmp_path / "out"
    out.mkdir()
    assert main(["cohort", "import", name, str(source), "-o", str(out / "table.csv")]) == 3
    assert capsys.readouterr().err.count("\n") == 1
    assert files_in(out) == []


def test_options_offered_are_those_that_there_are(tmp_path, capsys):
    assert (*lumiere.MASKS, lumiere.NONE) == imports.MASKS
    arguments = ["cohort", "import", "gamma-knife", str(tmp_path / "x.xlsx"), "-o", "t.csv", "--stable-is-rice"]
    assert main(arguments) == 3
    assert "--per patient" in capsys.readouterr().err


def test_openbtai_is_imported_with_what_has_no_pair(shared_data, tmp_path, capsys):
    xlsx = str(shared_data / "tables" / "OpenBTAI_MORPHOLOGICAL_MEASUREMENTS.xlsx")
    assert main(["cohort", "import", "openbtai", xlsx, "-o", str(tmp_path / "new.csv")]) == 0
    said = capsys.readouterr().out
    assert "97 rows of 51 patients" in said
    assert "57 left out" in said, "154 lesions, 97 of them with a pair"
    assert main(["cohort", "import-openbtai", xlsx, "-o", str(tmp_path / "old.csv")]) == 0
    assert (tmp_path / "new.csv").read_bytes() == (tmp_path / "old.csv").read_bytes()
