"""How well a model does, as its card says it."""

import json

import numpy as np
import pytest

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.vocabulary import METRICS
from PulsarCAMLib.evaluation.card_sections import performance_section, rounded
from PulsarCAMLib.evaluation.metrics import evaluate_predictions

LABELS = np.array([1, 1, 1, 0, 0, 0, 0, 1])
CHANCES = np.array([0.9, 0.8, 0.3, 0.2, 0.6, 0.1, 0.4, 0.7])
PATIENTS = np.array([1, 1, 2, 2, 3, 3, 4, 4])


def test_every_metric_is_there_with_the_interval_of_the_patient_bootstrap_and_the_positive_class():
    section = performance_section(LABELS, CHANCES, PATIENTS, resamples=200)
    assert tuple(section["metrics"]) == METRICS
    assert section["positive"] == "response"
    expected = evaluate_predictions(LABELS, CHANCES, PATIENTS, resamples=200).values["f1"]
    told = section["metrics"]["f1"]
    assert (told["value"], told["low"], told["high"]) == pytest.approx(
        (expected.value, expected.low, expected.high), abs=1e-4
    )
    assert sum(section["decisions"].values()) == len(LABELS)
    assert sum(each["count"] for each in section["calibration"]) == len(LABELS)
    assert "AUC 0.875" in section["text"]
    assert json.loads(json.dumps(section, allow_nan=False)) == section


def test_a_metric_without_a_value_says_why():
    section = performance_section(LABELS, CHANCES / 10, PATIENTS, resamples=20)
    assert section["metrics"]["precision"]["value"] is None
    assert section["metrics"]["precision"]["reason"] == "no lesion is predicted response"


def test_the_metrics_can_be_about_non_response():
    section = performance_section(LABELS, CHANCES, PATIENTS, positive="non-response", resamples=20)
    assert section["decisions"]["true_positives"] == 3


def test_lesions_of_one_class_are_refused():
    with pytest.raises(InputError):
        performance_section(np.ones(8, int), CHANCES, PATIENTS)


def test_numbers_are_rounded_at_any_depth_and_no_number_is_none():
    given = {"a": [1.23456, (np.float64(2.00001), float("nan"))], "b": np.int64(3), "c": True, "d": "1.23456"}
    assert rounded(given, 4) == {"a": [1.2346, [2.0, None]], "b": 3, "c": True, "d": "1.23456"}
    assert rounded({"low": 0.94949999, "high": 0.1 + 0.2}) == {"low": 0.94949999, "high": 0.3}
