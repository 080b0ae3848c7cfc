"""The parts of any network from its output to its input, and copies in which some are drawn anew (Adebayo 2018)."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

FEWEST, MOST = 4, 8
"""Parts of a network: with fewer it is looked at one level deeper, of more neighbours are joined."""

JOIN = "+"
NORM_NUMBERS = ("running_mean", "running_var")


def layers_of(network: nn.Module) -> tuple[str, ...]:
    """Names of its parts from the output to the input; see :meth:`.asked.MapChecks.layers`.

    Examples:
        >>> layers_of(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2)))
        ('3', '0')
    """
    parts = [name for name, _ in _children(network, "")]
    if not parts or _has_own(network):
        return ("",)
    while len(parts) < FEWEST:
        deeper = {name: [each for each, _ in _children(_module(network, name), name)] for name in parts}
        # one with numbers of its own beside those of its parts stays whole
        open_ones = [name for name in parts if deeper[name] and not _has_own(_module(network, name))]
        if not open_ones:
            break
        largest = max(open_ones, key=lambda name: _size(network, name))
        at = parts.index(largest)
        parts[at : at + 1] = deeper[largest]
    groups = [[name] for name in parts]
    while len(groups) > MOST:
        sizes = [sum(_size(network, name) for name in group) for group in groups]
        at = min(range(len(groups) - 1), key=lambda n: sizes[n] + sizes[n + 1])
        groups[at : at + 2] = [groups[at] + groups[at + 1]]
    return tuple(JOIN.join(group) for group in reversed(groups))


def with_new_layers(
    members: Sequence[nn.Module], every: Sequence[str], layers: Sequence[str], seed: int, draw: int
) -> list[nn.Module]:
    """Copies of members with some of ``every`` layer drawn anew; see :meth:`.asked.MapChecks.with_new_layers`.

    Weights are drawn from a normal distribution of mean zero, as wide as the trained ones are (root mean square), so
    that in a deep network numbers neither die nor explode; biases and the numbers of norms change places.
    """
    found = []
    for index, member in enumerate(members):
        changed = copy.deepcopy(member)
        for layer in layers:
            entropy = np.random.SeedSequence([seed, draw, index, list(every).index(layer)]).generate_state(1, np.uint64)
            generator = torch.Generator().manual_seed(int(entropy[0] >> np.uint64(1)))
            for name in layer.split(JOIN):
                for module in _module(changed, name).modules():
                    _draw(module, generator)
        found.append(changed.eval())
    return found


@torch.no_grad()
def _draw(module: nn.Module, generator: torch.Generator) -> None:
    """The module's own numbers anew, not those of its parts."""
    numbers = list(module.parameters(recurse=False))
    for values in numbers:
        if values.ndim > 1:
            width = values.double().square().mean().sqrt().item()
            drawn = torch.empty(values.shape, dtype=torch.float64).normal_(0, 1, generator=generator) * width
            values.copy_(drawn)
    kept = [getattr(module, name, None) for name in NORM_NUMBERS]
    flat = [each for each in (*numbers, *kept) if isinstance(each, torch.Tensor) and each.ndim == 1]
    order = {len(each): torch.randperm(len(each), generator=generator) for each in flat}
    for each in flat:
        each.copy_(each[order[len(each)].to(each.device)])


def _children(module: nn.Module, name: str) -> list[tuple[str, nn.Module]]:
    """Parts with numbers to learn, by their names within the network."""
    prefix = f"{name}." if name else ""
    return [(prefix + own, each) for own, each in module.named_children() if any(True for _ in each.parameters())]


def _module(network: nn.Module, name: str) -> nn.Module:
    return network.get_submodule(name)


def _has_own(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False))


def _size(network: nn.Module, name: str) -> int:
    return sum(values.numel() for values in _module(network, name).parameters())
