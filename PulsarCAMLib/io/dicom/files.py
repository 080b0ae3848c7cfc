"""What DICOM files say of themselves, read by pydicom: only the elements that place and kind of an image need.

Elements that are missing, empty or words instead of numbers come as None, and without pydicom's warnings.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import InputError
from ...core.visible import visible
from ..headers.limits import damaged
from ..names import alike
from ..plain_files import is_file
from .structure import pixel_bytes

MOST_PADDING = 512
"""Bytes behind the voxels, fewer than these and than a row or column, are padding."""

NOT_IMAGES = ("RTSTRUCT", "RTPLAN", "RTDOSE", "SEG", "SR", "PR", "KO", "REG")
MAGIC = b"DICM"
OLD = tuple(bytes((group, 0, element, 0)) for group, element in ((8, 0), (8, 1), (8, 5), (8, 8), (8, 22), (2, 0)))
"""First tags of files without the preamble, of old or careless programs."""

VARYING = {
    "EchoTime": "echo time",
    "TemporalPositionIdentifier": "time point",
    "AcquisitionNumber": "acquisition",
    "TriggerTime": "trigger time",
    "DiffusionBValue": "b value",
    "ImageType": "kind of image",
    "InversionTime": "inversion time",
    "FlipAngle": "flip angle",
}
"""What several images of one place may differ in, with its name."""

_BITS = {"PixelData": 0, "FloatPixelData": 32, "DoubleFloatPixelData": 64}
"""Elements that hold voxels, and the bits of each; 0: as Bits Allocated says."""

_TAGS = (
    "Modality", "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID",
    "FrameOfReferenceUID", "PatientID", "PatientName", "NumberOfFrames", "Rows", "Columns", "SamplesPerPixel",
    "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope", "RescaleIntercept",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "Manufacturer",
)  # fmt: skip


@dataclass(frozen=True)
class DicomFile:
    """One DICOM file.

    Attributes:
        path: of the file.
        data: pydicom's data set with the few elements that are read.
        pixel_bytes: how many bytes of voxels are in the file; None where they are compressed or cannot be counted.
    """

    path: Path
    data: Any
    pixel_bytes: int | None

    def text(self, keyword: str) -> str:
        """An element as text; empty where it is missing or cannot be read."""
        return text_of(self.data, keyword)

    @property
    def modality(self) -> str:
        """DICOM modality, "?" where it is not said."""
        return self.text("Modality") or "?"

    @property
    def frames(self) -> int:
        """Number of frames; 1 for a single slice."""
        found = numbers_of(self.data, "NumberOfFrames", 1)
        return int(found[0]) if found and found[0] >= 1 else 1

    @property
    def size(self) -> tuple[int, int] | None:
        """Rows and columns; None for what is no image."""
        found = [numbers_of(self.data, each, 1) for each in ("Rows", "Columns")]
        return (int(found[0][0]), int(found[1][0])) if found[0] and found[1] else None

    @property
    def kind(self) -> tuple[str, ...]:
        """How voxels are stored, which must be the same for all slices of an image."""
        return tuple(self.text(each) for each in ("SamplesPerPixel", "PhotometricInterpretation"))

    @property
    def stored(self) -> tuple[str, ...]:
        """Type of the stored numbers."""
        return tuple(self.text(each) for each in ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"))


def names_of(texts: Iterable[str]) -> set[str]:
    """Different patients' names among some (PS3.5 6.2.1.2), without what programs vary; empty ones are none.

    Examples:
        >>> len(names_of(["Doe^Jane", "DOE^JANE^^", "", "Doe^John"]))
        2
    """
    return {alike(first) for text in texts if (first := text.split("=")[0].strip(" ^"))}


def is_dicom(path: Path) -> bool:
    """Whether an ordinary file has DICOM's preamble, or begins with DICOM's first group as old files do."""
    if not is_file(path):
        return False
    try:
        with path.open("rb") as file:
            begin = file.read(132)
    except OSError:
        return False
    return begin[128:] == MAGIC or begin[:4] in OLD


def modality(path: Path) -> str:
    """DICOM modality of a file; empty for a file that is not DICOM."""
    try:
        with path.open("rb") as file:
            if file.read(132)[128:] != MAGIC:
                return ""
    except OSError:  # said where it is read
        return ""
    try:
        return read_header(path).modality
    except InputError:
        return "?"


def read_header(path: Path) -> DicomFile:
    """The few elements that are needed of one file.

    Raises:
        InputError: it is damaged.
    """
    import pydicom

    try:
        with path.open("rb") as file, quiet():
            data = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=[*_TAGS, *VARYING], force=True)
            syntax = str(data.file_meta.get("TransferSyntaxUID", ""))
            of_image = text_of(data, "Modality") not in NOT_IMAGES
            return DicomFile(path, data, pixel_bytes(file, syntax) if of_image else None)
    except Exception as error:  # pydicom raises many kinds for damaged files
        raise damaged(f"The DICOM file {visible(path.name)}", "its elements cannot be read") from error


class quiet(warnings.catch_warnings):  # noqa: N801 - used as the function that it replaces
    """Within it pydicom's warnings about values are not told: what matters of them becomes a sentence."""

    def __enter__(self):
        found = super().__enter__()
        warnings.simplefilter("ignore")
        return found


def text_of(data: Any, keyword: str) -> str:
    """An element of a data set as text; empty where it is missing or cannot be read."""
    found = _quietly(lambda: data.get(keyword))
    if isinstance(found, Sequence) and not isinstance(found, str):  # what stands between backslashes comes as a list
        found = "\\".join(map(str, found))
    return "" if found is None else str(found).strip(" \0")


def numbers_of(data: Any, keyword: str, count: int) -> tuple[float, ...] | None:
    """An element of a data set as so many finite numbers; None where it has not got them."""
    found = _quietly(lambda: data.get(keyword))
    if found is None or found == "":
        return None
    parts = found if isinstance(found, Sequence) and not isinstance(found, str) else [found]
    values = _quietly(lambda: tuple(float(part) for part in parts))
    return values if values and len(values) == count and all(map(math.isfinite, values)) else None


def _quietly(read: Callable[[], Any]) -> Any:
    try:
        with quiet():
            return read()
    except Exception:  # pydicom converts when an element is asked for, and raises many kinds
        return None


def group_of(data: Any, sequence: str) -> Any:
    """The one item of a functional group's sequence; None where it is missing."""
    found = _quietly(lambda: data.get(sequence))
    return _quietly(lambda: found[0]) if found else None


def check_pixels(file: DicomFile) -> None:
    """Whether as many bytes of voxels are in the file as it says; those of compressed ones are counted by the reader.

    Raises:
        InputError: fewer.
    """
    size, bits = file.size, numbers_of(file.data, "BitsAllocated", 1)
    samples = numbers_of(file.data, "SamplesPerPixel", 1)
    if size is None or bits is None or min(size) < 1 or bits[0] not in (1, 8, 16, 32, 64):
        raise damaged(f"The DICOM file {visible(file.path.name)}", "it does not say the size of its image")
    needed = int(size[0] * size[1] * file.frames * int(samples[0] if samples else 1) * bits[0]) // 8
    name = f"The DICOM file {visible(file.path.name)}"
    if file.pixel_bytes is not None and file.pixel_bytes < needed:
        raise damaged(name, f"it holds {file.pixel_bytes} of {needed} bytes of voxels")
    line = int(min(size) * bits[0]) // 8
    if file.pixel_bytes is not None and file.pixel_bytes >= needed + min(line, MOST_PADDING):
        raise damaged(name, f"it holds {file.pixel_bytes} bytes of voxels where its header says {needed}")
    placed = len(file.data.get("PerFrameFunctionalGroupsSequence") or ())
    if placed and placed != file.frames:
        raise damaged(name, f"its header says {file.frames} frames (NumberOfFrames), and where {placed} lie")


def refuse_cut(path: Path) -> None:
    """Whether a file of any DICOM object ends where its header says; voxels of compressed ones are not counted.

    Raises:
        InputError: it is cut off, or cannot be read.
    """
    import pydicom

    name = f"The DICOM file {visible(path.name)}"
    try:
        with quiet():
            data = pydicom.dcmread(path)
            compressed = data.file_meta.TransferSyntaxUID.is_compressed
            voxels = {key: len(data[key].value) for key in _BITS if key in data}
            sides = [int(data.get(key) or 1) for key in ("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel")]
            bits = _BITS.get(next(iter(voxels), ""), 0) or int(data.get("BitsAllocated") or 0)
    except Exception as error:  # pydicom raises many kinds for damaged files
        raise damaged(name, f"its elements cannot be read ({type(error).__name__})") from error
    for found in () if compressed else voxels.values():
        needed = (math.prod(sides) * bits + 7) // 8
        if found < needed:
            raise damaged(name, f"it holds {found} of {needed} bytes of voxels")
