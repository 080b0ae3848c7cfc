"""Logits and maps of many patches: one batched pass through the ensemble, closed form through its head."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...contract import Explained
from ..model.ensemble import Ensemble
from ..task import TASK
from .closed_form import METHODS, SIGNED, Evidence, class_maps
from .relative import refuse_missing

USUAL = tuple(method.name for method in METHODS if method.always and not method.signed)


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

    def explained(self) -> Explained:
        """The same as every system gives it."""
        return Explained(self.logits, {**self.maps, (SIGNED, ""): self.signed})


def explain_patches(
    ensemble: Ensemble,
    images: np.ndarray,
    masks: np.ndarray,
    methods: Sequence[str] = USUAL,
    after_chunk: Callable[[int], None] | None = None,
    choices: Mapping[str, Any] | None = None,
) -> PatchMaps:
    """Explain N patches by the named methods, for both classes.

    Args:
        ensemble: of models; computed in its precision.
        images: ``[N, 1, s, s]``, 0 to 1.
        masks: ``[N, 1, s, s]``, bool or shares of pixels.
        methods: names of :data:`~.closed_form.METHODS` that have a map for each class.
        after_chunk: is told how many patches are done.
        choices: settings of methods by their names, where they are not the usual ones.

    Raises:
        InputError: maps are to be relative to features that the model does not keep.
    """
    choices = choices or {}
    refuse_missing(ensemble, [each for name, each in choices.items() if name in methods])

    methods = [method for method in methods if method != SIGNED]  # comes with the others
    keys = [(method, name) for method in methods for name in TASK.names]
    logits, signed, maps = _room(ensemble, len(images), len(keys))

    def work(part: slice) -> None:
        masked, cells = ensemble.masked_features(torch.from_numpy(images[part]), torch.from_numpy(masks[part]))
        s, gradient = ensemble.head(masked)
        soft = None if masks.dtype == bool else cells
        evidence = Evidence(s, masked, gradient.mul_(cells[:, None]), soft, cells, ensemble.reference, choices)
        logits[:, part] = s
        signed[:, part] = evidence.signed
        found = iter(maps)
        for method in methods:
            by_class = class_maps(evidence, method)
            for name in TASK.names:
                next(found)[:, part] = by_class[name]

    for _ in ensemble.in_parts(work, len(images), after_chunk):
        pass
    side = ensemble.architecture.cells
    shape = (len(ensemble), len(images), side, side)
    by_key = {key: values.numpy().reshape(shape) for key, values in zip(keys, maps, strict=True)}
    return PatchMaps(logits.numpy(), signed.numpy().reshape(shape), by_key)


def _room(ensemble: Ensemble, patches: int, maps: int) -> tuple[Tensor, Tensor, Tensor]:
    """For the logits, the signed map and all maps; one block, which NumPy takes from large pages where it can."""
    cells = ensemble.architecture.cells**2
    number = torch.empty(0, dtype=ensemble.dtype).numpy().dtype
    block = torch.from_numpy(np.empty((1 + maps, len(ensemble), patches, cells), dtype=number))
    return torch.empty(len(ensemble), patches, dtype=ensemble.dtype), block[0], block[1:]
