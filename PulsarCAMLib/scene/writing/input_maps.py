"""The maps of every image alone at once, each in a volume of its own that is found again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...core.display import DisplaySettings
from ...explanation.result import CaseResult
from .output_nodes import OutputNodes
from .outputs import write_result
from .provenance import PREFIX, map_over
from .transaction import SceneTransaction

ATTRIBUTE = f"{PREFIX}everyInput"
"""Names the output, such as "heat_map", on a volume that was made for showing all images side by side."""


def maps_of_inputs(
    result: CaseResult, volume_node, mask_node, images: Mapping[str, object], settings: DisplaySettings
) -> dict[str, object]:
    """One node for each input that the method has a map of its own for, made or written anew; on its own voxels.

    Args:
        result: of the case.
        volume_node: the first image.
        mask_node: segmentation or label map, if any.
        images: input to volume node, of those beside the first.
        settings: method, class, statistic and the like; its input does not matter.
    """
    output = "spread" if settings.statistic == "std" else "heat_map"
    first = result.system.image_inputs[0].name
    volumes = {first: volume_node, **images}
    inputs = [name for name in result.inputs_of(settings.method) if volumes.get(name) is not None]
    given = {name: map_over(volumes[name], ATTRIBUTE, output) for name in inputs}
    made = {}
    with SceneTransaction(node for node in given.values() if node is not None):
        for name, node in given.items():
            written = write_result(
                result,
                volume_node,
                mask_node,
                replace(settings, input=name),
                OutputNodes(**{output: node}),
                roles=(output,),
                images=images,
            )
            made[name] = getattr(written, output)
            made[name].SetAttribute(ATTRIBUTE, output)
    return made
