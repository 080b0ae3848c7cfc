"""The image terms of the loss with their gradient in closed form, and the decoder without enlarged feature maps.

Both give what :mod:`.losses` and the model itself give, up to rounding, in less time.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from ..model.network import AutoencoderClassifier
from .losses import STABILISERS, gaussian_windows
from .settings import LossWeights


class ImageTerms(NamedTuple):
    """The autoencoder's terms that look at images; scalars, of which only ``total`` has a gradient."""

    total: Tensor
    reconstruction: Tensor
    similarity: Tensor


def image_terms(scores: Tensor, images: Tensor, weights: LossWeights) -> ImageTerms:
    """``w1 BCE(sigmoid(z), x) + w2 (1 - SSIM(sigmoid(z), x))`` of a batch.

    Args:
        scores: z ``[N, 1, s, s]``, the decoder's output before its sigmoid.
        images: x, the same shape, in 0..1.
        weights: of the terms.
    """
    return ImageTerms(*_ImageTerms.apply(scores.squeeze(1), images.squeeze(1), weights))


class _ImageTerms(torch.autograd.Function):
    """Wang et al. (2004) in the moments m = E[y], q = E[y^2], r = E[xy] of windows, differentiated by hand."""

    @staticmethod
    def forward(ctx, scores: Tensor, images: Tensor, weights: LossWeights):
        down, across = (gaussian_windows(n, scores.dtype, scores.device) for n in images.shape[1:])
        made = torch.sigmoid(scores)
        moments = torch.stack([made, made * made, made * images, images, images * images], dim=1)
        m, q, r, mean, square = (down @ moments @ across.T).unbind(1)
        value, slopes = _ssim_and_slopes(m, q, r, mean, square)
        by_m, by_q, by_r = (down.T @ slopes @ across).unbind(1)
        gradient = (by_r.mul_(images).addcmul_(by_q, made, value=2).add_(by_m)) * (made * (1 - made))
        gradient *= -weights.similarity / value.numel()
        gradient.add_(made - images, alpha=weights.reconstruction / made.numel())
        ctx.save_for_backward(gradient)
        reconstruction = functional.binary_cross_entropy_with_logits(scores, images)  # joint loss, term 1
        similarity = 1 - value.mean()  # joint loss, term 2
        total = weights.reconstruction * reconstruction + weights.similarity * similarity
        ctx.mark_non_differentiable(reconstruction, similarity)
        return total, reconstruction, similarity

    @staticmethod
    def backward(ctx, of_total: Tensor, *_):
        (gradient,) = ctx.saved_tensors
        return gradient * of_total, None, None


def _ssim_and_slopes(m: Tensor, q: Tensor, r: Tensor, mean: Tensor, square: Tensor) -> tuple[Tensor, Tensor]:
    """SSIM of each window ``[N, w, w]`` and its derivatives by m, q and r ``[N, 3, w, w]``."""
    c1, c2 = STABILISERS
    twice = 2 * mean
    means = torch.addcmul(torch.full_like(m, c1), twice, m)
    covariances = (r - mean * m).mul_(2).add_(c2)
    own = m * m
    squares = own + mean.square() + c1
    variances = (q - own).add_(square - mean.square()).add_(c2)
    scale = (squares * variances).reciprocal_()
    value = means * covariances * scale
    slopes = torch.stack(
        [
            twice * (covariances - means) * scale - 2 * m * value * (1 / squares - 1 / variances),
            -value / variances,
            2 * means * scale,
        ],
        dim=1,
    )
    return value, slopes


def folded_filters(weight: Tensor) -> Tensor:
    """Filters ``[4 o, i, 3, 3]`` that do at half the size what ``weight`` ``[o, i, 3, 3]`` does after enlarging.

    Enlarging by nearest neighbours repeats every cell 2 x 2, so that of the three rows under a filter two are the same:
    each of the four positions in a cell has a filter of its own, the sum of the original's rows and columns.
    """
    steps = weight.new_zeros(2, 3, 3)
    steps[0, 0, 0] = steps[0, 1, 1] = steps[0, 1, 2] = 1
    steps[1, 1, 0] = steps[1, 1, 1] = steps[1, 2, 2] = 1
    folded = torch.einsum("pra,qsb,oiab->opqirs", steps, steps, weight)
    return folded.reshape(-1, *weight.shape[1:]).contiguous(memory_format=torch.channels_last)


class FoldedDecoder:
    """The decoder with folded filters; gradients are handed to the model by :meth:`hand_over`."""

    def __init__(self, model: AutoencoderClassifier) -> None:
        self._made: list[Tensor] = []
        for layer in (model.decode_1, model.decode_2):
            assert layer.bias is not None  # the decoder's convolutions have biases
            self._made += [folded_filters(layer.weight), layer.bias.repeat_interleave(4)]
        self._leaves = [tensor.detach().requires_grad_() for tensor in self._made]

    def __call__(self, masked: Tensor) -> Tensor:
        """Reconstruction before its sigmoid ``[N, 1, s, s]`` from A."""
        weight_1, bias_1, weight_2, bias_2 = self._leaves
        hidden = functional.relu(functional.conv2d(masked, weight_1, bias_1, padding=1))
        hidden = functional.pixel_shuffle(hidden, 2).contiguous(memory_format=torch.channels_last)
        return functional.pixel_shuffle(functional.conv2d(hidden, weight_2, bias_2, padding=1), 2)

    def hand_over(self) -> None:
        """Add the gradients gathered so far to those of the model's own parameters."""
        torch.autograd.backward(self._made, [leaf.grad for leaf in self._leaves])
