"""Occlusion: how far a class's logit falls when a part of the image is covered (method.md 4.4).

Of all inputs at once, and of every input alone while the others stay as they are. Source: Zeiler and Fergus 2014.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...core.map_method import MapMethod
from ..answers import NetworkEvidence
from .blocks import OCCLUSION_PARTS, OcclusionSettings
from .run import class_logits

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from .occluding import Occluder


def occluder_of(evidence: NetworkEvidence, member: nn.Module, image: Tensor, incremental: bool = True) -> Occluder:
    """One member with one sample ``[1, channels, *size]`` of the evidence, to be asked about blocks."""
    from .occluding import Occluder

    return Occluder(lambda images: class_logits(evidence, member, images), image, incremental)


def occlusion_maps(evidence: NetworkEvidence, settings: OcclusionSettings) -> dict[str | tuple[str, str], Tensor]:
    """Maps by class, of all inputs together and of each that the evidence asks for; what raises a logit is 0."""
    import numpy as np
    import torch

    from .occluding import occluded

    wanted: dict[str, tuple[int, ...] | None] = {"": None, **evidence.inputs}
    found: dict[str, list[np.ndarray]] = {role: [] for role in wanted}
    region = evidence.masks[0, 0].cpu().numpy().astype(bool) if settings.within_mask else None
    for m, member in enumerate(evidence.members):
        occluder = occluder_of(evidence, member, evidence.images, settings.incremental)
        for n, (role, channels) in enumerate(wanted.items()):
            tell = partial(_tell_of, evidence, m * len(wanted) + n, len(evidence.members) * len(wanted))
            found[role].append(occluded(occluder, settings, channels, region, tell))
    maps: dict[str | tuple[str, str], Tensor] = {}
    for role, values in found.items():
        falls = torch.from_numpy(np.stack(values)).to(evidence.images).relu()
        for n, name in enumerate(evidence.system.task.names):
            maps[(name, role) if role else name] = falls[:, n, None]
    return maps


def _tell_of(evidence: NetworkEvidence, before: int, maps: int, done: float) -> None:
    evidence.tell((before + done) / maps)


def occlusion(settings: OcclusionSettings) -> MapMethod:
    """The method with settings of one's own, for a system's ``maps``."""
    return MapMethod(
        name="occlusion",
        title="Occlusion",
        unit="fall of the logit",
        equation="ReLU(mean over covering cubes of (y_c(x) - y_c(x occluded)))",
        compute=lambda evidence: occlusion_maps(evidence, settings),
        saved_name="OCCLUSION",
        by_input=True,
        always=False,
        cost=float((2 * OCCLUSION_PARTS - 1) ** 3),  # positions of the usual settings, were every one a whole pass
    )


OCCLUSION = occlusion(OcclusionSettings())
