"""The temperature: never surer than the validation patients allow, and below 1 only where others agree."""

import numpy as np
import pytest

from PulsarCAMLib.training.bundles.calibration import calibrate, ensemble_probability, log_loss


def separated(patients, reach=16.0, lesions=2, seed=0):
    """Validation lesions that lie far apart, every patient's of one class."""
    labels = np.repeat(np.arange(patients) % 2, lesions)
    noise = np.random.default_rng(seed).normal(size=(3, len(labels)))
    return (2 * labels - 1) * reach + noise, labels, np.repeat(np.arange(patients), lesions)


@pytest.mark.parametrize("patients", [6, 20, 60])
@pytest.mark.parametrize("reach", [2.0, 16.0, 60.0])
def test_separated_patients_do_not_make_it_surer_than_they_allow(patients, reach):
    logits, labels, whose = separated(patients, reach)
    found = calibrate(logits, labels, whose)
    p = ensemble_probability(logits, found.temperature)
    least = 1 / (patients / 2 + 2)
    assert p.min() > least / 100, "no probability of 3e-27"
    assert np.minimum(p, 1 - p).mean() > 0.8 * least


def test_more_lesions_of_the_same_patients_do_not_make_it_surer():
    few, many = (calibrate(*separated(10, 16.0, lesions)).temperature for lesions in (1, 20))
    assert many == pytest.approx(few, rel=0.1)


def test_surer_only_where_patients_that_did_not_choose_agree():
    rng = np.random.default_rng(4)
    honest = rng.normal(0, 2, 600)
    labels, whose = (rng.random(600) < 1 / (1 + np.exp(-honest))).astype(int), np.arange(600) // 2
    timid = calibrate(honest[None] / 3, labels, whose)
    assert timid.surer
    assert timid.temperature == pytest.approx(1 / 3, rel=0.2)
    assert timid.held_out < timid.uncalibrated
    few = calibrate(honest[None, :8] * 0.9, labels[:8], whose[:8])
    assert few.temperature >= 1
    assert not few.surer


def test_judged_on_patients_that_did_not_choose_it():
    """A patient who contradicts all others costs more where he did not choose: the loss that is told is the higher."""
    logits, labels, whose = separated(12, 4.0)
    labels = np.where(whose == 3, 1 - labels, labels)
    found = calibrate(logits, labels, whose)
    assert found.held_out > log_loss(logits, labels, found.temperature)


def test_several_classes():
    labels = np.arange(30) % 3
    logits = np.where(np.arange(3) == labels[:, None], 20.0, 0.0)[None]
    p = ensemble_probability(logits, calibrate(logits, labels).temperature)
    assert p.max() == pytest.approx(11 / 13, abs=0.03), "(n_c + 1) / (n_c + C) with 10 patients a class"
