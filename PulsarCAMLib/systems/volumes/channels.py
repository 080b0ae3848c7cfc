"""Which channels a network sees: an image each, or the later image of a modality minus the earlier one.

Two MRIs are of one modality where they come from one column of the cohort table, in rows of two time points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ...core.inputs import DOSE, MRI, InputRole
from ...core.vocabulary import BASELINE, BEFORE, FOLLOWUP, SECOND
from .preprocessing import VolumePreprocessing

IN_TIME = (BEFORE, BASELINE, SECOND, FOLLOWUP)
"""Time points as they follow each other; others come behind, in the order in which a system names them."""


@dataclass(frozen=True)
class Channel:
    """One channel of a network's input.

    Attributes:
        role: whose image it is.
        minus: whose image is taken away from it; None: none is.
    """

    role: InputRole
    minus: InputRole | None = None

    @property
    def roles(self) -> tuple[InputRole, ...]:
        """Whose images it is made of."""
        return (self.role,) if self.minus is None else (self.role, self.minus)

    @property
    def name(self) -> str:
        """As in "t1_now", or "t1_now - t1_before"."""
        return " - ".join(role.name for role in self.roles)

    @property
    def title(self) -> str:
        """For people."""
        return " minus ".join(role.title for role in self.roles)


def shown_roles(inputs: Iterable[InputRole]) -> tuple[InputRole, ...]:
    """Roles of images that a network sees."""
    return tuple(role for role in inputs if role.kind in (MRI, DOSE))


def channels_of(inputs: Sequence[InputRole], preprocessing: VolumePreprocessing) -> tuple[Channel, ...]:
    """The channels in their order: that of the inputs; with subtraction a modality stands where it is first named."""
    roles = shown_roles(inputs)
    if not preprocessing.subtraction:
        return tuple(map(Channel, roles))
    order = time_points(inputs)
    found: list[Channel] = []
    done: set[str] = set()
    for role in roles:
        same = [each for each in roles if each.kind == MRI and each.table_column == role.table_column]
        if role.kind != MRI or len(same) < 2:
            found.append(Channel(role))
        elif role.table_column not in done:
            done.add(role.table_column)
            same.sort(key=lambda each: order.index(each.time_point))
            found += [Channel(later, earlier) for earlier, later in pairwise(same)]
    return tuple(found)


def time_points(inputs: Iterable[InputRole]) -> list[str]:
    """Time points of the images, the earliest first."""
    named = list(dict.fromkeys(role.time_point for role in shown_roles(inputs)))
    return sorted(named, key=lambda point: IN_TIME.index(point) if point in IN_TIME else len(IN_TIME))


def leads_of(inputs: Iterable[InputRole], there: Iterable[str]) -> dict[str, InputRole]:
    """Time point to its first MRI that is there, to which the others of the time point are registered."""
    known = set(there)
    found: dict[str, InputRole] = {}
    for role in inputs:
        if role.kind == MRI and role.name in known:
            found.setdefault(role.time_point, role)
    return found


def pairs_of(channels: Iterable[Channel]) -> tuple[tuple[int, int], ...]:
    """Numbers of channels that show MRIs of one column at two time points; differences have no other visit."""
    known: dict[str, list[int]] = {}
    for n, channel in enumerate(channels):
        if channel.minus is None and channel.role.kind == MRI:
            known.setdefault(channel.role.table_column, []).append(n)
    return tuple((one, other) for own in known.values() for one, other in pairwise(own))
