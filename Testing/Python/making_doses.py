"""Targets and doses whose figures are known exactly: balls, Nelms' cylinder and cone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion

AROUND_MM = 12.0
CORNERS = 64
PRESCRIBED = 20.0


@dataclass(frozen=True)
class Ball:
    """A ball in a dose that falls with the distance r from its centre as a Gaussian; its surface gets half of the top.

    Attributes:
        diameter: in mm.
        centre: LPS mm.
    """

    diameter: float
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def radius(self) -> float:
        return self.diameter / 2

    @property
    def mm3(self) -> float:
        return 4 / 3 * np.pi * self.radius**3

    def dose(self, r: np.ndarray) -> np.ndarray:
        """Gy at a distance from the centre."""
        return 2 * PRESCRIBED * np.exp(-np.log(2) * (np.asarray(r) / self.radius) ** 2)

    def d(self, percent: float) -> float:
        """Gy that so many per cent of the ball get at least: those of the smaller ball of that volume."""
        return float(self.dose(self.radius * (percent / 100) ** (1 / 3)))

    def grid(self, mm: float = 1.0) -> VolumeGeometry:
        """A cubic grid around the ball, which lies on it as its centre says."""
        half = int((self.radius + AROUND_MM) / mm)
        return VolumeGeometry((2 * half + 1,) * 3, (mm,) * 3, (-half * mm,) * 3)

    def dose_on(self, grid: VolumeGeometry) -> np.ndarray:
        """Gy ``[k, j, i]``."""
        return self.dose(self._distances(grid)).astype(np.float32)

    def contours(self, step_mm: float = 1.0) -> tuple[np.ndarray, ...]:
        """Circles on planes of whole steps, as polygons of 64 corners and the circle's area."""
        reach = int(self.radius / step_mm) + 2
        return tuple(
            circle(np.sqrt(square), (self.centre[0], self.centre[1], n * step_mm))
            for n in range(-reach, reach + 1)
            if (square := self.radius**2 - (n * step_mm - self.centre[2]) ** 2) > 0.01
        )

    def by_contours(self, step_mm: float = 1.0) -> Lesion:
        """Drawn with contours; its voxels are those of a grid of 1 mm."""
        lesion = self.by_voxels(self.grid())
        return Lesion("ball", lesion.mask, lesion.offset, contours=self.contours(step_mm))

    def by_voxels(self, grid: VolumeGeometry) -> Lesion:
        """The voxels whose centre is inside."""
        return Lesion.from_mask("ball", self._distances(grid) <= self.radius)

    def _distances(self, grid: VolumeGeometry) -> np.ndarray:
        kji = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), axis=-1)
        return np.linalg.norm(grid.to_lps(kji[..., ::-1]) - self.centre, axis=-1)


def circle(radius: float, centre: tuple[float, float, float]) -> np.ndarray:
    """A polygon of the circle's area, LPS mm ``[n, 3]``."""
    turn = 2 * np.pi / CORNERS
    radius = radius * np.sqrt(np.pi / (CORNERS / 2 * np.sin(turn)))
    angles = np.arange(CORNERS) * turn
    ring = np.stack([radius * np.cos(angles), radius * np.sin(angles), np.zeros(CORNERS)], axis=1)
    return ring + centre


HEIGHT, WIDE = 24.0, 12.0
"""Of the cylinder and the cone of Nelms et al. (Med Phys 2015;42:4435), height and radius in mm."""


def rod(kind: str, step_mm: float, along: int) -> tuple[np.ndarray, ...]:
    """Contours of a cylinder or a cone whose axis runs along x, y or z, on planes of equal z.

    Planes lie half a step from its ends, as a structure set has them of a thing with flat ends.
    """
    found = []
    if along == 2:
        for z in np.arange(-HEIGHT / 2 + step_mm / 2, HEIGHT / 2, step_mm):
            found.append(circle(WIDE * _width(kind, z), (0.0, 0.0, float(z))))
        return tuple(found)
    for z in np.arange(-WIDE + step_mm / 2, WIDE, step_mm):
        t = np.linspace(-HEIGHT / 2, HEIGHT / 2, 400)
        square = (WIDE * _width(kind, t)) ** 2 - z**2
        t, half = t[square > 1e-9], np.sqrt(square[square > 1e-9])
        if len(t) > 2:
            ring = np.concatenate([np.stack([t, half], axis=1), np.stack([t, -half], axis=1)[::-1]])
            placed = np.full((len(ring), 3), z)
            placed[:, along], placed[:, 1 - along] = ring.T
            found.append(placed)
    return tuple(found)


def _width(kind: str, t):
    """Radius over the largest one, at a place along the axis; the cone's tip is at the positive end."""
    return np.ones_like(t) if kind == "cylinder" else (HEIGHT / 2 - t) / HEIGHT


def rod_mm3(kind: str) -> float:
    return np.pi * WIDE**2 * HEIGHT / (1 if kind == "cylinder" else 3)


def rod_share_above(kind: str, t: np.ndarray) -> np.ndarray:
    """Share of the volume beyond a place along the axis, -12 to 12 mm."""
    beyond = (HEIGHT / 2 - np.asarray(t)) / HEIGHT
    return beyond if kind == "cylinder" else beyond**3
