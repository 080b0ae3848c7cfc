"""Occlusion: how far a class's logit falls when a part of the image is covered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.map_method import MapMethod
from ..answers import NetworkEvidence

if TYPE_CHECKING:
    from torch import Tensor

OCCLUSION_PARTS = 6
"""The occluding cube's side is this part of a sample's; it moves by half of its side."""


def _occlusion(evidence: NetworkEvidence) -> dict[str, Tensor]:
    """Fall of the class's logit when a cube is set to each channel's mean: mean over the cubes that cover a voxel."""
    import torch

    images, masks = evidence.images, evidence.masks
    size = images.shape[2:]
    filler = images.flatten(2).mean(dim=2).reshape(*images.shape[:2], *[1] * len(size))
    with torch.inference_mode():
        whole = [member(images, masks) for member in evidence.members]
        fall = images.new_zeros(len(evidence.members), len(evidence.system.task.names), len(images), *size)
        times = images.new_zeros(size)
        for box in _boxes(size):
            changed = images.clone()
            changed[(slice(None), slice(None), *box)] = filler
            times[box] += 1
            for k, member in enumerate(evidence.members):
                lost = (whole[k] - member(changed, masks)).T
                fall[(slice(k, k + 1), slice(None), slice(None), *box)] += lost.reshape(
                    1, *lost.shape, *[1] * len(size)
                )
        fall = (fall / times).relu()
    return {name: fall[:, index] for index, name in enumerate(evidence.system.task.names)}


def _boxes(size: Sequence[int]) -> list[tuple[Any, ...]]:
    """Cubes that cover everything, each moved by half its side."""
    sides = [max(1, round(n / OCCLUSION_PARTS)) for n in size]
    starts = [
        [min(s, n - side) for s in range(0, max(n - side, 0) + max(1, side // 2), max(1, side // 2))]
        for n, side in zip(size, sides, strict=True)
    ]
    corners = np.stack(np.meshgrid(*[sorted(set(s)) for s in starts], indexing="ij"), -1).reshape(-1, len(size))
    return [tuple(slice(int(c), int(c) + side) for c, side in zip(corner, sides, strict=True)) for corner in corners]


OCCLUSION = MapMethod(
    name="occlusion",
    title="Occlusion",
    unit="fall of the logit",
    equation="mean over covering cubes of ReLU(y_c(x) - y_c(x occluded))",
    compute=_occlusion,
    saved_name="OCCLUSION",
    always=False,
    cost=2.0 * (2 * OCCLUSION_PARTS) ** 3,
)
