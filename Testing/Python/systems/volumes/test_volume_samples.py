"""One 3D sample of a unit: channels in order, what is missing is said, and maps come back to where they were."""

from dataclasses import replace

import numpy as np
import pytest
from stranger import STRANGER

from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.errors import BundleError, InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.systems.volumes.preprocessing import VolumePreprocessing
from PulsarCAMLib.systems.volumes.samples import patient_unit, volume_samples

TURNED = ((0.0, 0.0, 1.0), (-0.8, 0.6, 0.0), (-0.6, -0.8, 0.0))
GRID = VolumeGeometry((14, 20, 18), (1.0, 1.5, 2.0), (5.0, -7.0, 3.0), TURNED)
DOSE_GRID = VolumeGeometry((40, 40, 40), (1.5, 1.5, 1.5), (-30.0, -45.0, -25.0))


def box(shape=GRID.shape):
    mask = np.zeros(shape, dtype=bool)
    mask[3:9, 5:13, 4:12] = True
    return Lesion.from_mask("A", mask)


def ramp(geometry):
    """Millimetres along a slanted line: linear, so that resampling gives it exactly."""
    k, j, i = np.moveaxis(np.indices(geometry.shape), 0, 0)
    lps = geometry.to_lps(np.stack([i, j, k], axis=-1))
    return lps @ np.array([1.0, 2.0, -0.5]) + 200


def case(**more):
    return Case({"flair": Image(ramp(GRID), GRID), **more}, (), "flair")


def test_channels_are_the_inputs_in_their_order_on_one_grid_standardised_inside():
    given = case(rtdose=Image(ramp(DOSE_GRID), DOSE_GRID))
    found = volume_samples(STRANGER, given, box(), VolumePreprocessing((8, 9, 10), (2.0, 2.5, 3.0)))
    assert found.images.shape == (1, 2, 8, 9, 10)
    assert found.images.dtype == np.float32
    assert found.grid.spacing == (2.0, 2.5, 3.0)
    inside = found.masks[0, 0]
    for channel in found.images[0]:
        assert channel[inside].mean() == pytest.approx(0, abs=1e-5)
        assert channel[inside].std() == pytest.approx(1, abs=1e-5)
    # the same field of two images on two grids is the same in the sample, wherever both reach
    np.testing.assert_allclose(found.images[0, 0][inside], found.images[0, 1][inside], atol=1e-4)
    beside = (
        "Only 8% of the high dose of the planned dose lies in the head on the FLAIR"  # a ramp is highest at an edge
    )
    assert [told.partition(";")[0] for told in found.warnings] == [beside]


def test_what_is_optional_and_missing_is_said_and_zero():
    found = volume_samples(STRANGER, case(), box(), VolumePreprocessing())
    assert not found.images[0, 1].any()
    assert found.warnings == ("“A”: there is no planned dose; the model answers without it.",)


def test_what_is_needed_and_missing_is_refused_by_its_name():
    with pytest.raises(InputError, match=r"The FLAIR is missing \(FLAIR MRI\); name it"):
        STRANGER.prepare(Case({"rtdose": Image(ramp(GRID), GRID)}), VolumePreprocessing(), lambda *_: None)


def test_an_image_of_elsewhere_is_refused():
    far = replace(DOSE_GRID, origin=(900.0, 0.0, 0.0))
    with pytest.raises(InputError, match="The planned dose does not reach"):
        volume_samples(STRANGER, case(rtdose=Image(ramp(far), far)), box(), VolumePreprocessing())


def test_the_mask_is_the_unit_and_the_centre_its_middle():
    found = volume_samples(STRANGER, case(), box(), VolumePreprocessing((24, 24, 24)))
    volume = found.masks.sum() * found.grid.voxel_volume_mm3 / 1000
    assert volume == pytest.approx(box().volume_cm3(GRID), rel=0.1)
    assert np.linalg.norm(found.centres_lps()[0] - box().centroid_lps(GRID)) < 0.5


def test_a_unit_smaller_than_a_voxel_of_the_sample_keeps_one():
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[3, 5, 4] = True
    found = volume_samples(
        STRANGER, case(), Lesion.from_mask("dot", mask), VolumePreprocessing((4, 4, 4), (9.0, 9.0, 9.0))
    )
    assert found.masks.sum() == 1


@pytest.mark.parametrize("restrict", [True, False])
def test_a_map_comes_back_to_the_millimetres_it_was_made_from(restrict):
    found = volume_samples(STRANGER, case(), box(), VolumePreprocessing((24, 24, 24)))
    pasted = found.paste(ramp(found.grid)[None].astype(np.float32), GRID, restrict)
    truth = ramp(GRID)[pasted.box]
    if restrict:
        assert pasted.offset == box().offset
        np.testing.assert_allclose(pasted.values[box().mask], truth[box().mask], rtol=1e-5)
        assert not pasted.values[~box().mask].any()
    else:
        k, j, i = np.indices(pasted.values.shape)
        whole = GRID.cropped(pasted.offset, pasted.values.shape)
        at = found.grid.to_ijk(whole.to_lps(np.stack([i, j, k], axis=-1)))
        inner = ((at >= 0) & (at <= 23)).all(axis=-1)
        assert inner.sum() > box().voxels
        np.testing.assert_allclose(pasted.values[inner], truth[inner], rtol=1e-5)


def test_a_unit_larger_than_its_sample_is_told_and_has_no_map_beyond():
    found = volume_samples(STRANGER, case(), box(), VolumePreprocessing((4, 4, 4), (1.0, 1.0, 1.0)))
    assert "“A” is larger than what the model sees" in found.warnings[0]
    pasted = found.paste(np.ones((1, 4, 4, 4), np.float32), GRID)
    assert 0 < (pasted.values > 0).sum() < box().voxels / 2


def test_a_map_of_another_size_is_refused():
    found = volume_samples(STRANGER, case(), box(), VolumePreprocessing((8, 8, 8)))
    with pytest.raises(InputError, match="One map"):
        found.paste(np.zeros((1, 4, 4, 4), np.float32), GRID)


def test_the_patient_is_what_is_not_zero():
    voxels = np.zeros(GRID.shape)
    voxels[2:5, 3:9, 4:6] = 7
    unit = patient_unit(Case({"flair": Image(voxels, GRID)}), "patient")
    assert unit.offset == (2, 3, 4)
    assert unit.voxels == voxels.astype(bool).sum()
    with pytest.raises(InputError, match="zero, NaN or infinite everywhere"):
        patient_unit(Case({"flair": Image(np.zeros(GRID.shape), GRID)}), "patient")


@pytest.mark.parametrize("preprocessing", [VolumePreprocessing(), VolumePreprocessing((4, 5, 6), (1, 2, 3))])
def test_preprocessing_comes_back_from_its_card(preprocessing):
    assert VolumePreprocessing.from_card(preprocessing.to_card()) == preprocessing
    assert "voxels" in preprocessing.in_words()


@pytest.mark.parametrize(
    "card",
    [{"size": [4, 4, 4]}, {"size": [4, 4], "spacing": None}, {"size": [4, 4, 0], "spacing": None},
     {"size": 4, "spacing": None}, {"size": [4, 4, 4], "spacing": [0, 1, 1]}],
)  # fmt: skip
def test_a_wrong_card_is_refused(card):
    with pytest.raises(BundleError):
        VolumePreprocessing.from_card(card)
