"""The fast ways through the encoder are the plain ones."""

import pytest
import torch
from torch.nn import functional

from PulsarCAMLib.models.autoencoder import bottleneck_mask
from PulsarCAMLib.models.layout import cells_of, channels_last, halved


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
