"""DICOM segmentations: binary, fractional, label map; frames in any order; written by highdicom, read back as drawn."""

from __future__ import annotations

import numpy as np
import pytest
from making_structures import FRAME, a_series

from PulsarCAMLib.core import requirements
from PulsarCAMLib.core.errors import DependencyError, GeometryError, InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.io.apart import reading_apart
from PulsarCAMLib.lesions.from_files import read_lesions as read_any

MRI = VolumeGeometry((6, 20, 24), (0.8, 1.1, 2.5), (-9, 4, 7), ((0.8, -0.6, 0), (0.6, 0.8, 0), (0, 0, 1)))


def read_lesions(path, geometry, frame="", **options):
    return read_any(path, geometry, frame=frame, **options)


def masks():
    first, second = np.zeros((2, *MRI.shape), bool)
    first[1:4, 3:9, 4:12] = True
    second[2:5, 12:16, 5:8] = True  # lopsided in every direction, so that no flip goes unseen
    second[2, 16:18, 5] = True
    return first, second


def a_seg(folder, kind="BINARY", arrays=None, names=("GTV left", "GTV"), backwards=False):
    hd = pytest.importorskip("highdicom", reason="highdicom is not installed")
    import pydicom
    from pydicom.sr.codedict import codes

    a_series(folder / "mri", np.zeros(MRI.shape, np.int16), MRI)
    slices = [pydicom.dcmread(path) for path in sorted((folder / "mri").iterdir())]
    for data in slices:  # what highdicom wants besides
        data.StudyID, data.StudyDate, data.StudyTime, data.AccessionNumber = "1", "20260101", "1200", ""
        data.PatientBirthDate, data.PatientSex, data.ReferringPhysicianName = "", "", ""
        data.PositionReferenceIndicator, data.SliceThickness = "", 2.5
    slices.sort(key=lambda data: float(data.ImagePositionPatient[2]), reverse=backwards)
    arrays = np.stack(masks() if arrays is None else arrays, axis=-1)
    arrays = arrays[::-1] if backwards else arrays
    about = [
        hd.seg.SegmentDescription(n, name, codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Neoplasm, "MANUAL")
        for n, name in enumerate(names, start=1)
    ]
    data = hd.seg.Segmentation(
        slices, arrays, kind, about, "1.2.3.8", 1, "1.2.3.8.1", 1, "nobody", "none", "1", "1",
    )  # fmt: skip
    path = folder / "seg.dcm"
    data.save_as(path)
    return path


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
@pytest.mark.parametrize("backwards", [False, True])
def test_segments_come_back_where_they_were_drawn(tmp_path, kind, backwards):
    arrays = [mask.astype(np.float32) for mask in masks()] if kind == "FRACTIONAL" else None
    path = a_seg(tmp_path, kind, arrays, backwards=backwards)
    lesions, told = read_lesions(path, MRI, frame=FRAME)
    assert [lesion.name for lesion in lesions] == ["GTV left", "GTV"]
    for lesion, mask in zip(lesions, masks(), strict=True):
        np.testing.assert_array_equal(lesion.full_mask(MRI.shape), mask)
        assert lesion.volume_cm3(MRI) == pytest.approx(mask.sum() * MRI.voxel_volume_mm3 / 1000)
    assert any("fractional" in text for text in told) == (kind == "FRACTIONAL")


def test_a_fractional_segment_is_what_is_half_filled_or_more(tmp_path):
    shares = np.zeros(MRI.shape, np.float32)
    shares[2, 4:8, 4:8], shares[3, 4:8, 4:8] = 0.6, 0.3
    (lesion,), _ = read_lesions(a_seg(tmp_path, "FRACTIONAL", [shares], ("GTV",)), MRI)
    np.testing.assert_array_equal(lesion.full_mask(MRI.shape), shares > 0.5)


def test_segments_are_chosen_and_frames_compared(tmp_path):
    path = a_seg(tmp_path)
    (lesion,), _ = read_lesions(path, MRI, segments=["GTV"])
    assert lesion.name == "GTV"
    with pytest.raises(InputError, match="has no segment “Brain”; it has “GTV left”, “GTV”"):
        read_lesions(path, MRI, segments=["Brain"])
    with pytest.raises(InputError, match="not label values"):
        read_lesions(path, MRI, labels=[1])
    with pytest.raises(GeometryError, match="another frame of reference"):
        read_lesions(path, MRI, frame="9.8.7")
    shift = np.eye(4)
    shift[:3, 3] = MRI.ijk_to_lps[:3, 2]
    (moved,), _ = read_lesions(path, MRI, segments=["GTV"], frame="9.8.7", registration=shift)
    assert moved.offset[0] == lesion.offset[0] + 1
    with reading_apart():
        (there,), _ = read_lesions(path, MRI, segments=["GTV"])
    np.testing.assert_array_equal(there.full_mask(MRI.shape), lesion.full_mask(MRI.shape))


def test_without_highdicom_it_is_told_what_to_install(tmp_path, monkeypatch):
    path = a_seg(tmp_path)
    monkeypatch.setattr("PulsarCAMLib.io.dicom.segments.FOR_DICOM", ("no-such-package>=1",))
    with pytest.raises(DependencyError, match=r"load it with the module DICOM, .*pip install pulsarcam.dicom"):
        read_lesions(path, MRI)
    assert requirements.FOR_DICOM
