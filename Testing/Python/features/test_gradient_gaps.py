"""Gradient features that do not exist on some lesions, each with its reason."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from making_gradients import RADIUS, ball_in, edge_of, lumpy
from scipy import special

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.features.gradient_table import (
    describe_gradient_feature,
    gradient_features,
)
from PulsarCAMLib.features.margin_sharpness import WIDTH_10_90
from PulsarCAMLib.features.row import FeatureRow


def test_a_single_voxel_has_what_can_be_and_reasons_for_the_rest():
    image, _ = lumpy()
    mask = np.zeros(image.shape, dtype=bool)
    mask[6, 8, 7] = True
    row = gradient_features(image, VolumeGeometry(image.shape), Lesion.from_mask("x", mask))
    assert row["gradient_whole_magnitude_mean_per_mm"] > 0
    assert row["gradient_edge_contrast"] is not None
    assert row.reasons["gradient_whole_magnitude_sd_per_mm"] == "the region is a single voxel"
    assert row.reasons["gradient_core_magnitude_mean_per_mm"] == "the region has no voxel with a gradient"
    assert row.reasons["gradient_whole_radial_mean"] == "no voxel of the region has a radial gradient"
    assert row.reasons["gradient_edge_width_mm"] == "the lesion is nowhere 1 mm deep"


@pytest.mark.parametrize("slices", [1, 5])
def test_a_lesion_on_one_slice_has_an_edge(slices):
    geometry, places, _ = ball_in((0.5, 0.5, 5.0), np.eye(3), half_mm=18.0)
    radius = np.linalg.norm(places[0, :, :, :2], axis=-1)
    image = np.repeat(100 * special.ndtr(RADIUS - radius)[None], slices, axis=0)
    mask = np.zeros(image.shape, dtype=bool)
    mask[slices // 2] = radius <= RADIUS
    row = gradient_features(image, VolumeGeometry(image.shape, geometry.spacing), Lesion.from_mask("x", mask))
    assert row["gradient_margin_radial_mean"] == pytest.approx(1, abs=1e-2)
    assert row["gradient_margin_magnitude_mean_per_mm"] > row["gradient_core_magnitude_mean_per_mm"]
    assert row["gradient_edge_contrast"] > 0.3
    if slices == 1:
        assert row["gradient_edge_width_mm"] == pytest.approx(WIDTH_10_90, rel=0.1)


def test_where_the_border_cuts_the_lesion_there_is_no_edge_and_the_rest_is_used():
    image, geometry, lesion = edge_of(1.0)
    half = geometry.shape[0] // 2
    mask = lesion.full_mask(geometry.shape)[half:]
    cut = gradient_features(image[half:], geometry.cropped((half, 0, 0), mask.shape), Lesion.from_mask("x", mask))
    whole = gradient_features(image, geometry, lesion)
    assert cut["gradient_edge_width_mm"] == pytest.approx(whole["gradient_edge_width_mm"], rel=0.05)
    # Half of the surface, less profiles on the cut slice that lean out of the image; none from the cut itself.
    assert 0.4 < cut["gradient_edge_profiles"] / whole["gradient_edge_profiles"] <= 0.52


def test_a_lesion_that_fills_the_image_has_no_edge():
    image, _ = lumpy()
    row = gradient_features(image, VolumeGeometry(image.shape), Lesion.from_mask("all", np.ones_like(image)))
    assert row["gradient_core_magnitude_mean_per_mm"] > 0
    assert row["gradient_edge_profiles"] == 0
    assert row.reasons["gradient_edge_width_mm"] == "no profile across the surface lies wholly in the MRI"
    assert "shell outside" in row.reasons["gradient_edge_contrast"]


def test_a_constant_image_has_reasons_instead_of_numbers():
    _, mask = lumpy()
    row = gradient_features(np.full(mask.shape, 3.3), VolumeGeometry(mask.shape), Lesion.from_mask("x", mask))
    assert row["gradient_intensity_scale"] == 0
    assert row["gradient_whole_radial_undefined_voxels"] == mask.sum()
    for name in ("gradient_whole_magnitude_mean_per_mm", "gradient_edge_contrast", "gradient_edge_width_mm"):
        assert row[name] is None
        assert "same intensity" in row.reasons[name]


def test_an_image_of_nan_has_reasons_instead_of_numbers():
    _, mask = lumpy()
    row = gradient_features(np.full(mask.shape, np.nan), VolumeGeometry(mask.shape), Lesion.from_mask("x", mask))
    assert "no finite voxel" in row.reasons["gradient_intensity_scale"]
    assert "no finite voxel" in row.reasons["gradient_whole_magnitude_p50_per_mm"]


def test_some_missing_voxels_are_left_out():
    image, geometry, lesion = edge_of(1.0)
    whole = gradient_features(image, geometry, lesion)
    holed = image.copy()
    holed[np.random.default_rng(1).random(image.shape) < 0.005] = np.nan
    row = gradient_features(holed, geometry, lesion)
    assert row["gradient_edge_profiles"] < whole["gradient_edge_profiles"]
    assert row["gradient_edge_width_mm"] == pytest.approx(whole["gradient_edge_width_mm"], rel=0.05)
    assert row["gradient_margin_radial_mean"] == pytest.approx(whole["gradient_margin_radial_mean"], rel=0.02)


def test_voxels_larger_than_the_margin_leave_no_margin_and_say_so():
    image, mask = lumpy()
    row = gradient_features(image, VolumeGeometry(image.shape, (6.0, 6.0, 6.0)), Lesion.from_mask("x", mask))
    assert row["gradient_margin_voxels"] == 0
    assert "larger than the margin" in row.reasons["gradient_edge_contrast"]
    assert row["gradient_core_magnitude_mean_per_mm"] is not None


def test_every_row_has_the_same_described_names_and_a_reason_for_each_gap():
    image, mask = lumpy()
    geometry = VolumeGeometry(image.shape)
    rows = [gradient_features(a, geometry, Lesion.from_mask("x", mask)) for a in (image, image * 0, image * np.nan)]
    for row in rows:
        assert list(row) == list(rows[0])
        assert {name for name, value in row.items() if value is None} == set(row.reasons)
        assert all(isinstance(value, float) for value in row.values() if value is not None)
    assert all(describe_gradient_feature(name) for name in rows[0])
    with pytest.raises(InputError, match="no gradient feature"):
        describe_gradient_feature("gradient_whole_nonsense")


def test_a_row_travels_between_processes_with_its_reasons():
    _, mask = lumpy()
    row = gradient_features(np.zeros(mask.shape), VolumeGeometry(mask.shape), Lesion.from_mask("x", mask))
    back = pickle.loads(pickle.dumps(row))
    assert back == row
    assert back.reasons == row.reasons


def test_a_gap_without_a_reason_is_refused():
    with pytest.raises(ValueError, match="nobody says why"):
        FeatureRow().put("x", float("nan"))


@pytest.mark.parametrize("margin", [0.0, -1.0, float("nan")])
def test_a_margin_without_thickness_is_refused(margin):
    image, mask = lumpy()
    with pytest.raises(InputError, match="thicker than zero"):
        gradient_features(image, VolumeGeometry(image.shape), Lesion.from_mask("x", mask), margin)
