"""(e) Occlusion maps in 3D: passes in part against MONAI's OcclusionSensitivity and the best plain loop, one thread.

Run by itself, or as the part ``occlusion`` of ``make bench``. A full map takes plain passes an hour and more, so
MONAI is timed at some positions only (their number is printed) and ours at batches drawn from those of the full map;
``--full`` times all of ours. The bound is the share of the multiply-adds that lie where a block changes something,
layer by layer, times a plain pass. Times are processor seconds of one thread, so that others at work count less.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from measuring import Row, Times
from torch import Tensor, nn

from PulsarCAMLib.systems.maps.blocks import Blocks, OcclusionSettings, blocks_of, filled
from PulsarCAMLib.systems.maps.incremental.network import IncrementalNetwork

SETTINGS = OcclusionSettings(block=16, stride=8, fill="zero")
FIRST = 24
"""MONAI is asked about blocks from this voxel on, which lie in the middle: where a block changes most."""

PEAK_SIZES = (64, 96, 128)


def resnet(channels: int = 3) -> nn.Module:
    """MONAI's ResNet-18 as RICE-Net uses it, with running means as after a training."""
    from monai.networks.nets import resnet18

    return _settled(resnet18(spatial_dims=3, n_input_channels=channels, num_classes=2))


def densenet(channels: int) -> nn.Module:
    """MONAI's DenseNet264 as the RANO system uses it."""
    from monai.networks.nets import DenseNet264

    return _settled(DenseNet264(spatial_dims=3, in_channels=channels, out_channels=4))


def _settled(network: nn.Module) -> nn.Module:
    drawn = torch.Generator().manual_seed(0)
    for each in network.modules():
        if isinstance(each, nn.BatchNorm3d):
            each.running_mean.normal_(0, 0.1, generator=drawn)
            each.running_var.uniform_(0.5, 1.5, generator=drawn)
    return network.eval()


def image_of(channels: int, side: int) -> Tensor:
    """Noise."""
    drawn = torch.Generator().manual_seed(1)
    return torch.randn((1, channels, side, side, side), generator=drawn)


def plain_passes(network: nn.Module, image: Tensor, batches: tuple[int, ...]) -> dict[str, Callable[[], object]]:
    """Ways of a plain loop: in each layout, and so many images at once."""
    found: dict[str, Callable[[], object]] = {}
    for layout in (torch.contiguous_format, torch.channels_last_3d):
        name = "channels last" if layout == torch.channels_last_3d else "as it is"
        one = image.contiguous(memory_format=layout)
        for n in batches:
            many = one.repeat(n, 1, 1, 1, 1).contiguous(memory_format=layout)
            found[f"{n} at once, {name}"] = lambda many=many, layout=layout: _pass(network, many, layout)
    return found


def _pass(network: nn.Module, images: Tensor, layout: torch.memory_format) -> Tensor:
    """One pass; weights are laid out before, at the first call of a layout."""
    with torch.inference_mode():
        return network.to(memory_format=layout)(images)


def drawn_batches(engine: IncrementalNetwork, blocks: Blocks, count: int) -> np.ndarray:
    """Positions of so many of the batches in which a full map is computed."""
    batches = engine.batches(blocks.low, blocks.high)
    chosen = np.random.default_rng(0).choice(len(batches), min(count, len(batches)), replace=False)
    return np.concatenate([batches[n] for n in chosen])


def turns_of(contestants: Mapping[str, Callable[[], object]], turns: int) -> dict[str, Times]:
    """Processor seconds of every contestant, one after the other in each turn."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(turns):
        for name, work in contestants.items():
            start = time.process_time()
            work()
            found[name].append(time.process_time() - start)
    return {name: Times(tuple(values)) for name, values in found.items()}


def best_plain(network: nn.Module, image: Tensor, batches: tuple[int, ...], turns: int) -> str:
    """The fastest way of a plain loop."""
    times = turns_of(plain_passes(network, image, batches), turns)
    return min(times, key=lambda name: times[name].best / int(name.split()[0]))


def rows(quick: bool = False, full: bool = False) -> Iterator[Row]:
    """All figures."""
    yield from _of_network("ResNet-18, 3 channels, 96 cubed", resnet(), image_of(3, 96), quick, full, monai=True)
    for channels in (2, 6):
        name = f"DenseNet264, {channels} channels, 64 cubed"
        yield from _of_network(name, densenet(channels), image_of(channels, 64), quick, full, monai=False)
    for side in PEAK_SIZES[: 2 if quick else None]:
        for what in ("plain", "part"):
            words = "a plain pass" if what == "plain" else "passes in part"
            yield Row("(e) peak memory of occlusion, ResNet-18", f"{side} cubed, {words}", _peak(side, what), "GB")


def _of_network(name: str, network: nn.Module, image: Tensor, quick: bool, full: bool, monai: bool) -> Iterator[Row]:
    group = f"(e) occlusion, one thread: {name}, block 16, stride 8"
    blocks, fill = blocks_of(image.shape[2:], SETTINGS), filled(image, SETTINGS)
    batches = ((1,) if quick else (1, 2)) if monai else (1, 4, 8)
    way = best_plain(network, image, batches, 1 if quick and monai else 2)
    began = time.process_time()
    engine = IncrementalNetwork(network, image)
    reading = time.process_time() - began
    counted = engine.counted(blocks.low, blocks.high)
    sample = (
        np.arange(len(blocks)) if full else drawn_batches(engine, blocks, (6 if quick else 24) * (1 if monai else 2))
    )
    some = blocks.of(sample)
    contestants: dict[str, Callable[[], object]] = {
        "plain": plain_passes(network, image, (int(way.split()[0]),))[way],
        "ours": lambda: list(engine.changed(some.low, some.high, fill - image)),
    }
    kept: list[Tensor] = []
    box = (2, 1, 1) if quick else (2, 2, 2)
    if monai:
        contestants["MONAI"] = lambda: kept.append(_by_monai(network, image, box))
    times = turns_of(contestants, 1 if quick or full else 2)
    plain, ours = _each(times["plain"], int(way.split()[0])), _each(times["ours"], len(some))
    about = f"{len(some)} of {len(blocks)} positions timed"
    yield Row(group, "a plain pass", plain, "s", "", f"the best way: {way}; {counted.whole / 1e9:.1f} G multiply-adds")
    yield Row(group, "a position in part", ours, "s", "", f"{about}; reading the network once: {reading:.1f} s")
    share = counted.changed / counted.whole
    yield Row(group, "bound: whole over changed multiply-adds", 1 / share, "times", "", f"{share:.1%} changes")
    yield Row(group, "faster than the best plain loop", plain / ours, "times", ">= 4" if monai else "", about)
    part = engine.counted(some.low, some.high).changed / counted.whole
    yield Row(
        group, "time over the bound's time", ours / (plain * part), "", "<= 1.5" if monai else "", "same positions"
    )
    yield Row(group, "a whole map of all inputs", ours * len(blocks) / 60, "min", "", f"{len(blocks)} positions")
    yield Row(group, "kept layers", engine.kept_bytes / 1e6, "MB")
    if monai:
        asked = int(np.prod(box))
        each = _each(times["MONAI"], asked)
        yield Row(group, "faster than MONAI", each / ours, "times", ">= 8", f"MONAI timed at {asked} positions, scaled")
        difference, size = _difference(engine, image, kept[-1], box)
        note = f"{asked} positions; largest logit {size:.2f}"
        yield Row(group, "largest difference to MONAI's map x 1e5", difference * 1e5, "", "<= 1", note)


def _each(times: Times, positions: int) -> float:
    return times.best / positions


def _by_monai(network: nn.Module, image: Tensor, box: tuple[int, ...]) -> Tensor:
    """MONAI's map of logits ``[classes, *size]`` within a box of so many positions along every axis."""
    from monai.visualize import OcclusionSensitivity

    corners = [n for count in box for n in _asked(count)]
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        asked = OcclusionSensitivity(
            network.to(memory_format=torch.contiguous_format),
            mask_size=16,
            n_batch=1,
            verbose=False,
            mode=0.0,
            overlap=0.5,
            activate=False,
        )
        return torch.as_tensor(asked(image, b_box=corners)[0][0])


def _asked(count: int) -> tuple[int, int]:
    """Voxels that MONAI is asked about for so many positions; it adds half a block on each side."""
    return FIRST + 7, FIRST + 16 + 8 * (count - 1) - 7


def _difference(engine: IncrementalNetwork, image: Tensor, monai: Tensor, box: tuple[int, ...]) -> tuple[float, float]:
    """Largest difference of the two maps where MONAI has one; the largest logit."""
    blocks = blocks_of(image.shape[2:], SETTINGS)
    last = FIRST + 8 * (np.array(box) - 1)
    blocks = blocks.of(((blocks.low >= FIRST) & (blocks.low <= last)).all(axis=1))
    total, times = torch.zeros(len(engine.logits), *image.shape[2:]), torch.zeros(image.shape[2:])
    for positions, logits in engine.changed(blocks.low, blocks.high, -image):
        for n, each in zip(positions, logits, strict=True):
            total[(slice(None), *blocks.box(n))] += each[:, None, None, None]
            times[blocks.box(n)] += 1
    inside = tuple(slice(*_asked(count)) for count in box)
    ours = total[(slice(None), *inside)] / times[inside]
    return float((ours - monai).abs().max()), float(engine.logits.abs().max())


def _peak(side: int, what: str) -> float:
    """Gigabytes that a process of its own takes at most beyond what it has before."""
    done = subprocess.run(
        [sys.executable, __file__, "--peak", what, "--side", str(side)], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def _print_peak(side: int, what: str) -> None:
    import psutil

    network, image = resnet().to(memory_format=torch.channels_last_3d), image_of(3, side)
    network(torch.zeros(1, 3, 16, 16, 16))
    process, found, finished = psutil.Process(), [psutil.Process().memory_info().rss], threading.Event()

    def look() -> None:
        while not finished.wait(0.005):
            found.append(process.memory_info().rss)

    looking = threading.Thread(target=look)
    looking.start()
    if what == "plain":
        with torch.inference_mode():
            network(image.contiguous(memory_format=torch.channels_last_3d))
    else:
        engine = IncrementalNetwork(network, image)
        blocks = blocks_of(image.shape[2:], SETTINGS)
        some = blocks.of(drawn_batches(engine, blocks, 4))
        list(engine.changed(some.low, some.high, -image))
    finished.set()
    looking.join()
    print((max(found) - found[0]) / 1e9)


def main() -> int:
    """The command line."""
    from machine import describe
    from printing import print_end, print_head, print_rows

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer positions and turns; figures are rougher")
    parser.add_argument("--full", action="store_true", help="time all positions of ours, not a sample")
    parser.add_argument("--peak", choices=("plain", "part"), help=argparse.SUPPRESS)
    parser.add_argument("--side", type=int, default=96, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.peak:
        _print_peak(options.side, options.peak)
        return 0
    began, found = time.time(), []
    print_head("Occlusion", describe(), "Times are processor seconds; what is compared takes turns, the best counts.")
    print_rows(rows(options.quick, options.full), found)
    print_end(found, time.time() - began)
    return 0


if __name__ == "__main__":
    sys.exit(main())
