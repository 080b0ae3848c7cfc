"""Files of ITK transforms (.tfm, .txt, .mat, .h5), checked before a native reader sees them: a wrong count crashes it.

Sources: ITK's itkTxtTransformIO and itkMatlabTransformIO; the Level 4 MAT-File Format (MathWorks); the HDF5 File Format
Specification, II.A (superblock).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...core.errors import InputError
from .limits import cut, damaged, numbers

MOST_BYTES, MOST_HDF5_BYTES = 1 << 20, 16 << 20
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


HDF5 = b"\x89HDF\r\n\x1a\n"
NO_TRANSFORM = "is no transform that can be read; save it as an ITK transform (.tfm, .txt or .h5)"
_MAT, _DOUBLE = struct.Struct("<5i"), 0
"""A matrix's header: kind of its numbers, rows, columns, whether complex, length of its name. Little-endian doubles."""


def check_matlab(path: Path, name: str) -> None:
    """Check a MATLAB file of transforms: pairs of columns, named after the transform and "fixed".

    Raises:
        InputError: as :func:`check_transform`.
    """
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise damaged(name, "it is longer than a linear transform")
    waiting = ""
    for title, values in _matrices(raw, name):
        if (title == "fixed") != bool(waiting):
            raise InputError(f"{name} {NO_TRANSFORM}.")
        kind = waiting or _kind(title, name)
        counts = FIXED.get(kind, (3,)) if waiting else (PARAMETERS[kind],)
        if kind == "CompositeTransform" or values not in counts:
            raise damaged(name, f"it has {values} {'FixedParameters' if waiting else 'Parameters'} of {kind}")
        waiting = "" if waiting else kind
    if waiting or not raw:
        raise damaged(name, "it ends too early")


def _matrices(raw: bytes, name: str) -> Iterator[tuple[str, int]]:
    """Name and count of values of every matrix in a MATLAB file of level 4, all of them finite doubles."""
    at = 0
    while at < len(raw):
        if len(raw) < at + _MAT.size:
            raise damaged(name, "it ends too early")
        kind, rows, columns, is_complex, length = _MAT.unpack_from(raw, at)
        if kind != _DOUBLE or is_complex or not (0 <= rows <= 64 and columns in (0, 1) and 2 <= length <= 80):
            raise InputError(f"{name} {NO_TRANSFORM}.")
        title = raw[at + _MAT.size : at + _MAT.size + length].rstrip(b"\0").decode("latin-1")
        begin = at + _MAT.size + length
        at = begin + 8 * rows * columns
        if at > len(raw):
            raise damaged(name, "it ends too early")
        values = np.frombuffer(raw, "<f8", rows * columns, begin)
        if not np.isfinite(values).all():
            raise damaged(name, f"it has values of {cut(title)} that are no numbers")
        yield title, rows * columns


def check_hdf5(path: Path, name: str) -> None:
    """Whether a file begins as HDF5 does and is as long as it says; what is in it, only a native reader knows.

    Raises:
        InputError: it does not, or is not.
    """
    with path.open("rb") as file:
        raw = file.read(96)
    size = path.stat().st_size
    if not raw.startswith(HDF5) or len(raw) < 96:
        raise InputError(f"{name} {NO_TRANSFORM}.")
    if size > MOST_HDF5_BYTES:
        raise damaged(name, "it is longer than a linear transform")
    version = raw[8]
    offset_bytes, end = (raw[9], 28) if version in (2, 3) else (raw[13], 40 if version == 0 else 44)
    if version > 3 or offset_bytes != 8:
        raise InputError(f"{name} is HDF5 of a kind that is not read; save it as .tfm.")
    told = int.from_bytes(raw[end : end + 8], "little")
    if told != size:
        raise damaged(name, f"it has {size} bytes where its header says {told}")


def check_transform(path: Path, name: str) -> None:
    """Check a text file of transforms.

    Raises:
        InputError: it is none, of another dimension, bends space, or its numbers are not as many as it needs.
    """
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    lines = raw[:MOST_BYTES].decode("latin-1").replace("\r", "").split("\n")
    if not lines[0].startswith("#Insight Transform File V1"):
        raise InputError(f"{name} {NO_TRANSFORM}.")
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
        raise InputError(f"{name} {NO_TRANSFORM}.")
    if told[1] not in PARAMETERS and told[3] == "3":
        raise InputError(
            f"The transform {name} bends space, or is of a kind that is not read; give a rigid or affine one."
        )
    if (told[3], told[4]) != ("3", "3"):
        raise InputError(f"The transform {name} is of {told[3]} dimensions; it needs three.")
    return told[1]
