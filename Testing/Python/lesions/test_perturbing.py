"""The same body contoured or scanned half a voxel otherwise."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_erosion, map_coordinates
from systems.autoencoder.test_patches import GRIDS, ball, noise

from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.lesions.perturbing import around, image_aside, mask_aside, perturbed, resized

GEOMETRY = VolumeGeometry((14, 60, 60), (0.9, 0.9, 3.0), (10, -20, 30))
LESION = Lesion.from_mask("GTV", ball(GEOMETRY, (6, 30, 28), 9.3))
CROSS = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]])


def whole(lesion, geometry=GEOMETRY):
    return lesion.full_mask(geometry.shape)


def centre(lesion):
    return (np.argwhere(lesion.mask).mean(axis=0) + lesion.offset)[::-1]


def test_larger_and_smaller_are_half_of_the_next_layer_within_the_slices():
    mask = whole(LESION)
    outer, inner = binary_dilation(mask, CROSS) & ~mask, mask & ~binary_erosion(mask, CROSS)
    larger, smaller = whole(resized(LESION, GEOMETRY, 1)), whole(resized(LESION, GEOMETRY, -1))
    assert (larger & ~mask).sum() == outer.sum() // 2
    assert not (larger & ~mask & ~outer).any()
    assert not (mask & ~larger).any()
    assert (mask & ~smaller).sum() == inner.sum() // 2
    assert not (smaller & ~mask).any()
    assert np.abs(centre(resized(LESION, GEOMETRY, 1)) - centre(LESION)).max() < 0.1  # on all sides alike


@pytest.mark.parametrize("axis", range(3))
def test_a_contour_aside_keeps_its_volume_and_moves_by_half_a_voxel(axis):
    aside = mask_aside(LESION, GEOMETRY, axis)
    assert aside.voxels == LESION.voxels
    moved = centre(LESION) - centre(aside)
    assert moved[axis] == pytest.approx(0.5, abs=0.15)
    assert np.abs(np.delete(moved, axis)).max() < 0.1


@pytest.mark.parametrize("axis", range(3))
def test_an_image_aside_shows_what_lies_half_a_voxel_further(axis):
    image = Image(noise(GEOMETRY.shape), GEOMETRY)
    at = np.indices(GEOMETRY.shape).astype(float)
    at[2 - axis] += 0.5
    wanted = map_coordinates(image.voxels, at, order=1, mode="nearest")
    np.testing.assert_allclose(image_aside(image, axis).voxels, wanted, rtol=1e-4)


def test_on_another_grid_it_is_the_same_body():
    for name, geometry in GRIDS.items():
        lesion = Lesion.from_mask("GTV", ball(geometry, (6, 50, 44), 10))
        case = Case({"t1c": Image(noise(geometry.shape), geometry)}, (lesion,), "t1c")
        ways = dict(perturbed(case))
        assert len(ways) == 11, name
        for axis, letter in enumerate("ijk"):
            other = ways[f"grid half a voxel aside along {letter}"]
            away = np.linalg.norm(other.lesions[0].centroid_lps(other.geometry) - lesion.centroid_lps(geometry))
            assert away < 0.3 * geometry.spacing[axis]
            image = ways[f"image half a voxel aside along {letter}"]
            assert image.lesions == case.lesions
            assert image.geometry == geometry


def test_the_same_comes_out_every_time():
    case = Case({"t1c": Image(noise(GEOMETRY.shape), GEOMETRY)}, (LESION,))
    again = Case({"t1c": Image(noise(GEOMETRY.shape), GEOMETRY)}, (Lesion("GTV", LESION.mask.copy(), LESION.offset),))
    for (name, one), (_, other) in zip(perturbed(case), perturbed(again), strict=True):
        np.testing.assert_array_equal(whole(one.lesions[0]), whole(other.lesions[0]), err_msg=name)
        np.testing.assert_array_equal(one.reference_image.voxels, other.reference_image.voxels)


@pytest.mark.parametrize("place", [(0, 0, 0), (13, 59, 59), (5, 0, 59), (6, 30, 30)])
def test_one_voxel_never_vanishes_and_nothing_leaves_the_image(place):
    mask = np.zeros(GEOMETRY.shape, bool)
    mask[place] = True
    case = Case({"t1c": Image(noise(GEOMETRY.shape), GEOMETRY)}, (Lesion.from_mask("dot", mask),))
    for name, changed in perturbed(case):
        lesion = changed.lesions[0]
        assert lesion.voxels >= 1, name
        assert all(s.start >= 0 and s.stop <= n for s, n in zip(lesion.box, GEOMETRY.shape, strict=True)), name


def test_a_case_without_lesions_has_its_image_aside():
    case = Case({"flair": Image(noise(GEOMETRY.shape), GEOMETRY)})
    assert [name for name, _ in perturbed(case)] == [f"image half a voxel aside along {letter}" for letter in "ijk"]


def test_what_is_cut_around_a_lesion_lies_where_it_lay():
    image = Image(noise(GEOMETRY.shape), GEOMETRY)
    case = Case({"t1c": image}, (LESION, LESION))
    part = around(case, LESION, (10.0, 10.0, 10.0))
    (lesion,) = part.lesions
    assert lesion.centroid_lps(part.geometry) == pytest.approx(LESION.centroid_lps(GEOMETRY))
    np.testing.assert_array_equal(part.reference_image.voxels[lesion.box], image.voxels[LESION.box])
    assert part.geometry.shape[1] < GEOMETRY.shape[1]
    assert around(case, LESION, None).geometry == GEOMETRY
