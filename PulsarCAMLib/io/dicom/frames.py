"""Multi-frame DICOM objects, such as enhanced MR: frames have a place each and lie in the file in any order.

Source: DICOM PS3.3 C.7.6.16 (functional groups, shared by all frames or of one).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.case import Image
from ...core.errors import InputError
from ..headers.limits import check_sizes
from .files import VARYING, DicomFile, check_pixels, group_of, numbers_of, quiet, text_of
from .reading import TURNED, native, notes_on, refuse_uneven, refuse_unread, source_of, turned
from .stack import Slice, Stack, stack_of

MOST_FRAMES = 20_000

_GROUPS = {
    "EchoTime": ("MREchoSequence", "EffectiveEchoTime"),
    "TemporalPositionIdentifier": ("FrameContentSequence", "TemporalPositionIndex"),
    "StackID": ("FrameContentSequence", "StackID"),
    "AcquisitionNumber": ("FrameContentSequence", "FrameAcquisitionNumber"),
    "DiffusionBValue": ("MRDiffusionSequence", "DiffusionBValue"),
    "ImageType": ("MRImageFrameTypeSequence", "FrameType"),
    "Component": ("MRImageFrameTypeSequence", "ComplexImageComponent"),
}
_TITLES = {**VARYING, "StackID": "stack", "Component": "component"}


def read_frames(file: DicomFile, name: str) -> Image:
    """The image of one multi-frame file, its frames sorted by their own positions.

    Raises:
        InputError: damaged, colours, or frames of several time points, echoes or stacks.
        GeometryError: frames without a place, or that form no even stack.
    """
    slices, stack = checked_frames(file, name)
    rows, columns = file.size or (0, 0)
    own = not stack.one_scaling or file.text("PhotometricInterpretation") == TURNED
    scaling = [each.scaling or (1.0, 0.0) for each in slices] if own else None
    shared = slices[0].scaling
    voxels = native([file.path], name, scaling=shared)[0] if scaling is None else _scaled(file, scaling, name)
    if voxels.shape != (file.frames, rows, columns):
        raise InputError(f"{name} is damaged: its frames are not all there; export it again.")
    voxels = voxels[list(stack.order)]
    if not stack.one_scaling:
        refuse_uneven(voxels, f"The frames of {name[:1].lower()}{name[1:]}")
    return Image(voxels, stack.geometry(rows, columns), source_of([file]), notes_on([file], name))


def checked_frames(file: DicomFile, name: str) -> tuple[list[Slice], Stack]:
    """What the header says of every frame, and the stack that they form.

    Raises:
        InputError, GeometryError: as :func:`read_frames`; voxels are not looked at.
    """
    check_pixels(file)
    refuse_unread([file], name)
    rows, columns = file.size or (0, 0)
    if file.frames > MOST_FRAMES:
        raise InputError(f"{name} has {file.frames} frames, more than the {MOST_FRAMES} that are read.")
    check_sizes((columns, rows, file.frames), name)
    slices = [_slice(file.data, n) for n in range(file.frames)]
    return slices, stack_of(slices, f"The frames of {name[:1].lower()}{name[1:]}")


def _slice(data: Any, n: int) -> Slice:
    """What functional groups say of frame n: its own go before the shared ones."""
    own, shared = _item(data, "PerFrameFunctionalGroupsSequence", n), _item(data, "SharedFunctionalGroupsSequence", 0)

    def said(sequence: str) -> Any:
        return next((found for each in (own, shared) if (found := group_of(each, sequence)) is not None), None)

    place, plane, measures = (
        said(f"{each}Sequence") for each in ("PlanePosition", "PlaneOrientation", "PixelMeasures")
    )
    values = said("PixelValueTransformationSequence")
    scaling = (1.0, 0.0) if values is None else _scaling(values)
    varying = {_TITLES[key]: text_of(said(group), keyword) for key, (group, keyword) in _GROUPS.items()}
    return Slice(
        numbers_of(place, "ImagePositionPatient", 3),
        numbers_of(plane, "ImageOrientationPatient", 6),
        numbers_of(measures, "PixelSpacing", 2),
        scaling,
        {title: text for title, text in varying.items() if text},
    )


def _scaling(data: Any) -> tuple[float, float] | None:
    slope, offset = (numbers_of(data, each, 1) for each in ("RescaleSlope", "RescaleIntercept"))
    return (slope[0], offset[0]) if slope and offset else None


def _item(data: Any, sequence: str, n: int) -> Any:
    found = data.get(sequence)
    return found[n] if found is not None and n < len(found) else {}


def _scaled(file: DicomFile, scaling: list[tuple[float, ...]], name: str) -> np.ndarray:
    """Frames with their own slopes, which SimpleITK does not apply: it takes the first for all; turned as it does."""
    import pydicom

    try:
        with quiet():
            data = pydicom.dcmread(file.path)
            stored = turned(data.pixel_array, data)
    except Exception as error:  # pydicom raises many kinds, also for compressed voxels that it cannot read
        raise InputError(
            f"{name} scales the values of each frame in its own way, or shows low values bright (MONOCHROME1), and its "
            "voxels are damaged or compressed; export it uncompressed."
        ) from error
    slopes, offsets = np.array(scaling, dtype=np.float64).T[:, :, None, None]
    return (stored * slopes + offsets).astype(np.float32)
