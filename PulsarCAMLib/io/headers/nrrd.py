"""Headers of NRRD files (.nrrd, .nhdr, .seg.nrrd): parsed here, before a native reader sees them.

Source: the definition of the format at https://teem.sourceforge.net/nrrd/format.html.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...core.errors import InputError
from ...core.visible import decoded
from .contents import check_inflated, check_length, check_text, data_file, inflated
from .limits import (
    MOST_DIMENSIONS,
    MOST_FIELD_CHARACTERS,
    MOST_HEADER_BYTES,
    NO_ORIGIN,
    NO_SIDES,
    NOWHERE,
    OTHER_UNITS,
    check_axes,
    check_origin,
    check_sizes,
    check_spacing,
    cut,
    damaged,
    numbers,
    unplaced,
    whole_number,
)

TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}

ENCODINGS = {"raw": "raw", "gzip": "gzip", "gz": "gzip", "ascii": "text", "text": "text", "txt": "text"}

SPACE_DIMENSIONS = {"right-anterior-superior": 3, "left-anterior-superior": 3, "left-posterior-superior": 3}
PATIENT_SPACES = frozenset(SPACE_DIMENSIONS) | {"ras", "las", "lps"}
"""Spaces that say which way is left; the others are relative to a scanner or a screen, and ITK takes them for LPS."""

SPACE_DIMENSIONS |= {"ras": 3, "las": 3, "lps": 3, "scanner-xyz": 3, "3d-right-handed": 3, "3d-left-handed": 3}

NO_PLACE = {"list", "vector", "point", "normal", "complex", "quaternion", "stub", "scalar", "time", "covariant-vector"}
NO_PLACE |= {"2-vector", "3-vector", "4-vector"}
"""Kinds of axes along which nothing lies in space (matrices and colours are others)."""

PER_AXIS = {"spacings", "thicknesses", "axis mins", "axis maxs", "kinds", "centers", "labels", "units", "sizes"}
OTHERS = {
    "type",
    "dimension",
    "space",
    "space dimension",
    "space directions",
    "space origin",
    "space units",
    "encoding",
}
OTHERS |= {"endian", "data file", "line skip", "byte skip", "content", "block size", "number", "min", "max"}
OTHERS |= {"old min", "old max", "sample units", "measurement frame"}
SPELLINGS = {"centerings": "centers", "axismins": "axis mins", "axismaxs": "axis maxs", "datafile": "data file"}
SPELLINGS |= {"lineskip": "line skip", "byteskip": "byte skip", "oldmin": "old min", "oldmax": "old max"}
SPELLINGS |= {"blocksize": "block size", "sampleunits": "sample units"}


@dataclass(frozen=True)
class NrrdHeader:
    """What a NRRD file says of itself.

    Attributes:
        fields: basic fields by their names in small letters, values as they stand.
        pairs: key/value pairs ("key:=value") as text: UTF-8, and Latin-1 where a line is not UTF-8.
        end: byte behind the header, where attached data begin.
    """

    fields: dict[str, str]
    pairs: dict[str, str]
    end: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of samples along each axis, the fastest first."""
        return tuple(int(size) for size in self.fields["sizes"].split())


def read_nrrd_header(path: Path, name: str) -> NrrdHeader:
    """Fields and pairs of a NRRD file's header, with types, sizes and place checked.

    Raises:
        InputError: the header is damaged, or asks for what is not read.
        GeometryError: a place that cannot be.
    """
    header = _parsed(path, name)
    fields = header.fields
    dimension = whole_number(fields.get("dimension", ""), name, "dimension", 1, MOST_DIMENSIONS)
    for key in sorted(PER_AXIS):
        if key in fields and _count(fields[key]) != dimension:
            raise damaged(name, f"its header says {key} {cut(fields[key])} of {dimension} axes")
    if "sizes" not in fields:
        raise damaged(name, "its header does not say its sizes")
    sizes = [whole_number(word, name, "sizes", 1, 1 << 31) for word in fields["sizes"].split()]
    check_sizes(sizes, name)
    for key in ("thicknesses", "axis mins", "axis maxs", "min", "max", "old min", "old max"):
        if key in fields:
            numbers(fields[key], name, key, finite=False)
    _check_place(fields, dimension, name)
    if dimension >= 3:
        _check_said(header, name)
    return header


def check_nrrd(path: Path, name: str) -> None:
    """Check a NRRD file's header, and that its voxels are all there.

    Raises:
        InputError: as :func:`read_nrrd_header`, or voxels are missing.
        GeometryError: a place that cannot be.
    """
    header = read_nrrd_header(path, name)
    fields = header.fields
    told = " ".join(fields.get("type", "").lower().split())
    dtype = next((np.dtype(code) for code, names in TYPES.items() if told in names), None)
    if dtype is None:
        raise damaged(name, f"its header says type {cut(told)}")
    encoding = ENCODINGS.get(fields.get("encoding", "").lower())
    if encoding is None:
        raise InputError(
            f"{name} has the encoding {cut(fields.get('encoding', ''))}, which is not read; save it raw or with gzip."
        )
    if encoding == "raw" and dtype.itemsize > 1 and fields.get("endian", "").lower() not in ("little", "big"):
        raise damaged(name, "its header does not say the order of bytes (endian)")
    _check_voxels(path, name, header, dtype, encoding)


def _check_voxels(path: Path, name: str, header: NrrdHeader, dtype: np.dtype, encoding: str) -> None:
    fields = header.fields
    count = math.prod(header.sizes)
    needed = count * dtype.itemsize
    data, at = path, header.end
    if "data file" in fields:
        named = fields["data file"]
        if named.upper().startswith("LIST") or "%" in named:
            raise InputError(f"{name} spreads its voxels over several files ({cut(named)}); save it as one file.")
        data, at = data_file(path, named, name), 0
    skip = whole_number(fields.get("byte skip", "0"), name, "byte skip", -1, 1 << 40)
    lines = whole_number(fields.get("line skip", "0"), name, "line skip", 0, 1 << 20)
    if lines or (skip and encoding != "raw"):
        raise InputError(f"{name} has its voxels behind other text, which is not read; save it as one plain file.")
    if encoding == "gzip":
        check_inflated(inflated(data, name, at), name, needed)
    elif encoding == "text":
        check_text(data, name, at, count, dtype)
    elif skip == -1:
        check_length(data, name, max(data.stat().st_size - needed, 0), needed)
    else:
        check_length(data, name, at + skip, needed)


def _parsed(path: Path, name: str) -> NrrdHeader:
    fields: dict[str, str] = {}
    pairs: dict[str, str] = {}
    with path.open("rb") as file:
        if not re.fullmatch(rb"NRRD000[1-6]", file.readline(32).rstrip(b"\r\n")):
            raise damaged(name, "its first line is not that of a NRRD file")
        while True:
            raw = file.readline(MOST_HEADER_BYTES)
            if file.tell() > MOST_HEADER_BYTES:
                raise damaged(name, "its header does not end")
            text = decoded(raw).rstrip("\r\n")
            if not text:  # a blank line, or the end of a header that is a file of its own
                break
            if "\0" in text:
                raise damaged(name, "its header does not end")
            if not text.startswith("#"):
                _note(text, fields, pairs, name)
        return NrrdHeader(fields, pairs, file.tell())


def _note(text: str, fields: dict[str, str], pairs: dict[str, str], name: str) -> None:
    """Enter one line of the header."""
    field, value = re.match(r"([^:]*)(?:: ?(.*))?$", text, re.DOTALL).groups()  # type: ignore[union-attr]
    key = " ".join(field.lower().split())
    key = SPELLINGS.get(key, key)
    if value is not None and text[len(field) + 1 : len(field) + 2] != "=" and key in PER_AXIS | OTHERS:
        value = value.strip()
        if key in fields or len(value) > MOST_FIELD_CHARACTERS:
            raise damaged(name, f"its header says {key} {cut(value)}{' twice' if key in fields else ''}")
        fields[key] = value
        return
    pair, sign, value = text.partition(":=")
    if not sign or len(pair) > MOST_FIELD_CHARACTERS:
        raise damaged(name, f"its header has a line {cut(text)}")
    pairs[pair] = value


def _count(text: str) -> int:
    """Words of a field, where a quoted text is one word."""
    return len(re.findall(r'"(?:[^"\\]|\\.)*"|\S+', text))


def _check_place(fields: dict[str, str], dimension: int, name: str) -> None:
    space = fields.get("space", "").lower()
    with_time = space.endswith(("-time", "t")) and space not in SPACE_DIMENSIONS
    if space and not with_time and space not in SPACE_DIMENSIONS:
        raise damaged(name, f"its header says space {cut(space)}")
    wide = SPACE_DIMENSIONS.get(space, 4 if with_time else 0)
    if not wide and "space dimension" in fields:
        wide = whole_number(fields["space dimension"], name, "space dimension", 1, MOST_DIMENSIONS)
    words = [word.lower().strip('"') for word in fields.get("kinds", "").split()]
    for key in ("space units", "units"):
        if other := OTHER_UNITS & {word.lower() for word in re.findall(r"[^\s\"]+", fields.get(key, ""))}:
            raise InputError(f"{name} gives its lengths in {other.pop()}; save it in mm.")
    if "space directions" in fields:
        if "spacings" in fields or not wide:
            raise damaged(name, "its header has space directions beside spacings, or without a space")
        _check_directions(fields["space directions"], dimension, wide, name)
    else:
        told = numbers(fields.get("spacings", " ".join(["nan"] * dimension)), name, "spacings", finite=False)
        kinds = words or ["domain"] * dimension
        placed = [step for step, kind in zip(told, kinds, strict=True) if not _no_place(kind)]
        check_spacing(placed[:3], name)
    if "space origin" in fields:
        check_origin(_vector(fields["space origin"], wide, name, "space origin")[:3], name)
    for vector in _vectors(fields.get("measurement frame", ""), name, "measurement frame"):
        _vector(vector, wide, name, "measurement frame")


def _check_said(header: NrrdHeader, name: str) -> None:
    """Whether a header says where its voxels lie; ITK puts the others at 0, with axes that run left, back and up.

    3D Slicer of 4.10 and before wrote segmentations of four dimensions without a space, whose vectors are RAS.

    Raises:
        GeometryError: it does not.
    """
    fields = header.fields
    space = fields.get("space", "").lower()
    old = "space dimension" in fields and "Segment0_ID" in header.pairs
    if "space directions" not in fields:
        raise unplaced(name, NOWHERE, "no space directions")
    if not old and re.sub(r"(-time|t)$", "", space) not in PATIENT_SPACES:
        why = f"space {cut(space)} does not tell them" if space else "no space"
        raise unplaced(name, NO_SIDES, why)
    if "space origin" not in fields:
        raise unplaced(name, NO_ORIGIN, "no space origin")


def _no_place(kind: str) -> bool:
    return kind in NO_PLACE or "matrix" in kind or "color" in kind or kind in ("rgb", "rgba")


def _check_directions(text: str, dimension: int, wide: int, name: str) -> None:
    found = _vectors(text, name, "space directions")
    vectors = [_vector(each, wide, name, "space directions") for each in found if each != "none"]
    if len(found) != dimension or len(vectors) > wide:
        raise damaged(name, f"its header says space directions {cut(text)}")
    if len(vectors) < min(wide, 3):
        raise damaged(name, "its header does not say the directions of all its axes")
    axes = np.array(vectors)[:3, :3].T
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(axes, axis=0)
    check_spacing(lengths, name)
    check_axes(axes / lengths, name)


def _vectors(text: str, name: str, what: str) -> Sequence[str]:
    """Vectors such as "(1,0,0)", and "none"."""
    found = re.findall(r"\([^()]*\)|none", text)
    if re.sub(r"\([^()]*\)|none", "", text).strip():
        raise damaged(name, f"its header says {what} {cut(text)}")
    return found


def _vector(text: str, wide: int, name: str, what: str) -> list[float]:
    if not (text.startswith("(") and text.endswith(")")):
        raise damaged(name, f"its header says {what} {cut(text)}")
    return numbers(text[1:-1].replace(",", " "), name, what, wide or None, finite=what == "space origin")
