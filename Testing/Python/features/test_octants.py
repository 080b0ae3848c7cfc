"""Gradient features by octants of the margin: known sides, mirrored and turned grids, independent recomputation."""

from __future__ import annotations

import numpy as np
import pytest

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.explanation.tables import core_of
from PulsarCAMLib.features.gradient_table import gradient_features
from PulsarCAMLib.features.gradients import gradient_maps
from PulsarCAMLib.features.octants import (
    LEAST_VOXELS,
    OCTANT_MEASURES,
    OCTANTS,
    SPREADS,
    describe_octant_feature,
    octant_features,
)
from PulsarCAMLib.features.values import group_of

SIGN = {"R": -1, "L": 1, "A": -1, "P": 1, "S": 1, "I": -1}  # along LPS


EYE = np.eye(3)


def grid(direction=EYE, spacing=(1.1, 0.9, 1.3), half=13) -> tuple[VolumeGeometry, np.ndarray]:
    """A grid around the origin and LPS places ``[k, j, i, 3]``."""
    shape = (2 * half,) * 3
    plain = VolumeGeometry(shape, spacing, (0.0, 0.0, 0.0), tuple(map(tuple, direction)))
    middle = plain.to_lps((np.array(shape[::-1]) - 1) / 2)
    geometry = VolumeGeometry(shape, spacing, tuple(-middle), tuple(map(tuple, direction)))
    k, j, i = np.indices(shape)
    return geometry, geometry.to_lps(np.stack([i, j, k], axis=-1))


def lopsided(places: np.ndarray, side: str, width: float = 0.3) -> np.ndarray:
    """A bright ball whose border is sharp in one octant only."""
    radius = np.linalg.norm(places, axis=-1)
    there = np.all([places[..., axis] * SIGN[letter] > 0 for axis, letter in enumerate(side)], axis=0)
    return 100 + 200 / (1 + np.exp((radius - 9) / np.where(there, width, 3.0)))


def ball(places: np.ndarray, radius: float = 9.0) -> Lesion:
    return Lesion.from_mask("ball", np.linalg.norm(places, axis=-1) <= radius)


@pytest.mark.parametrize("side", OCTANTS)
@pytest.mark.parametrize("direction", [np.eye(3), np.diag([-1, -1, 1]), np.eye(3)[[2, 0, 1]], np.eye(3)[[1, 0, 2]]])
def test_the_sharp_octant_is_found_by_its_anatomical_name_however_the_scan_is_stored(side, direction):
    geometry, places = grid(direction)
    row = octant_features(lopsided(places, side), geometry, ball(places), 2.0, sigma_mm=0.5)
    means = {name: row[f"octant_{name}_magnitude_mean_per_mm"] for name in OCTANTS}
    assert max(means, key=means.get) == side
    assert row["octant_highest_magnitude_mean_per_mm"] == means[side]
    other = side.translate(str.maketrans("RLAPSI", "LRPAIS"))
    assert row["octant_opposite_magnitude_mean_per_mm"] >= means[side] - means[other] - 1e-12


def test_values_are_those_of_a_recomputation_by_hand():
    geometry, places = grid()
    rng = np.random.default_rng(3)
    volume = lopsided(places, "LAI") + rng.normal(0, 3, places.shape[:3])
    lesion = ball(places)
    row = octant_features(volume, geometry, lesion, 2.5)
    scale = gradient_features(volume, geometry, lesion, 2.5)["gradient_intensity_scale"]
    maps = gradient_maps(volume, geometry, lesion)
    margin, inside = np.zeros(volume.shape, bool), np.zeros(volume.shape, bool)
    box = tuple(slice(o, o + n) for o, n in zip(lesion.offset, lesion.mask.shape, strict=True))
    margin[box], inside[box] = lesion.mask & ~core_of(lesion, geometry, 2.5), lesion.mask
    centre = places[inside].mean(axis=0)
    means = {}
    for name in OCTANTS:
        there = margin.copy()
        for axis, letter in enumerate(name):
            there &= (places[..., axis] - centre[axis]) * SIGN[letter] > 0
        assert there.sum() > LEAST_VOXELS
        magnitude = maps.to_volume("magnitude", volume.shape)[there]
        radial = maps.to_volume("radial", volume.shape)[there]
        means[name] = radial.mean()
        assert row[f"octant_{name}_magnitude_mean_per_mm"] == pytest.approx(magnitude.mean() / scale, rel=1e-5)
        assert row[f"octant_{name}_radial_mean"] == pytest.approx(radial.mean(), abs=1e-5)
    found = np.array(list(means.values()))
    for spread, value in {"lowest": found.min(), "highest": found.max(), "range": np.ptp(found)}.items():
        assert row[f"octant_{spread}_radial_mean"] == pytest.approx(value, abs=1e-5)
    assert row["octant_sd_radial_mean"] == pytest.approx(found.std(ddof=1), abs=1e-5)


def test_brightness_and_contrast_of_the_scan_change_nothing():
    geometry, places = grid()
    volume, lesion = lopsided(places, "RPS"), ball(places)
    one, other = (octant_features(each, geometry, lesion) for each in (volume, 3.5 * volume + 70))
    assert list(one) == list(other)
    np.testing.assert_allclose(list(one.values()), list(other.values()), rtol=1e-5)


def test_a_mirrored_lesion_swaps_its_sides_and_keeps_its_spread():
    geometry, places = grid()
    volume, lesion = lopsided(places, "RAS"), ball(places)
    one = octant_features(volume, geometry, lesion)
    other = octant_features(volume[:, :, ::-1].copy(), geometry, lesion)
    for measure in OCTANT_MEASURES:
        for name in OCTANTS:
            mirrored = ("L" if name[0] == "R" else "R") + name[1:]
            assert one[f"octant_{name}_{measure}"] == pytest.approx(other[f"octant_{mirrored}_{measure}"], abs=1e-6)
        for spread in SPREADS:
            assert one[f"octant_{spread}_{measure}"] == pytest.approx(other[f"octant_{spread}_{measure}"], abs=1e-6)


def test_a_tiny_lesion_and_a_flat_scan_have_no_values_and_say_why():
    geometry, places = grid()
    tiny = octant_features(lopsided(places, "RAS"), geometry, ball(places, 1.2))
    assert tiny["octant_RAS_radial_mean"] is None
    assert "fewer than 3 voxels" in tiny.reasons["octant_RAS_radial_mean"]
    flat = octant_features(np.full(places.shape[:3], 7.0), geometry, ball(places))
    assert flat["octant_RAS_magnitude_mean_per_mm"] is None
    assert "same intensity" in flat.reasons["octant_sd_magnitude_mean_per_mm"]
    with pytest.raises(InputError, match="thicker than zero"):
        octant_features(lopsided(places, "RAS"), geometry, ball(places), 0.0)


def test_every_feature_is_described_and_known_by_its_group():
    geometry, places = grid()
    row = octant_features(lopsided(places, "RAS"), geometry, ball(places))
    assert len(row) == (len(OCTANTS) + len(SPREADS)) * len(OCTANT_MEASURES)
    assert all(describe_octant_feature(name) and group_of(name) == "octant" for name in row)
    for name in ("octant_XYZ_radial_mean", "octant_RAS_nonsense", "gradient_RAS_radial_mean"):
        with pytest.raises(InputError, match="no octant feature"):
            describe_octant_feature(name)
