"""The dose-volume curves of all lesions in a plot view below the slice views."""

from __future__ import annotations

import slicer

from .views import OWN_VIEWS, register_layout, set_layout

LAYOUT = 41510
"""Number of this layout; Slicer's own are below 1000."""

PLOT_VIEW = f"{OWN_VIEWS}Dose"

_SLICE = """<item><view class="vtkMRMLSliceNode" singletontag="{0}">
<property name="orientation" action="default">{1}</property>
<property name="viewlabel" action="default">{2}</property>
<property name="viewcolor" action="default">{3}</property>
</view></item>"""

_SLICES = (
    ("Red", "Axial", "R", "#F34A33"),
    ("Green", "Coronal", "G", "#6EB04B"),
    ("Yellow", "Sagittal", "Y", "#EDD54C"),
)

_LAYOUT = """<layout type="vertical" split="true">
<item splitSize="550"><layout type="horizontal" split="true">{slices}</layout></item>
<item splitSize="450"><view class="vtkMRMLPlotViewNode" singletontag="{plot}">
<property name="viewlabel" action="default">P</property>
</view></item>
</layout>"""


def show_curves(chart_node) -> None:
    """Change to this layout, with a chart in its plot view.

    Raises:
        OutputError: there are no views (no main window).
    """
    slices = "".join(_SLICE.format(*each) for each in _SLICES)
    register_layout(LAYOUT, _LAYOUT.format(slices=slices, plot=PLOT_VIEW))
    set_layout(LAYOUT)
    plot = slicer.mrmlScene.GetSingletonNode(PLOT_VIEW, "vtkMRMLPlotViewNode")
    if plot is not None:
        plot.SetPlotChartNodeID(chart_node.GetID())
