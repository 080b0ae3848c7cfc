"""Heads of ellipsoids that were moved by a known motion come back to each other; neither is favoured."""

import re
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from two_visits import TWO, turn

from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry, moved
from PulsarCAMLib.lesions.resampling import resample
from PulsarCAMLib.systems.volumes.align import ATLAS_VARIABLE, common_space
from PulsarCAMLib.systems.volumes.preprocessing import VolumePreprocessing
from PulsarCAMLib.systems.volumes.quality import Likeness, Quality, likeness
from PulsarCAMLib.systems.volumes.registration import AFFINE, register
from PulsarCAMLib.systems.volumes.samples import patient_unit, volume_samples
from PulsarCAMLib.systems.volumes.space import degrees_of, shift_mm, volume_factor

SPACING = (5.0, 5.0, 5.0)
BEFORE = VolumeGeometry((30, 38, 33), SPACING, (-82.0, -94.0, -73.0))
NOW = VolumeGeometry((32, 39, 33), SPACING, (-74.0, -98.0, -75.0))
WAY = turn(8, (1, -2, 3), (6.0, -4.0, 5.0))
HALF = VolumePreprocessing((24, 24, 24), (6.0, 6.0, 6.0), "patient", "halfway")
BALL, RADIUS = np.array([20.0, -15.0, 10.0]), 24.0


def head(geometry, way=None, contrast=1.0, ball=0.0):
    """A skull, a brain, two chambers and lumps, none of them symmetrical; ``way`` takes the head's points to the
    image's.
    """
    k, j, i = np.indices(geometry.shape)
    at = moved(geometry.to_lps(np.stack([i, j, k], axis=-1)), None if way is None else np.linalg.inv(way))

    def soft(centre, radii, value):
        distance = np.linalg.norm((at - centre) / radii, axis=-1)
        return value / (1 + np.exp((distance - 1) * min(radii) / 2.0))

    tissue = soft((0, 0, 0), (70, 85, 65), 300) - soft((0, 0, 0), (62, 77, 57), 200)
    tissue += soft((0, 0, 0), (60, 75, 55), 250)
    rng = np.random.default_rng(5)
    for _ in range(30):
        tissue += contrast * soft(rng.uniform(-1, 1, 3) * (40, 52, 36), rng.uniform(6, 16, 3), rng.uniform(-150, 150))
    tissue += ball * soft(BALL, (RADIUS,) * 3, 1.0)
    return Image(tissue.astype(np.float32), geometry)


@pytest.fixture(scope="module")
def pair():
    return head(BEFORE), head(NOW, WAY)


@pytest.fixture(scope="module")
def halfway(pair):
    case = Case({"t1-now": pair[1], "t1-before": pair[0]}, reference="t1-now")
    return common_space(TWO.inputs, case, HALF)


def corners():
    return np.array([[x, y, z] for x in (-60, 60) for y in (-75, 75) for z in (-55, 55)], dtype=float)


def test_a_known_motion_is_found(pair):
    found = register(*pair)
    assert shift_mm(found.matrix, WAY, corners()) < 0.5
    assert degrees_of(found.matrix @ np.linalg.inv(WAY)) < 0.3


def test_images_far_apart_are_found_from_their_centres(pair):
    far = replace(NOW, origin=(430.0, -300.0, 220.0))
    shift = np.eye(4)
    shift[:3, 3] = np.array(far.origin) - NOW.origin
    found = register(pair[0], Image(pair[1].voxels, far))
    assert found.start != "headers"
    assert shift_mm(found.matrix, shift @ WAY, corners()) < 0.5


def test_the_answer_does_not_depend_on_the_number_of_threads(pair):
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    try:
        found = []
        for threads in (1, 3):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
            found.append(register(*pair).matrix)
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    np.testing.assert_array_equal(*found)


def test_halfway_neither_visit_is_moved_more_than_the_other(halfway):
    now, before = halfway.ways["t1-now"], halfway.ways["t1-before"]
    assert shift_mm(now @ np.linalg.inv(before), WAY, corners()) < 0.5
    assert degrees_of(now) == pytest.approx(degrees_of(before), abs=1e-6)
    np.testing.assert_allclose(now @ before, np.eye(4), atol=1e-6)
    assert volume_factor(now) == pytest.approx(1, abs=1e-12)


def test_the_quality_is_told_and_no_doubt_where_there_is_none(halfway):
    (quality,) = halfway.quality
    assert (quality.moving, quality.fixed, quality.same_modality) == ("t1-now", "t1-before", True)
    assert quality.after.correlation > 0.99 > quality.before.correlation
    assert quality.after.information > quality.before.information
    assert quality.apart_mm < 0.5
    assert quality.turned_degrees == pytest.approx(8, abs=0.3)
    assert not halfway.warnings
    assert Quality.from_card(quality.to_card()) == quality


def test_visits_that_change_places_give_the_mirrored_result(pair, halfway):
    one = Case({"t1-now": pair[1], "t1-before": pair[0]}, reference="t1-now")
    other = Case({"t1-now": pair[0], "t1-before": pair[1]}, reference="t1-now")
    there = volume_samples(TWO, one, patient_unit(one, "patient"), HALF, halfway)
    (back,) = TWO.prepare(other, HALF, lambda *_: None)
    assert there.grid.same_grid(back.grid)
    np.testing.assert_allclose(there.images[0, 0], back.images[0, 1], atol=2e-3)
    np.testing.assert_allclose(there.images[0, 1], back.images[0, 0], atol=2e-3)


def test_a_ball_keeps_its_volume_halfway_and_not_under_an_affine_to_an_atlas(tmp_path, monkeypatch, pair, halfway):
    truth = 4 / 3 * np.pi * (RADIUS**3 + np.pi**2 * RADIUS)  # the integral of a ball with an edge that soft
    way = np.linalg.inv(WAY)

    def volume(ways, role, geometry, to_head):
        """Of the ball, brought to the common space as an image of the same place would be."""
        k, j, i = np.indices(geometry.shape)
        at = moved(geometry.to_lps(np.stack([i, j, k], axis=-1)), to_head)
        inside = 1 / (1 + np.exp((np.linalg.norm(at - BALL, axis=-1) - RADIUS) / 1.0))
        grid = VolumeGeometry((90, 110, 90), (2.0, 2.0, 2.0), (-90.0, -110.0, -90.0))
        found = resample(geometry.to_sitk(inside.astype(np.float32)), grid, matrix=ways[role])
        return found.sum() * grid.voxel_volume_mm3

    assert volume(halfway.ways, "t1-now", NOW, way) == pytest.approx(truth, rel=0.01)
    assert volume(halfway.ways, "t1-before", BEFORE, None) == pytest.approx(truth, rel=0.01)

    stretch = np.diag([1.12, 1.08, 1.1, 1.0])
    atlas = head(VolumeGeometry((33, 42, 37), SPACING, (-90.0, -102.0, -81.0)), stretch)
    sitk.WriteImage(atlas.geometry.to_sitk(atlas.voxels), str(tmp_path / "atlas.nii.gz"))
    monkeypatch.setenv(ATLAS_VARIABLE, str(tmp_path / "atlas.nii.gz"))
    case = Case({"t1-before": pair[0]}, reference="t1-before")
    space = common_space(TWO.inputs, case, replace(HALF, registration="atlas"))
    factor = np.linalg.det(stretch)
    assert volume_factor(space.ways["t1-before"]) == pytest.approx(factor, rel=0.03)
    assert volume(space.ways, "t1-before", BEFORE, None) == pytest.approx(truth * factor, rel=0.03)
    assert any("changes volumes: on the T1 before they become 1" in warning for warning in space.warnings)


def test_modalities_are_brought_to_the_first_of_their_visit():
    moved_by = turn(3, (0, 1, 1), (2.0, 3.0, -2.0))
    other = head(BEFORE, moved_by, contrast=-1.0)
    images = {"t1-before": head(BEFORE), "t2-before": other, "plan": Image(np.ones(BEFORE.shape), BEFORE)}
    space = common_space(TWO.inputs, Case(images, reference="t1-before"), HALF)
    assert space.ways["t1-before"] is None
    assert space.ways["plan"] is None
    assert shift_mm(space.ways["t2-before"], moved_by, corners()) < 1.0
    told = {(each.moving, each.fixed): each for each in space.quality}
    assert told["t2-before", "t1-before"].same_modality is False
    assert told["t2-before", "t1-before"].apart_mm is None


def test_an_atlas_must_be_given_and_be_the_right_one(tmp_path, monkeypatch, pair):
    case = Case({"t1-now": pair[1], "t1-before": pair[0]}, reference="t1-now")
    wants = replace(HALF, registration="atlas", atlas_sha256="0" * 64)
    monkeypatch.delenv(ATLAS_VARIABLE, raising=False)
    with pytest.raises(InputError, match=f"variable {ATLAS_VARIABLE} to its file"):
        common_space(TWO.inputs, case, wants)
    sitk.WriteImage(BEFORE.to_sitk(pair[0].voxels), str(tmp_path / "atlas.nii.gz"))
    monkeypatch.setenv(ATLAS_VARIABLE, str(tmp_path / "atlas.nii.gz"))
    with pytest.raises(InputError, match=r"The atlas atlas\.nii\.gz is another one"):
        common_space(TWO.inputs, case, wants)


def test_an_affine_finds_a_stretch(pair):
    stretch = np.diag([1.1, 0.95, 1.05, 1.0])
    found = register(pair[0], head(NOW, stretch), AFFINE)
    assert shift_mm(found.matrix, stretch, corners()) < 1.5


def test_images_of_two_patients_are_doubted(pair):
    rng = np.random.default_rng(3)
    noise = sitk.GetArrayFromImage(
        sitk.SmoothingRecursiveGaussian(sitk.GetImageFromArray(rng.normal(0, 1, NOW.shape)), 2)
    )
    stranger = Image((np.abs(noise) * 4000).astype(np.float32), NOW)
    images = {"t1-now": stranger, "t1-before": pair[0]}
    aligned = Case(images, reference="t1-now", transforms={"t1-now": np.eye(4)})
    space = common_space(TWO.inputs, aligned, HALF)
    assert any("The T1 now hardly fits the T1 before" in w and "of two patients" in w for w in space.warnings)


def test_single_slices_cannot_be_registered(pair):
    flat = VolumeGeometry((5, 38, 33), (5.0, 5.0, 6.0), BEFORE.origin)
    thin = Image(pair[0].voxels[12:17], flat)
    with pytest.raises(InputError, match="The T1 now has 33 x 38 x 5 voxels; registration needs a volume"):
        common_space(TWO.inputs, Case({"t1-now": thin, "t1-before": pair[0]}, reference="t1-now"), HALF)


def test_an_empty_image_cannot_be_registered(pair):
    empty = Image(np.zeros(NOW.shape), NOW)
    with pytest.raises(InputError, match="has the same value everywhere"):
        register(pair[0], empty)


@pytest.mark.parametrize(
    ("quality", "says"),
    [
        (Likeness(1.2, 0.9, 0.5), "only 50% of the head lies in both"),
        (Likeness(1.2, 0.5, 1.0), r"correlation is 0\.50, below 0\.7"),
    ],
)
def test_each_limit_is_said(quality, says):
    found = Quality("a", "b", "rigid", True, quality, quality, 1.0, 1.0)
    (doubt,) = found.doubts()
    assert re.search(says, doubt)


def test_limits_of_two_modalities_and_of_two_directions_are_said():
    poor = Likeness(1.01, 0.1, 1.0)
    found = Quality("a", "b", "rigid", False, poor, poor, 1.0, 1.0, apart_mm=2.5)
    assert list(found.doubts()) == [
        "their mutual information is 1.010, below 1.03", "the two directions differ by 2.5 mm",
    ]  # fmt: skip


def test_likeness_of_an_image_with_itself_is_whole_and_of_what_does_not_meet_nothing(pair):
    same = likeness(pair[0], pair[0], None)
    assert same.correlation == pytest.approx(1)
    assert same.information == pytest.approx(2)
    assert same.overlap == 1
    far = Image(pair[0].voxels, replace(BEFORE, origin=(900.0, 0.0, 0.0)))
    assert likeness(pair[0], far, None) == Likeness(1.0, 0.0, 0.0)
