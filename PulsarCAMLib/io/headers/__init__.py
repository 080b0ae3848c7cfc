"""Headers of image files, checked in Python before a native reader sees them.

Native readers crash, loop or fill in what is missing for headers that lie. :func:`check_file` is what every reader of
images and masks calls first; it reads a header, and counts the bytes of voxels, but keeps none of them.
"""

from __future__ import annotations

import os
from pathlib import Path

from ...core.errors import InputError
from ...core.visible import visible
from ..plain_files import plain_file
from .metaimage import check_metaimage
from .nifti import check_nifti, description_of
from .nrrd import check_nrrd, read_nrrd_header

METAIMAGE, NIFTI, NRRD, DICOM = "MetaImageIO", "NiftiImageIO", "NrrdImageIO", "GDCMImageIO"
"""Formats that are read, by the names of SimpleITK's readers."""

ENDINGS = {METAIMAGE: (".mha", ".mhd"), NIFTI: (".nii", ".nii.gz", ".hdr", ".img", ".hdr.gz", ".img.gz")}
"""Formats that only their file name tells for certain."""

MADE_HERE = ("PulsarCAM.statistic", "PulsarCAM.measure", "PulsarCAM.painting", "PulsarCAM.threshold")
"""Keys in the headers of what PulsarCAM writes of a result: heat maps, gradient maps and paintings, boosts and
sub-regions. A file with one of them is no input."""

_CHECKS = {METAIMAGE: check_metaimage, NIFTI: check_nifti, NRRD: check_nrrd}


def check_file(path: str | os.PathLike, name: str) -> str:
    """Whether one file with an image or a mask may be read: its header says nothing that cannot be, its data are whole.

    Args:
        path: the file.
        name: what it is called in sentences, as in "The image mri.nrrd".

    Returns:
        The format, as SimpleITK's ``SetImageIO`` wants it. Files of DICOM are only recognised here; what they say is
        checked where they are read.

    Raises:
        InputError: no ordinary file, a format that is not read, a damaged header, or voxels that are missing.
        GeometryError: a place that cannot be, or that the header does not say.
    """
    path, name = plain_file(path), visible(name)
    try:
        found = _format_of(path)
        if found in _CHECKS:
            _CHECKS[found](path, name)
    except OSError as error:
        raise InputError(f"{name} cannot be opened ({error.strerror}); see whether it may be read.") from error
    if not found:
        raise InputError(
            f"{name} cannot be read: it is damaged, or not one 3D volume as NRRD, NIfTI, MetaImage or DICOM."
        )
    return found


def _format_of(path: Path) -> str:
    with path.open("rb") as file:
        begin = file.read(132)
    if begin[128:] == b"DICM":
        return DICOM
    if begin.startswith(b"NRRD000"):
        return NRRD
    ending = path.name.lower()
    return next((kind for kind, endings in ENDINGS.items() if ending.endswith(endings)), "")


def own_words(path: Path, name: str) -> dict[str, str]:
    """What programs wrote into the header of one file, as text by key.

    Key/value pairs of NRRD; the description of NIfTI, which PulsarCAM itself begins with such a key; else nothing.
    """
    kind = _format_of(path)
    if kind == NRRD:
        return read_nrrd_header(path, name).pairs
    if kind == NIFTI:
        key, _, value = description_of(path, name).partition("=")
        return {key: value}
    return {}


def is_made_here(path: Path, name: str) -> bool:
    """Whether a file is a result of PulsarCAM's, by what :func:`own_words` finds in its header."""
    words = own_words(path, name)
    return any(key in words for key in MADE_HERE)
