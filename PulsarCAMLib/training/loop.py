"""Training in memory: one network. What must survive a crash is in :mod:`.trial`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from ..systems.learning.learner import Trained, TrainingSamples
from ..systems.registry import system_of
from .engine import Engine, Progress, own_random_numbers


@dataclass(frozen=True, eq=False)
class TrainedMember:
    """A trained model, in evaluation mode, and its curves.

    Attributes:
        model: the member.
        history: one row per epoch: the mean of each loss term, and on some epochs validation figures.
    """

    model: nn.Module
    history: list[dict[str, float]]


def train_member(
    samples: TrainingSamples,
    validation: TrainingSamples | None = None,
    settings: Trained | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> TrainedMember:
    """Train one model.

    Args:
        samples: with the changed copies.
        validation: of other patients, without copies; only measured, unless the settings stop early by it.
        settings: of the training; None: the defaults of the system that comes first.
        progress: called after each epoch with the share done and a text.
        cancelled: asked after each epoch; True stops the training.

    Raises:
        InputError: all samples have one class.
        Cancelled: ``cancelled`` said so.
    """
    settings = settings or system_of().training_settings()
    with own_random_numbers(settings):
        engine = Engine(settings, samples, validation)
        engine.run(progress=progress, cancelled=cancelled)
    return TrainedMember(engine.model, engine.history)
