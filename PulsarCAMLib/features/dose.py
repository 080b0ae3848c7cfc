"""Dose features of a lesion: what the GTV was meant to get, and how fast the dose falls off around it.

Doses are those at the centres of the GTV's voxels on the MRI's grid, by linear interpolation of the dose grid; every
voxel counts alike. "D98" is the dose that 98 % of the GTV gets at least: the 2nd percentile of those values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.errors import InputError
from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import Lesion
from ..core.settings import Settings, option
from ..lesions.resampling import block_of, resample
from .isodose import isodose_volumes_cm3
from .row import FeatureRow

WHOLE = 98.0
"""The prescription is read as the dose that this share (per cent) of the GTV gets at least, where nobody states it."""


@dataclass(frozen=True)
class DoseSettings(Settings):
    """How dose features are computed.

    Attributes:
        thresholds_gy: doses x of the features ``dose_v<x>``, the share of the GTV that gets at least x Gy.
        volumes_percent: shares p of the features ``dose_d<p>``, the dose that p per cent of the GTV get at least.
        step_mm: isodose volumes are counted on a grid at least this fine, coarser only beyond some millions of voxels.

    Raises:
        InputError: a number out of range.
    """

    who = "dose features"

    thresholds_gy: tuple[float, ...] = option(
        (5.0, 10.0, 12.0, 15.0, 20.0), above=0, at_most=1000, must="they must lie between 0 and 1000 Gy"
    )
    volumes_percent: tuple[float, ...] = option(
        (98.0, 2.0), above=0, below=100, must="they must lie between 0 and 100 per cent"
    )
    step_mm: float = option(0.5, at_least=0.1, at_most=5)


def dose_features(
    dose: np.ndarray,
    dose_geometry: VolumeGeometry,
    geometry: VolumeGeometry,
    lesion: Lesion,
    settings: DoseSettings | None = None,
    *,
    prescription_gy: float | None = None,
    others: Sequence[Lesion] = (),
) -> FeatureRow:
    """All dose features of a lesion, always the same names in the same order for the same settings.

    The gradient index is Paddick's (Paddick and Lippitz, J. Neurosurg. 2006;105 Suppl:194): the volume that gets at
    least half the prescribed dose over the volume that gets at least the prescribed dose, here counted around this
    lesion only, see :func:`.isodose.isodose_volumes_cm3`.

    Args:
        dose: in Gy, ``[k, j, i]``.
        dose_geometry: its place; must be in the MRI's space (planned on it, or registered and resampled).
        geometry: of the MRI.
        lesion: on the MRI's grid.
        settings: thresholds.
        prescription_gy: prescribed dose; where None, D98 of the GTV is taken for it (the marginal dose).
        others: the other lesions on this MRI, at which its own surroundings end.

    Returns:
        Doses in Gy, ``dose_v...`` in per cent of the GTV. All are None where a part of the GTV lies outside the dose
        grid, for nobody knows what that part gets.

    Raises:
        InputError: the arrays do not fit, the prescription is not a dose, or the lesion lies wholly outside the dose.
    """
    settings = settings or DoseSettings()
    if dose.shape != dose_geometry.shape:
        raise InputError(f"The dose has shape {dose.shape}, its geometry {dose_geometry.shape}.")
    if prescription_gy is not None and not 0 < prescription_gy <= 1000:
        raise InputError(f"The prescribed dose lies between 0 and 1000 Gy, not {prescription_gy:g}.")
    values, outside = _doses_in(dose, dose_geometry, geometry, lesion)
    if outside == 1:
        raise InputError(
            f"Lesion “{lesion.name}” lies outside the dose grid: dose and MRI do not share a space, or belong to "
            "different plans; register the dose to this MRI."
        )
    row = FeatureRow()
    reason = f"{100 * outside:.0f} % of the GTV lies outside the dose grid" if outside else ""
    _put_doses(row, values, settings, reason)
    if prescription_gy is None and not outside:
        prescription_gy = _dose_of_share(values, WHOLE)
        reason = "" if prescription_gy > 0 else "the GTV gets no dose, so no prescription can be read from it"
    row.put("dose_prescription", prescription_gy if not reason else None, reason)
    index = None
    if not reason:
        place = dose, dose_geometry, geometry, lesion
        index, reason = _gradient_index(*place, prescription_gy, others, settings.step_mm)
    row.put("dose_gradient_index", index, reason)
    return row


def _doses_in(
    dose: np.ndarray, dose_geometry: VolumeGeometry, geometry: VolumeGeometry, lesion: Lesion
) -> tuple[np.ndarray, float]:
    """Doses ``[n]`` at the GTV's voxels, and the share of them that lies outside the dose grid."""
    box = geometry.cropped(lesion.offset, lesion.mask.shape)
    points = dose_geometry.to_ijk(box.to_lps(np.argwhere(lesion.mask)[:, ::-1]))
    # Beyond the outermost centres there is half a voxel more, in which the outermost value holds.
    within = ((points >= -0.5 - 1e-6) & (points <= np.array(dose_geometry.shape[::-1]) - 0.5 + 1e-6)).all(axis=1)
    outside = float(1 - within.mean())
    if outside:
        return np.empty(0), outside
    low, high = block_of(box, dose_geometry, margin=1)
    block = dose[tuple(slice(a, b) for a, b in zip(low, high, strict=True))].astype(np.float64)
    image = dose_geometry.cropped(tuple(low), block.shape).to_sitk(block)
    return resample(image, box, edges=True)[lesion.mask], 0.0


def _put_doses(row: FeatureRow, values: np.ndarray, settings: DoseSettings, reason: str) -> None:
    known = values.size > 0
    for name, measure in (("mean", np.mean), ("max", np.max), ("min", np.min)):
        row.put(f"dose_{name}", measure(values) if known else None, reason)
    for percent in settings.volumes_percent:
        row.put(f"dose_d{percent:g}", _dose_of_share(values, percent) if known else None, reason)
    for threshold in settings.thresholds_gy:
        row.put(f"dose_v{threshold:g}", 100 * (values >= threshold).mean() if known else None, reason)


def _dose_of_share(values: np.ndarray, percent: float) -> float:
    return float(np.percentile(values, 100 - percent))


def _gradient_index(
    dose: np.ndarray,
    dose_geometry: VolumeGeometry,
    geometry: VolumeGeometry,
    lesion: Lesion,
    prescription_gy: float,
    others: Sequence[Lesion],
    step_mm: float,
) -> tuple[float | None, str]:
    """The index, or None and the reason."""
    levels = prescription_gy / 2, prescription_gy
    try:
        half, full = isodose_volumes_cm3(dose, dose_geometry, geometry, lesion, levels, others=others, step_mm=step_mm)
    except ValueError as reason:
        return None, str(reason)
    return (half / full, "") if full else (None, "no part of the GTV gets the prescribed dose")
