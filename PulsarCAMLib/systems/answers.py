"""What networks answer, and what maps are made from: shared by the contract and the generic map methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Explained:
    """Answers and raw maps of N samples by K members.

    Attributes:
        logits: ``[K, N]`` where there is one output (of the positive class), else ``[K, N, classes]``.
        maps: ``(method, class)`` to ``[K, N, *cells]``, of all inputs together; a signed method has the class "".
        input_maps: ``(method, class, input)`` likewise, of one input alone; empty where there is one input only.
    """

    logits: np.ndarray
    maps: Mapping[tuple[str, str], np.ndarray]
    input_maps: Mapping[tuple[str, str, str], np.ndarray] = field(default_factory=dict)


class Predictor(Protocol):
    """All members of an ensemble."""

    def __len__(self) -> int:
        """Number of members."""

    def logits(self, images: Tensor, masks: Tensor) -> Tensor:
        """Logits ``[K, n]`` or ``[K, n, classes]`` of images ``[n, channels, *size]`` and masks ``[n, 1, *size]``."""


@dataclass(frozen=True, eq=False)
class LoopedPredictor:
    """Members asked one after another: what a system has that brings no faster way."""

    members: Sequence[nn.Module]

    def __post_init__(self) -> None:
        for member in self.members:
            member.eval()

    def __len__(self) -> int:
        return len(self.members)

    def logits(self, images: Tensor, masks: Tensor) -> Tensor:
        """See :class:`Predictor`."""
        import torch

        return torch.stack([member(images, masks) for member in self.members])


@dataclass(frozen=True, eq=False)
class NetworkEvidence:
    """What generic map methods are made from: the members themselves, and what they are asked.

    Attributes:
        system: whose members these are; a :class:`.contract.System`.
        members: networks, in evaluation mode; ``member(images, masks)`` gives logits ``[n, classes]``.
        images: ``[n, channels, *size]``.
        masks: ``[n, 1, *size]``.
        inputs: names of the inputs that maps of their own are wanted of, each with its channels; empty: none are.
    """

    system: Any
    members: Sequence[nn.Module]
    images: Tensor
    masks: Tensor
    inputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
