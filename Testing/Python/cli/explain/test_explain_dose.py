"""``pulsarcam explain --dose``: tables, curves, page and record; and refusals that leave nothing."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest
from making_files import OBLIQUE, a_scan, files_in, written

from PulsarCAMLib.core.geometry.volume import VolumeGeometry


@pytest.fixture
def files(tmp_path):
    mri, labels = a_scan(tmp_path)
    corners = OBLIQUE.corners_lps()
    low, high = corners.min(axis=0) - 4, corners.max(axis=0) + 4
    grid = VolumeGeometry(tuple(int(n) for n in np.ceil((high - low) / 2)[::-1]), (2.0, 2.0, 2.0), tuple(low))
    ramp = np.broadcast_to(np.linspace(10, 30, grid.shape[2]), grid.shape).astype(np.float32)
    return mri, labels, written(tmp_path / "dose.nrrd", ramp, grid)


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_dose_is_told_in_tables_curves_page_and_record(tmp_path, pulsarcam, files):
    mri, labels, dose = files
    plain, told = tmp_path / "plain", tmp_path / "told"
    common = (mri, labels, "--quiet", "--no-stability")
    assert pulsarcam("explain", *common, "-o", plain, "--no-pictures")[0] == 0
    more = ("--dose", dose, "--fractions", "3", "--prescription", "15", "--dose-quantity", "eqd2", "--report")
    code, _, err = pulsarcam("explain", *common, "-o", told, *more, "--least-dose-voxels", "1")
    assert code == 0, err
    new = set(files_in(told)) - set(files_in(plain))
    assert {"dose.csv", "dose_contrast.csv", "dose_curves.csv", "dose_curves.png"} <= new
    for name in ("lesions.csv", "slices.csv"):
        assert (plain / name).read_bytes() == (told / name).read_bytes()
    rows = rows_of(told / "dose.csv")
    assert [row["region"] for row in rows[:3]] == ["lesion", "activated", "rest"]
    assert rows[0]["quantity"] == "Gy EQD2 (alpha/beta 10 Gy)"
    record = json.loads((told / "result.json").read_text(encoding="utf-8"))
    assert record["dose"]["courses"] == [{"fractions": 3, "from": "given", "most_gy": 30.0}]
    assert "dose_1_sha256" in record["input"]
    page = (told / "report.html").read_text(encoding="utf-8")
    assert "Whether the region that does not respond gets less dose" in page
    assert "in 3 fractions (as given)" in page


def test_two_doses_are_added_and_without_a_dose_nothing_is_written(tmp_path, pulsarcam, files):
    mri, labels, dose = files
    common = ("explain", mri, labels, "--quiet", "--no-stability", "--no-pictures")
    for name, doses in (("one", (dose,)), ("two", (dose, dose))):
        assert pulsarcam(*common, "-o", tmp_path / name, *(w for d in doses for w in ("--dose", d)))[0] == 0
    one, two = (rows_of(tmp_path / name / "dose.csv")[0] for name in ("one", "two"))
    assert float(two["mean_gy"]) == pytest.approx(2 * float(one["mean_gy"]), rel=1e-4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--dose", "DOSE", "--dose-quantity", "bed"), "does not say in how many fractions"),
        (("--dose", "DOSE", "--fractions", "3", "--fractions", "5"), "2 numbers of fractions and 1 doses"),
        (("--prescription", "20"), "There is no planned dose to tell of; give it with --dose FILE"),
        (("--dose", "MRI"), "is the file of the MRI"),
        (("--dose", "FAR"), "All lesions lie outside the dose grid"),
    ],
)
def test_what_cannot_be_told_is_refused_and_nothing_is_left(tmp_path, pulsarcam, files, options, said):
    mri, labels, dose = files
    far = written(
        tmp_path / "far.nrrd", np.full((5, 5, 5), 20.0, np.float32), VolumeGeometry((5, 5, 5), origin=(900, 0, 0))
    )
    names = {"DOSE": dose, "MRI": mri, "LABELS": labels, "FAR": far}
    out = tmp_path / "out"
    common = ("explain", mri, labels, "-o", out, "--quiet", "--no-stability", "--no-pictures")
    code, _, err = pulsarcam(*common, *(names.get(word, word) for word in options))
    assert code == 3
    assert re.search(said, err)
    assert not out.exists()


def a_contrast(folder, differences):
    folder.mkdir(parents=True)
    names = [
        "lesion",
        "map_method",
        "map_class",
        "map_input",
        "quantity",
        "difference_gy",
        "difference_at_equal_depth_gy",
    ]
    rows = [["GTV", "pixelwise", "non-response", "", "Gy", each, each] for each in differences]
    with (folder / "dose_contrast.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, *rows])


def test_over_patients_one_row_for_each_map(tmp_path, pulsarcam):
    for name, differences in (("a", [-2.0, -4.0]), ("b", [-2.0]), ("c", [-2.5, ""])):
        a_contrast(tmp_path / "all" / name, differences)
    out = tmp_path / "cohort.csv"
    code, text, _ = pulsarcam("dose", tmp_path / "all", "-o", out)
    assert code == 0
    (row,) = rows_of(out)
    assert float(row["difference_gy"]) == pytest.approx(-2.5)
    assert (row["patients"], row["lesions"], row["lesions_left_out"]) == ("3", "4", "1")
    assert row["answer"] == "less"
    assert "pixelwise" in text
    assert pulsarcam("dose", tmp_path / "all", "-o", out)[0] == 5
    code, _, err = pulsarcam("dose", tmp_path / "all", tmp_path / "all" / "a", "-o", out, "--overwrite")
    assert code == 3
    assert "given twice" in err
    (tmp_path / "all" / "a" / "dose_contrast.csv").write_text("lesion\nx,y\n", encoding="utf-8")
    code, _, err = pulsarcam("dose", tmp_path / "all", "-o", out, "--overwrite")
    assert code == 3
    assert "damaged" in err
    (tmp_path / "empty").mkdir()
    assert "holds no dose_contrast.csv" in pulsarcam("dose", tmp_path / "empty", "-o", out, "--overwrite")[2]
