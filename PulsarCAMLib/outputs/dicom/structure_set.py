"""Regions as a structure set (RTSTRUCT): a new one, or appended to a copy of the user's.

The writer is our own: rt-utils writes numbers longer than the 16 characters that the standard allows, assumes axial
slices and swaps axes of images that are not square; highdicom and plastimatch append to no file of others.

Sources: DICOM PS3.3 A.19 (the object), C.8.8.5 (structure set), C.8.8.6 (contours), C.8.8.8 (observations).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import InputError
from ...core.lesion import Lesion
from ...core.visible import visible
from ...io.dicom.files import quiet, text_of
from ...io.headers.limits import damaged
from .maker import MAKER, NOTE, Maker, short
from .outlines import outlines
from .source import UTF_8, SourceSeries

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
DETACHED_STUDY = "1.2.840.10008.3.1.2.3.1"
"""SOP class of a study, by which structure sets refer to one (retired, and still written by all)."""

COLORS = ((242, 153, 38), (64, 166, 230), (217, 89, 140), (115, 191, 89), (166, 128, 217))


@dataclass(frozen=True, eq=False)
class Region:
    """One region of interest.

    Attributes:
        lesion: name and voxels on the source's grid.
        about: what it is, for the description.
        kind: RT ROI Interpreted Type; "": none, so that no planning system takes it for a target.
        activated: whether it is an activated sub-region; else as it was drawn.
        name: of the structure; "": the lesion's, with "activated" behind that of a sub-region.
    """

    lesion: Lesion
    about: str
    kind: str = ""
    activated: bool = True
    name: str = ""


def structure_set_of(regions: Sequence[Region], source: SourceSeries, maker: Maker, old: Path | None = None) -> Any:
    """The object, not yet written.

    Args:
        regions: empty ones are left out.
        source: the MRI.
        maker: of the result.
        old: a structure set in the MRI's frame of reference, whose regions come first, as they are.

    Raises:
        InputError: ``old`` is damaged, or of another patient.
    """
    made = _new(source, maker) if old is None else _copy(old, source, maker)
    frame = source.first.FrameOfReferenceUID
    used = {text_of(each, "ROINumber") for each in made.StructureSetROISequence}
    number = max((int(each) for each in used if each.lstrip("-").isdecimal()), default=0)
    observed = [text_of(each, "ObservationNumber") for each in made.RTROIObservationsSequence]
    observation = max((int(each) for each in observed if each.lstrip("-").isdecimal()), default=0)
    taken = {text_of(each, "ROIName") for each in made.StructureSetROISequence}
    for n, region in enumerate(each for each in regions if each.lesion.mask.any()):
        number, observation = number + 1, observation + 1
        usual = f"{region.lesion.name} activated" if region.activated else region.lesion.name
        name = _unlike(short(region.name or usual), taken)
        made.StructureSetROISequence.append(_structure(region, number, name, frame, source, maker))
        made.ROIContourSequence.append(_contours(region.lesion, number, COLORS[n % len(COLORS)], source))
        made.RTROIObservationsSequence.append(_observation(region, observation, number))
    return made


def _new(source: SourceSeries, maker: Maker) -> Any:
    made = maker.plain_object(source, RTSTRUCT, "RTSTRUCT", "structure set")
    made.StructureSetLabel = MAKER
    made.StructureSetDescription = f"{NOTE}. Made by {', '.join(maker.software)}."
    _say_when(made)
    made.ApprovalStatus = "UNAPPROVED"
    made.StructureSetROISequence, made.ROIContourSequence, made.RTROIObservationsSequence = [], [], []
    made.ReferencedFrameOfReferenceSequence = [_frame(source)]
    return made


def _copy(old: Path, source: SourceSeries, maker: Maker) -> Any:
    """The user's structure set as an object of its own, which says what it was made of and is not approved."""
    import pydicom
    from pydicom.dataset import Dataset
    from pydicom.uid import ImplicitVRLittleEndian, generate_uid

    name = f"The structure set {visible(old.name)}"
    try:
        with quiet():
            made = pydicom.dcmread(old, force=True)
            _decode(made)
    except Exception as error:  # pydicom raises many kinds for damaged files
        raise damaged(name, "its elements cannot be read") from error
    if text_of(made, "PatientID") != text_of(source.first, "PatientID"):
        raise InputError(f"{name} is of another patient than the MRI; leave it out or give that patient's.")
    before = Dataset()
    before.ReferencedSOPClassUID, before.ReferencedSOPInstanceUID = RTSTRUCT, made.SOPInstanceUID
    made.PredecessorStructureSetSequence = [before]
    made.SpecificCharacterSet = UTF_8
    made.SOPInstanceUID, made.SeriesInstanceUID = generate_uid(prefix=None), generate_uid(prefix=None)
    made.SeriesNumber, made.InstanceNumber = next(maker.numbers), 1
    made.SeriesDescription = short(f"{NOTE}: structure set with activated sub-regions")
    described = text_of(made, "StructureSetDescription")
    told = f"{NOTE}. Structures “activated” appended by {', '.join(maker.software)}."
    made.StructureSetDescription = f"{described} {told}".strip()[:1024]
    _say_when(made)
    for keyword in ("OperatorsName", "PositionReferenceIndicator"):  # needed, and often missing
        if keyword not in made:
            setattr(made, keyword, "")
    made.ApprovalStatus = "UNAPPROVED"
    for keyword in ("ReviewDate", "ReviewTime", "ReviewerName"):  # of what was reviewed, which this was not
        if keyword in made:
            delattr(made, keyword)
    for keyword in ("StructureSetROISequence", "ROIContourSequence", "RTROIObservationsSequence"):
        if keyword not in made or made.get(keyword) is None:
            setattr(made, keyword, [])
    _refer_to(made, source)
    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = RTSTRUCT, made.SOPInstanceUID
    meta.TransferSyntaxUID = ImplicitVRLittleEndian
    made.file_meta, made.preamble = meta, b"\0" * 128
    return made


def _say_when(made: Any) -> None:
    from datetime import datetime

    now = datetime.now()
    made.StructureSetDate, made.StructureSetTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    made.InstanceCreationDate, made.InstanceCreationTime = made.StructureSetDate, made.StructureSetTime


def _refer_to(made: Any, source: SourceSeries) -> None:
    """Name the MRI among the images that a structure set refers to, where it does not yet."""
    series = text_of(source.first, "SeriesInstanceUID")
    own = _frame(source)
    frames = list(made.get("ReferencedFrameOfReferenceSequence") or [])
    for frame in frames:
        if text_of(frame, "FrameOfReferenceUID") != own.FrameOfReferenceUID:
            continue
        studies = list(frame.get("RTReferencedStudySequence") or [])
        known = [text_of(s, "SeriesInstanceUID") for t in studies for s in t.get("RTReferencedSeriesSequence") or ()]
        if series not in known:
            frame.RTReferencedStudySequence = [*studies, *own.RTReferencedStudySequence]
        return
    made.ReferencedFrameOfReferenceSequence = [*frames, own]


def _frame(source: SourceSeries) -> Any:
    """Item of the Referenced Frame of Reference Sequence: the MRI's frame, study, series and slices."""
    from pydicom.dataset import Dataset

    frame, study, series = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = source.first.SeriesInstanceUID
    series.ContourImageSequence = [_image(header) for header in source.headers]
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = DETACHED_STUDY, source.first.StudyInstanceUID
    study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID = source.first.FrameOfReferenceUID
    frame.RTReferencedStudySequence = [study]
    return frame


def _image(header: Any, frame_number: int | None = None) -> Any:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    if frame_number is not None:
        item.ReferencedFrameNumber = frame_number
    return item


def _structure(region: Region, number: int, name: str, frame: str, source: SourceSeries, maker: Maker) -> Any:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.ROINumber, item.ReferencedFrameOfReferenceUID, item.ROIName = number, frame, name
    item.ROIDescription = f"{NOTE}. {region.about}"[:1024]
    item.ROIVolume = f"{region.lesion.volume_cm3(source.geometry):.6g}"
    item.ROIGenerationAlgorithm = "AUTOMATIC" if region.activated else ""
    if region.activated:
        item.ROIGenerationDescription = short(f"{NOTE}: {', '.join(maker.software)}")
        item.ROIDerivationAlgorithmIdentificationSequence = maker.algorithm()
    return item


def _contours(region: Lesion, number: int, color: tuple[int, int, int], source: SourceSeries) -> Any:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.ROIDisplayColor, item.ReferencedROINumber = list(color), number
    made = []
    k0, j0, i0 = region.offset
    frames = {k: n + 1 for n, k in enumerate(source.slices)} if source.multi_frame else {}
    for k, plane in enumerate(region.mask, start=k0):
        for outline in outlines(plane):
            ijk = np.column_stack([outline[:, 1] + i0, outline[:, 0] + j0, np.full(len(outline), k)])
            contour = Dataset()
            contour.ContourImageSequence = [_image(source.header_of(k), frames.get(k))]
            contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", len(outline)
            _set_points(contour, source.geometry.to_lps(ijk))
            made.append(contour)
    item.ContourSequence = made
    return item


def _set_points(contour: Any, points: np.ndarray) -> None:
    """Contour Data in millimetres to the fifth decimal, which takes at most 16 characters (DS)."""
    text = "\\".join(f"{value:.5f}" for value in (points + 0.0).ravel().tolist()).encode()
    _set_bytes(contour, text + b" " * (len(text) % 2))


def _set_bytes(contour: Any, text: bytes) -> None:
    """Contour Data as the bytes that are to be written, which :meth:`Maker.plain_object` writes in implicit VR.

    pydicom's own objects, one a number, would take most of the time that a structure set takes; and they are made when
    the file is written, unless the item says that it was read as it will be written.
    """
    from pydicom.charset import default_encoding
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    tag = Tag("ContourData")
    contour[tag] = RawDataElement(tag, "DS", len(text), text, 0, True, True, True)
    contour.set_original_encoding(True, True, default_encoding)


def _decode(made: Any) -> None:
    """Make Unicode of the texts of a structure set that was read; the points of contours stay bytes.

    Raises:
        ValueError: a point is no number.
    """
    from pydicom.dataset import Dataset

    kept: list[tuple[Any, bytes]] = []
    for drawn in made.get("ROIContourSequence") or ():
        for contour in drawn.get("ContourSequence") or ():
            found = contour.get_item("ContourData").value if "ContourData" in contour else None
            if isinstance(found, bytes):
                [float(number) for number in found.strip(b" \0").split(b"\\") if number.strip()]
                kept.append((contour, found))
                del contour.ContourData
    made.decode()
    points = {id(contour): text for contour, text in kept}
    for drawn in made.get("ROIContourSequence") or ():
        anew = []
        for contour in drawn.get("ContourSequence") or ():
            anew.append(Dataset(contour))  # the same elements, and no word of how they were stored
            if id(contour) in points:
                _set_bytes(anew[-1], points[id(contour)])
        if anew:
            drawn.ContourSequence = anew


def _observation(region: Region, observation: int, number: int) -> Any:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.ObservationNumber, item.ReferencedROINumber = observation, number
    item.RTROIInterpretedType, item.ROIInterpreter = region.kind, ""
    item.ROIObservationDescription = short(f"{NOTE}: {region.about}")
    return item


def _unlike(name: str, taken: set[str]) -> str:
    """A name that no other structure has, in at most 64 characters."""
    found, n = name, 1
    while found in taken:
        n += 1
        end = f" [{n}]"
        found = short(name, 64 - len(end)) + end
    taken.add(found)
    return found
