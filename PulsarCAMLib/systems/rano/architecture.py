"""Sizes of the 3D DenseNet; no torch, so that a card can be read without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...core.settings import option
from ..bundles.sizes import NamedSizes
from .task import NAME

BLOCKS = {
    "densenet264": (6, 12, 64, 48),
    "densenet201": (6, 12, 48, 32),
    "densenet169": (6, 12, 32, 32),
    "densenet121": (6, 12, 24, 16),
    "small": (3, 6, 6),
    "tiny": (1, 2),
}
"""Layers in each dense block: those of Huang et al. (CVPR 2017), and two that train in minutes without a GPU."""


@dataclass(frozen=True)
class DenseNetSizes(NamedSizes):
    """Sizes of the network of arXiv 2504.18268, whose best one was DenseNet264.

    Attributes:
        network: name in :data:`BLOCKS`.
        first_features: of the first convolution.
        growth: features that every layer adds.
        dropout: share dropped after every layer while training.
    """

    system: ClassVar[str] = NAME

    network: str = option("densenet264", "--network", choices=tuple(BLOCKS))
    first_features: int = option(
        64, "--first-features", "of the first convolution", metavar="N", at_least=1, at_most=1024, most_typed=256
    )
    growth: int = option(
        32, "--growth", "features that every layer adds", metavar="N", at_least=1, at_most=1024, most_typed=256
    )
    dropout: float = option(0.0, "--dropout", metavar="SHARE", unit="share", at_least=0, below=1)

    @property
    def blocks(self) -> tuple[int, ...]:
        """Layers in each dense block."""
        return BLOCKS[self.network]
