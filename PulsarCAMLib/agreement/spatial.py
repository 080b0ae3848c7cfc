"""Rank correlation of two maps of one lesion, with a p-value that knows that neighbouring voxels say the same.

Voxels are no independent samples: both an interpolated heat map and an MRI are smooth, so the usual p-value of a
correlation counts the same thing many times over. Here the number of samples is replaced by an effective one, after

- Clifford P, Richardson S, Hemon D. Assessing the significance of the correlation between two spatial processes.
  Biometrics 1989;45:123-134 (the variance of the correlation from the autocovariances of both maps),
- Dutilleul P. Modifying the t test for assessing the correlation between two spatial processes.
  Biometrics 1993;49:305-314 (effective sample size 1 + 1 / variance, t distribution with two fewer),

applied to ranks::

    variance(r) = sum over lags h of n(h) Cx(h) Cy(h) / (n^2 Cx(0) Cy(0)),      M = 1 + 1 / variance(r)

with n(h) the ordered pairs of voxels at lag h and C(h) the mean product of the centred ranks over these pairs. Lags are
gathered in classes of equal slice distance and about equal distance within the slice, for a heat map is made slice by
slice and so is smoother within slices than across them. The variance holds if ONE of the two maps is stationary: the
other may have any pattern, such as the distance to the border.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

LEAST_SAMPLES = 6.0
"""With fewer effective samples the t distribution is no guide any more, and no p-value is given."""


@dataclass(frozen=True)
class Correlation:
    """Rank correlation of two maps.

    Attributes:
        rho: Spearman's, -1..1; None where a map is constant.
        samples: effective number of independent places; None where there is no ``rho`` or it cannot be estimated.
        p: two-sided p-value; None where there are too few effective samples.
        reason: why something is None, or an empty text.
    """

    rho: float | None
    samples: float | None
    p: float | None
    reason: str = ""


class Places:
    """The voxels of a lesion, and how pairs of them lie to each other.

    Args:
        mask: bool ``[k, j, i]``.
        spacing_kji: voxel size in mm along the array's axes.
    """

    def __init__(self, mask: np.ndarray, spacing_kji: tuple[float, float, float]) -> None:
        from scipy import fft  # as below, not before somebody compares: it takes a second

        self.mask = mask
        self.count = int(np.count_nonzero(mask))
        self._spacing = spacing_kji
        self._shape = [fft.next_fast_len(2 * n - 1, real=True) for n in mask.shape]

    @cached_property
    def _classes(self) -> np.ndarray:
        """Number of the class of every lag that is not backwards along the slices."""
        from scipy import fft

        lags = [np.abs(fft.fftfreq(n, 1 / n)) for n in self._shape]
        within = np.hypot(lags[1][:, None] * self._spacing[1], lags[2][None, :] * self._spacing[2])
        rings = np.rint(within / min(self._spacing[1:])).astype(int)
        numbers = (rings[None] + (rings.max() + 1) * np.arange(len(self.mask))[:, None, None]).ravel()
        used = np.bincount(numbers) > 0  # counting takes a tenth of the time that sorting does
        return (np.cumsum(used) - 1)[numbers]

    @cached_property
    def pairs(self) -> np.ndarray:
        """Ordered pairs of voxels in each class of lags."""
        return np.rint(self._by_class(self.mask.astype(float)))

    def products(self, ranks: np.ndarray) -> np.ndarray:
        """Sum of the products of centred ranks over the pairs of each class."""
        block = np.zeros(self.mask.shape)
        block[self.mask] = ranks
        return self._by_class(block)

    def _by_class(self, block: np.ndarray) -> np.ndarray:
        """Axis by axis, because most of what is transformed would be the zeros around the block.

        Going back, lags along the slices are half of all: what lies one way lies the other way, too.
        """
        from scipy import fft

        slices, rows, columns = self._shape
        found = fft.fft(fft.fft(fft.rfft(block, columns, axis=2), rows, axis=1), slices, axis=0)
        power = found.real**2 + found.imag**2
        sums = fft.ifft(fft.ifft(power, axis=0)[: len(block)], axis=1)
        sums[1:] *= 2
        return np.bincount(self._classes, weights=fft.irfft(sums, columns, axis=2).ravel())


class RankedMap:
    """One map's centred ranks and their autocovariance; kept to be set beside several others.

    Attributes:
        ranks: centred, over the voxels of :attr:`places`.
        places: the voxels.
    """

    def __init__(self, ranks: np.ndarray, places: Places) -> None:
        self.ranks, self.places = ranks, places

    @classmethod
    def of(cls, values: np.ndarray, places: Places) -> RankedMap:
        """The ranks of the finite values of these voxels."""
        from scipy.stats import rankdata

        ranks = rankdata(values)
        return cls(ranks - ranks.mean() if values.size else ranks, places)

    @cached_property
    def is_constant(self) -> bool:
        """Whether there is nothing to rank."""
        # What rounding leaves of ranks that another map explains wholly is no rank.
        return bool(self.ranks.size == 0 or np.ptp(self.ranks) <= 1e-9 * self.ranks.size)

    @cached_property
    def products(self) -> np.ndarray:
        """See :meth:`Places.products`."""
        return self.places.products(self.ranks)

    def without(self, other: RankedMap) -> RankedMap:
        """What a linear fit of the other map's ranks leaves of these ranks, for a partial correlation."""
        if other.is_constant:
            return self
        share = (self.ranks @ other.ranks) / (other.ranks @ other.ranks)
        return RankedMap(self.ranks - share * other.ranks, self.places)


def correlate(first: RankedMap, second: RankedMap, most: float = math.inf, removed: int = 0) -> Correlation:
    """Spearman correlation of two maps over the same voxels.

    Args:
        first: a map.
        second: another over the same :class:`Places`.
        most: the effective samples can never be more than this, such as the cells that a heat map was made from.
        removed: how many other maps were taken out of both by :meth:`RankedMap.without`; each costs a sample.
    """
    if first.is_constant or second.is_constant:
        return Correlation(None, None, None, "one of the maps has the same value everywhere in the lesion")
    a, b, pairs = first.ranks, second.ranks, first.places.pairs
    scale = (a @ a) * (b @ b)
    rho = float(np.clip(a @ b / np.sqrt(scale), -1, 1))
    used = pairs > 0
    variance = float((first.products[used] * second.products[used] / pairs[used]).sum() / scale)
    samples = min(1 + 1 / variance if variance > 0 else math.inf, most, float(first.places.count)) - removed
    if samples < LEAST_SAMPLES:
        few = f"only about {samples:.0f} independent places: the maps are too smooth for this lesion's size"
        return Correlation(rho, samples, None, few)
    return Correlation(rho, samples, p_value(rho, samples))


def p_value(rho: float, samples: float) -> float:
    """Two-sided p-value of a correlation between so many independent samples."""
    if abs(rho) >= 1:
        return 0.0
    from scipy.special import stdtr  # Student's t: scipy.stats has the same behind it, and takes seconds to import

    return float(2 * stdtr(samples - 2, -abs(rho) * math.sqrt((samples - 2) / (1 - rho**2))))


def adjust(rows: Sequence[dict], name: str, into: str) -> None:
    """Write the p-values of a column, adjusted for their number after Benjamini and Hochberg (1995), into another."""
    known = [row for row in rows if row[name] is not None]
    if known:
        from scipy.stats import false_discovery_control

        adjusted = false_discovery_control([row[name] for row in known], method="bh")
        for row, p in zip(known, adjusted, strict=True):
            row[into] = float(p)
