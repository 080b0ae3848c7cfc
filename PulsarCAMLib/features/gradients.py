"""Gradient magnitude and radial gradient of the MRI in and around a lesion, in millimetres.

Sign of the radial gradient. The paper takes the cosine between the gradient and the direction from the lesion's centre
of mass. Here it is +1 where the intensity FALLS straight outwards (a bright ball on dark ground), -1 where it rises
straight outwards (a dark centre under a bright rim) and 0 where it changes only sideways::

    radial(x) = g(x) . (c - x) / (|g(x)| |c - x|)

with g the gradient, which points to where the intensity rises, and c the centre of mass of the GTV's voxels: the cosine
between the gradient and the direction to the centre, equal to that between the outward fall and the outward direction.
It has no value where the gradient is zero or at the centre itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.errors import InputError
from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import Lesion
from ..core.vocabulary import DEFAULT_SIGMA_MM
from .neighbourhood import neighbourhood_of

KERNEL_REACH = 4.0
"""The Gaussian is cut after this many standard deviations."""

FLAT = 1e-10
"""A change from voxel to voxel below this share of the largest intensity is rounding, not a gradient."""

MAPS = ("magnitude", "radial")


@dataclass(frozen=True, eq=False)
class GradientMaps:
    """Gradient maps of one lesion on a block of the MRI's grid.

    Attributes:
        magnitude: float32 ``[k, j, i]``, the MRI's units per millimetre; NaN outside :attr:`region` and where the MRI
            has no value.
        radial: float32 ``[k, j, i]``, -1 to 1, positive where the intensity falls outwards; NaN also where the
            gradient is zero and at the centre.
        region: bool ``[k, j, i]``, the voxels asked for: the GTV and the shell around it.
        offset: array index ``(k, j, i)`` of the block; the lesion's own box when no shell is asked for.
        centre_lps: LPS millimetres ``[3]`` of the GTV's centre of mass.
        sigma_mm: scale of the smoothing.
        undefined: number of voxels of the region without a radial gradient.
    """

    magnitude: np.ndarray
    radial: np.ndarray
    region: np.ndarray
    offset: tuple[int, int, int]
    centre_lps: np.ndarray
    sigma_mm: float
    undefined: int

    def to_volume(self, which: str, shape: tuple[int, int, int], into: np.ndarray | None = None) -> np.ndarray:
        """One map on the MRI's whole grid, float32 ``[k, j, i]``, 0 where it has no value, fit for a volume node.

        Args:
            which: ``"magnitude"`` or ``"radial"``.
            shape: of the MRI ``(k, j, i)``.
            into: a volume to write into, so that several lesions share one; only this lesion's region is touched.

        Raises:
            InputError: an unknown map, or a shape that the block does not fit.
        """
        if which not in MAPS:
            raise InputError(f"There is no gradient map {which!r}; there are {' and '.join(MAPS)}.")
        volume = np.zeros(shape, dtype=np.float32) if into is None else into
        ends = np.array(self.offset) + self.region.shape
        if volume.shape != tuple(shape) or (ends > shape).any():
            raise InputError(f"The gradient map ends at voxel {tuple(ends)}, outside the shape {tuple(shape)}.")
        block = volume[tuple(slice(o, e) for o, e in zip(self.offset, ends, strict=True))]
        np.copyto(block, np.nan_to_num(getattr(self, which), nan=0.0), where=self.region)
        return volume


def gradient_maps(
    volume: np.ndarray,
    geometry: VolumeGeometry,
    lesion: Lesion,
    *,
    sigma_mm: float = DEFAULT_SIGMA_MM,
    outside_mm: float = 0.0,
) -> GradientMaps:
    """Gradient magnitude and radial gradient of a lesion.

    Args:
        volume: MRI ``[k, j, i]``, any numeric type; NaN and infinite voxels are left out.
        geometry: its place; anisotropic, oblique and left-handed grids are respected.
        lesion: on the MRI's grid.
        sigma_mm: standard deviation of the smoothing before the differences; 0 takes plain central differences.
        outside_mm: also give the shell of this thickness outside the GTV.

    Raises:
        InputError: see :func:`.neighbourhood.neighbourhood_of`; a negative ``sigma_mm`` or ``outside_mm``.
    """
    if not np.isfinite(sigma_mm) or sigma_mm < 0:
        raise InputError(f"The scale of the gradient must be zero or more millimetres, not {sigma_mm}.")
    near = neighbourhood_of(volume, geometry, lesion, outside_mm)
    region = near.distance_outside_mm() <= outside_mm if outside_mm > 0 else near.inside
    wide = neighbourhood_of(volume, geometry, lesion, outside_mm + KERNEL_REACH * sigma_mm, extra_voxels=2)
    box = _box_of(region)
    offset = tuple(int(o + s.start) for o, s in zip(near.offset, box, strict=True))
    region = region[box]
    place = geometry.cropped(offset, region.shape)
    within = tuple(slice(o - w, o - w + n) for o, w, n in zip(offset, wide.offset, region.shape, strict=True))
    gradient = gradient_lps(wide.values, wide.geometry, sigma_mm)[(slice(None), *within)]
    magnitude, radial = _magnitude_and_radial(gradient, place, lesion.centroid_lps(geometry), wide.values)
    magnitude[~region], radial[~region] = np.nan, np.nan
    return GradientMaps(
        magnitude=magnitude.astype(np.float32),
        radial=radial.astype(np.float32),
        region=region,
        offset=offset,
        centre_lps=lesion.centroid_lps(geometry),
        sigma_mm=float(sigma_mm),
        undefined=int(np.count_nonzero(region & np.isnan(radial))),
    )


def gradient_lps(values: np.ndarray, geometry: VolumeGeometry, sigma_mm: float) -> np.ndarray:
    """Gradient vectors ``[3, k, j, i]`` in LPS, units per millimetre; NaN where ``values`` is NaN or stands alone.

    Smoothing and central differences rather than sampled derivatives of a Gaussian, which vanish where slices are
    thicker than the Gaussian. Both are exact on polynomials of degree two. At the image's border and beside a NaN the
    difference is one-sided, exact on degree one. Across an axis of one voxel nothing is known and 0 is taken.
    """
    smooth = _smoothed(values, geometry.spacing[::-1], sigma_mm)
    by_index = np.stack([_difference(smooth, axis) for axis in (2, 1, 0)])
    return np.einsum("ba,b...->a...", geometry.lps_to_ijk[:3, :3], by_index)


def _magnitude_and_radial(gradient, place, centre, values):
    magnitude = np.linalg.norm(gradient, axis=0)
    finest = min(place.spacing)
    largest = np.nanmax(np.abs(values)) if np.isfinite(values).any() else 0.0
    magnitude[magnitude <= FLAT * largest / finest] = 0.0
    k, j, i = np.indices(place.shape)
    inwards = np.moveaxis(centre - place.to_lps(np.stack([i, j, k], axis=-1)), -1, 0)
    distance = np.linalg.norm(inwards, axis=0)
    known = (magnitude > 0) & (distance > 1e-6 * finest)
    radial = np.full(place.shape, np.nan)
    np.divide((gradient * inwards).sum(axis=0), magnitude * distance, out=radial, where=known)
    return magnitude, np.clip(radial, -1.0, 1.0)


def _smoothed(values: np.ndarray, spacing_kji: tuple[float, ...], sigma_mm: float) -> np.ndarray:
    """Gaussian mean over the finite voxels; a ramp that runs into the border stays a ramp."""
    from scipy import ndimage

    if not np.isfinite(values).any():
        return values
    # The level is taken away first so that a constant image leaves exact zeros.
    values = values - np.nanmedian(values)
    if sigma_mm == 0:
        return values
    sigmas = [sigma_mm / s if n > 1 else 0.0 for s, n in zip(spacing_kji, values.shape, strict=True)]
    radii = [int(KERNEL_REACH * s + 0.5) for s in sigmas]
    padded = np.pad(values, [(r, r) for r in radii], mode="reflect", reflect_type="odd")
    weights = np.isfinite(padded).astype(float)
    total = ndimage.gaussian_filter(np.where(weights > 0, padded, 0.0), sigmas, mode="nearest", radius=radii)
    if not weights.all():
        weights = ndimage.gaussian_filter(weights, sigmas, mode="nearest", radius=radii)
        total = np.divide(total, weights, out=np.full(total.shape, np.nan), where=weights > 1e-6)
    total = total[tuple(slice(r, r + n) for r, n in zip(radii, values.shape, strict=True))]
    return np.where(np.isfinite(values), total, np.nan)


def _difference(values: np.ndarray, axis: int) -> np.ndarray:
    """Change per voxel along an axis: the mean of the forward and the backward difference that exist."""
    if values.shape[axis] == 1:
        return values * 0.0
    step = np.diff(values, axis=axis)
    gap = np.full_like(np.take(values, [0], axis=axis), np.nan)
    forward = np.concatenate([step, gap], axis=axis)
    backward = np.concatenate([gap, step], axis=axis)
    change = (forward + backward) / 2
    change = np.where(np.isnan(change), forward, change)
    return np.where(np.isnan(change), backward, change)


def _box_of(region: np.ndarray) -> tuple[slice, ...]:
    found = np.argwhere(region)
    return tuple(slice(int(a), int(b) + 1) for a, b in zip(found.min(axis=0), found.max(axis=0), strict=True))
