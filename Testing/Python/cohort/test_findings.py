"""What is said of many rows is one line on the screen, and every row in the file."""

import csv

from PulsarCAMLib.cli import main
from PulsarCAMLib.cohort.findings import Finding, as_lines
from PulsarCAMLib.cohort.labels.cohort_labels import labels_without_files
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.systems.registry import system_of


def empty(row, what="The column flair is empty", kind="missing value"):
    return Finding(row, f"P{row}", "A", kind, what, "name the flair, or remove the row")


def test_findings_that_differ_in_names_numbers_and_files_are_one_line_with_a_count_and_the_first_rows():
    said = [empty(row, f"There is no scan-{row}.nii.gz of “P{row}” ({row * 1.5:g} mm)") for row in range(2, 7)]
    (line,) = as_lines(said)
    assert line["what"] == "There is no scan-2.nii.gz of “P2” (3 mm) (and 4 more like this)"
    assert (line["row"], line["patient"], line["lesion"]) == ("2, 3, 4, …", "P2, P3, P4, …", "A")


def test_few_others_and_other_words_stay_lines_of_their_own_in_the_order_of_rows():
    three = [empty(row) for row in (9, 4, 5)]
    other = Finding(6, "P6", "A", "doubtful case", "The column flair is empty", "name the flair, or remove the row")
    lines = as_lines([*three, other, *(empty(row, "The column t1 is empty") for row in range(2, 8))])
    assert [line["row"] for line in lines] == ["2, 3, 4, …", "4", "5", "6", "9"]
    assert lines[0]["what"].endswith("(and 5 more like this)")


def test_the_screen_groups_and_the_file_keeps_all(tmp_path, capsys):
    table = tmp_path / "cohort.csv"
    rows = "".join(f"P{n},t1-{n}.nrrd,t2-{n}.nrrd,flair-{n}.nrrd\n" for n in range(60))
    table.write_text(f"patient,t1,t2,fluid\n{rows}", encoding="utf-8")
    command = ["cohort", "check", str(table), "--system", "rano", "--no-images", "--quiet"]
    assert main(command) == 3
    said = capsys.readouterr().out.splitlines()
    assert len(said) < 12
    assert [line for line in said if "There is no column flair" in line]
    assert [line for line in said if "(and 59 more like this)" in line]
    out = tmp_path / "findings.csv"
    assert main([*command, "-o", str(out)]) == 3
    assert capsys.readouterr().out == ""
    with out.open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.DictReader(file))
    assert len([row for row in found if "There is no " in row["what"] and "t1-" in row["what"]]) == 60
    assert said[-1] == f"{len(found)} findings in {len(said) - 2} lines; -o FINDINGS writes every one into a file."


def test_what_the_table_tells_is_labelled_without_reading_a_mask(tmp_path, capsys):
    """One category is typed, one follows from sizes, and one would need its mask."""
    rano = system_of("rano")
    cells = {"P1": ("PD", "", "", ""), "P2": ("", "400", "yes", ""), "P3": ("", "", "", "tumour.nrrd")}
    lines = ["patient,visit,t1,t2,flair,rano,product_mm2,measurable,tumour"]
    for patient, (typed, size, measurable, mask) in cells.items():
        for visit, now, category in (("1", size, ""), ("2", size and "900", typed)):
            images = [f"{patient}-{visit}-{name}.nrrd" for name in ("t1", "t2", "flair")]
            for name in [*images, *filter(None, [mask])]:
                (tmp_path / name).write_text("never opened", encoding="utf-8")
            lines.append(",".join([patient, visit, *images, category, now, measurable, mask]))
    table, out = tmp_path / "cohort.csv", tmp_path / "labels.csv"
    table.write_text("\n".join(lines), encoding="utf-8")
    assert main(["cohort", "check", str(table), "--system", "rano", "--no-images", "--labels", str(out)]) == 0
    assert "0 cr, 0 pr, 0 sd, 2 pd, 1 not known without reading the masks" in capsys.readouterr().out
    with out.open(encoding="utf-8-sig", newline="") as file:
        found = [(row["patient"], row["label"], row["from"], row["why"]) for row in csv.DictReader(file)]
    assert [each[:3] for each in found] == [
        ("P1", "pd", "typed"), ("P2", "pd", "imaging-2.0"), ("P3", "", "unknown")
    ]  # fmt: skip
    assert found[2][3] == "not told by the table alone, and no mask was read"
    assert labels_without_files(read_cohort(table, rano), 0.2, rano) is None, "the mask may have a say"
