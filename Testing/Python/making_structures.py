"""Small DICOM structure sets and registrations everything about them known, and what may be wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from making_dicom import an_instance
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian

from PulsarCAMLib.core.geometry.volume import VolumeGeometry

RTSTRUCT, REG, DEFORMABLE = (f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("481.3", "66.1", "66.3"))
FRAME = "1.2.3.3"
"""Frame of reference of the series that :mod:`making_dicom` makes."""


def a_square(half: float = 4.0, at: tuple[float, float] = (0.0, 0.0), clockwise: bool = False) -> np.ndarray:
    """Corners ``[4, (x, y)]`` of a square."""
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]]) + at
    return corners[::-1] if clockwise else corners


def a_circle(radius: float, at: tuple[float, float] = (0.0, 0.0), count: int = 60) -> np.ndarray:
    """Corners ``[count, (x, y)]`` of a circle."""
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1) * radius + at


def on_plane(points: np.ndarray, k: float, geometry: VolumeGeometry) -> np.ndarray:
    """Points of a slice, in mm from its middle along rows and columns, as LPS ``[n, 3]``."""
    middle = (np.array(geometry.shape[2:0:-1]) - 1) / 2
    ij = np.asarray(points) / geometry.spacing[:2] + middle
    return geometry.to_lps(np.column_stack([ij, np.full(len(ij), k)]))


def shoelace_mm2(points: np.ndarray) -> float:
    """Area of one simple polygon ``[n, 3]`` in space: half the length of the sum of cross products."""
    centred = points - points[0]
    return float(np.linalg.norm(np.cross(centred, np.roll(centred, -1, axis=0)).sum(axis=0))) / 2


def a_contour(points: np.ndarray, kind: str = "CLOSED_PLANAR") -> Dataset:
    item = Dataset()
    item.ContourGeometricType, item.NumberOfContourPoints = kind, len(points)
    item.ContourData = [f"{value:.8g}" for value in np.asarray(points).ravel()]
    return item


def a_structure_set(
    path: Path,
    structures: Iterable[tuple[str, Sequence[Dataset | np.ndarray]]],
    kinds: Sequence[str] = (),
    numbers: Sequence[int] = (),
    frame: str = FRAME,
    change: Callable[[Dataset], None] = lambda data: None,
    **elements: object,
) -> Path:
    """An RTSTRUCT of names with their contours, each a :func:`a_contour` or points ``[n, 3]``."""
    data = an_object(RTSTRUCT, "RTSTRUCT", **elements)
    data.FrameOfReferenceUID = frame
    data.StructureSetLabel = "plan of Doe^Jane"
    reference = Dataset()
    reference.FrameOfReferenceUID = frame
    data.ReferencedFrameOfReferenceSequence = Items([reference])
    regions, drawn, told = [], [], []
    for n, (name, contours) in enumerate(structures):
        number = numbers[n] if n < len(numbers) else n + 1
        region, roi, observation = Dataset(), Dataset(), Dataset()
        region.ROINumber, region.ROIName, region.ReferencedFrameOfReferenceUID = number, name, frame
        roi.ReferencedROINumber = number
        if len(contours):
            roi.ContourSequence = Items([c if isinstance(c, Dataset) else a_contour(c) for c in contours])
        observation.ReferencedROINumber = number
        observation.RTROIInterpretedType = kinds[n] if n < len(kinds) else ""
        for made, each in zip((regions, drawn, told), (region, roi, observation), strict=True):
            made.append(each)
    data.StructureSetROISequence, data.ROIContourSequence = Items(regions), Items(drawn)
    data.RTROIObservationsSequence = Items(told)
    change(data)
    data.save_as(path, enforce_file_format=True)
    return path


def a_registration(
    path: Path,
    matrix: np.ndarray,
    source: str,
    target: str = FRAME,
    kind: str = "RIGID",
    sop_class: str = REG,
    uid: str = "1.2.3.5.7",
    **elements: object,
) -> Path:
    """A REG that takes points of the frame of reference ``source`` to ``target``, which is the registered one."""
    data = an_object(sop_class, "REG", uid, **elements)
    data.FrameOfReferenceUID = target
    items = []
    for frame, each in ((target, np.eye(4)), (source, matrix)):
        placed, registration, moved = Dataset(), Dataset(), Dataset()
        moved.FrameOfReferenceTransformationMatrix = [f"{v:.10g}" for v in np.asarray(each).ravel()]
        moved.FrameOfReferenceTransformationMatrixType = kind
        registration.MatrixSequence = Items([moved])
        placed.FrameOfReferenceUID = frame
        placed.MatrixRegistrationSequence = Items([registration])
        items.append(placed)
    data.RegistrationSequence = Items(items)
    data.save_as(path, enforce_file_format=True)
    return path


def a_series(
    folder: Path,
    voxels: np.ndarray,
    geometry: VolumeGeometry,
    uid: str = "1.2.3.2",
    change: Callable[[Dataset, int], None] = lambda data, n: None,
    spread: int = 0,
) -> Path:
    """An MR series of a volume, in folders of ``spread`` files each (0: all in one), in no order of the slices."""
    direction = np.asarray(geometry.direction)
    for n, plane in enumerate(voxels):
        data = an_instance(plane, n)
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"{uid}.{n + 1}"
        data.SeriesInstanceUID = uid
        data.ImagePositionPatient = [f"{v:.8g}" for v in geometry.to_lps(np.array([0, 0, n]))]
        data.ImageOrientationPatient = [f"{v:.10g}" for v in (*direction[:, 0], *direction[:, 1])]
        data.PixelSpacing = [geometry.spacing[1], geometry.spacing[0]]
        change(data, n)
        at = folder / f"{n // spread:02d}" if spread else folder
        at.mkdir(parents=True, exist_ok=True)
        data.save_as(at / f"{(n * 7) % 10}-{n}.dcm", enforce_file_format=True)
    return folder


def an_object(sop_class: str, modality: str, uid: str = "1.2.3.5.1", **elements: object) -> FileDataset:
    """A DICOM object without an image, of the patient of :mod:`making_dicom`."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = sop_class, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = uid
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = sop_class, uid, modality
    data.StudyInstanceUID, data.SeriesInstanceUID = "1.2.3.1", f"{uid}.9"
    data.PatientName, data.PatientID = "Doe^Jane", "12345"
    for keyword, value in elements.items():
        setattr(data, keyword, value)
    return data
