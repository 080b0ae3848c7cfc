"""What a model's card keeps of a study."""

import json

import pytest
from making_studies import made_study, noise

from PulsarCAMLib.study.figures.card_section import protocols_section
from PulsarCAMLib.study.figures.summary import summarise


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return made_study(tmp_path_factory.mktemp("run"), noise, protocols=("patients", "paper"))


@pytest.fixture(scope="module")
def section(study):
    return protocols_section(summarise(study, 50), study.facts)


def test_every_protocol_and_mri_has_its_table_1_and_its_control(section):
    asked = [(e["protocol"], e["time_point"], e["flatters"]) for e in section["table"]]
    assert asked == [("patients", "baseline", False), ("patients", "second", False), ("paper", "second", True)]
    for entry in section["table"]:
        assert {"sensitivity", "specificity", "accuracy", "auc", "precision", "f1"} <= set(entry["metrics"])
        assert entry["metrics"]["auc"]["sd"] is not None
        assert entry["pooled_auc"]["low"] <= entry["pooled_auc"]["value"] <= entry["pooled_auc"]["high"]
        assert entry["controls"] == 4


def test_learning_by_heart_shows_in_the_control_of_the_papers_protocol_and_in_the_words(section):
    paper = section["table"][-1]
    assert paper["control_auc"]["mean"] == 1
    assert any("learnt by heart" in sentence for sentence in section["text"])
    assert section["positive"] == "response"


def test_it_is_json_and_short_and_says_of_which_models_it_is(section, study):
    text = json.dumps(section, allow_nan=False)
    assert json.loads(text) == section
    assert len(text) < 40_000
    assert "not of the members of this bundle" in section["about"]
    assert section["sha256"] == study.facts["sha256"]
