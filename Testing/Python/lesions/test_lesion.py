import numpy as np
import pytest

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.lesions.from_labels import lesions_from_labels, lesions_from_masks


def block(*where, shape=(6, 10, 12)):
    mask = np.zeros(shape, bool)
    mask[where] = True
    return mask


TWO_PARTS = block(slice(1, 3), slice(1, 4), slice(1, 4)) | block(slice(4, 5), slice(7, 9), slice(8, 10))


def test_a_lesion_is_cut_to_its_box_and_comes_back_whole():
    lesion = Lesion.from_mask("GTV", TWO_PARTS)
    assert lesion.offset == (1, 1, 1)
    assert lesion.mask.shape == (4, 8, 9)
    np.testing.assert_array_equal(lesion.full_mask(TWO_PARTS.shape), TWO_PARTS)


def test_volume_is_voxels_times_voxel_volume():
    geometry = VolumeGeometry(TWO_PARTS.shape, spacing=(0.5, 2.0, 3.0))
    assert Lesion.from_mask("GTV", TWO_PARTS).volume_cm3(geometry) == pytest.approx(22 * 3.0 / 1000)


def test_the_centroid_is_the_mean_voxel_in_millimetres():
    geometry = VolumeGeometry(TWO_PARTS.shape, (0.5, 2.0, 3.0), (7, 8, 9))
    single = Lesion.from_mask("dot", block(2, 3, 4))
    np.testing.assert_allclose(single.centroid_lps(geometry), [7 + 4 * 0.5, 8 + 3 * 2, 9 + 2 * 3])


def test_one_label_value_gives_a_lesion_per_connected_part_by_size():
    lesions, notes = lesions_from_labels(TWO_PARTS.astype(np.int16))
    assert [lesion.name for lesion in lesions] == ["Lesion 1 (1)", "Lesion 1 (2)"]
    assert [lesion.voxels for lesion in lesions] == [18, 4]
    assert "2 lesions" in notes[0]


def test_one_label_value_together_is_one_lesion():
    lesions, notes = lesions_from_labels(TWO_PARTS.astype(np.int16), parts="together")
    assert [lesion.voxels for lesion in lesions] == [22]
    assert not notes


def test_several_label_values_are_one_lesion_each():
    labels = TWO_PARTS.astype(np.float64)
    labels[4] *= 7
    labels[0, 0, 0] = 7
    lesions, _ = lesions_from_labels(labels, names={7: "left frontal"})
    assert [(lesion.name, lesion.voxels) for lesion in lesions] == [("Lesion 1", 18), ("left frontal", 5)]


def test_corners_that_touch_are_one_part():
    diagonal = block(1, 1, 1) | block(2, 2, 2)
    assert len(lesions_from_labels(diagonal.astype(np.uint8))[0]) == 1


def test_touching_and_overlapping_masks_stay_apart():
    left, right = block(2, 2, slice(0, 4)), block(2, 2, slice(3, 8))
    lesions, _ = lesions_from_masks({"a": left, "b": right})
    assert [lesion.voxels for lesion in lesions] == [4, 5]


def test_a_segment_with_several_parts_is_one_lesion_unless_asked():
    assert len(lesions_from_masks({"a": TWO_PARTS})[0]) == 1
    assert len(lesions_from_masks({"a": TWO_PARTS}, parts="separate")[0]) == 2


def test_an_empty_segment_is_named_in_the_error():
    with pytest.raises(InputError, match="“b”"):
        lesions_from_masks({"a": TWO_PARTS, "b": np.zeros_like(TWO_PARTS)})


def test_an_empty_segment_may_be_skipped_with_a_warning():
    lesions, warnings = lesions_from_masks({"a": TWO_PARTS, "b": np.zeros_like(TWO_PARTS)}, empty="skip")
    assert [lesion.name for lesion in lesions] == ["a"]
    assert "“b”" in warnings[0]


def test_only_empty_segments_are_an_error_even_when_skipping():
    with pytest.raises(InputError, match="“b”"):
        lesions_from_masks({"b": np.zeros_like(TWO_PARTS)}, empty="skip")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.zeros((2, 2, 2), int), "every voxel is background"),
        (np.full((2, 2, 2), 0.5), "fractions"),
        (np.full((2, 2, 2), np.nan), "NaN"),
        (np.ones((2, 2), int), "dimensions"),
    ],
)
def test_what_is_no_label_volume_is_refused(labels, words):
    with pytest.raises(InputError, match=words):
        lesions_from_labels(labels)


def test_a_missing_label_value_is_named():
    with pytest.raises(InputError, match=r"\[9\]"):
        lesions_from_labels(TWO_PARTS.astype(int), values=[1, 9])


def test_no_segment_at_all_is_refused():
    with pytest.raises(InputError, match="no lesion"):
        lesions_from_masks({})
