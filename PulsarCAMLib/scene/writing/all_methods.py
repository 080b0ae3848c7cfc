"""The heat maps of all methods at once, each in a volume of its own that is found again."""

from __future__ import annotations

from dataclasses import replace

from ...core.display import DisplaySettings
from ...explanation.result import CaseResult
from .output_nodes import OutputNodes
from .outputs import write_result
from .provenance import PREFIX, map_over
from .transaction import SceneTransaction

ATTRIBUTE = f"{PREFIX}comparison"
"""Names the method on a volume that was made for comparing."""


def comparison_maps(result: CaseResult, volume_node, mask_node, settings: DisplaySettings) -> list:
    """One heat map node for each usual method of the result's system, made or written anew.

    Args:
        result: of the case.
        volume_node: the image whose grid the maps are on.
        mask_node: segmentation or label map, if any.
        settings: class, normalisation and the like; its method and input do not matter.
    """
    given = {method: map_over(volume_node, ATTRIBUTE, method) for method in result.system.usual_maps}
    made = []
    with SceneTransaction(node for node in given.values() if node is not None):
        for method, node in given.items():
            shown = replace(settings, method=method, input="")
            given_node = OutputNodes(heat_map=node)
            written = write_result(result, volume_node, mask_node, shown, given_node, roles=("heat_map",))
            written.heat_map.SetAttribute(ATTRIBUTE, method)
            made.append(written.heat_map)
    return made
