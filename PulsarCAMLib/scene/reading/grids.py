"""Masks of any geometry, under any transform, on the grid of one volume.

Where the transforms are linear and keep right angles, a mask stays as it was drawn, with the place of its voxels, and
:mod:`PulsarCAMLib.lesions.on_grid` brings it to the grid as it does with files. Else nearest neighbours do.

Everything here works on copies outside the scene: no node is added, and the user's segmentation gains no
representation. Matrices take ``(i, j, k, 1)`` to RAS millimetres of the volume node (before its parent transform).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

from ...core.errors import GeometryError, InputError
from ...core.geometry.volume import VolumeGeometry

_MARGIN = 2
"""Voxels around the mask that are resampled with it, for rounding."""


@dataclass(frozen=True)
class Grid:
    """The voxels of a volume node: shape ``(k, j, i)`` and IJK-to-RAS matrix, and the node's parent transform."""

    shape: tuple[int, int, int]
    ijk_to_ras: np.ndarray
    transform_node: object

    @classmethod
    def of_volume(cls, node) -> Grid:
        """Grid of a volume node that holds an image."""
        matrix = vtk.vtkMatrix4x4()
        node.GetIJKToRASMatrix(matrix)
        shape = node.GetImageData().GetDimensions()[::-1]
        return cls(tuple(shape), slicer.util.arrayFromVTKMatrix(matrix), node.GetParentTransformNode())

    def box_ras(self) -> np.ndarray:
        """Lowest and highest RAS millimetres ``[2, 3]`` of the outer faces of the grid's voxels."""
        ends = np.array([np.array([-0.5, n - 0.5]) for n in self.shape[::-1]])
        corners = np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(-1, 3)
        ras = corners @ self.ijk_to_ras[:3, :3].T + self.ijk_to_ras[:3, 3]
        return np.stack([ras.min(axis=0), ras.max(axis=0)])


@dataclass(frozen=True)
class PlacedMask:
    """A mask as it lies on a grid, or as it was drawn with the place of its voxels there.

    Attributes:
        values: where a transform bends or shears the mask: ``[k, j, i]`` of a block of the grid (label values, or 1
            inside), or None where nothing lies on it.
        offset: array index ``(k, j, i)`` of that block.
        voxels: number of non-zero voxels in the mask's own geometry, also outside the grid; 0 means empty.
        share_inside: share of these whose centre is within the grid, 0..1.
        box_ras: lowest and highest RAS millimetres ``[2, 3]`` of the mask's voxel centres, or None if empty.
        drawn: the mask's own voxels ``[k, j, i]``; None where it is bent or empty.
        own: their place in the space of the grid; None likewise.
    """

    values: np.ndarray | None
    offset: tuple[int, int, int]
    voxels: int
    share_inside: float
    box_ras: np.ndarray | None
    drawn: np.ndarray | None = None
    own: VolumeGeometry | None = None

    @property
    def is_on_grid(self) -> bool:
        """Whether any of it lies on the grid."""
        return self.share_inside > 0 if self.own is not None else self.values is not None


NOTHING = PlacedMask(None, (0, 0, 0), 0, 0.0, None)


def transform_between(from_node, to_node) -> tuple[vtk.vtkGeneralTransform, np.ndarray | None]:
    """Transform from below one transform node to below another, and its 4x4 matrix if it is linear."""
    general = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(from_node, to_node, general)
    linear = vtk.vtkTransform()
    if slicer.vtkMRMLTransformNode.IsGeneralTransformLinear(general, linear):
        return general, slicer.util.arrayFromVTKMatrix(linear.GetMatrix())
    return general, None


def place_segment(segmentation_node, segment_id: str, grid: Grid) -> PlacedMask:
    """One segment on the grid, whatever its geometry, source representation and transform.

    Raises:
        InputError: the segment cannot be converted to a binary label map.
    """
    general, matrix = transform_between(segmentation_node.GetParentTransformNode(), grid.transform_node)
    return _place(_segment_image(segmentation_node, segment_id, grid, matrix), grid, general, matrix)


def place_label_map(node, grid: Grid) -> PlacedMask:
    """A label map volume on the grid.

    Raises:
        InputError: it holds no image.
    """
    if node.GetImageData() is None or node.GetImageData().GetNumberOfPoints() == 0:
        raise InputError(f"The label map “{node.GetName()}” holds no image; load it again.")
    image = slicer.vtkOrientedImageData()
    image.ShallowCopy(node.GetImageData())
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    image.SetGeometryFromImageToWorldMatrix(matrix)
    general, linear = transform_between(node.GetParentTransformNode(), grid.transform_node)
    return _place(image, grid, general, linear)


def values_of_no_segment(node) -> int:
    """How many values other than 0 the binary label maps of a segmentation hold that none of its segments has."""
    segmentation = node.GetSegmentation()
    binary = slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName()
    found: dict[str, np.ndarray] = {}
    owned: dict[str, set[int]] = {}
    for n in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(n)
        image = segment.GetRepresentation(binary)
        if image is None or not image.GetNumberOfPoints() or image.GetPointData().GetScalars() is None:
            continue
        key = image.GetAddressAsString("")  # segments that do not overlap share one image
        if key not in found:
            values = _array(image).ravel()
            found[key] = np.unique(values[values != 0])
        owned.setdefault(key, set()).add(int(segment.GetLabelValue()))
    return sum(len(set(values.tolist()) - owned[key]) for key, values in found.items())


def _segment_image(node, segment_id: str, grid: Grid, matrix: np.ndarray | None):
    """The segment as an image of 0 and 1 in the segmentation's own space."""
    segmentation = node.GetSegmentation()
    binary = slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName()
    image = slicer.vtkOrientedImageData()
    if segmentation.GetSourceRepresentationName() == binary:
        node.GetBinaryLabelmapRepresentation(segment_id, image)
        return image
    name = segmentation.GetSegment(segment_id).GetName()
    copy = slicer.vtkSegmentation()
    copy.SetSourceRepresentationName(segmentation.GetSourceRepresentationName())
    copy.CopyConversionParameters(segmentation)
    copy.CopySegmentFromSegmentation(segmentation, segment_id)
    copy.SetConversionParameter(
        slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName(), _geometry_for(grid, matrix)
    )
    if not copy.GetSegment(segment_id).GetRepresentation(segmentation.GetSourceRepresentationName()):
        return image
    if not copy.CreateRepresentation(binary, True):
        raise InputError(
            f"The segment “{name}” is stored as {segmentation.GetSourceRepresentationName().lower()}, which cannot be "
            f"converted to voxels here; convert it to a binary labelmap in the Segmentations module first."
        )
    made = copy.GetSegment(segment_id).GetRepresentation(binary)
    if made is not None:
        image.DeepCopy(made)
    return image


def _geometry_for(grid: Grid, matrix: np.ndarray | None) -> str:
    """Where surfaces are turned into voxels: on the grid itself, or, where that would be warped, finer than it."""
    reference = slicer.vtkOrientedImageData()
    reference.SetExtent(*(e for n in grid.shape[::-1] for e in (0, n - 1)))
    axes = np.linalg.inv(matrix) @ grid.ijk_to_ras if matrix is not None else None
    if axes is not None:
        unit = axes[:3, :3] / np.linalg.norm(axes[:3, :3], axis=0)
    if axes is None or np.abs(unit.T @ unit - np.eye(3)).max() > 1e-4:
        finest = np.linalg.norm(grid.ijk_to_ras[:3, :3], axis=0).min() / 2
        axes = np.diag([finest, finest, finest, 1.0])
    reference.SetGeometryFromImageToWorldMatrix(slicer.util.vtkMatrixFromArray(axes))
    return slicer.vtkSegmentationConverter.SerializeImageGeometry(reference)


def _place(image, grid: Grid, general, matrix: np.ndarray | None) -> PlacedMask:
    extent = [0, -1, 0, -1, 0, -1]
    if image.GetNumberOfPoints() == 0 or not slicer.vtkOrientedImageDataResample.CalculateEffectiveExtent(
        image, extent
    ):
        return NOTHING
    ras = _voxel_centres(image, extent, general, matrix)
    if not len(ras):
        return NOTHING
    box = np.stack([ras.min(axis=0), ras.max(axis=0)])
    ijk = (ras - grid.ijk_to_ras[:3, 3]) @ np.linalg.inv(grid.ijk_to_ras[:3, :3]).T
    inside = ((ijk > -0.5) & (ijk < np.array(grid.shape[::-1]) - 0.5)).all(axis=1)
    own = _own_geometry(image, matrix)
    if own is not None:
        return PlacedMask(None, (0, 0, 0), len(ras), float(inside.mean()), box, _array(image).copy(), own)
    low = np.maximum(np.floor(ijk.min(axis=0)).astype(int) - _MARGIN, 0)
    high = np.minimum(np.ceil(ijk.max(axis=0)).astype(int) + _MARGIN, np.array(grid.shape[::-1]) - 1)
    values = _resample(image, grid, low, high, general) if (low <= high).all() else None
    if values is not None and not values.any():
        values = None
    return PlacedMask(values, tuple(int(n) for n in low[::-1]), len(ras), float(inside.mean()), box)


def _own_geometry(image, matrix: np.ndarray | None) -> VolumeGeometry | None:
    """Place of an image's voxels in the space of the grid; None where a transform bends or shears it."""
    if matrix is None:
        return None
    to_world = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(to_world)
    to_grid = matrix @ slicer.util.arrayFromVTKMatrix(to_world)
    to_grid[:3, 3] += to_grid[:3, :3] @ np.array(image.GetExtent()[::2])
    try:
        return VolumeGeometry.from_ijk_to_ras(to_grid, image.GetDimensions()[::-1])
    except GeometryError:
        return None


def _voxel_centres(image, extent, general, matrix: np.ndarray | None) -> np.ndarray:
    """RAS millimetres ``[n, 3]`` of the non-zero voxels, all within ``extent``, in the space of the grid."""
    first = image.GetExtent()
    block = tuple(slice(extent[a] - first[a], extent[a + 1] - first[a] + 1) for a in (4, 2, 0))
    kji = np.argwhere(_array(image)[block])
    to_world = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(to_world)
    to_world = slicer.util.arrayFromVTKMatrix(to_world)
    if matrix is not None:
        to_world = matrix @ to_world
    ras = (kji[:, ::-1] + np.array(extent[::2])) @ to_world[:3, :3].T + to_world[:3, 3]
    return ras if matrix is not None else _transformed(ras, general)


def _transformed(points: np.ndarray, general) -> np.ndarray:
    before, after = vtk.vtkPoints(), vtk.vtkPoints()
    before.SetDataTypeToDouble()
    after.SetDataTypeToDouble()
    before.SetData(numpy_support.numpy_to_vtk(np.ascontiguousarray(points, dtype=float), deep=True))
    general.TransformPoints(before, after)
    return numpy_support.vtk_to_numpy(after.GetData()).copy()


def _resample(image, grid: Grid, low: np.ndarray, high: np.ndarray, general) -> np.ndarray:
    """The block ``low..high`` (i, j, k, both included) of the grid, by nearest neighbour."""
    reference = slicer.vtkOrientedImageData()
    reference.SetExtent(*(int(e) for ends in zip(low, high, strict=True) for e in ends))
    reference.SetGeometryFromImageToWorldMatrix(slicer.util.vtkMatrixFromArray(grid.ijk_to_ras))
    reference.AllocateScalars(image.GetScalarType(), 1)
    out = slicer.vtkOrientedImageData()
    if not slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        image, reference, out, False, False, general
    ):
        raise InputError(
            "The mask cannot be brought to the MRI's voxels; check the transforms of both in the Data module."
        )
    return _array(out).copy()


def _array(image) -> np.ndarray:
    """Voxels ``[k, j, i]`` of a VTK image (a view)."""
    shape = image.GetDimensions()[::-1]
    return numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(shape)
