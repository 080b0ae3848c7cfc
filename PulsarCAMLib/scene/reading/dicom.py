"""The DICOM series that a volume node was loaded from."""

from __future__ import annotations

from pathlib import Path

import slicer

from ...core.case import DicomSource
from ...core.errors import InputError

INSTANCES = "DICOM.instanceUIDs"
"""Attribute in which Slicer's DICOM module keeps the SOP instance UIDs of a volume's slices, apart by spaces."""

STUDY, SERIES, FRAME_OF_REFERENCE, SOP_CLASS = "0020,000d", "0020,000e", "0020,0052", "0008,0016"
MODALITY, PATIENT_ID = "0008,0060", "0010,0020"
"""DICOM tags (PS3.6)."""

MULTI_FRAME = ("1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.4.4")
"""SOP classes of MR whose one instance holds all slices: enhanced, and legacy converted (PS3.6, A)."""


def source_of(node) -> DicomSource | None:
    """The series of a volume node, None where it did not come from one.

    Slicer keeps instance UIDs slice by slice in the order in which it read them, which is that of k. The other UIDs
    are in its DICOM database; they are empty where the database does not know the series any more.
    """
    uids = tuple((node.GetAttribute(INSTANCES) or "").split())
    image = node.GetImageData()
    if not uids or image is None:
        return None
    multi_frame = len(uids) == 1 and header_value(node, SOP_CLASS) in MULTI_FRAME
    if image.GetDimensions()[2] != len(uids) and not multi_frame:
        return None  # also of a volume that was cut or resampled since
    told = (header_value(node, tag) for tag in (STUDY, SERIES, FRAME_OF_REFERENCE, SOP_CLASS))
    return DicomSource(*told, uids)


def header_value(node, tag: str) -> str:
    """What Slicer's DICOM database tells of the first slice of a node; empty where it does not know it."""
    uids = (node.GetAttribute(INSTANCES) or "").split()
    database = open_database()
    return (database.instanceValue(uids[0], tag) or "").strip() if uids and database is not None else ""


def open_database():
    """Slicer's DICOM database, a ``ctkDICOMDatabase``; None where there is none, or it is closed."""
    database = getattr(slicer, "dicomDatabase", None)
    return database if database is not None and database.isOpen else None


def files_of(node) -> list[Path]:
    """The files of the series that a volume was loaded from, in the order of its slices.

    Raises:
        InputError: it came from no series, or its files are not known any more.
    """
    reason = why_no_dicom(node)
    if reason:
        raise InputError(reason)
    database = open_database()
    return [Path(database.fileForInstance(uid)) for uid in source_of(node).instance_uids]


def why_no_dicom(node) -> str:
    """Why no DICOM objects can be made of results on this image, as one sentence, or an empty text."""
    name = node.GetName()
    if not node.GetAttribute(INSTANCES):
        return (
            f"“{name}” was not loaded from DICOM, so DICOM objects would have no patient; load it by the module DICOM."
        )
    source = source_of(node)
    if source is None:
        return f"“{name}” has other slices than the DICOM series that it was loaded from; load it by the module DICOM."
    database = open_database()
    if database is None or not source.frame_of_reference_uid or not _knows(database, source):
        return f"Slicer's DICOM database does not know the files of “{name}” any more; import them again."
    return ""


def _knows(database, source: DicomSource) -> bool:
    """By its ends: all are looked at when they are read."""
    ends = (source.instance_uids[0], source.instance_uids[-1])
    return all(Path(path).is_file() for path in map(database.fileForInstance, ends) if path is not None)
