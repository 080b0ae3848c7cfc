"""A generated scan as a DICOM study: it goes in again as any other, voxel by voxel, in any place."""

import numpy as np
import pytest

pytest.importorskip("highdicom", reason="highdicom (extra dicom) is not installed")

from dicom_peers import messages, program
from making_dicom_objects import a_ramp, some_regions
from making_files import OBLIQUE, a_volume, reversed_axes

from PulsarCAMLib.io.dicom import read_series
from PulsarCAMLib.io.dicom.folder import take_stock
from PulsarCAMLib.io.dicom.pairing import choose
from PulsarCAMLib.io.dose import read_dose
from PulsarCAMLib.lesions.from_structures import lesions_from_structures
from PulsarCAMLib.outputs.dicom.study import write_study


@pytest.mark.parametrize("geometry", [OBLIQUE, reversed_axes(OBLIQUE, (1,))], ids=["right-handed", "left-handed"])
def test_a_study_goes_in_again(tmp_path, geometry):
    volume, lesions = a_volume(), some_regions()[:2]
    write_study(tmp_path / "study", volume, geometry, lesions, a_ramp() * 3, geometry, "demo")
    inventory = take_stock(tmp_path / "study")
    assert [len(kind) for kind in (inventory.series, inventory.structure_sets, inventory.doses)] == [1, 1, 1]
    chosen = choose(inventory)
    image = read_series(chosen.folder)
    found, _ = lesions_from_structures(chosen.pair.structures.first.path, image.geometry)
    dose, place = read_dose(inventory.doses[0].first.path)
    assert [each.name for each in found] == ["GTV links, ä", "small_one"]
    for own, lesion in zip(found, lesions, strict=True):
        there = np.argwhere(own.full_mask(image.geometry.shape))[:, ::-1]
        wanted = geometry.to_lps((np.argwhere(lesion.mask) + lesion.offset)[:, ::-1])
        again = np.rint(image.geometry.to_ijk(wanted)).astype(int)
        assert set(map(tuple, again.tolist())) == set(map(tuple, there.tolist()))
    for i, j, k in ((0, 0, 0), (13, 50, 3), (63, 59, 11)):
        for values, where, source, off in (
            (image.voxels, image.geometry, volume, 0),
            (dose, place, a_ramp() * 3, 1e-5),
        ):
            ii, jj, kk = np.rint(where.to_ijk(geometry.to_lps([i, j, k]))).astype(int)
            assert abs(float(values[kk, jj, ii]) - float(source[k, j, i])) <= off


def test_the_validator_finds_no_error_in_its_slices(tmp_path):
    if program("dciodvfy") is None:
        pytest.skip("dciodvfy is not installed; it comes with the extra test")
    write_study(tmp_path / "study", a_volume(), OBLIQUE, some_regions()[:2], a_ramp(), OBLIQUE, "demo")
    found = messages(tmp_path / "study" / "MR" / "0001.dcm") + messages(tmp_path / "study" / "RS.dcm")
    assert [each for each in found if each.startswith("Error")] == []
