"""Maps from the gradient with respect to the images: saliency, SmoothGrad, integrated gradients (method.md 4.1).

One map of all inputs together, and one of every input of its own. All are on the samples' own voxels: no map of these
methods is coarser than what the network sees.

Sources: Simonyan, Vedaldi and Zisserman 2013 (saliency); Smilkov et al. 2017 (SmoothGrad); Sundararajan, Taly and Yan
2017 (integrated gradients).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ...core.map_method import MapMethod
from ..answers import NetworkEvidence
from .run import by_class_and_input, class_logits

if TYPE_CHECKING:
    from torch import Tensor, nn

SMOOTHGRAD_SAMPLES, SMOOTHGRAD_NOISE, SMOOTHGRAD_SEED = 16, 0.15, 0
"""Noisy copies; standard deviation of the noise as a share of each channel's range; where the noise begins."""

UP_OR_DOWN = "what moves {}, up or down"
"""What a map of absolute gradients is for a class: it has no sign."""

INTEGRATION_STEPS = 32
"""Gauss-Legendre nodes between baseline and image."""

VOXELS_AT_ONCE = 1_000_000
"""So many voxels (over channels and copies) go through a network together: one copy at a time for large volumes."""


def input_gradients(evidence: NetworkEvidence, member: nn.Module, images: Tensor) -> list[Tensor]:
    """``dy_c/dx`` of every class, each ``[n, channels, *size]``; one pass forward, one back for each class."""
    import torch

    given = images.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        logits = class_logits(evidence, member, given).sum(dim=0)
        last = len(logits) - 1
        return [torch.autograd.grad(each, given, retain_graph=n < last)[0] for n, each in enumerate(logits)]


def mean_gradients(
    evidence: NetworkEvidence, member: nn.Module, variants: Iterator[tuple[float, Tensor]], count: int
) -> list[Tensor]:
    """Weighted sum of ``dy_c/dx`` over so many variants ``[1, channels, *size]`` of one sample, for every class."""
    import torch

    total: list[Tensor] = []
    done, before = 0, [each is member for each in evidence.members].index(True)
    for weights, chunk in _chunks(variants, max(1, VOXELS_AT_ONCE // evidence.images[0].numel())):
        for n, gradient in enumerate(input_gradients(evidence, member, chunk)):
            part = torch.einsum("n,n...->...", weights.to(gradient), gradient)[None]
            total[n : n + 1] = [total[n] + part if n < len(total) else part]
        done += len(chunk)
        evidence.tell((before + done / count) / len(evidence.members))
    return total


def _chunks(variants: Iterator[tuple[float, Tensor]], most: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Weights ``[n]`` and images ``[n, channels, *size]``, at most so many at once."""
    from itertools import islice

    import torch

    while some := list(islice(variants, most)):
        yield torch.tensor([weight for weight, _ in some], dtype=torch.float64), torch.cat([each for _, each in some])


def smooth_gradients(
    evidence: NetworkEvidence, member: nn.Module, samples: int, noise: float, seed: int
) -> list[Tensor]:
    """Mean of ``dy_c/dx`` over noisy copies, for every class; every member and class sees the same noise."""
    import torch

    image = evidence.images
    axes = tuple(range(2, image.ndim))
    deviation = noise * (image.amax(dim=axes, keepdim=True) - image.amin(dim=axes, keepdim=True))

    def noisy() -> Iterator[tuple[float, Tensor]]:
        drawn = torch.Generator().manual_seed(seed)
        for _ in range(samples):
            step = torch.randn(image.shape, generator=drawn, dtype=torch.float64)
            yield 1 / samples, image + deviation * step.to(image)

    return mean_gradients(evidence, member, noisy(), samples)


def integrated_gradients(evidence: NetworkEvidence, member: nn.Module, steps: int) -> list[Tensor]:
    """``x`` times the mean of ``dy_c/dx`` on the way from zero to ``x``, for every class ``[n, channels, *size]``.

    Zero is each channel's mean inside the unit, as the samples are standardised. Summed over everything this is
    y_c(x) - y_c(0) up to the rule's error, which is zero where the gradient is a polynomial of the way of a degree up
    to 2 x steps - 1.
    """
    import numpy as np

    nodes, weights = np.polynomial.legendre.leggauss(steps)
    image = evidence.images
    on_the_way = ((float(w) / 2, image * (float(a) + 1) / 2) for a, w in zip(nodes, weights, strict=True))
    return [image * gradient for gradient in mean_gradients(evidence, member, on_the_way, steps)]


def _largest(values: Tensor) -> Tensor:
    return values.abs().amax(dim=1)


def _for(values: Tensor) -> Tensor:
    """What speaks for the class, summed over the channels."""
    return values.sum(dim=1).relu()


def _maps_of(
    attributions: Callable[[NetworkEvidence, nn.Module], list[Tensor]], reduce: Callable[[Tensor], Tensor]
) -> Callable[[NetworkEvidence], dict[str | tuple[str, str], Tensor]]:
    def compute(evidence: NetworkEvidence) -> dict[str | tuple[str, str], Tensor]:
        return by_class_and_input(evidence, lambda member: attributions(evidence, member), reduce)

    return compute


def smoothgrad(
    samples: int = SMOOTHGRAD_SAMPLES, noise: float = SMOOTHGRAD_NOISE, seed: int = SMOOTHGRAD_SEED
) -> MapMethod:
    """SmoothGrad with settings of its own."""
    return MapMethod(
        name="smoothgrad",
        title="SmoothGrad",
        unit="change of the logit per unit of intensity",
        equation=f"max over channels of |mean of dy_c/dx at x + noise|, {samples} copies, noise of {noise:g} of each "
        "channel's range",
        about="Saliency averaged over noisy copies of the images: what changes with the noise falls away.",
        compute=_maps_of(lambda evidence, member: smooth_gradients(evidence, member, samples, noise, seed), _largest),
        by_input=True,
        always=False,
        cost=1.0 * samples,
        class_cost=2.0 * samples,
        lesson="Saliency, averaged over noisy copies of the images",
        tells=UP_OR_DOWN,
    )


def integrated(steps: int = INTEGRATION_STEPS) -> MapMethod:
    """Integrated gradients with another number of steps."""
    return MapMethod(
        name="integrated-gradients",
        title="Integrated gradients",
        unit="contribution to the logit",
        equation=f"ReLU(sum over channels of x times the mean of dy_c/dx on the way from the mean intensity to x, "
        f"{steps} steps)",
        about="How the logit's difference from that of an image without contrast is shared out among voxels and "
        "inputs; shown is what speaks for the class.",
        compute=_maps_of(lambda evidence, member: integrated_gradients(evidence, member, steps), _for),
        by_input=True,
        always=False,
        cost=1.0 * steps,
        class_cost=2.0 * steps,
        lesson="Shares out the whole logit among voxels and inputs",
    )


SALIENCY = MapMethod(
    name="saliency",
    title="Saliency",
    unit="change of the logit per unit of intensity",
    equation="max over channels of |dy_c/dx|",
    about="How strongly the logit of the class changes with the intensity of each voxel, up or down.",
    compute=_maps_of(lambda evidence, member: input_gradients(evidence, member, evidence.images), _largest),
    by_input=True,
    saved_name="SALIENCY",
    cost=1.0,
    class_cost=2.0,
    lesson="How strongly the answer changes with each voxel",
    tells=UP_OR_DOWN,
)
SMOOTHGRAD = smoothgrad()
INTEGRATED_GRADIENTS = integrated()
