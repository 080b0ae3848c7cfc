"""Sizes of the autoencoder-classifier; no torch, so that a card can be read without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ....core.settings import option
from ...bundles.sizes import NamedSizes

NAME = "autoencoder-classifier"


def patch_size_problem(size: int) -> str | None:
    """Why two poolings cannot halve it."""
    return f"the patch size {size} is no multiple of 4" if size % 4 else None


@dataclass(frozen=True)
class Architecture(NamedSizes):
    """Sizes and settled ambiguities of the model (method.md 1.2, readings 1, 7, 8).

    Attributes:
        patch_size: side of the input in pixels; the bottleneck has a quarter of it.
        filters: of the first convolution.
        features: maps at the bottleneck, k = 1..5 (method.md 1.5).
        dense_units: of the classifier's hidden layer.
        dense_activation: ``"relu"`` or ``"linear"``.
        norm: batch norm ``"after"`` the activation (the paper's sentence order) or ``"before"`` it.
        dropout: share dropped before the last layer while training.
    """

    system: ClassVar[str] = NAME

    patch_size: int = option(64, at_least=4, at_most=4096, problem=patch_size_problem)
    filters: int = option(
        16, "--filters", "of the first convolution", metavar="N", at_least=1, at_most=4096, most_typed=256
    )
    features: int = option(
        5, "--feature-maps", "at the bottleneck", metavar="N", at_least=1, at_most=4096, most_typed=64
    )
    dense_units: int = option(
        32, "--dense-units", "of the classifier", metavar="N", at_least=1, at_most=4096, most_typed=1024
    )
    dense_activation: str = option("relu", "--dense-activation", choices=("relu", "linear"))
    norm: str = option("after", "--norm", "of the activation", choices=("after", "before"))
    dropout: float = option(0.1, "--dropout", metavar="SHARE", unit="share", at_least=0, below=1)

    @property
    def cells(self) -> int:
        """Side of the bottleneck grid."""
        return self.patch_size // 4
