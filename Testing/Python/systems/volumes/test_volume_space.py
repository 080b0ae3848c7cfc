"""A case whose images lie elsewhere: one space, channels by time point, and maps on each input's own grid."""

from dataclasses import replace

import numpy as np
import pytest
from two_visits import TWO, turn

from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.errors import BundleError, InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry, moved
from PulsarCAMLib.systems.volumes.preprocessing import VolumePreprocessing
from PulsarCAMLib.systems.volumes.samples import patient_unit, volume_samples
from PulsarCAMLib.systems.volumes.space import degrees_of, is_rigid, middle_of, rigid

TURNED = ((0.0, 0.0, 1.0), (-0.8, 0.6, 0.0), (-0.6, -0.8, 0.0))
BEFORE = VolumeGeometry((18, 24, 22), (1.5, 1.5, 2.0), (-15.0, -18.0, -17.0))
_AXES = np.array(TURNED)
_FIRST = (4.0, -3.0, 6.0) - _AXES @ (np.array([1.8, 1.4, 1.6]) * np.array([23, 19, 21]) / 2)
NOW = VolumeGeometry((22, 20, 24), (1.8, 1.4, 1.6), tuple(_FIRST), TURNED)


WAY = turn(14, (1, 2, 3), (4.0, -3.0, 6.0))


def points(geometry):
    k, j, i = np.indices(geometry.shape)
    return geometry.to_lps(np.stack([i, j, k], axis=-1))


def scene(lps):
    """A field that is linear, so that resampling gives it exactly."""
    return lps @ np.array([1.0, 2.0, -0.5]) + 200


def images(transform=WAY):
    """The same field seen before, and now by a patient who has moved: now's point is ``transform`` of before's."""
    now = scene(moved(points(NOW), np.linalg.inv(transform)))
    return {"t1-now": Image(now, NOW), "t1-before": Image(scene(points(BEFORE)), BEFORE)}


@pytest.mark.parametrize("axes", ["image", "patient"])
def test_images_with_given_transforms_meet_on_the_samples_grid(axes):
    given = Case(images(), reference="t1-now", transforms={"t1-now": WAY, "t1-before": np.eye(4)})
    (found,) = TWO.prepare(given, VolumePreprocessing((8, 9, 10), (2.0, 2.0, 2.0), axes), lambda *_: None)
    inner = tuple(slice(2, -2) for _ in range(3))
    now, before = found.images[0, 0][inner], found.images[0, 1][inner]
    np.testing.assert_allclose(np.diff(now.ravel()), np.diff(before.ravel()), atol=2e-3)
    if axes == "patient":
        assert found.grid.direction == ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    else:
        np.testing.assert_allclose(WAY[:3, :3] @ np.array(found.grid.direction), NOW.direction, atol=1e-12)


@pytest.mark.parametrize("restrict", [True, False])
@pytest.mark.parametrize("role", ["t1-now", "t1-before"])
def test_a_map_comes_back_to_each_inputs_own_grid(role, restrict):
    given = Case(images(), reference="t1-now", transforms={"t1-now": WAY})
    (found,) = TWO.prepare(given, VolumePreprocessing((24, 24, 24), (1.5, 1.5, 1.5), "patient"), lambda *_: None)
    place = found.places[role]
    on_sample = scene(points(found.grid))[None].astype(np.float32)
    pasted = found.paste(on_sample, place.geometry, restrict, role)
    own = points(place.geometry)
    truth = scene(moved(own, None if place.way is None else np.linalg.inv(place.way)))[pasted.box]
    at = found.grid.to_ijk(moved(own, None if place.way is None else np.linalg.inv(place.way)))[pasted.box]
    inner = ((at >= 0) & (at <= 23)).all(axis=-1) & (pasted.values != 0)
    assert inner.sum() > 1000
    np.testing.assert_allclose(pasted.values[inner], truth[inner], rtol=1e-4)
    if role == "t1-now":
        np.testing.assert_array_equal(pasted.values, found.paste(on_sample, NOW, restrict).values)


def test_a_map_is_restricted_to_the_unit_where_it_lies_in_each_input():
    mask = np.zeros(NOW.shape, dtype=bool)
    mask[9:14, 8:13, 9:15] = True
    both = images()
    both["t1-now"] = Image(np.where(mask, both["t1-now"].voxels, 0), NOW)
    given = Case(both, reference="t1-now", transforms={"t1-now": WAY})
    (found,) = TWO.prepare(given, VolumePreprocessing((24, 24, 24), (1.0, 1.0, 1.0), "patient"), lambda *_: None)
    ones = np.ones((1, 24, 24, 24), np.float32)
    now, before = found.paste(ones, NOW, True, "t1-now"), found.paste(ones, BEFORE, True, "t1-before")
    np.testing.assert_array_equal(now.values > 0, found.lesion.mask)
    volume = now.values.astype(bool).sum() * NOW.voxel_volume_mm3
    assert (before.values > 0).sum() * BEFORE.voxel_volume_mm3 == pytest.approx(volume, rel=0.15)
    middle = NOW.to_lps(np.argwhere(mask).mean(axis=0)[::-1])
    kji = np.argwhere(before.values > 0).mean(axis=0) + before.offset
    assert np.linalg.norm(BEFORE.to_lps(kji[::-1]) - moved(middle, np.linalg.inv(WAY))) < 1.0


def test_a_map_for_an_input_that_is_not_there_is_refused():
    (found,) = TWO.prepare(Case(images(), reference="t1-now"), VolumePreprocessing(), lambda *_: None)
    with pytest.raises(InputError, match="no image 't2-now' to bring a map to; there are t1-now, t1-before"):
        found.paste(np.zeros((1, 16, 16, 16), np.float32), NOW, True, "t2-now")


def test_channels_are_the_inputs_or_later_minus_earlier_by_modality():
    assert [each.name for each in TWO.channels(VolumePreprocessing())] == [
        "t1-now", "t1-before", "t2-now", "t2-before", "plan",
    ]  # fmt: skip
    told = TWO.channels(VolumePreprocessing(subtraction=True))
    assert [each.name for each in told] == ["t1-now - t1-before", "t2-now - t2-before", "plan"]
    assert told[0].title == "T1 now minus T1 before"
    assert len(TWO.probe_input(None, VolumePreprocessing(subtraction=True))[0][0]) == 3


def test_subtraction_takes_the_earlier_from_the_later_and_says_what_is_missing():
    given = Case(images(np.eye(4)) | {"t2-now": images()["t1-now"]}, reference="t1-now")
    (apart,) = TWO.prepare(given, VolumePreprocessing((8, 8, 8)), lambda *_: None)
    (found,) = TWO.prepare(given, VolumePreprocessing((8, 8, 8), subtraction=True), lambda *_: None)
    np.testing.assert_array_equal(found.images[0, 0], apart.images[0, 0] - apart.images[0, 1])
    assert not found.images[0, 1].any()
    assert "“patient”: there is no T2 before; the model answers without it." in found.warnings


@pytest.mark.parametrize(("scale", "told"), [("fixed", 0.5), ("maximum", 1.0)])
def test_a_dose_is_divided_by_a_stated_rule(scale, told):
    dose = np.full(NOW.shape, 30.0)
    given = Case(images() | {"plan": Image(dose, NOW)}, reference="t1-now")
    (found,) = TWO.prepare(given, VolumePreprocessing((8, 8, 8), (1, 1, 1), dose_scale=scale), lambda *_: None)
    np.testing.assert_allclose(found.images[0, 4], told)


def test_half_of_a_motion_twice_is_the_whole():
    half = middle_of([np.eye(4), WAY])
    np.testing.assert_allclose(half @ half, WAY, atol=1e-10)
    assert degrees_of(half) == pytest.approx(7)
    np.testing.assert_allclose(middle_of([WAY, np.eye(4)]), half, atol=1e-12)


def test_a_rigid_matrix_is_told_from_others():
    assert is_rigid(WAY)
    assert not is_rigid(np.diag([1.02, 1, 1, 1]))
    assert not is_rigid(np.diag([-1.0, 1, 1, 1]))
    np.testing.assert_allclose(rigid(WAY), WAY, atol=1e-12)


def test_a_transform_that_changes_volumes_is_told_and_an_absurd_one_refused():
    stretched = np.diag([1.1, 1, 1, 1])
    given = Case(images(np.eye(4)), reference="t1-now", transforms={"t1-now": stretched})
    (found,) = TWO.prepare(given, VolumePreprocessing((8, 8, 8), (1, 1, 1), "patient"), lambda *_: None)
    assert "The transform of the T1 now is not rigid: volumes become 90.9% of what they are." in found.warnings
    given = replace(given, transforms={"t1-now": np.diag([100.0, 1, 1, 1])})
    with pytest.raises(InputError, match=r"changes volumes 0\.01fold"):
        TWO.prepare(given, VolumePreprocessing((8, 8, 8)), lambda *_: None)


def test_a_model_that_wants_given_transforms_says_so_without():
    wants = VolumePreprocessing((8, 8, 8), registration="given")
    with pytest.raises(InputError, match="or say that all are aligned"):
        TWO.prepare(Case(images(), reference="t1-now"), wants, lambda *_: None)
    aligned = Case(images(), reference="t1-now", transforms={"t1-now": np.eye(4)})
    (found,) = TWO.prepare(aligned, wants, lambda *_: None)
    unit = patient_unit(aligned, "patient")
    plain = volume_samples(TWO, replace(aligned, transforms={}), unit, VolumePreprocessing((8, 8, 8)))
    np.testing.assert_array_equal(found.images, plain.images)


def test_new_settings_stay_out_of_old_cards_and_come_back():
    assert set(VolumePreprocessing().to_card()) == {"size", "spacing"}
    one = VolumePreprocessing(
        (4, 4, 4), (1, 1, 1), "patient", "halfway", brain="tool", bias_correction=True, subtraction=True,
        dose_scale="fixed", dose_gy=20,
    )  # fmt: skip
    assert VolumePreprocessing.from_card(one.to_card()) == one
    assert one.identity() != replace(one, dose_gy=21).identity()
    for words in ("rigidly", "patient's axes", "N4", "later minus earlier", "20 Gy", "inside the brain"):
        assert words in one.in_words()
    with pytest.raises(BundleError, match="set the axes of the preprocessing to 'patient'"):
        VolumePreprocessing(registration="halfway")
