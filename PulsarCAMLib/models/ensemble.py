"""All members of an ensemble in one batched pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..errors import BundleError
from .architecture import Architecture
from .autoencoder import AutoencoderClassifier, bottleneck_mask

CHUNK_MEMBER_PATCHES = 24
"""Patches times members per chunk: their feature maps stay in the processor's cache (7 times faster than one batch)."""

GPU_CHUNK_MEMBER_PATCHES = 4096

Part = TypeVar("Part")


class Ensemble:
    """Members stacked so that one convolution serves them all.

    The first convolution has all members' filters side by side (they share the input), the second is grouped, the
    classifier's matrices are stacked ``[members, ...]``. Evaluation mode only: dropout is off and batch norm uses its
    running statistics, folded into the head as in paper-notes 2.1.

    Attributes:
        members: the modules, in evaluation mode.
        architecture: shared by all members.
    """

    def __init__(self, members: Sequence[AutoencoderClassifier]) -> None:
        """Stack ``members``.

        Raises:
            BundleError: no member, or members of different architecture.
        """
        if not members or any(m.architecture != members[0].architecture for m in members):
            raise BundleError("An ensemble needs at least one member, all of one architecture.")
        self.members = [m.eval() for m in members]
        self.architecture: Architecture = members[0].architecture
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
        def side_by_side(pick: Callable[[AutoencoderClassifier], Tensor]) -> Tensor:
            return torch.cat([pick(m).detach() for m in self.members])

        def stacked(pick: Callable[[AutoencoderClassifier], Tensor]) -> Tensor:
            return torch.stack([pick(m).detach() for m in self.members])

        layout = {"memory_format": torch.channels_last}
        self.encode_1 = side_by_side(lambda m: m.encode_1.weight).contiguous(**layout)
        self.encode_1_bias = side_by_side(lambda m: m.encode_1.bias)
        self.encode_2 = side_by_side(lambda m: m.encode_2.weight).contiguous(**layout)
        self.encode_2_bias = side_by_side(lambda m: m.encode_2.bias)
        self.dense_weight = stacked(lambda m: m.dense.weight)
        self.dense_bias = stacked(lambda m: m.dense.bias)[:, None]
        self.norm_scale = stacked(lambda m: m.norm.weight / torch.sqrt(m.norm.running_var + m.norm.eps))[:, None]
        self.norm_shift = stacked(lambda m: m.norm.bias)[:, None]
        self.norm_mean = stacked(lambda m: m.norm.running_mean)[:, None]
        self.logit_weight = stacked(lambda m: m.logit.weight[0])[:, None]
        self.logit_bias = stacked(lambda m: m.logit.bias)

    def masked_features(self, images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """A = P * M of every member.

        Args:
            images: ``[n, 1, s, s]`` in 0..1.
            masks: ``[n, 1, s, s]``.

        Returns:
            A ``[members, n, features, cells]`` and M ``[n, cells]``, cells in row-major order.
        """
        a = self.architecture
        images = images.to(self.device, self.dtype).contiguous(memory_format=torch.channels_last)
        hidden = functional.conv2d(images, self.encode_1, self.encode_1_bias, padding=1)
        hidden = functional.relu_(functional.max_pool2d(hidden, 2))
        hidden = functional.conv2d(hidden, self.encode_2, self.encode_2_bias, padding=1, groups=len(self))
        hidden = functional.relu_(functional.max_pool2d(hidden, 2))
        cells = bottleneck_mask(masks.to(self.device), self.dtype)
        masked = (hidden * cells).reshape(len(images), len(self), a.features, a.cells**2)
        return masked.transpose(0, 1).contiguous(), cells.flatten(1)

    def head(self, masked: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and their exact gradient by the closed form (paper-notes 2.1).

        Args:
            masked: A ``[members, n, features, cells]``.

        Returns:
            s ``[members, n]`` and ds/dA ``[members, n, features, cells]``, not gated by the mask.
        """
        hidden, slope = self._classify(masked)
        gradient = torch.bmm(slope, self.dense_weight).reshape(masked.shape)
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
        per_member = CHUNK_MEMBER_PATCHES if self.device.type == "cpu" else GPU_CHUNK_MEMBER_PATCHES
        size = max(1, per_member // len(self))
        starts = range(0, len(images), size)

        def one(start: int) -> Part:
            with torch.inference_mode():
                part = slice(start, start + size)
                return work(torch.from_numpy(images[part]), torch.from_numpy(masks[part]))

        with _one_core_per_chunk(self.device) as run:
            for start, result in zip(starts, run(one, starts), strict=True):
                if after_chunk:
                    after_chunk(min(start + size, len(images)))
                yield result


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
