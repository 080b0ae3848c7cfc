"""Logits and maps of many patches: one batched pass through the ensemble, closed form through its head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ..models.ensemble import Ensemble
from .maps import Evidence, class_maps, signed_pixelwise
from .methods import METHODS


@dataclass(frozen=True, eq=False)
class PatchMaps:
    """Results for N patches and all members, on the bottleneck grid of c x c cells.

    Attributes:
        logits: ``[members, N]``, s.
        signed: ``[members, N, c, c]``, the pixel-wise map S before its ReLU.
        maps: ``(method, class)`` to ``[members, N, c, c]``, raw and not negative.
    """

    logits: np.ndarray
    signed: np.ndarray
    maps: dict[tuple[str, str], np.ndarray]

    @property
    def rest(self) -> np.ndarray:
        """``[members, N]``: what the cells do not explain; ``signed.sum() + rest`` is the logit."""
        return self.logits - self.signed.sum(axis=(2, 3))


def explain_patches(
    ensemble: Ensemble,
    images: np.ndarray,
    masks: np.ndarray,
    methods: Sequence[str] = METHODS,
    after_chunk: Callable[[int], None] | None = None,
) -> PatchMaps:
    """Explain N patches by the named methods, for both classes.

    Args:
        ensemble: of models; computed in its precision.
        images: ``[N, 1, s, s]``, 0 to 1.
        masks: bool ``[N, 1, s, s]``.
        methods: names from :data:`~.methods.METHODS` and :data:`~.methods.VARIANTS`.
        after_chunk: is told how many patches are done.
    """

    def work(images: Tensor, masks: Tensor) -> dict:
        masked, cells = ensemble.masked_features(images, masks)
        logits, gradient = ensemble.head(masked)
        evidence = Evidence(logits, masked, gradient.mul_(cells[:, None]))
        found = {"logits": logits, "signed": signed_pixelwise(evidence)}
        for method in methods:
            found |= {(method, name): values for name, values in class_maps(evidence, method).items()}
        return {key: value.cpu().numpy() for key, value in found.items()}

    chunks = list(ensemble.in_chunks(work, images, masks, after_chunk))
    side = ensemble.architecture.cells
    joined = {key: np.concatenate([chunk[key] for chunk in chunks], axis=1) for key in chunks[0]}
    square = {k: v if k == "logits" else v.reshape(*v.shape[:2], side, side) for k, v in joined.items()}
    return PatchMaps(square.pop("logits"), square.pop("signed"), square)
