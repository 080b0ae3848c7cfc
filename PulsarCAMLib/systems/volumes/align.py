"""The common space of a case's images, as its model's preprocessing wants it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...core.errors import InputError
from ...core.inputs import InputRole
from .channels import leads_of
from .preprocessing import GIVEN, NONE, VolumePreprocessing
from .space import Space, is_rigid, rigid, volume_factor

if TYPE_CHECKING:
    from ...core.case import Case


def common_space(
    inputs: Sequence[InputRole],
    case: Case,
    preprocessing: VolumePreprocessing,
    tell: Callable[[float, str], None] | None = None,
) -> Space:
    """Where the images of a case lie in the space that its model wants.

    Args:
        inputs: of the system.
        case: with every needed role.
        preprocessing: of the model.
        tell: called with a fraction and a text; an error that it raises ends the work.

    Raises:
        InputError: images cannot be brought together, or what that needs is not given.
    """
    roles = {role.name: role for role in inputs if role.name in case.images}
    leads = {point: role.name for point, role in leads_of(inputs, case.images).items()}
    ways: dict[str, np.ndarray | None] = {}
    warnings: list[str] = []
    if case.transforms:
        ways, warnings = _given(roles, leads, case.transforms)
    elif preprocessing.registration == GIVEN:
        raise InputError(
            "The model takes images with given transforms and there are none; give one for each image that lies "
            "elsewhere, or say that all are aligned."
        )
    elif preprocessing.registration != NONE:
        raise InputError(f"The registration {preprocessing.registration!r} is not there yet.")
    return Space(ways, {}, leads, (), tuple(warnings))


def _given(
    roles: Mapping[str, InputRole], leads: Mapping[str, str], transforms: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray | None], list[str]]:
    """Ways from the transforms of a case; an image without one lies where the first MRI of its time point does."""
    ways: dict[str, np.ndarray | None] = {}
    warnings = []
    for name, role in roles.items():
        matrix = transforms.get(name, transforms.get(leads.get(role.time_point, "")))
        if matrix is None or np.array_equal(matrix, np.eye(4)):
            ways[name] = None
            continue
        if is_rigid(matrix):
            ways[name] = rigid(matrix)
            continue
        ways[name] = np.asarray(matrix, dtype=float)
        factor = volume_factor(matrix)
        if not np.isfinite(factor) or not 0.2 < factor < 5:
            raise InputError(
                f"The transform of the {role.title} is no plausible one; it changes volumes {factor:.2g}fold."
            )
        warnings.append(
            f"The transform of the {role.title} is not rigid: volumes become {factor:.1%} of what they are."
        )
    return ways, warnings
