"""Round trips in millimetres on real images, as they are and obliquely re-oriented."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.lesions.from_labels import lesions_from_labels
from PulsarCAMLib.systems.autoencoder.samples.patches import extract_patches, paste_maps
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing

TURN = Rotation.from_euler("xyz", [11, -17, 38], degrees=True).as_matrix()
TURNS = {"as it is": np.eye(3), "oblique": TURN, "oblique and mirrored": TURN @ np.diag([1.0, 1.0, -1.0])}
CASES = {
    "t1c_brain1": ("t1c_brain1/brain1_image.nrrd", "t1c_brain1/brain1_label.nrrd", None),
    "brats_gli_00001": ("brats_gli_00001/t1c.nii.gz", "brats_gli_00001/seg-BraTS23_1.nii.gz", [3]),
    "tcga_fg_6692": (
        "tcga_fg_6692/OtherEXampleFromTCIA_t1c_bet.nii.gz",
        "tcga_fg_6692/mav.nii.gz",
        [4],
    ),
    "dicom_mr_rtstruct": (
        "dicom_mr_rtstruct/STS_008/image",
        "dicom_mr_rtstruct/STS_008/MR_T1_mask.nii.gz",
        None,
    ),
}
BLOB_MM = 3.0
"""Width of the planted mark; wide enough for the coarsest voxel in plane."""


def read(path):
    if path.is_dir():
        return sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(path)))
    return sitk.ReadImage(str(path))


@pytest.fixture(scope="module")
def cases():
    return {}


@pytest.fixture(params=CASES)
def case(request, shared_data, cases):
    """Array, geometry and the largest lesion of a real image; each file is read once."""
    if request.param not in cases:
        image_path, mask_path, values = CASES[request.param]
        image, mask = read(shared_data / image_path), read(shared_data / mask_path)
        labels = sitk.GetArrayFromImage(sitk.Resample(mask, image, sitk.Transform(), sitk.sitkNearestNeighbor))
        lesions, _ = lesions_from_labels(labels, values=values)
        largest = max(lesions, key=lambda lesion: lesion.voxels)
        cases[request.param] = (sitk.GetArrayFromImage(image), VolumeGeometry.from_sitk(image), largest)
    return cases[request.param]


@pytest.mark.parametrize("spacing", [1.0, None])
@pytest.mark.parametrize("turn", TURNS)
def test_a_mark_planted_in_a_patch_comes_back_within_half_a_voxel(case, turn, spacing):
    volume, geometry, lesion = case
    geometry = replace(geometry, direction=TURNS[turn] @ np.array(geometry.direction))
    patches = extract_patches(volume, geometry, lesion, Preprocessing(in_plane_spacing_mm=spacing))
    n = patches.main
    inside = np.argwhere(patches.masks[n, 0])
    row, column = inside[np.argmin(np.abs(inside - inside.mean(axis=0) - np.array([2, -1])).sum(axis=1))]
    rows, columns = np.indices((64, 64))
    width = BLOB_MM / np.array(patches.grid.spacing[:2])[::-1]
    marks = np.zeros((len(patches), 64, 64), np.float32)
    marks[n] = np.exp(-0.5 * (((rows - row) / width[0]) ** 2 + ((columns - column) / width[1]) ** 2))
    pasted = paste_maps(patches, marks, geometry, restrict=False)
    peak = np.array(np.unravel_index(np.argmax(pasted.values), pasted.values.shape)) + pasted.offset
    wanted = geometry.to_ijk(patches.patch_to_lps(n, row, column))
    assert np.abs(peak[::-1] - wanted).max() <= 0.5 + 1e-6


def test_every_voxel_of_a_real_lesion_gets_its_value_back(case):
    volume, geometry, lesion = case
    patches = extract_patches(volume, geometry, lesion)
    pasted = paste_maps(patches, np.ones((len(patches), 64, 64), np.float32), geometry)
    np.testing.assert_allclose(pasted.values[lesion.mask], 1, atol=1e-5)
    assert not pasted.values[~lesion.mask].any()
