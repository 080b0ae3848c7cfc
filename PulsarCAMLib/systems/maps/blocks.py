"""How an image is occluded: size and places of the blocks, what stands in for what they cover."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...core.settings import MOST_SEED, Settings, option

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

OCCLUSION_PARTS = 6
"""The occluding block's side is this part of a sample's; it moves by half of its side."""

MEAN, NOISE, OTHER_VISIT, ZERO = "mean", "noise", "other visit", "zero"
FILLS = (MEAN, NOISE, OTHER_VISIT, ZERO)
"""What stands in: each channel's mean; noise with its mean and standard deviation; the same place in the channel of the
other visit; zero, the mean of what was standardised.
"""

FILLS_AS_TYPED = {name.replace(" ", "-"): name for name in FILLS}

OCCLUSION = "occlusion"
"""Name of the method, and of its section of options."""


@dataclass(frozen=True)
class OcclusionSettings(Settings):
    """How an image is occluded; options of the command line and of the panel come from these fields.

    Attributes:
        block: side of the block in voxels; None: a sixth of the image's, along every axis.
        stride: voxels by which it moves; None: half of its side.
        fill: of :data:`FILLS`.
        seed: where the noise begins.
        other_visit: pairs of channels that show the same at two visits; one not named keeps its mean as fill.
        within_mask: only blocks that meet the sample's mask.
        coarse: so many times larger blocks look first, and blocks of the settings' own size only where those found
            most; 1: blocks of the settings' own size everywhere.
        coarse_share: share of the large blocks that are looked into.
        minutes: at most so long for the maps of a sample; what is known then is kept. None: until all is known.
        partial: an interruption ends the occlusion alone, and what is known is kept.
        incremental: compute anew only what a block changes, where the network allows it; the map is the same.

    Raises:
        InputError: a value is not usable.
    """

    who = "the occlusion"
    example = "block 16, fill noise"

    block: int | None = option(
        None, "--occlusion-block", "side of the cube in voxels (a sixth of the image's)", metavar="N",
        section=OCCLUSION, at_least=1,
    )  # fmt: skip
    stride: int | None = option(
        None, "--occlusion-stride", "voxels by which it moves (half of its side)", metavar="N", section=OCCLUSION,
        at_least=1,
    )  # fmt: skip
    fill: str = option(
        MEAN, "--occlusion-fill", "what stands in: the channel's mean, noise like the channel, the other visit, zero",
        section=OCCLUSION, choices=FILLS, words=FILLS_AS_TYPED,
    )  # fmt: skip
    seed: int = option(
        0, "--occlusion-seed", "of the noise", metavar="N", section=OCCLUSION, at_least=0, most_typed=MOST_SEED
    )
    other_visit: tuple[tuple[int, int], ...] = ()
    within_mask: bool = option(
        False, "--occlusion-within", "only cubes that meet what is looked at: the lesion, or the brain",
        section=OCCLUSION,
    )  # fmt: skip
    coarse: int = option(
        1, "--occlusion-coarse", "cubes so many times as large look first, and small ones where these found most",
        metavar="N", section=OCCLUSION, at_least=1, at_most=64,
    )  # fmt: skip
    coarse_share: float = option(
        0.25, "--occlusion-share", "of the large cubes that are looked into", metavar="SHARE", section=OCCLUSION,
        unit="share", above=0, at_most=1,
    )  # fmt: skip
    minutes: float | None = option(
        None, "--occlusion-minutes", "at most so long for each unit, and as long again for the control; what is known "
        "then is kept (no limit)", metavar="MIN", section=OCCLUSION, above=0,
    )  # fmt: skip
    partial: bool = option(
        False, "--occlusion-partial", "Ctrl-C ends the occlusion alone, and what it knows by then is kept",
        section=OCCLUSION,
    )  # fmt: skip
    incremental: bool = option(True, influence=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "other_visit", tuple((one, other) for one, other in self.other_visit))
        super().__post_init__()

    def disagreements(self) -> Iterator[str]:
        """See :class:`~PulsarCAMLib.core.settings.Settings`."""
        if self.block is not None and self.stride is not None and self.stride > self.block:
            yield f"The occlusion's stride ({self.stride}) must not exceed its block ({self.block}): voxels are missed."
        if self.fill == OTHER_VISIT and not self.other_visit:
            yield "The fill “other visit” needs a model that sees the same at two visits; choose mean or noise."

    @property
    def may_end_early(self) -> bool:
        """Whether a map may be of some positions only."""
        return self.partial or self.minutes is not None

    def in_words(self) -> str:
        """What a map was made with, as one sentence."""
        side = "a sixth of the image's side" if self.block is None else f"{self.block} voxels"
        step = "half of that" if self.stride is None else f"{self.stride} voxels"
        fills = {
            MEAN: "each channel's mean",
            NOISE: "noise like the channel",
            ZERO: "zero",
            OTHER_VISIT: "the other visit",
        }
        told = f"Occlusion: cubes of {side} that move by {step}, filled with {fills[self.fill]}"
        told += ", only those that meet what is looked at" if self.within_mask else ""
        if self.coarse > 1:
            told += f", cubes {self.coarse} times as large first and {self.coarse_share:.0%} of them looked into"
        return f"{told}."

    def sides(self, size: Sequence[int], times: int = 1) -> list[int]:
        """The block's side along every axis of an image, enlarged so many times; never longer than the image."""
        sides = [max(1, round(n / OCCLUSION_PARTS)) if self.block is None else self.block for n in size]
        return [min(n, times * side) for n, side in zip(size, sides, strict=True)]


@dataclass(frozen=True, eq=False)
class Blocks:
    """Places of a block.

    Attributes:
        low, high: corners ``[positions, axes]`` in voxels, first and the one after the last.
    """

    low: np.ndarray
    high: np.ndarray

    def __len__(self) -> int:
        return len(self.low)

    def of(self, chosen: np.ndarray) -> Blocks:
        """Some of them, by index or as flags."""
        return Blocks(self.low[chosen], self.high[chosen])

    def evenly(self) -> list[np.ndarray]:
        """Indices in two parts: first as few as cover all that is covered at all, then all others."""
        import numpy as np

        first = np.ones(len(self), dtype=bool)
        for axis in range(self.low.shape[1]) if len(self) else ():
            first &= np.isin(self.low[:, axis], _covering(self.low[:, axis], self.high[:, axis]))
        return [np.flatnonzero(first), np.flatnonzero(~first)]

    def box(self, n: Any) -> tuple[Any, ...]:
        """One as an index into ``[*size]``."""
        return tuple(slice(int(a), int(b)) for a, b in zip(self.low[n], self.high[n], strict=True))

    def meeting(self, region: np.ndarray) -> Blocks:
        """Those that have a voxel of a region, bool ``[*size]``, in them."""
        import numpy as np

        return self.of(np.array([region[self.box(n)].any() for n in range(len(self))], dtype=bool))


def _covering(low: np.ndarray, high: np.ndarray) -> list[int]:
    """Of the places along one axis as few as leave no hole: from each the farthest that still touches it."""
    places = sorted(set(low.tolist()))
    side = int(high[0] - low[0])
    chosen = places[:1]
    while chosen[-1] != places[-1]:
        reached = [place for place in places if chosen[-1] < place <= chosen[-1] + side]
        chosen.append(reached[-1] if reached else min(place for place in places if place > chosen[-1]))
    return chosen


def blocks_of(size: Sequence[int], settings: OcclusionSettings, times: int = 1) -> Blocks:
    """Blocks that cover everything; the last along an axis ends with the image.

    Args:
        size: of the image.
        settings: block and stride.
        times: enlarges the block; enlarged ones do not overlap but for the last.
    """
    import numpy as np

    sides = settings.sides(size, times)
    starts = []
    for n, side in zip(size, sides, strict=True):
        own = settings.stride if settings.stride is not None else max(1, side // 2)
        step = side if times > 1 else min(own, side)
        starts.append(sorted({min(s, n - side) for s in range(0, n - side + step, step)}))
    low = np.stack(np.meshgrid(*starts, indexing="ij"), -1).reshape(-1, len(sides))
    return Blocks(low, low + np.array(sides))


def filled(image: Tensor, settings: OcclusionSettings) -> Tensor:
    """What stands in for an image ``[1, channels, *size]`` where a block covers it, in the same shape."""
    import torch

    axes = tuple(range(2, image.ndim))
    mean = image.mean(dim=axes, keepdim=True)
    if settings.fill == ZERO:
        return torch.zeros_like(image)
    if settings.fill == NOISE:
        drawn = torch.randn(image.shape, generator=torch.Generator().manual_seed(settings.seed), dtype=image.dtype)
        return mean + image.std(dim=axes, keepdim=True, correction=0) * drawn.to(image.device)
    found = mean.expand_as(image).clone()
    if settings.fill == OTHER_VISIT:
        for one, other in settings.other_visit:
            found[:, one], found[:, other] = image[:, other], image[:, one]
    return found
