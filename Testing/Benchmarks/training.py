"""One training of 69 lesions and their rotations: the engine against a plain PyTorch loop, one thread each.

    python Testing/Benchmarks/training.py [--epochs 3] [--turns 3] [--whole]

The contestants take turns on a shortened run (the epochs are alike, so that the ratio holds for 150); ``--whole``
also times one full trial with its checkpoints. The plain loop is what one would write first: default memory layout,
``DataLoader``, one autograd pass per batch. Not a test: times depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
torch.set_num_threads(1)

from measuring import ratio, take_turns  # noqa: E402

from PulsarCAMLib.systems.autoencoder.learning.losses import joint_loss  # noqa: E402
from PulsarCAMLib.systems.autoencoder.learning.settings import TrainingSettings  # noqa: E402
from PulsarCAMLib.systems.autoencoder.model.network import AutoencoderClassifier  # noqa: E402
from PulsarCAMLib.training.loop import train_member  # noqa: E402
from PulsarCAMLib.training.trial import train_trial  # noqa: E402
from PulsarCAMLib.training.units.samples import TrainingSamples  # noqa: E402

LESIONS, COPIES = 69, 6
PAPER_EPOCHS = 150


def made_up_samples() -> TrainingSamples:
    """As many samples as the paper's 69 lesions give; what is on them does not change the time."""
    rng = np.random.default_rng(0)
    count = LESIONS * COPIES
    images = rng.random((count, 1, 64, 64), dtype=np.float32)
    rows, columns = np.mgrid[:64, :64]
    radii = np.repeat(rng.uniform(4, 18, LESIONS), COPIES)[:, None, None]
    masks = (np.hypot(rows - 32, columns - 32)[None] < radii)[:, None]
    numbers = np.repeat(np.arange(LESIONS), COPIES)
    names = numbers.astype(str)
    return TrainingSamples(images, masks, numbers % 2, names, names, np.tile(np.arange(COPIES) * 15.0, LESIONS))


def plain_loop(samples: TrainingSamples, settings: TrainingSettings) -> AutoencoderClassifier:
    """Without any of the engine's means."""
    torch.manual_seed(settings.seed)
    model = AutoencoderClassifier(settings.architecture).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    arrays = (samples.images, samples.masks, samples.labels.astype(np.float32))
    data = torch.utils.data.TensorDataset(*map(torch.from_numpy, arrays))
    for _ in range(settings.epochs):
        for images, masks, labels in torch.utils.data.DataLoader(data, settings.batch_size, shuffle=True):
            optimiser.zero_grad()
            joint_loss(model(images, masks), images, labels, settings.loss).total.backward()
            optimiser.step()
    return model


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3, help="of the shortened run (%(default)s)")
    parser.add_argument("--turns", type=int, default=3, help="of each contestant (%(default)s)")
    parser.add_argument("--whole", action="store_true", help="also time one trial of 150 epochs, and its data hashing")
    options = parser.parse_args()
    samples, settings = made_up_samples(), TrainingSettings(epochs=options.epochs, device="cpu")
    few = replace(settings, architecture=replace(settings.architecture, filters=8))
    contestants = {
        "plain loop, default layout, DataLoader": lambda: plain_loop(samples, settings),
        "engine, micro_batch=0 (channels last, one pass)": lambda: train_member(
            samples, None, replace(settings, micro_batch=0)
        ),
        "engine": lambda: train_member(samples, None, settings),
        "engine, 8 filters": lambda: train_member(samples, None, few),
    }
    found = take_turns(contestants, options.turns, seconds=600)
    plain = next(iter(found.values()))
    print(f"{len(samples)} samples x {options.epochs} epochs, one thread, torch {torch.__version__}\n")
    for name, times in found.items():
        gain, note = ratio(plain, times)
        print(
            f"{name:<50}{times.best / options.epochs:7.3f} s an epoch, {gain:5.2f} times as fast ({note})", flush=True
        )
    if options.whole:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            train_trial(samples, replace(settings, epochs=PAPER_EPOCHS), Path(folder) / "trial")
            print(f"\none trial of {PAPER_EPOCHS} epochs in its folder: {time.perf_counter() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
