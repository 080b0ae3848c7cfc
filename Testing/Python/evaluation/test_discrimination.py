"""AUC, its interval over patients, and what it takes to differ from chance."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.evaluation.discrimination import _rank_auc, discrimination, paired_difference


def cohort(patients=60, signal=1.0, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, 3 * patients)
    return labels, signal * labels + rng.normal(size=labels.size), np.repeat(np.arange(patients), 3)


def test_perfect_scores_have_auc_one_and_reversed_scores_zero():
    labels, patients = np.array([0, 0, 1, 1] * 5), np.arange(20)
    assert discrimination(labels, labels, patients, resamples=50).auc == 1.0
    assert discrimination(labels, -labels, patients, resamples=50).auc == 0.0


def test_four_lesions_by_hand():
    assert discrimination([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], list("abcd"), resamples=20).auc == 0.75


def test_the_rank_form_agrees_with_scikit_learn_with_ties():
    labels, scores, _ = cohort()
    scores = np.round(scores, 1)
    assert _rank_auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_a_strong_signal_differs_from_chance_and_noise_does_not():
    strong = discrimination(*cohort(signal=2.0), resamples=300)
    assert strong.differs_from_chance
    assert strong.low < strong.auc < strong.high
    assert "not distinguishable" not in strong.sentence()
    noise = discrimination(*cohort(signal=0.0, seed=3), resamples=300)
    assert not noise.differs_from_chance
    assert "not distinguishable from 0.5" in noise.sentence()


def test_the_interval_is_wider_when_lesions_of_a_patient_are_copies():
    labels, scores, _ = cohort(40)
    copies = [np.tile(x, 4) for x in (labels, scores)]
    as_one = discrimination(*copies, np.tile(np.arange(labels.size), 4), resamples=300)
    as_many = discrimination(*copies, np.arange(4 * labels.size), resamples=300)
    assert as_one.high - as_one.low > 1.5 * (as_many.high - as_many.low)


def test_the_same_seed_gives_the_same_interval():
    assert discrimination(*cohort(), resamples=100) == discrimination(*cohort(), resamples=100)


def test_permutation_p_values_are_uniform_enough_without_signal():
    found = [discrimination(*cohort(20, 0.0, seed), resamples=99).p_value for seed in range(60)]
    assert 0.3 < np.mean(found) < 0.7
    assert np.mean(np.array(found) < 0.1) < 0.25


def test_one_class_or_a_score_that_is_not_finite_is_refused():
    with pytest.raises(InputError):
        discrimination([1, 1], [0.2, 0.3], [0, 1])
    with pytest.raises(InputError):
        discrimination([0, 1], [0.2, np.nan], [0, 1])


def test_a_constant_gain_has_an_interval_of_one_point():
    gain = paired_difference([0.9, 0.8, np.nan], [0.7, 0.6, 0.1], [1, 2, 3], resamples=50)
    assert (gain.mean, gain.low, gain.high) == pytest.approx((0.2, 0.2, 0.2))
    assert gain.pairs == 2
    assert gain.better


def test_a_gain_that_depends_on_the_patient_is_not_called_better():
    gain = paired_difference([1, 0, 1, 0], [0, 1, 0, 1], [1, 2, 3, 4], resamples=200)
    assert not gain.better


def test_no_defined_pair_is_refused():
    with pytest.raises(InputError):
        paired_difference([np.nan], [1.0], [1])
