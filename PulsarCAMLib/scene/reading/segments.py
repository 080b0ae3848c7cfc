"""What a mask node holds, for lists: segments or label values, with color, volume and place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

from ...core.lesion import CONNECTIVITY_26
from .inputs import label_names, segment_names

MOST_PARTS = 100
"""Whose pieces are counted for a list: an image that is no mask has thousands."""


@dataclass(frozen=True)
class MaskPart:
    """One segment, or one label value of a label map.

    Attributes:
        id: of the segment, or the label value as text.
        name: for the user; no other part has it.
        color: red, green, blue, 0..1.
        volume_cm3: None where the segment must be converted first (planar contours).
    """

    id: str
    name: str
    color: tuple[float, float, float]
    volume_cm3: float | None


def parts_of(mask_node) -> list[MaskPart]:
    """Segments of a segmentation, or label values of a label map, in the node's order; none of None."""
    if mask_node is None:
        return []
    if mask_node.IsA("vtkMRMLSegmentationNode"):
        return _segments(mask_node)
    return _labels(mask_node)


def centre_of(mask_node, part_id: str) -> tuple[float, float, float] | None:
    """Centre of a part in RAS millimetres of the scene, or None for an empty one."""
    if mask_node.IsA("vtkMRMLSegmentationNode"):
        place = mask_node.GetSegmentCenterRAS(part_id)
        return None if place is None else tuple(place)
    inside = np.argwhere(slicer.util.arrayFromVolume(mask_node) == int(part_id)) if mask_node.GetImageData() else []
    if len(inside) == 0:
        return None
    matrix = vtk.vtkMatrix4x4()
    mask_node.GetIJKToRASMatrix(matrix)
    own = matrix.MultiplyPoint((*inside.mean(axis=0)[::-1], 1.0))[:3]
    return to_world(mask_node, own)


def pieces_of(mask_node, part_ids: Sequence[str], parts: str) -> dict[str, int]:
    """How many lesions each part becomes, where its pieces that do not touch are lesions of their own.

    Args:
        mask_node: segmentation or label map.
        part_ids: of the parts that are asked about.
        parts: as for explaining: "auto", "together" or "separate".

    Returns:
        ID to number; empty where a part is one lesion, or where there are more of them than anybody contours; parts
        without a binary label map are left out.
    """
    if mask_node is None or parts == "together" or len(part_ids) > MOST_PARTS:
        return {}
    if mask_node.IsA("vtkMRMLSegmentationNode"):
        return _pieces_of_segments(mask_node, part_ids) if parts == "separate" else {}
    if mask_node.GetImageData() is None or not mask_node.GetImageData().GetNumberOfPoints():
        return {}
    values = slicer.util.arrayFromVolume(mask_node)
    labels = [int(part_id) for part_id in part_ids]
    if parts == "auto" and np.count_nonzero(np.isin(np.unique(values), [0], invert=True)) != 1:
        return {}
    return {str(label): _pieces(values == label) for label in labels}


def _pieces_of_segments(node, part_ids: Sequence[str]) -> dict[str, int]:
    name, found = slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName(), {}
    for part_id in part_ids:
        segment = node.GetSegmentation().GetSegment(part_id)
        image = segment.GetRepresentation(name)
        if image is not None and image.GetNumberOfPoints() and image.GetPointData().GetScalars() is not None:
            values = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
            found[part_id] = _pieces(values.reshape(image.GetDimensions()[::-1]) == segment.GetLabelValue())
    return found


def _pieces(inside: np.ndarray) -> int:
    """Of a mask ``[k, j, i]``; as many as lesions are made of it."""
    from scipy import ndimage

    boxes = ndimage.find_objects(inside.astype(np.uint8))
    return int(ndimage.label(inside[boxes[0]], CONNECTIVITY_26)[1]) if boxes else 0


def to_world(node, ras) -> tuple[float, float, float]:
    """A place in a node's own RAS millimetres as RAS millimetres of the scene."""
    found = [0.0, 0.0, 0.0]
    node.TransformPointToWorld([float(x) for x in ras], found)
    return tuple(found)


def content_key(mask_node) -> tuple:
    """Changes when something changes that a result depends on (not with colors or visibility)."""
    if not mask_node.IsA("vtkMRMLSegmentationNode"):
        return (mask_node.GetID(), *image_key(mask_node))
    segmentation = mask_node.GetSegmentation()
    source = segmentation.GetSourceRepresentationName()
    parts = []
    for segment_id, name in segment_names(mask_node).items():
        data = segmentation.GetSegment(segment_id).GetRepresentation(source)
        parts.append((segment_id, name, data.GetMTime() if data else 0))
    return (mask_node.GetID(), *parts, *transform_key(mask_node))


def list_key(mask_node) -> tuple:
    """Changes when :func:`parts_of` would; cheap."""
    if mask_node is None:
        return ()
    if not mask_node.IsA("vtkMRMLSegmentationNode"):
        return content_key(mask_node)
    segmentation = mask_node.GetSegmentation()
    colors = [segmentation.GetNthSegment(n).GetColor() for n in range(segmentation.GetNumberOfSegments())]
    return (*content_key(mask_node), *colors)


def image_key(volume_node) -> tuple:
    """Changes with voxels, geometry and transforms of a volume node."""
    image = volume_node.GetImageData()
    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    place = tuple(np.ravel(slicer.util.arrayFromVTKMatrix(matrix)).tolist())
    version = (image.GetAddressAsString(""), image.GetMTime()) if image else ("", 0)
    return (*version, place, *transform_key(volume_node))


def transform_key(node) -> tuple:
    """Changes with the transforms above a node."""
    above = node.GetParentTransformNode()
    if above is None:
        return ()
    return (above.GetID(), above.GetTransformToParent().GetMTime(), *transform_key(above))


def _segments(node) -> list[MaskPart]:
    counts: dict[str, np.ndarray] = {}
    segmentation = node.GetSegmentation()
    return [
        MaskPart(segment_id, name, tuple(segmentation.GetSegment(segment_id).GetColor()), volume)
        for segment_id, name in segment_names(node).items()
        for volume in [_volume_cm3(segmentation.GetSegment(segment_id), counts)]
    ]


def _volume_cm3(segment, counts: dict[str, np.ndarray]) -> float | None:
    image = segment.GetRepresentation(slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName())
    if image is not None:
        if not image.GetNumberOfPoints() or image.GetPointData().GetScalars() is None:
            return 0.0
        key = image.GetAddressAsString("")
        if key not in counts:  # segments that do not overlap share one image
            values = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).ravel()
            counts[key] = np.bincount(values[values != 0])  # bincount alone would widen every voxel to 8 bytes
        label = segment.GetLabelValue()
        voxels = int(counts[key][label]) if label < len(counts[key]) else 0
        return voxels * float(np.prod(image.GetSpacing())) / 1000
    surface = segment.GetRepresentation(slicer.vtkSegmentationConverter.GetClosedSurfaceRepresentationName())
    if surface is None:
        return None
    if not surface.GetNumberOfCells():
        return 0.0
    triangles, measure = vtk.vtkTriangleFilter(), vtk.vtkMassProperties()
    triangles.SetInputData(surface)
    measure.SetInputConnection(triangles.GetOutputPort())
    return measure.GetVolume() / 1000


def _labels(node) -> list[MaskPart]:
    if node.GetImageData() is None or not node.GetImageData().GetNumberOfPoints():
        return []
    values, counts = np.unique(slicer.util.arrayFromVolume(node), return_counts=True)
    names = label_names(node) or {}
    display = node.GetDisplayNode()
    colors = display.GetColorNode() if display else None
    voxel = float(np.prod(node.GetSpacing())) / 1000
    parts = []
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        if value == 0:
            continue
        color = [0.5, 0.5, 0.5, 1.0]
        if colors is not None:
            colors.GetColor(int(value), color)
        parts.append(
            MaskPart(str(int(value)), names.get(value, f"Lesion {int(value)}"), tuple(color[:3]), count * voxel)
        )
    return parts
