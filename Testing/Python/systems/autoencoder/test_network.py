import numpy as np
import pytest
import torch
from making_models import random_member, random_patches
from torch.nn import functional

from PulsarCAMLib.core.errors import BundleError
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.model.network import AutoencoderClassifier, bottleneck_mask

RULES = ("any", "half")


def test_the_layers_have_the_papers_parameter_counts():
    model = AutoencoderClassifier()
    count = {name: sum(p.numel() for p in layer.parameters()) for name, layer in model.named_children()}
    assert count["encode_1"] == 160
    assert count["encode_2"] == 725
    assert count["decode_1"] == 736
    assert count["decode_2"] == 145
    assert count["dense"] == 40_992
    assert count["norm"] + model.norm.running_mean.numel() + model.norm.running_var.numel() == 128
    assert count["logit"] == 33


def test_the_pass_has_the_papers_shapes():
    images, masks = random_patches(4)
    out = AutoencoderClassifier().eval()(images, masks)
    assert out.logits.shape == (4,)
    assert out.reconstruction.shape == (4, 1, 64, 64)
    assert out.features.shape == out.masked.shape == (4, 5, 16, 16)
    assert out.cells.shape == (4, 1, 16, 16)


def test_the_pass_is_the_papers_chain_of_layers():
    """Written out once more, in the paper's order (ReLU before pooling) and with Keras's batch norm formula."""
    model = random_member(4).double()
    images, masks = random_patches(5)
    images = images.double()
    x = functional.max_pool2d(torch.relu(functional.conv2d(images, *model.encode_1.parameters(), padding="same")), 2)
    p = functional.max_pool2d(torch.relu(functional.conv2d(x, *model.encode_2.parameters(), padding="same")), 2)
    m = masks.double().unfold(2, 4, 4).unfold(3, 4, 4).amax(dim=(4, 5))
    a = p * m
    u = torch.relu(a.reshape(5, -1) @ model.dense.weight.T + model.dense.bias)
    v = model.norm.weight * (u - model.norm.running_mean) / (model.norm.running_var + 1e-3) ** 0.5 + model.norm.bias
    s = v @ model.logit.weight[0] + model.logit.bias
    up = a.repeat_interleave(2, 2).repeat_interleave(2, 3)
    up = torch.relu(functional.conv2d(up, *model.decode_1.parameters(), padding="same"))
    up = up.repeat_interleave(2, 2).repeat_interleave(2, 3)
    reconstruction = torch.sigmoid(functional.conv2d(up, *model.decode_2.parameters(), padding="same"))
    out = model(images, masks)
    torch.testing.assert_close(out.logits, s, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(out.reconstruction, reconstruction, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(out.features, p, rtol=1e-12, atol=1e-12)


def test_nothing_outside_the_mask_reaches_the_classifier():
    model = random_member(1)
    images, masks = random_patches(6)
    out = model(images, masks)
    assert not out.masked[(out.cells == 0).expand_as(out.masked)].any()
    assert out.logits[0] == model(torch.rand_like(images), masks).logits[0]


def test_a_bottleneck_cell_is_on_if_any_of_its_pixels_is():
    mask = torch.zeros(1, 1, 64, 64, dtype=torch.bool)
    mask[0, 0, 7, 40] = True
    cells = bottleneck_mask(mask, torch.float32)
    assert np.argwhere(cells[0, 0].numpy()).tolist() == [[1, 10]]


def test_a_cell_with_7_of_16_pixels_is_on_under_any_and_off_under_half():
    mask = torch.zeros(1, 1, 64, 64, dtype=torch.bool)
    mask[0, 0, 8:10, 20:24] = True  # 8 pixels of cell (2, 5)
    mask[0, 0, 32:34, 40:44] = True  # 8 less one of cell (8, 10)
    mask[0, 0, 32, 40] = False
    on = {rule: np.argwhere(bottleneck_mask(mask, torch.float32, rule)[0, 0].numpy()).tolist() for rule in RULES}
    assert on == {"any": [[2, 5], [8, 10]], "half": [[2, 5]]}


def test_a_lesion_that_would_vanish_under_half_keeps_its_fullest_cells():
    masks = torch.zeros(3, 1, 64, 64, dtype=torch.bool)
    masks[0, 0, 7:9, 40:43] = True  # 3 pixels each in cells (1, 10) and (2, 10)
    masks[1, 0, 7:9, 39:42] = True  # 2, 1, 2, 1
    masks[1, 0, 6, 40] = True  # one more in (1, 10)
    cells = bottleneck_mask(masks, torch.float64, "half")
    assert np.argwhere(cells[:, 0].numpy()).tolist() == [[0, 1, 10], [0, 2, 10], [1, 1, 10]]
    assert not cells[2].any(), "no lesion, no cell"


def test_the_pass_masks_by_its_members_rule():
    images, masks = random_patches(6)
    members = {rule: random_member(1, mask_rule=rule) for rule in RULES}
    outputs = {rule: member(images, masks) for rule, member in members.items()}
    for rule, output in outputs.items():
        assert torch.equal(output.cells, bottleneck_mask(masks, torch.float32, rule))
        assert torch.equal(output.masked, output.features * output.cells)
    assert outputs["half"].cells.sum() < outputs["any"].cells.sum()
    assert not torch.allclose(outputs["half"].logits, outputs["any"].logits)


def test_weights_start_as_pytorch_starts_them_if_asked():
    torch.manual_seed(0)
    model = AutoencoderClassifier()
    model.reset_parameters("torch")
    limit = 1280**-0.5
    assert limit / 2 < model.dense.bias.abs().max() <= limit
    assert model.dense.weight.abs().max() <= limit
    assert model.dense.weight.std().item() == pytest.approx(limit / 3**0.5, rel=0.02)


def test_weights_start_as_keras_starts_them():
    torch.manual_seed(0)
    model = AutoencoderClassifier()
    limit = (6 / (1280 + 32)) ** 0.5
    assert model.dense.weight.abs().max() <= limit
    assert model.dense.weight.std().item() == pytest.approx(limit / 3**0.5, rel=0.02)
    assert not any(layer.bias.any() for layer in (model.encode_1, model.encode_2, model.dense, model.logit))
    assert (model.norm.eps, model.norm.momentum) == (1e-3, 0.01)


@pytest.mark.parametrize(
    "change", [{"filters": 0}, {"patch_size": 30}, {"dense_activation": "tanh"}, {"norm": "none"}, {"dropout": 1.0}]
)
def test_sizes_that_cannot_be_are_refused(change):
    with pytest.raises(BundleError):
        Architecture(**change)


def test_an_architecture_comes_back_from_its_card():
    architecture = Architecture(filters=8, dense_activation="linear", norm="before")
    assert Architecture.from_card(architecture.to_card()) == architecture
