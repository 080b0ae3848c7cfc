"""Gradient maps against closed forms.

Quadratic images (minus the squared distance) are the exact case: central differences and smoothing by a symmetric
kernel have no error on them, so what remains is rounding, in float32 maps below 1e-6. On a cone the differences
themselves err by the order of (voxel / radius) squared; that tolerance is stated where it is used. On the edge of a
ball thick slices turn the gradient; the figures are those of the documentation.
"""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import special
from scipy.spatial.transform import Rotation

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.features.gradients import gradient_maps

OBLIQUE = Rotation.from_euler("xyz", [25, -40, 65], degrees=True).as_matrix()
GRIDS = {
    "isotropic": ((1.0, 1.0, 1.0), np.eye(3)),
    "anisotropic": ((0.7, 0.9, 2.5), np.eye(3)),
    "oblique": ((0.7, 0.9, 2.5), OBLIQUE),
    "left-handed": ((0.9, 0.7, 2.0), OBLIQUE @ np.diag([1, -1, 1])),
    "thick slices": ((0.8, 0.8, 6.5), np.diag([1, -1, -1])),
}
SIGMAS = (0.0, 1.0, 3.0)
ROOMY = {0.0: 16.0, 1.0: 19.0, 3.0: 27.0}
"""Half width of a grid whose border the smoothing around the ball does not feel."""

RADIUS = 9.05  # no voxel centre of these grids lies at this distance, so the balls are symmetric


def grid(name: str, half_mm: float = 16.0) -> VolumeGeometry:
    """A grid of odd size whose middle voxel is the lesion's centre."""
    spacing, direction = GRIDS[name]
    shape = tuple(2 * int(half_mm / s) + 1 for s in spacing[::-1])
    return VolumeGeometry(shape, spacing, (-31.0, 57.0, 12.0), tuple(map(tuple, direction)))


def places(geometry: VolumeGeometry) -> np.ndarray:
    """LPS millimetres of every voxel, relative to the middle voxel, ``[k, j, i, 3]``."""
    k, j, i = np.indices(geometry.shape)
    middle = geometry.to_lps((np.array(geometry.shape[::-1]) - 1) / 2)
    return geometry.to_lps(np.stack([i, j, k], axis=-1)) - middle


def ball(geometry: VolumeGeometry, radius: float = RADIUS) -> Lesion:
    return Lesion.from_mask("ball", np.linalg.norm(places(geometry), axis=-1) <= radius)


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("name", GRIDS)
def test_the_radial_gradient_is_one_on_a_ball_that_darkens_outwards(name, sigma):
    geometry = grid(name, ROOMY[sigma])
    squared = (places(geometry) ** 2).sum(axis=-1)
    lesion = ball(geometry)
    maps = gradient_maps(500 - 1.5 * squared, geometry, lesion, sigma_mm=sigma, outside_mm=2.0)
    known = np.isfinite(maps.radial)
    assert np.abs(maps.radial[known] - 1).max() < 1e-6
    assert maps.undefined == 1  # the centre
    assert maps.region.sum() > lesion.voxels


@pytest.mark.parametrize(
    ("spacing", "sigma", "least", "mean"),
    [
        ((1.0, 1.0, 1.0), 0.0, 0.999, 1.000),
        ((1.0, 1.0, 1.0), 1.0, 1.000, 1.000),
        ((0.7, 0.9, 3.0), 0.0, 0.879, 0.989),
        ((0.7, 0.9, 3.0), 1.0, 0.937, 0.995),
        ((0.5, 0.5, 5.0), 0.0, 0.942, 0.990),
        ((0.5, 0.5, 5.0), 1.0, 0.962, 0.994),
    ],
)
def test_on_a_ball_with_an_edge_the_radial_gradient_is_nearly_one(spacing, sigma, least, mean):
    """A ball of 10 mm radius, its edge a cumulative Gaussian of 2 mm; thick slices turn the gradient."""
    shape = tuple(2 * int(26 / s) + 1 for s in spacing[::-1])
    geometry = VolumeGeometry(shape, spacing, (-31.0, 57.0, 12.0), tuple(map(tuple, OBLIQUE)))
    radius = np.linalg.norm(places(geometry), axis=-1)
    image = 100 + 300 * special.ndtr((10 - radius) / 2)
    radial = gradient_maps(image, geometry, ball(geometry, 10.0), sigma_mm=sigma).radial
    assert np.nanmin(radial) == pytest.approx(least, abs=1e-3)
    assert np.nanmean(radial) == pytest.approx(mean, abs=1e-3)


@pytest.mark.parametrize("name", GRIDS)
def test_the_radial_gradient_is_minus_one_on_a_ball_that_brightens_outwards(name):
    geometry = grid(name)
    maps = gradient_maps((places(geometry) ** 2).sum(axis=-1), geometry, ball(geometry))
    assert np.nanmax(np.abs(maps.radial + 1)) < 1e-6


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("name", GRIDS)
def test_the_magnitude_grows_with_the_radius_on_a_paraboloid(name, sigma):
    geometry = grid(name, ROOMY[sigma])
    radius = np.linalg.norm(places(geometry), axis=-1)
    lesion = ball(geometry)
    maps = gradient_maps(7 - 0.5 * radius**2, geometry, lesion, sigma_mm=sigma)
    assert maps.offset == lesion.offset
    np.testing.assert_allclose(maps.magnitude[lesion.mask], radius[lesion.box][lesion.mask], rtol=1e-6, atol=1e-6)
    assert np.isnan(maps.magnitude[~lesion.mask]).all()


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("name", GRIDS)
def test_a_ramp_has_its_slope_everywhere_and_no_radial_gradient_on_average(name, sigma):
    geometry = grid(name)
    slope = np.array([1.0, -2.0, 0.5])
    maps = gradient_maps(places(geometry) @ slope, geometry, ball(geometry), sigma_mm=sigma)
    np.testing.assert_allclose(maps.magnitude[maps.region], np.linalg.norm(slope), rtol=1e-6)
    assert abs(np.nanmean(maps.radial.astype(float))) < 1e-7
    assert np.nanmax(maps.radial) > 0.9
    assert np.nanmin(maps.radial) < -0.9


@pytest.mark.parametrize("name", ["isotropic", "anisotropic", "oblique", "left-handed"])
def test_a_cone_has_its_slope_up_to_the_error_of_differences(name):
    geometry = grid(name)
    radius = np.linalg.norm(places(geometry), axis=-1)
    maps = gradient_maps(100 - 4 * radius, geometry, ball(geometry), sigma_mm=0)
    at = radius[tuple(slice(o, o + n) for o, n in zip(maps.offset, maps.region.shape, strict=True))]
    far = maps.region & (at > 3)
    # A central difference of r over one voxel h is off by at most (h / r)^2 / 2 of its size.
    error = (max(geometry.spacing) / at[far]) ** 2 / 2
    assert (np.abs(maps.magnitude[far] / 4 - 1) < error).all()
    assert (maps.radial[far] > 1 - error).all()


def test_the_error_on_a_cone_falls_with_the_square_of_the_voxel():
    errors = []
    for spacing in (2.0, 1.0, 0.5):
        half = int(12 / spacing)
        geometry = VolumeGeometry((2 * half + 1,) * 3, (spacing,) * 3)
        radius = np.linalg.norm(places(geometry), axis=-1)
        lesion = Lesion.from_mask("shell", (radius > 6) & (radius < 9))
        maps = gradient_maps(-radius, geometry, lesion, sigma_mm=0)
        errors.append(np.sqrt(np.nanmean((maps.magnitude.astype(float) - 1) ** 2)))
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.15)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.15)


def lumpy(shape=(13, 17, 15), seed=4) -> tuple[np.ndarray, np.ndarray]:
    """A smooth random image and an irregular lesion."""
    from scipy import ndimage

    image = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1.2) * 400
    mask = np.zeros(shape, dtype=bool)
    mask[4:9, 5:12, 4:11] = True
    mask[3, 7:9, 6:8] = True
    return image + 50, mask


@pytest.mark.parametrize("orientation", ["RAS", "LPI", "SAR", "PIR", "AIL"])
def test_the_order_in_which_voxels_are_stored_does_not_matter(orientation):
    image, mask = lumpy()
    geometry = VolumeGeometry(image.shape, (0.8, 1.1, 2.0), (5, 6, 7), tuple(map(tuple, np.diag([1.0, -1.0, 1.0]))))
    turned = [sitk.DICOMOrient(geometry.to_sitk(a), orientation) for a in (image, mask.astype(np.uint8))]
    other = VolumeGeometry.from_sitk(turned[0])
    arrays = [sitk.GetArrayFromImage(t) for t in turned]
    here = gradient_maps(image, geometry, Lesion.from_mask("x", mask))
    there = gradient_maps(arrays[0], other, Lesion.from_mask("x", arrays[1]))
    for which in ("magnitude", "radial"):
        back = sitk.DICOMOrient(geometry.to_sitk(here.to_volume(which, image.shape)), orientation)
        np.testing.assert_allclose(
            there.to_volume(which, other.shape), sitk.GetArrayFromImage(back), rtol=1e-5, atol=1e-5
        )


def test_moving_the_image_in_space_does_not_matter():
    image, mask = lumpy()
    lesion = Lesion.from_mask("x", mask)
    here = gradient_maps(image, VolumeGeometry(image.shape, (0.8, 1.1, 2.0)), lesion)
    moved = VolumeGeometry(image.shape, (0.8, 1.1, 2.0), (400, -250, 90), tuple(map(tuple, OBLIQUE)))
    there = gradient_maps(image, moved, lesion)
    np.testing.assert_allclose(there.magnitude, here.magnitude, rtol=1e-5)
    np.testing.assert_allclose(there.radial, here.radial, atol=1e-5)


def test_scale_and_level_of_the_image_change_the_magnitude_only():
    image, mask = lumpy()
    geometry, lesion = VolumeGeometry(image.shape), Lesion.from_mask("x", mask)
    here, there = (gradient_maps(a, geometry, lesion) for a in (image, 30 * image - 900))
    np.testing.assert_allclose(there.magnitude, 30 * here.magnitude, rtol=1e-5)
    np.testing.assert_allclose(there.radial, here.radial, atol=1e-5)


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("level", [0.0, 1234.5678])
def test_a_constant_image_has_no_gradient_and_no_direction(level, sigma):
    image = np.full((7, 7, 7), level)
    image[0, 0, 0] = np.nan
    mask = np.zeros(image.shape, dtype=bool)
    mask[2:5, 2:5, 2:5] = True
    maps = gradient_maps(image, VolumeGeometry(image.shape), Lesion.from_mask("x", mask), sigma_mm=sigma)
    assert (maps.magnitude == 0).all()
    assert np.isnan(maps.radial).all()
    assert maps.undefined == 27
    assert (maps.to_volume("radial", image.shape) == 0).all()


@pytest.mark.parametrize("sigma", SIGMAS)
def test_a_ramp_keeps_its_slope_at_the_border_and_on_a_single_slice(sigma):
    for shape in ((6, 9, 8), (1, 9, 8)):
        geometry = VolumeGeometry(shape, (0.9, 1.2, 3.0), direction=tuple(map(tuple, OBLIQUE)))
        k, j, i = np.indices(shape)
        maps = gradient_maps(4.0 * i * 0.9 + 3.0 * j * 1.2, geometry, Lesion.from_mask("all", k >= 0), sigma_mm=sigma)
        np.testing.assert_allclose(maps.magnitude, 5.0, rtol=1e-6)


def test_a_single_voxel_has_a_magnitude_and_no_direction_to_its_own_centre():
    image, _ = lumpy()
    mask = np.zeros(image.shape, dtype=bool)
    mask[6, 8, 7] = True
    maps = gradient_maps(image, VolumeGeometry(image.shape), Lesion.from_mask("x", mask), sigma_mm=0)
    by_hand = [image[7, 8, 7] - image[5, 8, 7], image[6, 9, 7] - image[6, 7, 7], image[6, 8, 8] - image[6, 8, 6]]
    assert maps.magnitude.item() == pytest.approx(np.linalg.norm(by_hand) / 2, rel=1e-6)
    assert np.isnan(maps.radial).all()


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("hole", [np.nan, np.inf])
def test_holes_in_the_image_stay_holes_and_do_not_spread(hole, sigma):
    geometry = grid("anisotropic")
    image = places(geometry) @ [3.0, 0.0, 4.0]
    image[(0, ...)] = hole
    middle = tuple(n // 2 for n in image.shape)
    beside = (middle[0], middle[1] + 2, middle[2])
    image[beside] = hole
    maps = gradient_maps(image, geometry, ball(geometry), sigma_mm=sigma)
    missing = np.argwhere(maps.region & np.isnan(maps.magnitude)) + maps.offset
    assert missing.tolist() == [list(beside)]
    # Beside a hole the smoothing is lopsided, which bends the ramp a little.
    assert np.nanmedian(maps.magnitude) == pytest.approx(5, rel=1e-3)
    if sigma == 0:
        np.testing.assert_allclose(maps.magnitude[maps.region & np.isfinite(maps.magnitude)], 5, rtol=1e-6)


def test_an_image_without_a_single_number_gives_empty_maps():
    mask = np.ones((2, 2, 2), dtype=bool)
    maps = gradient_maps(np.full((2, 2, 2), np.nan), VolumeGeometry((2, 2, 2)), Lesion.from_mask("x", mask))
    assert np.isnan(maps.magnitude).all()
    assert maps.undefined == 8


def test_integers_of_a_scanner_do_not_overflow():
    geometry = grid("isotropic")
    image = np.round(places(geometry)[..., 0] * 1000).astype(np.int16)
    maps = gradient_maps(image, geometry, ball(geometry), sigma_mm=0)
    np.testing.assert_allclose(maps.magnitude[maps.region], 1000, rtol=1e-6)


@pytest.mark.parametrize(("outside", "voxels"), [(0.0, 1), (0.5, 7), (1.0, 7), (1.12, 19), (1.5, 33)])
def test_the_shell_outside_is_measured_as_the_margin_inside_from_the_middles_of_faces(outside, voxels):
    image, _ = lumpy()
    mask = np.zeros(image.shape, dtype=bool)
    mask[6, 8, 7] = True
    maps = gradient_maps(image, VolumeGeometry(image.shape), Lesion.from_mask("x", mask), outside_mm=outside)
    assert maps.region.sum() == np.isfinite(maps.magnitude).sum() == voxels


def test_two_lesions_share_a_volume():
    image, mask = lumpy()
    geometry = VolumeGeometry(image.shape)
    second = np.zeros_like(mask)
    second[9:11, 5:9, 5:9] = True
    volume = np.zeros(image.shape, dtype=np.float32)
    for each in (mask, second):
        maps = gradient_maps(image, geometry, Lesion.from_mask("x", each))
        assert maps.to_volume("magnitude", image.shape, into=volume) is volume
    np.testing.assert_array_equal(volume > 0, mask | second)


def test_what_cannot_be_used_is_refused_in_words():
    image, mask = lumpy()
    geometry, lesion = VolumeGeometry(image.shape), Lesion.from_mask("x", mask)
    maps = gradient_maps(image, geometry, lesion)
    with pytest.raises(InputError, match="zero or more millimetres"):
        gradient_maps(image, geometry, lesion, sigma_mm=-1)
    with pytest.raises(InputError, match="zero or more millimetres"):
        gradient_maps(image, geometry, lesion, outside_mm=float("nan"))
    with pytest.raises(InputError, match="geometry"):
        gradient_maps(image[1:], geometry, lesion)
    with pytest.raises(InputError, match="drawn on another image"):
        gradient_maps(image, geometry, Lesion("x", mask, (9, 9, 9)))
    with pytest.raises(InputError, match="magnitude and radial"):
        maps.to_volume("phase", image.shape)
    with pytest.raises(InputError, match="outside the shape"):
        maps.to_volume("radial", (5, 5, 5))
