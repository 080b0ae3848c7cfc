"""Which cells of a layer a change reaches, and cutting and pasting parts of layers; whole numbers along every axis.

Corners are arrays ``[positions, axes]``: the first cell, and the one after the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Reach:
    """Cells that changes of several positions lie in.

    Attributes:
        low, high: ``[positions, axes]``, first cell and the one after the last.
    """

    low: np.ndarray
    high: np.ndarray

    def of(self, positions: np.ndarray) -> Reach:
        """Only some positions."""
        return Reach(self.low[positions], self.high[positions])

    def as_one_shape(self, size: Sequence[int]) -> Reach:
        """The same, each box enlarged within the layer until all have the same sides."""
        sides = (self.high - self.low).max(axis=0)
        low = np.minimum(self.low, np.array(size) - sides)
        return Reach(low, low + sides)

    def sizes(self) -> np.ndarray:
        """Number of cells ``[positions]``."""
        return (self.high - self.low).prod(axis=1)


@dataclass(frozen=True)
class Sliding:
    """A window that slides over a layer: of a convolution or a pooling; one number for every axis.

    Attributes:
        kernel: cells of the window.
        stride: by which it moves.
        padding: cells before the layer's first at which it begins.
        dilation: distance of the cells that it sees.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]

    def reached(self, reach: Reach, size: Sequence[int]) -> Reach:
        """Output cells whose window sees a change; one cell where none does.

        Args:
            reach: of the changes in the layer below.
            size: of the output.
        """
        stride, padding = np.array(self.stride), np.array(self.padding)
        extent = (np.array(self.kernel) - 1) * self.dilation
        low = -((extent - reach.low - padding) // stride)
        high = np.minimum((reach.high - 1 + padding) // stride + 1, size)
        low = np.clip(low, 0, np.array(size) - 1)
        return Reach(low, np.maximum(high, low + 1))

    def seen(self, reach: Reach) -> Reach:
        """Cells of the layer below, beyond its edges too, that output cells see."""
        low = reach.low * self.stride - np.array(self.padding)
        last = (reach.high - 1) * self.stride - np.array(self.padding)
        return Reach(low, last + (np.array(self.kernel) - 1) * self.dilation + 1)


def hull(reaches: Sequence[Reach]) -> Reach:
    """The smallest box around several."""
    return Reach(np.min([each.low for each in reaches], axis=0), np.max([each.high for each in reaches], axis=0))


def cells(low: Any, high: Any) -> tuple[Any, ...]:
    """Index of a box in ``[channels, *size]``."""
    return (slice(None), *(slice(int(a), int(b)) for a, b in zip(low, high, strict=True)))


def lie_alike(inner: Reach, outer: Reach) -> bool:
    """Whether boxes of one shape lie to others the same way for all positions."""
    apart = inner.low - outer.low
    return bool((apart == apart[0]).all())


def lie_within(inner: Reach, outer: Reach) -> bool:
    """Whether, besides, none sticks out: a box that was enlarged may, with zeros."""
    return lie_alike(inner, outer) and bool((inner.low >= outer.low).all() and (inner.high <= outer.high).all())


def window_of(change: Tensor, at: Reach, wanted: Reach) -> tuple[Tensor, list[int]]:
    """A change cut to a window, and the zeros that the window has beyond it.

    Args:
        change: ``[n, channels, *cells]`` at the cells ``at``.
        at, wanted: of these positions, each of one shape. Where they do not lie to each other alike, the zeros are
            written out.

    Returns:
        ``[n, channels, *cells]``; zeros before and after along every axis.
    """
    if not lie_alike(at, wanted):
        return spread(change, at, wanted), [0] * 2 * (change.ndim - 2)
    low, high, first, last = at.low[0], at.high[0], wanted.low[0], wanted.high[0]
    start = np.clip(first, low, high)
    stop = np.clip(last, start, high)
    before = np.clip(start - first, 0, last - first)
    after = (last - first) - before - (stop - start)
    cut = change[(slice(None), *cells(start - low, stop - low))]
    return cut, [int(n) for pair in zip(before, after, strict=True) for n in pair]


def spread(change: Tensor, at: Reach, wanted: Reach) -> Tensor:
    """A change in windows, zero elsewhere, wherever each position's lies."""
    lengths = [int(n) for n in wanted.high[0] - wanted.low[0]]
    found = change.new_zeros((len(change), change.shape[1], *lengths)).contiguous(memory_format=layout_for(change))
    for n in range(len(change)):
        first = np.clip(at.low[n], wanted.low[n], wanted.high[n])
        last = np.clip(at.high[n], first, wanted.high[n])
        found[(n, *cells(first - wanted.low[n], last - wanted.low[n]))] = change[
            (n, *cells(first - at.low[n], last - at.low[n]))
        ]
    return found


def cut_out(layer: Tensor, at: Reach, outside: float = 0.0) -> Tensor:
    """Boxes of one layer ``[1, channels, *size]`` as ``[n, channels, *cells]``; beyond its edges a value stands."""
    size = np.array(layer.shape[2:])
    lengths = [int(n) for n in at.high[0] - at.low[0]]
    found = layer.new_empty((len(at.low), layer.shape[1], *lengths)).contiguous(memory_format=layout_of(layer))
    if (at.low < 0).any() or (at.high > size).any():
        found.fill_(outside)
    for n, (low, high) in enumerate(zip(at.low, at.high, strict=True)):
        first, last = np.clip(low, 0, size), np.clip(high, 0, size)
        found[(n, *cells(first - low, last - low))] = layer[(0, *cells(first, last))]
    return found


def layout_of(values: Tensor) -> Any:
    """The memory format that a layer has."""
    import torch

    chosen = layout_for(values)
    return chosen if values.is_contiguous(memory_format=chosen) else torch.contiguous_format


def layout_for(values: Tensor) -> Any:
    """The memory format that layers with so many axes get: channels last where PyTorch has it."""
    import torch

    return {4: torch.channels_last, 5: torch.channels_last_3d}.get(values.ndim, torch.contiguous_format)
