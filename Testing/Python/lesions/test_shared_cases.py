"""Masks that once went through wrongly (``../shared/cases``), each with what was drawn; skipped where they are not."""

import numpy as np
import pytest

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.io.volumes import read_volume
from PulsarCAMLib.lesions.from_files import read_lesions

ONE, TWO = (275, (8.0, 12.004, 17.0)), (316, (-8.0, -11.95, 35.0))
"""Voxels of 3.3 mm3 and RAS centre of mass of the drawn lesions: 0.9075 and 1.0428 cm3."""


def read(shared_cases, path, **options):
    _, geometry = read_volume(shared_cases / "input" / "_good" / "mri.nrrd")
    lesions, warnings = read_lesions(shared_cases / path, geometry, **options)
    found = {
        lesion.name: (lesion.volume_cm3(geometry), tuple(lesion.centroid_lps(geometry) * [-1, -1, 1]))
        for lesion in lesions
    }
    return found, warnings


def check(found, **drawn):
    assert list(found) == list(drawn)
    for name, (voxels, centre) in drawn.items():
        assert found[name][0] == pytest.approx(voxels * 3.3 / 1000)
        np.testing.assert_allclose(found[name][1], centre, atol=0.005)


READ = {
    "input/_good/mask.nrrd": {"Lesion 1": ONE, "Lesion 2": TWO},
    "input/17-scaled-mask/mask.nii.gz": {"Lesion 1": ONE, "Lesion 2": TWO},
    "input/18-labels-0.9999999/mask.nrrd": {"Lesion 1": ONE, "Lesion 2": TWO},
    "input/20-float-label-3e9/mask.nrrd": {"Lesion 3000000000": ONE},
    "input/24-layer-fields-missing/lesions.seg.nrrd": {"a": ONE, "b": TWO},
    "input/26-labelvalue-1.0/lesions.seg.nrrd": {"a": ONE, "b": TWO},
    "input/27-spacing-rounding/mask.nrrd": {"Lesion 1": ONE, "Lesion 2": TWO},
}


@pytest.mark.parametrize("path", READ)
def test_it_is_read_as_drawn_without_a_word(shared_cases, path):
    found, warnings = read(shared_cases, path)
    check(found, **READ[path])
    assert warnings == []


def test_the_name_goes_before_the_id(shared_cases):
    found, _ = read(shared_cases, "input/22-id-of-one-is-name-of-other/lesions.seg.nrrd", segments=["Segment_1"])
    check(found, Segment_1=TWO)


def test_a_fractional_label_map_is_halved(shared_cases):
    found, (warning,) = read(shared_cases, "input/21-fractional-labelmap/lesions.seg.nrrd")
    check(found, GTV=ONE)
    assert "values 0 to 216" in warning


def test_half_a_voxel_keeps_volume_and_place(shared_cases):
    found, (elsewhere, resampled) = read(shared_cases, "input/28-half-voxel/mask.nrrd")
    assert [volume for volume, _ in found.values()] == pytest.approx([0.9075, 1.0428])
    np.testing.assert_allclose(found["Lesion 1"][1], (7.5, 11.454, 18.5), atol=0.05)
    np.testing.assert_allclose(found["Lesion 2"][1], (-8.5, -12.5, 36.5), atol=0.05)
    assert "puts it 1.7 mm away from it (R -0.5, A -0.6, S 1.5)" in elsewhere
    assert "another grid" in resampled


def test_a_mirrored_header_is_warned_of_with_its_axes(shared_cases):
    _, (warning,) = read(shared_cases, "input/29-mirrored-header/mask.nrrd")
    assert "runs the axes i (left-right) and j (front-back) the other way" in warning


REFUSED = {
    "input/_good/mri.nrrd": "654 different values that lie side by side: it is an image, not a mask; were the two",
    "input/15-background-1/mask.nrrd": "no voxel is 0, and the value 1 fills 97.8% of it; choose those of the lesions",
    "hostile/seg-index-error.seg.nrrd": "its header says layer “-2147483649” for “right”",
}


@pytest.mark.parametrize("path", REFUSED)
def test_it_is_refused_in_one_sentence(shared_cases, path):
    with pytest.raises(InputError, match=REFUSED[path]):
        read(shared_cases, path)


def test_background_is_left_out_when_the_lesions_are_named(shared_cases):
    found, _ = read(shared_cases, "input/15-background-1/mask.nrrd", labels=[2, 3])
    check(found, **{"Lesion 2": ONE, "Lesion 3": TWO})


@pytest.mark.parametrize(("name", "second"), [("latin1", "Müller"), ("mathtext", r"$\frac{a}$ $\nosuch$")])
def test_strange_names_are_names(shared_cases, name, second):
    path = shared_cases / "hostile" / f"seg-{name}-name.seg.nrrd"
    _, geometry = read_volume(path)
    lesions, _ = read_lesions(path, geometry)
    assert [(each.name, each.voxels) for each in lesions] == [("left", 432), (second, 300)]


@pytest.mark.parametrize("name", ["24-layer-fields-missing", "26-labelvalue-1.0"])
def test_slicer_itself_reads_as_drawn(shared_cases, a_scene, name):
    import slicer
    from vtk.util import numpy_support

    node = slicer.util.loadSegmentation(str(shared_cases / "input" / name / "lesions.seg.nrrd"))
    counts = []
    for n in range(2):
        image = slicer.vtkOrientedImageData()
        node.GetBinaryLabelmapRepresentation(node.GetSegmentation().GetNthSegmentID(n), image)
        counts.append(int(np.count_nonzero(numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()))))
    assert counts == [275, 316]


def test_every_real_mask_is_still_a_mask(shared_data):
    """None of them is refused or doubted but the brain and the tissues, and the one whose header is wrong."""
    from PulsarCAMLib.lesions.from_files import read_own_lesions
    from PulsarCAMLib.lesions.on_grid import lesions_on_grid

    masks = {
        "t1c_brain1/brain1_label.nrrd": 2,
        "brats_gli_00001/seg-BraTS23_1.nii.gz": 3,
        "brats_gli_00001/seg-BraTS23_1_mapped.nii.gz": 3,
        "tcga_fg_6692/mav.nii.gz": 3,
        "dicom_mr_rtstruct/STS_008/MR_T1_mask.nii.gz": 1,
        "dicom_mr_rtstruct/STS_042/MR_T1_mask.nii.gz": 1,
        "ms_longitudinal_p12/gt.nii.gz": 46,
    }
    for path, count in masks.items():
        own, lesions, _ = read_own_lesions(shared_data / path)
        assert len(lesions) == count, path
        doubts = lesions_on_grid("The mask", lesions, own, own, must_use_all=True)[1]
        tiny = [each.name for each in lesions if each.voxels <= 4]
        assert len(doubts) == bool(tiny), path
        assert all(name in doubts[0] for name in tiny), path
    own, brain, _ = read_own_lesions(shared_data / "ms_longitudinal_p12" / "brainmask.nii.gz")
    (doubt,) = lesions_on_grid("The mask", brain, own, own, must_use_all=True)[1]
    assert doubt == "“Lesion 1” has 1515 cm³, more than a lesion has; is it the brain?"
