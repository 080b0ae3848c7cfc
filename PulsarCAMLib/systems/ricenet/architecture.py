"""Sizes of the 3D ResNet; no torch, so that a card can be read without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...core.settings import option
from ..bundles.sizes import NamedSizes
from .task import NAME

LAYERS = 4
"""Of a ResNet, each of half the resolution of the one before."""


@dataclass(frozen=True)
class ResNetSizes(NamedSizes):
    """Sizes of the network; the defaults are ResNet-18's (He et al., CVPR 2016).

    Attributes:
        widths: feature maps of the four layers.
        blocks: residual blocks in each of them.
    """

    system: ClassVar[str] = NAME

    widths: tuple[int, int, int, int] = option(
        (64, 128, 256, 512), "--widths", "feature maps of the four layers", metavar="A,B,C,D", at_least=1, at_most=4096
    )
    blocks: tuple[int, int, int, int] = option(
        (2, 2, 2, 2), "--blocks", "residual blocks in each of them", metavar="A,B,C,D", at_least=1, at_most=64
    )
