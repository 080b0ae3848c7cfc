"""Sizes of a network as a model card tells them: a card's ``architecture``, which names its system. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from ...core.errors import BundleError
from ...core.settings import Settings


@dataclass(frozen=True)
class NoSizes:
    """For systems whose network has no sizes to choose: a card's ``architecture`` with nothing but the name."""

    name: str = field(default="")

    def to_card(self) -> dict[str, str]:
        """As plain JSON values."""
        return {"name": self.name}

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> NoSizes:
        """From a model card.

        Raises:
            BundleError: it tells of sizes, of which this system has none.
        """
        if set(card) != {"name"}:
            raise BundleError(f"The card's architecture must have exactly the field “name”, not {', '.join(card)}.")
        return cls(str(card["name"]))


class NamedSizes(Settings):
    """Base of a frozen dataclass of sizes: its card has the system's name besides.

    Attributes:
        system: name of the system.
    """

    who = "the architecture"
    error = BundleError
    system: ClassVar[str]

    def to_card(self) -> dict[str, Any]:
        """As plain JSON values, with the system's name."""
        return {"name": self.system, **super().to_card()}

    @classmethod
    def from_card(cls, card: Any) -> Self:
        """From a model card.

        Raises:
            BundleError: another system's, or a field is missing, unknown or not usable.
        """
        if card.get("name") != cls.system:
            raise BundleError(f"The card's architecture is {card.get('name')!r}, not {cls.system!r}.")
        return super().from_card({key: value for key, value in card.items() if key != "name"})
