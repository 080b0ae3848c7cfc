"""Ways to compute the same forward pass (encoder, mask, classifier) of one chunk of patches; the fastest counts.

All give the same logits. They differ in memory layout, in how the maximum over 2 x 2 cells is taken, in how the second
convolution is arranged, and in how several members share the work.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from PulsarCAMLib.systems.autoencoder.model.layout import cells_of, channels_last, convolved_and_halved, halved, paired
from PulsarCAMLib.systems.autoencoder.model.network import AutoencoderClassifier

Pass = Callable[[Tensor, Tensor], Tensor]


def whole_module(members: list[AutoencoderClassifier]) -> Pass:
    """The module itself: classifier and decoder. No baseline, for it does more; shown beside it."""
    return lambda images, masks: torch.stack([m(images, masks).logits for m in members])


def modules(members: list[AutoencoderClassifier]) -> Pass:
    """The module's own encoder and classifier."""

    def run(images: Tensor, masks: Tensor) -> Tensor:
        cells = cells_of(masks, images.dtype)
        return torch.stack([m.classify(m.encode(images) * cells) for m in members])

    return run


def modules_channels_last(members: list[AutoencoderClassifier]) -> Pass:
    """The same with an input whose strides say channels last."""
    run = modules(members)
    return lambda images, masks: run(channels_last(images), masks)


class _Member:
    """Weights of one member, arranged; batch norm is folded into the last layer."""

    def __init__(self, member: AutoencoderClassifier, pair: bool) -> None:
        m = member
        self.filters_1, self.bias_1 = channels_last(m.encode_1.weight.detach()), m.encode_1.bias.detach()
        self.filters_2, self.bias_2 = m.encode_2.weight.detach(), m.encode_2.bias.detach()
        if pair:
            self.filters_2, self.bias_2 = paired(self.filters_2, self.bias_2)
        self.filters_2 = channels_last(self.filters_2)
        scale = (m.norm.weight / torch.sqrt(m.norm.running_var + m.norm.eps)).detach()
        self.dense, self.dense_bias = m.dense.weight.detach().t().contiguous(), m.dense.bias.detach()
        self.last = (m.logit.weight[0].detach() * scale)[:, None]
        shift = m.norm.bias.detach() - scale * m.norm.running_mean
        self.last_bias = m.logit.bias.detach() + m.logit.weight[0].detach() @ shift

    def __call__(self, images: Tensor, cells: Tensor) -> Tensor:
        hidden = functional.relu_(halved(functional.conv2d(images, self.filters_1, self.bias_1, padding=1)))
        hidden = convolved_and_halved(hidden, self.filters_2, self.bias_2)
        masked = (functional.relu_(hidden) * cells).flatten(1)
        units = functional.relu_(torch.addmm(self.dense_bias, masked, self.dense))
        return torch.addmm(self.last_bias, units, self.last)[:, 0]


def by_hand(members: list[AutoencoderClassifier], pair: bool = False) -> Pass:
    """Channels last throughout, maxima instead of max-pooling, batch norm folded away."""
    arranged = [_Member(m, pair) for m in members]

    def run(images: Tensor, masks: Tensor) -> Tensor:
        images, cells = channels_last(images), cells_of(masks, images.dtype)
        return torch.stack([member(images, cells) for member in arranged])

    return run


def by_hand_paired(members: list[AutoencoderClassifier]) -> Pass:
    """As :func:`by_hand`, the second convolution for two rows at once."""
    return by_hand(members, pair=True)


def grouped(members: list[AutoencoderClassifier]) -> Pass:
    """All members in one grouped convolution, classifiers in one batched product."""
    arranged = [_Member(m, False) for m in members]
    joined = {n: torch.cat([getattr(a, n) for a in arranged]) for n in ("filters_1", "bias_1", "filters_2", "bias_2")}
    stacked = {n: torch.stack([getattr(a, n) for a in arranged]) for n in ("dense", "dense_bias", "last", "last_bias")}
    filters_1, filters_2 = channels_last(joined["filters_1"]), channels_last(joined["filters_2"])
    dense_bias, last_bias = stacked["dense_bias"][:, None], stacked["last_bias"][:, None]

    def run(images: Tensor, masks: Tensor) -> Tensor:
        images, cells = channels_last(images), cells_of(masks, images.dtype)
        hidden = functional.relu_(halved(functional.conv2d(images, filters_1, joined["bias_1"], padding=1)))
        hidden = halved(functional.conv2d(hidden, filters_2, joined["bias_2"], padding=1, groups=len(members)))
        masked = (functional.relu_(hidden) * cells).reshape(len(images), len(members), -1).transpose(0, 1)
        units = functional.relu_(torch.baddbmm(dense_bias, masked, stacked["dense"]))
        return torch.baddbmm(last_bias, units, stacked["last"])[:, :, 0]

    return run


CANDIDATES: dict[str, Callable[[list[AutoencoderClassifier]], Pass]] = {
    "torch modules, default layout": modules,
    "torch modules, channels last": modules_channels_last,
    "channels last, maxima, norm folded": by_hand,
    "the same, second convolution two rows at once": by_hand_paired,
    "the same, members grouped": grouped,
}
