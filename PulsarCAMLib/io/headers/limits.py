"""What a header may say: limits for numbers of voxels and millimetres, and numbers read from text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from ...core.errors import GeometryError, InputError
from ...core.geometry.volume import ORTHOGONALITY_TOLERANCE
from ...core.visible import shortened, visible

MOST_HEADER_BYTES = 4 << 20
"""No text header is longer; segmentations with hundreds of segments stay far below."""

MOST_FIELD_CHARACTERS = 500
"""Longer fields of numbers or names crash native readers; no true one comes near."""

MOST_SHOWN = 40
"""Characters of a field that a sentence repeats."""

MOST_DIMENSIONS = 7
MOST_VOXELS = 1_000_000_000
"""Values of one file: 1024 x 1024 x 900 and more; beyond, the numbers are wrong or the memory does not suffice."""

SPACING_MM = (1e-3, 1e3)
"""Distance between voxel centres, lowest and highest."""

FARTHEST_MM = 1e6
"""Coordinates of the first voxel; a kilometre from the isocentre is a fault."""

SPACING_TOLERANCE = 1e-3
"""Share by which two statements of one voxel size in a header may differ: single precision, rounding in text."""

ROUNDED_MM, ROUNDED_VOXELS = 0.1, 0.1
"""Two statements of one place differ by rounding up to this distance, or up to this share of the smallest voxel edge,
whichever is more: quaternions of single precision are off by up to 0.02 degrees, 0.1 mm at the edge of a head."""

OTHER_UNITS = {"m", "meter", "metre", "cm", "centimeter", "um", "µm", "μm", "micron", "micrometer", "nm", "inch", "in"}
"""Units of length that native readers pass over in silence."""


def damaged(name: str, why: str) -> InputError:
    """The error for a file whose header and contents do not go together."""
    return InputError(f"{name} is damaged: {why}; copy or export it again.")


def whole_number(text: str, name: str, what: str, low: int, high: int) -> int:
    """A whole number of a header's text between two bounds.

    Raises:
        InputError: it is none, or lies outside.
    """
    try:
        number = int(text)
    except ValueError:
        number = low - 1
    if not low <= number <= high or not text.strip().isascii():
        raise damaged(name, f"its header says {what} {cut(text)}")
    return number


def numbers(text: str, name: str, what: str, count: int | None = None, *, finite: bool = True) -> list[float]:
    """Numbers of a header's text, apart by spaces.

    Args:
        text: the field's value.
        name: the file, for the sentence.
        what: the field, for the sentence.
        count: how many there must be.
        finite: whether NaN and infinity are refused.

    Raises:
        InputError: other words, another count, or a number that is not finite.
    """
    try:
        found = [float(part) for part in text.split()]
    except ValueError:
        found = []
    if not found or (count is not None and len(found) != count) or (finite and not all(map(math.isfinite, found))):
        raise damaged(name, f"its header says {what} {cut(text)}")
    return found


def cut(text: str) -> str:
    """Text of a header for a sentence: quoted, short, nothing unprintable."""
    return f"“{shortened(visible(' '.join(text.split()), joiners=''), MOST_SHOWN)}”"


def check_sizes(sizes: Sequence[int], name: str, values: int = 1) -> int:
    """Number of values of an image of some size.

    Raises:
        InputError: a size that is not positive, or more than :data:`MOST_VOXELS`.
    """
    told = " x ".join(str(n) for n in sizes)
    if min(sizes) < 1:
        raise damaged(name, f"its header says {told} voxels")
    count = math.prod(sizes) * values
    if count > MOST_VOXELS:
        raise InputError(
            f"{name} has {told} voxels by its header, more than the {MOST_VOXELS} that are read; crop or resample it, "
            "or export it again if it is no such image."
        )
    return count


def check_spacing(spacing: Iterable[float], name: str) -> None:
    """Distances between voxel centres in millimetres must be said, and be those of an image.

    Raises:
        GeometryError: zero, negative, NaN, or beyond :data:`SPACING_MM`.
    """
    spacing = [float(s) for s in spacing]
    if all(SPACING_MM[0] <= s <= SPACING_MM[1] for s in spacing):
        return
    told = " x ".join(f"{s:.6g}" for s in spacing)
    if any(not s > 0 for s in spacing):
        raise GeometryError(f"{name} does not say its voxel size ({told} mm in its header); export it again with it.")
    raise GeometryError(
        f"{name} has voxels of {told} mm by its header, which cannot be ({SPACING_MM[0]:g} to {SPACING_MM[1]:g} mm are "
        "read); export it again."
    )


def check_origin(origin: Iterable[float], name: str) -> None:
    """Coordinates of the first voxel in millimetres.

    Raises:
        GeometryError: NaN, or beyond :data:`FARTHEST_MM`.
    """
    origin = [float(o) for o in origin]
    if not all(abs(o) <= FARTHEST_MM for o in origin):
        told = ", ".join(f"{o:.6g}" for o in origin)
        raise GeometryError(f"{name} begins at ({told}) mm by its header, which cannot be; export it again.")


def rounded_mm(spacing: Iterable[float]) -> float:
    """Millimetres up to which two places of one grid are the same, by its voxel sizes.

    Examples:
        >>> rounded_mm((0.5, 0.5, 3.0)), rounded_mm((2.0, 2.0, 2.0))
        (0.1, 0.2)
    """
    return max(ROUNDED_MM, ROUNDED_VOXELS * min(spacing))


def unplaced(name: str, lacks: str, why: str) -> GeometryError:
    """The error for a header that leaves open where the image lies; native readers put it somewhere without a word.

    Args:
        name: the file.
        lacks: what is not known by it, as in "neither left and right nor a place".
        why: which fields do not say it.
    """
    return GeometryError(f"{name} says {lacks} in its header ({why}); convert it from its source again.")


NOWHERE, NO_ORIGIN, NO_SIDES = "neither left and right nor a place", "no place", "neither left nor right"
"""What a header may lack, for :func:`unplaced`."""


def check_axes(axes: np.ndarray, name: str) -> None:
    """Unit vectors of the axes as columns.

    Raises:
        GeometryError: not finite, or not perpendicular.
    """
    # the largest entry is looked at first: products of absurd numbers overflow
    if not np.isfinite(axes).all() or np.abs(axes).max() > 2:
        raise GeometryError(f"{name} has axes of directions that cannot be, by its header; export it again.")
    if np.abs(axes.T @ axes - np.eye(len(axes))).max() > ORTHOGONALITY_TOLERANCE:
        raise GeometryError(
            f"The axes of {name[:1].lower()}{name[1:]} are not perpendicular (a shearing transform in its header); "
            "resample it to an ordinary grid first."
        )
