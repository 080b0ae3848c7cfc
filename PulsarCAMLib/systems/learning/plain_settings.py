"""How a plain network is trained: what a system takes that brings no settings of its own. No torch here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from ...core.errors import InputError, PulsarCAMError
from ...core.settings import LARGEST_SEED, MOST_EPOCHS, MOST_SEED, Settings, option
from ...core.vocabulary import ALL, DEVICES, ENSEMBLE_RULES, IMBALANCE, MEMBERS_LEARN
from ..contract import NoSizes
from .augmentation_settings import Augmentation

OPTIMISERS = ("adamw", "adam")
SCHEDULES = ("constant", "cosine", "cut-on-rise")
SAMPLERS = ("shuffle", "complement")


class PhasedSettings(Settings):
    """What follows from a training's ``epochs``, ``phases`` and ``seed``."""

    epochs: int
    phases: Any

    @property
    def all_epochs(self) -> int:
        """Epochs of all phases."""
        return self.epochs * len(self.phases)

    def phase_of(self, epoch: int) -> str:
        """Phase of an epoch; epochs count from 1 through all phases."""
        phase: str = self.phases[(epoch - 1) // self.epochs]
        return phase

    def with_seed(self, seed: int) -> Self:
        """The same training from another random start."""
        return replace(self, seed=seed)  # type: ignore[type-var]  # every subclass is a dataclass


@dataclass(frozen=True)
class PlainSettings(PhasedSettings):
    """One training of a plain network. A system with more to choose inherits from this and adds fields.

    Attributes:
        architecture: sizes of the network; its card names the system.
        preprocessing: how a case becomes samples.
        epochs: passes over all samples.
        batch_size: samples per step; the last batch of an epoch is smaller.
        learning_rate, betas, epsilon: of the optimiser.
        weight_decay: of AdamW decoupled from the gradient and scaled by the learning rate; of Adam added to the
            gradient.
        patience: epochs without a smaller loss on VALIDATION patients after which training stops and the best epoch's
            weights are taken; None: never.
        seed: of initial weights, order of samples, dropout and augmentation.
        validate_every: epochs between two points of the validation curves.
        threads: processor cores of one training.
        device: ``"auto"``: a GPU when there is one; ``"cpu"``; ``"cuda"``.
        checkpoint_seconds: time between two checkpoints; has no influence on the weights.
        optimiser: ``"adamw"`` or ``"adam"``.
        schedule: ``"constant"``; ``"cosine"``: the rate falls to 0 along half a cosine; ``"cut-on-rise"``: after an
            epoch whose TRAINING loss is not the smallest so far the rate is a tenth and the best epoch's weights come
            back; after ten such epochs in a row training stops (the RANO paper's own way).
        imbalance: ``"none"``; ``"weighted"``: every class counts the same in the loss (weights 1 / prevalence);
            ``"balanced"``: every epoch draws the classes equally often, with replacement.
        sampler: ``"shuffle"``: every sample once an epoch; ``"complement"``: drawn with replacement, each with a
            chance of 1 - prevalence of its class.
        soft_labels: whether the cohort's column ``confidence`` softens the labels: the class said gets that share, the
            other classes the rest in equal parts.
        augmentation: random changes of the samples.
        channels_last: whether convolutions see the channels last in memory; the same sums in another order.
        mixed_precision: whether a GPU computes in bfloat16 where it can; without influence on other processors.
        gradient_checkpointing: whether features are computed again on the way back instead of kept: less memory, about
            a third more time, the same weights.
        ensemble: how members answer together: ``"mean"`` of their probabilities, or ``"majority"``: the share of
            members that call a class.
        members_learn: ``"all"``: every member from all training patients; ``"folds"``: the patients are divided into as
            many parts as there are members, and each member learns without its own part, which then serves for its
            validation curves and its early stopping.

    Raises:
        InputError: a value is not usable.
    """

    who = "the training"

    architecture: Any = option(NoSizes)
    preprocessing: Any = None
    epochs: int = option(150, "--epochs", at_least=1, most_typed=MOST_EPOCHS)
    batch_size: int = option(64, "--batch-size", at_least=2, most_typed=65536)
    learning_rate: float = option(5e-4, "--learning-rate", above=0, below=1)
    weight_decay: float = option(1e-4, "--weight-decay", at_least=0)
    betas: tuple[float, float] = option((0.9, 0.999), at_least=0, below=1)
    epsilon: float = option(1e-8, above=0)
    patience: int | None = option(
        None, "--patience", "stop after N epochs without a better validation loss (never)", metavar="N",
        section="ensemble", after="seed", at_least=1,
    )  # fmt: skip
    seed: int = option(
        0, "--seed", "of the first member, and of the split", section="ensemble", at_least=0, at_most=LARGEST_SEED,
        most_typed=MOST_SEED,
    )  # fmt: skip
    validate_every: int = option(1, at_least=1)
    threads: int = option(1, at_least=1)
    device: str = option("auto", "--device", choices=DEVICES)
    checkpoint_seconds: float = option(10.0, at_least=0, influence=False)
    optimiser: str = option("adamw", "--optimiser", choices=OPTIMISERS, untold=True)
    schedule: str = option("constant", "--schedule", "of the learning rate", choices=SCHEDULES, untold=True)
    imbalance: str = option("none", "--imbalance", choices=tuple(IMBALANCE), untold=True)
    sampler: str = option("shuffle", "--sampler", choices=SAMPLERS, untold=True)
    soft_labels: bool = option(
        False, "--soft-labels", "let the table's column confidence soften the labels", untold=True
    )
    augmentation: Augmentation = option(Augmentation, untold=True)
    channels_last: bool = option(False, "--channels-last", "convolve with the channels last in memory", untold=True)
    mixed_precision: bool = option(False, "--mixed-precision", "bfloat16 on a GPU that can", untold=True)
    gradient_checkpointing: bool = option(
        False, "--gradient-checkpointing", "compute features twice instead of keeping them", untold=True
    )
    ensemble: str = option(
        "mean", "--ensemble", "how members answer together: mean probability, or share of votes", section="ensemble",
        choices=ENSEMBLE_RULES, untold=True, influence=False,
    )  # fmt: skip
    members_learn: str = option(
        ALL, "--members-learn", "from all training patients, or each member without a fold of its own",
        section="ensemble", choices=MEMBERS_LEARN, untold=True, influence=False,
    )  # fmt: skip

    def disagreements(self) -> Iterator[str]:
        """See :class:`~PulsarCAMLib.core.settings.Settings`."""
        if self.imbalance == "balanced" and self.sampler != "shuffle":
            yield "The training draws the classes equally often already; leave the sampler or the balance out."

    @property
    def phases(self) -> tuple[str, ...]:
        """One: the whole network."""
        return ("whole",)

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> PlainSettings:
        """From :meth:`to_card`'s values.

        Raises:
            InputError: a field is missing, unknown or not usable.
        """
        from ..registry import system_of

        try:
            system = system_of(card["architecture"]["name"])
            parts = {name: getattr(system, name).from_card(card[name]) for name in ("architecture", "preprocessing")}
        except (TypeError, ValueError, KeyError) as error:
            raise InputError(f"The training has a value of the wrong kind ({error}).") from error
        except PulsarCAMError as error:
            raise InputError(str(error)) from error
        return super().from_card({**card, **parts})
