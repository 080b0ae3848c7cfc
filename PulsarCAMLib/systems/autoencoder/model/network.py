"""The autoencoder-classifier of Peng, Jiang and Timmerman (2025), section 2."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from .architecture import Architecture

NORM_EPSILON = 1e-3
NORM_MOMENTUM = 0.01
"""Keras's batch norm defaults (epsilon 1e-3, momentum 0.99), which the paper's code most likely used."""


class Output(NamedTuple):
    """What one pass gives.

    Attributes:
        logits: ``[N]``, s; the probability of response (class 1) is sigmoid(s).
        reconstruction: ``[N, 1, s, s]``, 0 to 1.
        features: ``[N, K, s/4, s/4]``, P before the mask.
        masked: ``[N, K, s/4, s/4]``, A = P * M.
        cells: ``[N, 1, s/4, s/4]``, M, 0 or 1; between them where the contour passes between pixels.
    """

    logits: Tensor
    reconstruction: Tensor
    features: Tensor
    masked: Tensor
    cells: Tensor


def bottleneck_mask(masks: Tensor, dtype: torch.dtype, rule: str = "any") -> Tensor:
    """GTV on the bottleneck grid ``[N, 1, s/4, s/4]`` (reading 9).

    Args:
        masks: ``[N, 1, s, s]``, bool, or shares of pixels in 0..1.
        dtype: of the cells, 0 or 1; between them where masks are.
        rule: ``"any"``: a cell is on if any of its 16 pixels is, as much as the fullest; ``"half"``: if at least
            8 are, or, where that leaves nothing of a GTV, if no other cell has more; the eighth as much as it is full.
    """
    if rule == "any":
        return functional.max_pool2d(masks.to(dtype), 4)
    shares = functional.avg_pool2d(masks.to(dtype), 4)
    needed = shares.amax(dim=(1, 2, 3), keepdim=True).clamp(max=0.5)
    return ((shares - needed) * 16 + 1).clamp(0, 1) * (shares > 0)


class AutoencoderClassifier(nn.Module):
    """One member: encoder, mask at the bottleneck, decoder and classifier (method.md 1.2).

    Input are images ``[N, 1, s, s]`` in 0..1 and GTV masks of the same shape. Class 1 is response.

    Attributes:
        architecture: its sizes.
        mask_rule: of :func:`bottleneck_mask`; that of the preprocessing, in whose card it is kept.
        reference: R ``[K]``, features that relative maps compare with; no weight, so the card keeps it and not the
            weights' file. None: there is none.
    """

    reference: Tensor | None

    def __init__(self, architecture: Architecture | None = None, mask_rule: str = "any") -> None:
        super().__init__()
        self.register_buffer("reference", None, persistent=False)
        self.mask_rule = mask_rule
        self.architecture = a = architecture or Architecture()
        self.encode_1 = nn.Conv2d(1, a.filters, 3, padding=1)
        self.encode_2 = nn.Conv2d(a.filters, a.features, 3, padding=1)
        self.decode_1 = nn.Conv2d(a.features, a.filters, 3, padding=1)
        self.decode_2 = nn.Conv2d(a.filters, 1, 3, padding=1)
        self.dense = nn.Linear(a.features * a.cells**2, a.dense_units)
        self.norm = nn.BatchNorm1d(a.dense_units, eps=NORM_EPSILON, momentum=NORM_MOMENTUM)
        self.dropout = nn.Dropout(a.dropout)
        self.logit = nn.Linear(a.dense_units, 1)
        self.reset_parameters()

    def reset_parameters(self, start: str = "glorot") -> None:
        """Draw weights from torch's generator (reading 21).

        Args:
            start: ``"glorot"``: Glorot uniform weights and zero biases, as Keras; ``"torch"``: as PyTorch by default.
        """
        for layer in self.modules():
            if not isinstance(layer, (nn.Conv2d, nn.Linear)):
                continue
            if start == "torch":
                layer.reset_parameters()
            else:
                nn.init.xavier_uniform_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def encode(self, images: Tensor) -> Tensor:
        """Features P ``[N, K, s/4, s/4]``, not negative."""
        # max-pool and ReLU commute; in this order ReLU touches a quarter of the values.
        hidden = functional.relu(functional.max_pool2d(self.encode_1(images), 2))
        return functional.relu(functional.max_pool2d(self.encode_2(hidden), 2))

    def decode(self, masked: Tensor) -> Tensor:
        """Reconstruction ``[N, 1, s, s]`` from A."""
        hidden = functional.relu(self.decode_1(functional.interpolate(masked, scale_factor=2.0)))
        return torch.sigmoid(self.decode_2(functional.interpolate(hidden, scale_factor=2.0)))

    def hidden(self, masked: Tensor) -> Tensor:
        """What the dense layer makes of A, ``[N, units]``, normalised and before dropout."""
        hidden = self.dense(masked.flatten(1))
        relu = functional.relu if self.architecture.dense_activation == "relu" else nn.Identity()
        return self.norm(relu(hidden)) if self.architecture.norm == "after" else relu(self.norm(hidden))

    def classify(self, masked: Tensor) -> Tensor:
        """Logit of response ``[N]`` from A."""
        return self.logit(self.dropout(self.hidden(masked))).squeeze(1)

    def forward(self, images: Tensor, masks: Tensor) -> Output:
        """Everything; see :class:`Output`."""
        features = self.encode(images)
        cells = bottleneck_mask(masks, features.dtype, self.mask_rule)
        masked = features * cells  # A = P M (method.md 1.2)
        return Output(self.classify(masked), self.decode(masked), features, masked, cells)
