"""What a network in general has learnt to see: the numbers of which its last linear layer makes the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .contract import System

AT_ONCE = 4
"""Samples that go through a network together."""


def before_the_answer(system: System, member: nn.Module, images: Any, masks: Any) -> np.ndarray | None:
    """Input ``[n, f]`` of the linear layer that a network runs last; None where it has none, or not one row a sample.

    Args:
        system: whose network it is.
        member: one network, in evaluation mode.
        images: ``[n, channels, *size]``, an array or one in a file.
        masks: ``[n, 1, *size]``, the same.
    """
    import torch
    from torch import nn

    last: dict[str, Tensor] = {}

    def keep(_layer: nn.Module, given: tuple[Tensor, ...], _answer: Tensor) -> None:
        last["input"] = given[0]

    hooks = [each.register_forward_hook(keep) for each in member.modules() if isinstance(each, nn.Linear)]
    found = []
    try:
        with torch.inference_mode():
            for start in range(0, len(images), AT_ONCE):
                part = slice(start, start + AT_ONCE)
                shown = [torch.from_numpy(np.ascontiguousarray(each[part])) for each in (images, masks)]
                last.clear()
                system.member_logits(member, *shown)
                numbers = last.get("input")
                if numbers is None or numbers.ndim != 2 or len(numbers) != len(shown[0]):
                    return None
                found.append(numbers.double().cpu())
    finally:
        for hook in hooks:
            hook.remove()
    return torch.cat(found).numpy() if found else None
