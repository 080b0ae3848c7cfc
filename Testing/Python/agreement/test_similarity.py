"""How much two maps say the same: known answers."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from PulsarCAMLib.agreement.similarity import spearman, top_dice


def test_a_map_is_like_itself_and_unlike_its_negative():
    values = np.random.default_rng(0).random(200)
    assert spearman(values, values) == pytest.approx(1)
    assert spearman(values, -values) == pytest.approx(-1)
    assert top_dice(values, values) == pytest.approx(1)
    assert top_dice(values, -values) == 0


def test_the_rank_correlation_is_scipys_with_ties():
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 5, 300).astype(float), rng.integers(0, 5, 300).astype(float)
    assert spearman(first, second) == pytest.approx(spearmanr(first, second).statistic)


def test_constant_maps_are_alike_and_unlike_all_others():
    flat, other = np.zeros(40), np.arange(40.0)
    assert spearman(flat, flat + 3) == 1
    assert spearman(flat, other) == spearman(other, flat) == 0
    assert top_dice(flat, flat) == pytest.approx(1)
    assert top_dice(flat, other) == pytest.approx(0.25)


def test_pixels_tied_at_the_limit_belong_to_the_top_in_part():
    first, second = np.array([2.0, 1, 1, 0]), np.array([2.0, 1, 0, 0])
    assert top_dice(first, second, share=0.5) == pytest.approx((1 + 0.5) / 2)


def test_a_single_pixel_is_a_map_like_any():
    assert spearman(np.ones(1), np.zeros(1)) == 1
    assert top_dice(np.ones(1), np.zeros(1)) == 1
