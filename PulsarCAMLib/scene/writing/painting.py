"""From a dose painting to MRML nodes, each of which says in its name and attributes that it is no plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import slicer

from ...outputs.painting import facts_of
from ...painting.paint import Painting
from ...painting.settings import LABEL
from ..reading.grids import Grid
from ..showing.display import show_as_heat_map, show_as_outline
from .contents import fill_segmentation, image_from, segments_from
from .hierarchy import place_beside
from .map_comparison import fill_table
from .node_set import NodeSet, check_given
from .outputs import made_name
from .provenance import new_output, write_provenance
from .transaction import SceneTransaction

CLASSES = {
    "prescription": "vtkMRMLScalarVolumeNode",
    "spread": "vtkMRMLScalarVolumeNode",
    "boost": "vtkMRMLSegmentationNode",
    "table": "vtkMRMLTableNode",
    "histogram": "vtkMRMLTableNode",
}

WORDS = {
    "prescription": "painted dose",
    "spread": "painted dose spread",
    "boost": "painted boost",
    "table": "painted lesions",
    "histogram": "painted Q-volume histogram",
}
"""Of the nodes' names, behind that of the MRI."""

NOTES = "paintingNotes"
"""Fact of the nodes: what the person should know of the painting, one sentence a line."""


@dataclass
class PaintingNodes(NodeSet):
    """The nodes of one painting; as an argument, existing nodes to write into (None: make a new one).

    Attributes:
        prescription: ``vtkMRMLScalarVolumeNode`` on the MRI's grid, Gy.
        spread: likewise, standard deviation over the members.
        boost: ``vtkMRMLSegmentationNode``, one segment for each lesion with a boost.
        table: ``vtkMRMLTableNode``, one row per lesion.
        histogram: ``vtkMRMLTableNode``, the Q-volume histogram; only where a dose was given and is known.
    """

    prescription: Any = None
    spread: Any = None
    boost: Any = None
    table: Any = None
    histogram: Any = None


def write_painting(
    painting: Painting,
    volume_node,
    mask_node,
    nodes: PaintingNodes | None = None,
    inputs: Sequence[Any] = (),
    checkpoint: Callable[[], None] = lambda: None,
) -> PaintingNodes:
    """Put a painting into the scene, beside the MRI and under its parent transform: all of it, or nothing.

    Args:
        painting: what would be prescribed.
        volume_node: the MRI.
        mask_node: segmentation or label map of the lesions.
        nodes: existing nodes to write into.
        inputs: nodes that must not be written into.
        checkpoint: called between the steps; an exception from it undoes everything.

    Raises:
        InputError: an output is an input.
        OutputError: an output node is of the wrong kind or not in the scene.
    """
    nodes = nodes or PaintingNodes()
    check_given(nodes, CLASSES, WORDS, (volume_node, mask_node, *inputs))
    contents = _contents(painting, Grid.of_volume(volume_node))
    facts, written, given = painting.facts | facts_of(painting), PaintingNodes(), list(nodes)
    facts["target"] = facts.pop("class")
    facts[NOTES] = "\n".join(painting.warnings) or None
    with SceneTransaction(given):
        titles = {role: f"{volume_node.GetName()} {WORDS[role]}, {painting.title}" for role in contents}
        new = {role: new_output(CLASSES[role], titles[role]) for role in contents if getattr(nodes, role) is None}
        place_beside(volume_node, list(new.values()))  # before they are filled: the Data module follows each segment
        for role, content in contents.items():
            checkpoint()
            title, node = titles[role], getattr(nodes, role) or new[role]
            setattr(written, role, node)
            _fill(role, node, content, volume_node, painting)
            about = {"madeName": made_name(node, title, is_new=getattr(nodes, role) is None)}
            about |= {"units": "Gy", "measure": f"{WORDS[role]}, {LABEL}"} if role in ("prescription", "spread") else {}
            write_provenance(node, volume_node, mask_node, facts | about)
        checkpoint()
    if nodes.histogram is not None and written.histogram is None:  # of an earlier dose
        slicer.mrmlScene.RemoveNode(nodes.histogram)
    return written


def _contents(painting: Painting, grid: Grid) -> dict[str, Any]:
    """Everything that could fail for reasons of its own, before a node is touched."""
    found: dict[str, Any] = {
        "prescription": image_from(painting.prescription),
        "spread": image_from(painting.spread),
        "boost": segments_from([(each.name, each) for each in painting.boosts], grid),
        "table": [{"label": LABEL} | row for row in painting.table],
    }
    histogram = painting.histogram
    return found | ({"histogram": histogram} if histogram else {})


def _fill(role: str, node, content, volume_node, painting: Painting) -> None:
    modifying = node.StartModify()
    try:
        if role in ("prescription", "spread"):
            node.CopyOrientation(volume_node)
            node.SetAndObserveImageData(content)
            node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
            quantity = slicer.vtkCodedEntry()
            quantity.SetValueSchemeMeaning(
                WORDS[role].replace(" ", "-"), "99PULSARCAM", f"{WORDS[role]} in Gy, {LABEL}"
            )
            node.SetVoxelValueQuantity(quantity)
            low, high = painting.settings.levels
            show_as_heat_map(node, (0.0, high if role == "prescription" else (high - low) / 2), spread=role == "spread")
        elif role == "boost":
            node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
            node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
            fill_segmentation(node.GetSegmentation(), content)
            show_as_outline(node)
        else:
            fill_table(node, content)
    finally:
        node.EndModify(modifying)
