"""The same training on labels dealt out anew."""

from types import SimpleNamespace

import numpy as np
import pytest

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.systems.autoencoder.learning.settings import TrainingSettings
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.training.permuted_label_control import settings_of_card, train_label_controls, with_permuted_labels
from PulsarCAMLib.training.units.samples import TrainingSamples

SMALL = Architecture(filters=2)


@pytest.fixture
def samples():
    """Twelve lesions of six patients, each with one rotated copy."""
    rng = np.random.default_rng(1)
    numbers = np.repeat(np.arange(12), 2)
    return TrainingSamples(
        rng.random((24, 1, 64, 64), dtype=np.float32),
        np.ones((24, 1, 64, 64), bool),
        (numbers % 3 == 0).astype(np.int64),
        np.array([f"P{n // 2}" for n in numbers]),
        np.array([f"L{n % 2}" for n in numbers]),
        np.tile([0.0, 90.0], 12),
    )


def card_with(settings, **training):
    fields = {
        "training": {"settings": settings, **training},
        "architecture": SMALL.to_card(),
        "preprocessing": Preprocessing().to_card(),
    }
    return SimpleNamespace(name="m", fields=fields)


def test_labels_change_lesions_and_copies_keep_their_lesions_label(samples):
    dealt = [with_permuted_labels(samples, seed) for seed in range(20)]
    for each in dealt:
        assert np.array_equal(each.labels[::2], each.labels[1::2])
        assert each.labels.sum() == samples.labels.sum()
    assert np.array_equal(with_permuted_labels(samples, 3).labels, dealt[3].labels)
    assert len({each.labels.tobytes() for each in dealt}) > 10


def test_controls_are_trained_by_the_same_settings_without_early_stopping(samples):
    settings = TrainingSettings(epochs=5, batch_size=8, architecture=SMALL, patience=1)
    told = []
    tell = lambda share, text: told.append((share, text))  # noqa: E731
    first, second = train_label_controls(samples, settings, 2, epochs=1, progress=tell)
    assert first.architecture == SMALL
    assert not np.array_equal(first.logit.weight.detach(), second.logit.weight.detach())
    assert [share for share, _ in told] == [0.5, 1.0]
    assert told[0][1].startswith("permuted labels 1 of 2: epoch 1 of 1")


def test_controls_that_are_kept_are_the_same_and_are_not_trained_twice(samples, tmp_path, monkeypatch):
    settings = TrainingSettings(epochs=1, batch_size=8, architecture=SMALL, device="cpu")
    (plain,) = train_label_controls(samples, settings, 1)
    train_label_controls(samples, settings, 1, folder=tmp_path)
    monkeypatch.setattr("PulsarCAMLib.training.engine.Engine.run", None)
    (kept,) = train_label_controls(samples, settings, 1, folder=tmp_path)
    assert np.array_equal(plain.dense.weight.detach(), kept.dense.weight.detach())


def test_a_card_tells_its_settings_and_an_older_one_what_was_not_yet_a_choice():
    settings = TrainingSettings(epochs=7, architecture=SMALL, rotations=(20,), seed=3)
    assert settings_of_card(card_with(settings.to_card())) == settings
    old = {"epochs": 7, "seed": 3}
    assert settings_of_card(card_with(old, rotations_degrees=[20])) == settings


@pytest.mark.parametrize("told", [None, {"epochs": 2, "surprise": 1}])
def test_a_card_that_does_not_tell_is_refused(told):
    with pytest.raises(InputError):
        settings_of_card(card_with(told))
