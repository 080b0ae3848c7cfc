"""Models with random weights that behave like trained ones: used batch norm, several members, saturated if asked."""

import torch

from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.model.network import AutoencoderClassifier
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.systems.bundles.bundle import save_bundle

CARD_FIELDS = {
    "name": "random",
    "title": "Random weights for tests",
    "version": "1",
    "synthetic": True,
    "preprocessing": Preprocessing().to_card(),
    "response": {"definition": "volume at follow-up below 80 % of baseline", "shrinkage_threshold": 0.8},
    "decision": {"threshold": 0.5, "temperature": 1.0},
    "training": {"data": "none"},
    "performance": {},
    "intended_use": "tests",
    "licence": "Apache-2.0",
}


def random_member(seed, architecture=None, sharpness=1.0, mask_rule="any"):
    """A member whose norm has seen data; ``sharpness`` scales the logits."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    member = AutoencoderClassifier(architecture or Architecture(), mask_rule)
    norm = member.norm
    with torch.no_grad():
        for tensor, low, high in (
            (norm.running_mean, -0.5, 0.5),
            (norm.running_var, 0.2, 2.0),
            (norm.weight, 0.5, 1.5),
            (norm.bias, -0.5, 0.5),
            (member.dense.bias, -0.2, 0.2),
            (member.encode_1.bias, 0.0, 0.2),
            (member.encode_2.bias, 0.0, 0.2),
        ):
            tensor.uniform_(low, high, generator=generator)
        member.logit.weight *= sharpness
    return member.eval()


def random_members(count=3, architecture=None, sharpness=1.0, mask_rule="any"):
    return [random_member(seed, architecture, sharpness, mask_rule) for seed in range(count)]


def random_bundle(folder, count=3, preprocessing=None, **changes):
    preprocessing = preprocessing or Preprocessing()
    fields = CARD_FIELDS | {"preprocessing": preprocessing.to_card()} | changes
    return save_bundle(folder, random_members(count, mask_rule=preprocessing.mask_rule), fields)


def random_patches(count, seed=0, size=64):
    """Images ``[n, 1, s, s]`` and masks: discs of many sizes, a single pixel, an empty and a full one."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, 1, size, size, generator=generator)
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    radii = torch.linspace(2, size / 2.2, count)[:, None, None, None]
    masks = ((rows - size / 2) ** 2 + (columns - size / 2 + 3) ** 2)[None, None] < radii**2
    masks[0] = False
    masks[1] = False
    masks[1, 0, 20, 41] = True
    if count > 2:
        masks[2] = True
    return images, masks
