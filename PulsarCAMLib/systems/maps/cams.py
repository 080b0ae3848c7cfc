"""Class activation maps by autograd at a named layer: Grad-CAM, Grad-CAM++, HiResCAM (method.md 4.2).

A map has one value in each cell of its layer: finer detail is interpolation, and files, tables and pages say how many
cells a unit has. Which layers there are is the system's to say (``explained_layers``); the usual one is called "".

Sources: Selvaraju et al. 2017 (Grad-CAM); Chattopadhay et al. 2018 (Grad-CAM++); Draelos and Carin 2020 (HiResCAM).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ...core.map_method import MapMethod
from ..answers import NetworkEvidence
from .run import by_class, class_logits

if TYPE_CHECKING:
    from torch import Tensor, nn

SHALLOW = "shallow"
"""Name of the second depth: nearer to the image, with more and smaller cells."""

Weighing = Callable[["Tensor", "Tensor"], "Tensor"]
"""From gradient and features ``[n, k, *cells]`` to the map before its ReLU ``[n, *cells]``."""


def grad_cam(gradient: Tensor, features: Tensor) -> Tensor:
    """Every feature map weighted by the mean of its gradient."""
    return (gradient.mean(dim=_cells(gradient), keepdim=True) * features).sum(dim=1)


def grad_cam_plus_plus(gradient: Tensor, features: Tensor) -> Tensor:
    """Weights sum alpha ReLU(g), alpha = g^2 / (2 g^2 + (sum A) g^3): those of exp(y), without its common factor."""
    up = gradient.relu()
    below = 2 + features.sum(dim=_cells(features), keepdim=True) * up
    weights = (up / below.where(below != 0, below.new_ones(()))).sum(dim=_cells(gradient), keepdim=True)
    return (weights * features).sum(dim=1)


def hires_cam(gradient: Tensor, features: Tensor) -> Tensor:
    """Features times gradients, cell by cell."""
    return (gradient * features).sum(dim=1)


def _cells(values: Tensor) -> tuple[int, ...]:
    return tuple(range(2, values.ndim))


def activation_maps(evidence: NetworkEvidence, weigh: Weighing, depth: str) -> dict[str, Tensor]:
    """Maps by class ``[members, n, *cells]``, not negative.

    Args:
        evidence: members and one sample.
        weigh: the method.
        depth: name of the layer.
    """

    def of_member(member: nn.Module) -> Iterator[Tensor]:
        for gradient, features in layer_gradients(evidence, member, evidence.system.explained_layers(member)[depth]):
            yield weigh(gradient, features).relu()

    return by_class(evidence, of_member)


def layer_gradients(evidence: NetworkEvidence, member: nn.Module, layer: nn.Module) -> Iterator[tuple[Tensor, Tensor]]:
    """dy_c/dA and A ``[n, k, *cells]`` for every class in its turn; one pass forward, one back for each class."""
    import torch

    kept: list[Tensor] = []

    def keep(_module, _given, output: Tensor) -> Tensor:
        kept.append(output)
        return output.clone()  # what changes its input in place must not change what was kept

    hook = layer.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            logits = class_logits(evidence, member, evidence.images.detach().clone().requires_grad_(True)).sum(dim=0)
    finally:
        hook.remove()
    last = len(logits) - 1
    for n, each in enumerate(logits):
        (gradient,) = torch.autograd.grad(each, kept[-1], retain_graph=n < last)
        yield gradient, kept[-1].detach()


def at_depth(method: MapMethod, depth: str) -> MapMethod:
    """A method of this file at another layer; its name and title say which."""
    return replace(
        method,
        name=f"{method.name}-{depth}",
        title=f"{method.title}, {depth}",
        equation=f"{method.equation}, at the {depth} layer",
        compute=lambda evidence: activation_maps(evidence, WEIGHINGS[method.name], depth),
        saved_name="",
        lesson=f"{method.lesson}; more and smaller cells",
    )


WEIGHINGS: dict[str, Weighing] = {"gradcam": grad_cam, "gradcam++": grad_cam_plus_plus, "hirescam": hires_cam}

GRADCAM = MapMethod(
    name="gradcam",
    title="Grad-CAM",
    unit="Grad-CAM weight, logit scale",
    equation="ReLU(sum_k w_k A^k), w_k = mean(dy_c/dA^k)",
    about="The layer's feature maps added up, each weighted by the mean of its gradient over all cells.",
    compute=lambda evidence: activation_maps(evidence, grad_cam, ""),
    saved_name="GRADCAM",
    cost=2.0,
    lesson="One weight for each feature map: it tells less about where",
)
GRADCAM_PLUS_PLUS = MapMethod(
    name="gradcam++",
    title="Grad-CAM++",
    unit="Grad-CAM++ weight, no unit",
    equation="ReLU(sum_k w_k A^k), w_k = sum(alpha^k ReLU(dy_c/dA^k))",
    about="Like Grad-CAM, with weights that count only gradients that speak for the class and are bounded (for the "
    "exponential of the logit). Values have no unit.",
    compute=lambda evidence: activation_maps(evidence, grad_cam_plus_plus, ""),
    saved_name="GRADCAMPP",
    cost=2.0,
    lesson="Like Grad-CAM, with weights that count only what speaks for the class",
)
HIRESCAM = MapMethod(
    name="hirescam",
    title="HiResCAM",
    unit="contribution to the logit",
    equation="ReLU(sum_k A^k dy_c/dA^k), cell by cell",
    about="Each cell's feature values times their gradients: where a linear layer follows, the share of the logit that "
    "the cell carries.",
    compute=lambda evidence: activation_maps(evidence, hires_cam, ""),
    cost=2.0,
    lesson="Features times gradients, cell by cell",
)
