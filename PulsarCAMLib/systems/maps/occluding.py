"""Asks a network what it answers where blocks cover the image: exactly, and where it can be, in part."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...core.errors import Cancelled
from .blocks import Blocks, OcclusionSettings, blocks_of, filled

if TYPE_CHECKING:
    from torch import Tensor

    from .incremental.network import IncrementalNetwork

PLAIN_AT_ONCE = 4
"""Images that go through a network together in plain passes."""

TRUSTED_WITHIN = 1e-3
"""Part of the answers' size by which passes in part may differ from a plain one (rounding); else none is used."""


@dataclass(frozen=True)
class OcclusionCost:
    """What an occlusion map costs, before it starts.

    Attributes:
        positions: blocks that are put somewhere, over all maps.
        passes: of the whole image that take as long.
        seconds: on this machine, from one pass that was measured.
        kept_bytes: memory that kept layers take.
    """

    positions: int
    passes: float
    seconds: float
    kept_bytes: int

    def in_words(self) -> str:
        """One sentence."""
        return (
            f"Occlusion asks about {self.positions} positions, which takes as long as about {self.passes:.0f} passes "
            f"of the whole image, {self.seconds:.0f} seconds here, and {self.kept_bytes / 1e6:.0f} MB of memory."
        )


class Occluder:
    """One network and one image, asked about many blocks.

    Attributes:
        logits: ``[classes]`` of the image as it is.
        plain_because: why every position takes a whole pass, as a sentence; empty: it does not.
        seconds_a_pass: of a plain pass, measured.
    """

    def __init__(self, answer: Callable[[Tensor], Tensor], image: Tensor, incremental: bool = True) -> None:
        """Read the network and keep its layers for the image.

        Args:
            answer: logits ``[n, classes]`` of images ``[n, channels, *size]``.
            image: ``[1, channels, *size]``.
            incremental: whether to compute in part at all.
        """
        import torch

        self._answer, self.image = answer, image
        with torch.inference_mode():
            began = time.perf_counter()
            self.logits = answer(image)[0]
            self.seconds_a_pass = time.perf_counter() - began
        self._network: IncrementalNetwork | None = None
        self.plain_because = "" if incremental else "Plain passes were asked for."
        if incremental:
            self._read()

    def _read(self) -> None:
        from .incremental.network import IncrementalNetwork
        from .incremental.recording import NotIncrementalError

        try:
            network = IncrementalNetwork(self._answer, self.image)
        except NotIncrementalError as error:
            self.plain_because = f"{str(error)[:-1]}; every position takes a whole pass."
            return
        if self._differs(network):
            self.plain_because = (
                "The network answers differently in part than whole; every position takes a whole pass."
            )
            return
        self._network = network

    def _differs(self, network: IncrementalNetwork) -> bool:
        """Whether the image itself, or a change in its middle, is answered otherwise than by a plain pass."""
        size = np.array(self.image.shape[2:])
        one = Blocks((size // 3)[None], (size // 3 + np.maximum(size // 6, 1))[None])
        difference = 1 - self.image
        ((_, found),) = network.changed(one.low, one.high, difference)
        ((_, wanted),) = self._plainly(one, difference)
        limit = TRUSTED_WITHIN * (1 + self.logits.abs().max())
        return bool((found - wanted).abs().max() > limit or (network.logits - self.logits).abs().max() > limit)

    def changed(self, blocks: Blocks, difference: Tensor) -> Iterator[tuple[np.ndarray, Tensor]]:
        """Indices of blocks and logits ``[n, classes]`` with the difference ``[1, channels, *size]`` in them only."""
        if self._network is None:
            return self._plainly(blocks, difference)
        return self._network.changed(blocks.low, blocks.high, difference)

    def _plainly(self, blocks: Blocks, difference: Tensor) -> Iterator[tuple[np.ndarray, Tensor]]:
        import torch

        for chosen in np.array_split(np.arange(len(blocks)), -(-len(blocks) // PLAIN_AT_ONCE)):
            images = self.image.repeat(len(chosen), *[1] * (self.image.ndim - 1))
            for image, n in zip(images, chosen, strict=True):
                image[(slice(None), *blocks.box(n))] += difference[(0, slice(None), *blocks.box(n))]
            with torch.inference_mode():
                yield chosen, self._answer(images)

    def cost(self, blocks: Blocks, maps: int = 1) -> OcclusionCost:
        """Of asking about blocks, for so many maps."""
        positions, share, kept = maps * len(blocks), 1.0, 0
        if self._network is not None and len(blocks):
            counted = self._network.counted(blocks.low, blocks.high)
            share, kept = counted.changed / max(counted.whole, 1.0), self._network.kept_bytes
        return OcclusionCost(positions, share * positions, share * positions * self.seconds_a_pass, kept)


class Ending:
    """When a map is to be ended early, and what was left out then.

    Attributes:
        keeps: whether an interruption ends the map alone.
        stopped: whether there was one.
        asked, left: positions that were asked about, and that were not.
    """

    def __init__(self, keeps: bool = False) -> None:
        self.keeps, self.stopped, self.asked, self.left = keeps, False, 0, 0
        self._until: float | None = None

    def give(self, seconds: float | None) -> None:
        """So long from now on; None: as long as it takes."""
        self._until = None if seconds is None else time.perf_counter() + seconds

    @property
    def over(self) -> bool:
        """Whether to ask no more."""
        return self.stopped or (self._until is not None and time.perf_counter() >= self._until)


class OcclusionRun:
    """Falls of the logits at all positions, as far as they are known: an interrupted run keeps what it has.

    Attributes:
        falls: ``[positions, classes]``, NaN where a position was not asked about yet.
    """

    def __init__(
        self, occluder: Occluder, blocks: Blocks, fill: Tensor, channels: tuple[int, ...] | None = None
    ) -> None:
        """Nothing is computed yet.

        Args:
            occluder: network and image.
            blocks: where.
            fill: what stands in, shaped as the image.
            channels: that are covered; None: all.
        """
        import torch

        difference = fill - occluder.image
        if channels is not None:
            kept = torch.zeros(difference.shape[1], dtype=torch.bool)
            kept[list(channels)] = True
            difference = difference * kept.reshape(1, -1, *[1] * (difference.ndim - 2)).to(difference)
        self.occluder, self.blocks, self._difference = occluder, blocks, difference
        self.falls = np.full((len(blocks), len(occluder.logits)), np.nan)

    @property
    def done(self) -> np.ndarray:
        """Which positions are known, bool ``[positions]``."""
        return ~np.isnan(self.falls).all(axis=1)

    def go(self, tell: Callable[[float], None] | None = None, ending: Ending | None = None) -> None:
        """Ask about what is not known yet.

        Args:
            tell: is told the fraction done, often; an error that it raises ends the work, and what is known stays.
            ending: ends it early, when positions that cover everything are asked first.
        """
        left = np.flatnonzero(~self.done)
        waves = [left] if ending is None else [np.intersect1d(wave, left) for wave in self.blocks.evenly()]
        try:
            for wave in waves:
                self._ask(wave, tell, ending)
        except (Cancelled, KeyboardInterrupt):
            if ending is None or not ending.keeps:
                raise
            ending.stopped = True
        if ending is not None:
            ending.asked += int(self.done.sum())
            ending.left += int((~self.done).sum())

    def _ask(self, left: np.ndarray, tell: Callable[[float], None] | None, ending: Ending | None) -> None:
        if not len(left) or (ending is not None and ending.over):
            return
        known = int(self.done.sum())
        for positions, logits in self.occluder.changed(self.blocks.of(left), self._difference):
            self.falls[left[positions]] = (self.occluder.logits - logits).double().cpu().numpy()
            known += len(positions)
            if tell:
                tell(known / len(self.falls))
            if ending is not None and ending.over:
                return

    def maps(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean fall ``[classes, *size]`` over the known blocks that cover a voxel, 0 where none does; their number."""
        size = tuple(self.occluder.image.shape[2:])
        total, times = np.zeros((self.falls.shape[1], *size)), np.zeros(size)
        for n in np.flatnonzero(self.done):
            box = self.blocks.box(n)
            total[(slice(None), *box)] += self.falls[n].reshape(-1, *[1] * len(size))
            times[box] += 1
        return total / np.maximum(times, 1), times


def occluded(
    occluder: Occluder,
    settings: OcclusionSettings,
    channels: tuple[int, ...] | None = None,
    region: np.ndarray | None = None,
    tell: Callable[[float], None] | None = None,
    ending: Ending | None = None,
) -> np.ndarray:
    """Mean fall of every class's logit, ``[classes, *size]``; signed.

    Args:
        occluder: network and image.
        settings: how.
        channels: that are covered; None: all.
        region: bool ``[*size]``: only blocks that meet it; voxels that no such block covers are 0.
        tell: is told the fraction done; an error that it raises ends the work.
        ending: ends it early; voxels that no known block covers are 0.
    """
    size = tuple(occluder.image.shape[2:])
    fill = filled(occluder.image, settings)
    if settings.coarse == 1:
        run = OcclusionRun(occluder, _within(blocks_of(size, settings), region), fill, channels)
        run.go(tell, ending)
        return run.maps()[0]
    first = OcclusionRun(occluder, _within(blocks_of(size, settings, settings.coarse), region), fill, channels)
    first.go(tell and (lambda done: tell(done / 2)), ending)
    fine = OcclusionRun(occluder, _looked_into(first, settings, region), fill, channels)
    fine.go(tell and (lambda done: tell(0.5 + done / 2)), ending)
    (coarse, _), (values, times) = first.maps(), fine.maps()
    return np.where(times > 0, values, coarse)


def positions_asked(
    occluder: Occluder, settings: OcclusionSettings, region: np.ndarray | None = None, maps: int = 1
) -> OcclusionCost:
    """What maps cost before anything is asked; of coarse to fine the most that may be looked into."""
    size = tuple(occluder.image.shape[2:])
    fine = occluder.cost(_within(blocks_of(size, settings), region), maps)
    if settings.coarse == 1:
        return fine
    first = occluder.cost(_within(blocks_of(size, settings, settings.coarse), region), maps)
    share = settings.coarse_share
    positions = first.positions + round(share * fine.positions)
    own = (first.passes + share * fine.passes, first.seconds + share * fine.seconds)
    return OcclusionCost(positions, *own, max(first.kept_bytes, fine.kept_bytes))


def _within(blocks: Blocks, region: np.ndarray | None) -> Blocks:
    return blocks if region is None else blocks.meeting(region)


def _looked_into(first: OcclusionRun, settings: OcclusionSettings, region: np.ndarray | None) -> Blocks:
    """Blocks of the settings' own size that lie within the large ones that changed most."""
    size = tuple(first.occluder.image.shape[2:])
    strength = np.abs(np.nan_to_num(first.falls)).max(axis=1)
    most = np.argsort(-strength, kind="stable")[: -(-int(len(strength) * settings.coarse_share * 1000) // 1000) or 1]
    chosen = np.zeros(size, dtype=bool)
    for n in most:
        chosen[first.blocks.box(n)] = True
    blocks = _within(blocks_of(size, settings), region)
    inside = [chosen[blocks.box(n)].all() for n in range(len(blocks))]
    return blocks.of(np.array(inside, dtype=bool))
