"""What ``pulsarcam agreement`` wrote, as MRML nodes: tables, and plots of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import slicer

from ...agreement.folder import AgreementTables
from ...agreement.voxel_measures import QUANTITY_TITLES
from ...systems.registry import method_title
from ..showing.colors import SEGMENT_COLORS
from ..showing.views import OWN_VIEWS, register_layout, set_layout
from .hierarchy import place_in_folder
from .map_comparison import X_COLUMN, fill_table
from .node_set import NodeSet
from .provenance import new_output, write_facts
from .transaction import SceneTransaction

TABLE, CHART = "vtkMRMLTableNode", "vtkMRMLPlotChartNode"

FOLDER = "PulsarCAM cohort agreement"

NUMBER_COLUMN = "quantity_number"

LAYOUT = 41509
"""Number of the layout of the plots."""

PLOT_VIEWS = tuple(f"{OWN_VIEWS}Cohort{n}" for n in range(1, 4))

_VIEW = (
    '<item><view class="vtkMRMLPlotViewNode" singletontag="{0}">'
    '<property name="viewlabel" action="default">{1}</property></view></item>'
)


@dataclass
class CohortAgreementNodes(NodeSet):
    """The nodes of one cohort.

    Attributes:
        summary_table: ``vtkMRMLTableNode``, what the maps go with over the patients.
        depth_table: likewise, where they lie: core, margin, shells.
        profile_table: likewise, concentration with its interval by depth, for the plot.
        feature_table: likewise, which features go with the maps, plainly and beyond volume; None without features.
        summary_chart: ``vtkMRMLPlotChartNode``, a bar for each quantity, or a point of each of several maps.
        profile_chart: likewise, lines by depth.
        feature_chart: likewise, a point for each feature: plain, and beyond volume; None without features.
    """

    summary_table: Any = None
    depth_table: Any = None
    profile_table: Any = None
    feature_table: Any = None
    summary_chart: Any = None
    profile_chart: Any = None
    feature_chart: Any = None


def write_cohort_agreement(tables: AgreementTables, name: str) -> CohortAgreementNodes:
    """Put a cohort's agreement into the scene, in a folder of the subject hierarchy: all of it, or nothing.

    Args:
        tables: what was found.
        name: of the cohort, for the names of the nodes.
    """
    facts, made = _facts(tables), CohortAgreementNodes()
    profile, maps = _profile(tables.depths)
    rows = {
        "summary": _summary(tables.summary),
        "depth": tables.depths,
        "profile": profile,
        "feature": tables.features or [],
    }
    with SceneTransaction():
        for role, content in rows.items():
            if content:
                node = _new(TABLE, f"{name} {role} table", facts)
                fill_table(node, content)
                setattr(made, f"{role}_table", node)
        made.summary_chart = _new(CHART, f"{name} summary chart", facts)
        _titles(
            made.summary_chart, "What the heat maps go with", _numbered(tables.summary), "Mean partial rank correlation"
        )
        _quantities(made.summary_chart, made.summary_table, tables.summary)
        if made.profile_table is not None:
            made.profile_chart = _new(CHART, f"{name} profile chart", facts)
            _titles(
                made.profile_chart, "Where the heat maps lie", "Depth under the lesion's surface (mm)", "Concentration"
            )
            _lines(made.profile_chart, made.profile_table, maps)
        if made.feature_table is not None:
            made.feature_chart = _new(CHART, f"{name} feature chart", facts)
            outcome = str(facts["outcome"]).replace("_", " ")
            _titles(
                made.feature_chart, f"Features and {outcome}", "Rank correlation, plain", "Beyond the lesion's volume"
            )
            _points(made.feature_chart, made.feature_table)
        place_in_folder(FOLDER, made)
    return made


def show_cohort_agreement(nodes: CohortAgreementNodes) -> None:
    """Change to a layout with the plots.

    Raises:
        OutputError: there are no views (no main window).
    """
    charts = [chart for chart in (nodes.summary_chart, nodes.profile_chart, nodes.feature_chart) if chart is not None]
    shown = list(zip(PLOT_VIEWS, charts, strict=False))
    views = [_VIEW.format(tag, n) for n, (tag, _) in enumerate(shown, start=1)]
    above = f'<item><layout type="horizontal" split="true">{"".join(views[:2])}</layout></item>'
    register_layout(LAYOUT, f'<layout type="vertical" split="true">{above}{"".join(views[2:])}</layout>')
    set_layout(LAYOUT)
    for tag, chart in shown:
        view = slicer.mrmlScene.GetSingletonNode(tag, "vtkMRMLPlotViewNode")
        if view is not None:
            view.SetPlotChartNodeID(chart.GetID())


def _facts(tables: AgreementTables) -> dict[str, object]:
    """Where it came from; names as those of other results."""
    model, options = tables.facts["model"], tables.facts["options"]
    return {
        "measure": "agreement over a cohort",
        "version": tables.facts["pulsarcam"],
        "modelName": model["name"],
        "modelHash": model["sha256"],
        "modelOrigin": model["origin"],
        **({"modelVerdict": model["verdict"]} if model.get("verdict") else {}),
        "synthetic": bool(model["synthetic"]),
        "researchUseOnly": True,
        "method": options["method"],
        "target": options["target"],
        "outcome": options["outcome"],
        "timePoint": options["time_point"],
        "lesions": tables.facts["lesions"],
        "patients": tables.facts["patients"],
    }


def _map(row: dict) -> tuple[str, str]:
    return row["map_method"], row["map_class"]


def _map_titles(rows: list[dict]) -> dict[tuple[str, str], str]:
    return {key: f"{method_title(key[0])}, {key[1]}" for key in map(_map, rows)}


def _quantity_titles(rows: list[dict]) -> dict[str, str]:
    return {row["quantity"]: QUANTITY_TITLES.get(row["quantity"], row["quantity"]) for row in rows}


def _numbered(rows: list[dict]) -> str:
    """Which number of the axis is which quantity: Slicer's plots have no names on an axis."""
    terms = [f"{n} {title.lower()}" for n, title in enumerate(_quantity_titles(rows).values(), start=1)]
    return "\n".join(", ".join(terms[first : first + 3]) for first in range(0, len(terms), 3))


def _summary(rows: list[dict]) -> list[dict]:
    """The rows with the number of their quantity and, for a plot of several maps, a column of each map's own."""
    titles, names = _map_titles(rows), _quantity_titles(rows)
    numbers = {quantity: n for n, quantity in enumerate(names, start=1)}
    own = dict.fromkeys(titles.values()) if len(titles) > 1 else {}
    return [
        {NUMBER_COLUMN: numbers[row["quantity"]], "what": names[row["quantity"]]}
        | row
        | own
        | ({titles[_map(row)]: row["mean_partial"]} if own else {})
        for row in rows
    ]


def _profile(depths: list[dict]) -> tuple[list[dict], list[str]]:
    """A row per depth in the middle of a shell; and the columns of the maps, each with its low and high end."""
    shells = [row for row in depths if row["region"].startswith("shell") and row["concentration"] is not None]
    titles = _map_titles(shells)
    columns = [f"{title}{end}" for title in titles.values() for end in ("", " low", " high")]
    rows: dict[float, dict] = {}
    for row in shells:
        depth = (row["from_mm"] + row["to_mm"]) / 2
        own = rows.setdefault(depth, {X_COLUMN: depth} | dict.fromkeys(columns))
        for end, value in (("", "concentration"), (" low", "low"), (" high", "high")):
            own[titles[_map(row)] + end] = row[value]
    return [rows[depth] for depth in sorted(rows)], list(titles.values())


def _new(kind: str, name: str, facts: dict[str, object]):
    node = new_output(kind, name)
    write_facts(node, facts)
    return node


def _titles(chart, title: str, x: str, y: str) -> None:
    chart.SetTitle(title)
    chart.SetXAxisTitle(x)
    chart.SetYAxisTitle(y)


def _series(chart, table, name: str, x: str, y: str, color: int):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", name)
    node.SetAndObserveTableNodeID(table.GetID())
    node.SetXColumnName(x)
    node.SetYColumnName(y)
    node.SetColor(*SEGMENT_COLORS[color % len(SEGMENT_COLORS)])
    chart.AddAndObservePlotSeriesNodeID(node.GetID())
    return node


def _quantities(chart, table, rows: list[dict]) -> None:
    """One map as bars; of several, points of each map over the same numbers."""
    kind, titles = slicer.vtkMRMLPlotSeriesNode, _map_titles(rows).values()
    several = len(titles) > 1
    for n, title in enumerate(titles):
        node = _series(chart, table, f"{title}: mean partial correlation", NUMBER_COLUMN,
                       title if several else "mean_partial", n)  # fmt: skip
        node.SetPlotType(kind.PlotTypeScatter if several else kind.PlotTypeScatterBar)
        node.SetLabelColumnName("what")
        if several:
            node.SetLineStyle(kind.LineStyleNone)
            node.SetMarkerStyle(kind.MarkerStyleCircle)
    chart.SetLegendVisibility(several)
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(0.25, len(_quantity_titles(rows)) + 0.75)
    _whole_range(chart, "Y")


def _whole_range(chart, *axes: str) -> None:
    """All that a correlation can be, so that a weak one does not look strong."""
    for axis in axes:
        getattr(chart, f"Set{axis}AxisRangeAuto")(False)
        getattr(chart, f"Set{axis}AxisRange")(-1.0, 1.0)


def _lines(chart, table, maps: list[str]) -> None:
    kind = slicer.vtkMRMLPlotSeriesNode
    for n, title in enumerate(maps):
        for end in ("", " low", " high"):
            node = _series(chart, table, f"{title}{end}", X_COLUMN, f"{title}{end}", n)
            node.SetPlotType(kind.PlotTypeScatter)
            node.SetLineStyle(kind.LineStyleDash if end else kind.LineStyleSolid)
            node.SetMarkerStyle(kind.MarkerStyleNone if end else kind.MarkerStyleCircle)


def _points(chart, table) -> None:
    kind = slicer.vtkMRMLPlotSeriesNode
    node = _series(chart, table, "features", "spearman", "partial", 0)
    node.SetPlotType(kind.PlotTypeScatter)
    node.SetLineStyle(kind.LineStyleNone)
    node.SetMarkerStyle(kind.MarkerStyleCircle)
    node.SetLabelColumnName("feature")
    chart.SetLegendVisibility(False)
    _whole_range(chart, "X", "Y")
