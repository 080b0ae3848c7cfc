"""Images from files."""

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from making_files import OBLIQUE, PLAIN, a_volume, written

from PulsarCAMLib.core.errors import GeometryError, InputError
from PulsarCAMLib.io.volumes import read_volume


@pytest.mark.parametrize("ending", ["nrrd", "nii.gz", "mha"])
def test_voxels_type_and_place_of_an_oblique_image_are_read_exactly(tmp_path, ending):
    values = a_volume()
    read, geometry = read_volume(written(tmp_path / f"mri.{ending}", values, OBLIQUE))
    assert read.dtype == np.int16
    np.testing.assert_array_equal(read, values)
    np.testing.assert_allclose(geometry.ijk_to_lps, OBLIQUE.ijk_to_lps, atol=1e-4)


def test_sixty_four_bit_numbers_come_as_thirty_two(tmp_path):
    assert read_volume(written(tmp_path / "f.nrrd", a_volume(dtype=np.float64), PLAIN))[0].dtype == np.float32


def test_a_4d_image_of_one_time_point_is_taken_and_of_two_refused(tmp_path):
    one = [PLAIN.to_sitk(a_volume())]
    sitk.WriteImage(sitk.JoinSeries(one), str(tmp_path / "one.nii.gz"))
    assert read_volume(tmp_path / "one.nii.gz")[0].shape == PLAIN.shape
    sitk.WriteImage(sitk.JoinSeries(one * 2), str(tmp_path / "two.nii.gz"))
    with pytest.raises(InputError, match=r"64 x 60 x 12 x 2 voxels"):
        read_volume(tmp_path / "two.nii.gz")


def test_a_4d_nrrd_does_not_say_left_and_right(tmp_path):
    """ITK leaves the space of four dimensions out, and others mean RAS by that."""
    sitk.WriteImage(sitk.JoinSeries([PLAIN.to_sitk(a_volume())]), str(tmp_path / "one.nrrd"))
    with pytest.raises(GeometryError, match="neither left nor right"):
        read_volume(tmp_path / "one.nrrd")


def test_colour_images_and_pictures_are_refused(tmp_path):
    sitk.WriteImage(sitk.Compose([PLAIN.to_sitk(a_volume())] * 3), str(tmp_path / "rgb.nrrd"))
    with pytest.raises(InputError, match="3 values each"):
        read_volume(tmp_path / "rgb.nrrd")
    sitk.WriteImage(sitk.Image(8, 8, sitk.sitkUInt8), str(tmp_path / "flat.png"))
    with pytest.raises(InputError, match="not one 3D volume"):
        read_volume(tmp_path / "flat.png")


def test_a_missing_and_a_damaged_file_are_named(tmp_path):
    with pytest.raises(InputError, match="no file"):
        read_volume(tmp_path / "none.nrrd")
    (tmp_path / "bad.nrrd").write_text("not an image")
    with pytest.raises(InputError, match=r"The image bad\.nrrd cannot be read"):
        read_volume(tmp_path / "bad.nrrd")


def a_series(folder, count=4, uid="1.2.3.4.5.6.1", step=3.0, skip=(), patient="Secret^Name"):
    folder.mkdir(exist_ok=True)
    for n in range(count):
        if n in skip:
            continue
        image = sitk.GetImageFromArray(np.full((1, 8, 10), n, np.int16))
        image.SetSpacing((1.0, 1.0, step))
        tags = {
            "0010|0010": patient,
            "0008|0060": "MR",
            "0020|000e": uid,
            "0020|000d": "1.2.3.4.5.6",
            "0020|0032": f"0\\0\\{n * step}",
            "0020|0037": "1\\0\\0\\0\\1\\0",
            "0020|0013": str(n + 1),
            "0018|0050": str(step),
        }
        for key, value in tags.items():
            image.SetMetaData(key, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / f"{uid}-{n}.dcm"))
        writer.Execute(image)
    return folder


def test_a_dicom_folder_is_read_as_one_volume(tmp_path):
    values, geometry = read_volume(a_series(tmp_path / "d"))
    assert values.dtype == np.int16
    assert values[:, 0, 0].tolist() == [0, 1, 2, 3]
    assert geometry.spacing == (1.0, 1.0, 3.0)


def test_a_folder_with_two_series_asks_which(tmp_path):
    a_series(a_series(tmp_path / "d"), count=6, uid="1.2.3.4.5.6.2")
    with pytest.raises(InputError, match=r"holds 2 DICOM image series \(1: MR, . files; 2: MR, . files\); .*--series"):
        read_volume(tmp_path / "d")
    assert sorted(len(read_volume(tmp_path / "d", series)[0]) for series in ("1", "2")) == [4, 6]
    assert len(read_volume(tmp_path / "d", "1.2.3.4.5.6.2")[0]) == 6
    with pytest.raises(InputError, match="no series '3'"):
        read_volume(tmp_path / "d", "3")


def test_a_missing_dicom_slice_is_refused(tmp_path):
    with pytest.raises(GeometryError, match=r"not equally spaced \(3.00 to 6.00 mm\)"):
        read_volume(a_series(tmp_path / "d", count=6, skip=(3,)))


def test_an_empty_folder_and_a_single_slice_are_refused(tmp_path):
    with pytest.raises(InputError, match="no DICOM image series"):
        read_volume(tmp_path)
    folder = a_series(tmp_path / "d")
    with pytest.raises(InputError, match="single DICOM slice"):
        read_volume(next(iter(sorted(folder.iterdir()))))


def test_a_structure_set_is_not_an_image(tmp_path):
    data = pydicom.dcmread(sorted(a_series(tmp_path / "d").iterdir())[0])
    data.Modality = "RTSTRUCT"
    data.save_as(tmp_path / "rs.dcm")
    with pytest.raises(InputError, match="DICOM RTSTRUCT object, which has no voxels of an image: give"):
        read_volume(tmp_path / "rs.dcm")


def test_the_real_dicom_series_equals_its_published_nifti(shared_data):
    folder = shared_data / "dicom_mr_rtstruct" / "STS_008"
    values, geometry = read_volume(folder / "image")
    published, place = read_volume(folder / "MR_T1_image.nii.gz")
    assert geometry.same_grid(place)
    np.testing.assert_allclose(values, published, atol=0.51)
