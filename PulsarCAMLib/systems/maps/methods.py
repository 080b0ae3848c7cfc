"""Map methods for any network by autograd: saliency, Grad-CAM; one sample at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.map_method import MapMethod
from ..answers import Explained, NetworkEvidence, Predictor

if TYPE_CHECKING:
    from torch import Tensor, nn


def explain_one_by_one(
    system: Any,
    predictor: Predictor,
    images: np.ndarray,
    masks: np.ndarray,
    methods: Sequence[str],
    after_chunk: Callable[[int], None] | None,
) -> Explained:
    """See :meth:`..contract.System.explain`; needs a predictor with ``members``."""
    import torch

    members: Sequence[nn.Module] = predictor.members  # type: ignore[attr-defined]
    logits: list[np.ndarray] = []
    maps: dict[tuple[str, str], list[np.ndarray]] = {}
    for n in range(len(images)):
        part = torch.from_numpy(images[n : n + 1]), torch.from_numpy(masks[n : n + 1])
        with torch.inference_mode():
            logits.append(predictor.logits(*part).float().cpu().numpy())
        evidence = NetworkEvidence(system, members, *part)
        for name in methods:
            for target, found in system.method(name).compute(evidence).items():
                maps.setdefault((name, target), []).append(found.detach().float().cpu().numpy())
        if after_chunk:
            after_chunk(n + 1)
    return Explained(
        np.concatenate(logits, axis=1), {key: np.concatenate(found, axis=1) for key, found in maps.items()}
    )


def _by_class(evidence: NetworkEvidence, of_one: Callable[[nn.Module, int], Tensor]) -> dict[str, Tensor]:
    """``of_one(member, class index)`` gives ``[n, *cells]``."""
    import torch

    return {
        name: torch.stack([of_one(member, index) for member in evidence.members])
        for index, name in enumerate(evidence.system.task.names)
    }


def _saliency(evidence: NetworkEvidence) -> dict[str, Tensor]:
    import torch

    def of_one(member: nn.Module, index: int) -> Tensor:
        images = evidence.images.clone().requires_grad_(True)
        with torch.enable_grad():
            member(images, evidence.masks)[:, index].sum().backward()
        assert images.grad is not None
        return images.grad.abs().amax(dim=1)

    return _by_class(evidence, of_one)


def _gradcam(evidence: NetworkEvidence) -> dict[str, Tensor]:
    import torch

    def of_one(member: nn.Module, index: int) -> Tensor:
        kept: list[Tensor] = []
        hook = evidence.system.explained_layer(member).register_forward_hook(lambda *call: kept.append(call[2]))
        try:
            with torch.enable_grad():
                logit = member(evidence.images.clone().requires_grad_(True), evidence.masks)[:, index].sum()
                (gradient,) = torch.autograd.grad(logit, kept[-1])
        finally:
            hook.remove()
        weights = gradient.flatten(2).mean(dim=2)
        return (weights.reshape(*weights.shape, *[1] * (kept[-1].ndim - 2)) * kept[-1]).sum(dim=1).relu()

    return _by_class(evidence, of_one)


SALIENCY = MapMethod(
    name="saliency",
    title="Saliency",
    unit="change of the logit per unit of intensity",
    equation="max over channels of |dy_c/dx|",
    compute=_saliency,
    saved_name="SALIENCY",
    cost=2.0,
)
GRADCAM = MapMethod(
    name="gradcam",
    title="Grad-CAM",
    unit="Grad-CAM weight, logit scale",
    equation="ReLU(sum_k w_k A^k), w_k = mean(dy_c/dA^k)",
    compute=_gradcam,
    saved_name="GRADCAM",
    cost=2.0,
)
