"""A network that answers for many small changes of one image without computing anew what stays (method.md 4.4).

The idea is that of Nakandala, Kumar and Papakonstantinou (Krypton, SIGMOD 2019), here in any number of dimensions and
on differences instead of values. A pass over the whole image keeps the layers; a change is then followed from layer to
layer as the difference to what was kept, in a box that grows by each window. Positions whose boxes grow alike go
together. Where the boxes fill a layer, whole layers are computed, of many positions at once, as a plain pass would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from .reading import read_layers
from .steps import Activation, Concatenation, Convolution, Kept, MaxPooling, Mean, Part, Step, Sum
from .windows import Reach, cells, cut_out

if TYPE_CHECKING:
    from torch import Tensor

WHOLE_FROM = 0.85
"""Where changes take this share of a layer, whole layers are computed."""

AT_ONCE = 8
"""Positions that go through the network together."""

BY_WEIGHT, BY_CALL = 30.0, 6e6
"""What a convolution costs besides its multiply-adds, in as many of them: for each weight, and once (on CPUs)."""


@dataclass(frozen=True)
class Counted:
    """Multiply-adds of convolutions.

    Attributes:
        whole: of a pass over the whole image.
        changed: of what a position changes, mean over the positions.
    """

    whole: float
    changed: float


class IncrementalNetwork:
    """Answers of one network to changes of one image.

    Attributes:
        logits: ``[classes]`` of the image as it is.
        kept_bytes: memory that the kept layers take.
    """

    def __init__(self, answer: Callable[[Tensor], Tensor], image: Tensor) -> None:
        """Read the network's layers and keep those of the image.

        Args:
            answer: logits ``[n, classes]`` of images ``[n, channels, *size]``.
            image: ``[1, channels, *size]``.

        Raises:
            NotIncrementalError: there is a layer of which a part cannot be computed alone.
        """
        import torch

        self._layers = read_layers(answer, image)
        self._steps = self._layers.steps
        self._layout = {4: torch.channels_last, 5: torch.channels_last_3d}.get(image.ndim, torch.contiguous_format)
        self._size = tuple(image.shape[2:])
        for step in self._steps:
            if isinstance(step, Convolution):
                step.weight = step.weight.contiguous(memory_format=self._layout)
        self._last_use = {number: step.output for step in self._steps for number in step.inputs}
        with torch.no_grad():
            self._kept = self._keep(image.contiguous(memory_format=self._layout))
            self.logits = self._answers({n: self._kept[n] for n in self._layers.ends})[0]
        self.kept_bytes = sum(each.numel() * each.element_size() for each in self._kept.layers.values())

    def _keep(self, image: Tensor) -> Kept:
        """One pass over the whole image; layers that are looked up later are kept."""
        looked_up = {0, *self._layers.ends}
        for step in self._steps:
            if step.looks_up or isinstance(step, Sum | Concatenation):
                looked_up.update(step.inputs)
            if isinstance(step, MaxPooling):
                looked_up.add(step.output)
        values = {0: image}
        for step in self._steps:
            value = step.whole([values[n] for n in step.inputs])
            step.size = tuple((values[step.inputs[0]] if isinstance(step, Mean) else value).shape[2:])
            values[step.output] = value
            for number in step.inputs:
                if self._last_use.get(number) == step.output and number not in looked_up:
                    values.pop(number, None)
        return Kept({number: value for number, value in values.items() if number in looked_up})

    def _answers(self, ends: dict[int, Tensor]) -> Tensor:
        """Logits ``[n, classes]`` of what the head takes."""
        import torch

        given = [ends[n].unsqueeze(1) for n in self._layers.ends]
        return torch.vmap(self._layers.head)(*given)[:, 0]

    def _reaches(self, low: np.ndarray, high: np.ndarray) -> dict[int, Reach]:
        """Cells of every layer that each position changes."""
        reaches = {0: Reach(low, high)}
        for step in self._steps:
            if not isinstance(step, Mean):
                reaches[step.output] = step.reached([reaches[n] for n in step.inputs])
        return reaches

    def counted(self, low: np.ndarray, high: np.ndarray) -> Counted:
        """Work of plain passes, and of computing nothing but what boxes ``[positions, axes]`` change."""
        reaches = self._reaches(low, high)
        convolutions = [step for step in self._steps if isinstance(step, Convolution)]
        whole = sum(step.multiply_adds(prod(step.size)) for step in convolutions)
        changed = sum(step.multiply_adds(float(reaches[step.output].sizes().mean())) for step in convolutions)
        return Counted(whole, changed)

    def _computed_whole(self, reaches: dict[int, Reach]) -> set[int]:
        """Layers that are computed whole: those after which the changes of most positions fill them."""
        found: set[int] = set()
        for step in self._steps:
            filled = isinstance(step, Activation | MaxPooling) and bool(
                reaches[step.inputs[0]].sizes().mean() >= WHOLE_FROM * prod(self._kept[step.inputs[0]].shape[2:])
            )
            if filled or any(n in found for n in step.inputs):
                found.add(step.output)
        return found

    def changed(self, low: np.ndarray, high: np.ndarray, difference: Tensor) -> Iterator[tuple[np.ndarray, Tensor]]:
        """Logits where a box of the image is changed, for many boxes one at a time.

        Args:
            low, high: the boxes' corners ``[positions, axes]``.
            difference: ``[1, channels, *size]`` by which the image changes within a box.

        Yields:
            Indices of positions, and their logits ``[n, classes]``.
        """
        import torch

        reaches = self._reaches(low, high)
        whole = self._computed_whole(reaches)
        first = [step for step in self._steps if step.output not in whole and not isinstance(step, Mean)]
        rest = [step for step in self._steps if step.output in whole or isinstance(step, Mean)]
        crossing = {n for step in rest for n in step.inputs if n not in whole}
        waiting: list[tuple[np.ndarray, dict[int, Tensor]]] = []
        difference = difference.contiguous(memory_format=self._layout)
        for positions in _batches(first, reaches):
            with torch.no_grad():
                waiting.append((positions, self._first(first, rest, crossing, reaches, positions, difference)))
            if sum(len(each) for each, _ in waiting) >= AT_ONCE:
                yield self._rest(rest, waiting)
                waiting = []
        if waiting:
            yield self._rest(rest, waiting)

    def batches(self, low: np.ndarray, high: np.ndarray) -> list[np.ndarray]:
        """Positions that go through the network together while it is computed in part."""
        reaches = self._reaches(low, high)
        whole = self._computed_whole(reaches)
        first = [step for step in self._steps if step.output not in whole and not isinstance(step, Mean)]
        return list(_batches(first, reaches))

    def _first(
        self,
        first: Sequence[Step],
        rest: Sequence[Step],
        crossing: set[int],
        reaches: dict[int, Reach],
        positions: np.ndarray,
        difference: Tensor,
    ) -> dict[int, Tensor]:
        """Layers computed in part, and of them those that the rest takes, whole, or their mean."""
        at = reaches[0].of(positions).as_one_shape(self._size)
        parts = {0: Part(cut_out(difference, at), at)}
        handed: dict[int, Tensor] = {}

        def hand_over(number: int) -> None:
            if number not in crossing or number not in parts:
                return
            takers = [step for step in rest if number in step.inputs]
            for step in takers:
                if isinstance(step, Mean):
                    handed[-step.output] = step.of_part(parts[number], self._kept)
            if any(not isinstance(step, Mean) for step in takers):
                handed[number] = self._made_whole(number, parts[number])

        hand_over(0)
        for step in first:
            at = reaches[step.output].of(positions).as_one_shape(step.size)
            change = step.part([parts[n] for n in step.inputs], at, self._kept)
            parts[step.output] = Part(change, at)
            hand_over(step.output)
            for number in step.inputs:
                if self._last_use.get(number) == step.output:
                    parts.pop(number, None)
        return handed

    def _made_whole(self, number: int, part: Part) -> Tensor:
        """Values ``[n, channels, *size]`` of a layer that was changed in part."""
        layer = self._kept[number]
        values = layer.repeat(len(part.change), *[1] * (layer.ndim - 1)).contiguous(memory_format=self._layout)
        for n, (low, high) in enumerate(zip(part.at.low, part.at.high, strict=True)):
            values[(n, *cells(low, high))] += part.change[n]
        return values

    def _rest(
        self, rest: Sequence[Step], waiting: Sequence[tuple[np.ndarray, dict[int, Tensor]]]
    ) -> tuple[np.ndarray, Tensor]:
        """Layers that are computed whole, of several positions together, and the answers."""
        import torch

        with torch.no_grad():
            values = {n: torch.cat([each[n] for _, each in waiting]) for n in waiting[0][1]}
            for step in rest:
                if isinstance(step, Mean) and -step.output in values:
                    values[step.output] = values[-step.output]
                else:
                    values[step.output] = step.whole([values[n] for n in step.inputs])
                for number in step.inputs:
                    if self._last_use.get(number) == step.output and number not in self._layers.ends:
                        values.pop(number, None)
            return np.concatenate([each for each, _ in waiting]), self._answers(values)


def _batches(steps: Sequence[Step], reaches: dict[int, Reach]) -> Iterator[np.ndarray]:
    """Positions that are computed together, at most so many at once.

    They get boxes of one shape, the largest of each layer; so only those are put together whose boxes are much alike:
    what is computed in vain must cost less than one more round of calls.
    """
    convolutions = [step for step in steps if isinstance(step, Convolution)]
    sides = np.stack([reaches[n].high - reaches[n].low for n in [0, *(step.output for step in convolutions)]], axis=1)
    weights = np.array([0.0, *(step.multiply_adds(1) for step in convolutions)])

    def cost(positions: list[int]) -> float:
        boxes = sides[positions].max(axis=0).prod(axis=1)
        return float((weights * (len(positions) * boxes + BY_WEIGHT)).sum() + BY_CALL * len(convolutions))

    batch: list[int] = []
    for n in np.lexsort(sides.reshape(len(sides), -1).T):
        more = [*batch, int(n)]
        if batch and (len(batch) == AT_ONCE or cost(more) > cost(batch) + cost([int(n)])):
            yield np.array(batch)
            more = [int(n)]
        batch = more
    if batch:
        yield np.array(batch)
