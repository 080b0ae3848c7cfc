"""When an image was made."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from .files import quiet, text_of

KEYS = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
"""In this order: a planning system keeps the study's date where it makes a series anew."""


def date_of(path: Path) -> date | None:
    """The day of a DICOM file's study; None where it says none that can be."""
    import pydicom

    try:
        with quiet(), path.open("rb") as file:
            data = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(KEYS), force=True)
    except Exception:  # pydicom raises many kinds; whoever reads the image tells of it
        return None
    for key in KEYS:
        try:
            return datetime.strptime(text_of(data, key), "%Y%m%d").date()
        except ValueError:
            continue
    return None
