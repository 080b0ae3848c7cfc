"""Models with layers drawn anew: a map that stays the same does not show what the model learned (Adebayo 2018)."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

    from ..systems.autoencoder.ensemble import Ensemble
    from ..systems.autoencoder.network import AutoencoderClassifier

LAYERS = ("logit", "norm", "dense", "encode_2", "encode_1")
"""From the output to the input; the decoder has no part in prediction or maps."""

CASCADE = tuple(LAYERS[: n + 1] for n in range(len(LAYERS)))
"""Layers randomised together, one more at each step."""

EVERYTHING = CASCADE[-1]

STAGES = (*CASCADE, *((layer,) for layer in LAYERS[1:]))
"""The cascade, then each other layer alone (the output alone is the cascade's first step)."""


def stage_name(layers: tuple[str, ...]) -> str:
    """Such as ``"logit + norm"``."""
    return "all layers" if layers == EVERYTHING else " + ".join(layers)


def randomised(ensemble: Ensemble, layers: tuple[str, ...], seed: int, draw: int = 0) -> Ensemble:
    """A copy of a model with some layers drawn anew, every member on its own.

    Convolutions and dense layers get what training starts from (Glorot uniform, zero biases). The norm's units change
    places, which keeps the size of its numbers.

    Args:
        ensemble: stays as it is.
        layers: names in :data:`LAYERS`.
        seed, draw: the same pair gives the same weights; a layer does not depend on which others are drawn.
    """
    import torch

    from ..systems.autoencoder.ensemble import Ensemble

    members = []
    for index, member in enumerate(ensemble.members):
        changed = copy.deepcopy(member)
        for layer in layers:
            entropy = np.random.SeedSequence([seed, draw, index, LAYERS.index(layer)]).generate_state(1, np.uint64)[0]
            with torch.no_grad():
                _draw(changed, layer, torch.Generator().manual_seed(int(entropy >> np.uint64(1))))
        members.append(changed)
    return Ensemble(members)


def _draw(member: AutoencoderClassifier, name: str, generator: torch.Generator) -> None:
    import torch

    layer = getattr(member, name)
    if name == "norm":
        order = torch.randperm(len(layer.weight), generator=generator).to(layer.weight.device)
        for values in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
            values.copy_(values[order])
        return
    fan_in, fan_out = layer.weight[0].numel(), layer.weight[:, 0].numel()
    bound = float(np.sqrt(6 / (fan_in + fan_out)))
    drawn = torch.empty(layer.weight.shape, dtype=torch.float64).uniform_(-bound, bound, generator=generator)
    layer.weight.copy_(drawn)
    layer.bias.zero_()
