"""The DICOM series travels with an image: UIDs in the order of the slices, and nothing else."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pydicom
import pytest
from making_dicom import with_places
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from PulsarCAMLib.io.volumes import read_image_of, read_volume

MR = "1.2.840.10008.5.1.4.1.1.4"
STUDY, SERIES, FRAME = "1.2.3.1", "1.2.3.2", "1.2.3.3"


def a_slice(path, n, position, series=SERIES, frame=FRAME):
    """One slice of value n at z = position."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = MR, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = f"1.2.3.4.{n}"
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = MR, f"1.2.3.4.{n}", "MR"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = STUDY, series, frame
    data.PatientName, data.PatientID, data.StudyDate = "Doe^Jane", "12345", "20200101"
    data.InstanceNumber, data.Rows, data.Columns = n, 4, 5
    data.ImagePositionPatient, data.ImageOrientationPatient = [-2, -3, position], [1, 0, 0, 0, 1, 0]
    data.PixelSpacing, data.SliceThickness = [1, 1], 2
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 0
    data.PixelData = np.full((4, 5), n, np.uint16).tobytes()
    data.save_as(path, enforce_file_format=True)


def a_series(folder, order=(0, 3, 1, 2), **options):
    """Slices at z = 0, 2, 4, 6, whose files and instance numbers are in another order."""
    folder.mkdir()
    for name, n in enumerate(order):
        a_slice(folder / f"{name}.dcm", n, 2.0 * n, **options)
    return folder


def test_instances_are_in_the_order_of_the_slices(tmp_path):
    image = read_image_of(a_series(tmp_path / "series"))
    assert image.source.instance_uids == tuple(f"1.2.3.4.{n}" for n in image.voxels[:, 0, 0])
    assert sorted(image.voxels[:, 0, 0]) == [0, 1, 2, 3]
    for k, value in enumerate(image.voxels[:, 0, 0]):
        assert image.geometry.to_lps([0, 0, k])[2] == pytest.approx(2.0 * value)
    assert (image.source.study_uid, image.source.series_uid) == (STUDY, SERIES)
    assert (image.source.frame_of_reference_uid, image.source.sop_class_uid) == (FRAME, MR)


def test_nothing_but_uids_travels(tmp_path):
    told = str(asdict(read_image_of(a_series(tmp_path / "series")).source))
    assert not [each for each in ("Doe", "Jane", "12345", "2020") if each in told]


def test_slices_of_two_frames_of_reference_have_no_source(tmp_path):
    folder = a_series(tmp_path / "series")
    a_slice(folder / "0.dcm", 0, 0.0, frame="1.2.3.9")
    image = read_image_of(folder)
    assert image.source is None
    assert image.voxels.shape == (4, 4, 5)


def test_a_multi_frame_file_has_its_one_instance(tmp_path):
    a_slice(tmp_path / "a.dcm", 7, 0.0)
    data = pydicom.dcmread(tmp_path / "a.dcm")
    data.NumberOfFrames = 3
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"
    data.SeriesInstanceUID = generate_uid()
    with_places(data, [[-2, -3, 2 * n] for n in range(3)])
    data.PixelData = np.arange(3, dtype=np.uint16).repeat(20).tobytes()
    data.save_as(tmp_path / "frames.dcm", enforce_file_format=True)
    image = read_image_of(tmp_path / "frames.dcm")
    assert image.voxels[:, 0, 0].tolist() == [0, 1, 2]
    assert image.source.instance_uids == ("1.2.3.4.7",)
    assert image.source.series_uid == data.SeriesInstanceUID


def test_other_files_have_no_source(tmp_path):
    from making_files import PLAIN, a_volume, written

    path = written(tmp_path / "a.nrrd", a_volume(PLAIN), PLAIN)
    image = read_image_of(path)
    assert image.source is None
    voxels, geometry = read_volume(path)
    assert np.array_equal(voxels, image.voxels)
    assert geometry == image.geometry


def test_a_real_series(shared_data):
    folder = shared_data / "dicom_mr_rtstruct" / "STS_008" / "image"
    image = read_image_of(folder)
    by_uid = {}
    for path in folder.iterdir():
        header = pydicom.dcmread(path, stop_before_pixels=True)
        by_uid[str(header.SOPInstanceUID)] = header
    assert len(image.source.instance_uids) == len(image.voxels) == len(by_uid)
    for k, uid in enumerate(image.source.instance_uids):
        position = np.array(by_uid[uid].ImagePositionPatient, dtype=float)
        assert np.allclose(image.geometry.to_lps([0, 0, k]), position, atol=1e-3)
    assert image.source.frame_of_reference_uid == str(header.FrameOfReferenceUID)
