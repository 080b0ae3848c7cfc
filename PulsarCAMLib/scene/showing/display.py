"""How results look: a heat map that is clear where there is nothing, and outlines that do not hide it."""

from __future__ import annotations

import slicer

from .colors import HEAT, SIGNED, SPREAD, color_node

TEXT_SIZE = 14
"""Of the legend, in points, before it is drawn."""

LEGEND_SIZE = 0.08, 0.4
"""Width and height, shares of the view. Slicer makes the text as large as fits the width, title and numbers alike."""

LEGEND_VIEW = "Red"
"""The one view that shows the legend, in all of Slicer's usual layouts."""

CLEAR_SHARE = 0.02
"""Values below this share of the range are clear."""


def show_as_heat_map(node, shown: tuple[float, float], spread: bool = False) -> None:
    """Display for overlay: a fixed, known range; transparent at zero; a perceptually uniform color map.

    A display node that is there already keeps the user's choice of colors; range and threshold always follow the data.

    Args:
        node: a scalar volume node.
        shown: lowest and highest value of the range; a negative lowest value means a signed map.
        spread: whether it is a standard deviation (other colors, so that it is not taken for a heat map).
    """
    is_new = node.GetDisplayNode() is None
    if is_new:
        node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    modifying = display.StartModify()
    if is_new:
        name = SIGNED if shown[0] < 0 else SPREAD if spread else HEAT
        display.SetAndObserveColorNodeID(color_node(name).GetID())
        display.SetInterpolate(True)
    low, top = shown
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(low, top)
    display.SetAutoThreshold(False)
    display.SetThreshold(top * CLEAR_SHARE if low == 0 else low * 2, top * 2)
    display.SetApplyThreshold(low == 0)
    display.EndModify(modifying)


def show_as_outline(node) -> None:
    """Segmentation drawn as outline only; an existing display keeps the user's choice."""
    if node.GetDisplayNode() is not None:
        return
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetVisibility2DFill(False)
    display.SetVisibility2DOutline(True)


def overlay(volume_node, heat_map_node, opacity: float = 0.5) -> None:
    """Heat map over the MRI in all slice views: only when the user asked for it."""
    slicer.util.setSliceViewerLayers(background=volume_node, foreground=heat_map_node, foregroundOpacity=opacity)


def add_legend(heat_map_node, title: str):
    """Color legend of a heat map in one view, with as many decimals as its range needs; returns its display node."""
    legend = slicer.modules.colors.logic().AddDefaultColorLegendDisplayNode(heat_map_node)
    legend.SetTitleText(title)
    legend.SetLabelFormat("%.2g")
    legend.SetNumberOfLabels(3)
    legend.GetTitleTextProperty().SetFontSize(TEXT_SIZE)
    legend.GetLabelTextProperty().SetFontSize(TEXT_SIZE)
    legend.SetSize(*LEGEND_SIZE)
    first = slicer.mrmlScene.GetSingletonNode(LEGEND_VIEW, "vtkMRMLSliceNode")
    if first is not None:  # else it covers anatomy in every view
        legend.AddViewNodeID(first.GetID())
    return legend
