"""How sharp a lesion's margin is: MRI profiles along the normals of the GTV's surface.

After Xu et al., Quantifying the margin sharpness of lesions on radiological images (Med. Phys. 2012;39:5405): lines
perpendicular to the margin, a sigmoid along them, its height (difference between lesion and surroundings) and its width
(sharpness). Here the sigmoid is a cumulative Gaussian and is fitted once, to the mean of all profiles, which holds for
noisy MRI with voxels not much smaller than the edge. The width therefore includes how far the contour strays from the
edge and the voxels along the normal: on a ball of 10 mm radius an edge of 2.56 mm reads 2.63 mm with 0.5 mm voxels,
2.84 mm with 1 mm voxels and 3.8 to 3.9 mm with 6.5 mm slices, so widths compare only between MRIs of like voxels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .neighbourhood import Neighbourhood

PROFILE_REACH_MM = 4.0
"""Profiles reach this far outwards, and as far inwards as the lesion is deep, up to the same length."""

PROFILE_STEP_MM = 0.25

SLOPE_REACH_MM = 1.0
"""The slope at the contour is taken between the points this far inside and outside."""

WIDTH_10_90 = 2.5631031310892007
"""Distance between the 10 % and the 90 % point of a cumulative Gaussian, in its standard deviations."""

LEAST_STEP = 0.02
"""A fitted step below this share of the intensity scale is no edge."""

LEAST_FIT = 0.8
"""The step must explain this share of the mean profile's variance, or it has not the shape of an edge."""


@dataclass(frozen=True, eq=False)
class Profiles:
    """The MRI along normals of the surface.

    Attributes:
        distances_mm: ``[t]``, negative inside the GTV, positive outside.
        values: ``[n, t]``, the MRI's units; only profiles that lie wholly in the MRI.
        weights: ``[n]``, surface area in square millimetres.
        left_out: number of profiles that leave the MRI, meet voxels without a value, or have no normal.
    """

    distances_mm: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    left_out: int


@dataclass(frozen=True)
class Edge:
    """The step along the mean profile: 10-90 % width, how far outside the contour it lies, height (down outwards)."""

    width_mm: float
    offset_mm: float
    drop: float


def profiles_of(near: Neighbourhood) -> Profiles:
    """Profiles through the middle of every voxel face of the GTV's surface, linear interpolation.

    Faces where the MRI's border cuts the lesion are no surface.
    """
    spacing = np.array(near.spacing_kji)
    middles, areas = _faces(near.inside, spacing)
    if not len(middles):
        return Profiles(np.zeros(1), np.empty((0, 1)), np.empty(0), 0)
    inwards = min(PROFILE_REACH_MM, float(near.depth_mm.max()))
    distances = np.arange(-np.floor(inwards / PROFILE_STEP_MM), PROFILE_REACH_MM / PROFILE_STEP_MM + 1)
    distances = distances * PROFILE_STEP_MM
    normals = _normals(near.depth_mm, spacing, middles)
    known = np.isfinite(normals).all(axis=1)
    points = middles[known, None] + distances[:, None] * (normals[known] / spacing)[:, None]
    values = _sampled(near.values, points)
    whole = np.isfinite(values).all(axis=1)
    return Profiles(distances, values[whole], areas[known][whole], len(middles) - int(whole.sum()))


def slopes(profiles: Profiles) -> np.ndarray:
    """Fall of the intensity outwards at the contour, per profile ``[n]``, units per millimetre; positive: falls.

    Raises:
        ValueError: the lesion is thinner than the slope's reach, or no profile lies in the MRI.
    """
    if not len(profiles.values):
        raise ValueError("no profile across the surface lies wholly in the MRI")
    at = [np.flatnonzero(np.isclose(profiles.distances_mm, t)) for t in (-SLOPE_REACH_MM, SLOPE_REACH_MM)]
    if not at[0].size:
        raise ValueError(f"the lesion is nowhere {SLOPE_REACH_MM:g} mm deep")
    inside, outside = (profiles.values[:, index[0]] for index in at)
    return (inside - outside) / (2 * SLOPE_REACH_MM)


def mean_edge(profiles: Profiles, scale: float) -> Edge:
    """Fits a cumulative Gaussian to the mean profile.

    Args:
        profiles: of the lesion.
        scale: intensity range that counts as 1 for :data:`LEAST_STEP`; above 0.

    Raises:
        ValueError: there is no edge to fit, or the fit does not describe the profile.
    """
    from scipy import optimize, special

    slopes(profiles)
    t = profiles.distances_mm
    mean = np.average(profiles.values, axis=0, weights=profiles.weights)
    level = mean.mean()
    mean = (mean - level) / scale

    def step(t, outside, drop, offset, sigma):
        return outside + drop * special.ndtr((offset - t) / sigma)

    start = (mean[-1], mean[0] - mean[-1], 0.0, 1.0)
    limits = [(-np.inf, -np.inf, t[0], 0.05), (np.inf, np.inf, t[-1], 2 * PROFILE_REACH_MM)]
    try:
        found, _ = optimize.curve_fit(step, t, mean, p0=start, bounds=limits, xtol=1e-12, ftol=1e-12, gtol=1e-12)
    except RuntimeError as error:
        raise ValueError("no step can be fitted to the mean profile across the surface") from error
    _, drop, offset, sigma = found
    left = np.sum((mean - step(t, *found)) ** 2)
    if abs(step(t[0], *found) - step(t[-1], *found)) < LEAST_STEP:
        raise ValueError("the mean profile across the surface has no step")
    if left > (1 - LEAST_FIT) * np.sum((mean - mean.mean()) ** 2):
        raise ValueError("the mean profile across the surface has not the shape of one step")
    if WIDTH_10_90 * sigma > t[-1] - t[0] or offset - sigma < t[0] or offset + sigma > t[-1]:
        raise ValueError("the step across the surface is wider than the profiles or lies at their end")
    return Edge(float(WIDTH_10_90 * sigma), float(offset), float(drop * scale))


def _faces(inside: np.ndarray, spacing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middles ``[n, 3]`` (fractional k, j, i) and areas of the faces between a voxel inside and one outside."""
    middles, areas = [], []
    for axis in range(3):
        ahead = np.take(inside, range(1, inside.shape[axis]), axis=axis)
        behind = np.take(inside, range(inside.shape[axis] - 1), axis=axis)
        at = np.argwhere(ahead != behind).astype(float)
        at[:, axis] += 0.5
        middles.append(at)
        areas.append(np.full(len(at), np.prod(spacing) / spacing[axis]))
    return np.concatenate(middles), np.concatenate(areas)


def _normals(depth: np.ndarray, spacing: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """Outward unit normals ``[n, 3]`` along (k, j, i) in millimetres; NaN where the surface has no side.

    Where the depth falls, smoothed by one voxel along each axis to take the stairs out of the mask.
    """
    from scipy import ndimage

    sigmas = [1.0 if n > 1 else 0.0 for n in depth.shape]
    outwards = ndimage.gaussian_filter(-depth, sigmas, mode="nearest")
    normals = np.zeros_like(middles)
    for axis in range(3):
        if depth.shape[axis] > 1:
            slope = np.gradient(outwards, spacing[axis], axis=axis)
            normals[:, axis] = ndimage.map_coordinates(slope, middles.T, order=1, mode="nearest")
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.divide(normals, length, out=np.full_like(normals, np.nan), where=length > 1e-3)


def _sampled(values: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Linear interpolation at fractional (k, j, i); NaN outside the block or beside a NaN."""
    from scipy import ndimage

    last = np.array(values.shape) - 1.0
    nearest = np.clip(points, 0.0, last)
    # Rounding must not push a point on the outermost voxels out of the block.
    outside = (np.abs(points - nearest) > 1e-6).any(axis=-1)
    bad = np.isnan(values)
    found = ndimage.map_coordinates(np.where(bad, 0.0, values), np.moveaxis(nearest, -1, 0), order=1, mode="nearest")
    if bad.any():
        touched = ndimage.map_coordinates(bad.astype(float), np.moveaxis(nearest, -1, 0), order=1, mode="nearest")
        outside |= touched > 1e-9
    return np.where(outside, np.nan, found)
