"""A training step of both 3D networks against a plain MONAI and PyTorch loop, two threads each; and the prepared cache.

    python Testing/Benchmarks/volumes.py [--turns 2] [--network resnet18] [--size 96]

The contestants take turns on one epoch of a few samples. Wall time is what a user waits; processor time, summed over
threads, holds on a machine that is busy with other things. The plain loop is what one would write first: MONAI's
network in its default layout, one autograd pass per batch. Not a test.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
THREADS = 2
torch.set_num_threads(THREADS)

from machine import describe  # noqa: E402

from PulsarCAMLib.systems.contract import System  # noqa: E402
from PulsarCAMLib.systems.learning.augmentation import augment, generator_of  # noqa: E402
from PulsarCAMLib.systems.learning.learner import TrainingSamples  # noqa: E402
from PulsarCAMLib.systems.rano.preprocessing import RanoPreprocessing  # noqa: E402
from PulsarCAMLib.systems.rano.system import RANO  # noqa: E402
from PulsarCAMLib.systems.ricenet.preprocessing import RicePreprocessing  # noqa: E402
from PulsarCAMLib.systems.ricenet.system import RICE_NET  # noqa: E402
from PulsarCAMLib.training.engine import Engine, own_random_numbers  # noqa: E402

BATCH, SAMPLES = 2, 2


def networks(size: int | None) -> dict[str, tuple[System, object, Callable[[], torch.nn.Module]]]:
    """Name to system, preprocessing of the size that counts, and MONAI's own network."""
    from monai.networks.nets import DenseNet264, resnet18

    rice, rano = (size or n for n in (96, 64))
    return {
        "resnet18": (
            RICE_NET,
            RicePreprocessing(size=(rice,) * 3),
            lambda: resnet18(spatial_dims=3, n_input_channels=3, num_classes=2),
        ),
        "densenet264": (
            RANO,
            RanoPreprocessing(size=(rano,) * 3),
            lambda: DenseNet264(spatial_dims=3, in_channels=6, out_channels=4),
        ),
    }


def made_up(system: System, preprocessing, channels: int) -> TrainingSamples:
    """What is on the volumes does not change the time."""
    images = np.random.default_rng(0).normal(size=(SAMPLES, channels, *preprocessing.size)).astype(np.float32)
    labels = np.arange(SAMPLES) % 2
    names = np.arange(SAMPLES).astype(str)
    return TrainingSamples(images, np.ones_like(images[:, :1], dtype=bool), labels, names, names, np.zeros(SAMPLES))


def plain_epoch(make: Callable[[], torch.nn.Module], samples: TrainingSamples) -> Callable[[], object]:
    """Without any of the engine's means."""
    model = make().train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
    images, labels = torch.from_numpy(samples.images), torch.from_numpy(samples.labels)

    def epoch() -> None:
        for index in torch.randperm(len(labels)).split(BATCH):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(model(images[index]), labels[index]).backward()
            optimiser.step()

    return epoch


def our_epoch(system: System, settings, samples: TrainingSamples) -> Callable[[], object]:
    """One epoch of the engine."""
    engine = Engine(settings, samples, None)

    def epoch() -> None:
        engine._one_epoch()

    return epoch


def take_turns(contestants: dict[str, Callable[[], object]], turns: int) -> dict[str, tuple[float, float]]:
    """Best seconds on the clock and of the processor, after one turn that does not count."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    for turn in range(turns + 1):
        for name, work in contestants.items():
            clock, processor = time.perf_counter(), time.process_time()
            work()
            if turn:
                found[name].append((time.perf_counter() - clock, time.process_time() - processor))
    return {name: (min(c for c, _ in each), min(p for _, p in each)) for name, each in found.items()}


def prepared_case() -> dict[str, float]:
    """Processor seconds of preparing one made-up patient: registered and cut, and the same from the prepared cache."""
    from PulsarCAMLib.core.case import Case, Image
    from PulsarCAMLib.systems.ricenet.recipe import RiceCohort
    from PulsarCAMLib.systems.ricenet.synthetic import draw_patient, images_of

    recipe = RiceCohort(voxels=64, spacing_mm=2.6, misregistration=1)
    images = images_of(draw_patient(recipe, 0), recipe, 0)
    case = Case({role.name: Image(*images[role.name]) for role in RICE_NET.inputs}, reference=RICE_NET.inputs[0].name)
    preprocessing = RicePreprocessing(brain="none", size=(96,) * 3, spacing=(1.8,) * 3)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, kept in (("without the cache", ""), ("first, into the cache", folder), ("from the cache", folder)):
            os.environ["PULSARCAM_CACHE"] = kept
            began = time.process_time()
            RICE_NET.prepare(case, preprocessing, lambda *_: None)
            found[name] = time.process_time() - began
    os.environ.pop("PULSARCAM_CACHE")
    return found


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=2, help="of each contestant (%(default)s)")
    parser.add_argument("--network", choices=("resnet18", "densenet264"), action="append", help="only this one")
    parser.add_argument("--size", type=int, help="voxels along each side (96 and 64)")
    options = parser.parse_args()
    facts = describe()
    print(f"{facts['processor']}, {THREADS} threads, load {facts['load_at_start']}, torch {torch.__version__}")
    if not options.network:
        print("\none patient of 64 x 64 x 64 voxels, registered in a halfway space and cut to 96 x 96 x 96")
        for name, spent in prepared_case().items():
            print(f"  {name:<26}processor {spent:6.2f} s", flush=True)
    for name, (system, preprocessing, make) in networks(options.size).items():
        if options.network and name not in options.network:
            continue
        channels = len(system.channels(preprocessing))
        samples = made_up(system, preprocessing, channels)
        own = {"epochs": 10_000, "batch_size": BATCH, "device": "cpu", "threads": THREADS, "imbalance": "none"}
        own |= {"sampler": "shuffle", "schedule": "constant", "optimiser": "adamw", "preprocessing": preprocessing}
        plain = system.training_settings(**own)
        idle = type(plain.augmentation)(**{f: 0.0 for f in vars(plain.augmentation) if f.endswith("_chance")})
        plain = replace(plain, augmentation=idle)
        with own_random_numbers(plain):
            contestants = {
                "plain MONAI and PyTorch": plain_epoch(make, samples),
                "engine": our_epoch(system, plain, samples),
                "engine, channels last": our_epoch(system, replace(plain, channels_last=True), samples),
            }
            found = take_turns(contestants, options.turns)
        print(f"\n{name}, {channels} x {'x'.join(map(str, preprocessing.size))}, batches of {BATCH}")
        clock, processor = found["plain MONAI and PyTorch"]
        for who, (seconds, spent) in found.items():
            print(f"  {who:<26}{seconds / SAMPLES:7.2f} s a sample, {clock / seconds:5.2f} times as fast; "
                  f"processor {spent / SAMPLES:6.2f} s, {processor / spent:5.2f} times", flush=True)  # fmt: skip
        changes = system.training_settings(preprocessing=preprocessing).augmentation
        images, masks = (torch.from_numpy(each) for each in (samples.images, samples.masks))
        began = time.process_time()
        augment(images, masks, changes, [generator_of(0, 1, n) for n in range(SAMPLES)])
        print(f"  augmentation of the recipe: processor {(time.process_time() - began) / SAMPLES:.2f} s a sample")
    return 0


if __name__ == "__main__":
    sys.exit(main())
