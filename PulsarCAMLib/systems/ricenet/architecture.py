"""Sizes of the 3D ResNet; no torch, so that a card can be read without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...core.errors import BundleError
from ...core.settings import Settings, option
from .task import NAME

LAYERS = 4
"""Of a ResNet, each of half the resolution of the one before."""


@dataclass(frozen=True)
class ResNetSizes(Settings):
    """Sizes of the network; the defaults are ResNet-18's (He et al., CVPR 2016).

    Attributes:
        widths: feature maps of the four layers.
        blocks: residual blocks in each of them.
    """

    who = "the architecture"
    error = BundleError

    widths: tuple[int, int, int, int] = option(
        (64, 128, 256, 512), "--widths", "feature maps of the four layers", metavar="A,B,C,D", at_least=1, at_most=4096
    )
    blocks: tuple[int, int, int, int] = option(
        (2, 2, 2, 2), "--blocks", "residual blocks in each of them", metavar="A,B,C,D", at_least=1, at_most=64
    )

    def to_card(self) -> dict[str, Any]:
        """As plain JSON values, with the system's name."""
        return {"name": NAME, **super().to_card()}

    @classmethod
    def from_card(cls, card: Any) -> ResNetSizes:
        """From a model card.

        Raises:
            BundleError: another system's, or a field is missing, unknown or not usable.
        """
        if card.get("name") != NAME:
            raise BundleError(f"The card's architecture is {card.get('name')!r}, not {NAME!r}.")
        return super().from_card({key: value for key, value in card.items() if key != "name"})
