"""The learner of a plain network: the system's loss on its logits, and what its settings want around that."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Generator, Tensor, nn

from ...core.inputs import MRI
from .augmentation import augment, generator_of
from .class_balance import class_weights, epoch_order, soft_targets
from .learner import TOTAL, Pass, StoredArray, TrainingSamples

if TYPE_CHECKING:
    from ..contract import System

CHUNK = 16
"""Samples asked at once when nothing is learnt."""

MOST_VOXELS = 2**24
"""Voxels of all channels asked at once when nothing is learnt; fewer samples at a time where they are larger."""


class PlainLearner:
    """See :class:`.learner.Learner`. Samples that are stored in a file stay there until a batch wants them."""

    losses: tuple[str, ...] = (TOTAL,)

    def __init__(self, system: System, settings: Any, samples: TrainingSamples, device: torch.device) -> None:
        self.system, self.settings, self.device = system, settings, device
        self.model: nn.Module = system.network(settings.architecture, settings.preprocessing).to(device)
        self._layout = torch.preserve_format
        if _wanted(settings, "channels_last") and samples.images.ndim in (4, 5):
            self._layout = torch.channels_last if samples.images.ndim == 4 else torch.channels_last_3d
            cast(Any, self.model).to(memory_format=self._layout)
        if _wanted(settings, "gradient_checkpointing"):
            from .less_memory import forget_features

            forget_features(system.checkpointed_parts(self.model))
        self._stored = samples if isinstance(samples.images, StoredArray) else None
        if self._stored is None:
            self.images, self.masks = (_tensor(values).to(device) for values in (samples.images, samples.masks))
        self._labels = torch.from_numpy(np.asarray(samples.labels, dtype=np.int64))
        self.labels = self._labels.to(device)
        self._confidence = None
        if _wanted(settings, "soft_labels") and samples.confidence is not None:
            self._confidence = torch.from_numpy(np.asarray(samples.confidence, dtype=np.float32)).to(device)
        self._weights = None
        if getattr(settings, "imbalance", "none") == "weighted":
            self._weights = class_weights(self._labels, len(system.task.classes)).to(device)
        self._half = _wanted(settings, "mixed_precision") and device.type == "cuda" and torch.cuda.is_bf16_supported()
        self._augmentation = getattr(settings, "augmentation", None)
        self._intensities = _mri_channels(system, settings.preprocessing)
        self._epoch, self._drawn = 0, Counter[int]()

    def begin(self, phase: str) -> list[nn.Parameter]:
        """Everything moves."""
        return list(self.model.parameters())

    def start_epoch(self, epoch: int) -> None:
        """Changes of the samples are drawn anew."""
        self._epoch, self._drawn = epoch, Counter()

    def order(self, generator: Generator) -> Tensor:
        """Every sample once, or as the settings balance the classes."""
        balanced = getattr(self.settings, "imbalance", "none") == "balanced"
        return epoch_order(self._labels, balanced, getattr(self.settings, "sampler", "shuffle"), generator)

    def backward(self, index: Tensor) -> Pass:
        """One autograd pass over the batch."""
        images, masks = self._batch(index)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._half):
            logits = self.model(images, masks)
        logits = logits.float()
        loss = self._loss(logits, index)
        loss.backward()
        return Pass(loss.detach().reshape(1), logits.detach())

    def _batch(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Images and masks of a batch, changed as the settings want it."""
        if self._stored is None:
            images, masks = self.images[index], self.masks[index]
        else:
            rows = index.cpu().numpy()
            images, masks = (
                torch.from_numpy(np.array(values[rows])).to(self.device)
                for values in (self._stored.images, self._stored.masks)
            )
        if self._augmentation is not None and not self._augmentation.idle:
            generators = []
            for sample in index.tolist():
                generators.append(generator_of(self.settings.seed, self._epoch, sample, self._drawn[sample]))
                self._drawn[sample] += 1
            spacing = getattr(self.settings.preprocessing, "spacing", None) or (1.0, 1.0, 1.0)
            own = self._augmentation, generators, tuple(spacing[::-1]), self._intensities
            images, masks = augment(images, masks, *own)
        if self._layout is not torch.preserve_format:
            images = images.contiguous(memory_format=self._layout)
        return images, masks

    def _loss(self, logits: Tensor, index: Tensor) -> Tensor:
        labels = targets = self.labels[index]
        if self._confidence is not None:
            targets = soft_targets(labels, self._confidence[index], len(self.system.task.classes))
        if self._weights is None:
            return self.system.loss(logits, targets)
        return self.system.loss(logits, targets, self._weights[labels])

    def right(self, logits: Tensor, index: Tensor) -> int:
        """The likeliest class is called."""
        return int((called(logits) == self.labels[index]).sum())

    def measure(self, samples: TrainingSamples) -> dict[str, float]:
        """Loss and accuracy."""
        logits = member_logits(self.system, self.model, samples)
        labels = torch.from_numpy(np.asarray(samples.labels, dtype=np.int64))
        with torch.no_grad():
            loss = float(self.system.loss(logits, labels))
        return {TOTAL: loss, "accuracy": float((called(logits) == labels).double().mean())}

    def judged_by(self, phase: str) -> str | None:
        """The loss."""
        return TOTAL

    def settle(self) -> None:
        """Nothing."""

    def draw(self, folder: Path, epoch: int, samples: TrainingSamples, *, last: bool) -> None:
        """Nothing."""


def _tensor(values: np.ndarray) -> Tensor:
    """The same values; a copy where they may not be written to, as those that processes share."""
    return torch.from_numpy(np.require(values, requirements=("C", "W")))


def _wanted(settings: Any, name: str) -> bool:
    """Whether settings that may not know a switch have it on."""
    return bool(getattr(settings, name, False))


def _mri_channels(system: System, preprocessing: Any) -> list[int] | None:
    """Channels whose contrast may change: a dose's Gy mean something. None: all."""
    channels = getattr(system, "channels", None)
    if channels is None:
        return None
    return [n for n, each in enumerate(channels(preprocessing)) if all(role.kind == MRI for role in each.roles)]


def called(logits: Tensor) -> Tensor:
    """Numbers of the classes called, of logits ``[n]`` of the second class or ``[n, classes]``."""
    return (logits > 0).long() if logits.ndim == 1 else logits.argmax(dim=1)


@torch.no_grad()
def member_logits(system: System, model: nn.Module, samples: TrainingSamples, chunk: int = CHUNK) -> Tensor:
    """Logits ``[N]`` or ``[N, classes]`` of one network in evaluation mode, on the CPU, double."""
    device, training = next(model.parameters()).device, model.training
    chunk = max(1, min(chunk, MOST_VOXELS // int(np.prod(samples.images.shape[1:]))))
    model.eval()
    try:
        found = []
        for start in range(0, len(samples), chunk):
            part = slice(start, start + chunk)
            given = (_tensor(values[part]).to(device) for values in (samples.images, samples.masks))
            found.append(system.member_logits(model, *given).double().cpu())
        return torch.cat(found)
    finally:
        model.train(training)
