"""DICOM images: a folder with a series of slices, or one multi-frame file. Headers are checked whole, then read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from ...core.case import Image
from ...core.errors import Cure, InputError
from ...core.visible import visible
from ..headers.limits import check_sizes
from ..plain_files import is_file, shown_path
from .files import NOT_IMAGES, VARYING, DicomFile, check_pixels, is_dicom, modality, numbers_of, read_header
from .frames import read_frames
from .reading import native, notes_on, refuse_uneven, refuse_unread, source_of, without_copies
from .stack import UNEVEN_MM, Slice, stack_of

__all__ = ["BY_SERIES", "NOT_IMAGES", "UNEVEN_MM", "modality", "read_file", "read_series"]

BY_SERIES = Cure("choose one", "with --series NUMBER", panel="load one of them as a volume and choose that")

MOST_FILES = 20_000
"""Files of a folder that are looked at; no MRI has as many slices."""


def read_series(folder: Path, series: str | None = None) -> Image:
    """The image of one series in a folder.

    Args:
        folder: with the files, among others perhaps; folders in it are not looked into.
        series: number in the list (from 1) or UID, where there are several; one of a UID that the folder itself does
            not hold is looked for in the folders below, each instance once.

    Raises:
        InputError: no series, several without a choice, a choice that is not there, or a damaged file.
        GeometryError: slices are missing, repeated, without a place, unequally spaced, turned or tilted.
    """
    files, copies = without_copies(_files_of(folder, series))
    name, where = f"The DICOM series in {shown_path(folder)}", f"The DICOM slices in {shown_path(folder)}"
    if len(files) == 1:
        check_pixels(files[0])
        if files[0].frames == 1:
            raise InputError(
                f"{name} is a single DICOM slice, which has no thickness to the next; give the folder that holds the "
                "whole series."
            )
        return read_frames(files[0], name)
    if any(file.frames > 1 for file in files):
        listed = ", ".join(sorted(shown_path(file.path.name) for file in files)[:5])
        raise InputError(f"{name} consists of {len(files)} files with many frames each ({listed}); give one of them.")
    for file in files:
        check_pixels(file)
    refuse_unread(files, name)
    stack = stack_of([_slice(file) for file in files], where)
    files = [files[n] for n in stack.order]
    rows, columns = files[0].size or (0, 0)
    check_sizes((columns, rows, len(files)), name)
    own = stack.geometry(rows, columns)
    mixed = not stack.one_scaling or len({file.stored for file in files}) > 1
    voxels, place = native([file.path for file in files], name, mixed=mixed)
    if not stack.one_scaling:
        refuse_uneven(voxels, where)
    place = own if place is None or not place.same_grid(own) else place
    return Image(voxels, place, source_of(files), (*copies, *notes_on(files, name)))


def read_file(path: Path, name: str) -> Image:
    """The image of one multi-frame file.

    Raises:
        InputError: not an image, a single slice, or as :func:`~.frames.read_frames`.
        GeometryError: as there.
    """
    file = read_header(path)
    _refuse_other_objects(file, name)
    return read_frames(file, name)


def _refuse_other_objects(file: DicomFile, name: str) -> None:
    """Refuse DICOM files that are not images, and single slices.

    Raises:
        InputError: with what to do instead.
    """
    kind = file.modality
    if kind in ("RTSTRUCT", "SEG"):
        raise InputError(
            f"{name} is a DICOM {kind} object, which has no voxels of an image: give the MRI's folder, or, where a "
            "mask belongs, a .seg.nrrd or a label volume that 3D Slicer makes of it."
        )
    if kind in NOT_IMAGES:
        raise InputError(f"{name} is a DICOM {kind} object, not an image; give the MRI's folder.")
    check_pixels(file)
    if file.frames == 1:
        raise InputError(f"{name} is a single DICOM slice; give the folder that holds the whole series.")


def _slice(file: DicomFile) -> Slice:
    data = file.data
    scaling: tuple[float, ...] | None = (1.0, 0.0)
    if any(each in data for each in ("RescaleSlope", "RescaleIntercept")):
        slope, offset = (numbers_of(data, each, 1) for each in ("RescaleSlope", "RescaleIntercept"))
        scaling = (slope[0], offset[0]) if slope and offset else None
    return Slice(
        numbers_of(data, "ImagePositionPatient", 3),
        numbers_of(data, "ImageOrientationPatient", 6),
        numbers_of(data, "PixelSpacing", 2),
        scaling,
        {title: text for keyword, title in VARYING.items() if (text := file.text(keyword))},
    )


def _files_of(folder: Path, series: str | None) -> list[DicomFile]:
    """Files of the series that is meant."""
    found = _series_in(folder)
    if not found and (series is None or "." not in series):
        raise InputError(
            f"The folder {shown_path(folder)} holds no DICOM image series; give the folder with the slices."
        )
    ids = list(found)
    if series is None and len(ids) == 1:
        return found[ids[0]]
    if series in found:
        return found[series]
    if series is not None and "." in series and (below := _below(folder, series)):
        return below
    if series is not None and series.isdecimal() and len(series) < 9 and 1 <= int(series) <= len(ids):
        return found[ids[int(series) - 1]]
    listed = "; ".join(f"{n}: {f[0].modality}, {len(f)} files" for n, f in enumerate(found.values(), start=1))
    what = f"The folder {shown_path(folder)} holds {len(ids)} DICOM image series ({listed})"
    if series is not None:
        raise InputError(f"{what}; there is no series {series!r}.")
    raise InputError(what, BY_SERIES)


def _refuse_emptied(others: Sequence[Path], endings: Collection[str]) -> None:
    """Refuse files that should be slices and are no DICOM: without the first or the last, a stack is even as well.

    Args:
        others: ordinary files of the folder that are no DICOM.
        endings: of the slices; where they have none, a file that holds nothing is meant.

    Raises:
        InputError: with its name.
    """
    for path in others:
        if path.suffix not in endings:
            continue
        with path.open("rb") as file:
            empty = not any(file.read(132))
        if path.suffix or empty:
            what = "is empty and" if empty else "is named as its slices are and"
            raise InputError(
                f"The file {visible(path.name)} in the DICOM folder {shown_path(path.parent)} {what} is no DICOM file, "
                "so a slice may be missing; copy the folder again, or move the file elsewhere."
            )


def _below(folder: Path, series: str) -> list[DicomFile]:
    """Files of a series in the folders below, in the order of their paths; of an instance that is there twice, one."""
    found: dict[str, DicomFile] = {}
    for path in sorted(folder.rglob("*")):
        if is_dicom(path):
            with suppress(InputError):  # told where the folder was looked through
                file = read_header(path)
                if file.text("SeriesInstanceUID") == series and file.modality not in NOT_IMAGES:
                    found.setdefault(file.text("SOPInstanceUID"), file)
    return list(found.values())


def _series_in(folder: Path) -> dict[str, list[DicomFile]]:
    """Image files of a folder by their series, which are in the order of their UIDs."""
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(
            f"The folder {shown_path(folder)} cannot be opened ({error.strerror}); choose another."
        ) from error
    if len(paths) > MOST_FILES:
        raise InputError(f"The folder {shown_path(folder)} holds {len(paths)} files; give a folder with one series.")
    found: dict[str, list[DicomFile]] = {}
    others = []
    for path in paths:
        if is_dicom(path):
            file = read_header(path)
            if file.modality not in NOT_IMAGES:
                found.setdefault(file.text("SeriesInstanceUID"), []).append(file)
        elif is_file(path) and not path.name.startswith("."):
            others.append(path)
    _refuse_emptied(others, {file.path.suffix for files in found.values() for file in files})
    # a file without rows may be a damaged slice; of a series without any (a DICOMDIR, raw data) it is none
    return {uid: files for uid, files in sorted(found.items()) if any(file.size for file in files)}
