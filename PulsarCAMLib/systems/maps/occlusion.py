"""Occlusion: how far a class's logit falls when a part of the image is covered (method.md 4.4).

Of all inputs at once, and of every input alone while the others stay as they are. Source: Zeiler and Fergus 2014.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...core.map_method import MapMethod
from ..answers import EndedEarly, NetworkEvidence
from .blocks import OCCLUSION as NAME, OCCLUSION_PARTS, OcclusionSettings
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

    from .occluding import Ending, occluded

    wanted: dict[str, tuple[int, ...] | None] = {"": None, **evidence.inputs}
    found: dict[str, list[np.ndarray | None]] = {role: [] for role in wanted}
    ending = Ending(settings.partial) if settings.may_end_early else None
    whole = evidence.ended if isinstance(evidence.ended, EndedEarly) else EndedEarly()
    if ending is not None:
        ending.stopped = whole.stopped  # who ended the map of one sample does not wait for those of the others
    count = len(evidence.members) * len(wanted)
    for m, member in enumerate(evidence.members):
        occluder = occluder_of(evidence, member, evidence.images, settings.incremental)
        for n, (role, channels) in enumerate(wanted.items()):
            tell, known = partial(_tell_of, evidence, m * len(wanted) + n, count), ending.asked if ending else 0
            if ending and settings.minutes is not None:
                ending.give(60 * settings.minutes / count)
            values = occluded(occluder, settings, channels, _region(evidence, settings), tell, ending)
            found[role].append(None if ending and ending.asked == known else values)
    whole.stopped |= ending is not None and ending.stopped
    if ending and ending.left:
        evidence.ended(_what_is_left(ending.asked, ending.left))
    maps: dict[str | tuple[str, str], Tensor] = {}
    for role, members in found.items():
        asked = [each for each in members if each is not None] or [values]
        # a member that was not reached has the mean of the others, so that the mean over the members is theirs
        stand_in = np.mean(asked, axis=0) if any(each is not None for each in members) else np.zeros_like(values)
        stacked = np.stack([stand_in if each is None else each for each in members])
        falls = torch.from_numpy(stacked).to(evidence.images).relu()
        for n, name in enumerate(evidence.system.task.names):
            maps[(name, role) if role else name] = falls[:, n, None]
    return maps


def _region(evidence: NetworkEvidence, settings: OcclusionSettings) -> np.ndarray | None:
    return evidence.masks[0, 0].cpu().numpy().astype(bool) if settings.within_mask else None


def _what_is_left(asked: int, left: int) -> str:
    return (
        f"Occlusion was ended early: {asked} of {asked + left} positions were asked about. Voxels that none of them "
        "covered are 0, and members that were not reached have the mean of the others."
    )


def occlusion_cost(evidence: NetworkEvidence, settings: OcclusionSettings, times: int) -> str:
    """What maps of the evidence's inputs cost for so many members and samples, measured on the first; one sentence."""
    from .occluding import positions_asked

    occluder = occluder_of(evidence, evidence.members[0], evidence.images[:1], settings.incremental)
    maps = times * (1 + len(evidence.inputs))
    found = positions_asked(occluder, settings, _region(evidence, settings), maps).in_words()
    if settings.minutes is not None:
        found += f" It ends after {settings.minutes:g} minutes for each unit, and what is known then is kept."
    return found


def _tell_of(evidence: NetworkEvidence, before: int, maps: int, done: float) -> None:
    evidence.tell((before + done) / maps)


def occlusion(settings: OcclusionSettings) -> MapMethod:
    """The method with settings of one's own, for a system's ``maps``."""
    return MapMethod(
        name=NAME,
        title="Occlusion",
        unit="fall of the logit",
        equation="ReLU(mean over covering cubes of (y_c(x) - y_c(x occluded)))",
        compute=lambda evidence: occlusion_maps(evidence, evidence.choices.get(NAME, settings)),
        saved_name="OCCLUSION",
        by_input=True,
        always=False,
        choices=OcclusionSettings,
        given=lambda system, preprocessing: {"other_visit": system.visit_pairs(preprocessing)},
        foretold=lambda evidence, times: occlusion_cost(evidence, evidence.choices.get(NAME, settings), times),
        cost=float((2 * OCCLUSION_PARTS - 1) ** 3),  # positions of the usual settings, were every one a whole pass
    )


OCCLUSION = occlusion(OcclusionSettings())
