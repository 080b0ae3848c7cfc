"""From a comparison to MRML nodes: gradient maps in the MRI's geometry, tables, and a plot of the shells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer

from ...agreement.map_comparison import MEASURES, MapComparison
from ...core.errors import InputError, OutputError
from ...systems.registry import method_title
from ..showing.colors import SEGMENT_COLORS
from ..showing.display import show_as_heat_map
from .contents import image_from, table_from
from .hierarchy import place_beside
from .node_set import NodeSet
from .outputs import made_name
from .provenance import PREFIX, new_output, write_provenance
from .transaction import SceneTransaction

CLASSES = {
    "gradient_magnitude": "vtkMRMLScalarVolumeNode",
    "radial_gradient": "vtkMRMLScalarVolumeNode",
    "agreement_table": "vtkMRMLTableNode",
    "shell_table": "vtkMRMLTableNode",
    "profile_table": "vtkMRMLTableNode",
    "profile_chart": "vtkMRMLPlotChartNode",
    "overlap_table": "vtkMRMLTableNode",
}

BRIGHTEST_SHARE = 0.99
"""A few voxels at vessels must not make all others dark: the range ends at this share of the magnitudes."""

X_COLUMN = "depth_mm"


@dataclass
class ComparisonNodes(NodeSet):
    """The nodes of one comparison; as an argument, existing nodes to write into (None: make a new one).

    Attributes:
        gradient_magnitude: ``vtkMRMLScalarVolumeNode``, the MRI's units per millimetre.
        radial_gradient: ``vtkMRMLScalarVolumeNode``, -1 to 1.
        agreement_table: ``vtkMRMLTableNode``, one row per lesion, heat map and quantity.
        shell_table: ``vtkMRMLTableNode``, one row per lesion, heat map and region.
        profile_table: ``vtkMRMLTableNode``, one row per depth, one column per lesion, of the map that is shown.
        profile_chart: ``vtkMRMLPlotChartNode`` of these.
        overlap_table: ``vtkMRMLTableNode``, one row per lesion, heat map and other map; only where there are such.
    """

    gradient_magnitude: Any = None
    radial_gradient: Any = None
    agreement_table: Any = None
    shell_table: Any = None
    profile_table: Any = None
    profile_chart: Any = None
    overlap_table: Any = None


def write_comparison(
    comparison: MapComparison,
    volume_node,
    mask_node,
    facts: dict[str, object],
    shown: tuple[str, str],
    nodes: ComparisonNodes | None = None,
    checkpoint: Callable[[], None] = lambda: None,
) -> ComparisonNodes:
    """Put a comparison into the scene, beside the MRI and under its parent transform: all of it, or nothing.

    Args:
        comparison: what was found.
        volume_node: the MRI.
        mask_node: segmentation or label map.
        facts: where the heat maps came from, for the tables: ``ModelCard.facts()``.
        shown: method and class of the map whose shells are plotted.
        nodes: existing nodes to write into.
        checkpoint: called between the steps; an exception from it undoes everything.

    Raises:
        InputError: an output is the MRI.
        OutputError: an output node is of the wrong kind or not in the scene.
    """
    nodes = nodes or ComparisonNodes()
    _check(nodes, volume_node)
    contents = _contents(comparison, shown)
    facts = facts | _facts(comparison)
    written, given = ComparisonNodes(), list(nodes)
    series = series_of(nodes.profile_chart) if nodes.profile_chart else []
    with SceneTransaction([*given, *series]):
        for role, content in contents.items():
            checkpoint()
            measure = role.replace("_", " ")
            title = f"{volume_node.GetName()} {measure}"
            node = getattr(nodes, role) or new_output(CLASSES[role], title)
            setattr(written, role, node)
            _fill(role, node, content, volume_node)
            about = {"measure": measure, "madeName": made_name(node, title, is_new=getattr(nodes, role) is None)}
            about |= {"method": shown[0], "target": shown[1]} if role.startswith("profile") else {}
            write_provenance(node, volume_node, mask_node, facts | about)
        left = plot_columns(
            written.profile_chart, written.profile_table, series, list(contents["profile_table"][0])[1:]
        )
        left += [nodes.overlap_table] if nodes.overlap_table is not None and not comparison.others else []
        place_beside(volume_node, [node for node in written if node not in given])
        checkpoint()
    for node in left:  # last: what is removed does not come back
        slicer.mrmlScene.RemoveNode(node)
    return written


def rewrite_profile(comparison: MapComparison, shown: tuple[str, str], nodes: ComparisonNodes) -> None:
    """Plot the shells of another heat map; nothing else is written."""
    there = [node for node in (nodes.profile_table, nodes.profile_chart) if node is not None and node.GetScene()]
    with SceneTransaction(there, batch=False):
        for node in there:
            if node is nodes.profile_table:
                fill_table(node, comparison.profile(*shown))
            else:
                _title(node, shown)
            for name, value in zip(("method", "target"), shown, strict=True):
                node.SetAttribute(f"{PREFIX}{name}", value)


def _contents(comparison: MapComparison, shown: tuple[str, str]) -> dict[str, Any]:
    """Everything that could fail for reasons of its own, before a node is touched."""
    return {
        "gradient_magnitude": comparison.magnitude,
        "radial_gradient": comparison.radial,
        "agreement_table": comparison.agreement,
        "shell_table": comparison.shells,
        "profile_table": comparison.profile(*shown) or [{X_COLUMN: 0.0}],
        "profile_chart": shown,
        **({"overlap_table": comparison.overlaps} if comparison.others else {}),
    }


def _facts(comparison: MapComparison) -> dict[str, object]:
    settings = comparison.settings
    return {
        "sigma_mm": settings.sigma_mm,
        "margin_mm": settings.margin_mm,
        "thickness_mm": settings.thickness_mm,
        "lesions": len(comparison.lesions),
        **({"otherMaps": len(comparison.others)} if comparison.others else {}),
    }


def _check(nodes: ComparisonNodes, volume_node) -> None:
    for role, class_name in CLASSES.items():
        node = getattr(nodes, role)
        if node is None:
            continue
        if not node.IsA(class_name) or node.IsA("vtkMRMLLabelMapVolumeNode") or node.GetScene() is not slicer.mrmlScene:
            raise OutputError(f"“{node.GetName()}” cannot take the {role.replace('_', ' ')}; let a new one be made.")
        if node is volume_node:
            raise InputError(f"“{node.GetName()}” is the MRI and would be overwritten; let a new node be made.")


def _fill(role: str, node, content, volume_node) -> None:
    modifying = node.StartModify()
    try:
        if role in MEASURES:
            _fill_volume(role, node, content, volume_node)
        elif role.endswith("table"):
            fill_table(node, content)
        else:
            _title(node, content)
    finally:
        node.EndModify(modifying)


def _fill_volume(role: str, node, values, volume_node) -> None:
    node.CopyOrientation(volume_node)
    node.SetAndObserveImageData(image_from(values))
    node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
    quantity = slicer.vtkCodedEntry()
    quantity.SetValueSchemeMeaning(role.replace("_", "-"), "99PULSARCAM", MEASURES[role])
    node.SetVoxelValueQuantity(quantity)
    inside = values[values > 0]
    top = float(np.quantile(inside, BRIGHTEST_SHARE)) if role == "gradient_magnitude" and inside.size else 1.0
    show_as_heat_map(node, (-1.0, 1.0) if role == "radial_gradient" else (0.0, top), spread=True)


def fill_table(node, rows: list[dict]) -> None:
    """Exchange the content of a table node; columns get their units."""
    table, units = table_from(rows)
    node.SetAndObserveSchema(None)
    node.SetAndObserveTable(table)
    node.SetUseColumnTitleAsColumnHeader(True)
    for column, unit in units.items():
        node.SetColumnUnitLabel(column, unit)


def _title(chart, shown: tuple[str, str]) -> None:
    chart.SetTitle(f"Where the heat map lies: {method_title(shown[0])}, {shown[1]}")
    chart.SetXAxisTitle("Depth under the lesion's surface (mm)")
    chart.SetYAxisTitle("Concentration")


def series_of(chart) -> list:
    """The series of a chart."""
    found = [chart.GetNthPlotSeriesNode(n) for n in range(chart.GetNumberOfPlotSeriesNodes())]
    return [node for node in found if node is not None]


def plot_columns(
    chart, table, series: list, columns: list[str], x_column: str = X_COLUMN, *, markers: bool = True
) -> list:
    """One series for each column; returns the series that are left over."""
    shape = slicer.vtkMRMLPlotSeriesNode.MarkerStyleCircle if markers else slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone
    chart.RemoveAllPlotSeriesNodeIDs()
    for n, name in enumerate(columns):
        node = series[n] if n < len(series) else slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode")
        node.SetName(name)
        node.SetAndObserveTableNodeID(table.GetID())
        node.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        node.SetXColumnName(x_column)
        node.SetYColumnName(name)
        node.SetColor(*SEGMENT_COLORS[n % len(SEGMENT_COLORS)])
        node.SetLineStyle(slicer.vtkMRMLPlotSeriesNode.LineStyleSolid)
        node.SetMarkerStyle(shape)
        chart.AddAndObservePlotSeriesNodeID(node.GetID())
    return series[len(columns) :]
