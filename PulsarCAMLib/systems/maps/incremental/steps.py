"""What a network is made of, layer by layer: on whole layers, and on changes of a part of them.

A change is the difference to the layer's values for the unchanged image. Convolution, mean, sum and scaling are linear,
so they take the change alone and need nothing of its surroundings; others (activations, the largest of a window) look
up the unchanged values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any

from .windows import Reach, Sliding, cells, cut_out, hull, layout_for, lie_within, spread, window_of

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class Part:
    """Changes of a layer.

    Attributes:
        change: ``[n, channels, *cells]``.
        at: where they are, one box for each of the ``n``.
    """

    change: Tensor
    at: Reach


@dataclass(kw_only=True)
class Step:
    """One layer.

    Attributes:
        inputs: numbers of the layers that it takes.
        output: its own number.
        size: of what it gives, along the axes of space.
        looks_up: whether it needs the unchanged values of its inputs.
    """

    inputs: tuple[int, ...]
    output: int
    size: tuple[int, ...] = ()
    looks_up: bool = False

    def whole(self, values: Sequence[Tensor]) -> Tensor:
        """What it gives for whole layers ``[n, channels, *size]``."""
        raise NotImplementedError

    def reached(self, reaches: Sequence[Reach]) -> Reach:
        """Cells that may change."""
        return hull(reaches)

    def part(self, parts: Sequence[Part], at: Reach, kept: Kept) -> Tensor:
        """Changes ``[n, channels, *cells]`` at the cells that may change."""
        raise NotImplementedError

    def multiply_adds(self, n: float) -> float:
        """Of so many cells of its output."""
        return 0.0


@dataclass
class Kept:
    """Unchanged values ``[1, channels, *size]`` of layers, by number."""

    layers: dict[int, Tensor] = field(default_factory=dict)

    def __getitem__(self, number: int) -> Tensor:
        return self.layers[number]


@dataclass(kw_only=True)
class _Windowed(Step):
    """One whose every output sees a window of its input."""

    window: Sliding

    def reached(self, reaches: Sequence[Reach]) -> Reach:
        return self.window.reached(reaches[0], self.size)


@dataclass(kw_only=True)
class Convolution(_Windowed):
    """A convolution, with the batch normalisation after it folded into its weights.

    Attributes:
        weight: ``[out, in, *kernel]``.
        bias: ``[out]`` or None.
    """

    weight: Tensor
    bias: Tensor | None
    groups: int = 1

    def _run(self, values: Tensor, bias: Tensor | None, padding: Sequence[int]) -> Tensor:
        import torch

        window = self.window
        nothing = [0] * len(padding)
        return torch.convolution(
            values, self.weight, bias, window.stride, padding, window.dilation, False, nothing, self.groups
        )

    def whole(self, values: Sequence[Tensor]) -> Tensor:
        return self._run(values[0], self.bias, self.window.padding)

    def part(self, parts: Sequence[Part], at: Reach, kept: Kept) -> Tensor:
        # zeros on both sides are the convolution's own padding, over which it does not compute; the rest is written out
        cut, zeros = window_of(parts[0].change, parts[0].at, self.window.seen(at))
        both = [min(pair) for pair in zip(zeros[::2], zeros[1::2], strict=True)]
        return self._run(_padded(cut, [n - both[k // 2] for k, n in enumerate(zeros)]), None, both)

    def multiply_adds(self, n: float) -> float:
        return n * self.weight.numel()


@dataclass(kw_only=True)
class MaxPooling(_Windowed):
    """The largest value in a window."""

    ceil: bool = False
    looks_up: bool = True

    def _run(self, values: Tensor, padding: Sequence[int], ceil: bool) -> Tensor:
        from torch.nn import functional

        runs: Any = functional.max_pool1d, functional.max_pool2d, functional.max_pool3d
        run = runs[values.ndim - 3]
        window = self.window
        return run(values, window.kernel, window.stride, padding, window.dilation, ceil)

    def whole(self, values: Sequence[Tensor]) -> Tensor:
        return self._run(values[0], self.window.padding, self.ceil)

    def part(self, parts: Sequence[Part], at: Reach, kept: Kept) -> Tensor:
        seen = self.window.seen(at)
        values = cut_out(kept[self.inputs[0]], seen, -float("inf"))
        cut, zeros = window_of(parts[0].change, parts[0].at, seen)
        inside = [slice(before, before + n) for before, n in zip(zeros[::2], cut.shape[2:], strict=True)]
        values[(slice(None), slice(None), *inside)] += cut
        return self._run(values, [0] * len(inside), False).sub_(cut_out(kept[self.output], at))


@dataclass(kw_only=True)
class MeanPooling(_Windowed):
    """The mean of a window; cells beyond the edge count as zeros."""

    def _run(self, values: Tensor, padding: Sequence[int]) -> Tensor:
        from torch.nn import functional

        runs: Any = functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d
        run = runs[values.ndim - 3]
        return run(values, self.window.kernel, self.window.stride, padding)

    def whole(self, values: Sequence[Tensor]) -> Tensor:
        return self._run(values[0], self.window.padding)

    def part(self, parts: Sequence[Part], at: Reach, kept: Kept) -> Tensor:
        cut, zeros = window_of(parts[0].change, parts[0].at, self.window.seen(at))
        return self._run(_padded(cut, zeros), [0] * (cut.ndim - 2))


@dataclass(kw_only=True)
class Activation(Step):
    """A function of every value for itself."""

    function: Callable[[Tensor], Tensor]
    looks_up: bool = True

    def whole(self, values: Sequence[Tensor]) -> Tensor:
        return self.function(values[0])

    def part(self, parts: Sequence[Part], at: Reach, kept: Kept) -> Tensor:
        before = cut_out(kept[self.inputs[0]], at)
        return self.function(parts[0].change + before).sub_(self.function(before))


@dataclass(kw_only=True)
class Rectifier(Activation):
    """ReLU: ``relu(v + d) - relu(v) = max(d, -v) - relu(-v)``, two passes over the change."""

    def part(self, parts: Sequence[Part], at: Reach, kept: Kept) -> Tensor:
        import torch

        change, layer = parts[0].change, kept[self.inputs[0]]
        found = torch.empty_like(change)
        for n, (low, high) in enumerate(zip(at.low, at.high, strict=True)):
            negative = layer[(0, *cells(low, high))].neg()
            torch.maximum(change[n], negative, out=found[n])
            found[n].sub_(negative.relu_())
        return found


@dataclass(kw_only=True)
class Scaling(Step):
    """``scale * value + shift``, both of a shape like ``[1, channels, 1, 1, 1]`` or ``[1, 1, *size]``, or None."""

    scale: Tensor | None
    shift: Tensor | None

    def whole(self, values: Sequence[Tensor]) -> Tensor:
        import torch

        if self.scale is None or self.shift is None:
            scaled = values[0] if self.scale is None else values[0] * self.scale
            return scaled if self.shift is None else scaled + self.shift
        return torch.addcmul(self.shift, values[0], self.scale)

    def part(self, parts: Sequence[Part], at: Reach, kept: Kept) -> Tensor:
        if self.scale is None:
            return parts[0].change
        if prod(self.scale.shape[2:]) == 1:
            return parts[0].change * self.scale
        return parts[0].change * cut_out(self.scale.expand(1, self.scale.shape[1], *self.size), at)


@dataclass(kw_only=True)
class Sum(Step):
    """Weighted sum of layers."""

    weights: tuple[float, ...]

    def whole(self, values: Sequence[Tensor]) -> Tensor:
        import torch

        found = values[0] if self.weights[0] == 1 else values[0] * self.weights[0]
        for value, weight in zip(values[1:], self.weights[1:], strict=True):
            found = torch.add(found, value, alpha=weight)
        return found

    def part(self, parts: Sequence[Part], at: Reach, kept: Kept) -> Tensor:
        found = _room(parts, at, parts[0].change.shape[1])
        for part, weight in zip(parts, self.weights, strict=True):
            if lie_within(part.at, at):
                found[_place(part.at, at)].add_(part.change, alpha=weight)
            else:
                found.add_(spread(part.change, part.at, at), alpha=weight)
        return found


@dataclass(kw_only=True)
class Concatenation(Step):
    """Channels of several layers one after another.

    Attributes:
        order: layers' numbers, or constants ``[1, channels, *size]``.
    """

    order: tuple[int | Tensor, ...]

    def whole(self, values: Sequence[Tensor]) -> Tensor:
        import torch

        by_number = dict(zip(self.inputs, values, strict=True))
        n = len(values[0])
        parts = [by_number[e] if isinstance(e, int) else e.expand(n, *e.shape[1:]) for e in self.order]
        return torch.cat(parts, dim=1)

    def part(self, parts: Sequence[Part], at: Reach, kept: Kept) -> Tensor:
        by_number = dict(zip(self.inputs, parts, strict=True))
        channels = [by_number[e].change.shape[1] if isinstance(e, int) else e.shape[1] for e in self.order]
        found, first = _room(parts, at, sum(channels)), 0
        for each, n in zip(self.order, channels, strict=True):
            if isinstance(each, int):
                part, place = by_number[each], found[:, first : first + n]
                if lie_within(part.at, at):
                    place[_place(part.at, at)] = part.change
                else:
                    place.copy_(spread(part.change, part.at, at))
            first += n
        return found


@dataclass(kw_only=True)
class Mean(Step):
    """Mean over all axes of space: what a head takes.

    Attributes:
        keep: whether axes of one cell stay.
        size: of its input.
    """

    keep: bool

    def whole(self, values: Sequence[Tensor]) -> Tensor:
        return values[0].mean(dim=tuple(range(2, values[0].ndim)), keepdim=self.keep)

    def of_part(self, part: Part, kept: Kept) -> Tensor:
        """The mean ``[n, channels]`` where a part of the layer changed."""
        axes = tuple(range(2, part.change.ndim))
        return kept[self.output] + part.change.sum(dim=axes, keepdim=self.keep) / prod(self.size)


def _padded(values: Tensor, zeros: Sequence[int]) -> Tensor:
    """Zeros before and after along every axis of space, given as before, after, before, after, ..."""
    from torch.nn import functional

    if not any(zeros):
        return values
    pairs = list(zip(zeros[::2], zeros[1::2], strict=True))
    return functional.pad(values, [n for pair in reversed(pairs) for n in pair])


def _room(parts: Sequence[Part], at: Reach, channels: int) -> Tensor:
    """Zeros ``[n, channels, *cells]`` laid out as the parts are."""
    import torch

    like = parts[0].change
    lengths = [int(n) for n in at.high[0] - at.low[0]]
    return torch.zeros((len(like), channels, *lengths), dtype=like.dtype, device=like.device).contiguous(
        memory_format=layout_for(like)
    )


def _place(inner: Reach, outer: Reach) -> tuple[Any, ...]:
    """Index of a box within a larger one, for the layers of a batch."""
    return (slice(None), *cells(inner.low[0] - outer.low[0], inner.high[0] - outer.low[0]))
