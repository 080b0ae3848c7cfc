"""Training of one autoencoder-classifier, and of an ensemble of them.

The whole augmented cohort lies in memory in the layout in which convolutions are fastest; a batch is an index into it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ..errors import Cancelled, InputError
from ..models.architecture import Architecture
from ..models.autoencoder import AutoencoderClassifier, bottleneck_mask
from .augmentation import Samples
from .losses import Losses, LossWeights, joint_loss

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class TrainingSettings:
    """How a member is trained; the defaults are the paper's (section 1.4 of the notes on it).

    Attributes:
        epochs: passes over the augmented cohort.
        batch_size: samples per step; the last batch of an epoch is smaller.
        learning_rate, weight_decay, betas, epsilon: of AdamW (decay decoupled, scaled by the learning rate).
        loss: weights of the four terms.
        seed: of initial weights, order of samples and dropout.
        validate_every: epochs between two points of the validation curves.
        settle_norm: after the last epoch, take the batch norm's statistics anew over all samples. Its running average
            is of the last 100 steps, over which the weights still move: without this, some members call almost every
            lesion by one class although they rank lesions well. Not in the paper.
    """

    epochs: int = 150
    batch_size: int = 64
    learning_rate: float = 5e-4
    weight_decay: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    loss: LossWeights = field(default_factory=LossWeights)
    seed: int = 0
    validate_every: int = 5
    settle_norm: bool = False

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 2 or self.validate_every < 1:
            raise InputError("Training needs at least one epoch and batches of two samples or more.")


@dataclass(frozen=True, eq=False)
class TrainedMember:
    """A trained model, in evaluation mode, and its curves.

    Attributes:
        model: the member.
        history: one row per epoch: the mean of each loss term, and on some epochs validation figures.
    """

    model: AutoencoderClassifier
    history: list[dict[str, float]]


@dataclass(frozen=True, eq=False)
class _Tensors:
    images: Tensor
    masks: Tensor
    labels: Tensor

    @classmethod
    def of(cls, samples: Samples) -> _Tensors:
        images = torch.from_numpy(samples.images).contiguous(memory_format=torch.channels_last)
        return cls(images, torch.from_numpy(samples.masks), torch.from_numpy(samples.labels).float())

    def batch(self, index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.images[index], self.masks[index], self.labels[index]


def train_member(
    samples: Samples,
    validation: Samples | None = None,
    architecture: Architecture | None = None,
    settings: TrainingSettings | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> TrainedMember:
    """Train autoencoder and classifier together.

    Args:
        samples: with the rotated copies.
        validation: of other patients, without copies; only measured, never used to choose anything.
        architecture: sizes of the model.
        settings: of the training.
        progress: called after each epoch with the share done and a text.
        cancelled: asked after each epoch; True stops the training.

    Raises:
        InputError: all samples have one class.
        Cancelled: ``cancelled`` said so.
    """
    settings = settings or TrainingSettings()
    if len(np.unique(samples.labels)) < 2:
        raise InputError("All lesions of the training cohort have the same response; there is nothing to learn.")
    # Initial weights and dropout use torch's global generator; the caller's state comes back afterwards.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model = AutoencoderClassifier(architecture).to(memory_format=torch.channels_last)
        history = _fit(model, _Tensors.of(samples), validation, settings, progress, cancelled)
    return TrainedMember(model.eval(), history)


def train_ensemble(
    samples: Samples,
    members: int,
    validation: Samples | None = None,
    architecture: Architecture | None = None,
    settings: TrainingSettings | None = None,
    **callbacks,
) -> list[TrainedMember]:
    """Members that differ in their seed only: ``settings.seed``, ``settings.seed + 1``, ..."""
    settings = settings or TrainingSettings()
    report = callbacks.pop("progress", None)
    trained = []
    for number in range(members):
        own = TrainingSettings(**{**vars(settings), "seed": settings.seed + number})
        progress = _part_of(report, number, members) if report else None
        trained.append(train_member(samples, validation, architecture, own, progress=progress, **callbacks))
    return trained


def predict_logits(model: AutoencoderClassifier, samples: Samples, chunk: int = 64) -> np.ndarray:
    """Logits of response ``[N]`` in evaluation mode (dropout off, running statistics)."""
    data = _Tensors.of(samples)
    training = model.training
    model.eval()
    with torch.inference_mode():
        parts = [model(*data.batch(index)[:2]).logits for index in torch.arange(len(samples)).split(chunk)]
    model.train(training)
    return torch.cat(parts).double().numpy()


def _fit(model, data, validation, settings, progress, cancelled) -> list[dict[str, float]]:
    optimiser = torch.optim.AdamW(
        model.parameters(),
        lr=settings.learning_rate,
        betas=settings.betas,
        eps=settings.epsilon,
        weight_decay=settings.weight_decay,
    )
    order = torch.Generator().manual_seed(settings.seed)
    history = []
    for epoch in range(1, settings.epochs + 1):
        row = {"epoch": float(epoch), **_epoch(model, data, optimiser, order, settings)}
        if settings.settle_norm and epoch == settings.epochs:
            _settle_norm(model, data)
        if validation is not None and (epoch % settings.validate_every == 0 or epoch == settings.epochs):
            row |= _validate(model, validation)
        history.append(row)
        if progress:
            progress(epoch / settings.epochs, f"epoch {epoch} of {settings.epochs}, loss {row['total']:.3f}")
        if cancelled and cancelled():
            raise Cancelled(f"Training was stopped after epoch {epoch} of {settings.epochs}.")
    return history


def _epoch(model, data: _Tensors, optimiser, order: torch.Generator, settings: TrainingSettings) -> dict[str, float]:
    """One pass over all samples; mean of each loss term over samples."""
    model.train()
    sums = np.zeros(len(Losses._fields))
    shuffled = torch.randperm(len(data.labels), generator=order)
    for index in shuffled.split(settings.batch_size):
        if len(index) < 2:  # batch norm cannot take the statistics of a single sample
            continue
        images, masks, labels = data.batch(index)
        losses = joint_loss(model(images, masks), images, labels, settings.loss)
        optimiser.zero_grad(set_to_none=True)
        losses.total.backward()
        optimiser.step()
        sums += len(index) * torch.stack([term.detach() for term in losses]).double().numpy()
    return dict(zip(Losses._fields, sums / len(shuffled), strict=True))


def _settle_norm(model: AutoencoderClassifier, data: _Tensors, chunk: int = 512) -> None:
    """Mean and variance of the batch norm's input over all samples, with the final weights."""
    norm = model.norm
    momentum, norm.momentum = norm.momentum, None  # None: the plain average over chunks
    norm.reset_running_stats()
    model.train()
    with torch.no_grad():
        # Samples lie lesion by lesion; strided chunks are alike, so that their averages are the cohort's.
        count = -(-len(data.labels) // chunk)
        for start in range(count):
            images, masks, _ = data.batch(torch.arange(start, len(data.labels), count))
            norm(_norm_input(model, images, masks))
    norm.momentum = momentum


def _norm_input(model: AutoencoderClassifier, images: Tensor, masks: Tensor) -> Tensor:
    masked = model.encode(images) * bottleneck_mask(masks, images.dtype)
    hidden = model.dense(masked.flatten(1))
    after_activation = model.architecture.norm == "after" and model.architecture.dense_activation == "relu"
    return torch.relu(hidden) if after_activation else hidden


def _validate(model: AutoencoderClassifier, validation: Samples) -> dict[str, float]:
    from sklearn.metrics import roc_auc_score

    logits = predict_logits(model, validation)
    signs = np.where(validation.labels == 1, 1.0, -1.0)
    row = {
        "validation_classification": float(np.logaddexp(0, -signs * logits).mean()),
        "validation_accuracy": float(((logits > 0) == (validation.labels == 1)).mean()),
    }
    if len(np.unique(validation.labels)) == 2:
        row["validation_auc"] = float(roc_auc_score(validation.labels, logits))
    return row


def _part_of(report: Progress, number: int, members: int) -> Progress:
    return lambda share, text: report((number + share) / members, f"member {number + 1} of {members}: {text}")
