"""Training in memory: one autoencoder-classifier. What must survive a crash is in `.trial`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..systems.autoencoder.network import AutoencoderClassifier
from ..systems.autoencoder.samples import Samples
from ..systems.autoencoder.training_settings import LossWeights, TrainingSettings
from .engine import Engine, Progress, own_random_numbers
from .validation import predict_logits

__all__ = ["LossWeights", "TrainedMember", "TrainingSettings", "predict_logits", "train_member"]


@dataclass(frozen=True, eq=False)
class TrainedMember:
    """A trained model, in evaluation mode, and its curves.

    Attributes:
        model: the member.
        history: one row per epoch: the mean of each loss term, and on some epochs validation figures.
    """

    model: AutoencoderClassifier
    history: list[dict[str, float]]


def train_member(
    samples: Samples,
    validation: Samples | None = None,
    settings: TrainingSettings | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> TrainedMember:
    """Train one model.

    Args:
        samples: with the rotated copies.
        validation: of other patients, without copies; only measured, unless the settings stop early by it.
        settings: of the training.
        progress: called after each epoch with the share done and a text.
        cancelled: asked after each epoch; True stops the training.

    Raises:
        InputError: all samples have one class.
        Cancelled: ``cancelled`` said so.
    """
    settings = settings or TrainingSettings()
    with own_random_numbers(settings):
        engine = Engine(settings, samples, validation)
        engine.run(progress=progress, cancelled=cancelled)
    return TrainedMember(engine.model, engine.history)
