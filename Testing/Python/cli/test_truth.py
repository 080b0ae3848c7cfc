"""``make truth``: every rule in turn, resumable, one table."""

import csv
import json
from functools import partial

import numpy as np
import pytest

from PulsarCAMLib.cli import truth
from PulsarCAMLib.cohort.synthetic import patients, store
from PulsarCAMLib.cohort.synthetic.background import Background
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.vocabulary import RULES

TINY = ("--patients", "3", "--test-patients", "3", "--members", "1", "--draws", "1", "--resamples", "20")
FAST = ("--epochs", "1", "--filters", "2", "--rotations", "90", "--validation-share", "0", "--batch-size", "8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One rule from end to end, in a brain that is quickly made."""
    made = tmp_path_factory.mktemp("truth") / "run"
    k, j, i = np.indices((44, 64, 64)) - np.array([21.5, 31.5, 31.5])[:, None, None, None]
    grey = 600 + np.random.default_rng(0).normal(0, 8, k.shape)
    brain = np.where((k / 22) ** 2 + (j / 32) ** 2 + (i / 32) ** 2 < 1, grey, 0).astype(np.int16)
    background = Background(brain, VolumeGeometry(brain.shape, (1.5, 1.5, 2.2), (0.0, 0.0, 0.0)))
    generate = partial(patients.generate_patient, background=background)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "generate_patient", lambda settings, index, images, _: generate(settings, index, images))
        patch.setattr(patients, "generate_patient", generate)
        assert truth.main(["-o", str(made), "--rules", "dark-niche", *TINY, *FAST]) == 0
    return made


def test_a_rule_is_generated_trained_and_judged_and_the_table_written(folder):
    result = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    (rule,) = result["rules"]
    assert rule["patients"] == 3
    assert {"pixelwise", "gradcam", "local texture", "near the margin"} <= set(rule["maps"])
    assert rule["control_auc"] is not None
    assert set(rule["believe"]) <= set(rule["maps"])
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["map"] for row in rows} == set(rule["maps"])
    page = (folder / "truth.md").read_text(encoding="utf-8")
    assert page.startswith(result["text"])
    assert "SYNTHETIC" in page
    told = "--patients 3 --test-patients 3 --members 1 --draws 1 --resamples 20 --epochs 1 --filters 2"
    assert f"`python -m PulsarCAMLib.cli.truth {told}" in page
    assert not (folder / "dark-niche" / "cohort").exists()


def test_what_is_finished_is_not_done_again_and_another_recipe_is_refused(folder, monkeypatch, capsys):
    asked = []

    def under(rule, *_arguments):
        asked.append(rule)
        return json.loads((folder / "dark-niche" / "result.json").read_text(encoding="utf-8")) | {"rule": rule}

    monkeypatch.setattr(truth, "_under", under)
    assert truth.main(["-o", str(folder), "--rules", "missing-rim,dark-niche", *TINY, *FAST]) == 0
    assert asked == ["missing-rim"]
    assert [each["rule"] for each in truth.finished(folder)] == ["dark-niche", "missing-rim"]
    assert "2 of 10 rules" in capsys.readouterr().out
    assert truth.main(["-o", str(folder), *TINY, *FAST, "--patients", "4"]) == 1
    assert "another recipe" in capsys.readouterr().err


@pytest.mark.parametrize("rules", ["size,colour", "size,size,outside", ""])
def test_rules_that_are_none_or_said_twice_are_wrong_usage(rules):
    with pytest.raises(SystemExit):
        truth.main(["--rules", rules])


def test_training_and_unseen_patients_are_not_the_same(tmp_path):
    recipe = truth.Recipe()
    assert recipe.cohort("size", unseen=True).seed != recipe.cohort("size", unseen=False).seed
    truth._claim(tmp_path / "run", recipe)
    with pytest.raises(InputError, match="another recipe"):
        truth._claim(tmp_path / "run", truth.Recipe(patients=7))
    assert all(recipe.cohort(rule, unseen=True).rule == rule for rule in RULES)
