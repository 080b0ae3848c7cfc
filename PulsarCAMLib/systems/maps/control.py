"""Networks that have learnt nothing and are otherwise the same: what a share of an input must be held against."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import nn


def permuted(members: Sequence[nn.Module], count: int, seed: int = 0) -> list[nn.Module]:
    """Copies of the first members whose weights have changed places at random within every tensor.

    So every layer keeps the sizes of its numbers, and loses what they say (method.md 4.3).

    Args:
        members: stay as they are.
        count: how many copies, one of each member, from the first.
        seed: the same gives the same copies.
    """
    import torch

    found = []
    for n, member in enumerate(members[:count]):
        changed = copy.deepcopy(member)
        entropy = np.random.SeedSequence([seed, n]).generate_state(1, np.uint64)[0]
        drawn = torch.Generator().manual_seed(int(entropy >> np.uint64(1)))
        with torch.no_grad():
            for values in changed.state_dict().values():
                if values.is_floating_point() and values.numel() > 1:
                    order = torch.randperm(values.numel(), generator=drawn).to(values.device)
                    values.copy_(values.flatten()[order].reshape(values.shape))
        found.append(changed)
    return found
