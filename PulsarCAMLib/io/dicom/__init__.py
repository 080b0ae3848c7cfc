"""DICOM images: a folder with a series of slices, or one multi-frame file. Headers are checked whole, then read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ...core.case import Image
from ...core.errors import Cure, InputError, PulsarCAMError
from ...core.pluralize import pluralize
from ...core.visible import visible
from ..headers.limits import check_sizes
from ..plain_files import is_file, shown_path
from .files import NOT_IMAGES, VARYING, DicomFile, check_pixels, is_dicom, modality, numbers_of, read_header
from .frames import checked_frames, read_frames
from .own import is_own_map
from .reading import TURNED, native, notes_on, refuse_uneven, refuse_unread, source_of, without_copies
from .stack import UNEVEN_MM, Slice, Stack, stack_of

__all__ = ["BY_SERIES", "NOT_IMAGES", "UNEVEN_MM", "modality", "read_file", "read_series", "refusals"]

BY_SERIES = Cure("choose one", "with --series NUMBER", panel="load one of them as a volume and choose that")

MOST_FILES = 20_000
"""Files of a folder that are looked at; no MRI has as many slices."""


@dataclass(frozen=True, eq=False)
class _Checked:
    """A series whose headers make one image.

    Attributes:
        files: in the order of the slices; or one with many frames.
        stack: of the slices; None for a file of frames.
        notes: what is to be told of files that were left out.
    """

    files: list[DicomFile]
    stack: Stack | None
    notes: tuple[str, ...]


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
    checked = _checked(folder, series, _Folder.of(folder))
    files, stack = checked.files, checked.stack
    name, where = _called(folder)
    if stack is None:
        image = read_frames(files[0], name)
        return replace(image, notes=(*checked.notes, *image.notes))
    rows, columns = files[0].size or (0, 0)
    own = stack.geometry(rows, columns)
    mixed = not stack.one_scaling or len({file.stored for file in files}) > 1
    negative = files[0].text("PhotometricInterpretation") == TURNED
    voxels, place = native([file.path for file in files], name, mixed=mixed, negative=negative)
    if not stack.one_scaling:
        refuse_uneven(voxels, where)
    place = own if place is None or not place.same_grid(own) else place
    return Image(voxels, place, source_of(files), (*checked.notes, *notes_on(files, name)))


def refusals(series: Iterable[tuple[Path, str]]) -> Iterator[str]:
    """For folders and UIDs of series in turn: why :func:`read_series` refuses it, by its headers; empty: it does not.

    Each folder is looked through once, however many series it holds.
    """
    known: dict[Path, _Folder] = {}
    for folder, uid in series:
        try:
            if folder not in known:
                known[folder] = _Folder.of(folder)
            _checked(folder, uid, known[folder])
        except PulsarCAMError as error:
            yield str(error)
        else:
            yield ""


def _called(folder: Path) -> tuple[str, str]:
    """A series and its slices, for sentences."""
    return f"The DICOM series in {shown_path(folder)}", f"The DICOM slices in {shown_path(folder)}"


def _checked(folder: Path, series: str | None, held: _Folder) -> _Checked:
    """A series as its headers tell it, before a voxel is read.

    Raises:
        InputError, GeometryError: as :func:`read_series`.
    """
    files, copies = without_copies(_files_of(folder, series, held))
    name, where = _called(folder)
    told = (*copies, *held.strays)
    if len(files) == 1:
        check_pixels(files[0])
        if files[0].frames == 1:
            raise InputError(
                f"{name} is a single DICOM slice, which has no thickness to the next; give the folder that holds the "
                "whole series."
            )
        checked_frames(files[0], name)
        return _Checked(files, None, told)
    if any(file.frames > 1 for file in files):
        listed = ", ".join(sorted(shown_path(file.path.name) for file in files)[:5])
        raise InputError(f"{name} consists of {len(files)} files with many frames each ({listed}); give one of them.")
    for file in files:
        check_pixels(file)
    refuse_unread(files, name)
    stack = stack_of([_slice(file) for file in files], where)
    rows, columns = files[0].size or (0, 0)
    check_sizes((columns, rows, len(files)), name)
    return _Checked([files[n] for n in stack.order], stack, told)


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
    if is_own_map(file.data):
        raise InputError(f"{name} is a heat map that PulsarCAM made, not an image; give the MRI's folder.")
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


def _files_of(folder: Path, series: str | None, held: _Folder) -> list[DicomFile]:
    """Files of the series that is meant."""
    found = held.series
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


def _refuse_emptied(others: Sequence[Path], slices: Sequence[Path]) -> tuple[str, ...]:
    """Refuse files that should be slices and are no DICOM: without the first or the last, a stack is even as well.

    Args:
        others: ordinary files of the folder that are no DICOM.
        slices: those of its image series.

    Returns:
        What is to be told of those that have the slices' ending and another name than these, as far as numbers go.

    Raises:
        InputError: with its name; where names have no ending, for one that holds nothing.
    """
    endings, shapes = {path.suffix for path in slices}, {_shape(path) for path in slices}
    named_by_chance = len(shapes) > max(2, len(slices) // 2)
    strays = 0
    for path in others:
        if path.suffix not in endings:
            continue
        if path.suffix and not named_by_chance and _shape(path) not in shapes:
            strays += 1
            continue
        try:
            with path.open("rb") as file:
                empty = not any(file.read(132))
        except OSError as error:
            raise InputError(
                f"The file {visible(path.name)} in the DICOM folder {shown_path(path.parent)} cannot be opened "
                f"({error.strerror or error}); see whether it may be read."
            ) from error
        if path.suffix or empty:
            what = "is empty and" if empty else "is named as its slices are and"
            raise InputError(
                f"The file {visible(path.name)} in the DICOM folder {shown_path(path.parent)} {what} is no DICOM file, "
                "so a slice may be missing; copy the folder again, or move the file elsewhere."
            )
    if not strays:
        return ()
    are = "is no DICOM file and was" if strays == 1 else "are no DICOM files and were"
    return (f"{pluralize(strays, 'file')} in the DICOM folder {are} left out, though the name ends as its slices' do.",)


def _shape(path: Path) -> str:
    """A file's name without its numbers, in which slices differ."""
    return re.sub(r"\d+", "#", path.stem)


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


@dataclass(frozen=True, eq=False)
class _Folder:
    """The image series of one folder.

    Attributes:
        series: files by UID, in the order of the UIDs.
        strays: what is to be told of files that are none.
    """

    series: dict[str, list[DicomFile]]
    strays: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path) -> _Folder:
        """Look through a folder, not through those in it.

        Raises:
            InputError: it cannot be opened, holds too many files, or one that is damaged or should be a slice.
        """
        try:
            paths = sorted(folder.iterdir())
        except OSError as error:
            raise InputError(
                f"The folder {shown_path(folder)} cannot be opened ({error.strerror}); choose another."
            ) from error
        if len(paths) > MOST_FILES:
            raise InputError(
                f"The folder {shown_path(folder)} holds {len(paths)} files; give a folder with one series."
            )
        found: dict[str, list[DicomFile]] = {}
        others = []
        for path in paths:
            if is_dicom(path):
                file = read_header(path)
                if file.modality not in NOT_IMAGES and not is_own_map(file.data):
                    found.setdefault(file.text("SeriesInstanceUID"), []).append(file)
            elif is_file(path) and not path.name.startswith("."):
                others.append(path)
        strays = _refuse_emptied(others, [file.path for files in found.values() for file in files])
        # a file without rows may be a damaged slice; of a series without any (a DICOMDIR, raw data) it is none
        series = {uid: files for uid, files in sorted(found.items()) if any(file.size for file in files)}
        return cls(series, strays)
