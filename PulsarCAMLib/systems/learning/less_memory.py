"""Gradient checkpointing: parts of a network forget their features and compute them again on the way back.

Chen, Xu, Zhang and Guestrin, Training deep nets with sublinear memory cost (arXiv 1604.06174). The weights come out the
same: batch norm keeps its running statistics from the first computing only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from torch import nn
from torch.utils.checkpoint import checkpoint


def forget_features(parts: Iterable[nn.Module]) -> None:
    """Make parts of a network compute their features again when gradients need them; their state stays as it is."""
    for part in parts:
        _forget(part)


def _forget(part: nn.Module) -> None:
    plain = part.forward

    def forward(*given: Any) -> Any:
        if not part.training:
            return plain(*given)
        return checkpoint(
            plain, *given, use_reentrant=False, context_fn=lambda: (nullcontext(), _without_statistics(part))
        )

    part.forward = forward


@contextmanager
def _without_statistics(part: nn.Module) -> Iterator[None]:
    norms = [each for each in part.modules() if isinstance(each, nn.modules.batchnorm._NormBase)]
    kept = [(each.momentum, each.num_batches_tracked) for each in norms]
    counts = [None if count is None else count.clone() for _, count in kept]
    for each in norms:
        each.momentum = 0.0
    try:
        yield
    finally:
        for each, (momentum, tracked), count in zip(norms, kept, counts, strict=True):
            each.momentum = momentum
            if tracked is not None and count is not None:
                tracked.copy_(count)
