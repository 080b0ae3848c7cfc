"""Text files of ITK transforms (.tfm, .txt), checked before a native reader sees them: a wrong count crashes it."""

from __future__ import annotations

import re
from pathlib import Path

from ...core.errors import InputError
from .limits import cut, damaged, numbers

MOST_BYTES = 1 << 20
"""Linear transforms are short; what is longer holds displacements."""

PARAMETERS = {
    "AffineTransform": 12,
    "MatrixOffsetTransformBase": 12,
    "Euler3DTransform": 6,
    "VersorRigid3DTransform": 6,
    "VersorTransform": 3,
    "Similarity3DTransform": 7,
    "ScaleVersor3DTransform": 9,
    "ScaleSkewVersor3DTransform": 15,
    "ComposeScaleSkewVersor3DTransform": 12,
    "QuaternionRigidTransform": 7,
    "TranslationTransform": 3,
    "ScaleTransform": 3,
    "IdentityTransform": 0,
    "CompositeTransform": 0,
}
"""Linear transforms of three dimensions, and how many parameters each has."""

FIXED = {
    "Euler3DTransform": (3, 4),
    "TranslationTransform": (0,),
    "IdentityTransform": (0,),
    "CompositeTransform": (0,),
}
"""Counts of the fixed parameters, where they are not the three of a centre."""


def check_transform(path: Path, name: str) -> None:
    """Check a text file of transforms.

    Raises:
        InputError: it is none, of another dimension, bends space, or its numbers are not as many as it needs.
    """
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    lines = raw[:MOST_BYTES].decode("latin-1").replace("\r", "").split("\n")
    if not lines[0].startswith("#Insight Transform File V1"):
        raise InputError(f"{name} is no transform that can be read; save it as an ITK transform (.tfm, .txt or .h5).")
    kind = ""
    waiting: list[str] = []
    for line in lines[1:]:
        field, sign, value = line.partition(":")
        if not line.strip() or line.startswith("#"):
            continue
        if field == "Transform" and sign and not waiting:
            kind = _kind(value.strip(), name)
            waiting = [] if kind == "CompositeTransform" else ["Parameters", "FixedParameters"]
        elif waiting and field == waiting[0]:
            counts = (PARAMETERS[kind],) if field == "Parameters" else FIXED.get(kind, (3,))
            found = numbers(value, name, field) if value.strip() else []
            if len(found) not in counts:
                raise damaged(name, f"it has {len(found)} {field} of {kind}")
            waiting.pop(0)
        else:
            raise damaged(name, f"it has a line {cut(line)}")
    if waiting or not kind or len(raw) > MOST_BYTES:
        raise damaged(name, "it ends too early" if len(raw) <= MOST_BYTES else "it is longer than a linear transform")


def _kind(text: str, name: str) -> str:
    """The type of a transform, without its number type and dimensions."""
    told = re.fullmatch(r"([A-Za-z0-9]{1,64})_(double|float)_(\d)_(\d)", text)
    if told is None:
        raise InputError(f"{name} is no transform that can be read; save it as an ITK transform (.tfm, .txt or .h5).")
    if told[1] not in PARAMETERS and told[3] == "3":
        raise InputError(
            f"The transform {name} bends space, or is of a kind that is not read; give a rigid or affine one."
        )
    if (told[3], told[4]) != ("3", "3"):
        raise InputError(f"The transform {name} is of {told[3]} dimensions; it needs three.")
    return told[1]
