"""How a plain network is trained: what a system takes that brings no settings of its own. No torch here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from ..core.errors import InputError, PulsarCAMError
from .contract import NoSizes

DEVICES = ("auto", "cpu", "cuda")
LARGEST_SEED = 2**64 - 1
WITHOUT_INFLUENCE = ("checkpoint_seconds",)
"""Settings that change what is kept of a run and not what comes out of it."""


@dataclass(frozen=True)
class PlainSettings:
    """One training by AdamW. A system with more to choose inherits from this and adds fields.

    Attributes:
        architecture: sizes of the network; its card names the system.
        preprocessing: how a case becomes samples.
        epochs: passes over all samples.
        batch_size: samples per step; the last batch of an epoch is smaller.
        learning_rate, weight_decay, betas, epsilon: of AdamW (decay decoupled, scaled by the learning rate).
        patience: epochs without a smaller loss on VALIDATION patients after which training stops and the best epoch's
            weights are taken; None: never.
        seed: of initial weights, order of samples and dropout.
        validate_every: epochs between two points of the validation curves.
        threads: processor cores of one training.
        device: ``"auto"``: a GPU when there is one; ``"cpu"``; ``"cuda"``.
        checkpoint_seconds: time between two checkpoints; has no influence on the weights.

    Raises:
        InputError: a value is not usable.
    """

    architecture: Any = field(default_factory=NoSizes)
    preprocessing: Any = None
    epochs: int = 150
    batch_size: int = 64
    learning_rate: float = 5e-4
    weight_decay: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    patience: int | None = None
    seed: int = 0
    validate_every: int = 1
    threads: int = 1
    device: str = "auto"
    checkpoint_seconds: float = 10.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", tuple(float(value) for value in self.betas))
        if self.epochs < 1 or self.batch_size < 2 or self.validate_every < 1:
            raise InputError("Training needs at least one epoch and batches of two samples or more.")
        if self.device not in DEVICES:
            raise InputError(f"The training's device {self.device!r} is unknown; use {', '.join(DEVICES)}.")
        sizes = (self.seed, self.checkpoint_seconds, self.weight_decay)
        none_negative = all(0 <= size < float("inf") for size in sizes)  # nan is neither
        if not none_negative or self.threads < 1 or (self.patience is not None and self.patience < 1):
            raise InputError("Training takes no negative numbers, at least one thread and a patience of one or more.")
        if self.seed > LARGEST_SEED:
            raise InputError(
                f"The training's seed {self.seed} is above {LARGEST_SEED}, PyTorch's largest; use a smaller one."
            )
        if not 0 < self.learning_rate < 1 or not all(0 <= beta < 1 for beta in self.betas) or self.epsilon <= 0:
            raise InputError("Training needs a learning rate between 0 and 1, betas below 1 and a positive epsilon.")

    @property
    def phases(self) -> tuple[str, ...]:
        """One: the whole network."""
        return ("whole",)

    @property
    def all_epochs(self) -> int:
        """Epochs of all phases."""
        return self.epochs * len(self.phases)

    def phase_of(self, epoch: int) -> str:
        """Phase of an epoch; epochs count from 1 through all phases."""
        return self.phases[(epoch - 1) // self.epochs]

    def with_seed(self, seed: int) -> PlainSettings:
        """The same training from another random start."""
        return replace(self, seed=seed)

    def to_card(self) -> dict[str, Any]:
        """As plain JSON values; :meth:`from_card` reads them."""
        own = {"architecture": self.architecture.to_card(), "preprocessing": self.preprocessing.to_card()}
        return {**_plain(asdict(self)), **own}

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> PlainSettings:
        """From :meth:`to_card`'s values.

        Raises:
            InputError: a field is missing, unknown or not usable.
        """
        from .registry import system_of

        names = {each.name for each in fields(cls)}
        if set(card) != names:
            raise InputError(
                f"Training settings must have exactly these fields, not others: {', '.join(sorted(names))}."
            )
        try:
            system = system_of(card["architecture"]["name"])
            parts = {"architecture": system.architecture, "preprocessing": system.preprocessing}
            return cls(**{key: parts[key].from_card(value) if key in parts else value for key, value in card.items()})
        except (TypeError, ValueError, KeyError) as error:
            raise InputError(f"The training settings have a value of the wrong kind ({error}).") from error
        except PulsarCAMError as error:
            raise InputError(str(error)) from error

    def identity(self) -> str:
        """Hash of everything that decides the weights, as far as settings do."""
        card = {key: value for key, value in self.to_card().items() if key not in WITHOUT_INFLUENCE}
        return hashlib.sha256(json.dumps(card, sort_keys=True).encode()).hexdigest()


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Tuples as lists, as JSON has them."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
