"""Features against what the maps show, over patients with several lesions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from PulsarCAMLib.comparison import feature_agreement
from PulsarCAMLib.comparison.feature_agreement import flip_p_value
from PulsarCAMLib.errors import InputError


def cohort(rng, patients, features, related=0.0):
    """Lesions of a patient are alike, in the map and in every feature."""
    who = np.repeat(np.arange(patients), rng.integers(1, 5, patients))
    draw = lambda n: rng.standard_normal((patients, n))[who] + 0.5 * rng.standard_normal((len(who), n))  # noqa: E731
    seen, values = draw(1)[:, 0], draw(features)
    values[:, 0] += related * seen
    return [{"activated_share": v} for v in seen], [dict(zip("abcdefghij", row, strict=False)) for row in values], who


def test_unrelated_features_are_called_related_as_often_as_the_level_says():
    rng, ours, naive = np.random.default_rng(0), [], []
    for seed in range(30):
        rows, features, who = cohort(rng, 20, 10)
        ours += [row["p_value"] for row in feature_agreement(rows, features, who, samples=2, seed=seed)]
        seen = [row["activated_share"] for row in rows]
        naive += [stats.spearmanr([f[name] for f in features], seen).pvalue for name in "abcdefghij"]
    assert 5 <= np.count_nonzero(np.array(ours) < 0.05) <= 28  # of 300
    assert np.mean(np.array(naive) < 0.05) > 0.12


def test_a_related_feature_comes_first_with_its_interval():
    rows, features, who = cohort(np.random.default_rng(1), 30, 10, related=2.0)
    found = feature_agreement(rows, features, who)
    first = found[0]
    usual = stats.spearmanr([f["a"] for f in features], [row["activated_share"] for row in rows])
    assert first["feature"] == "a"
    assert first["spearman"] == pytest.approx(usual.statistic)
    assert first["low"] < first["spearman"] < first["high"]
    assert first["p_value"] < 0.001
    assert first["p_adjusted"] == pytest.approx(10 * first["p_value"], rel=0.2)
    assert (first["lesions"], first["patients"]) == (len(rows), 30)


def test_samples_with_repeated_patients_have_the_ranks_of_their_lesions():
    from PulsarCAMLib.comparison.feature_agreement import _weighted_spearman

    rng = np.random.default_rng(5)
    values, seen = rng.integers(0, 5, 12).astype(float), rng.standard_normal(12)
    weights = rng.integers(0, 3, (20, 12)).astype(np.float32)
    for row, rho in zip(weights.astype(int), _weighted_spearman(values, seen, weights), strict=True):
        assert rho == pytest.approx(stats.spearmanr(np.repeat(values, row), np.repeat(seen, row)).statistic)


def test_few_patients_get_all_sign_patterns():
    assert flip_p_value(np.arange(1.0, 7.0)) == pytest.approx(1 / 32)
    assert flip_p_value(np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])) == 1.0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([None] * 8, "only 0 lesion"),
        ([1.0, None, float("nan")] + [None] * 5, "only 1 lesion"),
        ([3.0] * 8, "same for all"),
    ],
)
def test_what_has_no_value_says_why(values, said):
    rows = [{"activated_share": float(n)} for n in range(8)]
    found = feature_agreement(rows, [{"x": v} for v in values], range(8))[0]
    assert (found["spearman"], found["p_value"]) == (None, None)
    assert said in found["undefined"]


def test_too_few_patients_get_no_p_value():
    rows = [{"activated_share": float(n)} for n in range(8)]
    found = feature_agreement(rows, [{"x": float(n)} for n in range(8)], [0, 0, 1, 1, 2, 2, 3, 3])[0]
    assert found["spearman"] == pytest.approx(1.0)
    assert found["p_value"] is None
    assert "4 patient" in found["undefined"]


def test_unequal_lengths_and_a_missing_outcome_are_refused():
    with pytest.raises(InputError, match="1 rows of features"):
        feature_agreement([{"activated_share": 1.0}] * 2, [{}], [0, 1])
    with pytest.raises(InputError, match="no column"):
        feature_agreement([{}], [{}], [0])


def test_an_empty_cohort_has_no_rows():
    assert feature_agreement([], [], []) == []
