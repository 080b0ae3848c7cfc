"""Small DICOM series and multi-frame objects with everything about them known, and with what may be wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian

from PulsarCAMLib.io.volumes import read_volume

MR, ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"
AXIAL = [1, 0, 0, 0, 1, 0]

Change = Callable[[Dataset, int], None]
"""Changes one file, or one frame's functional groups, by its number."""


def an_instance(voxels: np.ndarray, n: int = 0, sop_class: str = MR) -> FileDataset:
    """One instance with its voxels (``[row, column]``, or with frames before), without a place."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = sop_class, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = f"1.2.3.4.{n}"
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = sop_class, f"1.2.3.4.{n}", "MR"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = "1.2.3.1", "1.2.3.2", "1.2.3.3"
    data.PatientName, data.PatientID, data.InstanceNumber = "Doe^Jane", "12345", n + 1
    data.Rows, data.Columns = voxels.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 1
    data.PixelData = voxels.astype("<i2").tobytes()
    return data


def volume(slices: int = 5) -> np.ndarray:
    """Voxels ``[k, j, i]``, all different."""
    return np.arange(slices * 6 * 8).reshape(slices, 6, 8)


def a_folder(folder: Path, change: Change = lambda data, n: None, slices: int = 5) -> Path:
    """Single slices at z = 10, 13, 16 ... with pixels of 1.5 (between rows) x 0.5 mm, each changed by ``change``."""
    folder.mkdir()
    for n, plane in enumerate(volume(slices)):
        data = an_instance(plane, n)
        data.ImagePositionPatient, data.ImageOrientationPatient = [-4, -5, 10 + 3 * n], AXIAL
        data.PixelSpacing, data.SliceThickness = [1.5, 0.5], 3
        change(data, n)
        # file names in no order of the slices
        data.save_as(folder / f"{(n * 3) % slices}-{n}.dcm", enforce_file_format=True)
    return folder


def with_places(data: Dataset, positions: Sequence[Sequence[float]], change: Change = lambda frame, n: None) -> Dataset:
    """Functional groups for the frames of an instance: one orientation and pixel size, a position each."""
    shared = Dataset()
    shared.PlaneOrientationSequence = Items([Dataset()])
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = AXIAL
    shared.PixelMeasuresSequence = Items([Dataset()])
    shared.PixelMeasuresSequence[0].PixelSpacing = [1.5, 0.5]
    data.SharedFunctionalGroupsSequence = Items([shared])
    frames = []
    for n, position in enumerate(positions):
        frame = Dataset()
        frame.PlanePositionSequence = Items([Dataset()])
        frame.PlanePositionSequence[0].ImagePositionPatient = list(position)
        change(frame, n)
        frames.append(frame)
    data.PerFrameFunctionalGroupsSequence = Items(frames)
    return data


def an_enhanced_file(path: Path, order: Sequence[int], change: Change = lambda frame, n: None, slices: int = 5) -> Path:
    """Frames of :func:`volume` in an order of storage, at the places of :func:`a_folder`."""
    data = an_instance(volume(slices)[list(order)], 7, ENHANCED_MR)
    data.NumberOfFrames = len(order)
    with_places(data, [[-4, -5, 10 + 3 * n] for n in order], change)
    data.save_as(path, enforce_file_format=True)
    return path


def a_group(frame: Dataset, sequence: str, **values: object) -> None:
    """Give a frame one functional group."""
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    setattr(frame, sequence, Items([item]))


def is_right(path: Path, scale: float = 1) -> bool:
    """Whether a file or folder is read as :func:`volume`, times a scale, where :func:`a_folder` puts it."""
    voxels, geometry = read_volume(path)
    np.testing.assert_allclose(voxels, volume(len(voxels)) * scale, rtol=1e-6)
    np.testing.assert_allclose(geometry.spacing, (0.5, 1.5, 3))
    np.testing.assert_allclose(geometry.origin, (-4, -5, 10))
    np.testing.assert_allclose(np.diag(geometry.direction), 1)
    return True
