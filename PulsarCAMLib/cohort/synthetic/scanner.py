"""How a scanner shows a head: grid, pose, contrast curve, coil, blur, noise and units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.geometry.volume import VolumeGeometry
from ...systems.phantom.random_fields import Grid, Waves, random_rotation

SLAB_MM = 96.0
"""Height of the imaged part of the head."""


@dataclass(frozen=True)
class Scanner:
    """One acquisition; brightness 1 is bright enhancing tissue.

    Attributes:
        geometry: the volume's grid in the world (LPS).
        pose: 4x4, world millimetres to the head's millimetres.
        gamma: exponent of the contrast curve.
        bias: logarithm of the coil's sensitivity: its amplitude and its field.
        blur_mm: standard deviation of the point spread in plane.
        noise: standard deviation of the receiver noise.
        scale, offset: from brightness to stored integers.
    """

    geometry: VolumeGeometry
    pose: np.ndarray
    gamma: float
    bias: tuple[float, Waves]
    blur_mm: float
    noise: float
    scale: float
    offset: float

    @classmethod
    def draw(cls, rng: np.random.Generator, head_radii: np.ndarray, noise: tuple[float, float]) -> Scanner:
        """A random scanner, wide enough for the head."""
        pixel, thick = rng.uniform(0.8, 1.0), rng.uniform(1.6, 3.2)
        size = [int(np.ceil((2 * r + 12) / pixel)) for r in head_radii[:2]] + [int(np.ceil(SLAB_MM / thick))]
        direction = random_rotation(rng, 18.0) if rng.random() < 0.4 else np.eye(3)
        if rng.random() < 0.25:
            direction = direction * rng.choice([[1, -1, 1], [1, 1, -1], [-1, -1, 1]])
        spacing = np.array([pixel, pixel, thick])
        middle = rng.uniform(-25, 25, 3)
        origin = middle - direction @ (spacing * (np.array(size) - 1) / 2)
        pose = np.eye(4)
        pose[:3, :3] = random_rotation(rng, 4.0)
        pose[:3, 3] = rng.uniform(-2, 2, 3) - pose[:3, :3] @ middle
        axes = tuple(map(tuple, direction))
        return cls(
            geometry=VolumeGeometry(tuple(size[::-1]), tuple(spacing), tuple(origin), axes),
            pose=pose,
            gamma=rng.uniform(0.8, 1.25),
            bias=(rng.uniform(0.05, 0.2), Waves.draw(rng, (150, 300), 6)),
            blur_mm=rng.uniform(0.3, 0.55),
            noise=rng.uniform(*noise),
            scale=float(np.exp(rng.uniform(np.log(200), np.log(2500)))),
            offset=float(rng.choice([0.0, 0.0, rng.uniform(-200, 100)])),
        )

    @property
    def grid(self) -> Grid:
        """The volume's voxels in the head's millimetres."""
        return Grid(self.pose @ self.geometry.ijk_to_lps, self.geometry.shape)

    def acquire(self, tissue: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Stored image int16 ``[k, j, i]`` of brightness values: contrast, coil, blur, Rician noise, units."""
        from scipy.ndimage import gaussian_filter

        amplitude, waves = self.bias
        signal = np.power(tissue, np.float32(self.gamma), dtype=np.float32)
        signal *= np.exp(np.float32(amplitude) * waves.on(self.grid))
        dj, di = self.geometry.spacing[1::-1]
        # A slice is about a third of its thickness away from a perfect profile; neighbours leak little.
        signal = gaussian_filter(signal, (0.3, self.blur_mm / dj, self.blur_mm / di), truncate=3.0)
        real, imaginary = rng.standard_normal((2, *signal.shape), dtype=np.float32) * np.float32(self.noise)
        stored = np.sqrt((signal + real) ** 2 + imaginary**2) * self.scale + self.offset
        return np.clip(np.rint(stored), -32768, 32767).astype(np.int16)

    def describe(self) -> dict[str, float | str]:
        """Columns of the cohort table."""
        oblique = not np.allclose(np.abs(self.geometry.direction), np.eye(3))
        return {
            "scanner": f"{'oblique' if oblique else 'axial'}, gamma {self.gamma:.2f}, noise {self.noise:.3f}",
            "spacing_mm": " ".join(f"{s:.3f}" for s in self.geometry.spacing),
        }
