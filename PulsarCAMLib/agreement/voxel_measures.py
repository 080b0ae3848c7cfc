"""What a radiologist sees in a lesion voxel by voxel, to set beside a heat map."""

from __future__ import annotations

import numpy as np

from ..core.errors import InputError
from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import Lesion
from ..core.vocabulary import DEFAULT_SIGMA_MM
from ..explanation.tables import depth_mm
from ..features.gradients import GradientMaps, gradient_maps
from ..features.neighbourhood import Neighbourhood, neighbourhood_of

QUANTITIES = ("gradient_magnitude", "radial_gradient", "intensity", "local_entropy", "border_distance")

QUANTITY_TITLES = {
    "gradient_magnitude": "Gradient magnitude",
    "radial_gradient": "Radial gradient",
    "intensity": "Intensity",
    "local_entropy": "Local entropy",
    "border_distance": "Distance to the border",
}

ENTROPY_RADIUS_MM = 3.0
"""Radius of the ball whose intensities make the local entropy."""

ENTROPY_LEVELS = 16
"""Grey levels between the percentiles below; a ball of 3 mm holds about a hundred voxels of 1 mm."""

ENTROPY_PERCENTILES = (1.0, 99.0)


def quantity_maps(
    volume: np.ndarray,
    geometry: VolumeGeometry,
    lesion: Lesion,
    *,
    sigma_mm: float = DEFAULT_SIGMA_MM,
    entropy_radius_mm: float = ENTROPY_RADIUS_MM,
    gradients: GradientMaps | None = None,
) -> dict[str, np.ndarray]:
    """The maps of :data:`QUANTITIES` in the lesion's own box, float64 ``[k, j, i]``; NaN where there is no value.

    Args:
        volume: MRI ``[k, j, i]``.
        geometry: its place.
        lesion: on the MRI's grid.
        sigma_mm: scale of the gradient, see :func:`..features.gradients.gradient_maps`.
        entropy_radius_mm: radius of the ball of the local entropy.
        gradients: those maps, if they are there already.

    Raises:
        InputError: see :func:`..features.gradients.gradient_maps`; a radius that is not positive.
    """
    if not np.isfinite(entropy_radius_mm) or entropy_radius_mm <= 0:
        raise InputError(
            f"The radius of the local entropy must be more than zero millimetres, not {entropy_radius_mm}."
        )
    gradients = gradients or gradient_maps(volume, geometry, lesion, sigma_mm=sigma_mm)
    near = neighbourhood_of(volume, geometry, lesion, entropy_radius_mm)
    box = tuple(slice(o - n, o - n + s) for o, n, s in zip(lesion.offset, near.offset, lesion.mask.shape, strict=True))
    maps = (
        gradients.magnitude.astype(np.float64),
        gradients.radial.astype(np.float64),
        near.values[box],
        local_entropy(near, entropy_radius_mm)[box],
        depth_mm(lesion, geometry),
    )
    return {name: np.where(lesion.mask, values, np.nan) for name, values in zip(QUANTITIES, maps, strict=True)}


def local_entropy(near: Neighbourhood, radius_mm: float) -> np.ndarray:
    """Shannon entropy in bits of the grey levels in a ball around each voxel, ``[k, j, i]``.

    The levels span the 1st to the 99th percentile of the whole block, lesion and surroundings; voxels without a value
    are left out, and a ball cut by the image's border counts what is there.
    """

    finite = np.isfinite(near.values)
    if not finite.any():
        return np.full(near.values.shape, np.nan)
    low, high = np.percentile(near.values[finite], ENTROPY_PERCENTILES)
    span = high - low if high > low else 1.0
    levels = np.clip((np.where(finite, near.values, low) - low) / span * ENTROPY_LEVELS, 0, ENTROPY_LEVELS - 1)
    ball = _ball(radius_mm, near.spacing_kji)
    counts = []
    for level in range(ENTROPY_LEVELS):
        here = finite & (levels.astype(int) == level)
        counts.append(_convolve(here, ball) if here.any() else np.zeros(here.shape))
    total = np.sum(counts, axis=0)
    shares = np.divide(counts, total, out=np.zeros((ENTROPY_LEVELS, *total.shape)), where=total > 0)
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.where(finite, -(shares * logs).sum(axis=0), np.nan)


def _ball(radius_mm: float, spacing_kji: tuple[float, float, float]) -> np.ndarray:
    reach = [int(radius_mm / s + 1e-9) for s in spacing_kji]
    steps = np.meshgrid(*(np.arange(-n, n + 1) * s for n, s in zip(reach, spacing_kji, strict=True)), indexing="ij")
    return sum(step**2 for step in steps) <= radius_mm**2 * (1 + 1e-9)


def _convolve(here: np.ndarray, ball: np.ndarray) -> np.ndarray:
    from scipy import signal

    padded = np.pad(here.astype(np.float64), [(n // 2, n // 2) for n in ball.shape])
    return np.rint(signal.fftconvolve(padded, ball.astype(np.float64), mode="valid"))
