"""What is given as an MRI and is none: masks, label maps, heat maps, doses; and that MRIs of every kind are taken."""

from __future__ import annotations

import numpy as np
import pytest
from making_files import PLAIN, a_volume, two_boxes, written
from scipy import ndimage

from PulsarCAMLib.core.case import DicomSource, Image
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.inputs import BRAIN, DOSE, InputRole
from PulsarCAMLib.io.inputs import doubts_on_mri, read_input, read_map, read_mri
from PulsarCAMLib.outputs.volumes import write_volume

GRID = np.stack(np.meshgrid(*(np.arange(n) for n in PLAIN.shape), indexing="ij"))


def anatomy():
    """Sixty labels, each a block."""
    return (1 + GRID[0] // 6 * 30 + GRID[1] // 12 * 6 + GRID[2] // 11).astype(np.int16)


def head(low=0.0):
    """A ball of grey values in darkness."""
    inside = ((GRID - np.array(PLAIN.shape)[:, None, None, None] / 2) ** 2 * [[[[9]]], [[[1]]], [[[1]]]]).sum(
        axis=0
    ) < 400
    return np.where(inside, a_volume(PLAIN), low)


def heat(sign=1):
    """A map of one lesion: 0 but for a small ball."""
    distance = ((GRID - np.array([[[[6]]], [[[20]]], [[[20]]]])) ** 2).sum(axis=0)
    return (sign * np.clip(1 - distance / 30, 0, 1)).astype(np.float32)


def dose():
    return ndimage.gaussian_filter(np.where(head() > 0, 60.0, 0.0), 5).astype(np.float32)


NOT_MRI = {
    "a mask": (two_boxes(PLAIN, second=2), r"holds only 3 values \(0, 1, 2\), so it is a mask, not an MRI"),
    "a mask in floats": (two_boxes(PLAIN).astype(np.float32), r"only 2 values \(0, 1\)"),
    "many lesions": (
        ndimage.label(GRID.sum(axis=0) % 7 == 0)[0].astype(np.uint8) % 19,
        r"only \d+ values \(0, .*, \.\.\.\)",
    ),
    "anatomy": (anatomy(), "regions of one value each, so it is a mask of labels"),
    "a heat map": (heat(), r"is 0 in 9\d\.\d% of its voxels, so it is no MRI, but a mask, a heat map"),
    "a heat map of two signs": (heat(-1), r"is -?0 in 9\d\.\d% of its voxels"),
    "nothing": (np.full(PLAIN.shape, 7, np.int16), "one single value"),
}


@pytest.mark.parametrize("ending", ["nrrd", "nii.gz"])
@pytest.mark.parametrize("case", NOT_MRI)
def test_what_is_no_mri_is_refused_with_the_guess_what_it_is(tmp_path, case, ending):
    voxels, told = NOT_MRI[case]
    path = written(tmp_path / f"m.{ending}", voxels, PLAIN)
    with pytest.raises(InputError, match=rf"^The image m\.{ending} .*{told}.*[.?]$"):
        read_mri(path)


MRI = {
    "of 16 bits": a_volume(PLAIN),
    "of 8 bits": np.clip(a_volume(PLAIN) / 4, 0, 255).astype(np.uint8),
    "of shares": (a_volume(PLAIN) / 600).astype(np.float32),
    "with values below zero": (a_volume(PLAIN) - 400).astype(np.float32),
    "without its skull": head(),
    "in a darkness that is not 0": head(-1024.0),
    "drawn larger": ndimage.zoom(a_volume(PLAIN)[:, ::2, ::2].astype(float), (1, 2, 2), order=1).astype(np.float32),
}


@pytest.mark.parametrize("case", MRI)
def test_an_mri_is_taken_and_nothing_is_said(tmp_path, case):
    image = read_mri(written(tmp_path / "m.nrrd", MRI[case], PLAIN))
    np.testing.assert_allclose(image.voxels, MRI[case], rtol=1e-6)
    assert list(doubts_on_mri(image, "The MRI")) == []


def doubts(voxels, source=None):
    return list(doubts_on_mri(Image(voxels, PLAIN, source), "The MRI"))


def test_a_dose_given_as_mri_is_warned_of():
    (told,) = doubts(dose())
    assert told.startswith("The MRI changes from voxel to voxel as smoothly as a dose")
    assert "as smoothly as" in doubts(ndimage.zoom(heat()[::2, ::4, ::4], (2, 4, 4), order=1))[0]


@pytest.mark.parametrize(
    ("change", "of_dicom", "told"),
    [
        ({4: 0}, False, "holds one single value in slice 5 of 12,"),
        ({4: 0, 5: 0}, False, "in slices 5 and 6 of 12,"),
        ({0: 0, 11: 0}, True, "in slices 1 and 12 of 12,"),
        ({0: 0, 11: 0}, False, ""),
        ({4: 1000}, False, "times the values of its neighbours in slice 5 of 12;"),
        ({11: 1000}, False, "times the values of its neighbours in slice 12 of 12;"),
        ({4: 0.001}, False, "has 0.001 times the values of its neighbours in slice 5 of 12;"),
        ({4: 3}, True, ""),
    ],
)
def test_slices_that_stand_out_are_told(change, of_dicom, told):
    voxels = a_volume(PLAIN).astype(np.float32)
    for k, factor in change.items():
        voxels[k] *= factor
    found = doubts(voxels, DicomSource("1", "2", "3", "4", ()) if of_dicom else None)
    assert [told in each for each in found] == [True] * bool(told)


@pytest.mark.parametrize("ending", ["nrrd", "nii.gz"])
def test_a_map_that_pulsarcam_wrote_is_known_wherever_it_is_not_0(tmp_path, ending):
    write_volume(tmp_path / f"m.{ending}", a_volume(PLAIN), PLAIN, {"statistic": "mean"})
    write_volume(tmp_path / f"g.{ending}", a_volume(PLAIN), PLAIN, {"measure": "gradient magnitude"})
    write_volume(tmp_path / f"mri.{ending}", a_volume(PLAIN), PLAIN, {"synthetic": "true"})
    write_volume(tmp_path / f"s.{ending}", two_boxes(PLAIN), PLAIN, {"threshold": "half of the maximum"})
    for name in ("m", "g", "s"):
        with pytest.raises(InputError, match="is a map that PulsarCAM made, not an MRI"):
            read_mri(tmp_path / f"{name}.{ending}")
    for name in ("m", "g"):
        with pytest.raises(InputError, match="is a map that PulsarCAM made, so a comparison"):
            read_map(tmp_path / f"{name}.{ending}")
    for read in (read_mri, read_map):
        assert read(tmp_path / f"mri.{ending}").voxels.shape == PLAIN.shape


def test_a_role_decides_what_may_be_given(tmp_path):
    mask, mri = (
        written(tmp_path / "b.nrrd", two_boxes(PLAIN), PLAIN),
        written(tmp_path / "m.nrrd", a_volume(PLAIN), PLAIN),
    )
    brain, planned = InputRole("brain", "brain mask", BRAIN), InputRole("rtdose", "dose", DOSE)
    assert read_input(mask, brain).voxels.max() == 1
    assert read_input(written(tmp_path / "d.nrrd", dose(), PLAIN), planned).voxels.dtype == np.float32
    with pytest.raises(InputError, match="so it is a mask, not an MRI"):
        read_input(mask, InputRole("t1", "T1"))
    with pytest.raises(InputError, match=r"The dose b\.nrrd holds only 2 values .* so it is a mask, not a planned"):
        read_input(mask, planned)
    with pytest.raises(InputError, match="one single value"):
        read_input(written(tmp_path / "e.nrrd", np.zeros(PLAIN.shape, np.uint8), PLAIN), brain)
    assert read_input(mri, InputRole("t1", "T1")).geometry.same_grid(PLAIN)


def smooth():
    """Two bytes of grey values without noise of their own in the low ones."""
    noise = np.random.default_rng(0).normal(0, 8, PLAIN.shape)
    return (400 + 300 * np.sin(GRID.sum(axis=0) / 9) + noise).astype(np.int16)


@pytest.mark.parametrize(
    ("voxels", "told"),
    [
        (smooth(), ""),
        (smooth().byteswap(), "the bytes of its numbers stood in the other order"),
        ((smooth() - 400).view(np.uint16), "its numbers were read with a sign"),
        ((smooth().astype(np.uint16) + 32400).view(np.int16), "its numbers were read without a sign"),
        (smooth() - 400, ""),
        (np.clip(a_volume(PLAIN) / 4, 0, 255).astype(np.uint8).astype(np.uint16) << 8, ""),
        (smooth().astype(np.float32), ""),
    ],
)
def test_numbers_that_were_read_from_the_wrong_bytes_are_told(voxels, told):
    assert [each for each in doubts(voxels) if "would be far smoother" in each] == (
        [f"The MRI would be far smoother if {told}; its header is probably wrong, so export it again."] if told else []
    )


def test_a_slice_that_was_copied_over_another_is_told():
    voxels = a_volume(PLAIN)
    voxels[7] = voxels[3]
    (told,) = doubts(voxels)
    assert told.startswith("The MRI holds in slice 8 of 12 the very voxels of a slice before; was a file copied over")


def test_voxels_that_no_mri_has_are_told_with_their_size():
    for spacing, told in (((1, 1, 1), 0), ((0.8, 0.8, 7), 0), ((30, 30, 30), 1), ((5, 5, 5), 1), ((0.5, 0.5, 14), 1)):
        image = Image(a_volume(PLAIN), VolumeGeometry(PLAIN.shape, spacing, (0.0, 0.0, 0.0)))
        said = [text for text in doubts_on_mri(image, "The MRI") if "larger than those of an MRI" in text]
        assert len(said) == told, spacing
    assert said == ["The MRI has voxels of 0.5 x 0.5 x 14 mm, larger than those of an MRI; is its header right?"]
