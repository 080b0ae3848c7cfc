"""The same body, contoured or scanned a little differently: half a voxel more, less or aside. Nothing is random.

Another person draws another contour, and another day the voxels lie elsewhere; an answer that depends on either is
worth less. Contours stay masks, so half a voxel is half of the voxels that a whole one would change: those that the
signed distance, smoothed over a voxel, ranks first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from ..core.case import Case, Image
from ..core.geometry.volume import VolumeGeometry, kji_of
from ..core.lesion import Lesion, bounding_box
from .distances import AROUND, depth_around

AXES = "ijk"
SPARE = 3
"""Voxels more than an answer needs: contours and images go half a voxel aside, and are interpolated there."""

IN_PLANE = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], dtype=bool)


def perturbed(case: Case) -> Iterator[tuple[str, Case]]:
    """A case in all ways, each with its name in words, as in "contour half a voxel larger".

    Contours larger and smaller within their slices; contours aside, the image aside, and both (other voxels of the same
    body: the grid), along each axis of the reference image. A case without lesions has its image aside only.
    """
    if case.lesions:
        yield "contour half a voxel larger", _with(case, [resized(each, case.geometry, 1) for each in case.lesions])
        yield "contour half a voxel smaller", _with(case, [resized(each, case.geometry, -1) for each in case.lesions])
    for axis, letter in enumerate(AXES):
        image = image_aside(case.reference_image, axis)
        if case.lesions:
            lesions = [mask_aside(each, case.geometry, axis) for each in case.lesions]
            yield f"contour half a voxel aside along {letter}", _with(case, lesions)
            place = VolumeGeometry(
                case.geometry.shape,
                case.geometry.spacing,
                tuple(case.geometry.to_lps(0.5 * np.eye(3)[axis])),
                case.geometry.direction,
            )
            yield f"grid half a voxel aside along {letter}", _with(case, lesions, replace(image, geometry=place))
        yield f"image half a voxel aside along {letter}", _with(case, case.lesions, image)


def _with(case: Case, lesions, image: Image | None = None) -> Case:
    images = dict(case.images)
    if image is not None:
        images[case.reference or next(iter(images))] = image
    return replace(case, lesions=tuple(lesions), images=images)


def around(case: Case, lesion: Lesion, reach_mm: tuple[float, float, float] | None) -> Case:
    """A case of one lesion; of its only image what lies within ``reach_mm`` (i, j, k) of its box, None: all of it."""
    alone = replace(case, lesions=(lesion,))
    if reach_mm is None or len(case.images) > 1:
        return alone
    image = case.reference_image
    reach = np.ceil(np.divide(reach_mm, image.geometry.spacing)).astype(int)[::-1] + SPARE
    low = np.maximum(np.array(lesion.offset) - reach, 0)
    high = np.minimum(np.array(lesion.offset) + lesion.mask.shape + reach, image.geometry.shape)
    block = image.voxels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    part = Image(block, image.geometry.cropped(kji_of(low), kji_of(block.shape)), image.source)
    return _with(alone, [replace(lesion, offset=kji_of(np.array(lesion.offset) - low))], part)


def image_aside(image: Image, axis: int) -> Image:
    """What lies half a voxel further along an axis (0: i, 1: j, 2: k), by linear interpolation; the edge continues."""
    values = np.asarray(image.voxels, dtype=np.float32)
    aside = np.array(values, order="C")
    here, further = np.moveaxis(aside, 2 - axis, 0)[:-1], np.moveaxis(values, 2 - axis, 0)[1:]
    here += further
    here *= 0.5
    return replace(image, voxels=aside)


def resized(lesion: Lesion, geometry: VolumeGeometry, sign: int) -> Lesion:
    """Half a voxel larger (1) or smaller (-1) within the slices: half of the layer of voxels along the contour.

    A lesion never vanishes: of one voxel it keeps that.
    """
    from scipy import ndimage

    mask, depth = np.pad(lesion.mask, AROUND), _smooth_depth(lesion, geometry.spacing)
    change = (
        ndimage.binary_dilation(mask, IN_PLANE) & ~mask if sign > 0 else mask & ~ndimage.binary_erosion(mask, IN_PLANE)
    )
    ranked = _ranked(change, sign * depth)[: int(change.sum()) // 2]
    mask.flat[ranked] = sign > 0
    return _cut(lesion, mask, geometry)


def mask_aside(lesion: Lesion, geometry: VolumeGeometry, axis: int) -> Lesion:
    """What lies half a voxel further along an axis (0: i, 1: j, 2: k), as many voxels as before."""
    mask, depth = np.pad(lesion.mask, AROUND), _smooth_depth(lesion, geometry.spacing)
    further = np.roll(mask, -1, axis=2 - axis)
    both, either = mask & further, mask | further
    ranked = _ranked(either & ~both, depth + np.roll(depth, -1, axis=2 - axis))[: lesion.voxels - int(both.sum())]
    both.flat[ranked] = True
    return _cut(lesion, both, geometry)


@lru_cache(maxsize=4)
def _smooth_depth(lesion: Lesion, spacing: tuple[float, float, float]) -> np.ndarray:
    """Signed distance in millimetres in the lesion's box with a margin, smoothed over a voxel; not to be changed."""
    from scipy import ndimage

    return ndimage.gaussian_filter(depth_around(lesion.mask, spacing[::-1]), 1.0)


def _ranked(among: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Flat indices of the voxels ``among`` all, highest value first; of equal ones that with the lower index."""
    flat = np.flatnonzero(among)
    return flat[np.argsort(-np.round(values.flat[flat], 6), kind="stable")]


def _cut(lesion: Lesion, mask: np.ndarray, geometry: VolumeGeometry) -> Lesion:
    """A lesion from a mask with a margin; what reaches beyond the image is cut off."""
    first = np.array(lesion.offset) - AROUND
    low = np.maximum(-first, 0)
    high = np.minimum(np.array(geometry.shape) - first, mask.shape)
    kept = mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    box = bounding_box(kept)
    if box is None:  # one voxel at the image's edge that was moved off it
        return lesion
    offset = kji_of(first + low + [s.start for s in box])
    return replace(lesion, mask=kept[box].copy(), offset=offset, drawn_mm3=None)
