"""How much each input carries of an answer: shares that sum to one, beside those of an image without structure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .blocks import OcclusionSettings, blocks_of, filled
from .occluding import Occluder, OcclusionRun

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class InputShares:
    """Shares of every input in the falls of a class's logit.

    Attributes:
        inputs: names.
        shares: ``[classes, inputs]``; a row sums to one, or is NaN where nothing falls.
        control: the same of the control: what shares look like that say nothing.
        controlled_by: what the control is, for people.
    """

    inputs: tuple[str, ...]
    shares: np.ndarray
    control: np.ndarray
    controlled_by: str


def input_shares(
    answer: Callable[[Tensor], Tensor],
    image: Tensor,
    inputs: Mapping[str, tuple[int, ...]],
    settings: OcclusionSettings,
    control: Callable[[Tensor], Tensor] | None = None,
    tell: Callable[[float], None] | None = None,
) -> InputShares:
    """Share of each input: sum of the positive falls where only this input is covered, over the sum of all inputs.

    Args:
        answer: logits ``[n, classes]`` of images ``[n, channels, *size]``.
        image: ``[1, channels, *size]``.
        inputs: names with their channels.
        settings: how the image is occluded.
        control: answers of the same network with random weights; None: the network itself, on the image with the
            voxels of all channels shuffled alike (from the settings' seed).
        tell: is told the fraction done; an error that it raises ends the work.
    """
    first = _shares(answer, image, inputs, settings, tell and (lambda done: tell(done / 2)))
    other, words = (image, "random weights") if control else (_shuffled(image, settings.seed), "shuffled voxels")
    second = _shares(control or answer, other, inputs, settings, tell and (lambda done: tell(0.5 + done / 2)))
    return InputShares(tuple(inputs), first, second, words)


def _shares(
    answer: Callable[[Tensor], Tensor],
    image: Tensor,
    inputs: Mapping[str, tuple[int, ...]],
    settings: OcclusionSettings,
    tell: Callable[[float], None] | None,
) -> np.ndarray:
    occluder, fill = Occluder(answer, image, settings.incremental), filled(image, settings)
    blocks = blocks_of(tuple(image.shape[2:]), settings)
    falls = []
    for n, channels in enumerate(inputs.values()):
        run = OcclusionRun(occluder, blocks, fill, tuple(channels))
        run.go(tell and (lambda done, n=n: tell((n + done) / len(inputs))))  # type: ignore[misc]
        falls.append(np.maximum(run.falls, 0).sum(axis=0))
    total = np.stack(falls, axis=1)
    whole = total.sum(axis=1, keepdims=True)
    return np.divide(total, whole, out=np.full_like(total, np.nan), where=whole > 0)


def _shuffled(image: Tensor, seed: int) -> Tensor:
    """The same voxels in another order, the same for all channels."""
    import torch

    flat = image.flatten(2)
    order = torch.randperm(flat.shape[2], generator=torch.Generator().manual_seed(seed)).to(image.device)
    return flat[..., order].reshape(image.shape)
