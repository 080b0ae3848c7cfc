"""How an image is occluded: size and places of the blocks, what stands in for what they cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...core.errors import InputError

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


@dataclass(frozen=True)
class OcclusionSettings:
    """How an image is occluded.

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
        incremental: compute anew only what a block changes, where the network allows it; the map is the same.

    Raises:
        InputError: a value is not usable.
    """

    block: int | None = None
    stride: int | None = None
    fill: str = MEAN
    seed: int = 0
    other_visit: tuple[tuple[int, int], ...] = ()
    within_mask: bool = False
    coarse: int = 1
    coarse_share: float = 0.25
    incremental: bool = True

    def __post_init__(self) -> None:
        for name in ("block", "stride", "coarse"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"The occlusion's {name} must be at least 1, not {value}.")
        if self.block is not None and self.stride is not None and self.stride > self.block:
            raise InputError(
                f"The occlusion's stride ({self.stride}) must not exceed its block ({self.block}): voxels are missed."
            )
        if self.fill not in FILLS:
            raise InputError(f"The occlusion's fill must be one of {', '.join(FILLS)}; it is {self.fill!r}.")
        if self.fill == OTHER_VISIT and not self.other_visit:
            raise InputError("The fill “other visit” needs an input with two visits; choose mean or noise.")
        if not 0 < self.coarse_share <= 1:
            raise InputError(f"The share looked into must lie above 0 and up to 1; it is {self.coarse_share:g}.")

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

    def box(self, n: Any) -> tuple[Any, ...]:
        """One as an index into ``[*size]``."""
        return tuple(slice(int(a), int(b)) for a, b in zip(self.low[n], self.high[n], strict=True))

    def meeting(self, region: np.ndarray) -> Blocks:
        """Those that have a voxel of a region, bool ``[*size]``, in them."""
        import numpy as np

        return self.of(np.array([region[self.box(n)].any() for n in range(len(self))], dtype=bool))


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
