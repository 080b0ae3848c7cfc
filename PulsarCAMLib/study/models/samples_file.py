"""The samples of a study as one file, from which large ones are read only as far as a batch wants them."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ...core.errors import InputError, OutputError
from ...core.vocabulary import TIME_POINTS
from ...io.atomic import replacing_file
from ...training.units.samples import MOST_BYTES_IN_MEMORY, StoredArray, TrainingSamples

FIELDS = {
    **{name: name for name in ("images", "masks", "labels", "patients")},
    **{"lesions": "units", "rotations": "changes"},
}
"""Name of an array in the study's file to the field of the samples."""

CONFIDENCE = "confidence"
"""A further array where somebody said how sure labels are."""

ROWS_AT_ONCE = 16
_LOCAL_HEADER = struct.Struct("<26xHH")
"""Of a file in a zip archive (APPNOTE 4.3.7): 26 bytes, then the lengths of its name and of its extra field."""


def save_samples(path: Path, sets: dict[str, TrainingSamples]) -> str:
    """Write the samples of both MRIs, patients and lesions as numbers; the file's hash.

    The file says nothing of when it was written, so that the same samples give the same hash.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        with replacing_file(path, durably=True) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for point, samples in sets.items():
                known = {} if samples.confidence is None else {CONFIDENCE: CONFIDENCE}
                for name, field_name in (FIELDS | known).items():
                    _write(archive, f"{point}_{name}.npy", getattr(samples, field_name))
        return _hash_of(path)
    except OSError as error:
        raise OutputError(
            f"The study's samples cannot be saved to {path} ({error.strerror}); make room there and continue it."
        ) from error


@lru_cache(maxsize=4)
def load_samples(path: Path, most_bytes: int = MOST_BYTES_IN_MEMORY) -> dict[str, TrainingSamples]:
    """The samples of a study by time point; read once per process, larger arrays than ``most_bytes`` when wanted.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            there = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            points = [point for point in TIME_POINTS if f"{point}_labels" in there]
            return {
                point: TrainingSamples(
                    **{
                        field: _read(path, file, there[f"{point}_{name}"], most_bytes)
                        for name, field in (FIELDS | {CONFIDENCE: CONFIDENCE}).items()
                        if name != CONFIDENCE or f"{point}_{name}" in there
                    }
                )
                for point in points
            }
    except (OSError, ValueError, KeyError, struct.error, zipfile.BadZipFile) as error:
        raise InputError(f"The study's samples {path} are missing or damaged; run the study anew.") from error


def _write(archive: zipfile.ZipFile, name: str, array: Any) -> None:
    """As ``np.save`` does, a few rows at a time."""
    info = zipfile.ZipInfo(name)
    header = _header(array)
    info.file_size = len(header) + int(np.prod(array.shape)) * array.dtype.itemsize
    with archive.open(info, "w") as file:
        file.write(header)
        for start in range(0, len(array), ROWS_AT_ONCE):
            file.write(np.ascontiguousarray(array[start : start + ROWS_AT_ONCE]).tobytes())


def _header(array: Any) -> bytes:
    """Of a ``.npy`` file of format 1.0."""
    import io

    found = io.BytesIO()
    described = {"descr": np.lib.format.dtype_to_descr(array.dtype), "fortran_order": False, "shape": array.shape}
    np.lib.format.write_array_header_1_0(found, described)
    return found.getvalue()


def _read(path: Path, file: BinaryIO, info: zipfile.ZipInfo, most_bytes: int) -> Any:
    """An array, or where its rows lie in the file.

    Raises:
        ValueError: it is compressed, or no array of plain values.
    """
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError("compressed")
    file.seek(info.header_offset)
    name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    begin = info.header_offset + _LOCAL_HEADER.size + name + extra
    file.seek(begin)
    if info.file_size <= most_bytes:
        return np.lib.format.read_array(file, allow_pickle=False)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("another format")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    if fortran or dtype.hasobject:
        raise ValueError("another layout")
    return StoredArray(path, shape[1:], dtype, np.arange(shape[0]), file.tell(), shape[0])


def _hash_of(path: Path) -> str:
    digest = hashlib.sha256()
    for part in _parts(path):
        digest.update(part)
    return digest.hexdigest()


def _parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(1 << 22):
            yield part
