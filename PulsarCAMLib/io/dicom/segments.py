"""DICOM segmentations (SEG): binary, fractional or label map, as one array of values for each segment.

highdicom does it: frames of a SEG come in any order, may be missing where nothing is, and a label map has one frame for
all segments. The volumes that it gives descend along the normal of the slices or not; the matrix says so.

Source: DICOM PS3.3 A.51, C.8.20.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import InputError
from ...core.geometry.volume import VolumeGeometry
from ...core.requirements import FOR_DICOM, require
from ...core.visible import visible
from ..apart import apart
from ..headers.limits import check_origin, check_sizes, check_spacing, damaged
from ..names import unlike
from ..plain_files import plain_file
from .files import quiet, text_of
from .identity import Identity
from .own import is_own_segment


@dataclass(frozen=True)
class SegmentOfDicom:
    """One segment.

    Attributes:
        name: Segment Label, made unlike those of the others by a number in brackets; "Segment <number>" where it has
            none, or one that holds the patient's name, number or birth date.
        own_name: as it stands in the file.
        number: Segment Number.
        result: whether it is a sub-region that PulsarCAM drew, and no lesion.
    """

    name: str
    own_name: str
    number: int
    result: bool = False


@dataclass(frozen=True)
class SegmentsOfDicom:
    """What a SEG says.

    Attributes:
        segments: in the file's order.
        frame: UID of its frame of reference.
        fractional: whether voxels hold a share or probability.
    """

    segments: tuple[SegmentOfDicom, ...]
    frame: str
    fractional: bool


def read_segments(path: str | Path) -> SegmentsOfDicom:
    """Names of a SEG's segments; no voxel is read.

    Raises:
        InputError: another object, or a damaged one.
    """
    import pydicom

    path = plain_file(path)
    name = f"The segmentation {visible(path.name)}"
    try:
        with quiet():
            data = pydicom.dcmread(path, stop_before_pixels=True)
            taken: set[str] = set()
            somebody = Identity.of(data)
            # number 0 of a label map is its background (PS3.3 C.8.20.2)
            found = [each for each in data.SegmentSequence if int(each.SegmentNumber) > 0]
            segments = tuple(
                SegmentOfDicom(
                    unlike("" if somebody.is_in(label) else visible(label), taken, f"Segment {each.SegmentNumber}"),
                    label,
                    int(each.SegmentNumber),
                    is_own_segment(each),
                )
                for each in found
                for label in (text_of(each, "SegmentLabel"),)
            )
            fractional = text_of(data, "SegmentationType") == "FRACTIONAL"
            return SegmentsOfDicom(segments, text_of(data, "FrameOfReferenceUID"), fractional)
    except Exception as error:  # pydicom raises many kinds for damaged files
        raise damaged(name, "its segments cannot be read") from error


@apart
def read_segment_voxels(path: str | Path, numbers: Sequence[int]) -> tuple[np.ndarray, VolumeGeometry]:
    """Voxels of segments ``[segment, k, j, i]``, uint8 of 0 and 1 or float32 of 0 to 1, and their place.

    Args:
        path: of the SEG.
        numbers: of the segments.

    Raises:
        DependencyError: highdicom is not installed.
        InputError: damaged, or compressed in a way that no decoder is there for.
        GeometryError: its place cannot be used.
    """
    path = plain_file(path)
    name = f"The segmentation {visible(path.name)}"
    require(FOR_DICOM, extra="dicom", in_slicer="load it with the module DICOM")
    import highdicom as hd

    try:
        with quiet():
            data: Any = hd.seg.segread(path)
            check_sizes((int(data.Columns), int(data.Rows), int(data.get("NumberOfFrames") or 1)), name)
            volume = data.get_volume(segment_numbers=list(numbers), combine_segments=False, rescale_fractional=True)
    except InputError:
        raise
    except Exception as error:  # highdicom raises many kinds
        raise InputError(
            f"{name} cannot be read: it is damaged, compressed in a way that is not known here, or its frames form no "
            "even stack; export it again uncompressed, or as .seg.nrrd."
        ) from error
    matrix = np.array(volume.affine)  # array index to LPS millimetres; the array runs [slice, row, column]
    turned = np.column_stack([matrix[:, 2], matrix[:, 1], matrix[:, 0], matrix[:, 3]])
    array = np.moveaxis(volume.array, -1, 0) if volume.array.ndim == 4 else volume.array[None]
    geometry = VolumeGeometry.from_ijk_to_lps(turned, array.shape[1:])
    check_spacing(geometry.spacing, name)
    check_origin(geometry.origin, name)
    return np.ascontiguousarray(array.astype(np.float32 if array.dtype.kind == "f" else np.uint8)), geometry
