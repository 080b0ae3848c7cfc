"""Registration of real heads with known answers, on coarse voxels so that it takes seconds."""

import numpy as np
import pytest
import SimpleITK as sitk
from two_visits import TWO, turn

from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.io.transforms import read_transform
from PulsarCAMLib.io.volumes import read_image_of
from PulsarCAMLib.systems.volumes.align import common_space
from PulsarCAMLib.systems.volumes.preprocessing import VolumePreprocessing
from PulsarCAMLib.systems.volumes.quality import head_points
from PulsarCAMLib.systems.volumes.registration import register
from PulsarCAMLib.systems.volumes.space import degrees_of, rigid, shift_mm

HALF = VolumePreprocessing((64, 64, 64), (3.0, 3.0, 3.0), "patient", "halfway")


def coarser(image, factors):
    """Every few voxels averaged."""
    small = sitk.BinShrink(sitk.Cast(image.geometry.to_sitk(image.voxels), sitk.sitkFloat32), factors)
    return Image(sitk.GetArrayFromImage(small), VolumeGeometry.from_sitk(small))


def apart(found, truth, points):
    """Degrees, and millimetres at the middle of the head."""
    middle = points.mean(axis=0)[None]
    return degrees_of(found @ np.linalg.inv(truth)), shift_mm(found, truth, middle)


@pytest.fixture(scope="module")
def visits(shared_data):
    folder = shared_data / "ms_longitudinal_p12"
    if not folder.is_dir():
        pytest.skip("the longitudinal images are not there")
    flairs = [coarser(read_image_of(folder / f"study{n}_FLAIR.nii.gz"), (4, 4, 1)) for n in (1, 2)]
    known = [read_transform(folder / f"study{n}_FLAIR_to_common_space.txt") for n in (1, 2)]
    return flairs, known


def test_two_visits_of_a_patient_come_back_as_published(visits):
    (one, two), known = visits
    space = common_space(TWO.inputs, Case({"t1-before": one, "t1-now": two}, reference="t1-now"), HALF)
    found = space.ways["t1-now"] @ np.linalg.inv(space.ways["t1-before"])
    degrees, mm = apart(found, rigid(known[1] @ np.linalg.inv(known[0])), head_points(one))
    assert degrees < 1
    assert mm < 1
    (quality,) = space.quality
    assert quality.before.correlation < 0.7
    assert quality.after.correlation > 0.94
    assert quality.apart_mm < 0.5
    assert not space.warnings


def test_published_transforms_are_taken_as_they_are(visits):
    (one, two), known = visits
    given = Case({"t1-before": one, "t1-now": two}, reference="t1-now",
                 transforms={"t1-before": known[0], "t1-now": known[1]})  # fmt: skip
    space = common_space(TWO.inputs, given, HALF)
    assert space.quality[0].after.correlation > 0.94
    assert [w for w in space.warnings if "is not rigid: volumes become 99.6%" in w]


def test_a_known_motion_of_a_tumour_patient_is_found(shared_data):
    folder = shared_data / "brats_gli_00001"
    if not folder.is_dir():
        pytest.skip("the tumour images are not there")
    image = coarser(read_image_of(folder / "t1c.nii.gz"), (3, 3, 3))
    motion = turn(7, (2, 1, -1), (5.0, -8.0, 4.0))
    centre = head_points(image).mean(axis=0)
    motion[:3, 3] += centre - motion[:3, :3] @ centre
    place = image.geometry
    moved_place = VolumeGeometry.from_ijk_to_lps(motion @ place.ijk_to_lps, place.shape)
    # seen on another grid, so that the voxels are others
    grid = VolumeGeometry((60, 80, 78), (2.7, 2.7, 2.9), tuple(centre - (104, 107, 85)))
    seen = sitk.Resample(moved_place.to_sitk(image.voxels), grid.to_sitk(np.zeros(grid.shape, np.float32)))
    moving = Image(sitk.GetArrayFromImage(seen), grid)
    degrees, mm = apart(register(image, moving).matrix, motion, head_points(image))
    assert degrees < 0.5
    assert mm < 0.5
