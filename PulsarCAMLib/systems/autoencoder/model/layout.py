"""Memory layout of images and filters: what decides the speed of these small convolutions on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .network import bottleneck_mask

AVX512_LANES = 16
"""float32 numbers that the processor multiplies at once; a convolution fills them with its filters."""


def channels_last(images: Tensor) -> Tensor:
    """``[n, 1, h, w]`` or filters ``[f, c, h, w]`` with channels last in memory, and strides that say so.

    ``Tensor.contiguous(memory_format=torch.channels_last)`` returns a tensor of ONE channel as it is, for it counts as
    both layouts; convolution then takes the default layout, whose feature maps are pooled ten times slower.
    """
    n, c, h, w = images.shape
    return images.permute(0, 2, 3, 1).reshape(n * h * w * c).view(n, h, w, c).permute(0, 3, 1, 2)


def halved(maps: Tensor) -> Tensor:
    """Maximum over 2 x 2 cells; as ``max_pool2d``, which also finds indices and so takes four times as long."""
    rows = torch.maximum(maps[:, :, ::2], maps[:, :, 1::2])
    return torch.maximum(rows[..., ::2], rows[..., 1::2])


def pairing_pays(filters: int) -> bool:
    """Whether so few filters leave half of the processor's lanes empty, so that :func:`paired` ones are faster."""
    return 2 * filters <= AVX512_LANES and torch.backends.cpu.get_cpu_capability() == "AVX512"


def paired(filters: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """3 x 3 filters ``[f, c, 3, 3]`` as ``[2 f, c, 4, 3]`` that answer for a row and for the next one."""
    return torch.cat([functional.pad(filters, (0, 0, row, 1 - row)) for row in (0, 1)]), bias.repeat(2)


def convolved_and_halved(maps: Tensor, filters: Tensor, bias: Tensor) -> Tensor:
    """Maximum over 2 x 2 cells of a 3 x 3 convolution with zeros around; ``filters`` may be :func:`paired`."""
    if filters.shape[2] == 3:
        return halved(functional.conv2d(maps, filters, bias, padding=1))
    rows = functional.conv2d(maps, filters, bias, padding=1, stride=(2, 1))
    return torch.maximum(*torch.maximum(rows[..., ::2], rows[..., 1::2]).chunk(2, dim=1))


def cells_of(masks: Tensor, dtype: torch.dtype, rule: str = "any") -> Tensor:
    """GTV on the bottleneck grid ``[n, 1, s/4, s/4]``, as :func:`~.network.bottleneck_mask` does it.

    Args:
        masks: ``[n, 1, s, s]``, s a multiple of 4, bool or shares; bool is fast, because four pixels of a row are read
            as one number.
        dtype: of the cells.
        rule: of :func:`~.network.bottleneck_mask`.
    """
    if rule != "any":
        return bottleneck_mask(masks, dtype, rule)
    n, _, s, _ = masks.shape
    if masks.dtype != torch.bool:
        return halved(halved(masks.to(dtype)))
    fours = masks.contiguous().view(torch.int32).view(n, 1, s // 4, 4, s // 4)
    first, second, third, fourth = fours.unbind(3)
    return (first | second | third | fourth).ne_(0).to(dtype)
