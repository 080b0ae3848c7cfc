"""A whole card in readable form: old cards, new ones, and broken parts."""

import copy
import json
import re

import numpy as np
import pytest
from making_models import random_bundle
from making_studies import made_study, noise

from PulsarCAMLib.evaluation.card_sections import performance_section
from PulsarCAMLib.evaluation.metrics import Value, evaluate_predictions, written
from PulsarCAMLib.outputs.pages.card_text import card_blocks, unreadable_parts
from PulsarCAMLib.study.figures.card_section import protocols_section
from PulsarCAMLib.study.figures.summary import summarise
from PulsarCAMLib.systems.bundles.bundle import SHIPPED, find_card

CHECK = {"mean": 0.12, "low": -0.1, "high": 0.3, "lesions": 8}
CHECKS = {
    "about": "On eight lesions",
    "text": "With all layers randomised the AUC falls to chance.",
    "maps": {
        name: {"scores": {"all layers": CHECK}, "verdicts": {"stable": name != "random", "says something": True}}
        for name in ("pixelwise", "intensity", "near the centre", "random")
    },
}


@pytest.fixture(scope="module")
def protocols(tmp_path_factory):
    study = made_study(tmp_path_factory.mktemp("run"), noise, protocols=("patients", "paper"))
    return protocols_section(summarise(study, 20), study.facts)


@pytest.fixture
def card(tmp_path, protocols):
    measured = performance_section([1, 0, 1, 0], [0.9, 0.2, 0.6, 0.4], [1, 1, 2, 2], resamples=20)
    performance = {"about": "On two patients", "validation": measured}
    more = {"protocols": protocols, "explanation_checks": CHECKS, "performance": performance}
    return random_bundle(tmp_path / "random", **more).card


def of(card, title):
    return next(block for block in card_blocks(card) if block.title == title)


def test_the_parts_come_in_the_order_of_reading(card):
    titles = [block.title for block in card_blocks(card)]
    assert titles == ["What it is", "Trained on", "Performance", "Protocols", "Maps", "Are the maps true?",
                      "Versions and hashes"]  # fmt: skip
    assert unreadable_parts(card) == []


def test_sets_of_classes_say_how_often_they_held_and_on_whom(card):
    assert "Sets of classes" not in [block.title for block in card_blocks(card)]
    shipped = find_card("synthetic-demo")
    block = of(shipped, "Sets of classes")
    assert dict(block.facts)["calibrated on"] == "100 patients"
    assert dict(block.facts)["error rate"].startswith("10% of patients")
    told = " ".join(block.sentences)
    assert "on a table of other patients" in told
    assert "the sets held the truth for all lesions of 90 (90%" in told


def test_every_metric_is_a_row_with_its_interval_and_the_positive_class(card):
    metrics, calibration = of(card, "Performance").tables
    assert "positive class: response" in metrics[0][0]
    assert dict(metrics)["AUC"].startswith("1.000 (")
    assert calibration[1:] == (("4", "0.53", "0.50"),), "four lesions make one bin, as in the report"
    assert of(card, "Performance").sentences[0] == "On two patients."


def test_protocols_stand_side_by_side_with_their_controls(card):
    block = of(card, "Protocols")
    heads, *rows = block.tables[0]
    assert heads[1:] == ("patients, first MRI", "patients, second MRI", "paper, second MRI (flatters)")
    named = {row[0]: row[1:] for row in rows}
    assert named["AUC with permuted labels"][2] == "1.000 ± 0.000"
    assert "±" in named["F1"][0]
    assert any("learnt by heart" in sentence for sentence in block.sentences)


def test_maps_that_fail_say_which_check(card):
    scores, failed = of(card, "Are the maps true?").tables
    assert scores[0] == ("mean (95 % interval)", "Pixel-wise CAM", "image intensity", "random")
    assert scores[1][1] == "0.12 (-0.10 to 0.30)"
    assert dict(failed)["random"] == "stable"
    assert dict(failed)["nearness to the centre"] == "nothing"


def test_a_card_without_the_new_parts_shows_what_it_has():
    card = find_card(SHIPPED / "synthetic-demo")
    assert unreadable_parts(card) == []
    assert of(card, "Performance").sentences
    assert of(card, "Versions and hashes").facts[0] == ("format", "PulsarCAM model bundle, version 1")


SAID = re.compile(r"AUC (\d\.\d{3}) \(95 % interval (\d\.\d{3}) to (\d\.\d{3})")


def contradictions(block):
    """Figures of the AUC's rows that cannot be those of the sentences."""
    said = [SAID.search(sentence).groups() for sentence in block.sentences if SAID.search(sentence)]
    shown = [re.findall(r"[\d.]+", dict(rows)["AUC"]) for rows in block.tables if "AUC" in dict([r[:2] for r in rows])]
    assert len(said) == len(shown) > 0
    pairs = [(a, b) for mine, other in zip(said, shown, strict=True) for a, b in zip(mine, other, strict=True)]
    return [pair for pair in pairs if abs(float(pair[0]) - float(pair[1])) > 0.0005 + 1e-9]


def test_sentences_and_tables_of_one_card_do_not_contradict_each_other(card):
    """The shipped card of before held 0.96746 rounded to four decimals: its sentence says 0.967."""
    shipped = find_card(SHIPPED / "synthetic-demo")
    assert contradictions(of(shipped, "Performance")) == []
    fields = copy.deepcopy(dict(shipped.fields))
    performance = fields["performance"]["prediction"]["standard"]
    performance |= {"auc": 0.9675, "low": 0.9461, "high": 0.9847}
    performance["metrics"]["auc"] |= {"value": 0.9675, "low": 0.9461, "high": 0.9847}
    shipped = type(shipped).from_fields(fields)
    assert f"{performance['auc']:.3f}" == "0.968", "rounded twice it would"
    assert contradictions(of(shipped, "Performance")) == []
    assert dict(of(shipped, "Performance").tables[0])["AUC"] == "0.9675 (0.946 to 0.985)"
    assert contradictions(of(card, "Performance")) == []


def test_a_figure_is_not_rounded_twice():
    labels, patients = np.arange(200) % 2, np.arange(200) // 2
    chances = np.random.default_rng(3).random(200)
    found = performance_section(labels, chances, patients, resamples=50)
    exact = evaluate_predictions(labels, chances, patients, resamples=50).values["brier"].value
    assert found["metrics"]["brier"]["value"] == pytest.approx(exact, abs=1e-11)
    assert written(0.12349999) == "0.123"
    assert written(0.1235, stored=4) == "0.1235"
    assert written(0.12350001, stored=4) == "0.1235"
    assert written(0.1234, stored=4) == "0.123"
    assert written(0.945, 2, stored=4) == "0.945"


def test_the_calibration_error_has_a_note_and_no_interval_that_may_leave_it_out(card):
    """The shipped card holds 0.0549 with an interval from 0.056 to 0.136."""
    shipped = find_card(SHIPPED / "synthetic-demo")
    stored = shipped.fields["performance"]["control_without_signal"]["metrics"]["calibration_error"]
    assert not stored["low"] <= stored["value"] <= stored["high"]
    for each in (shipped, card):
        block = of(each, "Performance")
        rows = [row for table in block.tables for row in table if row[0] == "expected calibration error"]
        assert rows
        assert all(re.fullmatch(r"0\.\d+", row[1]) for row in rows), rows
        assert any("so no interval is shown" in sentence for sentence in block.sentences)
    metrics = card.fields["performance"]["validation"]["metrics"]
    assert metrics["calibration_error"]["low"] is None
    assert "drawn twice" in metrics["calibration_error"]["reason"]
    assert metrics["brier"]["low"] is not None


def test_leave_one_patient_out_is_shown_by_its_pool_beside_the_pool_of_its_controls(tmp_path):
    study = made_study(tmp_path / "run", noise, protocols=("leave-one-patient-out", "patients"))
    summary = summarise(study, 20)
    section = protocols_section(summary, study.facts)
    table = of(random_bundle(tmp_path / "new", protocols=section).card, "Protocols").tables[0]
    column = {row[0]: row[1] for row in table}
    entry = summary["table"][0]
    own, control = (Value(**part["pooled"]["values"]["auc"]).text() for part in (entry, entry["control"]))
    assert entry["protocol"] == "leave-one-patient-out"
    assert (column["AUC"], column["AUC with permuted labels"]) == (own, control)
    assert "defined in" not in str(list(column.values()))
    assert table[0][1].endswith("(pooled)")
    assert "±" in {row[0]: row[3] for row in table}["AUC"], "splits by patient stay means over trials"
    for kept in section["table"]:
        kept.pop("by_trial_means_little")
        kept.pop("control_pooled")
    earlier = of(random_bundle(tmp_path / "old", protocols=section).card, "Protocols").tables[0]
    column = {row[0]: row[1] for row in earlier}
    assert (column["AUC"], column["AUC with permuted labels"]) == (own, "not in this card")


@pytest.mark.parametrize(
    ("part", "value", "title"),
    [
        ("protocols", {"table": [{}]}, "Protocols"),
        ("explanation_checks", {"maps": 3}, "Are the maps true?"),
        ("performance", {"metrics": {"auc": 1}}, "Performance"),
        ("training", {"sha256": []}, "Versions and hashes"),
    ],
)
def test_a_broken_part_hides_no_other_one(tmp_path, part, value, title):
    card = random_bundle(tmp_path / "random", **{part: value}).card
    problems = unreadable_parts(card)
    assert len(problems) == 1
    assert f"“{title}” is not as this PulsarCAM writes it" in problems[0]
    assert of(card, "What it is").facts
    assert json.dumps(of(card, title).sentences)
