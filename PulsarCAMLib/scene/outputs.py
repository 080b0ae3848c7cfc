"""From a result to MRML nodes: volumes, segmentation, tables, beside the MRI and ready to overlay.

Everything is computed before the first node is touched; what still fails then is undone
(:class:`PulsarCAMLib.scene.transaction.SceneTransaction`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import slicer

from ..core.errors import InputError, OutputError
from ..core.map_methods import SIGNED
from ..explanation.tables import sample_table, unit_table
from .contents import fill_segmentation, image_from, segments_from, table_from
from .display import show_as_heat_map, show_as_outline
from .display_settings import OutputNodes, Request
from .grids import Grid
from .hierarchy import place_beside
from .provenance import PREFIX, write_provenance
from .transaction import SceneTransaction

RAW_UNITS = "contribution to the logit"

CLASSES = {
    "heat_map": "vtkMRMLScalarVolumeNode",
    "spread": "vtkMRMLScalarVolumeNode",
    "sub_regions": "vtkMRMLSegmentationNode",
    "lesion_table": "vtkMRMLTableNode",
    "slice_table": "vtkMRMLTableNode",
}


@dataclass(frozen=True)
class _Piece:
    """One output before it is in the scene: what is observed, and what describes it."""

    content: object
    name: str
    facts: dict[str, object]
    shown: tuple[float, float] = (0.0, 1.0)


def write_result(
    result,
    volume_node,
    mask_node,
    request: Request | None = None,
    nodes: OutputNodes | None = None,
    checkpoint: Callable[[], None] = lambda: None,
    roles: Collection[str] = tuple(CLASSES),
) -> OutputNodes:
    """Put a result into the scene, beside the MRI and under its parent transform.

    Args:
        result: a ``CaseResult``.
        volume_node: the MRI that was explained.
        mask_node: the segmentation or label map that was used.
        request: how the result is to be shown.
        nodes: existing nodes to write into; what is None is made new, under a unique name.
        checkpoint: called between the steps; an exception from it undoes everything.
        roles: only these outputs are written, see :data:`CLASSES`.

    Raises:
        InputError: an output node is one of the inputs, or given twice.
        OutputError: an output node is of the wrong kind or not in the scene.
    """
    request, nodes = request or Request(), nodes or OutputNodes()
    _check_outputs(nodes, volume_node, mask_node)
    grid = Grid.of_volume(volume_node)
    pieces = _prepare(result, request, roles, grid, volume_node.GetName(), checkpoint)
    written = OutputNodes()
    reused = [getattr(nodes, role) for role in pieces]
    with SceneTransaction(reused, batch=None in reused):
        for role, piece in pieces.items():
            checkpoint()
            given = getattr(nodes, role)
            node = given or _new_node(role, piece.name)
            _fill(role, node, piece, volume_node)
            called = made_name(node, piece.name, is_new=given is None)
            write_provenance(node, volume_node, mask_node, piece.facts | {"madeName": called})
            setattr(written, role, node)
        place_beside(volume_node, [n for n in written if n not in list(nodes)])
        checkpoint()
    return written


def facts_of(result, request: Request) -> dict[str, object]:
    """What every derived node says about its origin."""
    return result.card.facts() | {
        "method": request.method,
        "target": "both" if request.method == SIGNED else request.target,
        "normalisation": request.normalisation,
        "statistic": None,
        "threshold": None,
        "units": None,
        "range": None,
    }


def rewrite_result(result, volume_node, mask_node, request: Request, nodes: OutputNodes, roles=tuple(CLASSES)) -> None:
    """Show a result differently in the nodes that are there; what is None stays away.

    Args:
        result: a ``CaseResult``.
        volume_node: the MRI.
        mask_node: segmentation or label map.
        request: how the result is to be shown now.
        nodes: those of :func:`write_result`.
        roles: only these.
    """
    there = [role for role in roles if getattr(nodes, role) is not None]
    if there:
        write_result(result, volume_node, mask_node, request, nodes, roles=there)


def _prepare(result, request: Request, roles, grid: Grid, name: str, checkpoint) -> dict[str, _Piece]:
    """The outputs asked for, as VTK objects outside the scene."""
    facts = facts_of(result, request)
    said = request.method if request.method == SIGNED else f"{request.target} {request.method}"
    made_from = {
        "heat_map": lambda: _map_piece(result, request, "mean", f"{name} heat map {said}", facts),
        "spread": lambda: _map_piece(result, request, "std", f"{name} spread {said}", facts),
        "sub_regions": lambda: _regions_piece(result, request, grid, f"{name} sub-regions {said}", facts),
        "lesion_table": lambda: _lesions_piece(result, request, f"{name} lesions {said}", facts),
        "slice_table": lambda: _slices_piece(result, request, f"{name} slices", facts),
    }
    unwanted = {"spread": not request.spread, "sub_regions": not request.sub_regions}
    unwanted |= dict.fromkeys(("lesion_table", "slice_table"), not request.tables)
    pieces = {}
    for role in CLASSES:
        if role in roles and not unwanted.get(role):
            pieces[role] = made_from[role]()
            checkpoint()
    return pieces


def _regions_piece(result, request: Request, grid: Grid, name: str, facts: dict[str, object]) -> _Piece:
    regions = result.sub_regions(request.method, request.target, request.threshold)
    named = [(f"{region.name}: {facts['target']} sub-region", region) for region in regions]
    return _Piece(segments_from(named, grid), name, facts | {"threshold": str(request.threshold)})


def _lesions_piece(result, request: Request, name: str, facts: dict[str, object]) -> _Piece:
    rows = unit_table(result, request.method, request.target, request.threshold, request.margin_mm)
    return _Piece(table_from(rows), name, facts | {"threshold": str(request.threshold)})


def _slices_piece(result, request: Request, name: str, facts: dict[str, object]) -> _Piece:
    any_map = {"threshold": str(request.threshold), "method": None, "target": None, "normalisation": None}
    return _Piece(table_from(sample_table(result)), name, facts | any_map)


def _map_piece(result, request: Request, statistic: str, name: str, facts: dict[str, object]) -> _Piece:
    values = result.heat_map(request.method, request.target, statistic, request.normalisation, request.restrict)
    low, top = 0.0, float(values.max()) or 1.0  # an empty map still needs a range that is one
    if statistic == "mean":
        low, top = result.display_range(request.method, request.normalisation)
    units = RAW_UNITS if request.normalisation == "none" else "share of the joint maximum of both classes"
    described = {"statistic": statistic, "units": units, "range": f"{low:.4g} to {top:.4g}"}
    return _Piece(image_from(values), name, facts | described, (low, top))


def _check_outputs(nodes: OutputNodes, volume_node, mask_node) -> None:
    given = list(nodes)
    for role, class_name in CLASSES.items():
        node = getattr(nodes, role)
        if node is None:
            continue
        if not node.IsA(class_name) or node.IsA("vtkMRMLLabelMapVolumeNode"):
            raise OutputError(f"“{node.GetName()}” cannot take the {role.replace('_', ' ')}; choose or make another.")
        if node.GetScene() is not slicer.mrmlScene:
            raise OutputError(f"“{node.GetName()}” is no longer in the scene; choose or make another output.")
        if node in (volume_node, mask_node):
            raise InputError(f"“{node.GetName()}” is an input and would be overwritten; choose another output.")
    if len({node.GetID() for node in given}) < len(given):
        raise InputError("One node is chosen for two outputs; choose another or make new ones.")


def _new_node(role: str, name: str):
    return slicer.mrmlScene.AddNewNodeByClass(CLASSES[role], slicer.mrmlScene.GenerateUniqueName(name))


def made_name(node, title: str, is_new: bool) -> str | None:
    """The name that PulsarCAM gave the node: renewed when a later run says something else, never over the user's."""
    made = node.GetAttribute(f"{PREFIX}madeName")
    if made == node.GetName() and not made.startswith(title):
        node.SetName(slicer.mrmlScene.GenerateUniqueName(title))
    elif not is_new:
        return made
    return node.GetName()


def _fill(role: str, node, piece: _Piece, volume_node) -> None:
    modifying = node.StartModify()
    try:
        if role in ("heat_map", "spread"):
            _fill_volume(role, node, piece, volume_node)
        elif role == "sub_regions":
            fill_segmentation(node.GetSegmentation(), piece.content)
            node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
            node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
            show_as_outline(node)
        else:
            table, units = piece.content
            node.SetAndObserveSchema(None)
            node.SetAndObserveTable(table)
            node.SetUseColumnTitleAsColumnHeader(True)
            for column, unit in units.items():
                node.SetColumnUnitLabel(column, unit)
    finally:
        node.EndModify(modifying)


def _fill_volume(role: str, node, piece: _Piece, volume_node) -> None:
    node.CopyOrientation(volume_node)
    node.SetAndObserveImageData(piece.content)
    node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
    meaning = f"Evidence for {piece.facts['target']}"
    if piece.facts["method"] == SIGNED:
        meaning = "Evidence for response (positive) and non-response (negative)"
    if role == "spread":
        meaning = f"Standard deviation over the ensemble of: {meaning.lower()}"
    quantity, units = slicer.vtkCodedEntry(), slicer.vtkCodedEntry()
    quantity.SetValueSchemeMeaning(f"{role.replace('_', '-')}", "99PULSARCAM", meaning)
    units.SetValueSchemeMeaning("1", "UCUM", "no units")
    node.SetVoxelValueQuantity(quantity)
    node.SetVoxelValueUnits(units)
    show_as_heat_map(node, piece.shown, spread=role == "spread")
