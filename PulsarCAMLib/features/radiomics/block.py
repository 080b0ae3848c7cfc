"""The part of an MRI on which radiomics features of a lesion are computed: cut out, set upright, normalized."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.geometry.volume import VolumeGeometry
from ...core.lesion import Lesion, check_lies_on
from .settings import RadiomicsSettings

SPARE_VOXELS = 8
"""Beyond the reach of the filters: splines know the MRI's border some voxels away, meshes need a closed mask."""


@dataclass(frozen=True, eq=False)
class Block:
    """The neighbourhood of a lesion, always as large on all sides; axes as close to S, P, L as storage allows.

    Attributes:
        values: float64 ``[k, j, i]``, normalized, finite.
        inside: bool ``[k, j, i]``, the GTV.
        spacing_kji: voxel size in millimetres.
        holes: number of voxels of the GTV where the MRI has no value.
    """

    values: np.ndarray
    inside: np.ndarray
    spacing_kji: tuple[float, float, float]
    holes: int


@dataclass(frozen=True)
class IntensityScale:
    """What is subtracted from the MRI and by what it is multiplied then."""

    zero: float = 0.0
    factor: float = 1.0


def intensity_scale(volume: np.ndarray, settings: RadiomicsSettings) -> IntensityScale:
    """Normalization of a whole MRI, see :class:`RadiomicsSettings`; the same for all of its lesions.

    Args:
        volume: MRI ``[k, j, i]``; voxels that are not finite do not count.
        settings: for ``normalization`` and its scale.
    """
    if settings.normalization == "none":
        return IntensityScale()
    values = volume[np.isfinite(volume)] if volume.dtype.kind == "f" else volume.reshape(-1)
    if not values.size:
        return IntensityScale()
    if settings.normalization == "head":
        brighter = values[values > values.mean(dtype=np.float64)]
        values = brighter if brighter.size else values
    deviation = values.std(dtype=np.float64, ddof=1) if values.size > 1 else 0.0
    factor = settings.normalization_scale / (deviation if deviation > 0 else 1.0)
    # Sums over another order of voxels differ in the last digit, which can move an intensity to the next gray level.
    return IntensityScale(float(f"{values.mean(dtype=np.float64):.12g}"), float(f"{factor:.12g}"))


def block_of(
    volume: np.ndarray,
    geometry: VolumeGeometry,
    lesion: Lesion,
    settings: RadiomicsSettings,
    scale: IntensityScale | None = None,
) -> Block:
    """Cut out what the features can depend on.

    Where the MRI ends sooner its outermost voxels are repeated, and voxels without a value outside the GTV get that of
    the nearest one with; so neither the MRI's extent nor its storage order changes the result.

    Raises:
        InputError: the MRI is no 3D image of numbers, does not fit its geometry, or the lesion lies outside it.
    """
    check_lies_on(volume, geometry, lesion)
    scale = scale or intensity_scale(volume, settings)
    spacing = np.array(geometry.spacing[::-1])
    pad = np.ceil(settings.reach_mm() / spacing - 1e-9).astype(int) + SPARE_VOXELS
    if settings.spacing_mm is not None:
        pad += np.ceil(SPARE_VOXELS * settings.spacing_mm / spacing).astype(int)
    low, high = np.array(lesion.offset) - pad, np.array(lesion.offset) + lesion.mask.shape + pad
    kept = [slice(max(a, 0), min(b, n)) for a, b, n in zip(low, high, volume.shape, strict=True)]
    beyond = [(s.start - a, b - s.stop) for s, a, b in zip(kept, low, high, strict=True)]
    values = np.pad(volume[tuple(kept)].astype(np.float64), beyond, mode="edge")
    inside = np.pad(lesion.mask, [(p, p) for p in pad])
    unknown = ~np.isfinite(values)
    if unknown.any():
        values = _filled(values, unknown)
    values, inside, spacing = _upright(values, inside, spacing, geometry)
    holes = int(np.count_nonzero(unknown & np.pad(lesion.mask, [(p, p) for p in pad])))
    return Block((values - scale.zero) * scale.factor, inside, tuple(spacing), holes)


def _filled(values: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    if unknown.all():
        return np.zeros_like(values)
    nearest = ndimage.distance_transform_edt(unknown, return_distances=False, return_indices=True)
    return values[tuple(nearest)]


def _upright(values: np.ndarray, inside: np.ndarray, spacing: np.ndarray, geometry: VolumeGeometry):
    """Swap and flip the axes so that k, j, i run as closely as they can to S, P, L, whatever the file's order."""
    from scipy.optimize import linear_sum_assignment

    along = np.asarray(geometry.direction)[::-1, ::-1]  # rows S, P, L; columns k, j, i
    _, order = linear_sum_assignment(-np.abs(along))
    back = [axis for axis in range(3) if along[axis, order[axis]] < 0]
    values, inside = (np.ascontiguousarray(np.flip(a.transpose(order), back)) for a in (values, inside))
    return values, inside, [float(spacing[axis]) for axis in order]
