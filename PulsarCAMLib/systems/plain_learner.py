"""The learner of a plain network: the system's loss on its logits, nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from .learning import TOTAL, Pass, TrainingSamples

if TYPE_CHECKING:
    from .contract import System

CHUNK = 16
"""Samples asked at once when nothing is learnt."""


class PlainLearner:
    """See :class:`.learning.Learner`."""

    losses: tuple[str, ...] = (TOTAL,)

    def __init__(self, system: System, settings: Any, samples: TrainingSamples, device: torch.device) -> None:
        self.system, self.device = system, device
        self.model: nn.Module = system.network(settings.architecture, settings.preprocessing).to(device)
        self.images = torch.from_numpy(np.ascontiguousarray(samples.images)).to(device)
        self.masks = torch.from_numpy(np.ascontiguousarray(samples.masks)).to(device)
        self.labels = torch.from_numpy(np.asarray(samples.labels, dtype=np.int64)).to(device)

    def begin(self, phase: str) -> list[nn.Parameter]:
        """Everything moves."""
        return list(self.model.parameters())

    def order(self, generator: Generator) -> Tensor:
        """Every sample once."""
        return torch.randperm(len(self.labels), generator=generator)

    def backward(self, index: Tensor) -> Pass:
        """One autograd pass over the batch."""
        logits = self.model(self.images[index], self.masks[index])
        loss = self.system.loss(logits, self.labels[index])
        loss.backward()
        return Pass(loss.detach().reshape(1), logits.detach())

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


def called(logits: Tensor) -> Tensor:
    """Numbers of the classes called, of logits ``[n]`` of the second class or ``[n, classes]``."""
    return (logits > 0).long() if logits.ndim == 1 else logits.argmax(dim=1)


@torch.no_grad()
def member_logits(system: System, model: nn.Module, samples: TrainingSamples, chunk: int = CHUNK) -> Tensor:
    """Logits ``[N]`` or ``[N, classes]`` of one network in evaluation mode, on the CPU, double."""
    device, training = next(model.parameters()).device, model.training
    model.eval()
    try:
        found = []
        for start in range(0, len(samples), chunk):
            part = slice(start, start + chunk)
            given = (
                torch.from_numpy(np.ascontiguousarray(x[part])).to(device) for x in (samples.images, samples.masks)
            )
            found.append(system.member_logits(model, *given).double().cpu())
        return torch.cat(found)
    finally:
        model.train(training)
