"""A DICOM series in an oblique place, and what objects are made of it: no network is asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from making_files import OBLIQUE, a_volume
from making_structures import a_series

from PulsarCAMLib.core.case import Image
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.io.dicom import read_series
from PulsarCAMLib.outputs.dicom.maker import Maker
from PulsarCAMLib.outputs.dicom.source import SourceSeries, read_source
from PulsarCAMLib.systems.bundles.bundle import find_bundle


def valid(data, n: int = 0) -> None:
    """What a valid MR object has besides (PS3.3 A.4), and a name beyond ASCII."""
    data.SpecificCharacterSet = "ISO_IR 100"
    data.PatientName, data.PatientBirthDate, data.PatientSex = "Müller^Jürgen", "19620229", "M"
    data.StudyID, data.StudyDate, data.StudyTime, data.AccessionNumber = "7", "20260301", "1015", "A1"
    data.ReferringPhysicianName, data.SeriesNumber, data.Manufacturer = "", 3, "Phantom"
    data.PositionReferenceIndicator, data.ImageType = "", ["ORIGINAL", "PRIMARY", "OTHER"]
    data.ScanningSequence, data.SequenceVariant, data.ScanOptions, data.MRAcquisitionType = "SE", "NONE", "", "3D"
    data.EchoTime, data.RepetitionTime, data.EchoTrainLength = "4", "9", "1"
    data.SliceThickness, data.BodyPartExamined = "3", "BRAIN"
    data.ContentDate, data.ContentTime = "20260301", "1015"


def a_source(folder: Path, change=valid) -> tuple[SourceSeries, Image]:
    """The series, and the image that was read from it."""
    a_series(folder, a_volume(), OBLIQUE, change=change)
    image = read_series(folder)
    return read_source(image, folder), image


def a_maker() -> Maker:
    """Of the shipped model's card; its weights are not read."""
    return Maker(find_bundle("synthetic-demo").card)


def some_regions() -> list[Lesion]:
    """One with a hole and a diagonal neighbour, one of a single voxel, and an empty one."""
    first = np.zeros(OBLIQUE.shape, bool)
    first[3:7, 10:24, 8:22] = True
    first[4:6, 14:18, 12:16] = False
    first[5, 24, 22] = True
    second = np.zeros(OBLIQUE.shape, bool)
    second[9, 40, 50] = True
    empty = Lesion("nothing", np.zeros((1, 2, 2), bool), (0, 0, 0))
    return [Lesion.from_mask("GTV links, ä", first), Lesion.from_mask("small\\one", second), empty]


def a_ramp() -> np.ndarray:
    """Values that differ in every slice, row and column: a flip cannot hide."""
    k, j, i = np.indices(OBLIQUE.shape)
    return (k + j / 100 + i / 10_000).astype(np.float32)
