"""All checks from end to end, and what a card keeps of them."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from linear_models import ARCHITECTURE, linear_ensemble

from PulsarCAMLib.systems.autoencoder.learning.settings import TrainingSettings
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.training.units.samples import TrainingSamples
from PulsarCAMLib.trust.checks import LABELS, Settings
from PulsarCAMLib.trust.judging import LabelControl, card_section, judge_explanations

QUICK = Settings(draws=1, steps=2, random_orders=1)
TRAINED = TrainingSettings(epochs=9, batch_size=8, architecture=ARCHITECTURE)


@pytest.fixture
def bundle(as_bundle):
    made = as_bundle(linear_ensemble(np.random.default_rng(2).normal(size=(16, 16))))
    made.card = SimpleNamespace(
        **vars(made.card) | {"preprocessing": Preprocessing()},
        name="linear",
        fields={
            "training": {"settings": TRAINED.to_card()},
            "architecture": ARCHITECTURE.to_card(),
            "preprocessing": Preprocessing().to_card(),
        },
    )
    return made


@pytest.fixture
def samples(lesions):
    count = len(lesions)
    return TrainingSamples(
        np.stack([s.image for s in lesions]),
        np.stack([s.mask for s in lesions]),
        np.array([s.label for s in lesions]),
        np.array([s.patient for s in lesions]),
        np.array(["A"] * count),
        np.zeros(count),
    )


def test_models_of_permuted_labels_are_trained_as_the_card_says(bundle, lesions, samples):
    asked = []
    control = LabelControl(2, lambda settings: asked.append(settings) or samples, epochs=1)
    told = []
    found = judge_explanations(
        bundle, lesions, QUICK, control=control, resamples=20, progress=lambda share, _: told.append(share)
    )
    assert asked == [TRAINED]
    assert (found["label_control"]["models"], found["label_control"]["epochs"]) == (2, 1)
    assert found["label_control"]["epochs_of_the_model"] == 9
    assert found["maps"]["pixelwise"]["scores"][LABELS]["lesions"] == len(lesions)
    assert told == sorted(told)
    assert told[-1] == 1


def test_a_card_that_does_not_tell_the_training_leaves_the_control_out_and_says_so(bundle, lesions, samples):
    bundle.card.fields["training"] = {}
    found = judge_explanations(bundle, lesions, QUICK, control=LabelControl(1, lambda _: samples), resamples=20)
    assert found["not_measured"]["permuted labels"] == "The card of model “linear” does not tell how it was trained"


def test_lesions_of_one_class_leave_the_control_out_and_say_so(bundle, lesions, samples):
    same = TrainingSamples(**{**vars(samples), "labels": np.ones(len(samples), int)})
    found = judge_explanations(bundle, lesions, QUICK, control=LabelControl(1, lambda _: same), resamples=20)
    assert "same response" in found["not_measured"]["permuted labels"]


def test_the_cards_section_has_the_tables_figures_and_no_name(bundle, lesions):
    secret = [replace(each, patient=f"Müller {n}") for n, each in enumerate(lesions)]
    section = card_section(judge_explanations(bundle, secret, QUICK, resamples=20), "on eight lesions")
    assert section["about"] == "on eight lesions"
    assert "With all layers randomised" in section["text"]
    assert set(section["maps"]["gradcam"]["verdicts"]) >= {"changes with the model", "stable"}
    text = json.dumps(section, allow_nan=False)
    assert "Müller" not in text
    assert len(text) < 60_000
