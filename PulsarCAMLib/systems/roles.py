"""What follows from a system's inputs: which are needed, which are images, which are shown."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..core.inputs import BRAIN, MASK, MRI, InputRole


class InputRoles:
    """Base of :class:`.contract.System`."""

    @property
    def needed_inputs(self: Any) -> tuple[InputRole, ...]:
        """Roles without which there is no answer."""
        return tuple(role for role in self.inputs if role.needed)

    @property
    def image_inputs(self: Any) -> tuple[InputRole, ...]:
        """Roles of images; maps are written on the grid of the first."""
        return tuple(role for role in self.inputs if role.kind != MASK)

    def mapped_inputs(self: Any, preprocessing: Any, present: Collection[str]) -> tuple[InputRole, ...]:
        """Inputs of :meth:`input_channels`: those that may have maps of their own, in their order."""
        found = self.input_channels(preprocessing, present)
        return tuple(role for role in self.inputs if role.name in found)

    @property
    def shown_inputs(self: Any) -> tuple[InputRole, ...]:
        """Roles of images that a network may see; which of them it does, :meth:`channel_roles` says."""
        return tuple(role for role in self.image_inputs if role.kind != BRAIN)

    @property
    def other_masks(self: Any) -> tuple[InputRole, ...]:
        """Roles of lesions of other time points; they are measured and drawn, and no network sees them."""
        return tuple(role for role in self.inputs if role.kind == MASK)[1:]

    @property
    def beside_the_first(self: Any) -> tuple[InputRole, ...]:
        """Roles of what is chosen besides the first image and its lesions: other images, lesions of other visits."""
        return (*self.image_inputs[1:], *self.other_masks)

    def lead_of(self: Any, role: InputRole) -> InputRole:
        """The first MRI of a role's time point, on which its mask was drawn."""
        found: InputRole = next(each for each in self.inputs if each.kind == MRI and each.time_point == role.time_point)
        return found

    def role(self: Any, kind: str) -> InputRole | None:
        """The first input of a kind, if there is one."""
        return next((role for role in self.inputs if role.kind == kind), None)
