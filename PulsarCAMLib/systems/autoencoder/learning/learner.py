"""The autoencoder-classifier's learner: the paper's joint loss, fast passes, phases, and means against imbalance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Generator, Tensor, nn

from ...learning.learner import Pass, TrainingSamples
from .losses import Losses
from .memory import keep_freed_memory
from .passes import TensorData, backward, backward_of_classifier, masked_features
from .pictures import draw_reconstructions
from .settings import TrainingSettings
from .settled_norm import settle_norm
from .validation import measure

if TYPE_CHECKING:
    from ..system import Autoencoder

_CLASSIFIER = ("dense", "norm", "logit")


class AutoencoderLearner:
    """See :class:`~...learning.learner.Learner`.

    Attributes:
        data: the samples as tensors.
    """

    losses: tuple[str, ...] = Losses._fields

    def __init__(
        self, system: Autoencoder, settings: TrainingSettings, samples: TrainingSamples, device: torch.device
    ) -> None:
        self.settings, self.device = settings, device
        model = system.network(settings.architecture, settings.preprocessing)
        if settings.initial_weights != "glorot":
            model.reset_parameters(settings.initial_weights)
        self.model = model.to(device)
        cast(Any, self.model).to(memory_format=torch.channels_last)
        self.data = TensorData.of(
            samples,
            device,
            settings.imbalance == "weighted",
            mask_rule=settings.preprocessing.mask_rule,
            reconstruct=settings.reconstruct,
        )
        self._phase = settings.phases[0]
        self._masked: Tensor | None = None
        if device.type == "cpu":
            keep_freed_memory()

    def begin(self, phase: str) -> list[nn.Parameter]:
        """Outside of the phase nothing moves."""
        self._phase = phase
        chosen = []
        for name, parameter in self.model.named_parameters():
            of_classifier = name.split(".")[0] in _CLASSIFIER
            if phase == "joint" or of_classifier == (phase == "classifier"):
                chosen.append(parameter)
        self._masked = masked_features(self.model, self.data) if phase == "classifier" else None
        return chosen

    def start_epoch(self, epoch: int) -> None:
        """Nothing: copies are made before."""

    def order(self, generator: Generator) -> Tensor:
        """Every sample once, or both classes equally often."""
        count = len(self.data)
        if self.settings.imbalance != "balanced":
            return torch.randperm(count, generator=generator)
        labels = self.data.labels.long().cpu()
        chance = 1.0 / torch.bincount(labels, minlength=2)[labels].double()
        return torch.multinomial(chance, count, replacement=True, generator=generator)

    def backward(self, index: Tensor) -> Pass:
        """In the classifier's phase the encoder is frozen and only its features are needed."""
        if self._masked is not None:
            return backward_of_classifier(self.model, self._masked, self.data, index, self.settings)
        return backward(self.model, self.data, index, self.settings, self._phase)

    def right(self, logits: Tensor, index: Tensor) -> int:
        """Response is called from a probability of one half on."""
        return int(((logits > 0) == (self.data.labels[index] == 1)).sum())

    def measure(self, samples: TrainingSamples) -> dict[str, float]:
        """Every term, accuracy and AUC."""
        return measure(self.model, samples, self.settings.loss, self.settings.reconstruct)

    def judged_by(self, phase: str) -> str | None:
        """The classifier's loss, where the classifier learns."""
        return None if phase == "autoencoder" else "classification"

    def settle(self) -> None:
        """Batch norm's statistics anew, where the settings want it."""
        if self.settings.settle_norm:
            settle_norm(self.model, self.data)

    def draw(self, folder: Path, epoch: int, samples: TrainingSamples, *, last: bool) -> None:
        """Reconstructions and feature maps."""
        every = self.settings.pictures_every
        if every and (epoch % every == 0 or last):
            draw_reconstructions(folder, epoch, self.model, self.device, samples)
