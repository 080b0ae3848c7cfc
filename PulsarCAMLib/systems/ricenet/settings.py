"""How the network is trained: the paper's choices as defaults, stated readings where it is silent. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.settings import MOST_EPOCHS, option
from ...core.vocabulary import FOLDS, IMBALANCE, MEMBERS_LEARN
from ..learning.augmentation_settings import Augmentation
from ..learning.plain_settings import OPTIMISERS, PlainSettings


@dataclass(frozen=True)
class RiceAugmentation(Augmentation):
    """Elastic, rotation, scaling, noise and gamma, as the paper names them; how often and how much are readings."""

    scale_chance: float = option(0.3, "--scale-chance", "of another size", metavar="CHANCE", at_least=0, at_most=1)
    rotation_chance: float = option(0.3, "--rotation-chance", "of a turn", metavar="CHANCE", at_least=0, at_most=1)
    elastic_chance: float = option(0.3, "--elastic-chance", "of a bend", metavar="CHANCE", at_least=0, at_most=1)
    contrast_chance: float = option(
        0.3, "--contrast-chance", "of another contrast", metavar="CHANCE", at_least=0, at_most=1
    )
    noise_chance: float = option(0.3, "--noise-chance", "of noise", metavar="CHANCE", at_least=0, at_most=1)


@dataclass(frozen=True)
class RiceSettings(PlainSettings):
    """Adam, 800 epochs, classes drawn equally often, members that leave out a fold each.

    Readings where the paper is silent: batches of 4, a rate of 1e-4, no weight decay.
    """

    epochs: int = option(800, "--epochs", at_least=1, most_typed=MOST_EPOCHS)
    batch_size: int = option(4, "--batch-size", at_least=2, most_typed=65536)
    learning_rate: float = option(1e-4, "--learning-rate", above=0, below=1)
    weight_decay: float = option(0.0, "--weight-decay", at_least=0)
    optimiser: str = option("adam", "--optimiser", choices=OPTIMISERS)
    imbalance: str = option("balanced", "--imbalance", choices=tuple(IMBALANCE))
    members_learn: str = option(
        FOLDS, "--members-learn", "from all training patients, or each member without a fold of its own",
        section="ensemble", choices=MEMBERS_LEARN, influence=False,
    )  # fmt: skip
    augmentation: RiceAugmentation = option(RiceAugmentation)
