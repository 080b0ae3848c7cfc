"""Arrays and rows as VTK objects that are not in any scene yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

from ..lesions.lesion import Lesion
from .colors import SEGMENT_COLORS
from .grids import Grid

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
    """Exchange all segments; segment by segment, so that displays and subject hierarchy follow."""
    segmentation.RemoveAllSegments()
    segmentation.SetSourceRepresentationName(slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName())
    for segment in segments:
        segmentation.AddSegment(segment)


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
