"""``pulsarcam explain --dicom-out``: what is asked before the work starts, and which files objects are derived from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...core.case import Case
    from ...outputs.dicom.objects import DicomObjects
    from .one_case import Job
    from .wanted import Wanted


def refuse_dicom_out(job: Job, wanted: Wanted, case: Case) -> None:
    """Refuse, before anything is computed, what DICOM objects cannot be made of.

    Raises:
        DependencyError: highdicom is missing.
        InputError: an image that maps are written on is no DICOM series, or image and structures may be two patients'.
    """
    if not job.dicom:
        return
    from ...core.errors import InputError
    from ...core.requirements import FOR_DICOM, require
    from ...io.dicom.pairing import RENAMED
    from ...outputs.dicom.source import check_source

    if RENAMED in job.frames.doubts:
        raise InputError(
            f"{RENAMED} No DICOM objects are written into the study of one of them; mend the headers first."
        )
    require(FOR_DICOM, extra="dicom")
    check_source(case.reference_image)
    for name in {shown.input for shown in wanted.maps if shown.input in case.images}:
        check_source(case.images[name], name)


def objects_of(job: Job) -> DicomObjects:
    """The output."""
    from ...outputs.dicom.objects import DicomObjects
    from ...systems.bundles.bundle import find_bundle

    first = find_bundle(job.model).card.system.inputs[0].name
    places: Mapping[str, Path] = {first: job.volume, **job.inputs}
    return DicomObjects(places, None if job.frames.registration is not None else job.segmentation)
