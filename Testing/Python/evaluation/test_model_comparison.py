"""Two models on the same lesions."""

import json

import numpy as np
import pytest

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.evaluation.metrics import evaluate_predictions
from PulsarCAMLib.evaluation.model_comparison import compare_models


def cohort(patients=80, better=1.2, worse=0.4, seed=0):
    """Three lesions a patient; two models of different strength whose errors have a part in common."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, 3 * patients)
    common = rng.normal(size=labels.size)
    scores = [
        1 / (1 + np.exp(-(gain * (2 * labels - 1) + common + 0.3 * rng.normal(size=labels.size))))
        for gain in (better, worse)
    ]
    return labels, *scores, np.repeat(np.arange(patients), 3)


@pytest.mark.parametrize("metric", ["auc", "accuracy"])
def test_a_better_model_is_found_better_and_the_other_way_round(metric):
    labels, better, worse, patients = cohort()
    found = compare_models(labels, better, worse, patients, metric=metric, resamples=400)
    assert found.difference.value == pytest.approx(found.first.value - found.second.value)
    assert found.differs
    assert found.p_value < 0.02
    assert found.difference.low > 0
    back = compare_models(labels, worse, better, patients, metric=metric, resamples=400)
    assert back.difference.value == pytest.approx(-found.difference.value)
    assert (back.difference.low, back.difference.high) == pytest.approx((-found.difference.high, -found.difference.low))
    assert back.p_value == pytest.approx(found.p_value)


def test_a_model_does_not_differ_from_itself():
    labels, scores, _, patients = cohort()
    found = compare_models(labels, scores, scores, patients, resamples=200)
    assert (found.difference.value, found.difference.low, found.difference.high) == (0, 0, 0)
    assert found.p_value == 1.0
    assert not found.differs


def test_pairing_makes_the_interval_narrower_than_those_of_the_models():
    labels, first, second, patients = cohort(better=0.6, worse=0.5)
    found = compare_models(labels, first, second, patients, resamples=400)
    alone = evaluate_predictions(labels, first, patients, resamples=400).values["auc"]
    assert found.difference.high - found.difference.low < alone.high - alone.low


def test_p_values_of_equal_models_are_spread_over_the_whole_range():
    found = [compare_models(*cohort(30, 0.7, 0.7, seed), resamples=99).p_value for seed in range(80)]
    assert np.mean(np.array(found) < 0.1) < 0.22
    assert 0.3 < np.mean(found) < 0.7


def test_patients_with_many_alike_lesions_do_not_count_as_many_patients():
    labels, first, second, patients = cohort(20, 0.9, 0.6)
    copies = [np.tile(x, 5) for x in (labels, first, second)]
    honest = compare_models(*copies, np.tile(patients, 5), resamples=400).difference
    naive = compare_models(*copies, np.arange(5 * labels.size), resamples=400).difference
    assert honest.high - honest.low > 1.5 * (naive.high - naive.low)


def test_thresholds_of_both_models_are_used():
    labels, patients = np.array([0, 0, 1, 1]), np.arange(4)
    low, high = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.6, 0.7, 0.8, 0.9])
    found = compare_models(
        labels, low, high, patients, metric="accuracy", thresholds=(0.25, 0.75), positive="non-response", resamples=50
    )
    assert (found.first.value, found.second.value, found.positive) == (1, 1, "non-response")


def test_what_is_not_defined_for_one_model_is_not_compared():
    found = compare_models([0, 1], [0.1, 0.9], [0.1, 0.2], [0, 1], metric="precision", resamples=50)
    assert found.difference.value is None
    assert found.difference.reason == "second model: no lesion is predicted response"
    assert found.p_value is None
    assert not found.differs
    json.dumps(found.as_dict(), allow_nan=False)
    single = compare_models([0, 1], [0.1, 0.9], [0.9, 0.2], [0, 0], resamples=50)
    assert (single.difference.value, single.p_value) == (1, None)
    assert "at least two" in single.difference.reason


def test_an_unknown_metric_is_refused():
    with pytest.raises(InputError, match="not known"):
        compare_models([0, 1], [0.1, 0.9], [0.1, 0.2], [0, 1], metric="kappa")
