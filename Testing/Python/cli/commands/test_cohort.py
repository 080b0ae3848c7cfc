"""``pulsarcam cohort``: findings as a table, exit code 3 for errors, nothing written by a check."""

import csv

from making_files import files_in

from PulsarCAMLib.cli import main
from PulsarCAMLib.cli.commands import cohort as command
from PulsarCAMLib.cohort.synthetic.settings import DIFFICULTIES
from PulsarCAMLib.cohort.tables.columns import COLUMNS
from PulsarCAMLib.cohort.tables.table import read_cohort


def a_table(folder, *rows):
    path = folder / "lesions.csv"
    path.write_text("\n".join(["patient,lesion,volume_cm3,followup_volume_cm3,response", *rows]) + "\n")
    return path


def test_a_synthetic_cohort_is_made_and_checked_without_a_finding(tmp_path, capsys):
    folder = tmp_path / "cohort"
    arguments = ["-o", str(folder), "--patients", "2", "--second-mri", "--seed", "8", "--difficulty", "easy", "--quiet"]
    arguments += ["--lesions", "2", "2"]
    assert main(["cohort", "make-synthetic", *arguments]) == 0
    assert "synthetic lesions of 2 patients" in capsys.readouterr().out
    table = read_cohort(folder / "cohort.csv")
    assert len(table.rows) == 2 * len(table.lesions)
    assert table.rows[0].note["difficulty"] == "easy"
    before = files_in(tmp_path)
    assert main(["cohort", "check", str(folder / "cohort.csv")]) == 0
    said = capsys.readouterr()
    assert "no errors, no warnings." in said.out
    assert "from volumes)" in said.out
    assert said.err == ""
    assert files_in(tmp_path) == before
    assert main(["cohort", "make-synthetic", *arguments]) == 5, "never replaced without being asked"
    assert main(["cohort", "make-synthetic", *arguments, "--overwrite"]) == 0


def test_planned_doses_and_clinical_columns_come_when_asked_for(tmp_path):
    folder = tmp_path / "cohort"
    arguments = ["-o", str(folder), "--patients", "1", "--lesions", "1", "1", "--quiet", "--dose", "--clinical"]
    assert main(["cohort", "make-synthetic", *arguments]) == 0
    (row,) = read_cohort(folder / "cohort.csv").rows
    assert row.dose.is_file()
    assert set(row.clinical) == {"prescription_gy", "age", "primary"}


def test_errors_are_listed_all_at_once_and_end_with_three(tmp_path, capsys):
    path = a_table(tmp_path, "a,1,5,2,", "a,1,5,7,", "b,1,-5,1,", "c,1,5,1,0")
    assert main(["cohort", "check", str(path)]) == 3
    said = capsys.readouterr()
    assert said.out.splitlines()[0].split() == ["row", "patient", "lesion", "severity", "what", "what", "to", "do"]
    for text in ("is in row 2 already", "followup_volume_cm3 is not that of row 2", "is -5", "they disagree"):
        assert text in said.out
    assert said.err.count("\n") == 1
    assert "errors; put right" in said.err
    assert main(["cohort", "check", str(path), "--labels", str(tmp_path / "labels.csv"), "--quiet"]) == 3
    assert f"check again; {tmp_path / 'labels.csv'} was not written." in capsys.readouterr().err
    assert files_in(tmp_path) == ["lesions.csv"]


def test_warnings_alone_are_no_fault_and_labels_are_counted_at_the_threshold_asked_for(tmp_path, capsys):
    path = a_table(tmp_path, "a,1,10,7.5,", "b,1,10,4,", "c,1,10,11,", "d,1,10,,", "e,1,,,0")
    assert main(["cohort", "check", str(path), "--no-images"]) == 0
    assert "2 yes, 2 no, 1 not known (3 from volumes, 1 typed in)" in capsys.readouterr().out
    assert main(["cohort", "check", str(path), "--shrinkage", "0.5"]) == 0
    assert "more than 50 %): 1 yes, 3 no" in capsys.readouterr().out


def test_wrong_usage_and_a_table_that_is_none(tmp_path, capsys):
    assert main(["cohort"]) == 2
    assert main(["cohort", "check", "x.csv", "--shrinkage", "20"]) == 2
    assert main(["cohort", "make-synthetic", "-o", str(tmp_path / "x"), "--lesions", "3", "2", "--quiet"]) == 3
    assert main(["cohort", "make-synthetic", "-o", "x", "--patients", "0"]) == 2
    assert main(["cohort", "check", str(tmp_path / "none.csv")]) == 3
    said = capsys.readouterr().err
    assert "There is no table" in said
    assert "A synthetic patient has 1 to 6 lesions, the fewest first; not 3 to 2." in said
    assert main(["cohort", "make-synthetic", "-o", str(tmp_path / "x"), "--seed", "-1", "--quiet"]) == 3
    assert files_in(tmp_path) == []


def test_all_columns_are_listed(capsys):
    assert main(["cohort", "columns"]) == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in COLUMNS)
    assert "clinical_..." in said


def test_the_help_offers_the_difficulties_that_there_are():
    assert tuple(DIFFICULTIES) == command.DIFFICULTIES


def test_openbtai_is_imported_with_its_names_or_with_numbers(shared_data, tmp_path, capsys):
    xlsx = str(shared_data / "tables" / "OpenBTAI_MORPHOLOGICAL_MEASUREMENTS.xlsx")
    path = tmp_path / "openbtai.csv"
    assert main(["cohort", "import-openbtai", xlsx, "-o", str(path)]) == 0
    assert "97 pairs of volumes of 51 patients" in capsys.readouterr().out
    assert main(["cohort", "check", str(path), "--no-images"]) == 0
    assert "16 yes, 81 no (97 from volumes)" in capsys.readouterr().out
    assert main(["cohort", "import-openbtai", xlsx, "-o", str(path)]) == 5
    assert main(["cohort", "import-openbtai", xlsx, "-o", str(path), "--anonymous", "--overwrite"]) == 0
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["patient"] == "P001"
    assert "date" not in rows[0]


def test_findings_go_into_a_file_for_excel(tmp_path, capsys):
    table = a_table(tmp_path, "P1,A,2,1,", "P1,A,2,-1,")
    assert main(["cohort", "check", str(table), "--no-images", "-o", str(tmp_path / "findings.csv")]) == 3
    assert "1 lesion of 1 patient in 2 rows" in capsys.readouterr().out.splitlines()[0]
    with (tmp_path / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["row", "patient", "lesion", "severity", "what", "what to do"]
    assert ("3", "error") in {(row["row"], row["severity"]) for row in rows}
