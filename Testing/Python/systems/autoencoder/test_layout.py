"""The fast ways through the encoder are the plain ones."""

import pytest
import torch
from making_models import random_members, random_patches
from torch.nn import functional

from PulsarCAMLib.systems.autoencoder.model.ensemble import Ensemble
from PulsarCAMLib.systems.autoencoder.model.layout import (
    cells_of,
    channels_last,
    convolved_and_halved,
    halved,
    paired,
    pairing_pays,
)
from PulsarCAMLib.systems.autoencoder.model.network import bottleneck_mask


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_last_changes_strides_and_no_value(channels):
    images = torch.rand(2, channels, 8, 12)
    moved = channels_last(images)
    assert torch.equal(moved, images)
    assert moved.stride() == (96 * channels, 1, 12 * channels, channels)


def test_a_convolution_of_one_channel_answers_channels_last():
    images, filters = torch.rand(2, 1, 8, 8), torch.rand(16, 1, 3, 3)
    maps = functional.conv2d(channels_last(images), channels_last(filters), padding=1)
    assert maps.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_halving_is_max_pooling(layout):
    maps = torch.randn(2, 5, 8, 12).contiguous(memory_format=layout)
    assert torch.equal(halved(maps), functional.max_pool2d(maps, 2))


@pytest.mark.parametrize("share", [0.0, 0.003, 0.3, 1.0])
def test_cells_are_on_where_any_of_their_pixels_is(share):
    masks = torch.rand(6, 1, 64, 64, generator=torch.Generator().manual_seed(1)) < share
    wanted = bottleneck_mask(masks, torch.float32)
    assert torch.equal(cells_of(masks, torch.float32), wanted)
    assert torch.equal(cells_of(masks.to(torch.float64), torch.float32), wanted)
    assert torch.equal(
        cells_of(masks[:, :, 3:35, 5:37], torch.float32), bottleneck_mask(masks[:, :, 3:35, 5:37], torch.float32)
    )


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_cells_are_on_where_half_of_their_pixels_are(share):
    masks = torch.rand(6, 1, 64, 64, generator=torch.Generator().manual_seed(1)) < share
    counts = masks.unfold(2, 4, 4).unfold(3, 4, 4).sum(dim=(4, 5))
    most = counts.flatten(1).max(dim=1).values[:, None, None, None]
    wanted = (counts >= 8) | ((counts == most) & (most < 8) & (counts > 0))
    assert torch.equal(cells_of(masks, torch.float32, "half") > 0, wanted)


@pytest.mark.parametrize("pair", [False, True])
def test_convolving_and_halving_is_convolution_and_max_pooling(pair):
    maps, filters, bias = (torch.randn(s, dtype=torch.float64) for s in [(2, 3, 8, 12), (5, 3, 3, 3), (5,)])
    wanted = functional.max_pool2d(functional.conv2d(maps, filters, bias, padding=1), 2)
    arranged = paired(filters, bias) if pair else (filters, bias)
    torch.testing.assert_close(convolved_and_halved(maps, *arranged), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("capability", ["AVX512", "AVX2"])
def test_an_ensemble_answers_the_same_on_every_processor(monkeypatch, capability):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    members = [m.double() for m in random_members(2)]
    images, masks = random_patches(5)
    ensemble = Ensemble(members)
    assert pairing_pays(5) == (ensemble.encode_2.shape[3] == 4) == (capability == "AVX512")
    for logits, member in zip(ensemble.logits(images, masks), members, strict=True):
        torch.testing.assert_close(logits, member(images.double(), masks).logits.detach(), rtol=1e-11, atol=1e-12)
