"""The whole flow on nodes: read, explain, write. Panel, console and command line all come through here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.errors import Cancelled, InputError
from ..core.map_methods import METHODS, SIGNED
from ..core.requirements import require
from ..explanation.explain import explain_scan
from ..systems.bundle import find_bundle
from .display_settings import OutputNodes, Request
from .inputs import read_inputs
from .outputs import write_result

COMPUTING = 0.9
"""Share of the progress bar for computing; the rest is for writing into the scene."""


@dataclass(frozen=True)
class NodeResult:
    """Nodes and numbers of one run.

    Attributes:
        nodes: what was written.
        result: the ``CaseResult``; other methods, classes and thresholds come from it without computing again.
        warnings: one sentence each, for the user.
    """

    nodes: OutputNodes
    result: Any
    warnings: tuple[str, ...]


def explain_nodes(
    volume_node,
    mask_node,
    model: str = "synthetic-demo",
    request: Request | None = None,
    nodes: OutputNodes | None = None,
    segment_ids: Sequence[str] | None = None,
    parts: str = "auto",
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> NodeResult:
    """Explain the lesions of one MRI and put the answer into the scene.

    Args:
        volume_node: ``vtkMRMLScalarVolumeNode``, the MRI.
        mask_node: ``vtkMRMLSegmentationNode`` or ``vtkMRMLLabelMapVolumeNode``.
        model: name of an installed model bundle, or the path of its folder.
        request: how the result is to be shown.
        nodes: existing nodes to write into.
        segment_ids: only these segments (IDs), or, for a label map, these label values; None: all.
        parts: how unconnected parts become lesions, see :func:`PulsarCAMLib.scene.inputs.read_inputs`.
        progress: called with a fraction 0..1 and a text.
        cancelled: asked often; True ends the work.

    Raises:
        PulsarCAMError: with one sentence for the user; the scene is as it was.
        Cancelled: the user stopped the work; the scene is as it was.
    """
    require()
    request = request or Request()
    methods = METHODS if request.method in (*METHODS, SIGNED) else (*METHODS, request.method)

    def tell(fraction: float, text: str) -> None:
        if progress is not None:
            progress(fraction, text)

    def checkpoint() -> None:
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped; the scene is as it was.")

    tell(0.0, "Reading the lesions")
    bundle = find_bundle(model)
    inputs = read_inputs(volume_node, mask_node, segment_ids, parts)
    checkpoint()
    result = explain_scan(
        inputs.volume,
        inputs.geometry,
        inputs.lesions,
        bundle,
        methods=methods,
        warnings=inputs.warnings,
        progress=lambda fraction, text: tell(COMPUTING * fraction, text),
        cancelled=cancelled,
    )
    tell(COMPUTING, "Writing the results")
    checkpoint()
    for node in (volume_node, mask_node):
        if node.GetScene() is None:
            raise InputError(f"“{node.GetName()}” was removed while it was being explained; nothing was written.")
    written = write_result(result, volume_node, mask_node, request, nodes, checkpoint)
    tell(1.0, "Done")
    return NodeResult(written, result, tuple(result.warnings))
