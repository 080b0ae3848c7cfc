"""The healthy head around the lesions, as contrast-enhanced T1-weighted MRI shows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .random_fields import Grid, Waves, soft

AIR, SCALP, SKULL, CSF, GREY, WHITE, VESSEL = 0.02, 0.92, 0.10, 0.24, 0.50, 0.64, 1.05
"""Brightness of tissues; enhancing tumour is about 0.95."""

OEDEMA = 0.46
"""Brightness of oedema around a lesion."""

SCALP_MM, SKULL_MM, MENINGES_MM = 5.0, 11.0, 13.0
"""Depths below the skin at which scalp, skull and the cerebrospinal fluid around the brain end."""


@dataclass(frozen=True)
class Head:
    """A head in its own millimetres: x to the left, y to the back, z up, origin in the middle of the brain."""

    radii: np.ndarray
    outline: Waves
    folds: Waves
    mottle: Waves
    ventricles: np.ndarray
    vessels: tuple[tuple[Waves, Waves], ...]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Head:
        """A random head."""
        return cls(
            radii=np.array([68.0, 80.0, 70.0]) * rng.uniform(0.94, 1.04, 3),
            outline=Waves.draw(rng, (60, 120), 12),
            folds=Waves.draw(rng, (16, 26), 32),
            mottle=Waves.draw(rng, (7, 14), 24),
            ventricles=rng.uniform([7, -2, 6, 3, 14, 7], [12, 8, 14, 6, 26, 12]),
            vessels=tuple((Waves.draw(rng, (35, 70), 10), Waves.draw(rng, (35, 70), 10)) for _ in range(3)),
        )

    def depth(self, grid: Grid, points: np.ndarray) -> np.ndarray:
        """Millimetres below the skin (negative outside), approximately; float32 ``[k, j, i]``."""
        scaled = points / self.radii.astype(np.float32)[:, None, None, None]
        norm = np.sqrt((scaled**2).sum(0))
        return (1 - norm) * np.float32(self.radii.mean()) + 1.5 * self.outline.on(grid)

    def vessel_share(self, grid: Grid) -> np.ndarray:
        """Share of enhancing vessel in every voxel: thin tubes where two smooth fields vanish together."""
        share = np.zeros(grid.shape, np.float32)
        for first, second in self.vessels:
            share = np.maximum(share, np.exp(-(first.on(grid) ** 2 + second.on(grid) ** 2) / (2 * 0.10**2)))
        return share

    def tissue(self, grid: Grid) -> np.ndarray:
        """Brightness of the head without lesions, float32 ``[k, j, i]``."""
        points = grid.points()
        depth = self.depth(grid, points)
        folds = self.folds.on(grid)
        brain_depth = depth - MENINGES_MM
        cortex = soft(10 + 9 * folds - brain_depth, 3.0)
        value = WHITE + (GREY - WHITE) * cortex + 0.02 * self.mottle.on(grid)
        sulci = np.clip(1.4 - np.abs(folds) / 0.16, 0, 1) * soft(13 - brain_depth, 6.0)
        value += (CSF - value) * np.maximum(sulci, self._ventricles(points, folds))
        value += (VESSEL - value) * self.vessel_share(grid)
        for limit, brightness in ((MENINGES_MM, CSF), (SKULL_MM, SKULL), (SCALP_MM, SCALP), (0.0, AIR)):
            value += (brightness - value) * soft(limit - depth, 1.5)
        return value.astype(np.float32)

    def _ventricles(self, points: np.ndarray, folds: np.ndarray) -> np.ndarray:
        """Share of lateral ventricle in every voxel: two mirrored warped ellipsoids."""
        x0, y0, z0, rx, ry, rz = self.ventricles
        x, y, z = np.abs(points[0]), points[1] - y0, points[2] - z0
        bent = x - x0 - 0.012 * y**2 * 0.35
        norm = np.sqrt((bent / rx) ** 2 + (y / ry) ** 2 + (z / rz) ** 2)
        return soft((1 + 0.1 * folds - norm) * rx, 1.5)
