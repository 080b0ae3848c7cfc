"""Features against what the maps show, over patients with several lesions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from PulsarCAMLib.agreement.features import feature_agreement, flip_p_value
from PulsarCAMLib.core.errors import InputError


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
    from PulsarCAMLib.agreement.features import _weighted_spearman

    rng = np.random.default_rng(5)
    values, seen = rng.integers(0, 5, 12).astype(float), rng.standard_normal(12)
    weights = rng.integers(0, 3, (20, 12)).astype(np.float32)
    for row, rho in zip(weights.astype(int), _weighted_spearman(values, seen, weights), strict=True):
        assert rho == pytest.approx(stats.spearmanr(np.repeat(values, row), np.repeat(seen, row)).statistic)


def a_sized_cohort(rng, patients, features):
    """Lesions whose map and features follow their volume, and nothing else that they have in common."""
    who = np.repeat(np.arange(patients), rng.integers(1, 5, patients))
    alike = lambda: rng.standard_normal(patients)[who] + 0.5 * rng.standard_normal(len(who))  # noqa: E731
    volume = np.exp(alike())
    rows = [{"activated_share": np.log(v) + e, "volume_cm3": v} for v, e in zip(volume, alike(), strict=True)]
    values = [np.log(volume) + alike() for _ in range(features)]
    return rows, values, volume, who


def test_a_feature_that_is_volume_only_vanishes_beyond_volume():
    rng = np.random.default_rng(7)
    rows, (follows,), volume, who = a_sized_cohort(rng, 60, 1)
    related = np.array([row["activated_share"] for row in rows]) - np.log(volume)
    table = {"size": volume**2, "follows": follows, "own": related + 0.3 * rng.standard_normal(len(who))}
    features = [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
    found = feature_agreement(rows, features, who, beyond="volume_cm3")
    by_name = {row["feature"]: row for row in found}
    for name in ("size", "follows"):
        assert by_name[name]["spearman"] > 0.3, "plainly it goes with the map"
        assert by_name[name]["p_value"] < 0.01
    assert by_name["size"]["partial"] is by_name["size"]["partial_p_value"] is None
    assert by_name["size"]["undefined"] == "the feature orders the lesions as volume_cm3 does"
    assert abs(by_name["follows"]["partial"]) < 0.2
    assert by_name["follows"]["partial_low"] < 0 < by_name["follows"]["partial_high"]
    assert by_name["follows"]["partial_p_adjusted"] > 0.05
    own = by_name["own"]
    assert [row["feature"] for row in found] == ["own", "follows", "size"]
    assert 0.7 < own["partial_low"] < own["partial"] < own["partial_high"] <= 1
    assert own["partial_p_adjusted"] < 0.01
    assert list(own)[-1] == "undefined"


def test_the_partial_correlation_is_the_textbooks():
    rng = np.random.default_rng(11)
    rows, (values,), volume, who = a_sized_cohort(rng, 20, 1)
    seen = [row["activated_share"] for row in rows]
    row = feature_agreement(rows, [{"x": v} for v in values], who, beyond="volume_cm3", samples=10)[0]
    ab, ac, bc = (stats.spearmanr(*pair).statistic for pair in ((values, seen), (values, volume), (seen, volume)))
    assert row["partial"] == pytest.approx((ab - ac * bc) / np.sqrt((1 - ac**2) * (1 - bc**2)))


def test_beyond_volume_unrelated_features_are_called_related_as_often_as_the_level_says():
    rng, partial, plain = np.random.default_rng(0), [], []
    for seed in range(30):
        rows, values, _, who = a_sized_cohort(rng, 20, 10)
        features = [dict(enumerate(each)) for each in zip(*values, strict=True)]
        found = feature_agreement(rows, features, who, beyond="volume_cm3", samples=2, seed=seed)
        partial += [row["partial_p_value"] for row in found]
        plain += [row["p_value"] for row in found]
    assert 5 <= np.count_nonzero(np.array(partial) < 0.05) <= 28  # of 300
    assert np.mean(np.array(plain) < 0.05) > 0.5


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
    with pytest.raises(InputError, match="no column 'volume_cm3'"):
        feature_agreement([{"activated_share": 1.0}], [{}], [0], beyond="volume_cm3")


def test_an_empty_cohort_has_no_rows():
    assert feature_agreement([], [], []) == []
