"""Images whose gradients are known, and a random one; and whether two rows of features are the same."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage, special
from scipy.spatial.transform import Rotation

from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.features.row import FeatureRow

RADIUS = 9.05  # no voxel centre of the grids lies at this distance, so the balls are symmetric
OBLIQUE = Rotation.from_euler("xyz", [25, -40, 65], degrees=True).as_matrix() @ np.diag([1, -1, 1])


def ball_in(spacing, direction=OBLIQUE, half_mm=24.0) -> tuple[VolumeGeometry, np.ndarray, Lesion]:
    """A grid, LPS millimetres ``[k, j, i, 3]`` from its middle voxel, and the ball around it."""
    shape = tuple(2 * int(half_mm / s) + 1 for s in spacing[::-1])
    geometry = VolumeGeometry(shape, spacing, (-31.0, 57.0, 12.0), tuple(map(tuple, direction)))
    k, j, i = np.indices(shape)
    places = geometry.to_lps(np.stack([i, j, k], axis=-1)) - geometry.to_lps((np.array(shape[::-1]) - 1) / 2)
    return geometry, places, Lesion.from_mask("ball", np.linalg.norm(places, axis=-1) <= RADIUS)


def edge_of(sigma: float, spacing=(1.0, 1.0, 1.0), **more):
    """A ball, 400 inside and 100 outside, with a cumulative Gaussian edge at the contour."""
    geometry, places, lesion = ball_in(spacing, **more)
    radius = np.linalg.norm(places, axis=-1)
    return 100 + 300 * special.ndtr((RADIUS - radius) / sigma), geometry, lesion


def lumpy(shape=(13, 17, 15), seed=4) -> tuple[np.ndarray, np.ndarray]:
    """A random image with a brighter, irregular lesion that has a core and a margin."""
    mask = np.zeros(shape, dtype=bool)
    mask[4:9, 4:13, 3:12] = True
    mask[3, 7:9, 6:8] = True
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1.2) * 200
    return noise + 100 * ndimage.gaussian_filter(mask.astype(float), 0.7) + 50, mask


def assert_same(one: FeatureRow, other: FeatureRow, but: dict[str, float] | None = None) -> None:
    """The rows agree to 1e-5 (maps are float32); ``but`` says which feature is how many times as large."""
    assert list(one) == list(other)
    assert one.reasons == other.reasons
    for name, value in one.items():
        if value is not None:
            assert other[name] == pytest.approx(value * (but or {}).get(name, 1), rel=1e-5, abs=1e-5), name
