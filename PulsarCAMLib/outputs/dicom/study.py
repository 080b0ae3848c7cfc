"""A generated scan as a DICOM study: MR slices, structure set, dose. For the demo and for trying out other programs.

Source: DICOM PS3.3 A.4 (MR Image), C.8.3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from ...core.geometry.volume import VolumeGeometry
from ...core.lesion import Lesion
from ...io.dicom.files import quiet
from .dose_grid import dose_of, right_handed
from .maker import Maker
from .source import SourceSeries, series_of
from .structure_set import Region, structure_set_of

MR = "1.2.840.10008.5.1.4.1.1.4"
SLICES, STRUCTURES, DOSE = "MR", "RS.dcm", "RD.dcm"


def write_study(
    folder: Path,
    image: np.ndarray,
    geometry: VolumeGeometry,
    lesions: Sequence[Lesion],
    dose_gy: np.ndarray,
    dose_geometry: VolumeGeometry,
    patient: str,
) -> None:
    """Write the files of a study that has never been a patient's.

    Args:
        folder: to be made.
        image: integers ``[k, j, i]`` of 16 bits.
        geometry: its place.
        lesions: on its grid, contoured as GTVs.
        dose_gy, dose_geometry: a dose ``[k, j, i]`` in Gy and its place.
        patient: ID.
    """
    maker = Maker(None)
    with quiet():
        source = _write_slices(folder / SLICES, *right_handed(image, geometry), maker, patient)
        lesions = [_along(lesion, geometry) for lesion in lesions]
        regions = [Region(each, "Synthetic lesion.", "GTV", activated=False) for each in lesions]
        made = {STRUCTURES: structure_set_of(regions, source, maker)}
        made[DOSE] = dose_of(dose_gy, dose_geometry, source, maker, "synthetic dose")
        for name, each in made.items():
            each.save_as(folder / name, enforce_file_format=True)


def _along(lesion: Lesion, geometry: VolumeGeometry) -> Lesion:
    """A lesion on the grid that :func:`.dose_grid.right_handed` makes of its own."""
    if np.linalg.det(np.asarray(geometry.direction)) > 0:
        return lesion
    k, j, i = lesion.offset
    return Lesion(lesion.name, lesion.mask[::-1], (geometry.shape[0] - k - len(lesion.mask), j, i))


def _write_slices(
    folder: Path, image: np.ndarray, geometry: VolumeGeometry, maker: Maker, patient: str
) -> SourceSeries:
    """The MR series, and its headers for what refers to it."""
    import highdicom as hd
    from pydicom.uid import ExplicitVRLittleEndian
    from pydicom.valuerep import format_number_as_ds

    folder.mkdir(parents=True)
    first = hd.base.SOPClass(
        study_instance_uid=hd.UID(),
        sop_class_uid=MR,
        modality="MR",
        transfer_syntax_uid=ExplicitVRLittleEndian,
        patient_id=patient,
        patient_name="Synthetic^Patient",
        patient_birth_date="",
        patient_sex="O",
        accession_number="",
        study_id="1",
        study_date="20260101",
        study_time="120000",
        referring_physician_name="",
        **maker.common("synthetic MRI"),
    )
    axes = np.asarray(geometry.direction)
    first.FrameOfReferenceUID, first.PositionReferenceIndicator = hd.UID(), ""
    first.PatientPosition = "HFS"
    first.ImageType, first.BodyPartExamined = ["DERIVED", "SECONDARY", "OTHER"], "BRAIN"
    first.ScanningSequence, first.SequenceVariant, first.ScanOptions = "RM", "NONE", ""
    first.MRAcquisitionType, first.EchoTime, first.RepetitionTime, first.EchoTrainLength = "3D", "4", "9", "1"
    first.ImageOrientationPatient = [format_number_as_ds(float(v)) for v in (*axes[:, 0], *axes[:, 1])]
    column_mm, row_mm, slice_mm = (format_number_as_ds(each) for each in geometry.spacing)
    first.PixelSpacing, first.SliceThickness = [row_mm, column_mm], slice_mm
    first.Rows, first.Columns = image.shape[1:]
    first.SamplesPerPixel, first.PhotometricInterpretation = 1, "MONOCHROME2"
    first.BitsAllocated = first.BitsStored = 16
    first.HighBit, first.PixelRepresentation = 15, int(image.min() < 0)
    headers: list[Any] = []
    for k, plane in enumerate(image.astype("<i2" if first.PixelRepresentation else "<u2")):
        each = deepcopy(first)
        each.SOPInstanceUID = each.file_meta.MediaStorageSOPInstanceUID = hd.UID()
        each.InstanceNumber = k + 1
        each.ImagePositionPatient = [format_number_as_ds(float(v)) for v in geometry.to_lps(np.array([0, 0, k]))]
        each.PixelData = plane.tobytes()
        each["PixelData"].VR = "OW"
        each.save_as(folder / f"{k + 1:04d}.dcm", enforce_file_format=True)
        del each.PixelData
        headers.append(each)
    return series_of(headers, geometry)
