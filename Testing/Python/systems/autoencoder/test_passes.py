"""The fast step against the plain one, term by term and gradient by gradient."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from making_models import random_patches
from torch.nn import functional

from PulsarCAMLib.systems.autoencoder.learning.losses import ssim
from PulsarCAMLib.systems.autoencoder.learning.passes import (
    TensorData,
    backward,
    backward_of_classifier,
    masked_features,
)
from PulsarCAMLib.systems.autoencoder.learning.reconstruction import FoldedDecoder, image_terms
from PulsarCAMLib.systems.autoencoder.learning.settings import LossWeights, TrainingSettings
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.model.network import AutoencoderClassifier
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.training.units.samples import TrainingSamples

SETTINGS = TrainingSettings(architecture=Architecture(filters=6), loss=LossWeights(0.5, 0.3, 0.7, 1.1))


def samples(count=21):
    images, masks = random_patches(count)
    labels = (np.arange(count) % 3 > 0).astype(int)
    names = np.array([f"P{n}" for n in range(count)])
    return TrainingSamples(images.numpy(), masks.numpy(), labels, names, names, np.zeros(count))


def model_of(settings, dtype=torch.float32):
    with torch.random.fork_rng():
        torch.manual_seed(2)
        return AutoencoderClassifier(settings.architecture, settings.preprocessing.mask_rule).to(dtype).train()


def step(settings, phase="joint", weighted_classes=False):
    model = model_of(settings)
    rules = {"mask_rule": settings.preprocessing.mask_rule, "reconstruct": settings.reconstruct}
    data = TensorData.of(samples(), weighted_classes=weighted_classes, **rules)
    with torch.random.fork_rng():
        torch.manual_seed(7)
        found = backward(model, data, torch.arange(20, -1, -1), settings, phase)
    return found, {name: p.grad for name, p in model.named_parameters()}, model


@pytest.mark.parametrize("micro_batch", [4, 16, 64])
@pytest.mark.parametrize("norm", ["after", "before"])
@pytest.mark.parametrize("weighted_classes", [False, True])
@pytest.mark.parametrize("others", [{}, {"preprocessing": Preprocessing(mask_rule="half")}])
def test_a_step_in_micro_batches_is_that_of_the_whole_batch(micro_batch, norm, weighted_classes, others):
    settings = replace(SETTINGS, architecture=Architecture(filters=6, norm=norm), **others)
    plain, expected, reference = step(replace(settings, micro_batch=0), weighted_classes=weighted_classes)
    fast, gradients, model = step(replace(settings, micro_batch=micro_batch), weighted_classes=weighted_classes)
    torch.testing.assert_close(fast.losses, plain.losses, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(fast.logits, plain.logits, rtol=1e-5, atol=1e-5)
    for name, gradient in gradients.items():
        scale = float(expected[name].abs().max())
        torch.testing.assert_close(gradient, expected[name], rtol=0, atol=1e-4 * scale, msg=name)
    for name in ("running_mean", "running_var"):  # batch norm has seen the batch, not its parts
        torch.testing.assert_close(getattr(model.norm, name), getattr(reference.norm, name), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("micro_batch", [0, 16])
def test_the_image_terms_are_of_the_gtv_on_black_if_asked(micro_batch):
    data, settings = samples(), replace(SETTINGS, micro_batch=micro_batch)
    targets = {"crop": torch.from_numpy(data.images), "gtv": torch.from_numpy(np.where(data.masks, data.images, 0))}
    model = model_of(SETTINGS)
    made = model(torch.from_numpy(data.images), torch.from_numpy(data.masks)).reconstruction.detach()
    for reconstruct, target in targets.items():
        found, gradients, _ = step(replace(settings, reconstruct=reconstruct))
        _, reconstruction, similarity, *_ = found.losses.tolist()
        assert reconstruction == pytest.approx(functional.binary_cross_entropy(made, target).item(), rel=1e-5)
        assert similarity == pytest.approx(1 - ssim(made, target).item(), rel=1e-4)
    assert gradients["decode_2.bias"].item() > step(settings)[1]["decode_2.bias"].item() + 0.05, "black pulls it down"


def test_a_training_in_micro_batches_stays_with_the_plain_one_for_some_epochs():
    from making_samples import stripes

    from PulsarCAMLib.training.loop import train_member

    settings = TrainingSettings(architecture=Architecture(filters=4), epochs=5, batch_size=16)
    plain = train_member(stripes(), stripes(8, 1), replace(settings, micro_batch=0)).history[-1]
    fast = train_member(stripes(), stripes(8, 1), settings).history[-1]
    assert fast == pytest.approx(plain, rel=1e-3, abs=1e-4)


def test_the_autoencoder_alone_leaves_the_classifier_alone():
    found, gradients, model = step(SETTINGS, "autoencoder")
    joint, expected, _ = step(replace(SETTINGS, loss=replace(SETTINGS.loss, classification=0.0)))
    assert found.logits is None
    assert {name for name, gradient in gradients.items() if gradient is None} == {
        name for name in gradients if name.split(".")[0] in ("dense", "norm", "logit")
    }
    assert int(model.norm.num_batches_tracked) == 0
    torch.testing.assert_close(found.losses[:4], joint.losses[:4])
    for name in ("encode_1.weight", "encode_2.bias", "decode_1.weight", "decode_2.weight"):
        torch.testing.assert_close(gradients[name], expected[name])


def test_the_classifier_alone_has_the_gradients_of_the_joint_loss_but_leaves_the_encoder_alone():
    model, data, index = model_of(SETTINGS), TensorData.of(samples()), torch.arange(21)
    with torch.random.fork_rng():
        torch.manual_seed(7)
        found = backward_of_classifier(model, masked_features(model, data), data, index, SETTINGS)
    gradients = {name: p.grad for name, p in model.named_parameters()}
    model = model_of(SETTINGS)
    with torch.random.fork_rng():
        torch.manual_seed(7)
        joint = backward(model, data, index, SETTINGS)
    assert gradients["encode_1.weight"] is None
    assert gradients["decode_2.bias"] is None
    torch.testing.assert_close(found.logits, joint.logits)
    torch.testing.assert_close(gradients["dense.weight"], model.dense.weight.grad)
    torch.testing.assert_close(gradients["logit.bias"], model.logit.bias.grad)


def test_the_folded_decoder_gives_the_models_reconstruction_and_gradients():
    model = model_of(SETTINGS, torch.float64)
    masked = torch.rand(3, 5, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    target = torch.linspace(-1, 1, 64, dtype=torch.float64)
    plain = model.decode(masked)
    (plain * target).sum().backward()
    expected = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    decoder = FoldedDecoder(model)
    made = torch.sigmoid(decoder(masked))
    torch.testing.assert_close(made, plain, rtol=1e-12, atol=1e-12)
    (made * target).sum().backward()
    decoder.hand_over()
    assert set(expected) == {"decode_1.weight", "decode_1.bias", "decode_2.weight", "decode_2.bias"}
    for name, gradient in expected.items():
        torch.testing.assert_close(dict(model.named_parameters())[name].grad, gradient, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("black", [0, 15])
def test_the_image_terms_and_their_gradient_are_those_of_autograd(black):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(2, 1, 20, 24, dtype=torch.float64, generator=generator)
    images[..., :black] = 0
    scores = torch.randn(images.shape, dtype=torch.float64, generator=generator).requires_grad_()
    weights = LossWeights(0.6, 0.2)
    found = image_terms(scores, images, weights)
    found.total.backward()
    own, scores.grad = scores.grad, None
    made = torch.sigmoid(scores)
    reconstruction, similarity = functional.binary_cross_entropy(made, images), 1 - ssim(made, images)
    (0.6 * reconstruction + 0.2 * similarity).backward()
    torch.testing.assert_close(found.reconstruction, reconstruction.detach())
    torch.testing.assert_close(found.similarity, similarity.detach())
    torch.testing.assert_close(own, scores.grad, rtol=1e-10, atol=1e-13)


def test_flat_black_and_white_images_have_finite_gradients():
    images = torch.stack([torch.zeros(1, 64, 64), torch.ones(1, 64, 64), torch.full((1, 64, 64), 0.5)])
    scores = torch.tensor([-60.0, 60.0, 0.0])[:, None, None, None].expand(3, 1, 64, 64).clone().requires_grad_()
    image_terms(scores, images, LossWeights()).total.backward()
    assert bool(scores.grad.isfinite().all())


def test_weighted_classes_count_the_same_and_one_on_average():
    data = TensorData.of(samples(), weighted_classes=True)
    weights, labels = data.importance, data.labels
    assert float(weights.mean()) == pytest.approx(1)
    assert float(weights[labels == 0].sum()) == pytest.approx(float(weights[labels == 1].sum()))
