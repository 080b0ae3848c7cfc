"""The DICOM series that a volume node was loaded from."""

from __future__ import annotations

import slicer

from ...core.case import DicomSource

INSTANCES = "DICOM.instanceUIDs"
"""Attribute in which Slicer's DICOM module keeps the SOP instance UIDs of a volume's slices, apart by spaces."""

STUDY, SERIES, FRAME_OF_REFERENCE, SOP_CLASS = "0020,000d", "0020,000e", "0020,0052", "0008,0016"
"""DICOM tags (PS3.6)."""


def source_of(node) -> DicomSource | None:
    """The series of a volume node, None where it did not come from one.

    Slicer keeps instance UIDs slice by slice in the order in which it read them, which is that of k. The other UIDs
    are in its DICOM database; they are empty where the database does not know the series any more.
    """
    uids = tuple((node.GetAttribute(INSTANCES) or "").split())
    image = node.GetImageData()
    if not uids or image is None or image.GetDimensions()[2] != len(uids):
        return None  # also of a volume that was cut or resampled since
    database = getattr(slicer, "dicomDatabase", None)

    def value(tag: str) -> str:
        return (database.instanceValue(uids[0], tag) or "").strip() if database is not None else ""

    return DicomSource(value(STUDY), value(SERIES), value(FRAME_OF_REFERENCE), value(SOP_CLASS), uids)
