import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings, strategies as st
from scipy.spatial.transform import Rotation

from PulsarCAMLib.core.errors import GeometryError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry

OBLIQUE = VolumeGeometry(
    (5, 6, 7), (0.8, 0.9, 3.0), (12.0, -30.0, 44.0), Rotation.from_euler("xyz", [9, -14, 31], degrees=True).as_matrix()
)


def test_indices_and_millimetres_agree_with_simpleitk():
    image = OBLIQUE.to_sitk(np.zeros(OBLIQUE.shape, np.float32))
    np.testing.assert_allclose(OBLIQUE.to_lps([2, 3, 4]), image.TransformIndexToPhysicalPoint((2, 3, 4)), atol=1e-9)
    assert VolumeGeometry.from_sitk(image).same_grid(OBLIQUE)


def test_the_ras_matrix_is_the_lps_matrix_with_two_signs_turned():
    ras, lps = OBLIQUE.ijk_to_ras, OBLIQUE.ijk_to_lps
    np.testing.assert_allclose(ras[0], -lps[0])
    np.testing.assert_allclose(ras[1], -lps[1])
    np.testing.assert_allclose(ras[2:], lps[2:])
    assert VolumeGeometry.from_ijk_to_ras(ras, OBLIQUE.shape).same_grid(OBLIQUE)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=3, max_size=3))
def test_the_way_to_millimetres_and_back_is_exact(ijk):
    np.testing.assert_allclose(OBLIQUE.to_ijk(OBLIQUE.to_lps(ijk)), ijk, atol=1e-9)


def test_a_cropped_geometry_keeps_every_voxel_where_it_was():
    part = OBLIQUE.cropped((1, 2, 3), (2, 2, 2))
    np.testing.assert_allclose(part.to_lps([1, 1, 1]), OBLIQUE.to_lps([4, 3, 2]), atol=1e-9)


def test_left_handed_axes_are_kept():
    mirrored = VolumeGeometry((2, 2, 2), direction=np.diag([-1.0, 1, 1]))
    assert np.linalg.det(np.array(mirrored.direction)) == -1
    np.testing.assert_allclose(mirrored.to_lps([1, 0, 0]), [-1, 0, 0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shape": (0, 2, 2)}, "three dimensions"),
        ({"spacing": (1, 1, 0)}, "spacing"),
        ({"spacing": (1, 1, float("nan"))}, "spacing"),
        ({"direction": ((1, 0.2, 0), (0, 1, 0), (0, 0, 1))}, "perpendicular"),
    ],
)
def test_a_geometry_that_cannot_be_is_refused(change, words):
    fields = {"shape": (2, 2, 2), "spacing": (1, 1, 1)} | change
    with pytest.raises(GeometryError, match=words):
        VolumeGeometry(**fields)


def test_a_singular_matrix_is_refused():
    with pytest.raises(GeometryError, match="zero"):
        VolumeGeometry.from_ijk_to_ras(np.diag([1, 1, 0, 1]), (2, 2, 2))


def test_an_array_of_another_shape_is_refused():
    with pytest.raises(GeometryError, match="shape"):
        OBLIQUE.to_sitk(np.zeros((1, 2, 3), np.float32))


def test_grids_differ_when_a_corner_moves():
    image = OBLIQUE.to_sitk(np.zeros(OBLIQUE.shape, np.float32))
    image.SetOrigin([image.GetOrigin()[0] + 0.01, *image.GetOrigin()[1:]])
    assert not VolumeGeometry.from_sitk(image).same_grid(OBLIQUE)
    assert isinstance(image, sitk.Image)


def test_the_eight_corners_are_the_centres_of_the_outermost_voxels():
    wanted = [OBLIQUE.to_lps([i, j, k]) for i in (0, 6) for j in (0, 5) for k in (0, 4)]
    assert {tuple(np.round(c, 9)) for c in OBLIQUE.corners_lps()} == {tuple(np.round(c, 9)) for c in np.array(wanted)}
