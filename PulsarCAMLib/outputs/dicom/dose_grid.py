"""A dose in Gy as RTDOSE: a prescription map, or the dose of a synthetic study.

pydicom alone, for highdicom makes none. Frames ascend along the normal, with offsets relative to the first.

Source: DICOM PS3.3 A.18, C.8.8.3 (RT Dose).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.errors import InputError
from ...core.geometry.volume import VolumeGeometry
from ...io.dose import HIGHEST_GY
from .maker import NOTE, Maker, short
from .source import SourceSeries

RTDOSE = "1.2.840.10008.5.1.4.1.1.481.2"


def dose_of(
    dose_gy: np.ndarray, geometry: VolumeGeometry, source: SourceSeries, maker: Maker, comment: str, plan: Any = None
) -> Any:
    """The object, not yet written.

    Without a plan that it refers to, such a dose is not what the standard foresees (Referenced RT Plan Sequence is
    needed for a sum over a plan, C.8.8.3): a prescription map belongs to no plan. Validators say so.

    Args:
        dose_gy: ``[k, j, i]``, zero or above.
        geometry: its place, in the source's frame of reference; any grid, right-handed or not.
        source: the MRI; patient, study and frame of reference are its.
        maker: of the result.
        comment: what dose it is, a few words.
        plan: SOP class and instance UID of an RT plan that it is the dose of.

    Raises:
        InputError: no dose: negative, not finite, or above :data:`HIGHEST_GY`.
    """
    from pydicom.valuerep import format_number_as_ds

    if (
        dose_gy.shape != geometry.shape
        or not np.isfinite(dose_gy).all()
        or dose_gy.min() < 0
        or dose_gy.max() > HIGHEST_GY
    ):
        raise InputError(f"A dose for RTDOSE must lie between 0 and {HIGHEST_GY:g} Gy everywhere; see how it was made.")
    dose_gy, geometry = right_handed(dose_gy, geometry)
    made = maker.plain_object(source, RTDOSE, "RTDOSE", comment)
    axes, (column_mm, row_mm, slice_mm) = np.asarray(geometry.direction), geometry.spacing
    made.ImagePositionPatient = [format_number_as_ds(value) for value in geometry.origin]
    made.ImageOrientationPatient = [format_number_as_ds(value) for value in (*axes[:, 0], *axes[:, 1])]
    made.PixelSpacing, made.SliceThickness = (
        [format_number_as_ds(row_mm), format_number_as_ds(column_mm)],
        format_number_as_ds(slice_mm),
    )
    made.NumberOfFrames, made.Rows, made.Columns = dose_gy.shape
    made.FrameIncrementPointer = 0x3004000C
    made.GridFrameOffsetVector = [format_number_as_ds(n * slice_mm) for n in range(dose_gy.shape[0])]
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 32
    made.HighBit, made.PixelRepresentation = 31, 0
    made.DoseUnits, made.DoseType, made.DoseSummationType = "GY", "PHYSICAL", "PLAN"
    made.DoseComment = short(f"{NOTE}: {comment}")
    if plan is not None:
        from pydicom.dataset import Dataset

        made.ReferencedRTPlanSequence = [Dataset()]
        item = made.ReferencedRTPlanSequence[0]
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = plan
    scaling = float(format_number_as_ds(float(dose_gy.max()) / (2**32 - 2) or 1.0))
    made.DoseGridScaling = format_number_as_ds(scaling)
    made.PixelData = np.rint(dose_gy.astype(np.float64) / scaling).astype("<u4").tobytes()
    made["PixelData"].VR = "OW"
    return made


def right_handed(values: np.ndarray, geometry: VolumeGeometry) -> tuple[np.ndarray, VolumeGeometry]:
    """The same voxels with slices along the cross product of rows and columns, as DICOM counts them."""
    if np.linalg.det(np.asarray(geometry.direction)) > 0:
        return values, geometry
    matrix = geometry.ijk_to_lps.copy()
    matrix[:3, 3] += matrix[:3, 2] * (geometry.shape[0] - 1)
    matrix[:3, 2] *= -1
    return values[::-1], VolumeGeometry.from_ijk_to_lps(matrix, geometry.shape)
