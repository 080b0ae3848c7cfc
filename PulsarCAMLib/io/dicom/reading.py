"""Voxels of DICOM files through SimpleITK's GDCM, once their headers have been checked; and where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...core.case import DicomSource
from ...core.errors import InputError
from ...core.geometry.volume import VolumeGeometry
from ...core.visible import visible
from .files import DicomFile, names_of, numbers_of, quiet, text_of
from .levels import Levels, slices_told, times_told

TURNED = "MONOCHROME1"
"""Low values are shown bright (PS3.3 C.7.6.3.1.2). GDCM, and so 3D Slicer, turns the stored numbers round before it
scales them, and reads no such file of 12 bits; here pydicom reads all of them, and :func:`turned` does the same."""


def refuse_unread(files: Sequence[DicomFile], name: str) -> None:
    """Refuse colours, and slices of different size or kind, or of two patients.

    Raises:
        InputError: with what to do instead.
    """
    if len({file.size for file in files}) > 1 or len({file.kind for file in files}) > 1:
        raise InputError(f"{name} cannot be read: its slices differ in size or kind.")
    if len({told for file in files if (told := file.text("PatientID"))}) > 1:
        raise InputError(f"{name} are of different patients, so they are no one image; export one series alone.")
    if files[0].text("SamplesPerPixel") not in ("1", ""):
        raise InputError(f"{name} is not one 3D volume with one value per voxel (it holds colours); give the MRI.")


def notes_on(files: Sequence[DicomFile], name: str) -> tuple[str, ...]:
    """What the headers say that an MRI's do not, one sentence each."""
    told = []
    kinds = sorted({file.modality for file in files} - {"MR", "?"})
    if kinds:
        told.append(f"{name} is of the modality {', '.join(map(visible, kinds))} by its header; was an MRI meant?")
    if len({text for file in files if (text := file.text("FrameOfReferenceUID"))}) > 1:
        told.append(
            f"{name} has slices of several frames of reference, whose positions may not compare; look at the images."
        )
    if (several := len(names_of(file.text("PatientName") for file in files))) > 1:
        told.append(
            f"{name} has slices under {several} different names of patients and one ID; were two patients mixed?"
        )
    if any(file.text("PhotometricInterpretation") == TURNED for file in files):
        told.append(
            f"{name} says that its low values are shown bright (MONOCHROME1), so its numbers are turned round, as "
            "viewers and 3D Slicer show them; if it looks like a negative there, export it as MONOCHROME2."
        )
    return tuple(told)


def turned(stored: np.ndarray, data: Any) -> np.ndarray:
    """Stored numbers of a :data:`TURNED` image the other way round: the least becomes the greatest that its bits hold.

    Args:
        stored: integers of any shape.
        data: the file's data set.
    """
    if text_of(data, "PhotometricInterpretation") != TURNED:
        return stored
    bits = numbers_of(data, "BitsStored", 1) or (8.0 * stored.dtype.itemsize,)
    top = -1 if stored.dtype.kind == "i" else 2 ** int(bits[0]) - 1
    return (top - stored.astype(np.int64)).astype(stored.dtype)


def native(
    paths: Sequence[Path],
    name: str,
    *,
    mixed: bool = False,
    negative: bool = False,
    scaling: tuple[float, ...] | None = None,
) -> tuple[np.ndarray, VolumeGeometry | None]:
    """Voxels ``[k, j, i]`` of slices in this order, or of the frames of one file, and where SimpleITK places them.

    What its GDCM cannot decompress is left to pydicom and the decoders that are installed, which know no place: None.

    Args:
        paths: of the files.
        name: what they are called, for the sentence.
        mixed: whether slices scale their values in different ways: then float32, for the type of the first would cut
            those of the others.
        negative: whether it is :data:`TURNED`.
        scaling: slope and intercept of all frames of one file, which SimpleITK finds itself where it reads them; None:
            those of each file's own elements.

    Raises:
        InputError: a file is damaged, or compressed in a way that nothing here decodes.
    """
    import SimpleITK as sitk

    if negative:
        return _by_pydicom(paths, name, scaling=scaling), None
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    reader: Any = sitk.ImageSeriesReader() if len(paths) > 1 else sitk.ImageFileReader()
    if len(paths) > 1:
        reader.SetFileNames([str(path) for path in paths])
    else:
        reader.SetFileName(str(paths[0]))
    reader.SetImageIO("GDCMImageIO")
    if mixed:
        reader.SetOutputPixelType(sitk.sitkFloat32)
    try:
        image = reader.Execute()
    except RuntimeError as error:
        return _by_pydicom(paths, name, error, scaling), None
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(f"{name} is not one 3D volume with one value per voxel; give the MRI.")
    return sitk.GetArrayFromImage(image), VolumeGeometry.from_sitk(image)


def refuse_uneven(voxels: np.ndarray, where: str) -> None:
    """Refuse slices that scale their values in ways of their own, of which one stands out from its neighbours.

    Slopes may differ from slice to slice; the values that they give may not.

    Raises:
        InputError: with its number, in the order of the stack, and the factor.
    """
    for k, factor in Levels.of(voxels).uneven():
        raise InputError(
            f"{where} scale their values in different ways (RescaleSlope), and {slices_told([k], len(voxels))} has "
            f"{times_told(factor)} the values of its neighbours; export the series again."
        )


def without_copies(files: Sequence[DicomFile]) -> tuple[list[DicomFile], tuple[str, ...]]:
    """Files of a series, each instance once, and what is to be told of copies.

    A copy has the SOP Instance UID of another file, and its voxels and all that is read of its header.
    """
    kept: dict[str, DicomFile] = {}
    found, copies = [], []
    for file in files:
        uid = file.text("SOPInstanceUID")
        if uid and uid in kept and _same_instance(kept[uid], file):
            copies.append(file.path.name)
            continue
        kept.setdefault(uid, file)
        found.append(file)
    if not copies:
        return found, ()
    listed = ", ".join(map(visible, copies[:3])) + (", ..." if len(copies) > 3 else "")
    what = "is a copy of a slice that is there already, and was" if len(copies) == 1 else "are copies, and were"
    return found, (f"{listed} in the DICOM folder {what} left out.",)


def _same_instance(one: DicomFile, other: DicomFile) -> bool:
    import pydicom

    try:
        with quiet():
            heads = [[each for each in file.data if each.keyword != "PatientName"] for file in (one, other)]
            if heads[0] != heads[1]:
                return False
            pixels = [pydicom.dcmread(each.path, force=True).get("PixelData") for each in (one, other)]
    except Exception:  # pydicom raises many kinds for damaged files
        return False
    return pixels[0] is not None and pixels[0] == pixels[1]


def _by_pydicom(
    paths: Sequence[Path], name: str, fault: Exception | None = None, scaling: tuple[float, ...] | None = None
) -> np.ndarray:
    """Voxels by pydicom and its decoders, scaled as the headers say (PS3.3 C.11.1).

    Args:
        paths, name, scaling: as :func:`native` has them.
        fault: for which SimpleITK reads none of them; then an uncompressed file is damaged.
    """
    import pydicom
    from pydicom.pixels import get_decoder

    planes = []
    for path in paths:
        try:
            with quiet():
                data = pydicom.dcmread(path)
                syntax = data.file_meta.TransferSyntaxUID
        except Exception as error:  # pydicom raises many kinds for damaged files
            raise InputError(f"{name} cannot be read: it is damaged.") from error
        if not syntax.is_transfer_syntax or (fault and not syntax.is_compressed):
            raise InputError(f"{name} cannot be read: it is damaged or compressed in an unknown way.") from fault
        try:
            known = not syntax.is_compressed or get_decoder(syntax).is_available
        except NotImplementedError:
            known = False
        if not known:
            raise InputError(
                f"{name} cannot be read: it is compressed ({visible(syntax.name)}) and no decoder for that is "
                "installed, or it is damaged; install decoders with pip install 'pulsarcam[dicom]', or export it "
                "uncompressed."
            ) from fault
        try:
            with quiet():
                stored = turned(data.pixel_array, data)
        except Exception as error:  # decoders raise many kinds
            raise InputError(f"{name} cannot be read: its voxels are damaged.") from error
        slope, offset = (numbers_of(data, each, 1) for each in ("RescaleSlope", "RescaleIntercept"))
        if slope or offset:
            stored = (stored * (slope or (1.0,))[0] + (offset or (0.0,))[0]).astype(np.float32)
        elif scaling not in (None, (1.0, 0.0)):
            stored = (stored * scaling[0] + scaling[1]).astype(np.float32)
        planes.append(stored if stored.ndim == 3 else stored[None])
    return np.concatenate(planes)


def source_of(files: Sequence[DicomFile]) -> DicomSource | None:
    """The series of files in the order of the slices; None where it cannot be known for all of them."""
    names = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPClassUID")
    shared = [{file.text(name) for file in files} for name in names]
    instances = tuple(file.text("SOPInstanceUID") for file in files)
    if any(len(found) != 1 for found in shared) or len(set(instances)) < len(instances):
        return None
    study, own, frame_of_reference, sop_class = (found.pop() for found in shared)
    if not (study and own and sop_class and all(instances)):
        return None
    return DicomSource(study, own, frame_of_reference, sop_class, instances)
