"""How a dose fits a prescription voxel by voxel: the Q-volume histogram and the quality factor.

Q = dose received / dose prescribed in every voxel; the Q-volume histogram is the share of the volume with at least a Q,
and the quality factor the mean of the size of Q - 1, 0 for a dose that is the prescription (Vanderstraeten et al.,
Radiother Oncol 2006;79:249). The share within 5 % of 1 is that of Korreman et al., Acta Oncol 2010;49:964.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.case import Image
from ..core.errors import Cure, GeometryError
from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import Lesion
from ..lesions.resampling import values_on

DECIMALS = 6
"""Of Q: rounding of an interpolated dose must not move a voxel across a limit that it lies at."""

HIT = 0.05
"""A voxel whose Q is this near to 1 has got what was prescribed."""

HIGHEST_Q, STEPS = 2.0, 200
"""End and number of the steps of the histogram that is written and drawn."""

FEWEST_VOXELS = 8
"""Voxels of the dose that a lesion must hold by volume: of fewer the dose within it is interpolation."""

LITTLE_Q = 0.1
"""A lesion that gets less than this share of what is prescribed was not treated by that dose."""

APART = Cure(
    "register it to this MRI, or name the dose that was planned on it",
    "with --paint-dose",
    panel="register it to this MRI, or choose the dose that was planned on it",
)


@dataclass(frozen=True, eq=False)
class Quality:
    """A dose beside a prescription in one lesion.

    Attributes:
        q: ``[n]``, of the voxels with a prescription; empty where nothing can be told.
        undefined: why, or an empty text.
    """

    q: np.ndarray
    undefined: str = ""

    @property
    def doubt(self) -> str:
        """A clause on why the dose may be none for this lesion, or why nothing is told of it; empty without one."""
        if self.undefined:
            return f"how the dose beside the prescription fits it is not told, for {self.undefined}"
        if self.q.mean() < LITTLE_Q:
            return (
                f"the dose beside the prescription gives it {self.q.mean():.1%} of what is prescribed, as if it was "
                "not treated; does that dose belong to this lesion, and does it lie right on the MRI?"
            )
        return ""

    @property
    def factor(self) -> float:
        """Mean of |Q - 1|."""
        return float(np.abs(self.q - 1).mean())

    def volume_at(self, q: np.ndarray) -> np.ndarray:
        """Share of the volume with at least each Q."""
        order = np.sort(self.q)
        return 1 - np.searchsorted(order, np.round(q, DECIMALS), side="left") / len(order)

    def row(self) -> dict[str, object]:
        """Columns of the table of lesions."""
        if self.undefined:
            names = ("quality_factor", "q_mean", "q_98", "q_2", "q_within_5_percent", "q_below", "q_above")
            return dict.fromkeys(names) | {"quality_undefined": self.undefined}
        low, high = np.round([1 - HIT, 1 + HIT], DECIMALS)
        return {
            "quality_factor": self.factor,
            "q_mean": float(self.q.mean()),
            "q_98": float(np.percentile(self.q, 2)),
            "q_2": float(np.percentile(self.q, 98)),
            "q_within_5_percent": float(((self.q >= low) & (self.q <= high)).mean()),
            "q_below": float((self.q < low).mean()),
            "q_above": float((self.q > high).mean()),
            "quality_undefined": "",
        }


def quality_of(dose: Image, geometry: VolumeGeometry, prescribed: np.ndarray, region: Lesion) -> Quality:
    """A dose in the voxels of a region beside what was prescribed there.

    Args:
        dose: in Gy, in the MRI's space, on any grid.
        geometry: of the MRI.
        prescribed: Gy in the region's box.
        region: voxels with a prescription.
    """
    received = _received(dose, geometry, region)
    known = np.isfinite(received)
    held = region.voxels * geometry.voxel_volume_mm3 / dose.geometry.voxel_volume_mm3
    if not known.all():
        return Quality(np.empty(0), f"{1 - known.mean():.0%} of it lies outside the dose grid")
    if held < FEWEST_VOXELS:
        return Quality(
            np.empty(0), f"it holds only about {held:.1f} voxels of the dose, and {FEWEST_VOXELS} are needed"
        )
    return Quality(np.round(received / prescribed[region.mask], DECIMALS))


def refuse_apart(dose: Image, geometry: VolumeGeometry, lesions: Sequence[Lesion]) -> None:
    """Refuse a dose in which no lesion lies at all, so that nothing could be told of it.

    Args:
        dose: as :func:`quality_of` takes it.
        geometry: of the MRI.
        lesions: on its grid.

    Raises:
        GeometryError: that is so.
    """
    if lesions and not any(np.isfinite(_received(dose, geometry, each)).any() for each in lesions):
        which = f"“{lesions[0].name}” lies" if len(lesions) == 1 else f"All {len(lesions)} lesions lie"
        raise GeometryError(
            f"{which} outside the dose that is given beside the prescription: it does not share a space with the MRI, "
            "or is another plan's",
            APART,
        )


def _received(dose: Image, geometry: VolumeGeometry, region: Lesion) -> np.ndarray:
    """Gy in the voxels of a region ``[n]``; NaN where the dose has none."""
    box = geometry.cropped(region.offset, region.mask.shape)
    return values_on(dose.voxels, dose.geometry, box)[0][region.mask]


def histogram(qualities: dict[str, Quality]) -> list[dict]:
    """The Q-volume histogram: one row per Q, one column per lesion of which it is known."""
    q = np.linspace(0, HIGHEST_Q, STEPS + 1)
    columns = {name: each.volume_at(q) for name, each in qualities.items() if not each.undefined}
    if not columns:
        return []
    return [{"q": float(q[n])} | {name: float(values[n]) for name, values in columns.items()} for n in range(len(q))]
