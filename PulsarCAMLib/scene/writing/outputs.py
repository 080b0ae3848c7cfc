"""From a result to MRML nodes: volumes, segmentation, tables, beside the MRI and ready to overlay.

Everything is computed before the first node is touched; what still fails then is undone
(:class:`PulsarCAMLib.scene.writing.transaction.SceneTransaction`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import slicer

from ...core.display import DisplaySettings
from ...core.errors import InputError, OutputError
from ...core.pluralize import capital
from ...core.task import BOTH
from ...explanation.result import CaseResult
from ...explanation.tables import cells_text, sample_table, unit_table
from ..reading.grids import Grid
from ..showing.display import show_as_heat_map, show_as_outline
from .contents import fill_segmentation, image_from, segments_from, table_from
from .hierarchy import place_beside
from .output_nodes import ALL, CLASSES, MAPS, OutputNodes
from .provenance import PREFIX, new_output, write_provenance
from .transaction import SceneTransaction


@dataclass(frozen=True)
class _Piece:
    """One output before it is in the scene: what is observed, and what describes it."""

    content: object
    name: str
    facts: dict[str, object]
    shown: tuple[float, float] = (0.0, 1.0)
    meaning: str = ""


def write_result(
    result: CaseResult,
    volume_node,
    mask_node=None,
    settings: DisplaySettings | None = None,
    nodes: OutputNodes | None = None,
    checkpoint: Callable[[], None] = lambda: None,
    roles: Collection[str] = ALL,
    images: Mapping[str, object] | None = None,
) -> OutputNodes:
    """Put a result into the scene, beside the MRI and under its parent transform.

    Args:
        result: of the case.
        volume_node: the image whose grid the maps are on.
        mask_node: the segmentation or label map that was used, if any.
        settings: how the result is to be shown; None: as usual.
        nodes: existing nodes to write into; what is None is made new, under a unique name.
        checkpoint: called between the steps; an exception from it undoes everything.
        roles: only these outputs are written, see :data:`PulsarCAMLib.scene.writing.output_nodes.CLASSES`.
        images: input to volume node, of those beside the first; a map of one of them alone lies on its voxels.

    Raises:
        InputError: an output node is one of the inputs, or given twice, or the image that a map belongs to is missing.
        OutputError: an output node is of the wrong kind or not in the scene.
    """
    settings, nodes = settings or result.system.display_settings(), nodes or OutputNodes()
    map_volume = _volume_of(result, settings, volume_node, images or {})
    _check_outputs(nodes, [volume_node, mask_node, *(images or {}).values()])
    grid = Grid.of_volume(volume_node)
    pieces = _prepare(result, settings, roles, grid, (volume_node, map_volume), checkpoint)
    written = OutputNodes()
    reused = [getattr(nodes, role) for role in pieces]
    with SceneTransaction(reused, batch=None in reused):
        new = {role: new_output(CLASSES[role], pieces[role].name) for role in pieces if getattr(nodes, role) is None}
        place_beside(volume_node, list(new.values()))  # before they are filled: the Data module follows each segment
        for role, piece in pieces.items():
            checkpoint()
            given = getattr(nodes, role)
            node = given or new[role]
            on = map_volume if role in MAPS else volume_node
            _fill(role, node, piece, on)
            called = made_name(node, piece.name, is_new=given is None)
            write_provenance(node, on, mask_node, piece.facts | {"madeName": called})
            setattr(written, role, node)
        checkpoint()
    return written


def facts_of(result: CaseResult, settings: DisplaySettings) -> dict[str, object]:
    """What every derived node says about its origin."""
    return result.card.facts() | {
        "method": settings.method,
        "target": BOTH if result.method(settings.method).signed else settings.target,
        "input": settings.input or None,
        "normalisation": settings.normalisation,
        "statistic": None,
        "threshold": None,
        "units": None,
        "range": None,
        "cells": None,
        "made": None,
    }


def rewrite_result(
    result: CaseResult,
    volume_node,
    mask_node,
    settings: DisplaySettings,
    nodes: OutputNodes,
    roles: Collection[str] = ALL,
    images: Mapping[str, object] | None = None,
) -> None:
    """Show a result differently in the nodes that are there; what is None stays away.

    Args:
        result: of the case.
        volume_node: the image whose grid the maps are on.
        mask_node: segmentation or label map, if any.
        settings: how the result is to be shown now.
        nodes: those of :func:`write_result`.
        roles: only these.
        images: see :func:`write_result`.
    """
    there = [role for role in roles if getattr(nodes, role) is not None]
    if there:
        write_result(result, volume_node, mask_node, settings, nodes, roles=there, images=images)


def _prepare(
    result: CaseResult, settings: DisplaySettings, roles: Collection[str], grid: Grid, volumes: tuple, checkpoint
) -> dict[str, _Piece]:
    """The outputs asked for, as VTK objects outside the scene; ``volumes`` are the first image and the map's own."""
    facts = facts_of(result, settings)
    method = result.method(settings.method)
    said = method.name if method.signed else f"{settings.target} {method.name}"
    said += f" {settings.input} alone" if settings.input else ""
    name, own = (volume.GetName() for volume in volumes)
    made_from = {
        "heat_map": lambda: _map_piece(result, settings, "mean", f"{own} heat map {said}", facts),
        "spread": lambda: _map_piece(result, settings, "std", f"{own} spread {said}", facts),
        "sub_regions": lambda: _regions_piece(result, settings, grid, f"{name} sub-regions {said}", facts),
        "lesion_table": lambda: _units_piece(result, settings, f"{name} {result.task.unit}s {said}", facts),
        "slice_table": lambda: _samples_piece(result, settings, f"{name} slices", facts),
    }
    pieces = {}
    for role in ALL:
        if role in roles:
            pieces[role] = made_from[role]()
            checkpoint()
    return pieces


def _regions_piece(result: CaseResult, settings: DisplaySettings, grid: Grid, name: str, facts: dict) -> _Piece:
    regions = result.sub_regions(settings.method, settings.target, settings.threshold, settings.input)
    named = [(f"{region.name}: {facts['target']} sub-region", region) for region in regions]
    return _Piece(segments_from(named, grid), name, facts | {"threshold": settings.threshold.in_words(result.task)})


def _units_piece(result: CaseResult, settings: DisplaySettings, name: str, facts: dict) -> _Piece:
    how = (settings.threshold, settings.margin_mm, settings.input)
    rows = unit_table(result, settings.method, settings.target, *how)
    return _Piece(table_from(rows), name, facts | {"threshold": settings.threshold.in_words(result.task)})


def _samples_piece(result: CaseResult, settings: DisplaySettings, name: str, facts: dict) -> _Piece:
    words = settings.threshold.in_words(result.task)
    any_map = {"threshold": words, "method": None, "target": None, "normalisation": None, "input": None}
    return _Piece(table_from(sample_table(result)), name, facts | any_map)


def _map_piece(result: CaseResult, settings: DisplaySettings, statistic: str, name: str, facts: dict) -> _Piece:
    how = (settings.normalisation, settings.restrict, settings.input)
    values = result.heat_map(settings.method, settings.target, statistic, *how)
    low, top = 0.0, float(values.max()) or 1.0  # an empty map still needs a range that is one
    if statistic == "mean":
        low, top = result.display_range(settings.method, settings.normalisation, settings.input)
    shares = f"share of the joint maximum of {result.task.every_class}"
    units = result.method(settings.method).unit if settings.normalisation == "none" else shares
    described = {"statistic": statistic, "units": units, "range": f"{low:.4g} to {top:.4g}"}
    described["cells"] = cells_text(result.units[0], settings.method) or None
    described["made"] = result.made_with(settings.method) or None
    meaning = _meaning(result, settings)
    if statistic == "std":
        meaning = f"Standard deviation over the ensemble of: {meaning.lower()}"
    return _Piece(image_from(values), name, facts | described, (low, top), meaning)


def _meaning(result: CaseResult, settings: DisplaySettings) -> str:
    """What a voxel says."""
    task = result.task
    if not result.method(settings.method).signed:
        return capital(result.method(settings.method).tells.format(settings.target))
    others = " or ".join(name for name in task.names if name != task.positive)
    return f"Evidence for {task.positive} (positive) and {others} (negative)"


def _volume_of(result: CaseResult, settings: DisplaySettings, volume_node, images: Mapping[str, object]):
    """The image whose voxels a map lies on.

    Raises:
        InputError: it is not there.
    """
    if not result.own_grid(settings.input):
        return volume_node
    result.geometry_of(settings.input)
    node = images.get(settings.input)
    if node is None:
        raise InputError(f"The image of the {settings.input} is not there to lay its map over; choose it again.")
    return node


def _check_outputs(nodes: OutputNodes, inputs: Sequence) -> None:
    given = list(nodes)
    for role, class_name in CLASSES.items():
        node = getattr(nodes, role)
        if node is None:
            continue
        if not node.IsA(class_name) or node.IsA("vtkMRMLLabelMapVolumeNode"):
            raise OutputError(f"“{node.GetName()}” cannot take the {role.replace('_', ' ')}; choose or make another.")
        if node.GetScene() is not slicer.mrmlScene:
            raise OutputError(f"“{node.GetName()}” is no longer in the scene; choose or make another output.")
        if any(node is each for each in inputs):
            raise InputError(f"“{node.GetName()}” is an input and would be overwritten; choose another output.")
    if len({node.GetID() for node in given}) < len(given):
        raise InputError("One node is chosen for two outputs; choose another or make new ones.")


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
        if role in MAPS:
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
    quantity, units = slicer.vtkCodedEntry(), slicer.vtkCodedEntry()
    quantity.SetValueSchemeMeaning(f"{role.replace('_', '-')}", "99PULSARCAM", piece.meaning)
    units.SetValueSchemeMeaning("1", "UCUM", "no units")
    node.SetVoxelValueQuantity(quantity)
    node.SetVoxelValueUnits(units)
    show_as_heat_map(node, piece.shown, spread=role == "spread")
