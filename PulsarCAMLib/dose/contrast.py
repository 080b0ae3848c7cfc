"""Does the activated part of a lesion get less dose than the rest of it?

The difference of the mean doses is the slope of a regression of dose on "activated" over the lesion's voxels. Voxels
are no independent samples, so its interval uses the effective number M of them after Clifford, Richardson and Hemon
(1989) and Dutilleul (1993), see :mod:`..agreement.spatial`, and never more than the cells of the heat map::

    r = correlation of dose and "activated",     difference = r s(dose) / s(activated)
    standard error = s(dose) / s(activated) sqrt((1 - r^2) / (M - 2)),    t with M - 2 degrees of freedom     (D3)

Dose falls towards the border of every lesion, and maps often lie at the border or away from it. So the control is the
same difference at equal depth: depth under the surface and its square are taken out of both by regression, and M loses
two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..agreement.spatial import Places, RankedMap, correlate

LEVEL = 0.95
LESS, MORE, OPEN = "less", "more", "not shown"


@dataclass(frozen=True)
class Difference:
    """Mean dose of one part less that of the other.

    Attributes:
        gy: the difference; None where there is none to tell.
        low, high: its 95 % interval; None with too few independent places.
        samples: their effective number.
        reason: why something is None, or an empty text.
    """

    gy: float | None
    low: float | None
    high: float | None
    samples: float | None
    reason: str = ""

    def moved_to(self, gy: float) -> Difference:
        """The same interval around another difference, such as that of finer samples."""
        if self.gy is None:
            return self
        ends = (None if end is None else end - self.gy + gy for end in (self.low, self.high))
        return Difference(gy, *ends, self.samples, self.reason)

    @property
    def answer(self) -> str:
        """Whether the first part gets :data:`LESS` or :data:`MORE`, or that is :data:`OPEN`."""
        if self.low is None or self.high is None:
            return OPEN
        return LESS if self.high < 0 else MORE if self.low > 0 else OPEN


def difference(
    dose: np.ndarray,
    activated: np.ndarray,
    places: Places,
    cells: float = math.inf,
    depth: np.ndarray | None = None,
) -> Difference:
    """Mean dose in the activated voxels less that in the others, with its interval.

    Args:
        dose: Gy at the lesion's voxels ``[n]``, in the order of the mask of ``places``.
        activated: bool ``[n]``.
        places: the lesion's voxels; one for all that is told of a lesion, for it keeps how pairs of them lie.
        cells: of the heat map in the lesion; there are no more independent places.
        depth: mm under the surface ``[n]``; None: it is not taken out.
    """
    known = [np.ones(len(dose))] + ([] if depth is None else [depth, depth**2])
    basis = np.linalg.qr(np.stack([each - each.mean() * (n > 0) for n, each in enumerate(known)], axis=1))[0]
    left = [values - basis @ (basis.T @ values) for values in (activated.astype(float), dose.astype(float))]
    spread = np.linalg.norm(left[0])
    if spread < 1e-6 * math.sqrt(len(dose)):
        return Difference(None, None, None, None, "every part lies at a depth of its own")
    gy = float(left[0] @ left[1] / spread**2)
    found = correlate(*(RankedMap(each, places) for each in left), most=cells, removed=len(known) - 1)
    if found.rho is None:
        return Difference(gy, gy, gy, None, "") if gy == 0 else Difference(gy, None, None, None, found.reason)
    if found.p is None or found.samples is None:
        return Difference(gy, None, None, found.samples, found.reason)
    from scipy.special import stdtrit  # Student's t: scipy.stats has the same behind it, and takes seconds to import

    error = np.linalg.norm(left[1]) / spread * math.sqrt((1 - found.rho**2) / (found.samples - 2))
    half = float(stdtrit(found.samples - 2, (1 + LEVEL) / 2) * error)
    return Difference(gy, gy - half, gy + half, found.samples)
