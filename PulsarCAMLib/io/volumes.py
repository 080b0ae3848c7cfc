"""Images from files, through SimpleITK: voxels, their place, and the UIDs of a DICOM series; nothing else.

No other tag of a DICOM file and no comment of a header goes any further than this module, so no patient name can.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..core.case import DicomSource, Image
from ..core.errors import GeometryError, InputError
from ..core.geometry import VolumeGeometry
from . import dicom

NON_FINITE_LIMIT = 0.5
"""An image with a larger share of NaN or infinite voxels is refused: nothing is left to judge."""


def read_image_of(path: str | Path, series: str | None = None, wanted: str = "one that is meant") -> Image:
    """One scalar 3D image: NRRD, NIfTI, MetaImage... or a folder with a DICOM series.

    Args:
        path: file or folder.
        series: which series of a DICOM folder that holds several: its number in the list (from 1) or its UID.
        wanted: what belongs there, for the sentence on files that hold more.

    Returns:
        The voxels ``[k, j, i]`` in the file's own integer type or float32, their place, and the DICOM series.

    Raises:
        InputError: no such file, not an image, or not one 3D volume with one value per voxel.
        GeometryError: axes that are not perpendicular, slices that are missing or not equally spaced.
    """
    path = Path(path)
    read = dicom.read_series(path, series) if path.is_dir() else _read_file(path, f"The image {path.name}")
    image, source = read
    if image.GetDimension() == 4 and image.GetSize()[3] == 1:
        image = image[:, :, :, 0]
    if image.GetNumberOfComponentsPerPixel() != 1 or image.GetDimension() != 3:
        raise InputError(
            f"The image {path.name} is not one 3D volume with one value per voxel "
            f"({_described(image)}); extract the {wanted} from it first."
        )
    return Image(_voxels(image), VolumeGeometry.from_sitk(image), source)


def read_volume(path: str | Path, series: str | None = None, **told: str) -> tuple[np.ndarray, VolumeGeometry]:
    """Voxels and place of :func:`read_image_of`, whose arguments it takes."""
    image = read_image_of(path, series, **told)
    return image.voxels, image.geometry


def read_image(path: Path, name: str):
    """SimpleITK image of any dimension from one file; 64-bit numbers come as 32-bit ones.

    Raises:
        InputError: the file is missing, or is no image.
        GeometryError: its axes are not perpendicular.
    """
    return _read_file(path, name)[0]


def _read_file(path: Path, name: str) -> tuple[Any, DicomSource | None]:
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    dicom.refuse_other_objects(path, name)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        smaller = {sitk.sitkFloat64: sitk.sitkFloat32, sitk.sitkInt64: sitk.sitkInt32, sitk.sitkUInt64: sitk.sitkUInt32}
        reader.SetOutputPixelType(smaller.get(reader.GetPixelID(), sitk.sitkUnknown))
        source = dicom.source_of(reader) if dicom.modality(path) else None
        return reader.Execute(), source
    except RuntimeError as error:
        if "orthonormal" in str(error) or "orthogonal" in str(error):
            raise GeometryError(
                f"The axes of {path.name} are not perpendicular (a shearing transform in its header); resample it to "
                "an ordinary grid first."
            ) from error
        raise InputError(
            f"{name} cannot be read: it is damaged or not one of NRRD, NIfTI, MetaImage or DICOM."
        ) from error


def _voxels(image) -> np.ndarray:
    import SimpleITK as sitk

    if "complex" in image.GetPixelIDTypeAsString():
        raise InputError("The image holds complex numbers; save its magnitude first.")
    return sitk.GetArrayFromImage(image)


def _described(image) -> str:
    values = image.GetNumberOfComponentsPerPixel()
    size = " x ".join(str(n) for n in image.GetSize())
    return f"{size} voxels, {values} value{'s' if values != 1 else ''} each"


def why_useless(voxels: np.ndarray, what: str) -> str:
    """Why an image's voxels tell nothing, as a sentence that begins with ``what``; empty if they may.

    Examples:
        >>> why_useless(np.full((2, 2, 2), np.nan), "The FLAIR")
        'The FLAIR is NaN or infinite everywhere; is it the right file?'
        >>> why_useless(np.zeros((2, 2, 2)), "The FLAIR"), why_useless(np.arange(8.0), "The FLAIR")
        ('The FLAIR holds one single value; is it the right file?', '')
    """
    lost = 1 - float(np.isfinite(voxels).mean()) if voxels.dtype.kind == "f" else 0.0
    if lost == 1:
        return f"{what} is NaN or infinite everywhere; is it the right file?"
    if lost > NON_FINITE_LIMIT:
        return f"{lost:.0%} of the voxels of {what[:1].lower()}{what[1:]} are NaN or infinite; mend the image first."
    known = voxels[np.isfinite(voxels)] if lost else voxels
    return f"{what} holds one single value; is it the right file?" if known.min() == known.max() else ""
