"""``pulsarcam explain --paint RULE``: the files, what travels with them, and what is refused."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from making_files import OBLIQUE, a_scan, files_in, result_of, two_boxes, written

from PulsarCAMLib.cli.explain.painting import WRITTEN
from PulsarCAMLib.painting.settings import LABEL

PLAINLY = ("--no-stability", "--method", "gradcam", "--quiet")
RULE = ("--paint", "linear", "--paint-low-gy", "12", "--paint-high-gy", "20")
STEM = "painting_linear_12-20Gy_research-only"


def run(pulsarcam, folder, *more):
    out = folder / "out"
    return pulsarcam("explain", *a_scan(folder, second=2), "-o", out, *PLAINLY, *more), out


def test_files_and_page_are_labelled_and_carry_rule_and_parameters(tmp_path, pulsarcam):
    dose = written(tmp_path / "dose.nrrd", np.full(OBLIQUE.shape, 16, np.float32) + two_boxes(), OBLIQUE)
    more = (*RULE, "--paint-anyway", "--paint-dose", dose, "--report", "--paint-range", "own")
    (code, _, err), out = run(pulsarcam, tmp_path, *more)
    assert code == 0
    assert "SYNTHETIC" in err
    ends = (".nrrd", "_spread.nrrd", "_boost.seg.nrrd", ".csv", ".json", "_qvh.csv", ".png")
    assert {f"{STEM}{end}" for end in ends} <= set(files_in(out))
    prescription = sitk.ReadImage(str(out / f"{STEM}.nrrd"))
    mri = sitk.ReadImage(str(tmp_path / "mri.nrrd"))
    assert (prescription.GetSize(), prescription.GetOrigin()) == (mri.GetSize(), mri.GetOrigin())
    values, inside = sitk.GetArrayFromImage(prescription), two_boxes() > 0
    assert not values[~inside].any()
    assert 12 <= values[inside].min() < values[inside].max() <= 20
    for name in (f"{STEM}.nrrd", f"{STEM}_spread.nrrd", f"{STEM}_boost.seg.nrrd"):
        told = sitk.ReadImage(str(out / name))
        assert told.GetMetaData("PulsarCAM.painting") == LABEL
        assert "linear from 12 to 20 Gy" in told.GetMetaData("PulsarCAM.paintingRule")
        assert "SYNTHETIC" in told.GetMetaData("PulsarCAM.paintingDespite")
    boost = sitk.ReadImage(str(out / f"{STEM}_boost.seg.nrrd"))
    assert LABEL in boost.GetMetaData("Segment0_Name")
    record = json.loads((out / f"{STEM}.json").read_text(encoding="utf-8"))
    assert record["label"] == LABEL
    assert record["parameters"]["range"] == "own"
    assert record["model"]["modelHash"]
    for end in (".csv", "_qvh.csv"):
        with (out / f"{STEM}{end}").open(encoding="utf-8") as file:
            assert {row["label"] for row in csv.DictReader(file)} == {LABEL}
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Dose painting: research use only, not a plan" in page
    assert result_of(out)["options"]["painting"]["low_gy"] == 12
    assert len(result_of(out)["input"]["painting_dose_sha256"]) == 64


def test_help_and_page_name_the_files_that_dicom_out_adds():
    """Prescription and boosts go to the planning system by other names than here."""
    page = Path(__file__).parents[4] / "Resources" / "Documentation" / "painting.md"
    for text in (WRITTEN, page.read_text(encoding="utf-8")):
        assert "_rtdose.dcm" in text
        assert "structures.dcm" in text
        assert "boosts" in text or "boost contours" in text


def test_by_contours_with_organs(tmp_path, pulsarcam):
    organs = np.zeros(OBLIQUE.shape, np.uint8)
    organs[2:9, 8:26, 24:28] = 1
    path = written(tmp_path / "organs.nrrd", organs, OBLIQUE)
    rule = ("--paint", "contours", *RULE[2:], "--paint-margin-mm", "2", "--paint-anyway", "--no-pictures")
    more = (*rule, "--paint-organs", path, "--paint-organ-mm", "3", "--threshold", "percentile:60")
    (code, _, _), out = run(pulsarcam, tmp_path, *more)
    assert code == 0
    record = json.loads((out / "painting_contours_12-20Gy_research-only.json").read_text(encoding="utf-8"))
    (told,) = {name for row in record["lesions"] for name in row if name.startswith("boost_to_")}
    assert all(row[told] is None or row[told] > 3 for row in record["lesions"])
    assert "no boost within 3 mm" in record["rule"]


@pytest.mark.parametrize(
    ("more", "code", "told"),
    [
        (RULE, 3, "Nothing is painted. The model learnt from SYNTHETIC"),
        ((*RULE[:4], "--paint-anyway"), 3, "needs two dose levels"),
        ((*RULE[2:],), 3, "--paint-low-gy is given, but no rule"),
        (("--paint-dose", "{folder}/mri.nrrd"), 3, "--paint-dose is given, but no rule"),
        ((*RULE, "--paint-anyway", "--paint-dose", "{folder}/labels.nrrd"), 3, "mask"),
        ((*RULE, "--paint-anyway", "--paint-dose", "{folder}/mri.nrrd"), 3, "is the MRI itself"),
        ((*RULE, "--paint-anyway", "--paint-dose", "{folder}/far.nrrd"), 3, "lie outside the dose"),
        ((*RULE, "--paint-anyway", "--paint-organ-mm", "3"), 3, "but no organs"),
        ((*RULE, "--paint-anyway", "--paint-organs", "{folder}/none.nrrd"), 3, "none.nrrd"),
        ((*RULE, "--paint-anyway", "--paint-organs", "{folder}/labels.nrrd"), 3, "is the file of the lesions"),
        ((*RULE, "--paint-high-gy", "2000"), 2, "--paint-high-gy"),
        (("--paint", "cubic"), 2, "invalid choice"),
    ],
)
def test_what_cannot_be_painted_is_one_sentence_and_nothing_is_left(more, code, told, tmp_path, pulsarcam):
    far = OBLIQUE.cropped((500, 500, 500), OBLIQUE.shape)
    written(tmp_path / "far.nrrd", np.linspace(1, 20, np.prod(far.shape), dtype=np.float32).reshape(far.shape), far)
    (found, _, err), out = run(pulsarcam, tmp_path, "--no-pictures", *(each.format(folder=tmp_path) for each in more))
    assert found == code
    assert told in err
    assert "Traceback" not in err
    assert not out.exists()
