"""Volumes, segmentations and results made on the spot, with everything about them known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import slicer
import slicer.util
from vtk.util import numpy_support

from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.explanation.result import CaseResult, UnitResult
from PulsarCAMLib.systems.autoencoder.maps.closed_form import SIGNED
from PulsarCAMLib.systems.autoencoder.model.architecture import Architecture
from PulsarCAMLib.systems.autoencoder.samples.patches import extract_patches
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.systems.autoencoder.system import AUTOENCODER
from PulsarCAMLib.systems.bundles.card import ModelCard

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


MASKS = {"left": box((4, 10, 12), (8, 22, 30)), "right": box((9, 30, 34), (12, 40, 44))}


def choose_lesions(panel, grid: str = "axial"):
    """Choose an MRI and a segmentation of the two lesions of ``MASKS`` in the panel; both nodes."""
    mri = an_mri(ijk_to_ras=GRIDS[grid])
    mask = a_segmentation(MASKS, mri)
    panel.ui.inputVolumeSelector.setCurrentNode(mri)
    panel.ui.inputSegmentationSelector.setCurrentNode(mask)
    return mri, mask


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
        return (slicer.util.arrayFromVolume(node).tobytes(), tuple(np.ravel(ijk_to_ras_of(node))))
    if node.IsA("vtkMRMLSegmentationNode"):
        s = node.GetSegmentation()
        ids = [s.GetNthSegmentID(i) for i in range(s.GetNumberOfSegments())]
        kinds = []
        s.GetContainedRepresentationNames(kinds)
        return (tuple((i, s.GetSegment(i).GetName(), _voxels(s.GetSegment(i))) for i in ids), tuple(kinds))
    if node.IsA("vtkMRMLTableNode") and node.GetTable():
        t = node.GetTable()
        names = [t.GetColumnName(i) for i in range(t.GetNumberOfColumns())]
        return (t.GetNumberOfRows(), tuple((n, node.GetColumnUnitLabel(n)) for n in names))
    if node.IsA("vtkMRMLScalarVolumeDisplayNode"):
        return (node.GetWindow(), node.GetLevel(), node.GetLowerThreshold(), node.GetApplyThreshold())
    return None


def _voxels(segment) -> tuple:
    image = segment.GetRepresentation("Binary labelmap")
    if image is None or not image.GetNumberOfPoints():
        return ()
    values = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    kji = np.argwhere(values.reshape(image.GetDimensions()[::-1]) == segment.GetLabelValue())
    return tuple(map(tuple, (kji + image.GetExtent()[4::-2]).tolist()))


def ijk_to_ras_of(node) -> np.ndarray:
    """A volume node's IJK-to-RAS matrix 4x4."""
    import vtk

    made = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(made)
    return slicer.util.arrayFromVTKMatrix(made)


def _tree(hierarchy) -> tuple:
    import vtk

    ids = vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), ids, True)
    items = [ids.GetId(i) for i in range(ids.GetNumberOfIds())]
    return tuple((i, hierarchy.GetItemName(i), hierarchy.GetItemParent(i)) for i in items)


CARD = {
    "format": "PulsarCAM model bundle",
    "format_version": 1,
    "name": "made-up",
    "title": "Made up for tests",
    "version": "1",
    "synthetic": True,
    "architecture": Architecture().to_card(),
    "members": 3,
    "preprocessing": Preprocessing().to_card(),
    "classes": ["non-response", "response"],
    "response": {"shrinkage_threshold": 0.8},
    "decision": {"threshold": 0.5, "temperature": 1.0},
    "training": {},
    "performance": {},
    "intended_use": "tests",
    "licence": "Apache-2.0",
    "weights": {"file": "weights.safetensors", "sha256": "0" * 64},
}


def a_result(mri, masks: dict[str, np.ndarray], seed: int = 0) -> CaseResult:
    """A ``CaseResult`` whose maps are random numbers instead of a model's answer."""
    rng = np.random.default_rng(seed)
    volume = slicer.util.arrayFromVolume(mri)
    geometry = VolumeGeometry.from_ijk_to_ras(ijk_to_ras_of(mri), volume.shape)
    lesions = []
    for name, mask in masks.items():
        patches = extract_patches(volume, geometry, Lesion.from_mask(name, mask), Preprocessing())
        shape = (3, len(patches), 16, 16)
        signed = rng.normal(size=shape).astype(np.float32)
        maps: dict[tuple[str, str], np.ndarray] = {
            (m, c): rng.uniform(0, 2, shape).astype(np.float32)
            for m in AUTOENCODER.usual_maps
            for c in AUTOENCODER.task.names
        }
        logits = rng.normal(size=shape[:2])
        response = 1 / (1 + np.exp(-logits))
        maps[SIGNED, ""] = signed
        both = np.stack([1 - response, response])
        lesions.append(UnitResult(AUTOENCODER, patches, logits, both, maps, "non-response"))
    return CaseResult(geometry, ModelCard.from_fields(CARD), tuple(lesions))


def shown_as(**changes):
    """How results of the autoencoder-classifier are shown as usual, but for what is named."""
    return AUTOENCODER.display_settings(**changes)


def empty_of(result: CaseResult) -> CaseResult:
    """The same result with maps that are zero everywhere."""
    units = tuple(replace(x, maps={key: value * 0 for key, value in x.maps.items()}) for x in result.units)
    return replace(result, units=units)


def untrained_bundle(folder) -> None:
    """Write a model bundle with random weights."""
    import torch

    from PulsarCAMLib.systems.autoencoder.model.network import AutoencoderClassifier
    from PulsarCAMLib.systems.bundles.bundle import save_bundle

    torch.manual_seed(0)
    filled_in = ("format", "format_version", "architecture", "members", "classes", "weights")
    fields = {k: v for k, v in CARD.items() if k not in filled_in} | {"name": folder.name}
    save_bundle(folder, [AutoencoderClassifier() for _ in range(2)], fields)
