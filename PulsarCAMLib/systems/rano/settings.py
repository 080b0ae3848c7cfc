"""How the network is trained: the recipe of arXiv 2504.18268 and its authors' code as defaults. No torch here."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ...core.settings import MOST_EPOCHS, option
from ...core.vocabulary import IMBALANCE
from ..learners.augmentation_settings import Augmentation
from ..plain_settings import SAMPLERS, SCHEDULES, PlainSettings

RECIPE: dict[str, Any] = {
    "flip_chance": 0.5,
    "contrast_chance": 0.9,
    "noise_chance": 0.9,
    "intensity_chance": 0.9,
    "intensity": 0.1,
}
"""Of the augmentation, as far as this version has them."""


def published_augmentation() -> Augmentation:
    """Flips on three axes with a chance of 0.5; intensity, contrast and noise with one of 0.9 each."""
    known = {each.name for each in fields(Augmentation)}
    return Augmentation(**{name: value for name, value in RECIPE.items() if name in known})


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
    augmentation: Augmentation = option(published_augmentation)
