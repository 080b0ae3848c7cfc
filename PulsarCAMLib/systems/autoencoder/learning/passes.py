"""One batch: the loss and its gradients, in the plain way and in the fast one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...learning.learner import Pass, TrainingSamples
from ..model.layout import cells_of, channels_last
from ..model.network import AutoencoderClassifier
from .losses import Losses, classification_loss, joint_loss, outside_penalty, weighted
from .reconstruction import FoldedDecoder, image_terms
from .settings import TrainingSettings


@dataclass(frozen=True, eq=False)
class TensorData:
    """A cohort in memory; a batch is an index into it, so that nothing has to be loaded.

    Attributes:
        images: ``[N, 1, s, s]``.
        masks: bool ``[N, 1, s, s]``.
        labels: float ``[N]``.
        cells: M ``[N, 1, s/4, s/4]``.
        targets: what reconstructions should be, ``[N, 1, s, s]``.
        importance: of the samples in the classification loss ``[N]``; None: all the same.
    """

    images: Tensor
    masks: Tensor
    labels: Tensor
    cells: Tensor
    targets: Tensor
    importance: Tensor | None = None

    @classmethod
    def of(
        cls,
        samples: TrainingSamples,
        device: torch.device | str = "cpu",
        weighted_classes: bool = False,
        *,
        mask_rule: str = "any",
        reconstruct: str = "crop",
    ) -> TensorData:
        """From arrays.

        Args:
            samples: the cohort.
            device: where the tensors lie.
            weighted_classes: give both classes the same weight, 1 on average over samples.
            mask_rule: of the bottleneck.
            reconstruct: "crop" or "gtv", as in :class:`~.settings.TrainingSettings`.
        """
        images, masks = (
            torch.from_numpy(np.require(x, requirements=("C", "W"))) for x in (samples.images, samples.masks)
        )
        labels = np.asarray(samples.labels)
        importance = None
        if weighted_classes:
            counts = np.bincount(labels, minlength=2)
            importance = torch.from_numpy(len(labels) / (2 * counts[labels])).float().to(device)
        whole = channels_last(images).to(device)
        return cls(
            whole,
            masks.to(device),
            torch.from_numpy(labels).float().to(device),
            cells_of(masks, torch.float32, mask_rule).to(device),
            channels_last(images * masks).to(device) if reconstruct == "gtv" else whole,
            importance,
        )

    def __len__(self) -> int:
        return len(self.labels)


def backward(
    model: AutoencoderClassifier, data: TensorData, index: Tensor, settings: TrainingSettings, phase: str = "joint"
) -> Pass:
    """Loss of a batch; its gradients are added to those of the model's parameters.

    Args:
        model: in training mode.
        data: the cohort.
        index: of the batch.
        settings: of the training.
        phase: ``"joint"`` or ``"autoencoder"``.
    """
    if phase == "joint" and settings.micro_batch == 0:
        return _plain(model, data, index, settings)
    # Launching kernels costs a GPU more than maps that leave a cache.
    whole = settings.micro_batch == 0 or data.images.device.type != "cpu"
    return _in_parts(model, data, index, settings, len(index) if whole else settings.micro_batch, phase == "joint")


def _plain(model: AutoencoderClassifier, data: TensorData, index: Tensor, settings: TrainingSettings) -> Pass:
    images, labels = data.images[index], data.labels[index]
    output = model(images, data.masks[index])
    importance = None if data.importance is None else data.importance[index]
    losses = joint_loss(output, data.targets[index], labels, settings.loss, importance)
    losses.total.backward()
    return Pass(torch.stack([term.detach() for term in losses]), output.logits.detach())


def _in_parts(
    model: AutoencoderClassifier, data: TensorData, index: Tensor, settings: TrainingSettings, size: int, head: bool
) -> Pass:
    """The decoder is done with, backwards too, before the next part comes; batch norm sees the whole batch."""
    decoder = FoldedDecoder(model)
    features, gradients, terms = [], [], torch.zeros(3)
    for part in index.split(size):
        images, cells, share = data.images[part], data.cells[part], len(part) / len(index)
        encoded = model.encode(images)
        leaf = encoded.detach().requires_grad_()
        picture = image_terms(decoder(leaf * cells), data.targets[part], settings.loss)
        outside = outside_penalty(leaf, cells)
        ((picture.total + settings.loss.outside * outside) * share).backward()
        features.append(encoded)
        gradients.append(leaf.grad)
        terms += share * torch.stack([picture.reconstruction, picture.similarity, outside.detach()]).cpu()
    decoder.hand_over()
    logits, classification = None, torch.zeros(())
    if head:
        logits, classification, of_head = _head(model, features, data, index, settings)
        gradients = [own + other for own, other in zip(gradients, of_head.split(size), strict=True)]
    torch.autograd.backward(features, gradients)
    losses: Losses = weighted(terms[0], terms[1], terms[2], classification, settings.loss)
    return Pass(torch.stack(losses), logits)


def _head(model, features: list[Tensor], data: TensorData, index: Tensor, settings: TrainingSettings):
    """Logits and loss of the classifier, and its gradient by P ``[n, K, s/4, s/4]``."""
    leaf = torch.cat([encoded.detach() for encoded in features]).requires_grad_()
    logits = model.classify(leaf * data.cells[index])
    importance = None if data.importance is None else data.importance[index]
    loss = classification_loss(logits, data.labels[index], importance)
    (settings.loss.classification * loss).backward()
    return logits.detach(), loss.detach().cpu(), leaf.grad


def backward_of_classifier(
    model: AutoencoderClassifier, masked: Tensor, data: TensorData, index: Tensor, settings: TrainingSettings
) -> Pass:
    """Loss of a batch in the classifier alone; ``masked`` is A ``[N, K, s/4, s/4]`` of the frozen encoder."""
    logits = model.classify(masked[index])
    importance = None if data.importance is None else data.importance[index]
    loss = classification_loss(logits, data.labels[index], importance)
    (settings.loss.classification * loss).backward()
    zero = torch.zeros(())
    losses = weighted(zero, zero, zero, loss.detach().cpu(), settings.loss)
    return Pass(torch.stack(losses), logits.detach())


@torch.no_grad()
def masked_features(model: AutoencoderClassifier, data: TensorData, size: int = 64) -> Tensor:
    """A ``[N, K, s/4, s/4]`` of all samples."""
    parts = torch.arange(len(data)).split(size)
    return torch.cat([model.encode(data.images[part]) * data.cells[part] for part in parts])
