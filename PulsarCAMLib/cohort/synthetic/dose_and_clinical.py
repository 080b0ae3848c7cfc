"""What may go with a synthetic cohort: planned doses and clinical facts. None of it has to do with the outcome.

The dose is a round hill over each lesion, as radiosurgery makes them: the prescribed dose encloses the whole GTV, and
with ``s`` the share of the maximum that is prescribed::

    D(r) = prescription * s^((r / R)^2 - 1)        R: the farthest voxel of the GTV from its centre of mass

so that alone in the field the lesion's gradient index is ``(1 + ln 2 / ln(1 / s))^1.5``. Doses of neighbours add up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.geometry.volume import VolumeGeometry
from .patients import SyntheticScan
from .settings import TIME_POINTS, CohortSettings

DOSE_SPACING_MM = 2.0

PRESCRIPTIONS_GY = (15.0, 16.5, 18.0)
"""Three fractions of 5, 5.5 or 6 Gy, as Peng et al. 2025 give in the first cycle."""

PRESCRIBED_SHARE = (0.45, 0.70)
"""Prescribed dose over the maximum: gradient indices from 2.6 to 5.0, so that some exceed 4."""

PRIMARIES = ("lung", "breast", "melanoma", "renal")

_DOSE, _CLINICAL = 7001, 7002
"""Beginnings of random streams of their own, so that images are the same with and without."""


@dataclass(frozen=True)
class PlannedDose:
    """A planned dose.

    Attributes:
        values: Gy, float32 ``[k, j, i]``.
        geometry: its place; another grid than the MRI's, in the same space.
        prescriptions_gy: prescribed dose by label of the lesion.
        shares: prescribed dose over the maximum by label.
    """

    values: np.ndarray
    geometry: VolumeGeometry
    prescriptions_gy: dict[int, float]
    shares: dict[int, float]


def planned_dose(settings: CohortSettings, index: int, scan: SyntheticScan) -> PlannedDose:
    """The dose of patient ``index`` as planned on one MRI."""
    rng = np.random.default_rng([settings.seed, index, _DOSE, TIME_POINTS.index(scan.time_point)])
    grid = _dose_grid(scan.geometry)
    k, j, i = np.indices(grid.shape, dtype=np.float32)
    points = grid.to_lps(np.stack([i, j, k], axis=-1))
    total, prescriptions, shares = np.zeros(grid.shape), {}, {}
    for label in range(1, int(scan.lesions.max()) + 1):
        prescriptions[label], shares[label] = float(rng.choice(PRESCRIPTIONS_GY)), float(rng.uniform(*PRESCRIBED_SHARE))
        inside = scan.geometry.to_lps(np.argwhere(scan.mask(label))[:, ::-1])
        if len(inside):
            centre = inside.mean(axis=0)
            radius = np.linalg.norm(inside - centre, axis=1).max() + min(scan.geometry.spacing) / 2
            squared = ((points - centre) ** 2).sum(axis=-1) / radius**2
            total += prescriptions[label] * shares[label] ** (squared - 1)
    return PlannedDose(total.astype(np.float32), grid, prescriptions, shares)


def clinical_facts(settings: CohortSettings, index: int) -> dict[str, object]:
    """Clinical columns of patient ``index``."""
    rng = np.random.default_rng([settings.seed, index, _CLINICAL])
    return {"clinical_age": int(rng.integers(38, 85)), "clinical_primary": str(rng.choice(PRIMARIES))}


def _dose_grid(geometry: VolumeGeometry) -> VolumeGeometry:
    """An axial grid around the whole MRI."""
    corners = geometry.corners_lps()
    low = corners.min(axis=0)
    size = np.ceil((corners.max(axis=0) - low) / DOSE_SPACING_MM).astype(int) + 1
    return VolumeGeometry(tuple(size[::-1]), (DOSE_SPACING_MM,) * 3, tuple(low))
