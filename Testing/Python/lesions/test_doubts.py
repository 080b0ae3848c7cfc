"""What is no mask of lesions is refused with a guess, what is a little off is taken."""

from dataclasses import replace

import numpy as np
import pytest
from making_files import PLAIN, a_volume, scaled_nifti, two_boxes, written

from PulsarCAMLib.core.errors import COLUMN, PANEL, InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.lesions.doubts import MOST_LESIONS, whole_numbers
from PulsarCAMLib.lesions.from_files import is_empty, read_lesions, read_own_lesions

LABELS = two_boxes(PLAIN, second=2).astype(int)


def read(tmp_path, array, geometry=PLAIN, **options):
    return read_lesions(written(tmp_path / "mask.nrrd", array, geometry), PLAIN, **options)


def names(found):
    return [lesion.name for lesion in found[0]]


@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float32])
@pytest.mark.parametrize("options", [{}, {"labels": [400]}, {"parts": "together"}])
def test_an_mri_of_whole_numbers_is_no_mask(tmp_path, kind, options):
    values = a_volume(PLAIN)
    values = (values // 4 if kind is np.uint8 else values).astype(kind)
    with pytest.raises(InputError, match=r"different values that lie side by side: it is an image, not a mask; were"):
        read(tmp_path, values, **options)


def test_an_mri_without_its_background_is_no_mask(tmp_path):
    """Skull-stripped: most voxels are 0, as in a mask."""
    with pytest.raises(InputError, match="it is an image"):
        read(tmp_path, a_volume(PLAIN) * (LABELS > 0))


def test_regions_by_the_hundred_are_anatomy_unless_some_are_chosen(tmp_path):
    """FreeSurfer has about this many values, with gaps, over all of the brain."""
    shape = (60, 128, 120)
    regions = np.kron(np.arange(1, 181).reshape(6, 6, 5), np.ones((8, 18, 20), int)) * 11
    anatomy = np.zeros(shape, np.int32)
    anatomy[4:52, 6:114, 5:105] = regions
    grid = replace(PLAIN, shape=shape, spacing=(1.5, 1.2, 1.0))
    path = written(tmp_path / "aparc.nrrd", anatomy, grid)
    with pytest.raises(InputError, match=r"180 label values of 933 cm³ together.*anatomy \(FreeSurfer") as raised:
        read_lesions(path, grid)
    assert "--labels" in str(raised.value)
    assert "label_value" in raised.value.told(COLUMN)
    assert "ticked" in raised.value.told(PANEL)
    assert names(read_lesions(path, grid, labels=[11, 1980])) == ["Lesion 11", "Lesion 1980"]


def dots(count):
    """Voxels that do not touch, numbered."""
    labels = np.zeros(PLAIN.shape, np.int32)
    labels[1::3, 1::3, 1::3].flat[:count] = range(1, count + 1)
    return labels


def test_many_small_lesions_of_their_own_value_are_lesions(tmp_path):
    assert len(names(read(tmp_path, dots(150)))) == 150
    with pytest.raises(InputError, match="holds 200 label values, which are hardly all lesions; choose those"):
        read(tmp_path, dots(MOST_LESIONS))


def test_hundreds_of_parts_are_asked_about_and_the_answer_is_taken(tmp_path):
    specks = (dots(MOST_LESIONS) > 0).astype(np.uint8)
    with pytest.raises(InputError, match=r"200 parts that do not touch.*--parts together \(one lesion\)"):
        read(tmp_path, specks)
    assert names(read(tmp_path, specks, parts="together")) == ["Lesion 1"]
    assert len(names(read(tmp_path, specks, parts="separate"))) == MOST_LESIONS
    assert len(names(read(tmp_path, specks, asks=False))) == MOST_LESIONS
    assert len(names(read(tmp_path, (dots(MOST_LESIONS - 1) > 0).astype(np.uint8)))) == MOST_LESIONS - 1


def test_a_background_that_is_not_0_is_no_lesion(tmp_path):
    with pytest.raises(InputError, match=r"has no background: no voxel is 0, and the value 1 fills 9\d\.\d% of it"):
        read(tmp_path, (LABELS + 1).astype(np.uint8))
    assert names(read(tmp_path, (LABELS + 1).astype(np.uint8), labels=[2, 3])) == ["Lesion 2", "Lesion 3"]
    with pytest.raises(InputError, match=r"“Lesion 1” fills 9\d\.\d% of it and holds all its corners, so it is back"):
        read(tmp_path, (LABELS + 1).astype(np.uint8), labels=[1])
    with pytest.raises(InputError, match="so it is background"):
        read(tmp_path, (LABELS == 0).astype(np.uint8))


def test_the_background_is_recognised_without_an_mri(tmp_path):
    """As where a cohort table names masks alone: a wrong label value must not become a volume."""
    path = written(tmp_path / "mask.nrrd", (LABELS + 1).astype(np.uint8), PLAIN)
    with pytest.raises(InputError, match=r"“Lesion 1” fills 9\d\.\d% of it and holds all its corners"):
        read_own_lesions(path, "together", [1])
    outside = {"Segment0_ID": "S1", "Segment0_Name": "outside", "Segment0_LabelValue": "1", "Segment0_Layer": "0"}
    path = written(tmp_path / "outside.seg.nrrd", (LABELS == 0).astype(np.uint8), PLAIN, **outside)
    with pytest.raises(InputError, match=r"“outside” fills .* so it is background"):
        read_own_lesions(path)


def test_a_file_cropped_to_a_lesion_is_no_background(tmp_path):
    full, holed = np.ones((10, 11, 12), np.uint8), np.ones((9, 10, 11), np.uint8)
    holed[4, 5, 5] = 0
    for array in (full, holed):
        _, (lesion,), _ = read_own_lesions(
            written(tmp_path / "mask.nrrd", array, PLAIN.cropped((0, 0, 0), array.shape))
        )
        assert lesion.voxels == array.sum()


def test_the_background_is_recognised_where_the_header_mirrors_it(tmp_path):
    flipped = VolumeGeometry(PLAIN.shape, PLAIN.spacing, tuple(PLAIN.to_lps([63, 59, 0])), np.diag([-1.0, -1.0, 1.0]))
    with pytest.raises(InputError, match="so it is background"):
        read(tmp_path, (LABELS + 1).astype(np.uint8), flipped, labels=[1])


def test_what_fills_the_mri_is_doubted_but_taken(tmp_path):
    ball = np.zeros(PLAIN.shape, np.uint8)
    ball[2:-2, 4:-4, 4:-4] = 1
    (_,), warnings = read(tmp_path, ball)
    assert warnings == ["“Lesion 1” fills 50.6% of the MRI; is it background, the brain or the body?"]
    ball[:, 20, 20] = ball[5, :, 20] = ball[5, 20, :] = 1
    (_,), (warning,) = read(tmp_path, ball)
    assert "touches all its six faces" in warning


def test_a_brain_is_doubted_by_its_volume(tmp_path):
    wide = replace(PLAIN, spacing=(3.0, 3.0, 10.0))
    brain = np.zeros(PLAIN.shape, np.uint8)
    brain[2:9, 10:40, 10:40] = 1
    (_,), (warning,) = read_lesions(written(tmp_path / "brain.nrrd", brain, wide), wide)
    assert warning == "“Lesion 1” has 567 cm³, more than a lesion has; is it the brain?"


def test_a_mask_that_is_cropped_to_its_lesions_is_no_background(tmp_path):
    cropped = PLAIN.cropped((3, 10, 8), (5, 14, 14))
    found, warnings = read(tmp_path, np.ones(cropped.shape, np.uint8), cropped)
    assert [lesion.voxels for lesion in found] == [5 * 14 * 14]
    assert warnings == []


def test_negative_labels_are_refused_unless_others_are_chosen(tmp_path):
    with pytest.raises(InputError, match=r"negative label values \(-1\), which are no lesions; choose those"):
        read(tmp_path, LABELS.astype(np.int16) - 1)
    assert names(read(tmp_path, LABELS.astype(np.int16) - 1, labels=[1])) == ["Lesion 1"]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_labels_that_are_off_by_rounding_are_taken(tmp_path, kind):
    off = (LABELS * 0.9999999).astype(kind)
    off[LABELS == 0] = 1e-7
    lesions, warnings = read(tmp_path, off)
    assert warnings == []
    for lesion, value in zip(lesions, (1, 2), strict=True):
        np.testing.assert_array_equal(lesion.full_mask(PLAIN.shape), value == LABELS)
    with pytest.raises(InputError, match="holds fractions"):
        read(tmp_path, LABELS * 0.99)


@pytest.mark.parametrize("largest", [2, 2035])
def test_labels_that_a_nifti_scales_are_taken(tmp_path, largest):
    """Off by half a step of the scale, which is more than a thousandth where labels are large."""
    values = np.where(LABELS == 2, largest, LABELS)
    path = scaled_nifti(tmp_path / "mask.nii", values, PLAIN, slope=largest / 65001, intercept=largest / 2)
    lesions, _ = read_lesions(path, PLAIN)
    assert [lesion.name for lesion in lesions] == ["Lesion 1", f"Lesion {largest}"]
    np.testing.assert_array_equal(lesions[0].full_mask(PLAIN.shape), LABELS == 1)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, np.uint64, np.uint32])
def test_large_labels_are_never_narrowed(tmp_path, kind):
    lesions, _ = read(tmp_path, (LABELS * 1_500_000_000).astype(kind))
    assert [lesion.name for lesion in lesions] == ["Lesion 1500000000", "Lesion 3000000000"]


@pytest.mark.parametrize("value", [1e300, 2.0**60, 2**63])
def test_labels_beyond_exact_numbers_are_refused(tmp_path, value):
    array = np.zeros(PLAIN.shape, np.uint64 if isinstance(value, int) else np.float64)
    array[5, 20:30, 20:30] = value
    with pytest.raises(InputError, match="which are no label values"):
        read(tmp_path, array)


def test_nan_is_named():
    with pytest.raises(InputError, match="write 0 where it is NaN"):
        whole_numbers("The mask", np.array([[[np.nan, 1.0]]]))


def test_shares_in_a_plain_file_are_refused_with_the_guess(tmp_path):
    graded = blurred(LABELS > 0)
    with pytest.raises(InputError, match=r"fractions between 0 and 1: .*or a map of probabilities"):
        read(tmp_path, graded.astype(np.float32))
    with pytest.raises(InputError, match=r"values up to 216, most of them at a rim: .* such as 1 from 108 on"):
        read(tmp_path, np.rint(graded * 216).astype(np.uint8))


def blurred(mask):
    from scipy import ndimage

    return np.clip(1.2 * ndimage.gaussian_filter(mask.astype(float), (0.4, 1.2, 1.2)) - 0.1, 0, 1)


def test_an_image_is_never_taken_for_a_tumour_that_is_gone(tmp_path):
    path = written(tmp_path / "mri.nrrd", a_volume(PLAIN), PLAIN)
    with pytest.raises(InputError, match="it is an image"):
        is_empty(path, 3)
    mask = written(tmp_path / "mask.nrrd", LABELS * 0.9999999, PLAIN)
    assert [is_empty(mask, value) for value in (None, 1, 2, 3)] == [False, False, False, True]


def test_parts_are_found_by_their_size(tmp_path):
    """Boxes of the parts, not all of the volume, are looked at: thousands of parts must not take minutes."""
    specks = (dots(1600) > 0).astype(np.uint8)
    specks[2:9, 40:55, 40:60] = 1
    path = written(tmp_path / "mask.nrrd", specks, PLAIN)
    _, lesions, _ = read_own_lesions(path, "separate")
    assert lesions[0].voxels >= 7 * 15 * 20
    assert sum(lesion.voxels for lesion in lesions) == specks.sum()


def test_a_lesion_of_hardly_any_voxel_is_told_with_the_figure(tmp_path):
    array = np.zeros(PLAIN.shape, np.uint8)
    array[4, 20, 20], array[6, 30, 30:33], array[2:6, 40:44, 40:44] = 1, 2, 3
    _, told = read(tmp_path, array)
    assert told == [
        "Of so few voxels a model sees next to nothing: “Lesion 1” (1 voxel, 0.0027 cm³), “Lesion 2” (3 voxels, 0.0081 "
        "cm³); is the mask right?"
    ]
    assert read(tmp_path, array, labels=[3])[1] == []
