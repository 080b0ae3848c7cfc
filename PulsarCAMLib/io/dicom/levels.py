"""Slices that stand out from their neighbours: emptied ones, and ones whose values are many times the others'."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

BRIGHTER, DARKER = 10.0, 50.0
"""Of the mean size of their values; slices of one head differ by far less, and fade into air at its ends."""


@dataclass(frozen=True)
class Levels:
    """What the slices of an image hold.

    Attributes:
        mean: of the sizes of the finite values of each slice.
        empty: of each slice, whether it holds one single value.
        repeated: slices that are not empty and hold the very voxels of one before them.
    """

    mean: np.ndarray
    empty: np.ndarray
    repeated: tuple[int, ...] = ()

    @classmethod
    def of(cls, voxels: np.ndarray) -> Levels:
        """Of voxels ``[k, j, i]``; NaN and infinity count as 0."""
        mean, empty, repeated = [], [], []
        seen: set[bytes] = set()
        for k, plane in enumerate(voxels):
            known = np.nan_to_num(plane, posinf=0.0, neginf=0.0) if plane.dtype.kind == "f" else plane
            low, high = known.min(), known.max()
            sizes = known if low >= 0 else np.abs(known, dtype=np.float64)
            mean.append(float(sizes.mean(dtype=np.float64)))
            empty.append(bool(low == high))
            held = hashlib.blake2b(np.ascontiguousarray(plane).data, digest_size=16).digest()
            if held in seen and not empty[-1]:
                repeated.append(k)
            seen.add(held)
        return cls(np.array(mean), np.array(empty), tuple(repeated))

    def emptied(self, ends: bool) -> list[int]:
        """Slices of one single value among others.

        Args:
            ends: also the first and the last ones, which images that were cut or masked may have.
        """
        filled = np.flatnonzero(~self.empty)
        if not filled.size:
            return []
        return [int(k) for k in np.flatnonzero(self.empty) if ends or filled[0] < k < filled[-1]]

    def uneven(self) -> Iterator[tuple[int, float]]:
        """Slices that are not empty and stand out from all neighbours, with the factor to the nearest of these."""
        for k in np.flatnonzero(~self.empty):
            beside = [n for n in (k - 1, k + 1) if 0 <= n < len(self.mean) and not self.empty[n]]
            if not beside:
                continue
            low, high = self.mean[beside].min(), self.mean[beside].max()
            if high > 0 and self.mean[k] >= BRIGHTER * high:
                yield int(k), float(self.mean[k] / high)
            elif len(beside) == 2 and self.mean[k] * DARKER <= low:
                yield int(k), float(self.mean[k] / low)


def times_told(factor: float) -> str:
    """A factor for a sentence.

    Examples:
        >>> times_told(999.99), times_told(0.00123), times_told(6.5e20)
        ('1000 times', '0.0012 times', '6.5e+20 times')
    """
    return f"{factor:.0f} times" if 1 <= factor < 1e6 else f"{factor:.2g} times"


def slices_told(which: list[int], count: int) -> str:
    """Slices for a sentence, counted from 1: "slice 3 of 20", "slices 3, 4 and 9 of 20".

    Examples:
        >>> slices_told([2], 20), slices_told([2, 3, 8], 20), slices_told(list(range(9)), 20)
        ('slice 3 of 20', 'slices 3, 4 and 9 of 20', 'slices 1, 2, 3, 4, 5 and 4 more of 20')
    """
    numbers = [str(k + 1) for k in which]
    if len(numbers) == 1:
        return f"slice {numbers[0]} of {count}"
    *first, last = numbers if len(numbers) <= 6 else [*numbers[:5], f"{len(numbers) - 5} more"]
    return f"slices {', '.join(first)} and {last} of {count}"
