"""Files of any DICOM object that end before their header says: nothing of them is sent to an archive."""

import numpy as np
import pytest
from making_dicom import AXIAL, a_folder, an_instance

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.io.dicom.files import refuse_cut


def test_whole_files_pass_and_cut_ones_are_told_with_their_bytes(tmp_path):
    whole = sorted(a_folder(tmp_path / "mr").iterdir())[0]
    refuse_cut(whole)
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(whole.read_bytes()[:-10])
    with pytest.raises(InputError, match=r"cut\.dcm is damaged.*(86 of 96 bytes|cannot be read)"):
        refuse_cut(cut)


def test_maps_of_real_numbers_have_voxels_of_their_own_size(tmp_path):
    data = an_instance(np.zeros((6, 8), np.int16))
    data.ImagePositionPatient, data.ImageOrientationPatient = [0, 0, 0], AXIAL
    del data.PixelData
    data.FloatPixelData = np.zeros((6, 8), "<f4").tobytes()
    data.BitsAllocated = 32
    data.save_as(tmp_path / "map.dcm", enforce_file_format=True)
    refuse_cut(tmp_path / "map.dcm")
    data.FloatPixelData = data.FloatPixelData[:-8]
    data.save_as(tmp_path / "short.dcm", enforce_file_format=True)
    with pytest.raises(InputError, match="184 of 192 bytes"):
        refuse_cut(tmp_path / "short.dcm")
