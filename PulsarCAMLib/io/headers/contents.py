"""Does a file hold as many bytes as its header says? Native readers fill what is missing with zeros, some in silence.

Bytes are counted and checksums compared piece by piece, so that no more than a few megabytes are held at a time.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...core.errors import InputError
from ..plain_files import is_file
from .limits import MOST_FIELD_CHARACTERS, cut, damaged

PIECE = 1 << 20

MOST_BEYOND = 511
"""Bytes behind the voxels that are passed over, the padding to whole blocks of 512; more means a wrong header."""

MOST_TEXT = 256 << 20
"""Voxels written as text are few."""

GZIP = b"\x1f\x8b"


def inflated(path: Path, name: str, at: int = 0, length: int | None = None) -> Iterator[bytes]:
    """Pieces of a gzip or zlib stream, whose checksum is compared at its end.

    Args:
        path: the file.
        name: what the file is called, for the sentence.
        at: first byte of the stream.
        length: bytes of the stream; None goes on to the end of the file. What follows its end is passed over, if it is
            not another gzip member.

    Raises:
        InputError: it ends too early, or its bytes are not what was once written.
    """
    left = path.stat().st_size - at if length is None else length
    inflater, ended, raw = zlib.decompressobj(47), False, b""
    with path.open("rb") as file:
        file.seek(at)
        while True:
            if not raw:
                raw = file.read(min(PIECE, left))
                left -= len(raw)
            if ended:
                if not raw.startswith(GZIP):
                    return
                inflater, ended = zlib.decompressobj(47), False
            if not raw:
                raise damaged(name, "its compressed voxels end too early")
            try:
                yield inflater.decompress(raw, PIECE)
            except zlib.error as error:
                raise damaged(name, "its compressed voxels are not those that were written") from error
            ended = inflater.eof
            raw = inflater.unused_data if ended else inflater.unconsumed_tail


def check_inflated(pieces: Iterator[bytes], name: str, needed: int) -> None:
    """Whether a stream holds ``needed`` bytes; it is read to its end for its checksum.

    Raises:
        InputError: fewer, or more.
    """
    count = 0
    for piece in pieces:
        count += len(piece)
        if count > needed:  # nobody pads what is compressed
            raise damaged(name, f"it holds more than the {needed} bytes that its header says")
    _refuse_short(name, count, needed)


def check_length(path: Path, name: str, at: int, needed: int) -> None:
    """Whether a file holds ``needed`` bytes from byte ``at`` on.

    Raises:
        InputError: fewer, or many more.
    """
    held = max(path.stat().st_size - at, 0)
    _refuse_short(name, held, needed)
    if held > needed + MOST_BEYOND:
        raise damaged(name, f"it holds {held} bytes of voxels where its header says {needed}")


def _refuse_short(name: str, held: int, needed: int) -> None:
    if held < needed:
        raise damaged(name, f"it holds {held} of the {needed} bytes of voxels that its header says")


def check_text(path: Path, name: str, at: int, count: int, dtype: np.dtype) -> None:
    """Whether a file holds ``count`` numbers of a type as text from byte ``at`` on.

    Raises:
        InputError: another count, other words, or numbers that the type does not hold.
    """
    if path.stat().st_size - at > MOST_TEXT:
        raise InputError(f"{name} holds its voxels as text, which is read up to {MOST_TEXT >> 20} MiB; save it binary.")
    with path.open("rb") as file:
        file.seek(at)
        words = file.read().split()
    if len(words) != count:
        raise damaged(name, f"it holds {len(words)} voxels where its header says {count}")
    try:
        if dtype.kind == "f":
            np.array(words, dtype=float)
            return
        limits = np.iinfo(dtype)
        fits = all(limits.min <= int(word) <= limits.max for word in words)
    except ValueError:
        fits = False
    if not fits:
        raise damaged(name, "its voxels are not numbers of the type that its header says")


def data_file(header: Path, named: str, name: str) -> Path:
    """The file with the voxels that a header names: a plain name, in the header's own folder.

    Raises:
        InputError: another folder, a pattern, or no ordinary file of that name.
    """
    plain = named.removeprefix("./")
    odd = not plain.isprintable() or any(each in plain for each in "/\\:%") or plain in ("", ".", "..")
    if odd or len(plain) > MOST_FIELD_CHARACTERS // 2:
        raise InputError(
            f"{name} names its voxels' file {cut(named)}; only a plain name in the same folder is read: save the image "
            "as one file."
        )
    if not is_file(header.parent / plain):
        raise InputError(f"{name} keeps its voxels in {plain}, which is not beside it; bring both files there.")
    return header.parent / plain
