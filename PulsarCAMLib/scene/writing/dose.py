"""From dose statements to MRML nodes: tables, and the cumulative curves as a plot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import slicer

from ...dose.case import CaseDose
from .hierarchy import place_beside
from .map_comparison import fill_table, plot_columns, series_of
from .node_set import NodeSet, check_given
from .outputs import made_name
from .provenance import new_output, write_provenance
from .transaction import SceneTransaction

CLASSES = {
    "dose_table": "vtkMRMLTableNode",
    "contrast_table": "vtkMRMLTableNode",
    "curve_table": "vtkMRMLTableNode",
    "curve_chart": "vtkMRMLPlotChartNode",
}
WORDS = {
    "dose_table": "dose table",
    "contrast_table": "dose contrast table",
    "curve_table": "dose curves table",
    "curve_chart": "dose-volume curves",
}
"""Of the nodes' names, behind that of the MRI."""

X_COLUMN = "dose_gy"

NOTES = "doseNotes"
"""Fact of the nodes: what the person should know of the doses, one sentence a line."""


@dataclass
class DoseNodes(NodeSet):
    """The nodes of dose statements; as an argument, existing nodes to write into (None: make a new one).

    Attributes:
        dose_table: ``vtkMRMLTableNode``, one row per lesion and part.
        contrast_table: ``vtkMRMLTableNode``, one row per lesion and map: does the activated part get less.
        curve_table: ``vtkMRMLTableNode``, per cent of the volume by dose, a column for each lesion and part.
        curve_chart: ``vtkMRMLPlotChartNode`` of these.
    """

    dose_table: Any = None
    contrast_table: Any = None
    curve_table: Any = None
    curve_chart: Any = None


def write_dose(
    found: CaseDose,
    volume_node,
    mask_node,
    facts: dict[str, object],
    nodes: DoseNodes | None = None,
    inputs: Sequence[Any] = (),
    checkpoint: Callable[[], None] = lambda: None,
) -> DoseNodes:
    """Put dose statements into the scene, beside the MRI: all of it, or nothing.

    Args:
        found: what the lesions get; the curves of its first map are plotted.
        volume_node: the MRI.
        mask_node: segmentation or label map.
        facts: where the heat maps came from: ``ModelCard.facts()``.
        nodes: existing nodes to write into.
        inputs: nodes that must not be written into.
        checkpoint: called between the steps; an exception from it undoes everything.

    Raises:
        InputError: an output is an input.
        OutputError: an output node is of the wrong kind or not in the scene.
    """
    nodes = nodes or DoseNodes()
    check_given(nodes, CLASSES, WORDS, (volume_node, mask_node, *inputs))
    curves = curve_rows(found)
    contents = {"dose_table": found.rows, "contrast_table": found.contrasts, "curve_table": curves, "curve_chart": None}
    written, given = DoseNodes(), list(nodes)
    series = series_of(nodes.curve_chart) if nodes.curve_chart else []
    facts = facts | {"quantity": found.settings.words, "lesions": len({row["lesion"] for row in found.rows})}
    facts |= {NOTES: "\n".join(found.notes) or None}
    with SceneTransaction([*given, *series]):
        for role, rows in contents.items():
            checkpoint()
            title = f"{volume_node.GetName()} {WORDS[role]}"
            node = getattr(nodes, role) or new_output(CLASSES[role], title)
            setattr(written, role, node)
            if rows is None:
                _title(node, found)
            else:
                fill_table(node, rows)
            made = made_name(node, title, is_new=getattr(nodes, role) is None)
            write_provenance(node, volume_node, mask_node, facts | {"measure": WORDS[role], "madeName": made})
        columns = list(curves[0])[1:]
        left = plot_columns(written.curve_chart, written.curve_table, series, columns, X_COLUMN, markers=False)
        place_beside(volume_node, [node for node in written if node not in given])
        checkpoint()
    for node in left:  # last: what is removed does not come back
        slicer.mrmlScene.RemoveNode(node)
    return written


def curve_rows(found: CaseDose) -> list[dict]:
    """One row per dose, one column for each lesion and part of the first map; names that are there twice are numbered.

    Where nothing is said of any lesion, one row of zero dose.
    """
    columns: dict[str, list[float]] = {}
    levels: list[float] = []
    first = next((row["map_method"], row["map_class"], row["map_input"]) for row in [*found.contrasts, _NONE])
    last: tuple = ()
    name = ""
    for row in found.curves:
        own = (row["map_method"], row["map_class"], row["map_input"])
        if row["region"] != "lesion" and own[::2] != first[::2]:
            continue
        if (row["lesion"], row["region"], own) != last or row["dose_gy"] == 0:
            last = (row["lesion"], row["region"], own)
            plain = row["lesion"] if row["region"] == "lesion" else f"{row['lesion']}, {row['region']}"
            name = plain
            while name in columns:
                name = f"{plain} ({sum(each.startswith(plain) for each in columns) + 1})"
            columns[name] = []
        columns[name].append(row["volume_percent"])
        if len(columns) == 1:
            levels.append(row["dose_gy"])
    return [{X_COLUMN: gy} | {each: values[n] for each, values in columns.items()} for n, gy in enumerate(levels)] or [
        {X_COLUMN: 0.0}
    ]


_NONE = {"map_method": "", "map_class": "", "map_input": ""}


def _title(chart, found: CaseDose) -> None:
    chart.SetTitle("What lesions and their parts get")
    chart.SetXAxisTitle(f"Dose ({found.settings.words})")
    chart.SetYAxisTitle("Volume that gets at least this (%)")
