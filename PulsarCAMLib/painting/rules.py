"""The rules: from a heat map to dose by numbers, from a sub-region to a boost by contours.

By numbers (Bentzen, Lancet Oncol 2005;6:112): with s = (m - a) / (b - a), limited to 0..1, the share of the
map's range [a, b]::

    linear:   D = low + (high - low) s
    sigmoid:  D = low + (high - low) (f(s) - f(0)) / (f(1) - f(0)),    f(s) = 1 / (1 + exp(-k (s - s0)))

so that both reach the levels at the ends of the range. By contours: the activated part without parts that are too
small, of the others the largest; a margin around them; what lies too near to an organ is cut away. Distances are from
voxels' centres to the surface, as everywhere (:mod:`PulsarCAMLib.lesions.distances`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.geometry.volume import VolumeGeometry, kji_of
from ..core.lesion import CONNECTIVITY_26, Lesion
from ..lesions.distances import distance_to, grown
from .settings import SIGMOID, PaintingSettings


def dose_by_numbers(values: np.ndarray, ends: tuple[float, float], settings: PaintingSettings) -> np.ndarray:
    """Dose in Gy for values of a heat map, float64.

    Args:
        values: of any shape.
        ends: of the map's range; where it is empty, all is the lower level.
        settings: "linear" or "sigmoid".

    Examples:
        >>> settings = PaintingSettings("linear", 10.0, 20.0)
        >>> dose_by_numbers(np.array([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0]), (0.0, 2.0), settings).tolist()
        [10.0, 10.0, 12.5, 15.0, 20.0, 20.0]
    """
    low, high = settings.levels
    a, b = ends
    if not b > a:
        return np.full(np.shape(values), low)
    share = np.clip((np.asarray(values, dtype=np.float64) - a) / (b - a), 0, 1)
    if settings.rule == SIGMOID:
        from scipy.special import expit

        first, last = (expit(settings.steepness * (end - settings.midpoint)) for end in (0.0, 1.0))
        share = (expit(settings.steepness * (share - settings.midpoint)) - first) / (last - first)
    return low + (high - low) * share


def kept_parts(mask: np.ndarray, voxel_mm3: float, settings: PaintingSettings) -> np.ndarray:
    """The parts of a mask that are large enough, of these the largest; parts touch by corners, too."""
    from scipy import ndimage

    numbers, count = ndimage.label(mask, CONNECTIVITY_26)
    sizes = np.bincount(numbers.ravel(), minlength=count + 1)[1:] * voxel_mm3
    order = np.argsort(-sizes, kind="stable")
    wanted = [n + 1 for n in order if sizes[n] >= settings.least_mm3 * (1 - 1e-9)]
    return np.isin(numbers, wanted[: settings.parts] if settings.parts else wanted)


def boost_by_contours(
    active: np.ndarray, lesion: Lesion, geometry: VolumeGeometry, organs: Sequence[Lesion], settings: PaintingSettings
) -> Lesion:
    """The boost of one lesion, on the MRI's grid; perhaps empty.

    Args:
        active: bool in the lesion's box: the activated part.
        lesion: the GTV.
        geometry: of the MRI.
        organs: on its grid.
        settings: of the painting.
    """
    spacing = geometry.spacing[::-1]
    mask, reach = grown(kept_parts(active, geometry.voxel_volume_mm3, settings), settings.margin_mm, spacing)
    offset = kji_of(o - n for o, n in zip(lesion.offset, reach, strict=True))
    if not settings.beyond_gtv:
        mask &= np.pad(lesion.mask, [(n, n) for n in reach])
    mask, offset = _within(mask, offset, geometry.shape)
    mask &= ~near_organs(organs, geometry, offset, kji_of(mask.shape), settings.organ_mm)
    return Lesion(lesion.name, kept_parts(mask, geometry.voxel_volume_mm3, settings), offset)


def near_organs(
    organs: Sequence[Lesion],
    geometry: VolumeGeometry,
    offset: tuple[int, int, int],
    shape: tuple[int, int, int],
    organ_mm: float,
) -> np.ndarray:
    """Voxels of a box that lie in an organ, or no further from its surface than ``organ_mm``; none where there is none.

    Without a distance an organ's own voxels are near it all the same, for no boost may lie in an organ.
    """
    near = np.zeros(shape, dtype=bool)
    for organ in organs:
        near |= distance_to(organ.mask, organ.offset, geometry.spacing[::-1], offset, shape) <= organ_mm
    return near


def _within(
    mask: np.ndarray, offset: tuple[int, int, int], shape: tuple[int, int, int]
) -> tuple[np.ndarray, tuple[int, int, int]]:
    """The part of a mask that lies on the MRI."""
    low = [max(0, -o) for o in offset]
    high = [min(n, s - o) for n, s, o in zip(mask.shape, shape, offset, strict=True)]
    cut = mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))].copy()
    return cut, kji_of(o + a for o, a in zip(offset, low, strict=True))
