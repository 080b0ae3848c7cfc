"""Arrays and rows as VTK objects that are not in any scene yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

from ...core.lesion import Lesion
from ..reading.grids import Grid
from ..showing.colors import SEGMENT_COLORS

LESION_TAG = "PulsarCAM.lesion"
"""Segment tag that holds the name of the lesion."""

TERMINOLOGY = (
    "Segmentation category and type - 3D Slicer General Anatomy list"
    "~SCT^49755003^Morphologically Altered Structure~SCT^4147007^Mass~^^"
    "~Anatomic codes - DICOM master list~^^~^^"
)

_UNITS = {"_cm3": "cm3", "_mm3": "mm3", "_mm2": "mm2", "_mm": "mm"}


def image_from(array: np.ndarray) -> vtk.vtkImageData:
    """VTK image of an array ``[k, j, i]``, copied; bool becomes uint8."""
    array = np.ascontiguousarray(array, dtype=np.uint8 if array.dtype == bool else None)
    image = vtk.vtkImageData()
    image.SetDimensions(*array.shape[::-1])
    image.GetPointData().SetScalars(numpy_support.numpy_to_vtk(array.ravel(), deep=True))
    return image


def segments_from(regions: Iterable[tuple[str, Lesion]], grid: Grid) -> list:
    """A ``vtkSegment`` for each region that has voxels, on the grid.

    Args:
        regions: name of the segment, and its voxels under the name of the lesion.
        grid: the MRI's.
    """
    binary = slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName()
    segments = []
    for index, (name, region) in enumerate(regions):
        if not region.voxels:
            continue
        segment = slicer.vtkSegment()
        segment.SetName(name)
        segment.SetColor(*SEGMENT_COLORS[index % len(SEGMENT_COLORS)])
        segment.SetTag(segment.GetTerminologyEntryTagName(), TERMINOLOGY)
        segment.SetTag(LESION_TAG, region.name)
        segment.AddRepresentation(binary, _block(region, grid))
        segments.append(segment)
    return segments


def fill_segmentation(segmentation, segments: Sequence) -> None:
    """Exchange the content of all segments.

    Where the same lesions are there already, their segments stay (with ID, color and visibility) and only their voxels
    change, which is what a slider asks for; else segment by segment, so that displays and subject hierarchy follow.
    """
    ids = [segmentation.GetNthSegmentID(n) for n in range(segmentation.GetNumberOfSegments())]
    if _can_stay(segmentation, ids, segments):
        others = _other_representations(segmentation)
        for segment_id, segment in zip(ids, segments, strict=True):
            _exchange(segmentation.GetSegment(segment_id), segment)
        for name in others:  # gone with the old voxels
            segmentation.CreateRepresentation(name, True)
        return
    segmentation.RemoveAllSegments()
    segmentation.SetSourceRepresentationName(_binary())
    for segment in segments:
        segmentation.AddSegment(segment)


def _binary() -> str:
    return slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName()


def _can_stay(segmentation, ids: Sequence[str], segments: Sequence) -> bool:
    """Whether the segments are those of the same lesions, each with a labelmap of its own."""
    there = [_lesion_of(segmentation.GetSegment(segment_id)) for segment_id in ids]
    images = [segmentation.GetSegment(segment_id).GetRepresentation(_binary()) for segment_id in ids]
    return (
        segmentation.GetSourceRepresentationName() == _binary()
        and None not in there
        and there == [_lesion_of(segment) for segment in segments]
        and None not in images
        and len({image.GetAddressAsString("") for image in images}) == len(images)
    )


def _lesion_of(segment) -> str | None:
    name = vtk.reference("")
    return str(name) if segment.GetTag(LESION_TAG, name) else None


def _exchange(segment, new) -> None:
    segment.SetName(new.GetName())
    segment.SetLabelValue(new.GetLabelValue())
    segment.GetRepresentation(_binary()).DeepCopy(new.GetRepresentation(_binary()))


def _other_representations(segmentation) -> list[str]:
    """Closed surfaces and the like, for 3D views."""
    names: list[str] = []
    segmentation.GetContainedRepresentationNames(names)
    return [name for name in names if name != _binary()]


def _block(region: Lesion, grid: Grid):
    image = slicer.vtkOrientedImageData()
    image.DeepCopy(image_from(region.mask))
    ends = [(o, o + n - 1) for o, n in zip(region.offset[::-1], region.mask.shape[::-1], strict=True)]
    image.SetExtent(*(int(e) for pair in ends for e in pair))
    image.SetGeometryFromImageToWorldMatrix(slicer.util.vtkMatrixFromArray(grid.ijk_to_ras))
    return image


def table_from(rows: Sequence[Mapping[str, object]]) -> tuple[vtk.vtkTable, dict[str, str]]:
    """VTK table of rows with the same keys, and the unit of each column whose name ends in one."""
    table = vtk.vtkTable()
    names = list(rows[0]) if rows else []
    for name in names:
        table.AddColumn(_column(name, [row.get(name) for row in rows]))
    units = {name: unit for name in names for end, unit in _UNITS.items() if name.endswith(end)}
    return table, units


def _column(name: str, values: list) -> vtk.vtkAbstractArray:
    present = [v for v in values if v is not None]
    if any(isinstance(v, str) for v in present):
        column = vtk.vtkStringArray()
        values = ["" if v is None else str(v) for v in values]
    elif len(present) == len(values) and all(isinstance(v, (bool, int, np.integer, np.bool_)) for v in values):
        column = vtk.vtkIntArray()
        values = [int(v) for v in values]
    else:
        column = vtk.vtkDoubleArray()
        values = [float("nan") if v is None else float(v) for v in values]
    column.SetName(name)
    for value in values:
        column.InsertNextValue(value)
    return column
