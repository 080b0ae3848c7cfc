"""Which masks belong to an image, and which are refused."""

import re
from dataclasses import dataclass

import numpy as np
import pytest
from making_files import reversed_axes

from PulsarCAMLib.core.errors import GeometryError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.lesions.overlap import box_ras_of, check_fits, same_size_elsewhere, where_else

IMAGE = VolumeGeometry((50, 100, 100), (1.0, 1.0, 2.0))


@dataclass
class Place:
    voxels: int = 100
    share_inside: float = 1.0
    box_ras: np.ndarray = None

    def __post_init__(self):
        self.box_ras = np.array([[-60, -60, 10], [-40, -40, 30]]) if self.box_ras is None else self.box_ras


def check(placed, **options):
    return check_fits("the MRI", box_ras_of(IMAGE), "The mask", placed, **options)


def test_the_box_reaches_to_the_outer_faces_of_the_voxels():
    assert box_ras_of(IMAGE).tolist() == [[-99.5, -99.5, -1], [0.5, 0.5, 99]]


def test_a_mask_that_lies_within_is_taken_without_a_word():
    assert check({"a": Place()}) == []
    assert check({"a": Place(voxels=0, share_inside=0.0)}) == []


def test_a_lesion_that_reaches_out_is_named_with_its_share():
    (warning,) = check({"a": Place(share_inside=0.75), "b": Place()})
    assert "25.0 % of “a”" in warning


def test_a_mask_apart_is_refused_with_the_distance_and_both_boxes():
    far = np.array([[20.5, -60, 10], [40, -40, 30]])
    with pytest.raises(GeometryError, match=r"outside the MRI by 20 mm .*R -100 to 0.*R 20 to 40.*export it again"):
        check({"a": Place(share_inside=0.0, box_ras=far)})


def test_a_mask_is_refused_when_no_lesion_lies_half_within():
    with pytest.raises(GeometryError, match=r"60\.0 % of its voxels outside"):
        check({"a": Place(share_inside=0.4), "b": Place(share_inside=0.4)})
    assert len(check({"a": Place(share_inside=0.4), "b": Place(share_inside=0.6)})) == 2


def test_a_mask_of_the_images_own_size_must_lie_wholly_within():
    with pytest.raises(GeometryError, match="has the size of the MRI, but its header puts 5"):
        check({"a": Place(share_inside=0.95)}, same_size_elsewhere=True)
    assert check({"a": Place()}, same_size_elsewhere=True) == []


def test_same_size_elsewhere_needs_equal_shape_and_spacing_and_another_place():
    def like(**changes):
        return VolumeGeometry(**{"shape": IMAGE.shape, "spacing": IMAGE.spacing, **changes})

    assert same_size_elsewhere(IMAGE, like(origin=(5, 0, 0)))
    assert not same_size_elsewhere(IMAGE, like())
    assert not same_size_elsewhere(IMAGE, like(origin=(5, 0, 0), spacing=(1, 1, 3)))
    assert not same_size_elsewhere(IMAGE, like(origin=(5, 0, 0), shape=(50, 100, 90)))


def at(origin, direction=IMAGE.direction):
    return VolumeGeometry(IMAGE.shape, IMAGE.spacing, origin, direction)


def turned(axis, degrees, geometry=IMAGE):
    """The same middle, turned about an axis of the patient."""
    from scipy.spatial.transform import Rotation

    axes = Rotation.from_euler(axis, degrees, degrees=True).as_matrix() @ np.array(geometry.direction)
    still = VolumeGeometry(geometry.shape, geometry.spacing, (0, 0, 0), axes)
    middle = (np.array(geometry.shape[::-1]) - 1) / 2
    return VolumeGeometry(geometry.shape, geometry.spacing, geometry.to_lps(middle) - still.to_lps(middle), axes)


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (at((0.5, -0.5, 1.0)), r"puts it 1\.2 mm away from it \(R -0\.5, A 0\.5, S 1\.0\)"),
        (at((0, 0, 40.0)), r"puts it 40\.0 mm away from it \(R 0\.0, A 0\.0, S 40\.0\)"),
        (reversed_axes(IMAGE), r"runs the axes i \(left-right\) and j \(front-back\) the other way: right if"),
        (reversed_axes(IMAGE, (2,)), r"runs the axis k \(head-foot\) the other way: right if"),
        (at((99, 99, 0), np.diag([-1.0, -1, 1])), r"\(front-back\) the other way: right if"),
        (at((0, 0, 0), np.diag([-1.0, -1, 1])), r"the other way and puts it 140\.0 mm"),
        (turned("z", 5), r"turns it by 5\.0 degrees: if"),
        (turned("x", 90), r"turns it by 90\.0 degrees"),
        (turned("y", 180), r"runs the axes i \(left-right\) and k \(head-foot\) the other way: right if"),
    ],
)  # fmt: skip
def test_a_header_of_the_images_size_that_lies_elsewhere_is_told_with_distance_and_axes(mask, words):
    told = where_else(IMAGE, mask)
    assert told.startswith("The segmentation has the size of the MRI, but its header ")
    assert re.search(words, told), told
    assert ("every lesion is mirrored" if told.count("other way: ") else "every lesion is in the wrong place") in told


def test_a_header_that_was_rounded_is_no_other_place():
    assert where_else(IMAGE, VolumeGeometry(IMAGE.shape, IMAGE.spacing, (0.09, -0.09, 0.09))) == ""
    assert where_else(IMAGE, VolumeGeometry(IMAGE.shape, IMAGE.spacing, (0.11, 0, 0))) != ""
    assert where_else(IMAGE, VolumeGeometry(IMAGE.shape, (1, 1, 2.00001), (0, 0, 0))) == ""
    told = where_else(IMAGE, VolumeGeometry(IMAGE.shape, (0.1, 0.1, 0.2)))
    assert "its header gives them 0.1 x 0.1 x 0.2 mm and not 1 x 1 x 2 mm: if it was drawn on this MRI" in told
    assert where_else(IMAGE, VolumeGeometry((50, 100, 99), IMAGE.spacing, (5, 0, 0))) == ""
    assert where_else(IMAGE, IMAGE) == ""
