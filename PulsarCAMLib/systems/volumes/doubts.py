"""Images that can hardly be what they are given as: one sentence each, before anything is computed from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ...core.errors import InputError
from ...core.inputs import DOSE, MRI, InputRole
from ...io.volumes import NON_FINITE_LIMIT

if TYPE_CHECKING:
    from ...core.case import Image

MOST_GY = 200.0
"""No treatment of a head has a point with more; numbers above are cGy, or no dose."""

LEAST_HU = -500.0
"""An MRI has no value so far below zero; a CT's air has."""


def refuse_implausible(inputs: Sequence[InputRole], images: Mapping[str, Image], in_gy: bool) -> None:
    """Refuse what cannot be meant; ``in_gy``: the unit of a dose decides the result (a z-score has none).

    Raises:
        InputError: a single slice, mostly NaN, a dose that is none, or one image as MRI and as dose.
    """
    for role in inputs:
        image = images.get(role.name)
        if image is None:
            continue
        if role.kind == MRI and (image.voxels.ndim != 3 or min(image.voxels.shape) < 2):
            raise InputError(
                f"The {role.title} is a single slice ({' x '.join(map(str, image.voxels.shape[::-1]))} voxels); choose "
                "the whole 3D series."
            )
        if role.kind == DOSE:
            _refuse_dose(role, image, in_gy)
        if role.kind in (MRI, DOSE) and not_finite(image) > NON_FINITE_LIMIT:
            if not np.isfinite(image.voxels).any():
                raise InputError(f"The {role.title} is NaN or infinite everywhere; is it the right file?")
            raise InputError(f"{lost_words(image, role.title)} NaN or infinite; mend the image first.")
    for one, other in _twice(inputs, images):
        if one.kind != other.kind:
            raise InputError(
                f"The {one.title} and the {other.title} are one and the same image, and no image is both {one.kind} "
                f"and {other.kind}; choose each from its own file."
            )


def not_finite(image: Image) -> float:
    """Share of an image's voxels that are NaN or infinite."""
    return 1 - float(np.isfinite(image.voxels).mean()) if image.voxels.dtype.kind == "f" else 0.0


def lost_words(image: Image, title: str) -> str:
    """How a sentence begins on what is NaN or infinite; what rounds to 0% is counted."""
    lost = not_finite(image)
    count = round(lost * image.voxels.size)
    if lost >= 0.005:
        return f"{lost:.0%} of the {title} is"
    return f"{count} voxels of the {title} are" if count > 1 else f"One voxel of the {title} is"


def _twice(inputs: Sequence[InputRole], images: Mapping[str, Image]) -> Iterator[tuple[InputRole, InputRole]]:
    """Roles that have one image, whatever its header says in either."""
    there = [role for role in inputs if role.kind in (MRI, DOSE) and role.name in images]
    for one, other in combinations(there, 2):
        a, b = images[one.name].voxels, images[other.name].voxels
        if a is b or (a.shape == b.shape and _alike(a[len(a) // 2], b[len(b) // 2]) and _alike(a, b)):
            yield one, other


def _alike(a: np.ndarray, b: np.ndarray) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind == b.dtype.kind == "f")


def _refuse_dose(role: InputRole, image: Image, in_gy: bool) -> None:
    finite = image.voxels[np.isfinite(image.voxels)] if image.voxels.dtype.kind == "f" else image.voxels
    if not finite.size:
        return
    low, high = float(finite.min()), float(finite.max())
    if low < -0.01 * max(high, 1.0):
        raise InputError(
            f"The {role.title} has values down to {low:.4g}, and a dose has none below zero; was an MRI or a CT given "
            "in its place?"
        )
    if in_gy and high > MOST_GY:
        raise InputError(
            f"The {role.title} reaches {high:.4g}, and it must be in Gy: is it in cGy (divide it by 100), or was an "
            "MRI given in its place?"
        )


def doubtful(inputs: Sequence[InputRole], images: Mapping[str, Image]) -> Iterator[str]:
    """Sentences on what is possible and hardly meant."""
    there = [role for role in inputs if role.kind in (MRI, DOSE) and role.name in images]
    for role in there:
        if not_finite(images[role.name]):
            yield f"{lost_words(images[role.name], role.title)} NaN or infinite; the lowest value stands in."
        if role.kind == DOSE:
            continue
        lowest = float(np.nan_to_num(images[role.name].voxels, nan=0.0, posinf=0.0, neginf=0.0).min())
        if lowest < LEAST_HU:
            yield f"The {role.title} has values down to {lowest:.0f}, as a CT has; was one given in its place?"
    for one, other in _twice(inputs, images):
        if one.kind == other.kind:
            yield f"The {one.title} and the {other.title} are one and the same image; was one file chosen twice?"
