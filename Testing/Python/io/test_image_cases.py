"""The small wrong images that once went through: each is read rightly, or refused in one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.io.volumes import read_image_of, read_volume

DAMAGED = r"is damaged: .*; copy or export it again\.$"

REFUSED = {
    "input/01-truncated-mri-nii.gz/mri.nii.gz": DAMAGED,
    "input/02-truncated-mask-nii.gz/mask.nii.gz": DAMAGED,
    "input/05-enhanced-mr-frame-missing/dicom": r"not equally spaced \(3\.00 to 6\.00 mm\)",
    "input/07-dicom-one-position-many-times/dicom": "are all at one position .*time points",
    "input/08-dicom-no-positions/dicom": "they have no position .*order and distance are not known",
    "input/10-dicom-orientation-differs/dicom": r"different orientations \(7 of 14 are turned",
    "input/12-dicom-stack-bends/dicom": r"stacked at a tilt of 11\.3 degrees",
    "hostile/min-dicom-empty-position": r"1 of 6 have no position",
    "hostile/min-dicom-one-without-position": r"1 of 5 have no position",
    "hostile/hang-direction-1e308.mha": "axes of directions that cannot be",
    "hostile/edf0.mhd": "several files",
    "hostile/edf2.mhd": "several files",
    **{f"hostile/ndims{n}.mha": f"damaged: its header says NDims “{n}”" for n in ("-1", "100", "1000", "2147483647")},
    "hostile/dirs1000.nrrd": "its header says space directions",
    "hostile/origin1000.nrrd": "its header says space origin",
    "hostile/plain1000.nrrd": "its header has a line",
    "hostile/cent2000.nrrd": "its header says centers",
    "hostile/kinds2000.nrrd": "its header says kinds",
    "hostile/spacings2000.nrrd": "its header says spacings",
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_rightly_is_refused(shared_cases, case):
    with pytest.raises(InputError, match=REFUSED[case]) as refused:
        read_volume(shared_cases / case)
    assert len(str(refused.value)) < 400
    assert "\n" not in str(refused.value)


def test_frames_of_an_enhanced_mr_lie_where_each_says(shared_cases):
    good, place = read_volume(shared_cases / "input/_good/mri.nrrd")
    image = read_image_of(shared_cases / "input/04-enhanced-mr-frames-interleaved/dicom")
    assert image.geometry.same_grid(place)
    np.testing.assert_allclose(image.geometry.spacing, (1, 1.1, 3))
    np.testing.assert_array_equal(image.voxels, good)
    assert len(image.source.instance_uids) == 1


def test_slopes_of_each_slice_are_kept(shared_cases):
    good, place = read_volume(shared_cases / "input/_good/mri.nrrd")
    voxels, geometry = read_volume(shared_cases / "input/09-dicom-rescale-slope-differs/dicom")
    assert geometry.same_grid(place)
    np.testing.assert_allclose(voxels[1:], good[1:] / 2000, atol=1e-4)
    assert np.ptp(voxels[1:]) > 0.3
