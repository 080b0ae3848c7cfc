"""Radiomics features: invariances, filters against closed forms, lesions on which some do not exist."""

from __future__ import annotations

import math

import numpy as np
import pytest
import pywt
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial.transform import Rotation

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.features.radiomics.block import block_of, intensity_scale
from PulsarCAMLib.features.radiomics.extraction import radiomics_features
from PulsarCAMLib.features.radiomics.library import resampled
from PulsarCAMLib.features.radiomics.names import describe_radiomics_feature, radiomics_feature_names
from PulsarCAMLib.features.radiomics.settings import RadiomicsSettings

OBLIQUE = Rotation.from_euler("xyz", [25, -40, 65], degrees=True).as_matrix() @ np.diag([1, -1, 1])
SPACING = (0.8, 1.1, 2.0)
ONE_OF_EACH = RadiomicsSettings(log_sigmas_mm=(2.0,))
ORIGINAL = RadiomicsSettings(images=("original",))
SOME = RadiomicsSettings(images=("original", "wavelet"), families=("firstorder", "shape", "glcm", "glszm"))
CUBES = VolumeGeometry((33, 33, 33))


def lumpy(shape=(13, 17, 15), seed=4) -> tuple[np.ndarray, np.ndarray]:
    """A random image with a brighter, irregular lesion."""
    mask = np.zeros(shape, dtype=bool)
    mask[4:9, 4:13, 3:12] = True
    mask[3, 7:9, 6:8] = True
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1.2) * 200
    return noise + 100 * ndimage.gaussian_filter(mask.astype(float), 0.7) + 50, mask


def from_middle() -> np.ndarray:
    """Voxels ``[k, j, i, 3]`` from the middle voxel of CUBES."""
    return np.moveaxis(np.indices(CUBES.shape) - 16.0, 0, -1)


def ball(radius: float = 4.2) -> Lesion:
    return Lesion.from_mask("ball", np.linalg.norm(from_middle(), axis=-1) <= radius)


def plain(**more) -> RadiomicsSettings:
    return RadiomicsSettings(**{"normalization": "none", "families": ("firstorder",), **more})


def at(*places: tuple) -> Lesion:
    mask = np.zeros((20, 22, 24), dtype=bool)
    for place in places:
        mask[place] = True
    return Lesion.from_mask("small", mask)


def assert_same(one, other, rel=1e-9) -> None:
    assert list(one) == list(other)
    assert one.reasons == other.reasons
    for name, value in one.items():
        if value is not None:
            assert other[name] == pytest.approx(value, rel=rel, abs=1e-9), name


@pytest.fixture(scope="module")
def here():
    """The lumpy lesion's features in an ordinary place."""
    image, mask = lumpy()
    return radiomics_features(image, VolumeGeometry(image.shape, SPACING), Lesion.from_mask("x", mask), ONE_OF_EACH)


def test_a_row_has_the_names_that_the_settings_announce(here):
    assert list(here) == radiomics_feature_names(ONE_OF_EACH)
    assert not here.reasons
    assert {name.split("_")[1] for name in here} == set(ONE_OF_EACH.image_names())
    assert "radiomics_wavelet-llh_glszm_low_gray_level_zone_emphasis" in here
    assert "radiomics_log-2mm_firstorder_kurtosis" in here
    assert sum("_shape_" in name for name in here) == 19


def test_every_feature_is_described(here):
    lines = [describe_radiomics_feature(name) for name in here]
    assert len(set(lines)) == len(lines)
    kurtosis = describe_radiomics_feature("radiomics_original_firstorder_kurtosis")
    assert "excess" in kurtosis
    assert "IBSI IPH6" in kurtosis
    for wrong in ("radiomics_original_glcm_beauty", "gradient_whole_radial_mean", "radiomics"):
        with pytest.raises(InputError, match="no radiomics feature"):
            describe_radiomics_feature(wrong)


@pytest.mark.parametrize("orientation", ["PIR", "AIL"])
def test_the_order_in_which_voxels_are_stored_changes_no_bit(here, orientation):
    image, mask = lumpy()
    geometry = VolumeGeometry(image.shape, SPACING)
    turned = [sitk.DICOMOrient(geometry.to_sitk(a), orientation) for a in (image, mask.astype(np.uint8))]
    there = radiomics_features(
        sitk.GetArrayFromImage(turned[0]),
        VolumeGeometry.from_sitk(turned[0]),
        Lesion.from_mask("x", sitk.GetArrayFromImage(turned[1])),
        ONE_OF_EACH,
    )
    assert there == here


def test_moving_and_turning_the_image_in_space_changes_no_feature(here):
    image, mask = lumpy()
    moved = VolumeGeometry(image.shape, SPACING, (400, -250, 90), tuple(map(tuple, OBLIQUE)))
    row = radiomics_features(image, moved, Lesion.from_mask("x", mask), ONE_OF_EACH)
    assert_same(here, row, rel=1e-6)  # meshes are float32


def test_a_lesion_turned_by_right_angles_or_mirrored_has_the_same_features():
    image, mask = lumpy()
    rows = []
    for turn in (lambda a: a, lambda a: np.rot90(a, axes=(0, 2)), lambda a: a[:, ::-1], lambda a: a.transpose(1, 2, 0)):
        turned = turn(image)
        lesion = Lesion.from_mask("x", turn(mask))
        rows.append(radiomics_features(turned, VolumeGeometry(turned.shape), lesion, SOME))
    for row in rows[1:]:
        assert_same(rows[0], row, rel=1e-6)


def test_more_image_around_the_lesion_and_tissue_far_away_change_no_feature(here):
    pads = ((40, 41), (42, 43), (44, 45))
    image, mask = (np.pad(a, pads, mode="edge") for a in lumpy())
    mask = np.pad(lumpy()[1], pads)
    far = ndimage.distance_transform_edt(~mask, sampling=SPACING[::-1]) > 60
    scale = intensity_scale(lumpy()[0], ONE_OF_EACH)
    other = np.where(far, 1e4, image)
    assert far.any()
    geometry, lesion = VolumeGeometry(image.shape, SPACING), Lesion.from_mask("x", mask)
    assert_same(here, radiomics_features(other, geometry, lesion, ONE_OF_EACH, scale=scale))


def test_brightness_and_contrast_of_the_scanner_change_no_feature(here):
    image, mask = lumpy()
    geometry = VolumeGeometry(image.shape, SPACING)
    row = radiomics_features(4 * image + 1024, geometry, Lesion.from_mask("x", mask), ONE_OF_EACH)
    assert_same(here, row, rel=1e-6)


def test_integers_are_as_good_as_floats():
    image, mask = lumpy()
    whole, lesion = image.round(), Lesion.from_mask("x", mask)
    geometry = VolumeGeometry(image.shape, SPACING)
    rows = [radiomics_features(whole.astype(kind), geometry, lesion, ORIGINAL) for kind in (np.int16, np.float64)]
    assert_same(*rows)


def test_the_laplacian_of_a_gaussian_meets_the_closed_form_in_square_millimetres():
    volume = np.exp(-(from_middle() ** 2).sum(axis=-1) / (2 * 3.0**2))
    row = radiomics_features(volume, CUBES, ball(), plain(images=("log",), log_sigmas_mm=(2.0,)))

    def closed(distance: float) -> float:
        wide = 3.0**2 + 2.0**2
        height = (3.0**2 / wide) ** 1.5 * math.exp(-(distance**2) / (2 * wide))
        return height * (distance**2 / wide - 3) / wide

    assert row["radiomics_log-2mm_firstorder_minimum"] == pytest.approx(closed(0.0), rel=1e-3)
    finer = radiomics_features(volume, CUBES, ball(), plain(images=("log",), log_sigmas_mm=(2.0,), spacing_mm=0.5))
    # An even number of cubes: the middle lies on a corner of the finer grid.
    assert finer["radiomics_log-2mm_firstorder_minimum"] == pytest.approx(closed(0.25 * math.sqrt(3)), rel=1e-3)


def test_wavelet_bands_meet_the_closed_form_on_a_paraboloid():
    settings = plain(images=("wavelet",))
    row = radiomics_features((from_middle() ** 2).sum(axis=-1), CUBES, ball(), settings)
    high = np.array(pywt.Wavelet("coif1").dec_hi)
    # The high pass has two vanishing moments, so it sees only the curvature along its own axis; two low passes gain 2.
    curvature = 2 * np.sum(high * np.arange(len(high)) ** 2)
    assert row["radiomics_wavelet-llh_firstorder_mean"] == pytest.approx(curvature, rel=1e-6)
    assert row["radiomics_wavelet-llh_firstorder_range"] == pytest.approx(0, abs=1e-6)
    for band in ("lhh", "hhh"):
        assert row[f"radiomics_wavelet-{band}_firstorder_maximum"] == pytest.approx(0, abs=1e-6)
    level = radiomics_features(np.full(CUBES.shape, 5.0), CUBES, ball(), settings)
    assert level["radiomics_wavelet-lll_firstorder_mean"] == pytest.approx(5 * 2**1.5)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 0.9, 2.5)])
def test_a_ball_on_any_grid_has_the_volume_and_diameter_of_a_ball(spacing):
    shape = tuple(2 * int(16 / s) + 1 for s in spacing[::-1])
    k, j, i = np.indices(shape)
    geometry = VolumeGeometry(shape, spacing, (9.0, 9.0, 9.0), tuple(map(tuple, OBLIQUE)))
    places = geometry.to_lps(np.stack([i, j, k], axis=-1)) - geometry.to_lps((np.array(shape[::-1]) - 1) / 2)
    inside = np.linalg.norm(places, axis=-1) <= 9.05
    settings = plain(images=("original",), families=("firstorder", "shape"))
    row = radiomics_features(places @ [1.0, 2.0, 3.0], geometry, Lesion.from_mask("ball", inside), settings)
    assert row["radiomics_original_firstorder_mean"] == pytest.approx(0, abs=1e-6)  # resampled in place
    shape_of = {
        name.removeprefix("radiomics_original_shape_"): value for name, value in row.items() if "_shape_" in name
    }
    assert shape_of["approximate_volume"] == pytest.approx(4 / 3 * math.pi * 9.05**3, rel=0.03)
    assert shape_of["maximum_3d_diameter"] == pytest.approx(18.1, rel=0.15)  # thick slices are stairs
    assert shape_of["flatness"] == pytest.approx(1, abs=0.06)
    assert 0.84 < shape_of["sphericity"] <= 1


def test_resampling_is_that_of_simpleitk_on_the_same_grid():
    image, mask = lumpy()
    block = block_of(image, VolumeGeometry(image.shape, SPACING), Lesion.from_mask("x", mask), ORIGINAL)
    ours = resampled(block, ORIGINAL)
    spacing, size = np.array(block.spacing_kji[::-1]), np.array(block.values.shape[::-1])
    cubes = np.array(ours.values.shape[::-1])
    origin = (size - 1) / 2 * spacing - (cubes - 1) / 2  # both grids have the same middle
    place = VolumeGeometry(block.values.shape, tuple(spacing))
    on = (cubes.tolist(), sitk.Transform())
    values, inside = (
        sitk.GetArrayFromImage(sitk.Resample(place.to_sitk(a.astype(float)), *on, how, origin.tolist(), [1.0] * 3))
        for a, how in ((block.values, sitk.sitkBSpline), (block.inside, sitk.sitkLinear))
    )
    assert np.array_equal(ours.inside, inside > 0.5 - 1e-6)
    assert np.count_nonzero(ours.inside) > 500
    assert ours.values[ours.inside] == pytest.approx(values[ours.inside], abs=1e-6)


def test_normalization_sets_the_head_or_the_image_to_mean_0_and_deviation_1():
    volume = np.zeros(CUBES.shape)
    head = np.linalg.norm(from_middle(), axis=-1) < 15
    volume[head] = np.random.default_rng(1).normal(200, 20, head.sum())
    scale = intensity_scale(volume, RadiomicsSettings())
    assert (scale.zero, 1 / scale.factor) == pytest.approx((volume[head].mean(), volume[head].std(ddof=1)), rel=1e-9)
    whole = intensity_scale(volume, RadiomicsSettings(normalization="image", normalization_scale=100))
    assert (whole.zero, 100 / whole.factor) == pytest.approx((volume.mean(), volume.std(ddof=1)), rel=1e-9)
    gaps = volume.copy()
    gaps[0, 0, :5] = np.nan
    assert math.isfinite(intensity_scale(gaps, RadiomicsSettings()).factor)
    assert intensity_scale(np.full((3, 3, 3), 7), RadiomicsSettings()).factor == 1


@pytest.mark.parametrize(
    "lesion",
    [
        at((5, 5, 5)),
        at((0, 0, 0)),
        at((5, 5, 5), (5, 5, 6)),
        at((5, 5, slice(5, 8))),
        at((5, slice(3, 6), slice(3, 6))),
        at((3, 3, 3), (15, 15, 15)),
    ],
    ids=["one voxel", "corner of the MRI", "two voxels", "line", "plane", "two far voxels"],
)
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 0.8, 6.5)], ids=["cubes", "thick slices"])
def test_the_smallest_lesions_have_reasons_instead_of_errors(lesion, spacing):
    volume = np.random.default_rng(1).normal(300, 50, (20, 22, 24))
    row = radiomics_features(volume, VolumeGeometry(volume.shape, spacing), lesion, ORIGINAL)
    assert list(row) == radiomics_feature_names(ORIGINAL)
    assert {name for name, value in row.items() if value is None} == set(row.reasons)
    assert row.reasons or spacing[2] > 1


@pytest.mark.parametrize("bins", [{}, {"bins": None, "bin_width": 25.0}], ids=["number", "width"])
def test_a_lesion_of_one_intensity_has_no_texture_and_says_so(bins):
    row = radiomics_features(
        np.full(CUBES.shape, 7.0),
        CUBES,
        ball(),
        RadiomicsSettings(images=("original", "log"), log_sigmas_mm=(2,), **bins),
    )
    undefined = {name for name in row if any(f"_{f}_" in name for f in ("glcm", "glrlm", "glszm", "gldm", "ngtdm"))}
    undefined |= {name for name in row if name.endswith(("skewness", "kurtosis", "entropy", "uniformity"))}
    assert set(row.reasons) == {name for name in undefined if row[name] is None}
    assert all(row[name] is None for name in undefined)
    assert set(row.reasons.values()) == {"all voxels of the lesion have the same intensity"}


def test_voxels_without_a_value_count_only_within_the_lesion():
    image, mask = lumpy()
    geometry, lesion = VolumeGeometry(image.shape, SPACING), Lesion.from_mask("x", mask)
    beside, within = image.copy(), image.copy()
    beside[0, 0, :3] = np.nan
    within[6, 8, 7] = np.inf
    assert not radiomics_features(beside, geometry, lesion, ORIGINAL).reasons
    row = radiomics_features(within, geometry, lesion, ORIGINAL)
    assert set(row.reasons.values()) == {"the MRI has no value in 1 voxels of the lesion"}
    assert {name for name in row if row[name] is not None} == {name for name in row if "_shape_" in name}
    assert radiomics_features(np.full_like(image, np.nan), geometry, lesion, ORIGINAL).reasons


def test_ratios_to_the_mean_are_given_only_where_zero_has_a_meaning():
    ratios = [f"radiomics_original_firstorder_{n}" for n in ("coefficient_of_variation", "root_mean_square")]
    names = radiomics_feature_names(RadiomicsSettings(normalization="none"))
    assert set(ratios) <= set(names)
    assert sum(name.endswith("coefficient_of_variation") for name in names) == 1
    assert ratios[0] not in radiomics_feature_names(RadiomicsSettings())


def test_a_lesion_that_is_not_on_the_mri_is_refused():
    image, mask = lumpy()
    with pytest.raises(InputError, match="outside the MRI"):
        radiomics_features(image[:7], VolumeGeometry(image[:7].shape), Lesion.from_mask("x", mask))
