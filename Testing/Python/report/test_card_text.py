"""A whole card in readable form: old cards, new ones, and broken parts."""

import json

import pytest
from making_models import random_bundle
from making_studies import made_study, noise

from PulsarCAMLib.evaluation.card_sections import performance_section
from PulsarCAMLib.models.bundle import SHIPPED, find_card
from PulsarCAMLib.report.card_text import card_blocks, unreadable_parts
from PulsarCAMLib.study.card_section import protocols_section
from PulsarCAMLib.study.summary import summarise

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
    assert titles == ["What it is", "Trained on", "Performance", "Protocols", "Are the maps true?",
                      "Versions and hashes"]  # fmt: skip
    assert unreadable_parts(card) == []


def test_every_metric_is_a_row_with_its_interval_and_the_positive_class(card):
    metrics, calibration = of(card, "Performance").tables
    assert "positive class: response" in metrics[0][0]
    assert dict(metrics)["AUC"].startswith("1.000 (")
    assert len(calibration) > 2
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
