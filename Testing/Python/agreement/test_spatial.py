"""The modified t test on fields whose relation is known: nominal where the usual p-value is far too small."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage, stats

from PulsarCAMLib.agreement.spatial import LEAST_SAMPLES, Places, RankedMap, adjust, correlate, p_value

FIELDS = 200


def ball(radius_mm, spacing):
    reach = [int(radius_mm / s) + 1 for s in spacing]
    steps = np.meshgrid(*(np.arange(-n, n + 1) * s for n, s in zip(reach, spacing, strict=True)), indexing="ij")
    return sum(step**2 for step in steps) <= radius_mm**2


def smooth(rng, shape, sigma_mm, spacing):
    """A stationary Gaussian field, smooth within slices and, if asked, across them."""
    sigmas = [s / q for s, q in zip(sigma_mm, spacing, strict=True)]
    pad = [int(4 * s) + 1 for s in sigmas]
    field = ndimage.gaussian_filter(rng.standard_normal([n + 2 * p for n, p in zip(shape, pad, strict=True)]), sigmas)
    return field[tuple(slice(p, p + n) for p, n in zip(pad, shape, strict=True))]


@pytest.mark.parametrize(
    ("radius", "spacing", "first", "second"),
    [
        (8, (1, 1, 1), (2, 2, 2), (1, 1, 1)),
        (8, (1, 1, 1), (3, 3, 3), (2, 2, 2)),
        (10, (3, 1, 1), (0.1, 2.5, 2.5), (2, 2, 2)),
    ],
    ids=["smooth and rough", "both very smooth", "slice by slice"],
)
def test_independent_smooth_fields_are_called_related_as_often_as_the_level_says(radius, spacing, first, second):
    rng, mask = np.random.default_rng(1), ball(radius, spacing)
    places = Places(mask, spacing)
    ours, naive, rhos, samples = [], [], [], []
    for _ in range(FIELDS):
        a, b = (RankedMap.of(smooth(rng, mask.shape, s, spacing)[mask], places) for s in (first, second))
        found = correlate(a, b)
        ours.append(found.p), naive.append(p_value(found.rho, places.count))
        rhos.append(found.rho), samples.append(found.samples)
    assert None not in ours
    # 200 tests at 5 %: between 3 and 19 with a probability above 0.99.
    assert 3 <= np.count_nonzero(np.array(ours) < 0.05) <= 19
    assert np.mean(np.array(naive) < 0.05) > 0.5
    # The effective size is the one that the spread of the correlations over the fields shows.
    assert np.median(samples) == pytest.approx(1 + 1 / np.var(rhos), rel=0.35)


def test_white_noise_keeps_about_all_its_voxels():
    rng, mask = np.random.default_rng(0), ball(8, (1, 1, 1))
    places = Places(mask, (1, 1, 1))
    sizes = [
        correlate(*(RankedMap.of(rng.standard_normal(places.count), places) for _ in range(2))).samples
        for _ in range(20)
    ]
    assert np.median(sizes) > 0.9 * places.count


def test_without_neighbours_the_test_is_the_usual_one():
    rng, mask = np.random.default_rng(3), np.zeros((61, 1, 1), bool)
    mask[::2] = True
    places = Places(mask, (1, 1, 1))
    values, others = rng.standard_normal((2, places.count))
    found = correlate(RankedMap.of(values, places), RankedMap.of(others, places))
    usual = stats.spearmanr(values, others)
    assert found.rho == pytest.approx(usual.statistic)
    assert p_value(found.rho, places.count) == pytest.approx(usual.pvalue)


def test_pairs_are_counted_as_by_hand():
    mask = np.zeros((2, 1, 3), bool)
    mask[0, 0, :] = mask[1, 0, 0] = True
    places = Places(mask, (5.0, 1.0, 1.0))
    where = np.argwhere(mask)
    lags = [(abs(a[0] - b[0]), round(float(np.hypot(*(a - b)[1:])))) for a in where for b in where]
    by_hand = sorted(lags.count(lag) for lag in set(lags))
    assert sorted(n for n in places.pairs if n) == by_hand
    assert places.pairs.sum() == places.count**2


def test_a_strong_relation_of_smooth_fields_is_found():
    rng, mask = np.random.default_rng(2), ball(10, (1, 1, 1))
    places = Places(mask, (1, 1, 1))
    field = smooth(rng, mask.shape, (2, 2, 2), (1, 1, 1))
    other = field + 0.3 * field.std() * rng.standard_normal(field.shape)
    found = correlate(RankedMap.of(field[mask], places), RankedMap.of(other[mask], places))
    assert found.rho > 0.9
    assert found.p < 1e-4


def test_taking_a_third_map_out_of_both_is_the_partial_rank_correlation():
    rng, mask = np.random.default_rng(4), ball(4, (1, 1, 1))
    places = Places(mask, (1, 1, 1))
    third = rng.standard_normal(places.count)
    first, second = third + rng.standard_normal((2, places.count))
    a, b, c = (RankedMap.of(values, places) for values in (first, second, third))
    ab, ac, bc = (correlate(*pair).rho for pair in ((a, b), (a, c), (b, c)))
    wanted = (ab - ac * bc) / np.sqrt((1 - ac**2) * (1 - bc**2))
    assert correlate(a.without(c), b.without(c), removed=1).rho == pytest.approx(wanted)
    assert c.without(c).is_constant


def test_maps_too_smooth_for_the_lesion_get_no_p_value_but_the_reason():
    mask = ball(5, (1, 1, 1))
    places = Places(mask, (1, 1, 1))
    k, j, _ = np.indices(mask.shape)
    found = correlate(RankedMap.of(k[mask], places), RankedMap.of((k + 0.3 * j)[mask], places))
    assert found.samples < LEAST_SAMPLES
    assert found.p is None
    assert "too smooth" in found.reason
    assert found.rho > 0.9


def test_the_cells_of_a_heat_map_bound_its_samples():
    rng, mask = np.random.default_rng(0), ball(5, (1, 1, 1))
    places = Places(mask, (1, 1, 1))
    a, b = (RankedMap.of(rng.standard_normal(places.count), places) for _ in range(2))
    assert correlate(a, b, most=30).samples == 30


def test_a_constant_map_ranks_nothing():
    places = Places(np.ones((3, 3, 3), bool), (1, 1, 1))
    found = correlate(RankedMap.of(np.zeros(27), places), RankedMap.of(np.arange(27.0), places))
    assert (found.rho, found.samples, found.p) == (None, None, None)
    assert found.reason


def test_p_values_are_adjusted_for_their_number_and_missing_ones_stay_away():
    rows = [{"p": p, "q": None} for p in (0.01, None, 0.04, 0.03)]
    adjust(rows, "p", "q")
    assert [row["q"] for row in rows] == [pytest.approx(0.03), None, pytest.approx(0.04), pytest.approx(0.04)]
