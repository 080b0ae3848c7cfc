"""Images from files, through SimpleITK: voxels, their place, and the UIDs of a DICOM series; nothing else.

No other tag of a DICOM file and no comment of a header goes any further than this module, so no patient name can.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..core.case import Image
from ..core.errors import GeometryError, InputError
from ..core.geometry.volume import VolumeGeometry
from ..core.visible import visible
from . import dicom
from .apart import apart
from .headers import DICOM, check_file
from .headers.limits import check_origin, check_spacing
from .plain_files import is_folder, plain_file

FEW_VALUES = 20
"""An image of so many different values or fewer is a mask; eight bits of an MRI have a hundred and more."""

SMALL_VOXELS = 1000
"""Of fewer voxels nothing is said."""

LOOKED_AT = 20
"""Slices that are looked at first, spread over the image."""

NON_FINITE_LIMIT = 0.5
"""An image with a larger share of NaN or infinite voxels is refused: nothing is left to judge."""


@apart
def read_image_of(path: str | Path, series: str | None = None, wanted: str = "one that is meant") -> Image:
    """One scalar 3D image: NRRD, NIfTI, MetaImage, a multi-frame DICOM file, or a folder with a DICOM series.

    Args:
        path: file or folder.
        series: which series of a DICOM folder that holds several: its number in the list (from 1) or its UID.
        wanted: what belongs there, for the sentence on files that hold more.

    Returns:
        The voxels ``[k, j, i]`` in the file's own integer type or float32, their place, and the DICOM series.

    Raises:
        InputError: no such file, not an image, damaged, or not one 3D volume with one value per voxel.
        GeometryError: a place that is not known or cannot be: voxel sizes, axes that are not perpendicular, slices that
            are missing, repeated or not equally spaced.
    """
    path = plain_file(path, folder=True)
    name = f"The image {visible(path.name)}"
    if is_folder(path):
        image = dicom.read_series(path, series)
    elif (kind := check_file(path, name)) == DICOM:
        image = dicom.read_file(path, name)
    else:
        image = _image_of(_read_checked(path, name, kind), name, wanted)
    check_spacing(image.geometry.spacing, name)
    check_origin(image.geometry.origin, name)
    return image


def read_volume(path: str | Path, series: str | None = None, **told: str) -> tuple[np.ndarray, VolumeGeometry]:
    """Voxels and place of :func:`read_image_of`, whose arguments it takes."""
    image = read_image_of(path, series, **told)
    return image.voxels, image.geometry


@apart
def read_image(path: Path, name: str):
    """SimpleITK image of any dimension from one file, in the file's own type: no label is narrowed.

    Raises:
        InputError: the file is missing, damaged, or is no image.
        GeometryError: its place is not known or cannot be.
    """
    if (kind := check_file(path, name)) != DICOM:
        return _read_checked(Path(path), name, kind)
    image = dicom.read_file(Path(path), name)
    return image.geometry.to_sitk(image.voxels)


def _read_checked(path: Path, name: str, kind: str) -> Any:
    """SimpleITK image of a file whose header and length have been checked, by the reader of its kind."""
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(kind)
    try:
        return reader.Execute()
    except RuntimeError as error:
        if "orthonormal" in str(error) or "orthogonal" in str(error):
            raise GeometryError(
                f"The axes of {path.name} are not perpendicular (a shearing transform in its header); resample it to "
                "an ordinary grid first."
            ) from error
        raise InputError(
            f"{name} cannot be read: it is damaged or not one of NRRD, NIfTI, MetaImage or DICOM."
        ) from error


def _image_of(read: Any, name: str, wanted: str) -> Image:
    if read.GetDimension() == 4 and read.GetSize()[3] == 1:
        read = read[:, :, :, 0]
    if read.GetNumberOfComponentsPerPixel() != 1 or read.GetDimension() != 3:
        raise InputError(
            f"{name} is not one 3D volume with one value per voxel ({_described(read)}); extract the {wanted} from it "
            "first."
        )
    return Image(_voxels(read, name), VolumeGeometry.from_sitk(read), None)


def _voxels(image: Any, name: str) -> np.ndarray:
    """Voxels of 32 bits where these hold all values; float64 becomes float32."""
    import SimpleITK as sitk

    if "complex" in image.GetPixelIDTypeAsString():
        raise InputError("The image holds complex numbers; save its magnitude first.")
    values = sitk.GetArrayFromImage(image)
    if values.dtype in (np.int64, np.uint64):
        smaller = np.dtype(f"{values.dtype.kind}4")
        limits = np.iinfo(smaller)
        return values.astype(smaller) if limits.min <= values.min() and values.max() <= limits.max else values
    if values.dtype != np.float64:
        return values
    with np.errstate(over="ignore", invalid="ignore"):
        narrowed = values.astype(np.float32)
    if (np.isfinite(narrowed) == np.isfinite(values)).all():
        return narrowed
    raise InputError(f"{name} holds values beyond {np.finfo(np.float32).max:.0e}; is it the right file?")


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


def why_mask(voxels: np.ndarray, what: str, meant: str) -> str:
    """Why voxels are those of a mask, as a sentence that begins with ``what``; empty if they need not be.

    Args:
        voxels: ``[k, j, i]``.
        what: the image, as in "The image t1.nrrd".
        meant: what it was given as, as in "an MRI".
    """
    if voxels.size < SMALL_VOXELS or len(np.unique(voxels[:: max(1, len(voxels) // LOOKED_AT)])) > FEW_VALUES:
        return ""
    found = np.unique(voxels)
    if len(found) > FEW_VALUES:
        return ""
    told = ", ".join(f"{value:g}" for value in found[:5]) + (", ..." if len(found) > 5 else "")
    return f"{what} holds only {len(found)} values ({told}), so it is a mask, not {meant}; were the two swapped?"


def seen(voxels: np.ndarray) -> np.ndarray:
    """Some :data:`LOOKED_AT` slices of ``[k, j, i]``, spread over all."""
    return voxels[:: max(1, len(voxels) // LOOKED_AT)]


def roughness(voxels: np.ndarray, axis: int) -> float:
    """Sum of the sizes of second differences over that of first ones, in the foreground along an axis.

    0.8 to 1.7 in MRI; about 0.5 in planned doses, less in maps that were drawn from few cells.
    """
    turned = np.nan_to_num(np.moveaxis(voxels, axis, 0).astype(np.float32), posinf=0.0, neginf=0.0)
    before, at, behind = turned[:-2], turned[1:-1], turned[2:]
    inside = at != turned.flat[0]
    first = float(np.abs(at - before)[inside].sum(dtype=np.float64))
    second = float(np.abs(before - 2 * at + behind)[inside].sum(dtype=np.float64))
    return second / first if first else 0.0
