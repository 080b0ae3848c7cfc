"""How the autoencoder comes along: slices, their reconstructions and feature maps as one PNG per chosen epoch."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch

from ....core.errors import OutputError
from ....io.atomic import replace_file
from ...learning.learner import TrainingSamples
from ..model.network import AutoencoderClassifier, Output

ROWS = 6
_GAP = 2


def draw_reconstructions(
    folder: Path, epoch: int, model: AutoencoderClassifier, device: torch.device, samples: TrainingSamples
) -> Path:
    """Write ``epoch-0010.png``: one row per lesion with slice, reconstruction, masked slice and the feature maps P.

    Some of the samples, of both classes. Grey values of slices and reconstructions are 0 to 1;
    feature maps of one row share their maximum.

    Raises:
        OutputError: the picture cannot be written.
    """
    from matplotlib.image import imsave

    shown = _chosen(samples)
    path = folder / f"epoch-{epoch:04d}.png"
    try:
        folder.mkdir(exist_ok=True)
        made = io.BytesIO()
        imsave(made, sheet(shown, output_of(model, device, shown)), cmap="gray", vmin=0.0, vmax=1.0, format="png")
        replace_file(path, made.getvalue())
    except OSError as error:
        raise OutputError(f"The picture {path} cannot be written ({error.strerror}).") from error
    return path


def output_of(model: AutoencoderClassifier, device: torch.device, samples: TrainingSamples) -> Output:
    """The model's output on a few samples, in evaluation mode, on the CPU."""
    training = model.training
    model.eval()
    with torch.no_grad():
        found = model(torch.from_numpy(samples.images).to(device), torch.from_numpy(samples.masks).to(device))
    model.train(training)
    return Output(*(part.cpu() for part in found))


def sheet(samples: TrainingSamples, output: Output) -> np.ndarray:
    """The picture as grey values ``[height, width]`` in 0..1."""
    rows = []
    for n in range(len(samples)):
        image, mask = samples.images[n, 0], samples.masks[n, 0] >= 0.5
        features = output.features[n].numpy()
        features = features / max(float(features.max()), 1e-12)
        tiles = [image, output.reconstruction[n, 0].numpy(), np.where(mask, image, 0)]
        tiles += [np.kron(feature, np.ones((4, 4), dtype=np.float32)) for feature in features]
        rows.append(np.concatenate([np.pad(tile, _GAP, constant_values=1.0) for tile in tiles], axis=1))
    return np.clip(np.concatenate(rows), 0.0, 1.0)


def _chosen(samples: TrainingSamples) -> TrainingSamples:
    """Up to :data:`ROWS` samples, first non-response, then response, spread over the cohort."""
    picked: list[int] = []
    for label in (0, 1):
        of_class = np.flatnonzero(samples.labels == label)
        count = min(len(of_class), ROWS // 2)
        picked += of_class[np.linspace(0, len(of_class) - 1, count).round().astype(int)].tolist() if count else []
    return samples.where(np.array(picked, dtype=int))
