"""Table 1's metrics and more: known by hand, the same as scikit-learn's, and silent about nothing."""

import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn import metrics as sk

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.vocabulary import METRIC_TITLES as TITLES, METRICS, TABLE_1
from PulsarCAMLib.evaluation.discrimination import discrimination
from PulsarCAMLib.evaluation.metrics import across_trials, evaluate_predictions
from PulsarCAMLib.evaluation.predictions import Predictions
from PulsarCAMLib.evaluation.resampling import patient_weights
from PulsarCAMLib.evaluation.weighted import weighted

LABELS = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
PROBABILITIES = np.array([0.9, 0.8, 0.7, 0.2, 0.6, 0.4, 0.3, 0.1, 0.1, 0.05])
"""At 0.5: 3 of 4 responding lesions are found, and 1 of 6 others is called responding."""


def values_of(*arguments, **options):
    return {name: value.value for name, value in evaluate_predictions(*arguments, **options).values.items()}


@pytest.fixture(autouse=True)
def _no_silent_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def a_cohort(lesions=90, patients=30, signal=0.6, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, lesions)
    probabilities = 1 / (1 + np.exp(-(signal * (2 * labels - 1) + rng.normal(size=lesions))))
    return labels, np.round(probabilities, 2), rng.integers(0, patients, lesions)


def test_ten_lesions_by_hand():
    found = evaluate_predictions(LABELS, PROBABILITIES)
    counts = found.true_positives, found.false_positives, found.true_negatives, found.false_negatives
    assert counts == (3, 1, 5, 1)
    values = {name: value.value for name, value in found.values.items()}
    assert values["sensitivity"] == pytest.approx(3 / 4)
    assert values["specificity"] == pytest.approx(5 / 6)
    assert values["accuracy"] == pytest.approx(8 / 10)
    assert values["precision"] == pytest.approx(3 / 4)
    assert values["f1"] == pytest.approx(3 / 4)
    assert values["balanced_accuracy"] == pytest.approx((3 / 4 + 5 / 6) / 2)
    assert values["auc"] == pytest.approx((6 + 6 + 6 + 3) / 24)
    assert values["average_precision"] == pytest.approx((1 + 1 + 1 + 4 / 7) / 4)
    assert values["brier"] == pytest.approx(np.mean((PROBABILITIES - LABELS) ** 2))
    assert (found.positive, found.prevalence) == ("response", 0.4)


def test_the_positive_class_renames_the_metrics_and_changes_no_decision():
    response = evaluate_predictions(LABELS, PROBABILITIES)
    other = evaluate_predictions(LABELS, PROBABILITIES, positive="non-response")
    a, b = response.values, other.values
    assert other.positive == "non-response"
    assert (a["sensitivity"].value, a["specificity"].value) == (b["specificity"].value, b["sensitivity"].value)
    for name in ("accuracy", "auc", "balanced_accuracy", "brier"):
        assert a[name].value == pytest.approx(b[name].value)
    assert b["precision"].value == pytest.approx(5 / 6)
    assert response.true_positives == other.true_negatives


def test_a_probability_at_the_threshold_is_a_response_whichever_class_is_positive():
    for positive, tp, tn in (("response", 1, 0), ("non-response", 0, 1)):
        found = evaluate_predictions([1], [0.5], positive=positive)
        assert (found.true_positives, found.true_negatives) == (tp, tn)


def test_every_lesion_may_have_the_threshold_of_its_fold():
    found = evaluate_predictions([1, 0, 1, 0], [0.3, 0.2, 0.8, 0.7], threshold=np.array([0.25, 0.25, 0.75, 0.75]))
    assert found.values["accuracy"].value == 1.0


UNDEFINED = {
    "no lesion": ([], [], dict.fromkeys(METRICS, "there is no lesion")),
    "responding lesions only": (
        [1, 1],
        [0.9, 0.2],
        {
            "specificity": "no lesion is non-response",
            "auc": "no lesion is non-response, and both classes are needed",
            "balanced_accuracy": "no lesion is non-response, and both classes are needed",
            "average_precision": "no lesion is non-response, and both classes are needed",
        },
    ),
    "no responding lesion, none predicted": (
        [0, 0],
        [0.4, 0.2],
        {
            "sensitivity": "no lesion is response",
            "precision": "no lesion is predicted response",
            "f1": "no lesion is response or predicted so",
            "auc": "no lesion is response, and both classes are needed",
            "balanced_accuracy": "no lesion is response, and both classes are needed",
            "average_precision": "no lesion is response, and both classes are needed",
        },
    ),
    "none predicted": ([0, 1], [0.1, 0.2], {"precision": "no lesion is predicted response"}),
}


@pytest.mark.parametrize("case", UNDEFINED)
def test_an_undefined_metric_is_none_and_says_why(case):
    labels, probabilities, reasons = UNDEFINED[case]
    found = evaluate_predictions(labels, probabilities, np.arange(len(labels)), resamples=20)
    for name, value in found.values.items():
        assert (value.value is None) == (name in reasons), name
        if name in reasons:
            assert value.reason == reasons[name]
            assert value.text() == f"not defined: {value.reason}"
    json.dumps(found.as_dict(), allow_nan=False)


def test_f1_is_zero_where_lesions_respond_and_none_is_found():
    assert values_of([0, 1], [0.1, 0.2])["f1"] == 0.0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=2, max_size=40), st.integers(0, 10))
@settings(deadline=None, max_examples=30)
def test_weighted_formulas_are_those_of_scikit_learn(lesions, cut):
    labels, probabilities = np.array([a for a, _ in lesions]), np.array([b for _, b in lesions]) / 10
    weights = np.random.default_rng(cut).integers(0, 4, (3, len(labels))).astype(np.float32)
    given_ = Predictions.of(labels, probabilities, threshold=cut / 10)
    found = {name: weighted(name, given_, weights) for name in METRICS}
    for n, weight in enumerate(weights):
        w = {"sample_weight": weight}
        called = probabilities >= cut / 10
        positives, total = weight[labels].sum(), weight.sum()
        if 0 < positives < total:
            assert found["auc"][n] == pytest.approx(sk.roc_auc_score(labels, probabilities, **w))
            ap = sk.average_precision_score(labels, probabilities, **w)
            assert found["average_precision"][n] == pytest.approx(ap)
            assert found["balanced_accuracy"][n] == pytest.approx(sk.balanced_accuracy_score(labels, called, **w))
            assert found["sensitivity"][n] == pytest.approx(sk.recall_score(labels, called, **w))
            assert found["specificity"][n] == pytest.approx(sk.recall_score(labels, called, pos_label=False, **w))
            assert found["brier"][n] == pytest.approx(sk.brier_score_loss(labels, probabilities, **w))
        else:
            assert np.isnan([found[name][n] for name in ("auc", "average_precision", "balanced_accuracy")]).all()
        if weight[called].sum():
            assert found["precision"][n] == pytest.approx(sk.precision_score(labels, called, **w))
        else:
            assert np.isnan(found["precision"][n])
        if weight[called | labels].sum():
            assert found["f1"][n] == pytest.approx(sk.f1_score(labels, called, **w))
        if total:
            assert found["accuracy"][n] == pytest.approx(sk.accuracy_score(labels, called, **w))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=1, max_size=40))
@settings(deadline=None, max_examples=40)
def test_with_equal_weights_the_formulas_give_the_values(lesions):
    labels, probabilities = np.array([a for a, _ in lesions]), np.array([b for _, b in lesions]) / 10
    weights = np.ones((1, len(labels)), np.float32)
    for name, value in values_of(labels, probabilities).items():
        (found,) = weighted(name, Predictions.of(labels, probabilities), weights)
        if value is None:
            assert np.isnan(found)
        else:
            assert found == pytest.approx(value)


@given(st.permutations(range(10)))
@settings(deadline=None, max_examples=20)
def test_the_order_of_the_lesions_changes_nothing(order):
    order = list(order)
    assert values_of(LABELS[order], PROBABILITIES[order]) == pytest.approx(values_of(LABELS, PROBABILITIES))


def test_the_interval_of_the_auc_is_that_of_the_other_bootstrap():
    labels, probabilities, patients = a_cohort()
    found = evaluate_predictions(labels, probabilities, patients, resamples=500, seed=3).values["auc"]
    before = discrimination(labels, probabilities, patients, resamples=500, seed=3)
    assert (found.value, found.low, found.high) == pytest.approx((before.auc, before.low, before.high))


def test_weights_count_the_lesions_of_the_samples():
    patients = np.array(["b", "a", "a", "c", "b", "b"])
    weights = patient_weights(patients, 50, np.random.default_rng(5))
    rng = np.random.default_rng(5)
    for row in weights:
        drawn = [np.flatnonzero(patients == "abc"[n]) for n in rng.integers(0, 3, 3)]
        np.testing.assert_array_equal(row, np.bincount(np.concatenate(drawn), minlength=6))
    assert (weights[:, 1] == weights[:, 2]).all(), "lesions of one patient come together"


def test_intervals_hold_the_value_and_widen_when_lesions_are_copies():
    labels, probabilities, _ = a_cohort(lesions=60)
    copies = [np.tile(x, 4) for x in (labels, probabilities)]
    one = evaluate_predictions(*copies, np.tile(np.arange(60), 4), resamples=300)
    many = evaluate_predictions(*copies, np.arange(240), resamples=300)
    for name in TABLE_1:
        a, b = one.values[name], many.values[name]
        assert a.low <= a.value <= a.high
        assert a.high - a.low > 1.5 * (b.high - b.low)
        assert a.value == b.value
    assert (one.patients, many.patients, one.lesions) == (60, 240, 240)


def test_without_patients_or_with_one_there_is_no_interval():
    assert evaluate_predictions(LABELS, PROBABILITIES).values["auc"].low is None
    single = evaluate_predictions(LABELS, PROBABILITIES, np.zeros(10)).values["auc"]
    assert (single.low, single.value) == (None, pytest.approx(21 / 24))
    assert "at least two" in single.reason


def test_samples_without_a_value_are_counted_and_too_many_of_them_give_no_interval():
    labels, probabilities = [1, 0, 0, 0, 0, 0], [0.9, 0.1, 0.2, 0.1, 0.2, 0.1]
    rare = evaluate_predictions(labels, probabilities, np.arange(6), resamples=400).values["auc"]
    assert rare.undefined == pytest.approx((5 / 6) ** 6, abs=0.1)
    assert rare.low is not None
    few = evaluate_predictions([1, 0, 0], [0.9, 0.1, 0.1], [0, 1, 2], resamples=400).values["precision"]
    assert few.undefined == pytest.approx((2 / 3) ** 3, abs=0.1)
    assert few.value == 1.0


def test_no_interval_where_most_samples_have_no_value():
    from PulsarCAMLib.evaluation.metrics import value_with_interval

    value = value_with_interval(0.5, np.array([0.5, np.nan, np.nan]))
    assert (value.low, value.high) == (None, None)
    assert "67%" in value.reason


@pytest.mark.parametrize(
    ("labels", "probabilities", "options"),
    [
        ([0, 1], [0.5], {}),
        ([0, 2], [0.5, 0.5], {}),
        ([0, None], [0.5, 0.5], {}),
        ([0, 1], [0.5, np.nan], {}),
        ([0, 1], [0.5, 1.2], {}),
        ([0, 1], [0.5, 0.5], {"positive": "group A"}),
        ([0, 1], [0.5, 0.5], {"threshold": np.nan}),
        ([0, 1], [0.5, 0.5], {"patients": [1]}),
    ],
)
def test_what_are_no_predictions_is_refused_in_one_sentence(labels, probabilities, options):
    with pytest.raises(InputError) as caught:
        evaluate_predictions(labels, probabilities, **options)
    assert str(caught.value).endswith(".")


def test_table_1_is_mean_and_deviation_over_trials_and_says_where_there_is_none():
    trials = [evaluate_predictions(LABELS, PROBABILITIES, threshold=t) for t in (0.5, 0.65)]
    trials.append(evaluate_predictions([0, 0], [0.1, 0.2]))
    found = across_trials(trials)
    assert found["sensitivity"].mean == pytest.approx(0.75)
    assert found["accuracy"].sd == pytest.approx(np.std([0.8, 0.9, 1.0], ddof=1))
    assert (found["auc"].defined, found["auc"].trials) == (2, 3)
    assert found["auc"].text() == "0.875 ± 0.000 (defined in 2 of 3 trials)"
    assert found["accuracy"].text() == "0.900 ± 0.100"
    lonely = across_trials(trials[2:])
    assert lonely["auc"].text() == "not defined: no lesion is response, and both classes are needed"
    assert (lonely["accuracy"].mean, lonely["accuracy"].sd) == (1.0, None)
    assert across_trials([])["auc"].reason == "there is no trial"


def test_every_metric_has_a_title():
    assert set(TITLES) == set(METRICS)
    assert METRICS[:6] == TABLE_1


def test_scores_need_not_be_calibrated_for_ranks():
    labels, probabilities, _ = a_cohort()
    a, b = values_of(labels, probabilities), values_of(labels, probabilities**3)
    assert a["auc"] == pytest.approx(b["auc"])
    assert a["average_precision"] == pytest.approx(b["average_precision"])


def test_importing_the_metrics_needs_neither_torch_nor_scikit_learn():
    code = "import sys, PulsarCAMLib.evaluation; sys.exit(any(m in sys.modules for m in ('torch', 'sklearn')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
