"""An input of a system from a file, by its role; and whether what was given as an MRI can be one at all.

A mask, a dose or a heat map given as the MRI is an image, too, and would be explained without a word. The brothers of
these rules, for images that were given as masks, are in :mod:`PulsarCAMLib.lesions.doubts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..core.case import Image
from ..core.errors import InputError
from ..core.inputs import BRAIN, DOSE, MRI, InputRole
from ..core.visible import visible
from .dicom import modality
from .dicom.levels import Levels, slices_told, times_told
from .dose import doubts_on_dose, read_dose, refuse_painted
from .headers import is_made_here
from .plain_files import is_file
from .volumes import SMALL_VOXELS, read_image_of, roughness, seen, why_mask, why_useless

REGIONS = 0.6
"""In a mask more than this share of neighbouring voxels have the same value; in an MRI less than 0.1."""

LEAST_SHOWN = 0.02
"""Of an image that shows a head or a brain, this share at least differs from the background; 0.15 is usual."""

MOST_REGIONS = 256
"""No mask has more labels; a raster of counts that was made finer has one value in each of its squares, too."""

SMOOTH = 0.6
"""Of :func:`.volumes.roughness`: an MRI, which is never without noise or detail, has more; a planned dose has less."""

SMOOTHER = 10.0
"""Numbers were read wrongly if they differ from their neighbours by so much more than in another reading."""

COARSEST_MM = (12.0, 4.0)
"""Distance of slices, and of pixels, beyond which an MRI shows no lesion that is treated."""


def read_input(path: str | Path, role: InputRole, series: str | None = None) -> Image:
    """What lies at a path, as a system's role wants it.

    Args:
        path: file or folder.
        role: an image: an MRI, a dose, or a mask of the brain.
        series: of a DICOM folder, see :func:`.volumes.read_image_of`.

    Raises:
        InputError: it cannot be read, or cannot be what the role says.
        GeometryError: its place is not known.
    """
    if role.kind == DOSE:
        refuse_painted(path)
        return Image(*read_dose(path))
    wanted = role.about or role.title
    if role.kind != BRAIN:
        return read_mri(path, series, wanted)
    image = read_image_of(path, series, wanted)
    if problem := why_useless(image.voxels, _name_of(path)):
        raise InputError(problem)
    return image


def read_mri(path: str | Path, series: str | None = None, wanted: str = "one that is meant") -> Image:
    """An MRI: :func:`.volumes.read_image_of`, unless its voxels cannot be those of one.

    Raises:
        InputError: as there; or it tells nothing, is a mask, or a map that PulsarCAM wrote.
        GeometryError: as there.
    """
    image = read_image_of(path, series, wanted)
    name = _name_of(path)
    if is_file(path) and is_made_here(Path(path), name):
        raise InputError(f"{name} is a map that PulsarCAM made, not an MRI; choose the MRI that it was made of.")
    if problem := why_useless(image.voxels, name) or why_no_mri(image.voxels, name):
        raise InputError(problem)
    return image


def _name_of(path: str | Path) -> str:
    return f"The image {visible(Path(path).name)}"


def why_no_mri(voxels: np.ndarray, what: str) -> str:
    """Why voxels cannot be those of an MRI, as a sentence that begins with ``what``; empty if they may.

    Args:
        voxels: ``[k, j, i]``, not all of one value.
        what: the image, as in "The image t1.nrrd".

    Examples:
        >>> labels = np.zeros((12, 12, 12), np.uint8)
        >>> labels[3:7, 3:7, 3:7], labels[8:, 8:, 8:] = 1, 4
        >>> why_no_mri(labels, "The image a.nrrd")
        'The image a.nrrd holds only 3 values (0, 1, 4), so it is a mask, not an MRI; were the two swapped?'
        >>> why_no_mri(np.random.default_rng(0).normal(300, 50, (12, 12, 12)), "The image a.nrrd")
        ''
    """
    if voxels.size < SMALL_VOXELS:
        return ""
    if told := why_mask(voxels, what, "an MRI"):
        return told
    background = voxels.flat[0]
    shown = np.count_nonzero(voxels != background) / voxels.size
    if shown < LEAST_SHOWN:
        return (
            f"{what} is {background:g} in {1 - shown:.1%} of its voxels, so it is no MRI, but a mask, a heat map or a "
            "piece that was cut out; choose the MRI itself."
        )
    return _why_labels(voxels, what, "an MRI")


def read_map(path: str | Path, series: str | None = None) -> Image:
    """A map of any kind that heat maps may be compared with; a DICOM dose in Gy.

    Raises:
        InputError: it cannot be read, tells nothing, is a mask, or a map that PulsarCAM wrote.
        GeometryError: its place is not known.
    """
    path = Path(path)
    if is_file(path) and modality(path) == "RTDOSE":
        refuse_painted(path)
        return Image(*read_dose(path))
    image = read_image_of(path, series, "map that is meant")
    if is_file(path) and is_made_here(path, _name_of(path)):
        raise InputError(
            f"{_name_of(path)} is a map that PulsarCAM made, so a comparison with it shows nothing; give a map "
            "that was measured."
        )
    if problem := why_no_map(image.voxels, _name_of(path)):
        raise InputError(problem)
    return image


def why_no_map(voxels: np.ndarray, what: str) -> str:
    """Why voxels cannot be those of a map that is compared with; empty if they may. Arguments: :func:`why_no_mri`.

    Examples:
        >>> why_no_map(np.array([0.0, np.nan, np.nan, np.nan]), "The map")
        'The map is NaN or infinite in 75% of its voxels and 0 in all others; is it the right file?'
    """
    known = voxels[np.isfinite(voxels)]  # outside what was measured many programs write NaN: a large share is usual
    if known.size and known.size < voxels.size and known.min() == known.max():
        return (
            f"{what} is NaN or infinite in {1 - known.size / voxels.size:.0%} of its voxels and {known.flat[0]:g} in "
            "all others; is it the right file?"
        )
    if problem := why_useless(known, what) if known.size else f"{what} is NaN or infinite everywhere.":
        return problem
    if problem := why_mask(voxels, what, "a map"):
        return problem
    return _why_labels(voxels, what, "a map") if len(np.unique(seen(voxels))) <= MOST_REGIONS else ""


def _why_labels(voxels: np.ndarray, what: str, meant: str) -> str:
    """That voxels are labels of many regions, as a sentence; empty if they need not be."""
    if voxels.size < SMALL_VOXELS or voxels.dtype.kind not in "iu":
        return ""
    shown, background = seen(voxels), voxels.flat[0]
    if min(_alike(shown, axis, background) for axis in (1, 2)) <= REGIONS:
        return ""
    return (
        f"{what} holds whole numbers that lie in regions of one value each, so it is a mask of labels (anatomy, "
        f"tissues), not {meant}; were the two swapped?"
    )


def doubts_on(image: Image, kind: str, what: str) -> Iterator[str]:
    """What speaks against an image of a kind (:mod:`PulsarCAMLib.core.inputs`), as :func:`doubts_on_mri`."""
    if kind == MRI:
        yield from doubts_on_mri(image, what)
    elif kind == DOSE:
        yield from doubts_on_dose(image.voxels, what)


def doubts_on_mri(image: Image, what: str) -> Iterator[str]:
    """What speaks against an MRI and is no proof, in sentences that begin with ``what``."""
    voxels = image.voxels
    *_, second, coarsest = sorted(image.geometry.spacing)
    if coarsest > COARSEST_MM[0] or second > COARSEST_MM[1]:
        size = " x ".join(f"{mm:.3g}" for mm in image.geometry.spacing)
        yield f"{what} has voxels of {size} mm, larger than those of an MRI; is its header right?"
    if voxels.ndim != 3 or voxels.size < SMALL_VOXELS or min(voxels.shape) < 3:
        return
    if max(roughness(seen(voxels), axis) for axis in (1, 2)) < SMOOTH:
        yield (
            f"{what} changes from voxel to voxel as smoothly as a dose or a heat map does, and no MRI; was one of "
            "these given in its place?"
        )
    levels = Levels.of(voxels)
    if emptied := levels.emptied(ends=image.source is not None):
        yield (
            f"{what} holds one single value in {slices_told(emptied, len(voxels))}, as if it had been lost on the way; "
            "look at the images, and export the series again if so."
        )
    if repeated := list(levels.repeated):
        yield (
            f"{what} holds in {slices_told(repeated, len(voxels))} the very voxels of a slice before; was a file "
            "copied over another? Look at the images, and export the series again if so."
        )
    if otherwise := _read_otherwise(seen(voxels)):
        yield f"{what} would be far smoother if {otherwise}; its header is probably wrong, so export it again."
    for k, factor in levels.uneven():
        yield (
            f"{what} has {times_told(factor)} the values of its neighbours in {slices_told([k], len(voxels))}; look at "
            "the images, and export the series again if that is wrong."
        )


def _read_otherwise(voxels: np.ndarray) -> str:
    """How the bytes of 16-bit numbers make an image and, as they were read, make none; empty where they do."""
    if voxels.dtype.kind not in "iu" or voxels.dtype.itemsize != 2:
        return ""
    own = _variation(voxels)
    bits = voxels.view(np.uint16)
    if (bits & 0xFF).any() and _variation(voxels.byteswap()) * SMOOTHER < own:  # 8 bits times 256 are whole bytes, too
        return "the bytes of its numbers stood in the other order"
    other = np.int16 if voxels.dtype.kind == "u" else np.uint16
    if _variation(bits.view(other)) * SMOOTHER < own:
        return f"its numbers were read {'with' if other == np.int16 else 'without'} a sign"
    return ""


def _variation(voxels: np.ndarray) -> float:
    return float(np.abs(np.diff(voxels.astype(np.int32), axis=2)).sum(dtype=np.float64))


def _alike(voxels: np.ndarray, axis: int, background) -> float:
    """Share of neighbours along an axis, both of the foreground, that have one value."""
    turned = np.moveaxis(voxels, axis, 0)
    one, other = turned[:-1], turned[1:]
    inside = (one != background) & (other != background)
    return float((one == other)[inside].mean()) if inside.any() else 0.0
