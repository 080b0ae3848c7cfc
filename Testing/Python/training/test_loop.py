"""The training loop: learns, repeats itself, can be stopped."""

import numpy as np
import pytest
import torch
from making_samples import SMALL, stripes

from PulsarCAMLib.core.errors import Cancelled, InputError
from PulsarCAMLib.systems.autoencoder.learning.settings import TrainingSettings
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.training.bundles.calibration import ensemble_probability, fit_temperature, log_loss
from PulsarCAMLib.training.loop import train_member
from PulsarCAMLib.training.validation import predict_logits


def weights_of(member):
    return torch.cat([p.detach().flatten() for p in member.model.parameters()])


def test_defaults_are_the_papers():
    settings = TrainingSettings()
    assert (settings.epochs, settings.batch_size) == (150, 64)
    assert (settings.learning_rate, settings.weight_decay) == (5e-4, 1e-4)
    assert (settings.betas, settings.epsilon) == ((0.9, 0.999), 1e-8)


def test_a_few_epochs_reduce_every_loss_that_can_fall():
    settings = TrainingSettings(architecture=SMALL, epochs=30, batch_size=16, learning_rate=3e-3, validate_every=10)
    member = train_member(stripes(), stripes(seed=1), settings)
    first, last = member.history[0], member.history[-1]
    assert last["total"] < 0.8 * first["total"]
    assert last["similarity"] < first["similarity"]
    assert last["classification"] < 0.5 * first["classification"]
    assert last["validation_auc"] > 0.95
    assert [row["epoch"] for row in member.history if "validation_auc" in row] == [10, 20, 30]
    assert not member.model.training


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    settings = TrainingSettings(architecture=SMALL, epochs=2, batch_size=16, seed=5)
    first, again = (train_member(stripes(), None, settings) for _ in range(2))
    assert torch.equal(weights_of(first), weights_of(again))
    assert first.history == again.history
    other = train_member(stripes(), None, TrainingSettings(architecture=SMALL, epochs=2, batch_size=16, seed=6))
    assert not torch.equal(weights_of(first), weights_of(other))


def test_measuring_on_validation_patients_does_not_change_the_training():
    settings = TrainingSettings(architecture=SMALL, epochs=3, batch_size=16, validate_every=1)
    alone = train_member(stripes(), None, settings)
    watched = train_member(stripes(), stripes(seed=1), settings)
    assert torch.equal(weights_of(alone), weights_of(watched))


def test_training_leaves_torchs_own_random_numbers_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    train_member(stripes(8), None, TrainingSettings(architecture=SMALL, epochs=1, batch_size=4))
    assert torch.equal(torch.rand(3), expected)


def test_one_step_is_that_of_adamw_with_the_settings():
    from PulsarCAMLib.systems.autoencoder.learning.losses import joint_loss
    from PulsarCAMLib.systems.autoencoder.model.network import AutoencoderClassifier

    data = stripes(8)
    settings = TrainingSettings(
        architecture=Architecture(filters=4, dropout=0.0), epochs=1, batch_size=8, seed=3, weight_decay=0.1
    )
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = AutoencoderClassifier(Architecture(filters=4, dropout=0.0)).train()
    images, masks, labels = (torch.from_numpy(x) for x in (data.images, data.masks, data.labels))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    joint_loss(model(images, masks), images, labels).total.backward()
    trained = train_member(data, None, settings).model
    for name, parameter in trained.named_parameters():
        gradient = dict(model.named_parameters())[name].grad
        step = 5e-4 * gradient / (gradient.abs() + 1e-8)  # first step: both moments are the gradient's own
        expected = before[name] * (1 - 5e-4 * 0.1) - step
        clear = gradient.abs() > 1e-5
        torch.testing.assert_close(parameter.detach()[clear], expected[clear], rtol=0, atol=2e-6)


def test_progress_runs_to_one():
    seen = []
    settings = TrainingSettings(architecture=SMALL, epochs=4, batch_size=16)
    train_member(stripes(16), None, settings, progress=lambda share, text: seen.append(share))
    assert seen == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("norm", ["after", "before"])
@pytest.mark.parametrize("mask_rule", ["any", "half"])
def test_settled_norm_statistics_are_those_of_all_samples_with_the_final_weights(norm, mask_rule):
    settings = TrainingSettings(
        architecture=Architecture(filters=4, norm=norm),
        preprocessing=Preprocessing(mask_rule=mask_rule),
        epochs=2,
        batch_size=8,
        settle_norm=True,
    )
    data = stripes(24)
    data.masks[:, :, 15] = data.masks[:, :, 16]  # a row of cells that is on under one rule only
    model = train_member(data, None, settings).model
    with torch.no_grad():
        output = model(torch.from_numpy(data.images), torch.from_numpy(data.masks))
        hidden = model.dense(output.masked.flatten(1))
        hidden = torch.relu(hidden) if norm == "after" else hidden
    torch.testing.assert_close(model.norm.running_mean, hidden.mean(0), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model.norm.running_var, hidden.var(0), rtol=1e-3, atol=1e-5)
    assert model.norm.momentum == 0.01


def test_training_can_be_stopped():
    with pytest.raises(Cancelled):
        train_member(
            stripes(8), None, TrainingSettings(architecture=SMALL, epochs=5, batch_size=4), cancelled=lambda: True
        )


def test_a_cohort_of_one_class_is_refused():
    samples = stripes(8)
    with pytest.raises(InputError, match="same response"):
        train_member(samples.where(samples.labels == 1))


def test_prediction_does_not_depend_on_the_chunk():
    member = train_member(stripes(16), None, TrainingSettings(architecture=SMALL, epochs=1, batch_size=8))
    whole, parts = (predict_logits(member.model, stripes(16), chunk) for chunk in (16, 3))
    np.testing.assert_allclose(whole, parts, atol=1e-5)


def test_the_temperature_that_made_overconfident_logits_is_found():
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 1.5, 20000)
    labels = (rng.random(20000) < 1 / (1 + np.exp(-honest))).astype(int)
    assert fit_temperature(4 * honest[None], labels) == pytest.approx(4, rel=0.1)
    assert log_loss(4 * honest[None], labels, 4) < log_loss(4 * honest[None], labels, 1)


def test_the_ensembles_probability_is_the_mean_of_the_members():
    logits = np.array([[0.0, 2000.0], [np.log(3), -2000.0]])
    np.testing.assert_allclose(ensemble_probability(logits), [(0.5 + 0.75) / 2, 0.5])
