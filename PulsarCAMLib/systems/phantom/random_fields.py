"""Smooth random functions of place, exact on any grid.

Anatomy is described in millimetres of the head and not in voxels, so that two scans of one patient on different
grids show the same tissue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Grid:
    """Points of a regular grid in the head's own millimetres.

    Attributes:
        affine: 4x4, array indices ``(i, j, k, 1)`` to head millimetres.
        shape: ``(k, j, i)``.
    """

    affine: np.ndarray
    shape: tuple[int, int, int]

    def points(self) -> np.ndarray:
        """Head millimetres, float32 ``[3, k, j, i]``."""
        k, j, i = (np.arange(n, dtype=np.float32) for n in self.shape)
        a = self.affine.astype(np.float32)
        terms = (a[:3, 0, None, None, None] * i, a[:3, 1, None, None, None] * j[:, None])
        return terms[0] + terms[1] + (a[:3, 2, None, None, None] * k[:, None, None] + a[:3, 3, None, None, None])

    def box(self, centre: np.ndarray, radius: float) -> tuple[slice, slice, slice]:
        """Slices ``(k, j, i)`` of the part of this grid that holds a ball in head millimetres; may be empty."""
        inverse = np.linalg.inv(self.affine)
        middle = inverse[:3, :3] @ centre + inverse[:3, 3]
        reach = radius * np.linalg.norm(inverse[:3, :3], axis=1)
        low = np.floor(middle - reach)[::-1].astype(int)
        high = np.ceil(middle + reach)[::-1].astype(int) + 1
        clip = [(min(max(lo, 0), n), min(max(hi, 0), n)) for lo, hi, n in zip(low, high, self.shape, strict=True)]
        k, j, i = (slice(lo, hi) for lo, hi in clip)
        return k, j, i

    def part(self, box: tuple[slice, slice, slice]) -> Grid:
        """The grid of one box of this grid."""
        start = np.array([s.start for s in box][::-1], dtype=float)
        affine = self.affine.copy()
        affine[:3, 3] += self.affine[:3, :3] @ start
        return Grid(affine, tuple(s.stop - s.start for s in box))


@dataclass(frozen=True)
class Waves:
    """A stationary random field of zero mean and unit variance: a sum of plane waves.

    ``f(x) = sqrt(2/n) sum_n cos(w_n . x + phi_n)``

    Attributes:
        vectors: wave vectors in radians per millimetre ``[n, 3]``.
        phases: ``[n]``.
    """

    vectors: np.ndarray
    phases: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator, wavelengths_mm: tuple[float, float], count: int = 24) -> Waves:
        """Waves of random directions, with wavelengths uniform between the two given."""
        directions = rng.normal(size=(count, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        lengths = rng.uniform(*wavelengths_mm, size=(count, 1))
        return cls(2 * np.pi * directions / lengths, rng.uniform(0, 2 * np.pi, count))

    def on(self, grid: Grid) -> np.ndarray:
        """Values on a grid, float32 ``[k, j, i]``.

        A plane wave on a regular grid is a product of three one-dimensional waves, so that the sum is one matrix
        product instead of a cosine per wave and voxel.
        """
        steps = self.vectors @ grid.affine[:3, :3]
        start = self.vectors @ grid.affine[:3, 3] + self.phases
        k, j, i = (np.exp(1j * np.arange(n)[:, None] * steps[:, 2 - axis]) for axis, n in enumerate(grid.shape))
        slow = (k[:, None, :] * j[None, :, :]).reshape(-1, len(start))
        fast = i * np.exp(1j * start)
        left = np.concatenate([slow.real, -slow.imag], axis=1).astype(np.float32)
        right = np.concatenate([fast.real, fast.imag], axis=1).astype(np.float32)
        return (left @ right.T).reshape(grid.shape) * np.float32(np.sqrt(2 / len(start)))


def soft(level_mm: np.ndarray, width_mm: np.ndarray | float = 1.0) -> np.ndarray:
    """Share of a voxel inside a surface: 0 far outside, 1 far inside, a ramp of ``width_mm`` between."""
    return np.clip(level_mm / width_mm + 0.5, 0, 1)


def random_rotation(rng: np.random.Generator, largest_degrees: float = 180.0) -> np.ndarray:
    """Rotation matrix about a random axis by an angle uniform in plus or minus the largest."""
    axis = rng.normal(size=3)
    x, y, z = axis / np.linalg.norm(axis)
    angle = np.deg2rad(rng.uniform(-largest_degrees, largest_degrees))
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
