"""The whole flow on nodes: read, explain, write. Panel, console and command line all come through here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.display import DisplaySettings
from ..core.errors import InputError
from ..core.requirements import require
from ..explanation.explain import explain_case
from ..explanation.result import CaseResult
from ..systems.bundles.bundle import find_bundle
from ..systems.contract import System
from .reading.inputs import read_case
from .writing.output_nodes import OutputNodes
from .writing.outputs import write_result
from .writing.transaction import checkpoint_of

COMPUTING = 0.9
"""Share of the progress bar for computing; the rest is for writing into the scene."""


@dataclass(frozen=True)
class NodeResult:
    """Nodes and numbers of one run.

    Attributes:
        nodes: what was written.
        result: other methods, classes and thresholds come from it without computing again.
        settings: how it is shown.
    """

    nodes: OutputNodes
    result: CaseResult
    settings: DisplaySettings

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence each, for the user."""
        return tuple(self.result.verdict.warnings(self.result.warnings))


def methods_for(system: System, wanted: str) -> tuple[str, ...]:
    """Methods to compute, so that changing among the usual ones costs nothing afterwards."""
    usual = tuple(method.name for method in system.maps if method.always)
    return usual if wanted in usual else (*usual, wanted)


def explain_nodes(
    images: Mapping[str, object],
    mask_node=None,
    model: str = "synthetic-demo",
    settings: DisplaySettings | None = None,
    nodes: OutputNodes | None = None,
    segment_ids: Sequence[str] | None = None,
    parts: str = "auto",
    choices: Mapping[str, Any] | None = None,
    stability: bool | None = None,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> NodeResult:
    """Explain one case and put the answer into the scene.

    Args:
        images: role to ``vtkMRMLScalarVolumeNode``; the heat map lies on the voxels of the system's first image.
        mask_node: ``vtkMRMLSegmentationNode`` or ``vtkMRMLLabelMapVolumeNode``; None where the model's system can do
            without lesions.
        model: name of an installed model bundle, or the path of its folder.
        settings: how the result is to be shown; None: as usual with the model's system.
        nodes: existing nodes to write into.
        segment_ids: only these segments (IDs), or, for a label map, these label values; None: all.
        parts: how unconnected parts become lesions, see :func:`PulsarCAMLib.scene.reading.inputs.read_inputs`.
        choices: settings of methods that are not the usual ones, see ``MapMethod.choices``.
        stability: tell how far answers move by half a voxel; None: as is usual with the model's system.
        progress: called with a fraction 0..1 and a text; also told what a method costs before it starts.
        cancelled: asked often; True ends the work, or a map alone where its choices say so.

    Raises:
        PulsarCAMError: with one sentence for the user; the scene is as it was.
        Cancelled: the user stopped the work; the scene is as it was.
    """
    require()

    def on_progress(fraction: float, text: str) -> None:
        if progress is not None:
            progress(fraction, text)

    checkpoint = checkpoint_of(cancelled)

    on_progress(0.0, "Reading the lesions")
    bundle = find_bundle(model)
    system = bundle.card.system
    shown = settings or system.display_settings()
    methods = methods_for(system, shown.method)
    case = read_case(system, images, mask_node, segment_ids, parts)
    checkpoint()
    result = explain_case(
        case,
        bundle,
        methods=methods,
        stability=stability,
        progress=lambda fraction, text: on_progress(COMPUTING * fraction, text),
        cancelled=cancelled,
        choices=choices,
        on_cost=lambda sentence: on_progress(0.0, sentence),
    )
    if any(getattr(each, "partial", False) for each in (choices or {}).values()):
        cancelled = None  # what it ended was the map, which is kept
    on_progress(COMPUTING, "Writing the results")
    checkpoint()
    for node in [*images.values(), mask_node]:
        if node is not None and node.GetScene() is None:
            raise InputError(f"“{node.GetName()}” was removed while it was being explained; nothing was written.")
    volume_node = images[system.image_inputs[0].name]
    written = write_result(result, volume_node, mask_node, shown, nodes, checkpoint, images=images)
    on_progress(1.0, "Done")
    return NodeResult(written, result, shown)
