"""Scores of maps against known tissue."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.metrics import roc_auc_score

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.trust.localisation import TRIVIAL, localisation, trivial_maps

INSIDE = np.zeros((4, 8, 8), dtype=bool)
INSIDE[:, 1:7, 1:7] = True
TRUTH = np.zeros_like(INSIDE)
TRUTH[1:3, 2:5, 2:5] = True
SHARE = TRUTH.sum() / INSIDE.sum()


def test_a_perfect_map_scores_one_everywhere():
    found = localisation(TRUTH.astype(float), TRUTH, INSIDE)
    assert found[:3] == (1.0, 1.0, 1.0)
    assert found.chance == pytest.approx(SHARE)


def test_an_inverse_map_scores_zero_everywhere():
    assert localisation(-TRUTH.astype(float), TRUTH, INSIDE)[:3] == (0.0, 0.0, 0.0)


def test_a_uniform_map_scores_chance():
    found = localisation(np.full(TRUTH.shape, 3.0), TRUTH, INSIDE)
    assert found[:3] == pytest.approx((0.5, SHARE, SHARE))


def test_values_outside_the_gtv_do_not_count():
    values = TRUTH.astype(float)
    values[~INSIDE] = 99
    assert localisation(values, TRUTH, INSIDE)[:3] == (1.0, 1.0, 1.0)


def test_a_small_case_by_hand():
    inside = np.ones((1, 1, 5), dtype=bool)
    truth = np.array([[[True, True, False, False, False]]])
    found = localisation(np.array([[[3.0, 1, 2, 0, 0]]]), truth, inside)
    assert found.auroc == pytest.approx(5 / 6)
    assert found.dice == pytest.approx(0.5)
    assert found.pointing == 1.0


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_auroc_agrees_with_scikit_learn_and_ties_are_averaged(seed, levels):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, levels, TRUTH.shape).astype(float)
    found = localisation(values, TRUTH, INSIDE)
    assert found.auroc == pytest.approx(roc_auc_score(TRUTH[INSIDE], values[INSIDE]))
    broken = [localisation(values + 1e-6 * rng.random(values.shape), TRUTH, INSIDE).dice for _ in range(40)]
    assert found.dice == pytest.approx(np.mean(broken), abs=0.15)


@pytest.mark.parametrize("planted", [np.zeros_like(INSIDE), INSIDE])
def test_nothing_planted_or_everything_planted_is_undefined_and_says_so(planted):
    found = localisation(np.ones(INSIDE.shape), planted, INSIDE)
    assert np.isnan(found[:3]).all()
    assert found.undefined


def test_maps_that_do_not_fit_or_are_not_finite_are_refused():
    with pytest.raises(InputError):
        localisation(np.ones((2, 2, 2)), TRUTH, INSIDE)
    with pytest.raises(InputError):
        localisation(np.where(INSIDE, np.nan, 0.0), TRUTH, INSIDE)


def test_trivial_maps_are_what_they_are_called():
    image = np.random.default_rng(0).normal(size=INSIDE.shape)
    maps = trivial_maps(image, INSIDE, (3.0, 1.0, 1.0))
    assert tuple(maps) == TRIVIAL
    np.testing.assert_array_equal(maps["intensity reversed"], -maps["intensity"])
    centre = maps["near the centre"]
    assert centre[1, 3, 3] == centre[INSIDE].max()
    assert centre[0, 3, 3] == pytest.approx(-np.sqrt(4.5**2 + 0.5), abs=1e-9)
    np.testing.assert_array_equal(maps["near the margin"], -centre)
    assert np.ptp(maps["uniform"]) == 0


def test_local_texture_is_the_spread_of_what_is_around_within_the_lesion():
    rng = np.random.default_rng(3)
    image = rng.normal(size=(6, 9, 9)) * np.where(np.arange(9) < 4, 5.0, 1.0) + 1000.0
    inside = np.zeros(image.shape, bool)
    inside[1:5, 1:8, 1:8] = True
    image[~inside] = -1e4
    found = trivial_maps(image, inside, (3.0, 1.0, 1.0))["local texture"]
    where = (2, 4, 5)
    window = (slice(2, 3), slice(2, 7), slice(3, 8))
    assert found[where] == pytest.approx(image[window][inside[window]].std())
    at_edge = (slice(1, 2), slice(1, 4), slice(1, 4))
    assert found[1, 1, 1] == pytest.approx(image[at_edge].std())
    assert found[inside & (np.arange(9) < 3)].min() > found[inside & (np.arange(9) > 6)].max()
