"""DICOM folders, through SimpleITK's GDCM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ..core.case import DicomSource
from ..core.errors import Cure, GeometryError, InputError

UNEVEN_MM = 0.05
"""Distances between neighbouring slices may differ by this much, or by two per cent: headers are rounded."""

_POSITION, _ORIENTATION = "0020|0032", "0020|0037"
_STUDY, _SERIES, _FRAME_OF_REFERENCE = "0020|000d", "0020|000e", "0020|0052"
_SOP_CLASS, _INSTANCE = "0008|0016", "0008|0018"

BY_SERIES = Cure("choose one", "with --series NUMBER", panel="load one of them as a volume and choose that")


def read_series(folder: Path, series: str | None = None):
    """SimpleITK image of one series in a folder, and the :class:`DicomSource` or None.

    Raises:
        InputError: no series, several without a choice, or a choice that is not there.
        GeometryError: slices are missing, unequally spaced or tilted.
    """
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    files = _files_of(folder, series)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(files)
    reader.MetaDataDictionaryArrayUpdateOn()
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise InputError(f"The DICOM series in {folder} cannot be read: its slices differ in size or kind.") from error
    if len(files) > 1:
        _check_slices(reader, len(files), folder)
    return image, _source([partial(_text, reader, n) for n in range(len(files))])


def source_of(reader) -> DicomSource | None:
    """Where the one file that a SimpleITK ``ImageFileReader`` has read the information of comes from."""
    return _source([partial(_text, reader, None)])


def _source(files: Sequence[Callable[[str], str]]) -> DicomSource | None:
    """The series of files, each a function from tag to text; None where it cannot be known for all of them."""
    shared = [{tag(name) for tag in files} for name in (_STUDY, _SERIES, _FRAME_OF_REFERENCE, _SOP_CLASS)]
    instances = tuple(tag(_INSTANCE) for tag in files)
    if any(len(found) != 1 for found in shared) or len(set(instances)) < len(instances):
        return None
    study, own, frame_of_reference, sop_class = (found.pop() for found in shared)
    if not (study and own and sop_class and all(instances)):
        return None
    return DicomSource(study, own, frame_of_reference, sop_class, instances)


def _text(reader, n: int | None, tag: str) -> str:
    """A tag of the file of slice n of a series reader, or of a file reader's one (n is None)."""
    which = () if n is None else (n,)
    return reader.GetMetaData(*which, tag).strip(" \0") if reader.HasMetaDataKey(*which, tag) else ""


def _files_of(folder: Path, series: str | None) -> list[str]:
    import SimpleITK as sitk

    found = {uid: sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid) for uid in _series_ids(folder)}
    found = {uid: list(files) for uid, files in found.items() if modality(Path(files[0])) not in NOT_IMAGES}
    if not found:
        raise InputError(f"The folder {folder} holds no DICOM image series; give the folder with the slices.")
    ids = list(found)
    if series is None and len(ids) == 1:
        return found[ids[0]]
    if series in found:
        return found[series]
    if series is not None and series.isdigit() and 1 <= int(series) <= len(ids):
        return found[ids[int(series) - 1]]
    listed = "; ".join(f"{n}: {modality(Path(f[0]))}, {len(f)} files" for n, f in enumerate(found.values(), start=1))
    what = f"The folder {folder} holds {len(ids)} DICOM image series ({listed})"
    if series is not None:
        raise InputError(f"{what}; there is no series {series!r}.")
    raise InputError(what, BY_SERIES)


def _series_ids(folder: Path) -> tuple[str, ...]:
    import SimpleITK as sitk

    try:
        return sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    except RuntimeError:
        return ()


def _check_slices(reader, count: int, folder: Path) -> None:
    """Positions must lie on one line, perpendicular to the slices, at equal distances."""
    try:
        positions = np.array([_numbers(reader.GetMetaData(n, _POSITION)) for n in range(count)])
        rows, columns = np.reshape(_numbers(reader.GetMetaData(0, _ORIENTATION)), (2, 3))
    except RuntimeError:
        return  # multi-frame objects keep these elsewhere, and secondary captures have none
    steps = np.diff(positions, axis=0)
    distances = np.linalg.norm(steps, axis=1)
    typical = float(np.median(distances))
    if np.abs(distances - typical).max() > max(UNEVEN_MM, 0.02 * typical):
        raise GeometryError(
            f"The DICOM slices in {folder} are not equally spaced ({distances.min():.2f} to {distances.max():.2f} mm): "
            "slices are missing or doubled; export the series again."
        )
    tilt = np.degrees(np.arccos(np.clip(abs(np.cross(rows, columns) @ steps[0]) / distances[0], 0, 1)))
    if tilt > 0.5:
        raise GeometryError(
            f"The DICOM slices in {folder} are stacked at a tilt of {tilt:.1f} degrees (tilted gantry); resample the "
            "volume to an ordinary grid first."
        )


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split("\\")]


NOT_IMAGES = ("RTSTRUCT", "RTPLAN", "RTDOSE", "SEG", "SR", "PR", "KO", "REG")


def modality(path: Path) -> str:
    """DICOM modality of a file; empty for a file that is not DICOM."""
    with path.open("rb") as file:
        if file.read(132)[128:] != b"DICM":
            return ""
    import pydicom

    try:
        return str(pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["Modality"]).get("Modality", "?"))
    except Exception:  # pydicom raises many kinds for damaged files; then GDCM decides
        return "?"


def refuse_other_objects(path: Path, name: str) -> None:
    """Refuse DICOM files that are not images, and single slices.

    Raises:
        InputError: with what to do instead.
    """
    kind = modality(path)
    if kind in ("RTSTRUCT", "SEG"):
        raise InputError(
            f"{name} is a DICOM {kind} object, which the command line does not read: load it in 3D Slicer and export "
            "the segmentation as .seg.nrrd, or convert it to a label volume."
        )
    if kind in NOT_IMAGES:
        raise InputError(f"{name} is a DICOM {kind} object, not an image; give the MRI's folder.")
    if kind and _is_one_slice(path):
        raise InputError(f"{name} is a single DICOM slice; give the folder that holds the whole series.")


def _is_one_slice(path: Path) -> bool:
    import pydicom

    header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["NumberOfFrames"])
    return int(header.get("NumberOfFrames") or 1) == 1
