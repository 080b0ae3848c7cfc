"""The checks can be passed and failed: models whose truth is known, and bad explanations."""

import json
from dataclasses import replace

import numpy as np
import pytest
from linear_models import linear_ensemble
from making_models import random_members

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.systems.autoencoder.model.ensemble import Ensemble
from PulsarCAMLib.systems.registry import system_of
from PulsarCAMLib.trust.checks import LABELS, SHUFFLED, SIZE, Settings, check_explanations
from PulsarCAMLib.trust.maps import map_names
from PulsarCAMLib.trust.randomisation import ALL, stages_of
from PulsarCAMLib.trust.summary import _at_chance, summarise
from PulsarCAMLib.trust.table import csv_rows, markdown, words

MAPS, MODEL_MAPS = map_names(system_of()).every, map_names(system_of()).model
STAGES = stages_of(system_of().layers(None))
FAST = Settings(draws=6, steps=8, random_orders=4, infill=0.0, noise=0.02)
QUICK = Settings(draws=1, steps=2, random_orders=1)


def summary_of(bundle, subjects, settings=FAST, **options):
    return summarise(check_explanations(bundle, subjects, settings, **options), resamples=200)


@pytest.fixture
def weights():
    return np.random.default_rng(2).normal(size=(16, 16))


@pytest.fixture
def honest(weights, lesions, as_bundle):
    return summary_of(as_bundle(linear_ensemble(weights)), lesions)


def test_the_exact_map_of_a_linear_model_passes(honest):
    signed = honest["maps"]["pixelwise-signed"]
    assert signed["scores"]["all layers"]["high"] < 0.5
    assert signed["verdicts"]["names what counts"]
    assert signed["verdicts"]["says something"]
    assert honest["image"]["looked_at"]


def test_bad_explanations_fail_by_the_check_made_for_them(honest):
    verdicts = {name: each["verdicts"] for name, each in honest["maps"].items()}
    assert not verdicts["intensity"]["changes with the model"]
    assert verdicts["intensity"]["changes with the image"]
    assert verdicts["intensity"]["stable"]
    assert not verdicts["near the centre"]["changes with the image"]
    assert not verdicts["uniform"]["says something"]
    assert not verdicts["random"]["stable"]
    assert verdicts["random"]["changes with the model"]
    for name in set(MAPS) - set(MODEL_MAPS):
        assert not honest["maps"][name]["passed"], name


def test_a_map_that_ignores_the_model_is_exactly_the_same_after_every_stage(weights, lesions, as_bundle):
    found = check_explanations(as_bundle(linear_ensemble(weights)), lesions, QUICK)
    assert len(STAGES) == 9
    for stage in STAGES:
        np.testing.assert_allclose(found.scores["intensity", stage], 1)
        np.testing.assert_allclose(found.scores["intensity", stage + " dice"], 1)


def test_a_map_that_only_turns_its_sign_has_not_changed(weights, lesions, as_bundle):
    settings = replace(QUICK, draws=12)
    found = check_explanations(as_bundle(linear_ensemble(weights)), lesions, settings).scores
    np.testing.assert_allclose(found["pixelwise-signed", "logit" + SIZE], 1)
    assert np.abs(found["pixelwise-signed", "logit"]).max() < 0.9


def test_a_model_that_ignores_its_image_is_flagged(weights, lesions, as_bundle):
    found = summary_of(as_bundle(linear_ensemble(weights, sees=0.0, floor=0.5)), lesions)
    assert not found["image"]["looked_at"]
    assert "ignores the image" in markdown(found)
    for name in MODEL_MAPS:
        assert found["maps"][name]["scores"][SHUFFLED]["mean"] == pytest.approx(1)
        assert not found["maps"][name]["verdicts"]["changes with the image"]
        assert not found["maps"][name]["verdicts"]["names what counts"]


def test_a_model_without_evidence_has_maps_that_say_nothing(weights, lesions, as_bundle):
    found = summary_of(as_bundle(linear_ensemble(0 * weights, bias=1.0)), lesions, QUICK)
    for name in MODEL_MAPS:
        assert found["maps"][name]["scores"]["constant"]["mean"] == 1
        assert not found["maps"][name]["verdicts"]["says something"]


def test_members_that_are_the_same_agree_and_opposite_ones_do_not(weights, lesions, as_bundle):
    same = check_explanations(as_bundle(linear_ensemble(weights, weights)), lesions, QUICK).scores
    np.testing.assert_allclose(same["pixelwise-signed", "members"], 1)
    np.testing.assert_allclose(same["pixelwise-signed", "spread"], 0, atol=1e-6)
    opposite = check_explanations(as_bundle(linear_ensemble(weights, -weights)), lesions, QUICK).scores
    np.testing.assert_allclose(opposite["pixelwise-signed", "members"], -1)
    alone = summary_of(as_bundle(linear_ensemble(weights)), lesions, QUICK)
    assert alone["maps"]["pixelwise"]["scores"]["members"] is None


def test_no_noise_leaves_every_map_as_it_is(weights, lesions, as_bundle):
    found = check_explanations(as_bundle(linear_ensemble(weights)), lesions, replace(QUICK, noise=0.0))
    for name in set(MAPS) - {"random"}:
        np.testing.assert_allclose(found.scores[name, "noise"], 1, err_msg=name)


def test_the_same_seed_gives_the_same_numbers_and_they_are_json(lesions, as_bundle):
    settings = Settings(draws=2, steps=4)
    first, again = (summary_of(as_bundle(Ensemble(random_members(2))), lesions, settings) for _ in range(2))
    assert json.dumps(first, allow_nan=False) == json.dumps(again, allow_nan=False)
    table = markdown(first)
    assert "| Pixel-wise CAM |" in table
    assert "turn of" not in table, "there is no MRI to cut turned patches from"


def test_a_random_models_auc_is_chance_over_many_draws(lesions, as_bundle):
    found = summary_of(as_bundle(Ensemble(random_members(2))), lesions[:6], replace(QUICK, draws=12))
    assert found["auc"]["all layers"]["chance"]
    assert found["auc"]["all layers"]["draws"] == 12


@pytest.mark.parametrize(
    ("draws", "low", "high", "expected"),
    [
        ([0.63], 0.55, 0.70, None),
        ([0.63], 0.45, 0.70, True),
        ([0.63, 0.40, 0.58], 0.51, 0.6, True),
        ([0.80, 0.81, 0.79], 0.75, 0.85, False),
    ],
)
def test_one_draw_cannot_tell_whether_an_auc_falls_to_chance(draws, low, high, expected):
    assert _at_chance(draws, low, high) is expected


def test_words_do_not_judge_by_one_draw():
    one = {"mean": 0.63, "low": 0.55, "high": 0.7, "lowest": 0.63, "highest": 0.63, "draws": 1, "chance": None}
    trained = one | {"mean": 0.9, "low": 0.8, "high": 0.97, "chance": False}
    summary = {"image": {"looked_at": True}, "auc": {"as trained": trained, LABELS: one}, "not_measured": {}}
    assert words(summary) == (
        "Trained on permuted labels the AUC is 0.63 (0.55 to 0.70) in the one draw that was made, which cannot tell "
        "whether it falls to chance."
    )


def test_an_auc_that_was_at_chance_does_not_fall_to_it():
    random = {"mean": 0.53, "low": 0.4, "high": 0.7, "lowest": 0.4, "highest": 0.6, "draws": 5, "chance": True}
    trained = {"mean": 0.5, "low": 0.5, "high": 0.5, "chance": True}
    summary = {"image": {"looked_at": True}, "auc": {"as trained": trained, ALL: random}, "not_measured": {}}
    assert words(summary) == (
        "With all layers randomised the AUC is 0.53 (0.40 to 0.70); as trained it was at chance already: "
        "0.50 (0.50 to 0.50)."
    )


def test_lesions_of_one_patient_have_no_interval_and_no_verdict_by_it(weights, lesions, as_bundle):
    alone = [replace(each, patient="P1") for each in lesions]
    found = summary_of(as_bundle(linear_ensemble(weights)), alone, QUICK)
    signed = found["maps"]["pixelwise-signed"]
    several = summary_of(as_bundle(linear_ensemble(weights)), lesions, QUICK)["maps"]["pixelwise-signed"]
    assert signed["scores"]["deletion"]["mean"] == several["scores"]["deletion"]["mean"]
    assert signed["scores"]["deletion"]["low"] is signed["scores"]["deletion"]["high"] is None
    assert {check for check, passed in signed["verdicts"].items() if passed is not None} == {"says something"}
    assert signed["passed"] is None
    assert found["maps"]["uniform"]["verdicts"]["says something"] is found["maps"]["uniform"]["passed"] is False
    assert found["auc"]["all layers"]["low"] is found["auc"]["as trained"]["chance"] is None
    assert found["not_measured"]["verdicts"] == "an interval over patients needs at least two of them"
    text = markdown(found)
    assert "of 1 patient, 1 member;" in text
    assert "not decided: changes with the model, changes with the image, names what counts, stable" in text
    assert "(no interval)" in text
    assert "on the lesions of too few patients, which cannot tell whether it falls to chance" in text
    stable = {row["passed"] for row in csv_rows(found) if row["what"] == "stable"}
    assert stable == {""}


def test_models_of_permuted_labels_are_one_more_stage_and_one_more_verdict(weights, lesions, as_bundle):
    controls = [linear_ensemble(np.random.default_rng(seed).normal(size=(16, 16))) for seed in (9, 10)]
    found = summary_of(as_bundle(linear_ensemble(weights)), lesions, label_controls=controls)
    signed = found["maps"]["pixelwise-signed"]
    assert abs(signed["scores"][LABELS]["mean"]) < 0.5
    assert signed["verdicts"]["changes with the labels"]
    assert not found["maps"]["intensity"]["verdicts"]["changes with the labels"]
    assert found["auc"][LABELS]["draws"] == 2
    assert f"| {LABELS} |" in markdown(found)
    assert "Trained on permuted labels the AUC" in markdown(found)
    assert "permuted labels" not in found["not_measured"]


def test_what_cannot_be_measured_says_why(weights, lesions, as_bundle):
    unknown = [replace(each, label=None) for each in lesions]
    found = summary_of(as_bundle(linear_ensemble(weights)), unknown, QUICK)
    assert found["auc"] is None
    assert set(found["not_measured"]) == {"AUC", "planted tissue", "members", "rotation", "permuted labels"}
    assert "Not measured: planted tissue (no lesion has planted tissue that is known)" in markdown(found)
    assert any(row["what"].startswith("members: not measured") for row in csv_rows(found))


def test_every_figure_is_a_line_of_the_csv(weights, lesions, as_bundle):
    found = summary_of(as_bundle(linear_ensemble(weights)), lesions, QUICK)
    rows = csv_rows(found)
    assert len({tuple(row) for row in rows}) == 1
    named = {(row["of"], row["what"]): row for row in rows}
    assert (
        named["Pixel-wise CAM", "deletion gain, logits"]["mean"]
        == (found["maps"]["pixelwise"]["scores"]["deletion"]["mean"])
    )
    assert named["image intensity", "changes with the model"]["passed"] == 0
    assert named["model, all layers", "AUC"]["low"] == found["auc"]["all layers"]["low"]


def test_no_lesion_is_refused(as_bundle, weights):
    with pytest.raises(InputError):
        check_explanations(as_bundle(linear_ensemble(weights)), [])
