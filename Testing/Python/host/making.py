"""Volumes, segmentations and results made on the spot, with everything about them known."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import slicer
import slicer.util

from PulsarCAMLib.geometry import VolumeGeometry
from PulsarCAMLib.lesions import Lesion

SHAPE = (14, 48, 56)


def rotation(seed: int) -> np.ndarray:
    """A 3x3 rotation (right-handed) that is far from any axis."""
    axes = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    return axes * np.sign(np.linalg.det(axes))


def matrix(axes=None, spacing=(0.8, 1.1, 3.0), origin=(-20.0, 15.0, -31.0)) -> np.ndarray:
    """IJK-to-RAS matrix 4x4."""
    made = np.eye(4)
    made[:3, :3] = (np.eye(3) if axes is None else np.asarray(axes)) * np.asarray(spacing)
    made[:3, 3] = origin
    return made


GRIDS = {
    "axial": matrix(),
    "oblique": matrix(rotation(3)),
    "sagittal": matrix(np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], dtype=float)),
    "left-handed": matrix(rotation(4) @ np.diag([1.0, 1.0, -1.0])),
    "flipped": matrix(np.diag([-1.0, 1.0, 1.0])),
}


def an_mri(name: str = "t1c", ijk_to_ras: np.ndarray | None = None, shape=SHAPE):
    """MRI node with smooth noise, int16."""
    values = np.random.default_rng(11).normal(400, 60, size=shape).astype(np.int16)
    return slicer.util.addVolumeFromArray(values, ijkToRAS=matrix() if ijk_to_ras is None else ijk_to_ras, name=name)


def box(low, high, shape=SHAPE) -> np.ndarray:
    """uint8 mask of a box ``[low, high)`` in array order (k, j, i)."""
    made = np.zeros(shape, dtype=np.uint8)
    made[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = 1
    return made


def a_label_map(values: np.ndarray, ijk_to_ras: np.ndarray, name: str = "labels"):
    """Label map node."""
    return slicer.util.addVolumeFromArray(
        values, ijkToRAS=ijk_to_ras, name=name, nodeClassName="vtkMRMLLabelMapVolumeNode"
    )


def a_segmentation(masks: dict[str, np.ndarray], volume_node, name: str = "GTVs"):
    """Segmentation node with one segment per mask on the volume's grid (an all-zero mask: an empty segment)."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    for segment_name, mask in masks.items():
        segment = node.GetSegmentation().AddEmptySegment("", segment_name)
        if mask.any():
            slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment, volume_node)
    return node


def segment_id(node, name: str) -> str:
    """ID of the segment of that name."""
    return node.GetSegmentation().GetSegmentIdBySegmentName(name)


def full(lesion: Lesion, shape=SHAPE) -> np.ndarray:
    """The lesion's mask on the whole grid."""
    return lesion.full_mask(shape)


def state_of_scene() -> list[tuple]:
    """Everything that a careless run could change: nodes, their text form, subject hierarchy."""
    scene = slicer.mrmlScene
    nodes = [scene.GetNthNode(i) for i in range(scene.GetNumberOfNodes())]
    hierarchies = [n for n in nodes if n.IsA("vtkMRMLSubjectHierarchyNode")]
    state = [
        (n.GetID(), n.GetName(), _attributes(n), _references(n), _content(n)) for n in nodes if n not in hierarchies
    ]
    return state + [_tree(n) for n in hierarchies]


def _attributes(node) -> tuple:
    return tuple((name, node.GetAttribute(name)) for name in node.GetAttributeNames())


def _references(node) -> tuple:
    roles = []
    node.GetNodeReferenceRoles(roles)
    return tuple((role, node.GetNodeReferenceID(role)) for role in roles)


def _content(node) -> object:
    if node.IsA("vtkMRMLVolumeNode") and node.GetImageData():
        return (slicer.util.arrayFromVolume(node).tobytes(), tuple(np.ravel(_ijk_to_ras(node))))
    if node.IsA("vtkMRMLSegmentationNode"):
        s = node.GetSegmentation()
        ids = [s.GetNthSegmentID(i) for i in range(s.GetNumberOfSegments())]
        kinds = []
        s.GetContainedRepresentationNames(kinds)
        return (tuple((i, s.GetSegment(i).GetName()) for i in ids), tuple(kinds))
    if node.IsA("vtkMRMLTableNode") and node.GetTable():
        t = node.GetTable()
        names = [t.GetColumnName(i) for i in range(t.GetNumberOfColumns())]
        return (t.GetNumberOfRows(), tuple((n, node.GetColumnUnitLabel(n)) for n in names))
    if node.IsA("vtkMRMLScalarVolumeDisplayNode"):
        return (node.GetWindow(), node.GetLevel(), node.GetLowerThreshold(), node.GetApplyThreshold())
    return None


def _ijk_to_ras(node) -> np.ndarray:
    import vtk

    made = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(made)
    return slicer.util.arrayFromVTKMatrix(made)


ijk_to_ras_of = _ijk_to_ras


def _tree(hierarchy) -> tuple:
    import vtk

    ids = vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), ids, True)
    items = [ids.GetId(i) for i in range(ids.GetNumberOfIds())]
    return tuple((i, hierarchy.GetItemName(i), hierarchy.GetItemParent(i)) for i in items)


@dataclass
class MadeResult:
    """Stands for a ``ScanResult`` whose every number is known: the map is 2 at the first voxel of each lesion."""

    lesions: tuple[Lesion, ...]
    shape: tuple[int, int, int] = SHAPE
    geometry: VolumeGeometry | None = None
    warnings: tuple[str, ...] = ()
    low: float = 0.0
    card: dict = field(
        default_factory=lambda: {
            "name": "synthetic-demo",
            "version": "1",
            "synthetic": True,
            "weights": {"file": "weights.safetensors", "sha256": "0" * 64},
        }
    )

    def heat_map(self, _method="pixelwise", _target="", statistic="mean", normalisation="none", _restrict=True):
        values = np.zeros(self.shape, dtype=np.float32)
        for lesion in self.lesions:
            values[lesion.box][lesion.mask] = 0.25
            values[self.peak(lesion)] = {"mean": 2.0 if normalisation == "none" else 1.0, "std": 0.5}[statistic]
            if self.low:
                values[lesion.box][-1, -1, -1] = self.low
        return values

    def peak(self, lesion: Lesion) -> tuple[int, int, int]:
        """Array index of the voxel where the map is highest."""
        return tuple(int(n) for n in np.argwhere(lesion.mask)[0] + lesion.offset)

    def sub_regions(self, _method, _target, _threshold):
        return [Lesion(x.name, np.ones((1, 1, 1), dtype=bool), self.peak(x)) for x in self.lesions]

    def lesion_table(self, _method, _target, _threshold, _margin_mm=2.0):
        return [
            {
                "lesion": x.name,
                "volume_cm3": 1.5,
                "slices": 3,
                "probability_response": 0.25,
                "predicted_class": "non-response",
            }
            for x in self.lesions
        ]

    def slice_table(self, _method, _target, _threshold):
        return [{"lesion": x.name, "slice": n, "area_mm2": 12.5} for x in self.lesions for n in range(2)]
