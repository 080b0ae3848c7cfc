"""Masks of another grid on the MRI's: how much of every voxel a lesion fills, and which voxels are the lesion there.

Taken are the voxels that the lesion fills most, so many that their volume is the drawn one: of all masks of that volume
the one that overlaps the contour most. A mask on the MRI's own voxels is itself, whatever way its axes run.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..core.geometry.volume import VolumeGeometry, kji_of
from ..core.lesion import Lesion
from .resampling import resample

PARALLEL_VOXELS = 0.02
"""Axes that leave each other by no more than this over the lesion are parallel; then the shares are exact."""

FULL = 1e-6
"""A voxel of which no more than this is free is full."""

FINEST = 8
MOST_POINTS = 3e7
"""Points looked at within a voxel along each axis, and in all; where axes are not parallel."""

AROUND, AROUND_VOXELS = 0.1, 0.7
"""Weight of what is filled around a voxel, and how far (Gaussian, voxels): so voxels that are filled alike are not
taken at random, and few change at once when a mask moves by little."""


class Filled(NamedTuple):
    """A lesion on the MRI's grid.

    Attributes:
        mask: bool ``[k, j, i]`` of a block of the MRI.
        offset: array index of the block.
        kept: whether the lesion is at least half a voxel of the MRI large; else its fullest voxel stands for it.
    """

    mask: np.ndarray
    offset: np.ndarray
    kept: bool


def fill(lesion: Lesion, own: VolumeGeometry, geometry: VolumeGeometry) -> Filled:
    """The lesion's voxels on the MRI's grid; at least one, as long as any of it lies on the MRI.

    Args:
        lesion: on its own grid.
        own: that grid.
        geometry: of the MRI.
    """
    source = own.cropped(lesion.offset, lesion.mask.shape)
    low, shares, is_whole = filled_shares(lesion.mask, source, geometry)
    if not shares.any():  # smaller than any point looked at
        nearest = np.rint(geometry.to_ijk(lesion.centroid_lps(own)))[::-1].astype(int)
        shares[tuple(np.clip(nearest - low, 0, np.array(shares.shape) - 1))] = 1
        return Filled(shares > 0, low, False)
    volume = lesion.voxels * own.voxel_volume_mm3 / geometry.voxel_volume_mm3
    count = round(volume if is_whole else float(shares.sum()))
    return Filled(fullest(shares, max(count, 1), geometry.spacing[::-1]), low, count > 0)


def fullest(shares: np.ndarray, count: int, spacing: tuple[float, ...]) -> np.ndarray:
    """The ``count`` voxels that are filled most, bool.

    Of voxels that are filled alike, those with more of the lesion around them, then those nearer to its centre.

    Args:
        shares: how much of every voxel is filled, 0..1.
        count: how many; fewer where fewer are filled at all.
        spacing: millimetres along the axes of ``shares``.

    Examples:
        >>> fullest(np.array([[[0.2, 0.5, 1.0, 0.5]]]), 2, (1.0, 1.0, 1.0)).tolist()
        [[[False, True, True, False]]]
    """
    from scipy import ndimage

    mask = shares > 1 - FULL
    at = np.argwhere((shares > 0) & ~mask)
    missing = count - int(np.count_nonzero(mask))
    if missing <= 0 or not len(at):
        return mask
    own = shares[tuple(at.T)]
    around = ndimage.gaussian_filter(np.pad(shares, 2), AROUND_VOXELS)[2:-2, 2:-2, 2:-2][tuple(at.T)]
    centre = ndimage.center_of_mass(shares)
    far = np.linalg.norm((at - centre) * spacing, axis=1)
    # rounded, so that voxels that are alike but for rounding errors are alike
    order = np.lexsort((np.round(far, 4), -np.round(own + AROUND * around, 4)))
    mask[tuple(at[order[:missing]].T)] = True
    return mask


def filled_shares(
    mask: np.ndarray, source: VolumeGeometry, geometry: VolumeGeometry
) -> tuple[np.ndarray, np.ndarray, bool]:
    """How much of every voxel of the MRI a mask fills.

    Args:
        mask: bool ``[k, j, i]``.
        source: its grid.
        geometry: of the MRI.

    Returns:
        Array index ``(k, j, i)`` of the first voxel of the block that the mask reaches, its shares, 0..1, and whether
        all of the mask lies on the MRI.
    """
    outer = np.array([[-0.5, n - 0.5] for n in mask.shape[::-1]])
    reach = geometry.to_ijk(source.to_lps(np.stack(np.meshgrid(*outer, indexing="ij"), -1).reshape(-1, 3)))
    limit = np.array(geometry.shape[::-1]) - 1
    least = np.floor(reach.min(axis=0) + 0.5 + 1e-6).astype(int)
    most = np.ceil(reach.max(axis=0) - 0.5 - 1e-6).astype(int)
    first, last = np.clip(least, 0, limit), np.clip(most, 0, limit)
    is_whole = bool((least >= 0).all() and (most <= limit).all())
    step = (geometry.lps_to_ijk @ source.ijk_to_lps)[:3, :3]
    of_axis = np.argmax(np.abs(step), axis=0)
    bend = step.copy()
    bend[of_axis, range(3)] = 0
    if len(set(of_axis)) == 3 and (np.abs(bend) @ mask.shape[::-1]).max() <= PARALLEL_VOXELS:
        shares = _exact(mask, source, geometry, step, of_axis, first, last)
    elif (2 * np.array(geometry.spacing) > FINEST * min(source.spacing)).any():
        shares = _counted(mask, source, geometry, first, last)
    else:
        shares = _sampled(mask, source, geometry, first, last)
    return first[::-1], shares, is_whole


def _exact(mask, source, geometry, step, of_axis, first, last) -> np.ndarray:
    """Along each axis the overlap of the mask's voxels with the MRI's; the product of the three is the share."""
    middle = (np.array(mask.shape[::-1]) - 1) / 2
    at = geometry.to_ijk(source.to_lps(middle))
    shares = mask.astype(float)
    for axis in range(3):  # i, j, k of the mask; the array's axes run the other way
        to = of_axis[axis]
        length = step[to, axis]
        centres = at[to] + length * (np.arange(mask.shape[2 - axis]) - middle[axis])
        voxels = np.arange(first[to], last[to] + 1)[:, None]
        low = np.maximum(centres - abs(length) / 2, voxels - 0.5)
        high = np.minimum(centres + abs(length) / 2, voxels + 0.5)
        shares = np.moveaxis(np.tensordot(np.maximum(high - low, 0), shares, (1, 2 - axis)), 0, 2 - axis)
    order = [2 - int(np.flatnonzero(of_axis == to)[0]) for to in (2, 1, 0)]
    return np.minimum(shares.transpose(order), 1)


def _counted(mask, source, geometry, first, last) -> np.ndarray:
    """Pieces of the mask's voxels in every voxel of the MRI, where the mask is so fine that points would miss it."""
    many = np.ceil(4 * np.array(source.spacing) / min(geometry.spacing)).astype(int)
    pieces = np.stack(np.meshgrid(*((np.arange(m) + 0.5) / m - 0.5 for m in many), indexing="ij"), -1).reshape(-1, 3)
    centres = np.argwhere(mask)[:, ::-1]
    shares = np.zeros((last - first + 1)[::-1])
    for piece in pieces:
        at = np.rint(geometry.to_ijk(source.to_lps(centres + piece))).astype(int)
        at = at[((at >= first) & (at <= last)).all(axis=1)] - first
        np.add.at(shares, tuple(at[:, ::-1].T), 1.0)
    return np.minimum(shares * source.voxel_volume_mm3 / geometry.voxel_volume_mm3 / len(pieces), 1)


def _sampled(mask, source, geometry, first, last) -> np.ndarray:
    """Points within every voxel of the MRI, each inside or outside of the mask's voxels."""
    size = last - first + 1
    many = np.clip(np.ceil(2 * np.array(geometry.spacing) / min(source.spacing)), 4, FINEST)
    many = np.maximum(np.floor(many * min(1.0, (MOST_POINTS / np.prod(size * many)) ** (1 / 3))), 2).astype(int)
    start = geometry.to_lps(first - 0.5 + 0.5 / many)
    spacing = tuple(s / m for s, m in zip(geometry.spacing, many, strict=True))
    fine = VolumeGeometry(kji_of((size * many)[::-1]), spacing, tuple(start), geometry.direction)
    padded = np.pad(mask, 1).astype(np.uint8)
    image = source.cropped((-1, -1, -1), padded.shape).to_sitk(padded)
    parts = [n for pair in zip(size[::-1], many[::-1], strict=True) for n in pair]
    return resample(image, fine, nearest=True).reshape(parts).mean(axis=(1, 3, 5))
