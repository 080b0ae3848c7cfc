"""Headers of MetaImage files (.mha, .mhd)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ...core.errors import InputError
from .contents import check_inflated, check_length, data_file, inflated
from .limits import (
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

MOST_DIMENSIONS = 4

TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}

_ORIGINS, _MATRICES = ("Offset", "Position", "Origin"), ("TransformMatrix", "Rotation", "Orientation")


def check_metaimage(path: Path, name: str) -> None:
    """Check a MetaImage's header, and that its voxels are all there.

    Raises:
        InputError: the header is damaged or asks for what is not read, or voxels are missing.
        GeometryError: a place that cannot be.
    """
    fields, end = _fields(path, name)
    dimensions = whole_number(fields.get("NDims", ""), name, "NDims", 1, MOST_DIMENSIONS)
    sizes = [
        whole_number(n, name, "DimSize", 1, 1 << 31)
        for n in _words(fields.get("DimSize", ""), dimensions, name, "DimSize")
    ]
    channels = whole_number(fields.get("ElementNumberOfChannels", "1"), name, "ElementNumberOfChannels", 1, 1 << 16)
    count = check_sizes(sizes, name, channels)
    _check_place(fields, dimensions, name)
    kind = fields.get("ElementType", "")
    if kind not in TYPES:
        raise damaged(name, f"its header says ElementType {cut(kind)}")
    scaling = (("ElementToIntensityFunctionSlope", "1"), ("ElementToIntensityFunctionOffset", "0"))
    if [numbers(fields.get(key, usual), name, key, 1)[0] for key, usual in scaling] != [1, 0]:
        raise InputError(f"{name} scales its values by its header, which is not read; save it with its true values.")
    _check_voxels(path, name, fields, end, count, np.dtype(TYPES[kind]))


def _fields(path: Path, name: str) -> tuple[dict[str, str], int]:
    """Fields of the header up to ElementDataFile, which is the last, and the byte behind it."""
    fields: dict[str, str] = {}
    with path.open("rb") as file:
        while "ElementDataFile" not in fields:
            line = file.readline(MOST_HEADER_BYTES)
            if not line or file.tell() > MOST_HEADER_BYTES:
                raise damaged(name, "its header does not name its data (ElementDataFile)")
            key, sign, value = line.decode("latin-1").partition("=")
            key, value = key.strip(), value.strip()
            if not key and not value:
                continue
            if not sign or not re.fullmatch(r"[\w|.: -]+", key) or key in fields or "\0" in value:
                raise damaged(name, f"its header has a line {cut(line.decode('latin-1'))}")
            if len(key) > MOST_FIELD_CHARACTERS // 4 or len(value) > MOST_FIELD_CHARACTERS:
                raise damaged(name, f"the field {cut(key)} of its header is too long")
            fields[key] = value
        return fields, file.tell()


def _words(text: str, count: int, name: str, what: str) -> list[str]:
    words = text.split()
    if len(words) != count:
        raise damaged(name, f"its header says {what} {cut(text)}")
    return words


def _check_place(fields: dict[str, str], dimensions: int, name: str) -> None:
    def one_of(keys: tuple[str, ...]) -> tuple[str, str]:
        found = {fields[key]: key for key in keys if key in fields}
        if len(found) > 1:
            raise damaged(name, f"its header says {' and '.join(found.values())}, which contradict each other")
        return next(((key, value) for value, key in found.items()), ("", ""))

    spatial = min(dimensions, 3)
    key, text = one_of(("ElementSpacing",) if "ElementSpacing" in fields else ("ElementSize",))
    spacing = numbers(text, name, key, dimensions, finite=False) if text else [float("nan")] * dimensions
    check_spacing(spacing[:spatial], name)
    if fields.get("DistanceUnits", "mm").lower() in OTHER_UNITS:
        raise InputError(f"{name} gives its lengths in {fields['DistanceUnits']}; save it in mm.")
    key, origin = one_of(_ORIGINS)
    if origin:
        check_origin(numbers(origin, name, key, dimensions)[:spatial], name)
    key, matrix = one_of(_MATRICES)
    if matrix:
        axes = np.reshape(numbers(matrix, name, key, dimensions**2), (dimensions, dimensions))
        check_axes(axes.T, name)
    if spatial == 3 and not (origin and matrix):
        missing = [told for told, text in ((_MATRICES[0], matrix), (_ORIGINS[0], origin)) if not text]
        lacks = NOWHERE if len(missing) == 2 else NO_ORIGIN if matrix else NO_SIDES
        raise unplaced(name, lacks, f"no {' and no '.join(missing)}")


def _check_voxels(path: Path, name: str, fields: dict[str, str], end: int, count: int, dtype: np.dtype) -> None:
    binary, compressed = (
        fields.get(key, "False").lower() in ("true", "1", "t") for key in ("BinaryData", "CompressedData")
    )
    skip = whole_number(fields.get("HeaderSize", "0"), name, "HeaderSize", -1, 1 << 40)
    named = fields["ElementDataFile"]
    local = named.upper() == "LOCAL"
    if named.upper().startswith("LIST") or "%" in named:
        raise InputError(f"{name} spreads its voxels over several files ({cut(named)}); save it as one file.")
    data, at = (path, end) if local else (data_file(path, named, name), 0)
    if skip and (local or compressed):
        raise damaged(name, f"its header says HeaderSize {skip}")
    needed = count * dtype.itemsize
    if not binary:
        raise InputError(f"{name} holds its voxels as text, which is not read; save it binary.")
    if compressed:
        # without it the native reader takes the first voxels from memory that it has not filled
        length = whole_number(fields.get("CompressedDataSize", ""), name, "CompressedDataSize", 1, 1 << 40)
        if length > data.stat().st_size - at:
            raise damaged(name, "its compressed voxels end too early")
        check_inflated(inflated(data, name, at, length), name, needed)
    elif skip == -1:
        check_length(data, name, max(data.stat().st_size - needed, 0), needed)
    else:
        check_length(data, name, at + skip, needed)
