"""All members of an ensemble in one batched pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ....core.errors import BundleError
from .architecture import Architecture
from .layout import cells_of, channels_last, convolved_and_halved, paired, pairing_pays
from .network import AutoencoderClassifier

CONVOLVED_PATCHES = 16
"""Patches convolved at once: their feature maps stay in the processor's cache and in memory that is mapped already."""

CHUNK_MEMBER_PATCHES = 160
"""Patches times members per chunk; what follows the convolutions is small, so that calls cost more than numbers."""

GPU_PATCHES = 1024

Part = TypeVar("Part")


class Ensemble:
    """Members stacked so that a chunk of patches passes them all while it is in the cache.

    All weights are stacked ``[members, ...]``. The convolutions take one member after the other: side by side or
    grouped their feature maps leave the cache. Evaluation mode only: dropout is off and batch norm uses its running
    statistics, folded into the head as in method.md 2.1.

    Attributes:
        members: the modules, in evaluation mode.
        architecture, mask_rule: shared by all members.
        reference: R ``[members, features]`` of relative maps; None: not every member has one.
    """

    def __init__(self, members: Sequence[AutoencoderClassifier]) -> None:
        """Stack ``members``.

        Raises:
            BundleError: no member, or members of different architecture or mask rule.
        """
        if len({(m.architecture, m.mask_rule) for m in members}) != 1:
            raise BundleError("An ensemble needs at least one member, all of one architecture and one mask rule.")
        self.members = [m.eval() for m in members]
        self.architecture: Architecture = members[0].architecture
        self.mask_rule = members[0].mask_rule
        self._stack()

    def __len__(self) -> int:
        return len(self.members)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.dense_weight.device

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        return self.dense_weight.dtype

    def to(self, *args, **kwargs) -> Ensemble:
        """Move or convert the members as ``torch.nn.Module.to`` does."""
        for member in self.members:
            member.to(*args, **kwargs)
        self._stack()
        return self

    def _stack(self) -> None:
        def stacked(pick: Callable[[AutoencoderClassifier], Any]) -> Tensor:
            return torch.stack([pick(m).detach() for m in self.members])

        def filters(pick: Callable[[AutoencoderClassifier], Any]) -> tuple[Tensor, Tensor]:
            given = [(pick(m).weight.detach(), pick(m).bias.detach()) for m in self.members]
            pair = given[0][0].device.type == "cpu" and pairing_pays(len(given[0][1]))
            weights, biases = zip(*[paired(*each) for each in given] if pair else given, strict=True)
            channels_last = torch.stack([w.permute(0, 2, 3, 1) for w in weights]).contiguous().permute(0, 1, 4, 2, 3)
            return channels_last, torch.stack(biases)

        def scale_of_norm(member: AutoencoderClassifier) -> Tensor:
            variance = member.norm.running_var
            assert variance is not None  # batch norm keeps running statistics
            return member.norm.weight / torch.sqrt(variance + member.norm.eps)

        self.encode_1, self.encode_1_bias = filters(lambda m: m.encode_1)
        self.encode_2, self.encode_2_bias = filters(lambda m: m.encode_2)
        self.dense_weight = stacked(lambda m: m.dense.weight)
        self.dense_bias = stacked(lambda m: m.dense.bias)[:, None]
        self.norm_scale = stacked(scale_of_norm)[:, None]
        self.norm_shift = stacked(lambda m: m.norm.bias)[:, None]
        self.norm_mean = stacked(lambda m: m.norm.running_mean)[:, None]
        self.logit_weight = stacked(lambda m: m.logit.weight[0])[:, None]
        self.logit_bias = stacked(lambda m: m.logit.bias)
        kept = [m.reference for m in self.members if m.reference is not None]
        self.reference = torch.stack(kept) if len(kept) == len(self.members) else None

    def masked_features(self, images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """A = P * M of every member.

        Args:
            images: ``[n, 1, s, s]`` in 0..1.
            masks: ``[n, 1, s, s]``.

        Returns:
            A ``[members, n, features, cells]`` and M ``[n, cells]``, cells in row-major order.
        """
        a = self.architecture
        images = channels_last(images.to(self.device, self.dtype))
        cells = cells_of(masks.to(self.device), self.dtype, self.mask_rule)
        masked = images.new_empty(len(self), len(images), a.features, a.cells, a.cells)
        size = CONVOLVED_PATCHES if self.device.type == "cpu" else GPU_PATCHES
        for part in parts_of(len(images), size):
            for member, out in enumerate(masked):
                torch.mul(self._features(member, images[part]), cells[part], out=out[part])
        return masked.flatten(3), cells.flatten(1)

    def _features(self, member: int, images: Tensor) -> Tensor:
        """P ``[n, features, s/4, s/4]`` of one member; ReLU after the maximum touches a quarter of the values."""
        hidden = convolved_and_halved(images, self.encode_1[member], self.encode_1_bias[member])
        hidden = convolved_and_halved(functional.relu_(hidden), self.encode_2[member], self.encode_2_bias[member])
        return functional.relu_(hidden)

    def head(self, masked: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and their exact gradient by the closed form (method.md 2.1).

        Args:
            masked: A ``[members, n, features, cells]``.

        Returns:
            s ``[members, n]`` and ds/dA ``[members, n, features, cells]``, not gated by the mask.
        """
        hidden, slope = self._classify(masked)
        gradient = torch.bmm(slope, self.dense_weight).reshape(masked.shape)  # g of method.md 2.1
        return hidden, gradient

    def logits(self, images: Tensor, masks: Tensor) -> Tensor:
        """Logits ``[members, n]`` of response."""
        return self._classify(self.masked_features(images, masks)[0])[0]

    def _classify(self, masked: Tensor) -> tuple[Tensor, Tensor]:
        """Logits ``[members, n]`` and ds/du ``[members, n, units]`` of the dense layer's output u."""
        a = self.architecture
        u = torch.baddbmm(self.dense_bias, masked.flatten(2), self.dense_weight.transpose(1, 2))
        slope = (self.logit_weight * self.norm_scale).expand_as(u)
        if a.norm == "before":
            u = (u - self.norm_mean) * self.norm_scale + self.norm_shift
        if a.dense_activation == "relu":
            slope = slope * (u > 0)
            u = functional.relu(u)
        if a.norm == "after":
            u = (u - self.norm_mean) * self.norm_scale + self.norm_shift
        return torch.sum(u * self.logit_weight, dim=2) + self.logit_bias, slope

    def in_chunks(
        self,
        work: Callable[[Tensor, Tensor], Part],
        images: np.ndarray,
        masks: np.ndarray,
        after_chunk: Callable[[int], None] | None = None,
    ) -> Iterator[Part]:
        """Run ``work`` on chunks of patches that fit the cache, one chunk per core at a time, results in order.

        Args:
            work: gets images and masks of a chunk, returns anything.
            images: float ``[N, 1, s, s]``.
            masks: bool ``[N, 1, s, s]``.
            after_chunk: is told the number of patches done; an error it raises ends the run.
        """

        def one(part: slice) -> Part:
            return work(torch.from_numpy(images[part]), torch.from_numpy(masks[part]))

        yield from self.in_parts(one, len(images), after_chunk)

    def _chunk(self) -> int:
        if self.device.type != "cpu":
            return GPU_PATCHES
        return CONVOLVED_PATCHES * max(1, CHUNK_MEMBER_PATCHES // (CONVOLVED_PATCHES * len(self)))

    def in_parts(
        self, work: Callable[[slice], Part], count: int, after_chunk: Callable[[int], None] | None = None
    ) -> Iterator[Part]:
        """As :meth:`in_chunks`, for ``work`` that takes its part of ``count`` patches itself."""
        parts = parts_of(count, self._chunk())

        def one(part: slice) -> Part:
            with torch.inference_mode():
                return work(part)

        with _one_core_per_chunk(self.device) as run:
            for part, result in zip(parts, run(one, parts), strict=True):
                if after_chunk:
                    after_chunk(part.stop)
                yield result


def parts_of(count: int, size: int) -> list[slice]:
    """Slices of ``size`` that cover ``count``, the last one may be shorter."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


@contextmanager
def _one_core_per_chunk(device: torch.device) -> Iterator[Callable]:
    """A ``map`` over threads of one core each.

    Splitting these small convolutions over cores costs more than it gains (and collapses when a core is busy with
    something else); chunks side by side scale.
    """
    cores = torch.get_num_threads()
    if cores == 1 or device.type != "cpu":
        yield map
        return
    pool = ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(cores)
