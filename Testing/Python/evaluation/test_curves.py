"""Curves, calibration, thresholds."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import auc as area_under, balanced_accuracy_score

from PulsarCAMLib.evaluation.curves import calibration_points, precision_recall_points, roc_points
from PulsarCAMLib.evaluation.metrics import evaluate_predictions
from PulsarCAMLib.evaluation.thresholds import choose_threshold

LABELS = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
PROBABILITIES = np.array([0.9, 0.8, 0.7, 0.2, 0.6, 0.4, 0.3, 0.1, 0.1, 0.05])
PAIRS = st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=2, max_size=60)


def arrays(pairs):
    return np.array([a for a, _ in pairs]).astype(int), np.array([b for _, b in pairs]) / 20


def test_the_roc_runs_from_nothing_to_everything_and_has_the_auc_below_it():
    curve = roc_points(LABELS, PROBABILITIES)
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    assert area_under(curve.x, curve.y) == pytest.approx(curve.area) == pytest.approx(21 / 24)
    at = np.flatnonzero(curve.thresholds == 0.7)[0]
    assert (curve.x[at], curve.y[at]) == (0, 0.75)


def test_the_precision_recall_curve_has_its_points_by_hand():
    curve = precision_recall_points(LABELS, PROBABILITIES)
    assert (curve.x[0], curve.y[0], curve.thresholds[0]) == (0, 1, np.inf)
    assert (curve.x[-1], curve.y[-1]) == (1, pytest.approx(0.4))
    at = np.flatnonzero(curve.thresholds == 0.6)[0]
    assert (curve.x[at], curve.y[at]) == (0.75, 0.75)
    assert curve.area == evaluate_predictions(LABELS, PROBABILITIES).values["average_precision"].value


def test_curves_of_one_class_say_why_there_are_none():
    for curve in (roc_points([1, 1], [0.2, 0.3]), precision_recall_points([0, 0], [0.2, 0.3])):
        assert curve.area is None
        assert "both classes are needed" in curve.reason
        assert curve.x.size == curve.y.size == 0


def test_the_roc_of_the_other_class_is_the_mirror_image():
    a, b = roc_points(LABELS, PROBABILITIES), roc_points(LABELS, PROBABILITIES, positive="non-response")
    assert a.area == pytest.approx(b.area)
    mirrored = {(round(1 - y, 9), round(1 - x, 9)) for x, y in zip(a.x, a.y, strict=True)}
    assert {(round(x, 9), round(y, 9)) for x, y in zip(b.x, b.y, strict=True)} <= mirrored


def test_calibration_bins_have_equal_counts_and_know_what_was_observed():
    probabilities = np.linspace(0, 1, 100)
    bins = calibration_points(probabilities > 0.5, probabilities, bins=4)
    assert [found.count for found in bins] == [25] * 4
    assert [found.observed for found in bins] == [0, 0, 1, 1]
    assert bins[0].low == 0
    assert bins[-1].high == 1
    assert bins[0].predicted == pytest.approx(probabilities[:25].mean())


@given(PAIRS, st.integers(1, 12))
@settings(deadline=None, max_examples=25)
def test_calibration_agrees_with_scikit_learn_and_loses_no_lesion(pairs, bins):
    labels, probabilities = arrays(pairs)
    found = calibration_points(labels, probabilities, bins=bins)
    assert sum(each.count for each in found) == len(labels)
    if len(set(labels)) == 2:
        observed, predicted = calibration_curve(labels, probabilities, n_bins=bins, strategy="quantile")
        assert [each.observed for each in found] == pytest.approx(observed)
        assert [each.predicted for each in found] == pytest.approx(predicted)


def test_the_calibration_error_is_zero_when_predictions_are_shares_and_known_when_they_are_not():
    probabilities = np.repeat([0.25, 0.75], 40)
    labels = np.concatenate([np.arange(40) < 10, np.arange(40) < 30]).astype(int)
    assert evaluate_predictions(labels, probabilities).values["calibration_error"].value == pytest.approx(0)
    sure = np.where(probabilities > 0.5, 1.0, 0.0)
    assert evaluate_predictions(labels, sure).values["calibration_error"].value == pytest.approx(0.25)


def test_the_calibration_error_of_a_perfect_model_is_not_zero_in_a_small_cohort():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        probabilities = rng.uniform(size=69)
        labels = rng.uniform(size=69) < probabilities
        found.append(evaluate_predictions(labels, probabilities).values["calibration_error"].value)
    assert 0.07 < np.mean(found) < 0.15


@pytest.mark.parametrize(("lesions", "points"), [(1, 1), (5, 1), (23, 1), (24, 2), (69, 5), (120, 10), (500, 10)])
def test_every_point_of_a_calibration_curve_has_twelve_lesions_or_is_the_only_one(lesions, points):
    chances = np.linspace(0.1, 0.9, lesions)
    assert len(calibration_points(np.arange(lesions) % 2, chances)) == points


def test_an_empty_set_has_no_calibration_points():
    assert calibration_points([], []) == []


def test_the_threshold_lies_between_the_classes_when_they_are_apart():
    found = choose_threshold([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9])
    assert (found.value, found.balanced_accuracy, found.lesions) == (pytest.approx(0.4), 1.0, 4)


def test_the_threshold_of_ten_lesions_by_hand():
    found = choose_threshold(LABELS, PROBABILITIES)
    assert found.value == pytest.approx(0.65), "3 of 4 and 6 of 6"
    assert found.balanced_accuracy == pytest.approx((3 / 4 + 1) / 2)


@given(PAIRS)
@settings(deadline=None, max_examples=30)
def test_no_threshold_has_a_higher_balanced_accuracy_and_what_is_promised_is_kept(pairs):
    labels, probabilities = arrays(pairs)
    found = choose_threshold(labels, probabilities)
    if found.balanced_accuracy is None:
        assert found.value == 0.5
        assert found.reason
        return
    achieved = evaluate_predictions(labels, probabilities, threshold=found.value).values["balanced_accuracy"].value
    assert achieved == pytest.approx(found.balanced_accuracy)
    every = [balanced_accuracy_score(labels, probabilities >= t) for t in np.unique(probabilities)]
    assert found.balanced_accuracy >= max(0.0, *every) - 1e-9 or max(every) == 0.5


def test_neighbouring_floating_point_numbers_are_told_apart():
    low = 0.3
    high = np.nextafter(low, 1)
    found = choose_threshold([0, 1], [low, high])
    assert found.balanced_accuracy == 1.0
    assert low < found.value <= high


def test_equally_good_thresholds_give_the_one_nearest_to_one_half():
    assert choose_threshold([1, 0, 1, 0], [0.1, 0.2, 0.8, 0.9]).value == pytest.approx(0.5)


@pytest.mark.parametrize(("labels", "probabilities"), [([1, 1], [0.2, 0.3]), ([0, 1], [0.4, 0.4]), ([], [])])
def test_the_default_is_taken_where_nothing_can_be_chosen(labels, probabilities):
    found = choose_threshold(labels, probabilities)
    assert (found.value, found.balanced_accuracy) == (0.5, None)
    assert found.reason
