"""``pulsarcam explain`` on real images, where they are."""

import csv

import numpy as np
import pytest

from PulsarCAMLib.io.volumes import read_volume
from PulsarCAMLib.lesions.from_files import read_lesions


def explained(pulsarcam, volume, mask, out, *options):
    assert pulsarcam("explain", volume, mask, "-o", out, *options)[0] == 0
    with (out / "lesions.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def check_map(volume, mask, out):
    _, geometry = read_volume(volume)
    heat, place = read_volume(out / "pixelwise_non-response_mean.nrrd")
    lesions, _ = read_lesions(mask, geometry)
    inside = np.any([lesion.full_mask(geometry.shape) for lesion in lesions], axis=0)
    assert heat.dtype == np.float32
    assert place.same_grid(geometry)
    np.testing.assert_allclose(place.ijk_to_lps, geometry.ijk_to_lps, atol=1e-12)
    assert not heat[~inside].any()


def test_the_two_parts_of_brain1_are_two_lesions_or_one(shared_data, tmp_path, pulsarcam):
    folder = shared_data / "t1c_brain1"
    scan = folder / "brain1_image.nrrd", folder / "brain1_label.nrrd"
    rows = explained(pulsarcam, *scan, tmp_path / "two")
    assert [round(float(r["volume_cm3"]), 3) for r in rows] == [13.981, 2.432]
    assert len(list((tmp_path / "two" / "pictures").glob("*.png"))) == 2
    check_map(*scan, tmp_path / "two")
    rows = explained(pulsarcam, *scan, tmp_path / "one", "--parts", "together")
    assert [round(float(r["volume_cm3"]), 4) for r in rows] == [16.4127]


def test_the_brats_mask_with_a_wrong_header_ends_with_one_sentence_and_no_file(shared_data, tmp_path, pulsarcam):
    folder = shared_data / "brats_gli_00001"
    code, out, err = pulsarcam(
        "explain", folder / "t1c.nii.gz", folder / "seg-BraTS23_1_mapped.nii.gz", "-o", tmp_path / "a" / "out"
    )
    assert (code, out) == (3, "")
    assert err.count("\n") == 1
    assert "outside the MRI by 126 mm" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("volume", "mask", "options", "volumes"),
    [
        ("brats_gli_00001/t1c.nii.gz", "brats_gli_00001/seg-BraTS23_1.nii.gz", ["--labels", "3"], [23.327]),
        (
            "tcga_fg_6692/OtherEXampleFromTCIA_t1c_bet.nii.gz",
            "tcga_fg_6692/mav.nii.gz",
            ["--labels", "1,4"],
            [2.477, 6.84],
        ),
        ("dicom_mr_rtstruct/STS_008/image", "dicom_mr_rtstruct/STS_008/MR_T1_mask.nii.gz", [], [27.6359]),
    ],
    ids=["brats", "tcga with negative values", "dicom"],
)
def test_real_scans_are_explained(shared_data, tmp_path, pulsarcam, volume, mask, options, volumes):
    scan = shared_data / volume, shared_data / mask
    rows = explained(pulsarcam, *scan, tmp_path / "out", *options)
    assert [float(r["volume_cm3"]) for r in rows] == pytest.approx(volumes, abs=1e-3)
    check_map(*scan, tmp_path / "out")


def test_a_structure_set_is_taken_as_the_mask_that_was_published_with_it(shared_data, tmp_path, pulsarcam):
    folder = shared_data / "dicom_mr_rtstruct" / "STS_008"
    row = explained(pulsarcam, folder / "image", folder / "mask" / "RS.dcm", tmp_path / "out")[0]
    assert row["lesion"] == "GTV_Mass_MR_T1"
    assert float(row["volume_cm3"]) == pytest.approx(27.5704, abs=1e-3)  # of the polygons; of the voxels 27.6359
    check_map(folder / "image", folder / "MR_T1_mask.nii.gz", tmp_path / "out")
