"""``pulsarcam agreement``: a cohort compared, without a name, all or nothing."""

import csv
import html
import json
import re

import pytest
from making_files import PLAIN, a_volume, files_in, two_boxes, written

from PulsarCAMLib.agreement.folder import read_agreement
from PulsarCAMLib.agreement.voxel_measures import QUANTITIES

MADE = [
    "agreement.csv", "depths.csv", "features.csv", "lesions.csv", "report.html", "result.json", "shells.csv",
    "summary.csv",
]  # fmt: skip
GONE = "Mrs Gone"
PLACELESS = ("lesions", "patients", "spearman", "p_value", "p_adjusted", "partial", "partial_p_value")
"""Columns that do not depend on the order in which patients are drawn."""


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def cohort(tmp_path):
    """Seven patients of two lesions each, and one whose MRI is gone."""
    lines = ["patient,lesion,image,segmentation,label_value"]
    for n in range(7):
        written(tmp_path / f"mri-{n}.nrrd", a_volume(PLAIN, n), PLAIN)
        lines += [f'"Doe, {n}",GTV {label},mri-{n}.nrrd,label.nrrd,{label}' for label in (1, 2)]
    written(tmp_path / "label.nrrd", two_boxes(PLAIN, 2), PLAIN)
    lines.append(f"{GONE},GTV,gone.nrrd,label.nrrd,1")
    path = tmp_path / "cohort.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def agreement(pulsarcam, cohort, model, *more):
    return pulsarcam("agreement", cohort, "-o", cohort.parent / "out", "--model", model, *more)


def test_every_lesion_is_compared_and_features_are_set_beside(cohort, pulsarcam, model):
    table = cohort.parent / "f.csv"
    assert pulsarcam("features", cohort, "-o", table, "--groups", "gradients", "--quiet")[0] == 0
    code, out, err = agreement(pulsarcam, cohort, model, "--features", table)
    folder = cohort.parent / "out"
    assert code == 0
    assert files_in(folder) == MADE
    assert "14 lesions of 7 patients" in out
    verdict = json.loads((folder / "result.json").read_text(encoding="utf-8"))["model"]["verdict"]
    assert out.startswith(f"{verdict}\n14 lesions")
    page = html.unescape((folder / "report.html").read_text(encoding="utf-8"))
    assert 0 < page.index(f"<strong>{verdict}</strong>") < page.index("14 lesions of 7 patients;")
    assert err.count("Row 16") == 1
    summary = rows_of(folder / "summary.csv")
    assert [row["quantity"] for row in summary] == list(QUANTITIES)
    assert {row["patients"] for row in summary} == {"7"}
    assert len(rows_of(folder / "agreement.csv")) == 14 * len(QUANTITIES)
    features = rows_of(folder / "features.csv")
    assert {row["outcome"] for row in features} == {"activated_share"}
    known = [float(row["partial_p_value"]) for row in features if row["partial_p_value"]]
    assert known == sorted(known)
    assert len(known) > 20
    assert {row["beyond"] for row in features} == {"volume_cm3"}
    page = html.unescape((folder / "report.html").read_text(encoding="utf-8"))
    assert page.count("<img") == 2
    for said in ("14 lesions of 7 patients; 1 lesion could not be used.", "The margin, the outer 2 mm", "beyond"):
        assert said in page
    said, told = "".join(page.split("<h2>")[:2]), out.split("\n\n")[0]
    assert [line for line in told.splitlines() if line not in said] == []
    again = read_agreement(folder)
    assert [row["feature"] for row in again.features] == [row["feature"] for row in features]
    assert again.summary[0]["mean_partial"] == float(summary[0]["mean_partial"])
    assert again.facts["lesions"] == 14
    for file in folder.iterdir():
        text = re.sub('base64,[^"]*', "", file.read_text(encoding="utf-8"))
        assert not [name for name in ("Doe", "GTV", "Gone", "mri-", str(cohort.parent)) if name in text], file.name
    assert json.loads((folder / "result.json").read_text())["left_out"] == 1


def test_the_tables_may_be_sorted_differently_but_not_of_other_lesions(cohort, pulsarcam, model):
    table = cohort.parent / "f.csv"
    assert pulsarcam("features", cohort, "-o", table, "--groups", "gradients", "--quiet")[0] == 0
    assert agreement(pulsarcam, cohort, model, "--features", table, "--quiet")[0] == 0
    wanted = (cohort.parent / "out" / "features.csv").read_text()
    head, *lines = cohort.read_text(encoding="utf-8").splitlines()
    cohort.write_text("\n".join([head, *lines[2:14], *lines[:2], lines[14]]) + "\n", encoding="utf-8")
    assert agreement(pulsarcam, cohort, model, "--features", table, "--quiet", "--overwrite")[0] == 0
    sorted_anew = rows_of(cohort.parent / "out" / "features.csv")
    for row in csv.DictReader(wanted.splitlines()):
        other = next(each for each in sorted_anew if each["feature"] == row["feature"])
        assert {name: row[name] for name in PLACELESS} == {name: other[name] for name in PLACELESS}
    more = "New,GTV 9,mri-0.nrrd,label.nrrd,1"
    cohort.write_text("\n".join([head, more, *lines]) + "\n", encoding="utf-8")
    code, _, err = agreement(pulsarcam, cohort, model, "--features", table, "--overwrite")
    assert code == 3
    assert "1 of 16 lesions are not in the table of features (New, GTV 9, baseline)" in err
    others = table.read_text(encoding="utf-8").replace("Doe", "Roe")
    table.write_text(others, encoding="utf-8")
    code, _, err = agreement(pulsarcam, cohort, model, "--features", table, "--overwrite")
    assert code == 3
    assert "15 of 16 lesions are not in the table" in err
    assert err.count("\n") == 1


def test_another_map_and_outcome_can_be_asked_for(cohort, pulsarcam, model):
    code, out, _ = agreement(pulsarcam, cohort, model, "--method", "gradcam++", "--class", "predicted", "--quiet")
    assert (code, out) == (0, "")
    assert "features.csv" not in files_in(cohort.parent / "out")
    assert {row["map_method"] for row in rows_of(cohort.parent / "out" / "lesions.csv")} == {"gradcam++"}


def test_no_usable_lesion_is_one_sentence_and_leaves_nothing(cohort, pulsarcam, model):
    lines = cohort.read_text(encoding="utf-8").splitlines()
    cohort.write_text("\n".join([lines[0], lines[-1]]) + "\n", encoding="utf-8")
    code, _, err = agreement(pulsarcam, cohort, model)
    assert code == 3
    assert "None of the 1 rows could be used" in err
    assert not (cohort.parent / "out").exists()
    assert agreement(pulsarcam, cohort, model, "--time-point", "second")[0] == 3
