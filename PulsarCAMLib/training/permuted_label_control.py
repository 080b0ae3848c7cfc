"""The same training on labels dealt out anew: what it still finds, it does not find because of the labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import InputError
from ..systems.bundles.card_rules import system_name
from ..systems.learning.learner import Trained, TrainingSamples
from ..systems.registry import system_of

if TYPE_CHECKING:
    from torch import nn

    from ..systems.bundles.card import ModelCard

Progress = Callable[[float, str], None]

SEEDS = 1913
"""Apart from those of members."""


def settings_of_card(card: ModelCard) -> Any:
    """How a model's members were trained; what an older card does not tell was then what is the default now.

    Raises:
        InputError: the card does not tell at all, or tells what this version does not know.
    """
    told = card.fields["training"].get("settings")
    if not isinstance(told, dict):
        raise InputError(f"The card of model “{card.name}” does not tell how it was trained.")
    own = {"architecture": card.fields["architecture"], "preprocessing": card.fields["preprocessing"]}
    degrees = card.fields["training"].get("rotations_degrees")
    if degrees is not None:
        own["rotations"] = degrees
    system = system_of(system_name(card.fields))
    known = {field.name for field in fields(system.settings)}
    defaults = {name: value for name, value in system.training_settings().to_card().items() if name in known}
    return system.settings.from_card(defaults | own | told)


def undisturbed(settings: Any) -> Any:
    """The same training to its last epoch and without pictures, where no patients are set aside."""
    return replace(settings, patience=None, **({"pictures_every": 0} if hasattr(settings, "pictures_every") else {}))


def with_permuted_labels(samples: TrainingSamples, seed: int) -> TrainingSamples:
    """Labels dealt out anew among the units (lesions); all copies of one get the same one."""
    keys = [f"{patient}\n{unit}" for patient, unit in zip(samples.patients, samples.units, strict=True)]
    _, first, whose = np.unique(keys, return_index=True, return_inverse=True)
    dealt = np.random.default_rng([SEEDS, seed]).permutation(samples.labels[first])
    return TrainingSamples(**{**vars(samples), "labels": dealt[whose]})


def train_label_controls(
    samples: TrainingSamples,
    settings: Trained,
    count: int,
    *,
    epochs: int | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[nn.Module]:
    """Models trained as ``settings`` say, each on labels dealt out anew; without early stopping.

    Args:
        samples: to train on, with the changed copies.
        settings: of the model that is to be judged.
        count: how many models.
        epochs: instead of those of the settings.
        folder: where the trainings are kept, so that they go on when they were stopped; None keeps nothing.
        progress: called after each epoch with the share done and a text.
        cancelled: asked after each epoch; True stops.

    Raises:
        InputError: all samples have one class.
        Cancelled: ``cancelled`` said so.
    """
    from .loop import train_member
    from .trial import train_trial

    own = replace(undisturbed(settings), epochs=epochs or settings.epochs)
    trained = []
    for number in range(count):
        tell = None
        if progress:

            def tell(share: float, text: str, number: int = number) -> None:
                progress((number + share) / count, f"permuted labels {number + 1} of {count}: {text}")

        dealt = with_permuted_labels(samples, number)
        seeded = own.with_seed(settings.seed + SEEDS + number)
        told = {"progress": tell, "cancelled": cancelled}
        if folder is None:
            trained.append(train_member(dealt, None, seeded, **told).model)
        else:
            trained.append(train_trial(dealt, seeded, folder / f"control-{number + 1:03d}", **told).model())
    return trained
