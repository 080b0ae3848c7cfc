"""Headers of NIfTI files (.nii, .nii.gz, and pairs of .hdr and .img).

Source: nifti1.h of https://nifti.nimh.nih.gov; fields are named as there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from ...core.errors import GeometryError, InputError
from ..plain_files import is_file
from .contents import GZIP, check_inflated, check_length, inflated
from .limits import (
    MOST_DIMENSIONS,
    NOWHERE,
    SPACING_TOLERANCE,
    check_axes,
    check_origin,
    check_sizes,
    check_spacing,
    damaged,
    rounded_mm,
    unplaced,
)

_ONE = """sizeof_hdr <i4, unused V36, dim 8<i2, intent V14, datatype <i2, bitpix <i2, slice_start <i2, pixdim 8<f4,
vox_offset <f4, scl_slope <f4, scl_inter <f4, slices V3, xyzt_units u1, text V128, qform_code <i2, sform_code <i2,
quatern 3<f4, qoffset 3<f4, srow 12<f4, name V16, magic S4"""
ONE = np.dtype([tuple(field.split()) for field in _ONE.split(",")])
"""Layout of the header of version 1."""

_DESCRIP = slice(24, 104)
"""Within ``text``, behind the range of the values and the times."""

TWO_BYTES = 540
"""Size of the header of version 2."""

LEAST_OFFSET = ONE.itemsize + 4
"""First byte at which the voxels of one file may begin: behind the header and the mark of extensions."""

BITS = {2: 8, 4: 16, 8: 32, 16: 32, 32: 64, 64: 64, 128: 24, 256: 8, 512: 16, 768: 32, 1024: 64, 1280: 64, 2304: 32}
"""Bits of a voxel by datatype; those of more than eight bytes a number are not read."""

QUATERNION_TOLERANCE = 1e-3

HALF_TURN = 1e-7
"""A quaternion whose real part squared is less stands for half a turn, as in nifti1_io.c: the rest is rounding."""

METRES = {0: 1.0, 1: 1e3, 2: 1.0, 3: 1e-3}
"""Millimetres of the unit of length (the lowest three bits of ``xyzt_units``); 0 is not said, which is mm."""


@dataclass(frozen=True)
class _Files:
    """Where header and voxels are: one file, or a pair."""

    header: Path
    voxels: Path


def check_nifti(path: Path, name: str) -> None:
    """Check a NIfTI header, and that its voxels are all there.

    Raises:
        InputError: it is no NIfTI (Analyze 7.5 says nothing of left and right), the header is damaged, or voxels are
            missing.
        GeometryError: a place that cannot be, or that is not said.
    """
    files = _files_of(path, name)
    pieces = _pieces(files.header, name)
    begin = _begin(pieces)
    header = _header(begin, name)
    one_file = header["magic"].startswith(b"n+")
    if one_file != (files.header == files.voxels):
        raise damaged(name, "its header and its file name do not agree on whether its voxels are in the same file")
    sizes = _sizes(header, name)
    bits = BITS.get(int(header["datatype"]))
    if bits is None or int(header["bitpix"]) != bits:
        raise damaged(name, f"its header says datatype {header['datatype']} with {header['bitpix']} bits")
    _check_scaling(header, name)
    _check_place(header, name)
    needed = check_sizes(sizes, name) * bits // 8
    at = float(header["vox_offset"])
    least = LEAST_OFFSET if one_file else 0
    if not (at.is_integer() and least <= at < 1 << 40):
        raise damaged(name, f"its header says that its voxels begin at byte {at:g}")
    if not _compressed(files.voxels):
        check_length(files.voxels, name, int(at), needed)
    elif one_file:
        check_inflated(chain([begin], pieces), name, int(at) + needed)
    else:
        check_inflated(inflated(files.voxels, name), name, int(at) + needed)


def description_of(path: Path, name: str) -> str:
    """What the program that wrote a NIfTI says of it (``descrip``).

    Raises:
        InputError: as :func:`check_nifti`.
    """
    header = _header(_begin(_pieces(_files_of(path, name).header, name)), name)
    return bytes(header["text"])[_DESCRIP].split(b"\0")[0].decode("latin-1")


def _begin(pieces: Iterator[bytes]) -> bytes:
    """Pieces of a file as far as its header reaches."""
    begin = b""
    for piece in pieces:
        begin += piece
        if len(begin) >= ONE.itemsize:
            break
    return begin


def _files_of(path: Path, name: str) -> _Files:
    """Header and voxels of a file that may be one of a pair."""
    ending = ".gz" if path.name.lower().endswith(".gz") else ""
    stem = path.name[: len(path.name) - len(ending)]
    if stem.lower().endswith(".nii"):
        return _Files(path, path)
    pairs = {end: path.with_name(f"{stem[:-4]}{end}{path.name[len(stem) :]}") for end in _pair_endings(stem[-4:])}
    header, voxels = pairs.values()
    for part in (header, voxels):
        if not is_file(part):
            raise InputError(f"{name} is one of a pair of files; the other, {part.name}, is not beside it.")
    return _Files(header, voxels)


def _pair_endings(own: str) -> tuple[str, str]:
    return (".HDR", ".IMG") if own.isupper() else (".hdr", ".img")


def _compressed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == GZIP


def _pieces(path: Path, name: str) -> Iterator[bytes]:
    """A file's bytes, inflated where it is compressed; of a plain file only the header's."""
    if _compressed(path):
        if not path.name.lower().endswith(".gz"):
            raise damaged(name, "it is compressed without the ending .gz")
        return inflated(path, name)
    with path.open("rb") as file:
        return iter([file.read(ONE.itemsize)])


def _header(begin: bytes, name: str) -> np.void:
    """The header in the machine's order of bytes."""
    size = begin[:4]
    if int.from_bytes(size, "little") == TWO_BYTES or int.from_bytes(size, "big") == TWO_BYTES:
        raise InputError(f"{name} is NIfTI of version 2, which is not read; save it as version 1.")
    for layout in (ONE, ONE.newbyteorder()):
        header = np.frombuffer(begin, layout, 1)[0] if len(begin) >= layout.itemsize else None
        if header is not None and header["sizeof_hdr"] == layout.itemsize:
            if header["magic"] in (b"n+1", b"ni1"):
                return header
            raise InputError(
                f"{name} has an Analyze header, which says neither left and right nor a place; convert it to NIfTI by "
                "a program that knows how it was made."
            )
    raise damaged(name, "it does not begin with a NIfTI header")


def _sizes(header: np.void, name: str) -> list[int]:
    count = int(header["dim"][0])
    if not 1 <= count <= MOST_DIMENSIONS:
        raise damaged(name, f"its header says {count} dimensions")
    return [int(size) for size in header["dim"][1 : count + 1]]


def _check_scaling(header: np.void, name: str) -> None:
    slope, offset = float(header["scl_slope"]), float(header["scl_inter"])
    if not (math.isfinite(slope) and (slope == 0 or math.isfinite(offset))):
        raise damaged(name, f"its header scales values by {slope:g} and {offset:g}")


def _check_place(header: np.void, name: str) -> None:
    unit = int(header["xyzt_units"]) & 7
    if unit not in METRES:
        raise damaged(name, f"its header says a unit of length of number {unit}")
    scale = METRES[unit]
    steps = np.asarray(header["pixdim"][1:4], dtype=float) * scale
    if header["dim"][0] < 3:
        return  # refused by its size, where a volume is wanted
    check_spacing(steps, name)
    places = [_qform(header, steps, scale, name)] if header["qform_code"] > 0 else []
    places += [_sform(header, steps, scale, name)] if header["sform_code"] > 0 else []
    if not places:
        raise unplaced(name, NOWHERE, "qform and sform are 0")
    if len(places) == 2:
        last = np.array([*(int(size) - 1 for size in header["dim"][1:4]), 1.0])
        corners = np.array([last * [i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
        apart = float(np.linalg.norm(corners @ (places[0] - places[1]).T, axis=1).max())
        if apart > rounded_mm(steps):
            raise GeometryError(
                f"{name} says two places in its header (qform and sform, {apart:.1f} mm apart), of which programs take "
                "different ones; save it anew from the program in which it lies right, as .nrrd."
            )


def _qform(header: np.void, steps: np.ndarray, scale: float, name: str) -> np.ndarray:
    """RAS millimetres of indices by the quaternion, 3x4."""
    origin = np.asarray(header["qoffset"], dtype=float) * scale
    check_origin(origin, name)
    b, c, d = (float(each) for each in header["quatern"])
    if not b * b + c * c + d * d <= 1 + QUATERNION_TOLERANCE:
        raise GeometryError(f"{name} has a rotation (quaternion) that cannot be, by its header; export it again.")
    square = b * b + c * c + d * d
    a = math.sqrt(1 - square) if 1 - square >= HALF_TURN else 0.0
    b, c, d = (each / math.sqrt(square) if a == 0 else each for each in (b, c, d))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    return np.column_stack([rotation * steps * [1, 1, -1 if header["pixdim"][0] < 0 else 1], origin])


def _sform(header: np.void, steps: np.ndarray, scale: float, name: str) -> np.ndarray:
    """RAS millimetres of indices by the matrix, 3x4; its voxel sizes must be those of ``steps``."""
    matrix = np.reshape(header["srow"], (3, 4)).astype(float) * scale
    check_origin(matrix[:, 3], name)
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(matrix[:, :3], axis=0)
    check_spacing(lengths, name)
    check_axes(matrix[:, :3] / lengths, name)
    if (np.abs(lengths - steps) > SPACING_TOLERANCE * lengths).any():
        told = ["x".join(f"{s:.4g}" for s in each) for each in (steps, lengths)]
        raise GeometryError(
            f"{name} says two voxel sizes in its header, {told[0]} mm (pixdim) and {told[1]} mm (sform); export it "
            "again."
        )
    return matrix
