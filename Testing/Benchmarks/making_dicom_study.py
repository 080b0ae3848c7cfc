"""A study as a planning system exports it: MR 512 x 512 x 180 in single files, RTSTRUCT of 20 lesions, RTDOSE."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from making import DIAMETERS_MM, LESIONS, SHAPE_KJI, SPACING_MM, head

from PulsarCAMLib.core.geometry.volume import VolumeGeometry

sys.path.append(str(Path(__file__).resolve().parents[1] / "Python"))

from making_structures import FRAME, a_circle, a_series, a_structure_set, an_object, on_plane

RTDOSE = "1.2.840.10008.5.1.4.1.1.481.2"
DOSE_SPACING_MM = 2.5
POINTS_A_CONTOUR = 120


def study(folder: Path) -> Path:
    """Write the study.

    Returns:
        The folder: one series in 180 files, one structure set, one dose.
    """
    geometry = VolumeGeometry(SHAPE_KJI, spacing=SPACING_MM, origin=(-128.0, -128.0, -90.0))
    rng = np.random.default_rng(11)
    volume, centres = head(rng)
    places = np.ogrid[tuple(slice(n) for n in SHAPE_KJI)]
    structures = []
    for n, (centre, diameter) in enumerate(zip(centres, np.linspace(*DIAMETERS_MM, LESIONS), strict=True)):
        mm = [(axis - at) * step for axis, at, step in zip(places, centre, SPACING_MM[::-1], strict=True)]
        volume[sum(each**2 for each in mm) <= (diameter / 2) ** 2] += 500
        structures.append((f"GTV {n + 1}", _ball(centre, diameter / 2, geometry)))
    a_series(folder / "MR", volume, geometry)
    a_structure_set(folder / "RS.dcm", structures)
    _dose(folder / "RD.dcm", geometry, centres)
    return folder


def _ball(centre: np.ndarray, radius: float, geometry: VolumeGeometry) -> list[np.ndarray]:
    middle = (np.array(geometry.shape) - 1) / 2
    at = (centre[2] - middle[2]) * SPACING_MM[0], (centre[1] - middle[1]) * SPACING_MM[1]
    planes = np.arange(np.ceil(-radius / SPACING_MM[2] + 1e-9), np.floor(radius / SPACING_MM[2]) + 1)
    radii = np.sqrt(np.maximum(radius**2 - (planes * SPACING_MM[2]) ** 2, 0.01))
    return [
        on_plane(a_circle(r, at, POINTS_A_CONTOUR), centre[0] + k, geometry) for k, r in zip(planes, radii, strict=True)
    ]


def _dose(path: Path, geometry: VolumeGeometry, centres: np.ndarray) -> None:
    """20 Gy on each lesion, falling off around it, in voxels of 2.5 mm over the whole head."""
    size = np.array(SHAPE_KJI[::-1]) * SPACING_MM
    count = (size // DOSE_SPACING_MM).astype(int)
    axes = [np.arange(n) * DOSE_SPACING_MM for n in count]
    at = np.stack(np.meshgrid(*axes[::-1], indexing="ij"), -1)[..., ::-1]
    gray = np.zeros(at.shape[:3])
    for centre in centres:
        gray = np.maximum(gray, 20 * np.exp(-np.sum((at - centre[::-1] * SPACING_MM) ** 2, -1) / (2 * 12.0**2)))
    scaling = 20 / 60000
    data = an_object(RTDOSE, "RTDOSE", "1.2.3.5.8", FrameOfReferenceUID=FRAME)
    data.ImagePositionPatient, data.ImageOrientationPatient = list(geometry.origin), [1, 0, 0, 0, 1, 0]
    data.PixelSpacing = [DOSE_SPACING_MM, DOSE_SPACING_MM]
    data.GridFrameOffsetVector = [float(z) for z in axes[2]]
    data.NumberOfFrames, data.Rows, data.Columns = gray.shape
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit = 15
    data.DoseUnits, data.DoseType, data.DoseSummationType, data.DoseGridScaling = "GY", "PHYSICAL", "PLAN", scaling
    data.FrameIncrementPointer = 0x3004000C
    data.PixelData = np.round(gray / scaling).astype("<u2").tobytes()
    data.save_as(path, enforce_file_format=True)
