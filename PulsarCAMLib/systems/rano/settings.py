"""How the network is trained: the recipe of arXiv 2504.18268 and its authors' code as defaults. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.settings import MOST_EPOCHS, option
from ...core.vocabulary import IMBALANCE
from ..learning.augmentation_settings import Augmentation
from ..learning.plain_settings import SAMPLERS, SCHEDULES, PlainSettings


@dataclass(frozen=True)
class RanoAugmentation(Augmentation):
    """Flips on three axes with a chance of 0.5; intensity (a tenth more or less), contrast and noise with one of 0.9
    each, as in the authors' code.
    """

    flip_chance: float = option(0.5, "--flip-chance", "of a mirrored axis", metavar="CHANCE", at_least=0, at_most=1)
    contrast_chance: float = option(
        0.9, "--contrast-chance", "of another contrast", metavar="CHANCE", at_least=0, at_most=1
    )
    intensity_chance: float = option(
        0.9, "--intensity-chance", "of other intensities", metavar="CHANCE", at_least=0, at_most=1
    )
    noise_chance: float = option(0.9, "--noise-chance", "of noise", metavar="CHANCE", at_least=0, at_most=1)


@dataclass(frozen=True)
class RanoSettings(PlainSettings):
    """AdamW, batches of four, 100 epochs; every class counts alike in the loss (weights 1 / prevalence) and is drawn
    with a chance of 1 - prevalence; the rate is cut by ten when the training loss rises.
    """

    epochs: int = option(100, "--epochs", at_least=1, most_typed=MOST_EPOCHS)
    batch_size: int = option(4, "--batch-size", at_least=2, most_typed=65536)
    learning_rate: float = option(1e-4, "--learning-rate", above=0, below=1)
    weight_decay: float = option(0.01, "--weight-decay", at_least=0)
    schedule: str = option("cut-on-rise", "--schedule", "of the learning rate", choices=SCHEDULES)
    imbalance: str = option("weighted", "--imbalance", choices=tuple(IMBALANCE))
    sampler: str = option("complement", "--sampler", choices=SAMPLERS)
    augmentation: RanoAugmentation = option(RanoAugmentation)
