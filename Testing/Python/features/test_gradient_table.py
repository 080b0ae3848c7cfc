"""Gradient features against closed forms, and their invariances."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from making_gradients import OBLIQUE, RADIUS, assert_same, ball_in, edge_of, lumpy
from scipy import ndimage, special

from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.features.gradient_table import (
    GRADIENT_DIAGNOSTICS,
    REGIONS,
    gradient_features,
)
from PulsarCAMLib.features.gradients import gradient_maps
from PulsarCAMLib.features.margin_sharpness import WIDTH_10_90, profiles_of
from PulsarCAMLib.features.models.data import LesionFeatures
from PulsarCAMLib.features.neighbourhood import neighbourhood_of
from PulsarCAMLib.features.row import FeatureRow
from PulsarCAMLib.lesions.from_labels import lesions_from_labels


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 0.9, 2.5), (0.8, 0.8, 6.5)])
def test_on_a_ball_that_darkens_outwards_all_regions_point_inwards(spacing):
    geometry, places, lesion = ball_in(spacing)
    row = gradient_features(9 - (places**2).sum(axis=-1), geometry, lesion)
    for region in REGIONS:
        for measure, value in {"radial_mean": 1, "radial_sd": 0, "radial_inward_share": 1, "radial_index": 1}.items():
            assert row[f"gradient_{region}_{measure}"] == pytest.approx(value, abs=1e-6)
    assert row["gradient_whole_radial_undefined_voxels"] == row["gradient_core_radial_undefined_voxels"] == 1
    assert row["gradient_margin_magnitude_mean_per_mm"] > row["gradient_core_magnitude_mean_per_mm"]
    assert row["gradient_edge_slope_mean_per_mm"] > 0


def test_on_a_paraboloid_the_mean_magnitude_is_twice_the_mean_radius():
    geometry, places, lesion = ball_in((0.7, 0.9, 2.5))
    row = gradient_features(-((places**2).sum(axis=-1)), geometry, lesion)
    radius = np.linalg.norm(places, axis=-1)[lesion.full_mask(geometry.shape)]
    scale = row["gradient_intensity_scale"]
    assert row["gradient_whole_magnitude_mean_per_mm"] == pytest.approx(2 * radius.mean() / scale, rel=1e-5)
    assert row["gradient_whole_magnitude_sd_per_mm"] == pytest.approx(2 * radius.std(ddof=1) / scale, rel=1e-5)
    assert row["gradient_whole_magnitude_p90_per_mm"] == pytest.approx(2 * np.percentile(radius, 90) / scale, rel=1e-5)


def test_on_a_ramp_the_magnitude_is_even_and_the_radial_means_and_the_contrast_vanish():
    geometry, places, lesion = ball_in((0.7, 0.9, 2.5))
    row = gradient_features(places @ [3.0, 0.0, -4.0], geometry, lesion)
    for region in REGIONS:
        assert row[f"gradient_{region}_magnitude_mean_per_mm"] == pytest.approx(5 / row["gradient_intensity_scale"])
        assert row[f"gradient_{region}_magnitude_sd_per_mm"] == pytest.approx(0, abs=1e-7)
        assert row[f"gradient_{region}_radial_mean"] == pytest.approx(0, abs=1e-6)
        assert row[f"gradient_{region}_radial_index"] == pytest.approx(0, abs=1e-6)
    assert row["gradient_edge_contrast"] == pytest.approx(0, abs=1e-6)
    assert row["gradient_edge_slope_mean_per_mm"] == pytest.approx(0, abs=1e-6)
    assert row["gradient_edge_width_mm"] is None
    assert row.reasons["gradient_edge_width_mm"] == "the mean profile across the surface has no step"


def test_whole_is_core_and_margin_together():
    geometry, _, lesion = ball_in((1.0, 1.0, 1.0))
    image = np.random.default_rng(2).normal(size=geometry.shape)
    row = gradient_features(image, geometry, lesion, margin_mm=3.0)
    core, margin = row["gradient_core_voxels"], row["gradient_margin_voxels"]
    assert core + margin == lesion.voxels
    for measure in ("magnitude_mean_per_mm", "radial_inward_share"):
        parts = core * row[f"gradient_core_{measure}"] + margin * row[f"gradient_margin_{measure}"]
        # The radial share leaves the centre out, one of some 3000 voxels.
        assert row[f"gradient_whole_{measure}"] == pytest.approx(parts / lesion.voxels, rel=1e-3)


@pytest.mark.parametrize(
    ("spacing", "sigma", "too_wide"),
    [
        ((1.0, 1.0, 1.0), 1.0, 0.15),
        ((1.0, 1.0, 1.0), 1.4, 0.10),
        ((0.5, 0.5, 0.5), 0.7, 0.10),
        ((0.5, 0.5, 1), 1, 0.15),
    ],
)
def test_the_width_of_a_known_edge_is_found_a_little_too_wide_by_the_voxels(spacing, sigma, too_wide):
    image, geometry, lesion = edge_of(sigma, spacing)
    row = gradient_features(image, geometry, lesion)
    assert 1 <= row["gradient_edge_width_mm"] / (WIDTH_10_90 * sigma) < 1 + too_wide
    assert row["gradient_edge_offset_mm"] == pytest.approx(0, abs=0.1)
    assert row["gradient_edge_drop"] * row["gradient_intensity_scale"] == pytest.approx(300, rel=0.02)
    fall = 300 * (special.ndtr(1 / sigma) - 0.5) / row["gradient_intensity_scale"]
    assert row["gradient_edge_slope_mean_per_mm"] == pytest.approx(fall, rel=0.1)
    assert row["gradient_edge_slope_sd_per_mm"] < 0.1 * fall


def test_a_blurred_edge_is_wider_and_less_steep_than_a_crisp_one():
    rows = [gradient_features(*edge_of(sigma)) for sigma in (0.5, 1.0, 1.5)]
    for name, falling in (
        ("gradient_edge_width_mm", False),
        ("gradient_edge_slope_mean_per_mm", True),
        ("gradient_edge_contrast", True),
        ("gradient_margin_magnitude_mean_per_mm", True),
    ):
        values = [row[name] for row in rows]
        assert values == sorted(values, reverse=falling), name


def test_a_contour_drawn_too_wide_shows_as_an_edge_inside_it():
    image, geometry, _ = edge_of(1.0)
    _, places, _ = ball_in((1.0, 1.0, 1.0))
    wide = Lesion.from_mask("wide", np.linalg.norm(places, axis=-1) <= RADIUS + 1)
    assert gradient_features(image, geometry, wide)["gradient_edge_offset_mm"] == pytest.approx(-1, abs=0.15)


def test_a_dark_lesion_is_a_bright_one_with_the_signs_turned():
    image, geometry, lesion = edge_of(1.0)
    bright, dark = gradient_features(image, geometry, lesion), gradient_features(-image, geometry, lesion)
    for name in bright:
        if name.endswith(("contrast", "slope_mean_per_mm", "drop", "radial_mean", "radial_index")):
            assert dark[name] == pytest.approx(-bright[name], rel=1e-4)
        elif "magnitude" in name or name.endswith(("width_mm", "radial_sd", "slope_sd_per_mm")):
            assert dark[name] == pytest.approx(bright[name], rel=1e-4)
    assert dark["gradient_margin_radial_inward_share"] == 0


@pytest.mark.parametrize("orientation", ["RAS", "LPI", "SAR", "PIR", "AIL"])
def test_the_order_in_which_voxels_are_stored_changes_no_feature(orientation):
    image, mask = lumpy()
    geometry = VolumeGeometry(image.shape, (0.8, 1.1, 2.0), (5, 6, 7), tuple(map(tuple, np.diag([1.0, -1.0, 1.0]))))
    turned = [sitk.DICOMOrient(geometry.to_sitk(a), orientation) for a in (image, mask.astype(np.uint8))]
    there = gradient_features(
        sitk.GetArrayFromImage(turned[0]),
        VolumeGeometry.from_sitk(turned[0]),
        Lesion.from_mask("x", sitk.GetArrayFromImage(turned[1])),
    )
    here = gradient_features(image, geometry, Lesion.from_mask("x", mask))
    assert not here.reasons
    assert_same(here, there)


def test_moving_the_image_in_space_changes_no_feature():
    image, mask = lumpy()
    lesion = Lesion.from_mask("x", mask)
    moved = VolumeGeometry(image.shape, (0.8, 1.1, 2.0), (400, -250, 90), tuple(map(tuple, OBLIQUE)))
    here = gradient_features(image, VolumeGeometry(image.shape, (0.8, 1.1, 2.0)), lesion)
    assert_same(here, gradient_features(image, moved, lesion))


def test_tissue_more_than_a_centimetre_away_changes_no_feature():
    image, mask = (np.pad(a, ((6, 6), (11, 11), (15, 15)), mode="reflect") for a in lumpy())
    spacing = (0.8, 1.1, 2.0)
    lesion = Lesion.from_mask("x", ndimage.label(mask)[0] == ndimage.label(mask)[0][12, 19, 22])
    away = ndimage.distance_transform_edt(~lesion.full_mask(image.shape), sampling=spacing[::-1])
    other = np.where(away > 11, 1e4 * np.random.default_rng(0).normal(size=image.shape), image)
    geometry = VolumeGeometry(image.shape, spacing)
    assert (other != image).sum() > 1000
    assert_same(gradient_features(image, geometry, lesion), gradient_features(other, geometry, lesion))


def test_the_radial_index_is_the_inward_part_of_all_gradients_together():
    image, mask = lumpy()
    geometry, lesion = VolumeGeometry(image.shape, (0.8, 1.1, 2.0)), Lesion.from_mask("x", mask)
    maps = gradient_maps(image, geometry, lesion)
    inward = np.nansum(maps.radial.astype(float) * maps.magnitude) / np.nansum(maps.magnitude[maps.radial > -2])
    row = gradient_features(image, geometry, lesion)
    assert row["gradient_whole_radial_index"] == pytest.approx(inward, rel=1e-5)
    assert row["gradient_whole_radial_index"] != pytest.approx(row["gradient_whole_radial_mean"], rel=1e-2)


def test_the_profiles_stand_for_the_whole_surface_in_square_millimetres():
    mask = np.zeros((20, 24, 30), dtype=bool)
    mask[8:12, 10:15, 12:18] = True
    geometry = VolumeGeometry(mask.shape, (1.0, 2.0, 3.0))
    near = neighbourhood_of(np.zeros(mask.shape), geometry, Lesion.from_mask("box", mask), 5.0)
    profiles = profiles_of(near)
    i, j, k = 6 * 1.0, 5 * 2.0, 4 * 3.0
    assert profiles.weights.sum() == pytest.approx(2 * (i * j + j * k + k * i))
    assert profiles.left_out == 0


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 2.0), (1.0, 1.0, 1.0), (2.0, 0.5, 0.7)])
def test_profiles_stand_upright_on_the_surface_of_a_ball(spacing):
    geometry, places, lesion = ball_in(spacing)
    # Along the true normal of the ball the squared radius falls by 2 R per mm; a profile that leans falls less.
    row = gradient_features(-((places**2).sum(axis=-1)), geometry, lesion)
    fall = 2 * RADIUS / row["gradient_intensity_scale"]
    assert row["gradient_edge_slope_mean_per_mm"] == pytest.approx(fall, rel=0.03)
    assert row["gradient_edge_slope_sd_per_mm"] < 0.06 * fall


@pytest.mark.parametrize(("factor", "level"), [(7.5, 0.0), (1.0, 5000.0), (0.01, -3.0)])
def test_scanners_with_another_scale_and_level_give_the_same_features(factor, level):
    image, mask = lumpy()
    geometry, lesion = VolumeGeometry(image.shape, (0.8, 1.1, 2.0)), Lesion.from_mask("x", mask)
    here = gradient_features(image, geometry, lesion)
    there = gradient_features(factor * image + level, geometry, lesion)
    assert_same(here, there, {"gradient_intensity_scale": factor})


def ringed(spacing) -> FeatureRow:
    """An ellipsoid with a bright rim, a dark centre and lumpy tissue around, defined in millimetres."""
    geometry, places, _ = ball_in(spacing, half_mm=25.0)
    x, y, z = np.moveaxis(places, -1, 0)
    radius = np.sqrt((x / 1.2) ** 2 + y**2 + (z / 0.9) ** 2)
    lumps = 25 * np.sin(x / 4) * np.cos(y / 5 + 0.3) * np.cos(z / 6)
    image = 100 + 250 * special.ndtr((RADIUS - radius) / 1.2) - 120 * special.ndtr((4 - radius) / 1.5) + lumps
    return gradient_features(image, geometry, Lesion.from_mask("x", radius <= RADIUS))


def model_columns(row: FeatureRow, changed: tuple[str, ...] = ()) -> list[str]:
    names = (*row, *changed)
    found = LesionFeatures(None, names, {}, {})
    return [names[at] for at in found.columns(("gradient",), delta=bool(changed))]


def test_models_learn_from_all_but_the_scanners_units_and_the_counts():
    row = ringed((1.0, 1.0, 1.0))
    counted = [name for name in row if name.endswith(("voxels", "profiles", "scale"))]
    assert sorted(counted) == sorted(GRADIENT_DIAGNOSTICS)
    assert model_columns(row) == [name for name in row if name not in counted]
    changed = ("delta_gradient_core_voxels", "delta_gradient_core_voxels_relative", "delta_gradient_edge_drop")
    assert model_columns(row, changed) == [*model_columns(row), "delta_gradient_edge_drop"]


def test_what_models_learn_from_is_the_same_on_another_scanner():
    image, mask = lumpy()
    geometry, lesion = VolumeGeometry(image.shape, (0.8, 1.1, 2.0)), Lesion.from_mask("x", mask)
    here, there = (gradient_features(own, geometry, lesion) for own in (image, 10 * image + 50))
    assert [there[name] for name in model_columns(here)] == pytest.approx(
        [here[name] for name in model_columns(here)], rel=1e-5, abs=1e-5
    )
    assert there["gradient_intensity_scale"] == pytest.approx(10 * here["gradient_intensity_scale"])


def test_what_models_learn_from_hardly_changes_on_voxels_half_the_size():
    """To 7 %, or 0.03 where a value may be near zero (cosines, and the place of the edge in millimetres)."""
    here, there = ringed((1.0, 1.0, 1.0)), ringed((0.5, 0.5, 0.5))
    for name in model_columns(here):
        near_zero = "_radial_" in name or name == "gradient_edge_offset_mm"
        assert there[name] == pytest.approx(here[name], rel=0.07, abs=0.03 if near_zero else 0), name
    for name in ("gradient_core_voxels", "gradient_margin_voxels", "gradient_edge_profiles"):
        assert there[name] > 3.5 * here[name]


def test_enhancing_metastases_on_a_real_mri_are_brighter_and_steeper_at_their_margin(shared_data):
    image = sitk.ReadImage(str(shared_data / "t1c_brain1" / "brain1_image.nrrd"))
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(shared_data / "t1c_brain1" / "brain1_label.nrrd")))
    volume, geometry = sitk.GetArrayFromImage(image), VolumeGeometry.from_sitk(image)
    lesions, _ = lesions_from_labels(labels)
    assert lesions
    for lesion in lesions:
        row = gradient_features(volume, geometry, lesion)
        assert not row.reasons
        assert row["gradient_margin_magnitude_mean_per_mm"] > row["gradient_core_magnitude_mean_per_mm"]
        assert row["gradient_margin_radial_mean"] > row["gradient_core_radial_mean"]
        assert row["gradient_margin_radial_inward_share"] > 0.7
        assert row["gradient_edge_contrast"] > 0.1
        assert 1 < row["gradient_edge_width_mm"] < 6
        assert abs(row["gradient_edge_offset_mm"]) < 1
