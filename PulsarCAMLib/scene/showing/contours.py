"""Contours of another patient never lie over an MRI: they go with their own, and come back with it."""

from __future__ import annotations

import slicer

from ..writing.provenance import INPUT_MASK, INPUT_VOLUME, PREFIX, is_output
from .views import composites

SEGMENTATION = "vtkMRMLSegmentationNode"

HIDDEN = f"{PREFIX}hiddenWithItsMRI"
"""Attribute of a segmentation that was hidden here, not by the person."""


def contours_follow(volume_node, mask_node=None) -> None:
    """Hide lesions and sub-regions of results whose MRI no slice view shows; show again what was hidden so.

    Only contours that a result was made of, or that PulsarCAM drew, are touched. What the person has hidden stays so.

    Args:
        volume_node: the MRI that views have just been given, with results or without.
        mask_node: its contours; they are shown even where others were explained with them.
    """
    views = composites()
    if not views:
        return
    shown = {view.GetBackgroundVolumeID() for view in views} | {volume_node.GetID()}
    in_front = (slicer.mrmlScene.GetNodeByID(view.GetForegroundVolumeID() or "") for view in views)
    at_hand = {_id(node.GetNodeReference(INPUT_MASK)) for node in in_front if node is not None and is_output(node)}
    at_hand = (at_hand | {_id(mask_node)}) - {None}
    for contours, images in _with_their_images().items():
        _set_visible(slicer.mrmlScene.GetNodeByID(contours), bool(images & shown) or contours in at_hand)


def _with_their_images() -> dict[str, set[str]]:
    """IDs of segmentations that results are or were made of, to those of the MRIs of these results."""
    found: dict[str, set[str]] = {}
    for result in filter(is_output, slicer.util.getNodesByClass("vtkMRMLNode")):
        image, mask = _id(result.GetNodeReference(INPUT_VOLUME)), result.GetNodeReference(INPUT_MASK)
        for node in (mask, result):
            if image and node is not None and node.IsA(SEGMENTATION):
                found.setdefault(node.GetID(), set()).add(image)
    return found


def _set_visible(node, visible: bool) -> None:
    display = node.GetDisplayNode()
    if display is None or bool(display.GetVisibility()) == visible:
        return
    if not visible:
        node.SetAttribute(HIDDEN, "true")
        display.SetVisibility(False)
    elif node.GetAttribute(HIDDEN) is not None:
        node.SetAttribute(HIDDEN, None)
        display.SetVisibility(True)


def _id(node) -> str | None:
    return node.GetID() if node is not None else None
