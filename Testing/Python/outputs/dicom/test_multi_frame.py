"""Objects of an enhanced MR, whose frames lie in the file in any order: places and references are right."""

import numpy as np
import pytest

pytest.importorskip("highdicom", reason="highdicom (extra dicom) is not installed")

from making_dicom import an_enhanced_file
from making_dicom_objects import a_maker

from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.io.dicom import read_file
from PulsarCAMLib.io.dicom.files import quiet
from PulsarCAMLib.io.dicom.segments import read_segment_voxels
from PulsarCAMLib.outputs.dicom.parametric_map import parametric_map_of
from PulsarCAMLib.outputs.dicom.segmentation import segmentation_of
from PulsarCAMLib.outputs.dicom.source import read_source
from PulsarCAMLib.outputs.dicom.structure_set import Region, structure_set_of


def test_objects_lie_where_the_frames_are(tmp_path):
    file = an_enhanced_file(tmp_path / "mr.dcm", [2, 0, 1, 4, 3])
    image = read_file(file, "The MRI")
    mask = np.zeros(image.geometry.shape, bool)
    mask[1:3, 1:4, 2:5] = True
    lesion = Lesion.from_mask("GTV", mask)
    with quiet():
        source = read_source(image, file)
        seg = segmentation_of([lesion], source, a_maker(), "lesion", "x", True)
        seg.save_as(tmp_path / "seg.dcm", enforce_file_format=True)
        ramp = np.indices(mask.shape)[0].astype(np.float32)
        made = parametric_map_of(ramp, source, a_maker(), "x", ("x", "x"), "no unit", (0.0, 5.0), (1, 3))
        structures = structure_set_of([Region(lesion, "x")], source, a_maker())
    voxels, place = read_segment_voxels(tmp_path / "seg.dcm", [1])
    there, wanted = (
        sorted(map(tuple, np.round(where.to_lps(np.argwhere(own)[:, ::-1]), 2).tolist()))
        for own, where in ((voxels[0], place), (mask, image.geometry))
    )
    assert there == wanted
    frames = np.frombuffer(made.FloatPixelData, "<f4").reshape(-1, made.Rows, made.Columns)
    places = [each.PlanePositionSequence[0].ImagePositionPatient for each in made.PerFrameFunctionalGroupsSequence]
    assert frames[:, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert [float(place[2]) for place in places] == [10, 13, 16, 19, 22]
    contours = structures.ROIContourSequence[0].ContourSequence
    assert [each.ContourImageSequence[0].ReferencedFrameNumber for each in contours] == [3, 1]
