"""The joint loss, against hand and independent implementations."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d

from PulsarCAMLib.systems.autoencoder.learning.losses import LossWeights, joint_loss, outside_penalty, ssim
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.model.network import AutoencoderClassifier, Output


def pair(seed=0, count=3, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    first = torch.nn.functional.avg_pool2d(torch.rand(count, 1, 68, 68, generator=generator, dtype=dtype), 5, 1)
    return first, 0.6 * first + 0.4 * torch.rand(first.shape, generator=generator, dtype=dtype)


def ssim_by_filters(first, second):
    """Wang et al. (2004) with scipy's filters, one image at a time, borders cut off."""
    steps = np.arange(11) - 5
    window = np.exp(-(steps**2) / (2 * 1.5**2))
    window /= window.sum()

    def mean(image):
        return correlate1d(correlate1d(image, window, axis=0), window, axis=1)[5:-5, 5:-5]

    values = []
    for x, y in zip(first[:, 0].numpy(), second[:, 0].numpy(), strict=True):
        mx, my = mean(x), mean(y)
        vx, vy, vxy = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
        values.append((2 * mx * my + 1e-4) * (2 * vxy + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4)))
    return np.mean(values)


def test_ssim_agrees_with_a_filter_implementation():
    first, second = pair()
    assert float(ssim(first, second)) == pytest.approx(ssim_by_filters(first, second), abs=1e-12)


def test_ssim_agrees_with_monai():
    metrics = pytest.importorskip("monai.metrics.regression")
    first, second = pair(1, dtype=torch.float32)
    kernel = {"kernel_type": "gaussian", "win_size": 11, "kernel_sigma": 1.5, "k1": 0.01, "k2": 0.03}
    theirs = metrics.SSIMMetric(spatial_dims=2, data_range=1.0, **kernel)(first, second).mean()
    assert float(ssim(first, second)) == pytest.approx(float(theirs), abs=2e-5)


def test_ssim_of_an_image_with_itself_is_one_and_of_two_constants_known():
    first, _ = pair()
    assert float(ssim(first, first)) == pytest.approx(1)
    black, white = torch.zeros(1, 1, 16, 16), torch.ones(1, 1, 16, 16)
    assert float(ssim(black, white)) == pytest.approx(1e-4 / (1 + 1e-4), rel=1e-4)


def test_ssim_has_a_gradient_that_finite_differences_confirm():
    first, second = (t[:, :, :14, :13].clone() for t in pair(2, 1))
    assert torch.autograd.gradcheck(lambda x: ssim(x, second), first.requires_grad_())


def test_the_penalty_is_the_mean_over_all_elements():
    features = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    cells = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]])
    assert float(outside_penalty(features, cells)) == pytest.approx((4 + 9) / 4)


def test_every_term_and_the_weighted_sum_by_hand():
    images = torch.full((2, 1, 16, 16), 0.25)
    reconstruction = torch.full((2, 1, 16, 16), 0.5)
    features, cells = torch.full((2, 5, 4, 4), 2.0), torch.zeros(2, 1, 4, 4)
    output = Output(torch.tensor([0.0, math.log(3)]), reconstruction, features, features * cells, cells)
    losses = joint_loss(output, images, torch.tensor([1, 0]))
    similarity = 1 - (2 * 0.5 * 0.25 + 1e-4) / (0.5**2 + 0.25**2 + 1e-4)
    classification = (math.log(2) + math.log(4)) / 2
    assert float(losses.reconstruction) == pytest.approx(math.log(2), rel=1e-5)
    assert float(losses.similarity) == pytest.approx(similarity, rel=1e-3)
    assert float(losses.outside) == pytest.approx(4.0)
    assert float(losses.classification) == pytest.approx(classification, rel=1e-5)
    expected = 0.6 * math.log(2) + 0.2 * similarity + 0.2 * 4.0 + classification
    assert float(losses.total) == pytest.approx(expected, rel=1e-3)


def test_weights_are_the_papers_and_can_be_changed():
    assert LossWeights() == LossWeights(0.6, 0.2, 0.2, 1.0)
    torch.manual_seed(0)
    model = AutoencoderClassifier(Architecture(filters=2))
    images, masks = torch.rand(4, 1, 64, 64), torch.ones(4, 1, 64, 64, dtype=torch.bool)
    model.eval()
    only = joint_loss(model(images, masks), images, torch.tensor([0, 1, 0, 1]), LossWeights(0, 0, 0, 2.0))
    assert float(only.total.detach()) == pytest.approx(2 * float(only.classification.detach()), rel=1e-6)
