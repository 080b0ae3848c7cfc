"""Sizes of the autoencoder-classifier; no torch, so that a card can be read without it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from ...core.errors import BundleError

NAME = "autoencoder-classifier"


@dataclass(frozen=True)
class Architecture:
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

    patch_size: int = 64
    filters: int = 16
    features: int = 5
    dense_units: int = 32
    dense_activation: str = "relu"
    norm: str = "after"
    dropout: float = 0.1

    def __post_init__(self) -> None:
        sizes = (self.patch_size, self.filters, self.features, self.dense_units)
        if any(type(n) is not int or not 1 <= n <= 4096 for n in sizes) or self.patch_size % 4:
            raise BundleError(f"The architecture's sizes {sizes} are not usable (patch, filters, features, units).")
        if self.dense_activation not in ("relu", "linear") or self.norm not in ("after", "before"):
            raise BundleError("The architecture's activation must be relu or linear, its norm after or before it.")
        if not isinstance(self.dropout, (int, float)) or not 0 <= self.dropout < 1:
            raise BundleError(f"The architecture's dropout {self.dropout} is not between 0 and 1.")

    @property
    def cells(self) -> int:
        """Side of the bottleneck grid."""
        return self.patch_size // 4

    def to_card(self) -> dict:
        """As plain JSON values, with the architecture's name."""
        return {"name": NAME, **asdict(self)}

    @classmethod
    def from_card(cls, card: dict) -> Architecture:
        """From a model card.

        Raises:
            BundleError: another architecture, or a field is missing, unknown or not usable.
        """
        names = {f.name for f in fields(cls)}
        if card.get("name") != NAME:
            raise BundleError(f"The card's architecture is {card.get('name')!r}; this version knows {NAME!r} only.")
        given = {key: value for key, value in card.items() if key != "name"}
        if set(given) != names:
            raise BundleError(f"The card's architecture must have exactly the fields {sorted(names)}.")
        return cls(**given)
