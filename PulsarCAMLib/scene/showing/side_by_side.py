"""MRI, heat map, gradient magnitude and radial gradient in linked slice views, above the plot of the shells."""

from __future__ import annotations

import slicer

from ..writing.map_comparison import ComparisonNodes
from .views import OWN_VIEWS, linked_view, register_layout, set_layout, show_linked

LAYOUT = 41508
"""Number of this layout, and of the group of its views: what is done to one is done to all, and to no other view."""

VIEWS = tuple(f"{OWN_VIEWS}Side{n}" for n in range(1, 5))
PLOT_VIEW = f"{OWN_VIEWS}Shells"
LABELS = ("MRI", "CAM", "Grad", "Radial")
"""On the bars of the slice views, which have little room; the corner of a view names the whole volume."""

_LAYOUT = """<layout type="vertical" split="true">
<item splitSize="740"><layout type="vertical" split="true">
<item><layout type="horizontal" split="true">{0}{1}</layout></item>
<item><layout type="horizontal" split="true">{2}{3}</layout></item>
</layout></item>
<item splitSize="260"><view class="vtkMRMLPlotViewNode" singletontag="{plot}">
<property name="viewlabel" action="default">P</property>
</view></item>
</layout>"""


def show_side_by_side(volume_node, heat_map_node, nodes: ComparisonNodes, opacity: float = 0.5) -> None:
    """Change to the views of the comparison.

    Args:
        volume_node: the MRI.
        heat_map_node: the heat map, or None.
        nodes: of :func:`PulsarCAMLib.scene.writing.map_comparison.write_comparison`.
        opacity: of the maps over the MRI, 0..1.

    Raises:
        OutputError: there are no views (no main window).
    """
    described = [linked_view(tag, n, LAYOUT) for n, tag in enumerate(VIEWS, start=1)]
    register_layout(LAYOUT, _LAYOUT.format(*described, plot=PLOT_VIEW))
    set_layout(LAYOUT)
    maps = (None, heat_map_node, nodes.gradient_magnitude, nodes.radial_gradient)
    show_linked(VIEWS, [volume_node] * len(VIEWS), maps, LABELS, opacity)
    plot = slicer.mrmlScene.GetSingletonNode(PLOT_VIEW, "vtkMRMLPlotViewNode")
    if plot is not None and nodes.profile_chart is not None:
        plot.SetPlotChartNodeID(nodes.profile_chart.GetID())
