"""Voxels of DICOM files through SimpleITK's GDCM, once their headers have been checked; and where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...core.case import DicomSource
from ...core.errors import InputError
from ...core.geometry import VolumeGeometry
from ...core.visible import visible
from .files import DicomFile, numbers_of, quiet
from .levels import Levels, slices_told, times_told


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
    if any(file.text("PhotometricInterpretation") == "MONOCHROME1" for file in files):
        told.append(f"{name} says that its low values are bright (MONOCHROME1); its numbers are taken as they are.")
    return tuple(told)


def native(paths: Sequence[Path], name: str, *, mixed: bool = False) -> tuple[np.ndarray, VolumeGeometry | None]:
    """Voxels ``[k, j, i]`` of slices in this order, or of the frames of one file, and where SimpleITK places them.

    What its GDCM cannot decompress is left to pydicom and the decoders that are installed, which know no place: None.

    Args:
        paths: of the files.
        name: what they are called, for the sentence.
        mixed: whether slices scale their values in different ways: then float32, for the type of the first would cut
            those of the others.

    Raises:
        InputError: a file is damaged, or compressed in a way that nothing here decodes.
    """
    import SimpleITK as sitk

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
        return _by_pydicom(paths, name, error), None
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

    if one.data != other.data:
        return False
    try:
        with quiet():
            pixels = [pydicom.dcmread(each.path, force=True).get("PixelData") for each in (one, other)]
    except Exception:  # pydicom raises many kinds for damaged files
        return False
    return pixels[0] is not None and pixels[0] == pixels[1]


def _by_pydicom(paths: Sequence[Path], name: str, fault: Exception) -> np.ndarray:
    """Voxels of compressed files by pydicom's decoders, scaled as the headers say (PS3.3 C.11.1)."""
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
        if not syntax.is_transfer_syntax or not syntax.is_compressed:
            raise InputError(f"{name} cannot be read: it is damaged or compressed in an unknown way.") from fault
        try:
            known = get_decoder(syntax).is_available
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
                stored = data.pixel_array
        except Exception as error:  # decoders raise many kinds
            raise InputError(f"{name} cannot be read: its compressed voxels are damaged.") from error
        slope, offset = (numbers_of(data, each, 1) for each in ("RescaleSlope", "RescaleIntercept"))
        if slope or offset:
            stored = (stored * (slope or (1.0,))[0] + (offset or (0.0,))[0]).astype(np.float32)
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
