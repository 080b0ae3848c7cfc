"""Answers to unequal classes: which samples an epoch draws, and how much each counts in the loss."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def class_weights(labels: Tensor, classes: int) -> Tensor:
    """Weight of each class ``[classes]``, 1 / prevalence; 0 of a class that nobody has.

    Args:
        labels: int ``[N]``, of all samples that are learnt from.
        classes: how many the task has.
    """
    counts = torch.bincount(labels, minlength=classes).double()
    return torch.where(counts > 0, len(labels) / counts.clamp(min=1), torch.zeros_like(counts)).float()


def epoch_order(labels: Tensor, balanced: bool, sampler: str, generator: Generator) -> Tensor:
    """Indices of one epoch, as many as there are samples, in the order in which they are learnt from.

    Args:
        labels: int ``[N]``, on the CPU.
        balanced: whether every class is drawn equally often, with replacement.
        sampler: ``"complement"``: with replacement, each with a chance of 1 - prevalence of its class; ``"shuffle"``:
            every sample once.
        generator: of the engine.
    """
    count = len(labels)
    if not balanced and sampler == "shuffle":
        return torch.randperm(count, generator=generator)
    counts = torch.bincount(labels).double()
    chance = (1 / counts if balanced else 1 - counts / count)[labels]
    return torch.multinomial(chance, count, replacement=True, generator=generator)


def soft_targets(labels: Tensor, confidence: Tensor, classes: int) -> Tensor:
    """Shares ``[n, classes]``: the class said gets its confidence, the others the rest in equal parts.

    Args:
        labels: int ``[n]``.
        confidence: ``[n]``, 0 to 1.
        classes: how many the task has.
    """
    rest = (1 - confidence) / (classes - 1)
    found = rest[:, None].repeat(1, classes)
    found[torch.arange(len(labels), device=labels.device), labels] = confidence
    return found
