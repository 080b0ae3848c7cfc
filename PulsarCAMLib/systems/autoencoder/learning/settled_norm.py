"""Batch norm's statistics taken anew over a whole cohort."""

from __future__ import annotations

import torch
from torch import Tensor

from ..model.network import AutoencoderClassifier, bottleneck_mask
from .passes import TensorData


def settle_norm(model: AutoencoderClassifier, data: TensorData, chunk: int = 512) -> None:
    """Mean and variance of the batch norm's input over all samples, with the weights as they are."""
    norm = model.norm
    momentum, norm.momentum = norm.momentum, None  # None: the plain average over chunks
    norm.reset_running_stats()
    model.train()
    with torch.no_grad():
        # Samples lie lesion by lesion; strided chunks are alike, so that their averages are the cohort's.
        count = -(-len(data) // chunk)
        for start in range(count):
            index = torch.arange(start, len(data), count)
            norm(_norm_input(model, data.images[index], data.masks[index]))
    norm.momentum = momentum


def _norm_input(model: AutoencoderClassifier, images: Tensor, masks: Tensor) -> Tensor:
    masked = model.encode(images) * bottleneck_mask(masks, images.dtype, model.mask_rule)
    hidden = model.dense(masked.flatten(1))
    after_activation = model.architecture.norm == "after" and model.architecture.dense_activation == "relu"
    return torch.relu(hidden) if after_activation else hidden
