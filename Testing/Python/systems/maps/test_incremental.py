"""Changes computed in part against plain passes, in double precision: all kinds of layers, edges, odd sizes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn
from torch.nn import functional

from PulsarCAMLib.systems.maps.blocks import OcclusionSettings, blocks_of
from PulsarCAMLib.systems.maps.incremental.network import IncrementalNetwork
from PulsarCAMLib.systems.maps.incremental.recording import NotIncrementalError


def prepared(network, seed=0):
    """Double precision, with running means as after a training."""
    drawn = torch.Generator().manual_seed(seed)
    for each in network.modules():
        if isinstance(each, nn.modules.batchnorm._BatchNorm):
            for values in (each.running_mean, each.weight.data, each.bias.data):
                values.copy_(torch.randn(values.shape, generator=drawn))
            each.running_var.copy_(torch.rand(each.running_var.shape, generator=drawn) + 0.5)
    return network.double().eval()


def image_of(channels, size, seed=0):
    return torch.randn((1, channels, *size), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def check(network, image, block, stride):
    """Every position's logits are those of a plain pass."""
    engine = IncrementalNetwork(network, image)
    blocks = blocks_of(image.shape[2:], OcclusionSettings(block, stride))
    difference = image_of(image.shape[1], image.shape[2:], 1)
    with torch.no_grad():
        torch.testing.assert_close(engine.logits, network(image)[0], rtol=0, atol=1e-10)
        met = np.zeros(len(blocks), dtype=int)
        for positions, logits in engine.changed(blocks.low, blocks.high, difference):
            for n, found in zip(positions, logits, strict=True):
                changed = image.clone()
                changed[(slice(None), slice(None), *blocks.box(n))] += difference[(..., *blocks.box(n))]
                torch.testing.assert_close(found, network(changed)[0], rtol=0, atol=1e-10)
                met[n] += 1
    assert (met == 1).all()
    return engine, blocks


class Headed(nn.Module):
    """Some layers, the mean over space, and a linear head."""

    def __init__(self, body, channels=4):
        super().__init__()
        self.body, self.head = body, nn.Linear(channels, 3)

    def forward(self, images):
        return self.head(self.body(images).mean(dim=(2, 3, 4)))


class Everything(nn.Module):
    """Shortcuts whose boxes differ, constants, zeros put beside, products with a mask, values changed in place."""

    def __init__(self):
        super().__init__()
        self.conv, self.far, self.near = (
            nn.Conv3d(2, 4, 3, padding=1),
            nn.Conv3d(4, 4, 5, padding=2),
            nn.Conv3d(4, 4, 1),
        )
        self.norm = nn.BatchNorm3d(8)
        self.mask = torch.rand(1, 1, 9, 8, 10, generator=torch.Generator().manual_seed(4)).double() > 0.4

    def forward(self, images):
        first = functional.relu_(self.conv(images * self.mask))
        second = functional.leaky_relu(self.near(first), 0.3) - 0.5 * self.far(first)
        second += first
        both = self.norm(torch.cat([second * 2 + 1, torch.ones(second.shape) * self.mask], dim=1))
        return (1 - functional.silu(both)).mean(dim=(2, 3, 4)).softmax(dim=1)


def seeded(make):
    torch.manual_seed(0)
    return make()


def act(*layers):
    return Headed(nn.Sequential(*layers))


BODIES = {
    "strides": lambda: act(nn.Conv3d(2, 4, 3, 2, 1), nn.BatchNorm3d(4), nn.ReLU(), nn.Conv3d(4, 4, 1, 2), nn.ReLU()),
    "no padding": lambda: act(nn.Conv3d(2, 4, (3, 2, 1)), nn.ReLU(), nn.Conv3d(4, 4, 3, (1, 2, 3)), nn.Tanh()),
    "dilation": lambda: act(nn.Conv3d(2, 4, 3, 1, 2, 2), nn.Sigmoid(), nn.Conv3d(4, 4, 3, 1, 1, groups=2), nn.ELU()),
    "largest": lambda: act(nn.Conv3d(2, 4, 3), nn.ReLU(), nn.MaxPool3d(3, 2, 1), nn.GELU(), nn.MaxPool3d(2, 2)),
    "ceil": lambda: act(nn.Conv3d(2, 4, 1), nn.MaxPool3d(2, 2, ceil_mode=True), nn.ReLU(), nn.Conv3d(4, 4, 2)),
    "mean": lambda: act(nn.Conv3d(2, 4, 3, 1, 1), nn.ReLU(), nn.AvgPool3d(3, 2, 1), nn.ReLU(), nn.AvgPool3d(2)),
    "norm first": lambda: act(nn.BatchNorm3d(2), nn.ReLU(), nn.Conv3d(2, 4, 3, bias=False), nn.BatchNorm3d(4)),
    "stride beyond kernel": lambda: act(nn.Conv3d(2, 4, 1, 3), nn.ReLU(), nn.Conv3d(4, 4, 2, 1, 1), nn.ReLU()),
    "linear": lambda: act(nn.Conv3d(2, 4, 3)),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize(("size", "block", "stride"), [((9, 8, 10), 3, 3), ((6, 6, 5), 1, 1), ((7, 9, 8), 6, 2)])
def test_each_kind_of_layer_is_exact(name, size, block, stride):
    check(prepared(seeded(BODIES[name])), image_of(2, size), block, stride)


def test_detours_constants_and_writing_in_place_are_exact():
    check(prepared(seeded(Everything)), image_of(2, (9, 8, 10)), 4, 3)


def test_writing_into_a_part_of_a_layer_is_refused():
    class Writing(nn.Module):
        def forward(self, images):
            images[:, :1].mul_(2)
            return images.mean(dim=(2, 3, 4))

    with pytest.raises(NotIncrementalError, match="others see"):
        IncrementalNetwork(Writing(), image_of(2, (5, 5, 5)))


def test_monai_resnet_is_exact_and_counts_its_work():
    from monai.networks.nets import resnet18

    network = seeded(lambda: resnet18(spatial_dims=3, n_input_channels=3, num_classes=2, widen_factor=0.0625))
    engine, blocks = check(prepared(network), image_of(3, (19, 16, 17)), 7, 7)
    counted = engine.counted(blocks.low, blocks.high)
    assert 0 < counted.changed < counted.whole
    assert counted.whole == pytest.approx(multiply_adds(network, image_of(3, (19, 16, 17))))


def test_monai_densenet_is_exact():
    from monai.networks.nets import DenseNet

    make = lambda: DenseNet(3, 2, 4, init_features=4, growth_rate=2, block_config=(2, 3))  # noqa: E731
    check(prepared(seeded(make)), image_of(2, (21, 24, 17)), 9, 8)


def multiply_adds(network, image):
    """By hooks."""
    found = []

    def count(module, given, result):
        found.append(result[0, 0].numel() * module.weight.numel())

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv3d)]
    with torch.no_grad():
        network(image)
    for hook in hooks:
        hook.remove()
    return sum(found)


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (nn.InstanceNorm3d(2), "needs the whole image"),
        (nn.GroupNorm(1, 2), "needs the whole image"),
        (nn.ConvTranspose3d(2, 2, 2), "enlarges its input"),
        (nn.AdaptiveAvgPool3d(2), "parts of unequal size|whole image"),
        (nn.AvgPool3d(3, 1, 1, count_include_pad=False), "smaller at the edge"),
        (nn.Softmax(dim=1), "needs the whole image"),
    ],
)
def test_layers_that_see_the_whole_image_are_refused_in_a_sentence(layer, says):
    with pytest.raises(NotIncrementalError, match=says) as caught:
        IncrementalNetwork(Headed(layer, 2).double().eval(), image_of(2, (6, 6, 6)))
    assert str(caught.value).endswith(".")


def test_a_network_without_a_mean_over_space_is_refused():
    network = nn.Sequential(nn.Conv3d(1, 1, 3), nn.Flatten(), nn.Linear(27, 2)).double().eval()
    with pytest.raises(NotIncrementalError):
        IncrementalNetwork(network, image_of(1, (5, 5, 5)))


LAYERS = st.sampled_from(["conv", "conv2", "norm", "relu", "max", "mean", "shortcut", "dense"])


class Drawn(nn.Module):
    """Layers in any order."""

    def __init__(self, names, axes):
        super().__init__()
        self.names, channels, layers = names, 2, []
        conv = (nn.Conv2d, nn.Conv3d)[axes - 2]
        kinds = {"norm": (nn.BatchNorm2d, nn.BatchNorm3d), "max": (nn.MaxPool2d, nn.MaxPool3d)}
        for name in names:
            if name in ("norm", "max"):
                layers.append(kinds[name][axes - 2](channels if name == "norm" else 2))
            elif name == "mean":
                layers.append((nn.AvgPool2d, nn.AvgPool3d)[axes - 2](2, 1, 1))
            elif name == "relu":
                layers.append(nn.ReLU())
            else:
                layers.append(conv(channels, channels if name == "shortcut" else 3, 3, 1 + (name == "conv2"), 1))
                channels = channels if name == "shortcut" else 3 + channels * (name == "dense")
        self.layers, self.head, self.axes = nn.ModuleList(layers), nn.Linear(channels, 2), axes

    def forward(self, images):
        for name, layer in zip(self.names, self.layers, strict=True):
            found = layer(images)
            images = (
                found + images if name == "shortcut" else torch.cat([images, found], 1) if name == "dense" else found
            )
        return self.head(images.mean(dim=tuple(range(2, 2 + self.axes))))


@settings(max_examples=12, deadline=None)
@given(
    st.lists(LAYERS, min_size=1, max_size=6).filter(
        # three halvings leave one voxel, which PyTorch's mean of two refuses
        lambda names: names.count("max") + names.count("conv2") + ("mean" in names) < 4
    ),
    st.lists(st.integers(8, 12), min_size=2, max_size=3),
    st.integers(3, 5),
    st.integers(0, 9),
)
def test_any_network_of_such_layers_is_exact(names, size, block, seed):
    torch.manual_seed(seed)
    check(prepared(Drawn(names, len(size)), seed), image_of(2, size, seed), block, block)
