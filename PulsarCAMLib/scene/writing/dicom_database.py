"""Objects into Slicer's DICOM database, from where its DICOM module shows and sends them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...core.errors import OutputError
from ...io.dicom.files import text_of
from ..reading.dicom import open_database


def add_to_database(files: Sequence[Path]) -> None:
    """Copy DICOM files into the database: all of them, or none.

    Args:
        files: each an object of a series of its own, as PulsarCAM writes them.

    Raises:
        OutputError: there is no database, or it does not take an object.
    """
    database = open_database()
    if database is None:
        raise OutputError("Slicer's DICOM database is not open; open the module DICOM once and try again.")
    database.prepareInsert()
    for path in files:
        database.insert(str(path), True)
    instances = [_uids(path) for path in files]
    missing = [series for uid, series in instances if not database.fileForInstance(uid)]
    if missing:
        for _, series in instances:
            database.removeSeries(series)
        raise OutputError(
            f"Slicer's DICOM database did not take {len(missing)} of {len(files)} objects, so that none was kept; is "
            "its disk full, or its folder protected?"
        )


def _uids(path: Path) -> tuple[str, str]:
    """SOP instance and series of a file."""
    import pydicom

    names = "SOPInstanceUID", "SeriesInstanceUID"
    data = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(names))
    instance, series = (text_of(data, name) for name in names)
    return instance, series
