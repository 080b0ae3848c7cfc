"""What an autoencoder-classifier says about samples it does not learn from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from ...learning.learner import TrainingSamples
from ..model.network import AutoencoderClassifier, Output
from .losses import joint_loss, weighted
from .passes import TensorData
from .settings import LossWeights

CHUNK = 64


def dead_maps(model: AutoencoderClassifier, samples: TrainingSamples) -> list[int]:
    """Feature maps, counted from 1, that are zero inside the GTV of every sample: the model has lost them."""
    found = [(output.masked > 0).any(dim=(0, 2, 3)) for _, _, output in _outputs(model, samples, CHUNK)]
    alive = torch.stack(found).any(dim=0)
    return [number + 1 for number, some in enumerate(alive.tolist()) if not some]


def measure(
    model: AutoencoderClassifier,
    samples: TrainingSamples,
    weights: LossWeights | None = None,
    reconstruct: str = "crop",
) -> dict[str, float]:
    """Every loss term, accuracy and, with both classes, the AUC; in evaluation mode.

    Args:
        model: of any state.
        samples: to be asked about.
        weights: of the terms; default: the paper's.
        reconstruct: "crop" or "gtv", as in :class:`~.settings.TrainingSettings`.

    Returns:
        ``total``, ``reconstruction``, ``similarity``, ``outside``, ``classification``, ``accuracy``, ``auc``.
    """
    from sklearn.metrics import roc_auc_score

    found, sums = [], np.zeros(3)
    for targets, labels, output in _outputs(model, samples, CHUNK, reconstruct):
        terms = joint_loss(output, targets, labels, weights)
        sums += len(labels) * np.array([float(terms.reconstruction), float(terms.similarity), float(terms.outside)])
        found.append(output.logits.double().cpu().numpy())
    logits = np.concatenate(found)
    response = samples.labels == 1
    classification = float(np.logaddexp(0, np.where(response, -1.0, 1.0) * logits).mean())
    reconstruction, similarity, outside = (sums / len(samples)).tolist()
    row = dict(weighted(reconstruction, similarity, outside, classification, weights)._asdict())
    row["accuracy"] = float(((logits > 0) == response).mean())
    if response.any() and not response.all():
        row["auc"] = float(roc_auc_score(samples.labels, logits))
    return row


def _outputs(
    model: AutoencoderClassifier, samples: TrainingSamples, chunk: int, reconstruct: str = "crop"
) -> Iterator[tuple[torch.Tensor, torch.Tensor, Output]]:
    """What reconstructions should be, labels and output, chunk by chunk."""
    data = TensorData.of(samples, model.logit.weight.device, mask_rule=model.mask_rule, reconstruct=reconstruct)
    training = model.training
    model.eval()
    try:
        for index in torch.arange(len(samples)).split(chunk):
            with torch.no_grad():
                output = model(data.images[index], data.masks[index])
            yield data.targets[index], data.labels[index], output
    finally:
        model.train(training)
