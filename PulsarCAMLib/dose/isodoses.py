"""How the prescribed dose lies around a lesion: conformity and gradient index.

Paddick (J Neurosurg 2000;93 Suppl 3:219-222) and Paddick and Lippitz (J Neurosurg 2006;105 Suppl:194-201), with TV the
lesion, PIV the volume of the prescription's isodose around it, and TV_PIV what both share::

    conformity = TV_PIV^2 / (TV PIV),        gradient index = PIV of half the prescription / PIV                  (D4)

Isodoses are those of :mod:`..features.isodose` (of several lesions each has its own), around small lesions on a dose
that cubic splines have made finer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import Lesion
from ..features.isodose import isodose_volumes_cm3
from .courses import Planned
from .histogram import Histogram
from .sampling import dose_at

AROUND_MM = 15.0
"""Around a lesion the dose is made finer so far."""

FINER, COUNTED = 0.1, 0.05
"""Voxels of the finer dose, and those that are counted, in sides of a cube as large as the lesion."""

COUNTED_MM = 0.2, 1.0
"""Those that are counted are never smaller or larger."""

MOST_FINER = 2_000_000
"""Voxels of the finer dose; around larger lesions its own are fine enough."""

NONE_PRESCRIBED = "no part of the lesion gets the prescribed dose"

Told = tuple[float | None, str]
"""A number, or None and why."""


def conformity_and_gradient(
    histogram: Histogram,
    total: Planned,
    geometry: VolumeGeometry,
    lesion: Lesion,
    others: Sequence[Lesion],
    prescription_gy: float,
) -> tuple[Told, Told]:
    """Paddick's conformity (0..1), and the gradient index (from 1 on).

    Args:
        histogram: of the lesion.
        total: dose.
        geometry: of the MRI.
        lesion: on it.
        others: the other lesions on it, at which its own surroundings end.
        prescription_gy: prescribed dose.
    """
    own = total, geometry, lesion, others
    half, why = None, ""
    try:
        half, full = _volumes(*own, (prescription_gy / 2, prescription_gy))
    except ValueError as reason:
        why = str(reason)
        try:
            (full,) = _volumes(*own, (prescription_gy,))
        except ValueError as reason:
            return (None, str(reason)), (None, str(reason))
    covered = histogram.v(prescription_gy) * histogram.volume_mm3 / 1000
    if full <= 0 or covered <= 0:
        return (None, NONE_PRESCRIBED), (None, NONE_PRESCRIBED)
    conformity = min(covered**2 / (histogram.volume_mm3 / 1000 * full), 1.0)
    return (conformity, ""), ((None, why) if half is None else (half / full, ""))


def _volumes(
    total: Planned, geometry: VolumeGeometry, lesion: Lesion, others: Sequence[Lesion], levels_gy: tuple[float, ...]
) -> tuple[float, ...]:
    side = lesion.volume_cm3(geometry) ** (1 / 3) * 10
    step = {"step_mm": float(np.clip(COUNTED * side, *COUNTED_MM))}
    fine = _finer(total, geometry, lesion, max(FINER * side, 2 * COUNTED_MM[0]))
    if fine is not None:
        values = dose_at(total.dose, total.geometry, _centres(fine))
        try:
            return isodose_volumes_cm3(
                values.astype(np.float32), fine, geometry, lesion, levels_gy, others=others, **step
            )
        except ValueError:  # it reaches further than the finer dose
            pass
    return isodose_volumes_cm3(total.dose, total.geometry, geometry, lesion, levels_gy, others=others, **step)


def _finer(total: Planned, geometry: VolumeGeometry, lesion: Lesion, mm: float) -> VolumeGeometry | None:
    """A finer grid around a lesion, within the dose's own; None where it would be too large, or none."""
    box = geometry.cropped(lesion.offset, lesion.mask.shape).corners_lps()
    ijk = total.geometry.to_ijk(box)
    spacing = np.array(total.geometry.spacing)
    limit = np.array(total.geometry.shape[::-1]) - 1
    low = np.clip(np.floor(ijk.min(axis=0) - AROUND_MM / spacing), 0, limit)
    high = np.clip(np.ceil(ijk.max(axis=0) + AROUND_MM / spacing), 0, limit)
    parts = np.maximum(np.ceil(spacing / mm - 1e-6), 1)
    size = ((high - low) * parts + 1).astype(int)
    if (high <= low).any() or (parts == 1).all() or np.prod(size.astype(float)) > MOST_FINER:
        return None
    origin = total.geometry.to_lps(low)
    return VolumeGeometry(tuple(size[::-1]), tuple(spacing / parts), tuple(origin), total.geometry.direction)


def _centres(grid: VolumeGeometry) -> np.ndarray:
    """LPS millimetres of all voxels ``[k, j, i, 3]``."""
    k, j, i = np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij")
    return grid.to_lps(np.stack([i, j, k], axis=-1))
