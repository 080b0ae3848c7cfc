"""From MRML nodes to what the library computes with: voxels, geometry, lesions.

The heat map will lie on the MRI's own voxels under the MRI's own parent transform, so the lesions are taken on that
grid, with the transforms of both nodes respected. Nothing in the scene is changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import slicer
import slicer.util

from ...core.case import Case, Image
from ...core.errors import InputError
from ...core.geometry.volume import VolumeGeometry
from ...core.inputs import MASK, MRI, InputRole
from ...core.lesion import Lesion
from ...io.inputs import why_no_mri
from ...io.volumes import why_useless
from ...lesions.doubts import LESIONS_BY_SEGMENT, MOST_LESIONS, refuse_no_lesions
from ...lesions.from_labels import lesions_from_label_volume, lesions_from_masks
from ...lesions.on_grid import Brought, bring, doubts_about, lesions_on_grid
from ...lesions.overlap import check_fits, same_size_elsewhere, where_else
from ...systems.contract import System
from ..writing.provenance import INPUT_VOLUME, is_output
from .dicom import source_of
from .grids import Grid, PlacedMask, place_label_map, place_segment, transform_between, values_of_no_segment

REMEDY = "one of them has a wrong header or transform, correct it before going on."

_RIGIDITY_TOLERANCE = 1e-3


@dataclass(frozen=True)
class SceneInputs:
    """What the scene holds for one run.

    Attributes:
        volume: voxels ``[k, j, i]`` of the MRI, a read-only view.
        geometry: the MRI's own geometry, before its parent transform.
        lesions: on the MRI's grid.
        warnings: one sentence each, for the user.
        segment_of: lesion name to the ID of its segment (empty for a label map).
    """

    volume: np.ndarray
    geometry: VolumeGeometry
    lesions: tuple[Lesion, ...]
    warnings: tuple[str, ...]
    segment_of: dict[str, str]


def read_case(
    system: System,
    images: Mapping[str, object],
    mask_node=None,
    segment_ids: Sequence[str] | None = None,
    parts: str = "auto",
) -> Case:
    """What a system is asked about, from the scene.

    Args:
        system: whose inputs these are.
        images: role to ``vtkMRMLScalarVolumeNode``; maps are written on the grid of the system's first image. Other
            images keep their voxels; their place is told in the space of the first, whatever the transforms above. Of
            a mask of another visit to ``vtkMRMLSegmentationNode`` or ``vtkMRMLLabelMapVolumeNode``.
        mask_node, segment_ids, parts: see :func:`read_inputs`; None where the system can do without lesions.

    Raises:
        InputError: a needed image or mask is missing, one is of another kind, or a transform is not linear.
        GeometryError: axes are not perpendicular, or mask and image are apart in space.
    """
    first, *others = system.image_inputs
    volume_node, mask = images.get(first.name), system.role(MASK)
    lesions, warnings = (), ()
    if mask is not None and (mask_node is not None or mask.needed):
        inputs = read_inputs(volume_node, mask_node, segment_ids, parts, first.title)
        voxels, geometry, lesions, warnings = inputs.volume, inputs.geometry, inputs.lesions, inputs.warnings
    else:
        voxels, geometry = read_role(volume_node, first)
    found = {first.name: Image(voxels, geometry, source_of(volume_node))}
    for role in others:
        node = images.get(role.name)
        if node is not None or role.needed:
            found[role.name] = _beside(volume_node, node, role)
    outlined, warnings = {}, list(warnings)
    for role in system.other_masks:
        if images.get(role.name) is not None:
            lead = system.lead_of(role)
            own = read_inputs(images.get(lead.name), images[role.name], None, parts, lead.title)
            outlined[role.name] = own.lesions
            warnings += [f"{role.title}: {text}" for text in own.warnings if text not in warnings]
    return Case(found, lesions, first.name, tuple(warnings), outlined=outlined)


def _beside(volume_node, node, role: InputRole) -> Image:
    """An image with its place in the space of the first one's node, below that one's transforms."""
    return _placed_beside(volume_node, node, *read_role(node, role))


def image_beside(volume_node, node, title: str) -> Image:
    """A volume of any kind, likewise; see :func:`read_volume`."""
    return _placed_beside(volume_node, node, *read_volume(node, title))


def _placed_beside(volume_node, node, voxels: np.ndarray, geometry: VolumeGeometry) -> Image:
    if node.GetParentTransformNode() is not volume_node.GetParentTransformNode():
        _, matrix = transform_between(node.GetParentTransformNode(), volume_node.GetParentTransformNode())
        if matrix is None:
            raise InputError(
                f"The volume “{node.GetName()}” and the volume “{volume_node.GetName()}” are under different "
                f"transforms that are not linear; harden them in the Transforms module first."
            )
        geometry = VolumeGeometry.from_ijk_to_ras(matrix @ Grid.of_volume(node).ijk_to_ras, voxels.shape)
    return Image(voxels, geometry, source_of(node))


def read_inputs(
    volume_node, mask_node, segment_ids: Sequence[str] | None = None, parts: str = "auto", title: str = "MRI"
) -> SceneInputs:
    """MRI and lesions from the scene.

    Args:
        volume_node: ``vtkMRMLScalarVolumeNode``, the MRI.
        mask_node: ``vtkMRMLSegmentationNode`` (every segment a lesion) or ``vtkMRMLLabelMapVolumeNode``.
        segment_ids: only these segments (IDs), or, for a label map, these label values; None: all.
        parts: how unconnected parts become lesions, see :func:`PulsarCAMLib.lesions.from_labels.lesions_from_labels`;
            "auto" keeps a segment together and splits a label map that has one label value.
        title: of the image, for sentences.

    Raises:
        InputError: a node is missing or of another kind, a chosen segment does not exist or is empty.
        GeometryError: the MRI's axes are not perpendicular, or mask and MRI are apart in space.
    """
    volume, geometry = read_mri(volume_node, title)
    warnings = _transform_warnings(volume_node)
    grid = Grid.of_volume(volume_node)
    if mask_node is None:
        raise InputError("Choose a segmentation or a label map that outlines the lesions.")
    if mask_node.IsA("vtkMRMLSegmentationNode"):
        lesions, more, segment_of = _from_segmentation(volume_node, mask_node, segment_ids, parts, grid)
    elif mask_node.IsA("vtkMRMLLabelMapVolumeNode"):
        lesions, more = _from_label_map(volume_node, mask_node, segment_ids, parts, grid)
        segment_of = {}
    else:
        raise InputError(
            f"“{mask_node.GetName()}” is neither a segmentation nor a label map; "
            f"load the mask again as one of these, or convert it in the Data module."
        )
    return SceneInputs(volume, geometry, tuple(lesions), tuple(warnings + more), segment_of)


def read_volume(node, title: str = "MRI") -> tuple[np.ndarray, VolumeGeometry]:
    """Voxels ``[k, j, i]`` (read-only view) and geometry of a scalar volume node.

    Args:
        node: ``vtkMRMLScalarVolumeNode``.
        title: of the image, for sentences.

    Raises:
        InputError: no scalar three-dimensional image, or one that PulsarCAM made itself.
        GeometryError: its axes are not perpendicular.
    """
    if node is None:
        raise InputError(f"Choose the {title} volume.")
    name = node.GetName()
    if not node.IsA("vtkMRMLScalarVolumeNode") or node.IsA("vtkMRMLLabelMapVolumeNode"):
        raise InputError(f"“{name}” is a {node.GetNodeTagName()} node, not a scalar volume; choose the {title} itself.")
    if is_output(node):
        raise InputError(why_no_input(node, title))
    image = node.GetImageData()
    if image is None or image.GetNumberOfPoints() == 0:
        raise InputError(f"The volume “{name}” holds no image; load it again.")
    if node.IsA("vtkMRMLTensorVolumeNode") or image.GetNumberOfScalarComponents() != 1:
        raise InputError(
            f"The volume “{name}” has {image.GetNumberOfScalarComponents()} values per voxel (color or 4D data); "
            f"choose a volume with one value per voxel."
        )
    volume = slicer.util.arrayFromVolume(node).view()
    volume.flags.writeable = False
    return volume, VolumeGeometry.from_ijk_to_ras(Grid.of_volume(node).ijk_to_ras, volume.shape)


def read_mri(node, title: str = "MRI") -> tuple[np.ndarray, VolumeGeometry]:
    """:func:`read_volume` of an MRI, with its errors.

    Raises:
        InputError: besides, voxels that tell nothing or cannot be those of an MRI, such as a mask's.
    """
    voxels, geometry = read_volume(node, title)
    name = f"The volume “{node.GetName()}”"
    if problem := why_useless(voxels, name) or why_no_mri(voxels, name):
        raise InputError(problem)
    return voxels, geometry


def read_role(node, role: InputRole) -> tuple[np.ndarray, VolumeGeometry]:
    """Voxels and geometry of an input by its role; see :func:`read_mri` and :func:`read_volume`."""
    return read_mri(node, role.title) if role.kind == MRI else read_volume(node, role.title)


def why_no_input(node, title: str) -> str:
    """That a node is a result of PulsarCAM's and therefore no image, and which one to choose."""
    source = node.GetNodeReference(INPUT_VOLUME)
    instead = f"the {title}" if source is None else f"“{source.GetName()}”, from which it was made"
    return f"“{node.GetName()}” is a result that PulsarCAM wrote, not an image; choose {instead}."


def segment_names(segmentation_node) -> dict[str, str]:
    """Segment ID to a name that no other segment of the node has ("GTV", "GTV [2]", ...), in the node's order."""
    segmentation = segmentation_node.GetSegmentation()
    names: dict[str, str] = {}
    for index in range(segmentation.GetNumberOfSegments()):
        base = segmentation.GetNthSegment(index).GetName() or segmentation.GetNthSegmentID(index)
        name, count = base, 1
        while name in names.values():
            count += 1
            name = f"{base} [{count}]"
        names[segmentation.GetNthSegmentID(index)] = name
    return names


def _from_segmentation(volume_node, node, segment_ids, parts: str, grid: Grid):
    names = segment_names(node)
    chosen = list(names) if segment_ids is None else list(dict.fromkeys(segment_ids))
    unknown = [s for s in chosen if s not in names]
    if unknown:
        raise InputError(
            f"The segmentation “{node.GetName()}” has no segment with the ID {', '.join(unknown)}; "
            f"it has {', '.join(f'{i} ({n})' for i, n in names.items()) or 'none'}."
        )
    if not chosen:
        raise InputError(f"The segmentation “{node.GetName()}” has no segment; outline at least one lesion.")
    if segment_ids is None and len(chosen) >= MOST_LESIONS:
        what = f"The segmentation “{node.GetName()}” has {len(chosen)} segments, which are hardly all lesions"
        raise InputError(what, LESIONS_BY_SEGMENT)
    geometry = VolumeGeometry.from_ijk_to_ras(grid.ijk_to_ras, grid.shape)
    placed = {names[s]: place_segment(node, s, grid) for s in chosen}
    outside = _check_fits(volume_node, node, placed, grid, geometry)
    usable, warnings = _usable(placed, node.GetName(), must_use_all=segment_ids is not None)
    warnings += outside + _of_no_segment(node)
    brought: list[Brought] = []
    segment_of: dict[str, str] = {}
    ids = {name: segment for segment, name in names.items()}
    for name, mask in usable.items():
        voxels = mask.values if mask.own is None else mask.drawn
        found, more = lesions_from_masks({name: voxels}, "together" if parts == "auto" else parts)
        warnings += more
        brought += [_brought(lesion, mask, geometry) for lesion in found]
        segment_of |= {lesion.name: ids[name] for lesion in found}
    warnings += doubts_about(f"The mask “{node.GetName()}”", brought, geometry)
    return [each.lesion for each in brought], warnings, segment_of


def fit_of(volume_node, mask_node, placed: Mapping[str, PlacedMask], values=None, parts: str = "auto") -> list[str]:
    """What :func:`read_inputs` says of the places of MRI and mask, before anything is computed.

    Args:
        volume_node: the MRI.
        mask_node: segmentation or label map.
        placed: the chosen segments as :func:`.grids.place_segment` places them, or the label map as
            :func:`.grids.place_label_map` does, by their names.
        values, parts: of a label map, see :func:`read_inputs`.

    Raises:
        InputError, GeometryError: as :func:`read_inputs`.
    """
    grid = Grid.of_volume(volume_node)
    if not mask_node.IsA("vtkMRMLSegmentationNode"):
        return _from_label_map(volume_node, mask_node, values, parts, grid, placed[mask_node.GetName()])[1]
    geometry = VolumeGeometry.from_ijk_to_ras(grid.ijk_to_ras, grid.shape)
    return _check_fits(volume_node, mask_node, dict(placed), grid, geometry) if placed else []


def _of_no_segment(node) -> list[str]:
    """A warning where voxels have values of no segment: 3D Slicer takes a fractional label map for a binary one so."""
    count = values_of_no_segment(node)
    if not count:
        return []
    return [
        f"“{node.GetName()}” holds voxels of {count} value{'s' * (count > 1)} that no segment has: it may be a "
        "fractional label map, of which 3D Slicer reads one value; compare the outlines with the MRI."
    ]


def _brought(lesion: Lesion, mask: PlacedMask, geometry: VolumeGeometry) -> Brought:
    if mask.own is None:
        return Brought(_moved(lesion, mask.offset), resampled=False, kept=True)
    return bring(lesion, mask.own, geometry)


def _from_label_map(volume_node, node, values, parts: str, grid: Grid, placed: PlacedMask | None = None):
    placed = place_label_map(node, grid) if placed is None else placed
    wanted = None if values is None else [int(v) for v in values]
    image_name, name = _names(volume_node, node)
    if not placed.voxels:
        refuse_no_lesions(name, slicer.util.arrayFromVolume(node), 1.0, wanted)
        raise InputError(f"The label map “{node.GetName()}” is empty: every voxel is background (0).")
    geometry = VolumeGeometry.from_ijk_to_ras(grid.ijk_to_ras, grid.shape)
    if placed.own is not None:
        own, voxels = placed.own, placed.drawn
        lesions, more = lesions_from_label_volume(name, voxels, own, label_names(node), parts, wanted)
        by_header = volume_node.GetParentTransformNode() is node.GetParentTransformNode()
        lesions, warnings = lesions_on_grid(
            name, lesions, own, geometry, values is not None, image_name, REMEDY, by_header
        )
        return lesions, more + warnings
    warnings = _check_fits(volume_node, node, {node.GetName(): placed}, grid, geometry)
    lesions, more = lesions_from_label_volume(name, placed.values, geometry, label_names(node), parts, wanted)
    return [_moved(lesion, placed.offset) for lesion in lesions], warnings + more


def _usable(placed: dict[str, PlacedMask], node_name: str, must_use_all: bool):
    """The segments that lie on the image, and warnings about the others."""
    empty = [name for name, mask in placed.items() if mask.voxels == 0]
    lost = [name for name, mask in placed.items() if mask.voxels and not mask.is_on_grid]
    usable = {name: mask for name, mask in placed.items() if mask.is_on_grid}
    sentences = []
    if empty:
        sentences.append(f"Empty in “{node_name}”: {_listed(empty)}")
    if lost:
        sentences.append(f"Without any voxel of the MRI: {_listed(lost)}")
    if sentences and (must_use_all or not usable):
        raise InputError(f"{'; '.join(sentences)}: contour them or leave them out.")
    return usable, [f"{s}: left out." for s in sentences]


def _check_fits(
    volume_node, mask_node, placed: dict[str, PlacedMask], grid: Grid, geometry: VolumeGeometry
) -> list[str]:
    """Refuse a mask apart from the image (a malformed header, or a transform forgotten); warnings about the rest."""
    used = {name: mask for name, mask in placed.items() if mask.is_on_grid}
    names = _names(volume_node, mask_node)
    by_header = volume_node.GetParentTransformNode() is mask_node.GetParentTransformNode()
    grids = [mask.own for mask in placed.values() if by_header and mask.own is not None]
    elsewhere = any(same_size_elsewhere(geometry, own) for own in grids)
    # Where nothing lies on the image, the whole says how far away it is.
    told = check_fits(names[0], grid.box_ras(), names[1], used or placed, same_size_elsewhere=elsewhere, remedy=REMEDY)
    return told + [text for text in dict.fromkeys(where_else(geometry, own) for own in grids) if text]


def _names(volume_node, mask_node) -> tuple[str, str]:
    """Of image and mask, for sentences."""
    return f"the MRI “{volume_node.GetName()}”", f"The mask “{mask_node.GetName()}”"


def _transform_warnings(volume_node) -> list[str]:
    """Sizes are measured on the image as acquired; say so where the transform above it changes them."""
    if volume_node.GetParentTransformNode() is None:
        return []
    _, matrix = transform_between(volume_node.GetParentTransformNode(), None)
    if matrix is not None:
        axes = matrix[:3, :3]
        if np.abs(axes.T @ axes - np.eye(3)).max() < _RIGIDITY_TOLERANCE:
            return []
    return [
        f"The MRI “{volume_node.GetName()}” is under a transform that changes sizes; "
        f"lesions are measured and shown to the model as acquired, without it."
    ]


def label_names(node) -> dict[int, str] | None:
    """Names of label values, if the user gave any: the tables that come with Slicer name tissues, not lesions."""
    display = node.GetDisplayNode()
    colors = display.GetColorNode() if display else None
    if colors is None or colors.GetSingletonTag():
        return None
    names = {v: colors.GetColorName(v) for v in range(1, colors.GetNumberOfColors())}
    names = {v: n for v, n in names.items() if n and n != "(none)"}
    return {v: n if list(names.values()).count(n) == 1 else f"{n} {v}" for v, n in names.items()}


def _moved(lesion: Lesion, offset: tuple[int, int, int]) -> Lesion:
    return replace(lesion, offset=tuple(int(a + b) for a, b in zip(lesion.offset, offset, strict=True)))


def _listed(names: list[str]) -> str:
    return ", ".join(f"“{n}”" for n in names)
