"""The heat maps of all methods at once, each in a volume of its own that is found again."""

from __future__ import annotations

from dataclasses import replace

import slicer

from ..core.map_methods import METHODS
from .display_settings import OutputNodes, Request
from .outputs import write_result
from .provenance import INPUT_VOLUME, PREFIX
from .transaction import SceneTransaction

ATTRIBUTE = f"{PREFIX}comparison"
"""Names the method on a volume that was made for comparing."""


def comparison_maps(result, volume_node, mask_node, request: Request) -> list:
    """One heat map node for each method of :data:`PulsarCAMLib.core.map_methods.METHODS`, made or written anew.

    Args:
        result: a ``CaseResult``.
        volume_node: the MRI.
        mask_node: segmentation or label map.
        request: class, normalisation and the like; its method does not matter.
    """
    given = {method: _found(volume_node, method) for method in METHODS}
    made = []
    with SceneTransaction(node for node in given.values() if node is not None):
        for method, node in given.items():
            wanted = replace(request, method=method)
            written = write_result(
                result, volume_node, mask_node, wanted, OutputNodes(heat_map=node), roles=("heat_map",)
            )
            written.heat_map.SetAttribute(ATTRIBUTE, method)
            made.append(written.heat_map)
    return made


def _found(volume_node, method: str):
    for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        if node.GetAttribute(ATTRIBUTE) == method and node.GetNodeReference(INPUT_VOLUME) is volume_node:
            return node
    return None
