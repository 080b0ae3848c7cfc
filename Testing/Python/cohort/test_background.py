"""Synthetic lesions in an MRI that the user gives: in its brain, in its units, and nothing of the file but voxels."""

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import distance_transform_edt

from PulsarCAMLib.cli import main
from PulsarCAMLib.cohort.synthetic.background import Background
from PulsarCAMLib.cohort.synthetic.patients import generate_patient
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.core.case import Image
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry

SECRET = "Doe^Jane"


def head(skull=True, side=60, spacing=2.5):
    """A ball of brain (500), with skin (900) and skull (60) or without, in air of noise or none."""
    k, j, i = np.indices((side, side, side)) - (side - 1) / 2
    depth = (side / 2 - 3 - np.sqrt(k**2 + j**2 + i**2)) * spacing
    rng = np.random.default_rng(1)
    voxels = np.where(depth > 12, 500 + rng.normal(0, 12, depth.shape), 0.0)
    if skull:
        voxels = np.where((depth > 0) & (depth <= 5), 900, voxels)
        voxels = np.where((depth > 5) & (depth <= 12), 60, voxels)
        voxels += np.abs(rng.normal(0, 8, depth.shape))
    geometry = VolumeGeometry(voxels.shape, (spacing,) * 3, (-70.0, 3.0, 20.0), ((-1, 0, 0), (0, 0, 1), (0, 1, 0)))
    return np.rint(voxels).astype(np.int16), geometry, depth


@pytest.mark.parametrize("skull", [True, False])
def test_lesions_lie_in_the_brain_and_enhance_beyond_its_tissue(skull):
    voxels, geometry, depth = head(skull)
    background = Background(voxels, geometry)
    recipe = CohortSettings(seed=2, lesions=(2, 2), diameter_mm=(16.0, 20.0))
    patient = generate_patient(recipe, 0, ("baseline",), background)
    scan = patient.scans["baseline"]
    assert scan.geometry.same_grid(geometry)
    assert scan.image.dtype == voxels.dtype
    assert len(patient.lesions) == 2
    for lesion in patient.lesions:
        inside = scan.mask(lesion.label)
        assert depth[inside].min() > 8
        assert 1.2 < np.median(scan.image[inside]) / 500 < 2.0
    untouched = distance_transform_edt(scan.lesions == 0) * geometry.spacing[0] > 15
    np.testing.assert_array_equal(scan.image[untouched], voxels[untouched])


def test_a_file_is_read_only_and_nothing_but_its_voxels_goes_into_the_cohort(tmp_path, capsys):
    voxels, geometry, _ = head()
    image = geometry.to_sitk(voxels)
    image.SetMetaData("PatientName", SECRET)
    source = tmp_path / "jane-doe.nrrd"
    sitk.WriteImage(image, str(source))
    before = source.read_bytes(), source.stat().st_mtime_ns
    command = ["cohort", "make-synthetic", "-o", str(tmp_path / "made"), "--patients", "1", "--lesions", "1", "1"]
    assert main([*command, "--rule", "dark-niche", "--background", str(source), "--quiet"]) == 0
    assert "1 synthetic lesion" in capsys.readouterr().out
    assert (source.read_bytes(), source.stat().st_mtime_ns) == before
    files = [path for path in (tmp_path / "made").rglob("*") if path.is_file()]
    assert any(path.name == "baseline-planted.nrrd" for path in files)
    for path in files:
        content = path.read_bytes()
        assert not any(word in content for word in (SECRET.encode(), b"jane-doe", b"PatientName"))


def test_a_cohort_is_never_written_over_its_background(tmp_path, capsys):
    voxels, geometry, _ = head()
    (tmp_path / "made").mkdir()
    source = tmp_path / "made" / "t1c.nrrd"
    sitk.WriteImage(geometry.to_sitk(voxels), str(source))
    command = ["cohort", "make-synthetic", "-o", str(tmp_path / "made"), "--background", str(source), "--overwrite"]
    assert main([*command, "--quiet"]) == 5
    assert source.exists()
    assert "Traceback" not in capsys.readouterr().err


def test_an_image_without_a_head_or_without_room_is_refused_in_one_sentence(tmp_path):
    geometry = VolumeGeometry((8, 8, 8), (2.0,) * 3, (0.0,) * 3)
    empty = tmp_path / "empty.nrrd"
    sitk.WriteImage(geometry.to_sitk(np.zeros((8, 8, 8), np.int16)), str(empty))
    with pytest.raises(InputError, match="holds one single value"):
        Background.read(empty)
    with pytest.raises(InputError, match=r"a\.nrrd shows no head"):
        Background.of(Image(np.zeros((8, 8, 8), np.int16), geometry), "a.nrrd")
    small = Background(*head(side=20)[:2])
    with pytest.raises(InputError, match="no room for a lesion"):
        generate_patient(CohortSettings(seed=1), 0, (), small)


def test_what_is_no_mri_is_refused_and_what_may_be_no_head_is_told(tmp_path, capsys):
    voxels, geometry, depth = head()
    for name, image in (("mask", (depth > 12).astype(np.uint8)), ("t1c", voxels)):
        sitk.WriteImage(geometry.to_sitk(image), str(tmp_path / f"{name}.nrrd"))
    with pytest.raises(InputError, match=r"mask.nrrd holds only 2 values \(0, 1\), so it is a mask, not an MRI"):
        Background.read(tmp_path / "mask.nrrd")
    assert list(Background.read(tmp_path / "t1c.nrrd").doubts("t1c.nrrd")) == []
    smooth = Background(np.maximum(depth, 0).astype(np.float32), geometry)
    assert any("as smoothly as a dose" in text for text in smooth.doubts("dose.nrrd"))
    small, at, _ = head(side=44)
    sitk.WriteImage(at.to_sitk(small), str(tmp_path / "limb.nrrd"))
    command = ["cohort", "make-synthetic", "-o", str(tmp_path / "made"), "--background", str(tmp_path / "limb.nrrd")]
    assert main([*command, "--patients", "1", "--lesions", "1", "1", "--quiet"]) in (0, 3)
    assert "limb.nrrd shows 4" in (err := capsys.readouterr().err)
    assert "is it an MRI of a whole head?" in err


def test_a_real_mri_takes_lesions(shared_data):
    background = Background.read(shared_data / "t1c_brain1" / "brain1_image.nrrd")
    patient = generate_patient(CohortSettings(seed=1, lesions=(1, 1), rule="missing-rim"), 0, ("baseline",), background)
    scan = patient.scans["baseline"]
    brain = background.voxels[background.depth_mm > 0]
    assert np.median(scan.image[scan.lesions == 1]) > 1.2 * np.median(brain)
