"""``python -m PulsarCAMLib.cli.truth --cohort``: a rule that nobody here has made is judged by the same table."""

import csv
import json

import numpy as np
import pytest
from making_files import PLAIN, written
from making_models import random_bundle

from PulsarCAMLib.cli import truth
from PulsarCAMLib.cli.truth_cohort import NO_WORDS, read_given
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import InputError

TINY = ("--resamples", "20", "--unseen-share", "0.4")
CHECKS = {
    "auc": None,
    "image": {"looked_at": None},
    "maps": {name: {"verdicts": {}} for name in ("pixelwise", "gradcam")},
}
"""Stands for what ``sanity`` finds, whose own tests these are not."""


@pytest.fixture
def quick(tmp_path, monkeypatch):
    """No training: a network that has learnt nothing is judged. Gives the tables that would have been trained on."""
    bundle, tables = random_bundle(tmp_path / "random"), []
    monkeypatch.setattr(
        truth, "_trained", lambda name, table, model, recipe: (tables.append(read_cohort(table)), bundle)[1]
    )
    monkeypatch.setattr(truth, "_sanity", lambda *_: CHECKS)
    return tables


def a_rule(folder, patients=5, **columns):
    """A corner of each lesion is brighter where it does not respond; every table cell as a stranger would write it."""
    rows, rng = [], np.random.default_rng(5)
    for n in range(patients):
        image = rng.normal(300, 20, PLAIN.shape)
        labels, decides = np.zeros(PLAIN.shape, np.uint8), np.zeros(PLAIN.shape, np.uint8)
        for value, (j, i) in enumerate(((8, 8), (8, 40)), start=1):
            box = np.s_[3:9, j : j + 14, i : i + 14]
            labels[box] = value
            image[box] += 200
            if value == 2:
                decides[3:9, j : j + 6, i : i + 6] = 1
                image[decides > 0] += 150
            row = {"patient": f"S{n}", "lesion": value, "image": f"{n}.nrrd", "segmentation": f"{n}-m.nrrd"}
            row |= {"label_value": value, "volume_cm3": 3, "followup_volume_cm3": 3 if value == 2 else 1}
            rows.append(row | {"truth_planted_map": f"{n}-t.nrrd" if value == 2 else ""} | columns)
        for name, array in ((f"{n}.nrrd", image.astype(np.int16)), (f"{n}-m.nrrd", labels), (f"{n}-t.nrrd", decides)):
            written(folder / name, array, PLAIN)
    with (folder / "cohort.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return folder


def test_patients_are_set_aside_before_anything_and_the_table_is_that_of_our_rules(tmp_path, capsys, quick):
    (tmp_path / "made").mkdir()
    folder, out = a_rule(tmp_path / "made", truth_rule="a bright corner"), tmp_path / "out"
    given = read_given(folder, 0.4)
    aside = {row.patient for row, _ in given.unseen}
    assert aside
    assert aside.isdisjoint(given.learn.patients)
    assert len(aside) + len(given.learn.patients) == 5
    assert truth.main(["--cohort", str(folder), "-o", str(out), *TINY]) == 0
    (learnt,) = quick
    assert set(learnt.patients) == set(given.learn.patients)
    assert all(row.image.is_file() and row.segmentation.is_file() for row in learnt.rows)
    page = capsys.readouterr().out
    told = json.loads((out / "truth.json").read_text(encoding="utf-8"))
    (rule,) = told["rules"]
    assert (rule["rule"], rule["decides"], rule["place"]) == ("given", "a bright corner", "inside")
    assert (rule["patients"], rule["lesions"], rule["lesions_scored"]) == (len(aside), 2 * len(aside), len(aside))
    assert rule["maps"]["intensity"]["auroc"]["mean"] > 0.95, "brightness alone finds the corner"
    assert rule["maps"]["intensity reversed"]["auroc"]["mean"] < 0.05
    assert "a bright corner" in page
    assert "made elsewhere" in page
    assert truth.main(["--cohort", str(folder / "cohort.csv"), "-o", str(out), *TINY]) == 0
    assert len(quick) == 1, "it was done already"
    (folder / "cohort.csv").write_text((folder / "cohort.csv").read_text() + "\n")
    assert truth.main(["--cohort", str(folder), "-o", str(out), *TINY]) == 1
    assert "another recipe" in capsys.readouterr().err


def test_what_decides_and_where_is_asked_of_the_table(tmp_path, capsys):
    folder = a_rule(tmp_path, patients=3)
    assert read_given(folder, 0.4).decides[1:] == (NO_WORDS, "inside")
    assert read_given(folder, 0.4, "a corner").decides.title == "a corner"
    for columns, said in (
        ({"truth_planted_map": ""}, "does not say where the truth lies"),
        ({"truth_place": "somewhere"}, "says 'somewhere'; write one of inside, whole, outside, nowhere"),
        ({"followup_volume_cm3": "-1"}, r"row 2: The followup_volume_cm3 is -1"),
        ({"followup_volume_cm3": 1}, "with"),
    ):
        with pytest.raises(InputError, match=said):
            read_given(a_rule(tmp_path, patients=3, **columns), 0.4)
    lost = a_rule(tmp_path, patients=3)
    (lost / "cohort.csv").write_text((lost / "cohort.csv").read_text().replace("0-t.nrrd", "gone.nrrd"))
    with pytest.raises(InputError, match=r"row 3: there is no map gone.nrrd \(truth_planted_map\)"):
        read_given(lost, 0.4)
    for wrong in (["--rules", "size"], ["--patients", "7"], ["--near-contour"]):
        with pytest.raises(SystemExit):
            truth.main(["--cohort", str(tmp_path), *wrong])
        assert f"leave out {wrong[0]}" in capsys.readouterr().err
    outside = read_given(a_rule(tmp_path, patients=3, truth_planted_map="", truth_place="outside"), 0.4)
    assert outside.decides.place == "outside"
    with pytest.raises(InputError, match="There is no table"):
        read_given(tmp_path / "none.csv", 0.4)
