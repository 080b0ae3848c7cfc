"""Where the files of a DICOM series lie, found again by the UIDs of its instances, and their whole headers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...core.case import DicomSource
from ...core.errors import InputError
from ...core.visible import visible
from ..headers.limits import damaged
from ..plain_files import is_folder, shown_path
from .files import is_dicom, quiet, text_of
from .identity import may_be_same, patient_of


def instance_files(place: Path | Sequence[Path], source: DicomSource) -> list[Path]:
    """Files of a series in the order of its slices.

    Args:
        place: the folder that it was read from, or the one file; folders in it are looked into. Or all its files, where
            they are known.
        source: says which instances.

    Raises:
        InputError: one is no longer there.
    """
    import pydicom

    found: dict[str, Path] = {}
    wanted = set(source.instance_uids)
    for path in _files_in(place):
        if len(found) == len(wanted):
            break
        if not is_dicom(path):
            continue
        try:
            with quiet():
                data = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SOPInstanceUID"], force=True)
        except Exception:  # pydicom raises many kinds; a damaged file is told where the folder is read
            continue
        if (uid := text_of(data, "SOPInstanceUID")) in wanted:
            found.setdefault(uid, path)
    missing = len(wanted) - len(found)
    if missing:
        raise InputError(
            f"{missing} of {len(wanted)} files of the MRI's DICOM series are no longer in {_words(place)}; put them "
            "back, for DICOM objects refer to them."
        )
    return [found[uid] for uid in source.instance_uids]


def refuse_other_patients(
    place: Path | Sequence[Path], source: DicomSource, others: Sequence[tuple[str, Path]]
) -> None:
    """Refuse files that name another patient than the series of the MRI; what names nobody cannot be told.

    Args:
        place: of the series, as of :func:`instance_files`.
        source: says which instances.
        others: what each is called in a sentence ("The dose"), and its place; of what is no DICOM nothing is asked.

    Raises:
        InputError: with the file; the patients themselves are not named.
    """
    others = [(what, one) for what, path in others if (one := next(filter(is_dicom, _files_in(path)), None))]
    if not others:
        return
    wanted = set(source.instance_uids)
    own = next((who for uid, who in map(_uid_and_patient, filter(is_dicom, _files_in(place))) if uid in wanted), "")
    for what, path in others:
        who = _uid_and_patient(path)[1]
        if not may_be_same(own, who):
            raise InputError(
                f"{what} {visible(path.name)} is of another patient than the MRI (another patient ID, or issuer of it, "
                "in its header); leave it out or give that patient's."
            )


def _uid_and_patient(path: Path) -> tuple[str, str]:
    import pydicom

    tags = ["SOPInstanceUID", "PatientID", "IssuerOfPatientID"]
    try:
        with quiet():
            data = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags, force=True)
    except Exception:  # pydicom raises many kinds; a damaged file is told where it is read
        return "", ""
    return text_of(data, "SOPInstanceUID"), patient_of(data)


def _files_in(place: Path | Sequence[Path]) -> Sequence[Path]:
    if isinstance(place, Path):
        return sorted(place.rglob("*")) if is_folder(place) else [place]
    return place


def _words(place: Path | Sequence[Path]) -> str:
    return shown_path(place) if isinstance(place, Path) else "their places"


def whole_headers(files: Sequence[Path]) -> list[Any]:
    """All elements of files but their voxels, as pydicom's data sets.

    Raises:
        InputError: one is damaged.
    """
    import pydicom

    found = []
    for path in files:
        try:
            with quiet():
                data = pydicom.dcmread(path, stop_before_pixels=True, force=True)
                found.append(data)
        except Exception as error:  # pydicom raises many kinds for damaged files
            raise damaged(f"The DICOM file {visible(path.name)}", "its elements cannot be read") from error
    return found
