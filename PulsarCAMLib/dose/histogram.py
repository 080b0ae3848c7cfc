"""What a region gets, from sorted samples that stand for a volume each: no bins, so no error of bins.

"D98" is the dose that 98 % of the volume gets at least, "V12" the share of the volume that gets at least 12 Gy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

CURVE_STEPS = 200
"""About so many points of a curve."""

ALL_BUT = 1e-6
"""Percents that are the rounding of a sum of volumes."""


def share_text(percent: float) -> str:
    """Whole percents, and never all or nothing where something is missing or there.

    Examples:
        >>> share_text(100.0), share_text(99.97), share_text(95.3), share_text(0.2), share_text(0.0)
        ('100', '>99', '95', '<1', '0')
    """
    if 99.5 <= percent < 100 - ALL_BUT:
        return ">99"
    return "<1" if ALL_BUT < percent < 0.5 else f"{percent:.0f}"


@dataclass(frozen=True, eq=False)
class Histogram:
    """Doses of a region.

    Attributes:
        doses: Gy ``[n]``, rising.
        mm3: volume of each ``[n]``.
    """

    doses: np.ndarray
    mm3: np.ndarray

    @classmethod
    def of(cls, doses: np.ndarray, mm3: np.ndarray) -> Histogram:
        """From samples in any order; at least one."""
        order = np.argsort(doses, kind="stable")
        return cls(np.asarray(doses, dtype=float)[order], np.asarray(mm3, dtype=float)[order])

    @property
    def volume_mm3(self) -> float:
        """Of the region."""
        return float(self._above[0])

    @cached_property
    def _above(self) -> np.ndarray:
        """Volume of a sample and of all with more dose ``[n]``."""
        return np.cumsum(self.mm3[::-1])[::-1]

    @property
    def mean(self) -> float:
        """Gy."""
        return float(self.doses @ self.mm3 / self.volume_mm3)

    @property
    def least(self) -> float:
        """Gy."""
        return float(self.doses[0])

    @property
    def most(self) -> float:
        """Gy."""
        return float(self.doses[-1])

    def d(self, percent: float) -> float:
        """Gy that so many per cent of the volume get at least.

        Examples:
            >>> Histogram.of(np.arange(1.0, 101), np.ones(100)).d(50)
            50.5
        """
        middles = self._above - self.mm3 / 2
        return float(np.interp(percent / 100 * self.volume_mm3, middles[::-1], self.doses[::-1]))

    def v(self, gy: float) -> float:
        """Share of the volume that gets at least a dose, 0..1.

        Examples:
            >>> Histogram.of(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 1.0, 1.0, 5.0])).v(3)
            0.75
        """
        first = int(np.searchsorted(self.doses, gy, side="left"))
        return float(self._above[first] / self.volume_mm3) if first < len(self.doses) else 0.0

    def curve(self, levels_gy: np.ndarray) -> np.ndarray:
        """Cumulative curve: share of the volume that gets at least each of the doses ``[m]``."""
        first = np.searchsorted(self.doses, levels_gy, side="left")
        return np.append(self._above, 0.0)[first] / self.volume_mm3


def levels_up_to(most_gy: float) -> np.ndarray:
    """Round doses for curves, from zero until nothing gets more, in some :data:`CURVE_STEPS` steps."""
    wanted = max(most_gy, 1e-3) / CURVE_STEPS
    power = 10.0 ** np.floor(np.log10(wanted))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= wanted * (1 - 1e-9))
    return np.round(np.arange(np.ceil(most_gy / step) + 2) * step, 9)
