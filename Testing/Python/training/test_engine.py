"""Ways to train that are not the default: sequential, imbalance, stopping early; and where the numbers come from."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from making_samples import SMALL, stripes

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.systems.autoencoder.learning.settings import TrainingSettings
from PulsarCAMLib.systems.autoencoder.learning.validation import dead_maps, measure
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.training.engine import Engine, device_of, own_random_numbers
from PulsarCAMLib.training.loop import train_member
from PulsarCAMLib.training.validation import predict_logits

QUICK = TrainingSettings(architecture=SMALL, epochs=3, batch_size=8)


def unbalanced(responses=6, others=42):
    samples = stripes(2 * others)
    chosen = np.concatenate([np.flatnonzero(samples.labels == 1)[:responses], np.flatnonzero(samples.labels == 0)])
    return samples.where(chosen)


@pytest.fixture
def in_double():
    """In single precision three epochs differ in the third digit between processors with and without AVX-512."""
    torch.set_default_dtype(torch.float64)
    yield lambda samples: replace(samples, images=samples.images.astype(np.float64))
    torch.set_default_dtype(torch.float32)


def test_the_demos_recipe_gives_the_numbers_it_has_always_given(in_double):
    settings = TrainingSettings(epochs=3, batch_size=16, weight_decay=1.0, settle_norm=True, micro_batch=0)
    row = train_member(in_double(stripes(40)), in_double(stripes(10, seed=1)), settings).history[-1]
    assert row["total"] == pytest.approx(0.86934725475, rel=1e-9)
    assert row["classification"] == pytest.approx(0.2995851733, rel=1e-9)
    assert row["validation_classification"] == pytest.approx(0.228464485255, rel=1e-9)


def test_sequential_training_freezes_the_encoder_while_the_classifier_learns():
    states = []
    settings = replace(QUICK, mode="sequential", epochs=4, learning_rate=3e-3)
    with own_random_numbers(settings):
        engine = Engine(settings, stripes(), stripes(8, 1))
        engine.run(lambda e: states.append({k: v.clone() for k, v in e.model.state_dict().items()}))
    first, second = states[:4], states[4:]
    for name in states[0]:
        moving, resting = (first, second) if name.startswith(("encode", "decode")) else (second, first)
        assert all(torch.equal(resting[0][name], state[name]) for state in resting), name
        assert not torch.equal(moving[0][name], moving[-1][name]), name
    assert "accuracy" not in engine.history[3]
    assert engine.history[-1]["classification"] < 0.7 * engine.history[4]["classification"]
    assert engine.history[3]["reconstruction"] < engine.history[0]["reconstruction"]
    assert [row["epoch"] for row in engine.history] == list(range(1, 9))


def test_balanced_sampling_draws_both_classes_equally_often():
    settings = replace(QUICK, imbalance="balanced")
    with own_random_numbers(settings):
        engine = Engine(settings, unbalanced(), None)
        drawn = np.concatenate(
            [engine.learner.data.labels[engine.learner.order(engine.order)].numpy() for _ in range(50)]
        )
    assert drawn.mean() == pytest.approx(0.5, abs=0.05)


def test_without_an_option_against_imbalance_every_sample_comes_once():
    with own_random_numbers(QUICK):
        engine = Engine(QUICK, unbalanced(), None)
        assert sorted(engine.learner.order(engine.order).tolist()) == list(range(48))
    assert engine.learner.data.importance is None


def test_training_stops_early_and_takes_the_best_epochs_weights():
    settings = replace(QUICK, epochs=40, patience=3, learning_rate=0.05)
    noise = stripes(16, 1)
    noise = replace(noise, labels=np.random.default_rng(0).permutation(noise.labels))
    with own_random_numbers(settings):
        engine = Engine(settings, stripes(24), noise)
        engine.run()
    losses = [row["validation_classification"] for row in engine.history]
    assert len(losses) < 40
    assert engine.best[0] == 1 + int(np.argmin(losses)) == len(losses) - 3
    assert measure(engine.model, noise)["classification"] == pytest.approx(min(losses), rel=1e-6)


def first_state(**changes):
    settings = replace(QUICK, **changes)
    with own_random_numbers(settings):
        return Engine(settings, stripes(8), None)


def test_a_training_starts_from_the_weights_asked_for():
    keras, torchs = (first_state(initial_weights=start).model for start in ("glorot", "torch"))
    assert not keras.dense.bias.any()
    assert bool(torchs.dense.bias.any())
    again = first_state(initial_weights="torch").model
    assert all(torch.equal(a, b) for a, b in zip(torchs.parameters(), again.parameters(), strict=True))
    settings = replace(QUICK, epochs=1, initial_weights="torch", learning_rate=1e-9, weight_decay=0.0)
    trained = train_member(stripes(8), None, settings).model
    torch.testing.assert_close(trained.dense.weight, torchs.dense.weight, rtol=0, atol=1e-6)


def test_training_and_validation_mask_by_the_rule_of_the_preprocessing():
    samples = stripes(16)
    samples.masks[:, :, 15] = samples.masks[:, :, 16]  # a row of cells of which a quarter is in the GTV
    found = {}
    for rule in ("any", "half"):
        settings = replace(
            QUICK, epochs=5, learning_rate=5e-3, preprocessing=Preprocessing(mask_rule=rule), reconstruct="gtv"
        )
        with own_random_numbers(settings):
            engine = Engine(settings, samples, samples)
            assert int(engine.learner.data.cells[0].sum()) == {"any": 72, "half": 64}[rule]
            engine.run()
        row = engine.history[-1]
        wanted = measure(engine.model, samples, settings.loss, "gtv")
        assert row["validation_reconstruction"] == pytest.approx(wanted["reconstruction"])
        assert wanted["reconstruction"] != pytest.approx(measure(engine.model, samples)["reconstruction"], rel=0.01)
        found[rule] = predict_logits(engine.model, samples)
        assert engine.model.mask_rule == rule
    assert not np.allclose(found["any"], found["half"])


@pytest.mark.parametrize("validation", [None, stripes(8).where(np.arange(0, 8, 2))])
def test_stopping_early_without_validation_patients_of_both_classes_is_refused(validation):
    with pytest.raises(InputError, match="Stopping early needs"):
        train_member(stripes(8), validation, replace(QUICK, patience=2))


def test_validation_figures_are_those_of_the_model_in_evaluation_mode():
    member = train_member(stripes(24), stripes(10, 1), QUICK)
    last, logits = member.history[-1], predict_logits(member.model, stripes(10, 1))
    assert last["validation_accuracy"] == pytest.approx(np.mean((logits > 0) == (stripes(10, 1).labels == 1)))
    parts = [last[f"validation_{name}"] for name in ("reconstruction", "similarity", "outside", "classification")]
    assert last["validation_total"] == pytest.approx(np.dot([0.6, 0.2, 0.2, 1.0], parts))
    assert 0 <= last["accuracy"] <= 1


def test_a_feature_map_that_is_zero_in_every_lesion_is_found():
    model = train_member(stripes(8), None, QUICK).model
    with torch.no_grad():
        model.encode_2.bias.fill_(1.0)
        model.encode_2.weight.fill_(0.0)
        model.encode_2.bias[[1, 4]] = -1.0
    assert dead_maps(model, stripes(8)) == [2, 5]


def test_the_threads_of_the_caller_come_back():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        train_member(stripes(8), None, replace(QUICK, epochs=1))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused_and_auto_takes_the_processor():
    assert device_of(QUICK).type == "cpu"
    with pytest.raises(InputError, match="no GPU"):
        device_of(replace(QUICK, device="cuda"))
