"""Whether MRI and contours belong together, told before anything is computed.

What can be known is refused or warned of by the rules of :mod:`PulsarCAMLib.lesions.overlap`, as the command line does.
That a mask was drawn on another image, or stands under another patient, may be right: it is a question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import slicer

from ...core.errors import PANEL, GeometryError, PulsarCAMError
from ...core.geometry.volume import VolumeGeometry
from ...core.inputs import MASK
from ...lesions.on_grid import shares_lattice
from ...lesions.overlap import where_else
from ...systems.contract import System
from .belonging import are_of_two_patients, belonging, origin_of
from .grids import Grid, PlacedMask, place_label_map, place_segment, transform_between
from .inputs import fit_of, read_role, segment_names
from .segments import content_key, image_key

WITHIN = 0.5
"""Of a voxel: by so much one grid may stick out of another that holds it."""


@dataclass(frozen=True)
class Judgement:
    """What is to be said of chosen inputs; empty where they fit.

    Attributes:
        refused: why they cannot be explained together.
        questions: what only the person can know; one sentence each.
        warnings: one sentence each.
        together: what DICOM tells of which inputs belong together, one sentence each.
        apart: what it tells against one of them being this MRI's.
    """

    refused: str = ""
    questions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    together: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """For beside the selectors."""
        belonging = (*self.apart, *((" ".join(self.together),) if self.together else ()))
        return "\n".join(((self.refused,) if self.refused else (*self.questions, *self.warnings)) + belonging)


class Judge:
    """Judges inputs, and remembers where it placed segments and label maps: ticks alone place nothing anew."""

    def __init__(self) -> None:
        self._placed: dict[str, PlacedMask] = {}
        self._placed_key = self._key = None
        self._judgement = Judgement()

    def forget(self) -> None:
        """The scene closes, or nobody looks."""
        self._placed, self._placed_key, self._key = {}, None, None

    def judge(
        self,
        system: System,
        images: Mapping[str, object],
        mask_node,
        segment_ids: Sequence[str] | None,
        parts: str,
        doses: Sequence = (),
    ) -> Judgement:
        """What is to be said; computed anew only where something changed.

        Args:
            system: whose inputs these are.
            images, mask_node, segment_ids, parts: see :func:`.inputs.read_case`.
            doses: that are chosen beside them.
        """
        there = {name: node for name, node in images.items() if node is not None}
        chosen = None if segment_ids is None else tuple(segment_ids)
        keys = [(name, node.GetID(), node.GetName(), *image_key(node)) for name, node in there.items()]
        mask_key = (mask_node.GetName(), content_key(mask_node)) if mask_node is not None else None
        nodes = [node for node in (*there.values(), mask_node, *doses) if node is not None]
        origins = tuple((node.GetID(), node.GetName(), node.GetTransformNodeID(), origin_of(node)) for node in nodes)
        key = (system.name, *keys, mask_key, chosen, parts, origins)
        if key != self._key:
            judged = self._judged(system, there, mask_node, chosen, parts)
            volume_node = there.get(system.image_inputs[0].name)
            self._judgement = judged if volume_node is None else _with_belonging(judged, volume_node, nodes)
            self._key = key
        return self._judgement

    def _judged(self, system: System, images: Mapping[str, object], mask_node, chosen, parts: str) -> Judgement:
        first = system.image_inputs[0]
        volume_node = images.get(first.name)
        try:
            for role in system.image_inputs:
                if role.name in images:
                    read_role(images[role.name], role)
            if volume_node is None:
                return Judgement()
            asked = [_other_patient(volume_node, images[r.name]) for r in system.image_inputs[1:] if r.name in images]
            told: list[str] = []
            if mask_node is not None and system.role(MASK) is not None:
                told = fit_of(volume_node, mask_node, self._places(volume_node, mask_node, chosen), chosen, parts)
                asked += [_other_patient(volume_node, mask_node), drawn_elsewhere(volume_node, mask_node)]
        except PulsarCAMError as error:
            return Judgement(refused=error.told(PANEL))
        questions = tuple(dict.fromkeys(text for text in asked if text))
        return Judgement("", questions, tuple(text for text in told if text not in questions))

    def _places(self, volume_node, mask_node, chosen: Sequence[str] | None) -> dict[str, PlacedMask]:
        """The chosen segments by name, or a label map by its own; all are placed once."""
        is_label_map = not mask_node.IsA("vtkMRMLSegmentationNode")
        key = (volume_node.GetID(), image_key(volume_node), mask_node.GetID(), content_key(mask_node))
        names = {mask_node.GetID(): mask_node.GetName()} if is_label_map else segment_names(mask_node)
        if key != self._placed_key:
            grid = Grid.of_volume(volume_node)
            self._placed_key = None
            if is_label_map:
                self._placed = {mask_node.GetID(): place_label_map(mask_node, grid)}
            else:
                # Only the places are kept: the voxels are read again when they are needed.
                self._placed = {each: replace(place_segment(mask_node, each, grid), drawn=None) for each in names}
            self._placed_key = key
        if is_label_map:
            return {name: self._placed[each] for each, name in names.items()}
        return {names[each]: self._placed[each] for each in (names if chosen is None else chosen) if each in names}


def _with_belonging(judged: Judgement, volume_node, nodes: Sequence) -> Judgement:
    """With what DICOM tells of the other nodes."""
    others = [node for node in nodes if node is not volume_node]
    together, against = belonging(volume_node, others)
    return replace(judged, together=tuple(together), apart=tuple(against))


def drawn_elsewhere(volume_node, mask_node) -> str:
    """A question where contours were drawn on an image that is neither this one nor a part of it; else empty."""
    found = _drawn_on(mask_node)
    _, matrix = transform_between(mask_node.GetParentTransformNode(), volume_node.GetParentTransformNode())
    if found is None or matrix is None:
        return ""
    own, grid = found, Grid.of_volume(volume_node)
    image = VolumeGeometry.from_ijk_to_ras(grid.ijk_to_ras, grid.shape)
    try:
        drawn = VolumeGeometry.from_ijk_to_ras(matrix @ own[1], own[0])
    except GeometryError:
        return ""
    if drawn.same_grid(image) or (shares_lattice(drawn, image) and (_holds(image, drawn) or _holds(drawn, image))):
        return ""
    by_header = mask_node.GetParentTransformNode() is volume_node.GetParentTransformNode()
    if by_header and (told := where_else(image, drawn)):
        return told
    middles = [each.to_lps((np.array(each.shape[::-1]) - 1) / 2) for each in (image, drawn)]
    apart = float(np.linalg.norm(middles[1] - middles[0]))
    return (
        f"“{mask_node.GetName()}” was drawn on {_reference_name(volume_node, mask_node)} of {_size(drawn)}, "
        f"“{volume_node.GetName()}” has {_size(image)}, and their middles lie {apart:.1f} mm apart: go on only if both "
        f"are of one patient and lie on each other, else choose the contours of “{volume_node.GetName()}”."
    )


def _drawn_on(mask_node) -> tuple[tuple[int, ...], np.ndarray] | None:
    """Shape ``(k, j, i)`` and IJK-to-RAS matrix of the image that a mask was drawn on, below the mask's transform."""
    if not mask_node.IsA("vtkMRMLSegmentationNode"):
        if mask_node.GetImageData() is None or not mask_node.GetImageData().GetNumberOfPoints():
            return None
        grid = Grid.of_volume(mask_node)
        return grid.shape, grid.ijk_to_ras
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    text = mask_node.GetSegmentation().GetConversionParameter(name) or ""
    try:
        numbers = np.array([float(part) for part in text.split(";") if part.strip()])
    except ValueError:
        return None
    if len(numbers) != 22 or not np.isfinite(numbers).all():  # a 4x4 matrix and an extent
        return None
    matrix, extent = numbers[:16].reshape(4, 4).copy(), numbers[16:]
    matrix[:3, 3] += matrix[:3, :3] @ extent[::2]
    shape = tuple(int(n) for n in (extent[1::2] - extent[::2] + 1)[::-1])
    return (shape, matrix) if min(shape) > 0 else None


def _reference_name(volume_node, mask_node) -> str:
    """The image that a segmentation was drawn on, where it is in the scene."""
    if mask_node.IsA("vtkMRMLSegmentationNode"):
        node = mask_node.GetNodeReference(mask_node.GetReferenceImageGeometryReferenceRole())
        if node is not None and node is not volume_node:
            return f"“{node.GetName()}”"
    return "an image"


def _size(geometry: VolumeGeometry) -> str:
    spacing = " x ".join(f"{mm:.3g}" for mm in geometry.spacing)
    return f"{geometry.shape[0]} slices ({geometry.shape[2]} x {geometry.shape[1]} voxels of {spacing} mm)"


def _holds(outer: VolumeGeometry, inner: VolumeGeometry) -> bool:
    """Whether all voxels of one grid lie within another."""
    ijk = outer.to_ijk(inner.corners_lps())
    return bool((ijk > -0.5 - WITHIN).all() and (ijk < np.array(outer.shape[::-1]) - 0.5 + WITHIN).all())


def _other_patient(volume_node, node) -> str:
    """A question where two nodes stand under two patients of the subject hierarchy; else empty."""
    if not are_of_two_patients(volume_node, node):
        return ""
    return (
        f"“{node.GetName()}” and “{volume_node.GetName()}” stand under different patients in the Data module: go on "
        "only if both are one patient, else choose what belongs together."
    )
