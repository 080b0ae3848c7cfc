"""How a plain network is trained: what a system takes that brings no settings of its own. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..core.errors import InputError, PulsarCAMError
from ..core.settings import LARGEST_SEED, Settings, option
from ..core.vocabulary import DEVICES
from .contract import NoSizes


@dataclass(frozen=True)
class PlainSettings(Settings):
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

    who = "the training"

    architecture: Any = option(NoSizes)
    preprocessing: Any = None
    epochs: int = option(150, at_least=1)
    batch_size: int = option(64, at_least=2)
    learning_rate: float = option(5e-4, above=0, below=1)
    weight_decay: float = option(1e-4, at_least=0)
    betas: tuple[float, float] = option((0.9, 0.999), at_least=0, below=1)
    epsilon: float = option(1e-8, above=0)
    patience: int | None = option(None, at_least=1)
    seed: int = option(0, at_least=0, at_most=LARGEST_SEED)
    validate_every: int = option(1, at_least=1)
    threads: int = option(1, at_least=1)
    device: str = option("auto", choices=DEVICES)
    checkpoint_seconds: float = option(10.0, at_least=0, influence=False)

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

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> PlainSettings:
        """From :meth:`to_card`'s values.

        Raises:
            InputError: a field is missing, unknown or not usable.
        """
        from .registry import system_of

        try:
            system = system_of(card["architecture"]["name"])
            parts = {name: getattr(system, name).from_card(card[name]) for name in ("architecture", "preprocessing")}
        except (TypeError, ValueError, KeyError) as error:
            raise InputError(f"The training has a value of the wrong kind ({error}).") from error
        except PulsarCAMError as error:
            raise InputError(str(error)) from error
        return super().from_card({**card, **parts})
