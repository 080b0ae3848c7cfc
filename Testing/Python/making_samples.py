"""Training samples made on the spot."""

import numpy as np

from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.training.units.samples import TrainingSamples

SMALL = Architecture(filters=4)


def stripes(count=48, seed=0):
    """Lesions with stripes (class 0) or without (class 1)."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = 0.5 + 0.05 * rng.standard_normal((count, 1, 64, 64))
    images[labels == 0, :, 20:44, 20:44:2] += 0.4
    masks = np.zeros(images.shape, dtype=bool)
    masks[:, :, 16:48, 16:48] = True
    names = np.array([f"P{n}" for n in range(count)])
    clipped = np.clip(images, 0, 1).astype(np.float32)
    return TrainingSamples(clipped, masks, labels, names, np.full(count, "A"), np.zeros(count))
