"""Slice views: jump to a place, blend the heat map, its colors and legend, methods side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence

import slicer

from ...core.errors import OutputError
from ...core.task import BOTH
from ..writing.provenance import PREFIX
from .colors import HEAT, SIGNED, SPREAD, color_node
from .display import add_legend

OWN_VIEWS = "PulsarCAM"
"""So begin the names of the views of comparisons."""

COMPARE_LAYOUT = 41507
"""Number of the layout of the comparison; Slicer's own are below 1000."""

COMPARE_GROUP = 41507
"""View group of these views: what is done to one is done to all, and to no other view."""

FIELD_OF_A_LESION, SMALLEST_FIELD_MM = 4.0, 60.0
"""Of a view that was brought to a lesion: so many of its diameters, and not less than this, so that one sees where."""

MOST_IN_A_ROW = 4
"""Views of a comparison; more would be narrower than a lesion's surroundings."""

_VIEW = """<item><view class="vtkMRMLSliceNode" singletontag="{tag}">
<property name="orientation" action="default">{orientation}</property>
<property name="viewlabel" action="default">{label}</property>
<property name="viewcolor" action="default">#777777</property>
<property name="viewgroup" action="default">{group}</property>
</view></item>"""


def jump_to(ras: Sequence[float], *, new_views: bool = False) -> None:
    """Show a place in the middle of all slice views; the zoom stays.

    Args:
        ras: millimetres of the scene.
        new_views: whether the layout has just changed; its views fit themselves to the MRI as soon as the application
            comes to it, which would undo the jump, so it is let come to it first.
    """
    if new_views:
        slicer.app.processEvents()
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        node.JumpSliceByCentering(*ras)


def zoom_to(volume_cm3: float | None, *, come_closer: bool) -> None:
    """Let a lesion fill a part of all slice views: those that cannot hold it go back, those far away may come closer.

    Args:
        volume_cm3: of the lesion; None changes nothing.
        come_closer: whether views that show much more than the lesion's surroundings come closer.
    """
    if not volume_cm3:
        return
    diameter = 10 * (6 * volume_cm3 / math.pi) ** (1 / 3)
    wanted = max(SMALLEST_FIELD_MM, FIELD_OF_A_LESION * diameter)
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        x, y, depth = node.GetFieldOfView()
        field = min(x, y)
        if field > 0 and (field < diameter or (come_closer and field > wanted)):
            node.SetFieldOfView(x * wanted / field, y * wanted / field, depth)


def composites(foreground=None) -> list:
    """Slice composite nodes, all or those that show this volume in front."""
    found = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    return [c for c in found if foreground is None or c.GetForegroundVolumeID() == foreground.GetID()]


def show_over(volume_node, map_node, opacity: float, instead_of: Sequence = ()) -> None:
    """Lay a map over the MRI in all slice views but those of a comparison.

    Args:
        volume_node: the MRI.
        map_node: the map.
        opacity: 0..1.
        instead_of: only in views that show one of these in front; empty: in all.
    """
    others = {node.GetID() for node in instead_of if node is not None}
    for composite in composites():
        if (composite.GetLayoutName() or "").startswith(OWN_VIEWS):
            continue
        if others and composite.GetForegroundVolumeID() not in others:
            continue
        composite.SetBackgroundVolumeID(volume_node.GetID())
        composite.SetForegroundVolumeID(map_node.GetID())
        composite.SetForegroundOpacity(opacity)


def clear_fill(segmentation_node) -> None:
    """Draw segments as outlines in slice views, so that they do not hide what lies inside; a label map stays."""
    display = segmentation_node.GetDisplayNode()
    if display is not None and display.IsA("vtkMRMLSegmentationDisplayNode"):
        display.SetVisibility2DFill(False)
        display.SetVisibility2DOutline(True)


def set_opacity(nodes: Sequence, opacity: float) -> None:
    """Opacity 0..1 of these volumes wherever they are in front."""
    for node in nodes:
        for composite in composites(node) if node is not None else []:
            composite.SetForegroundOpacity(opacity)


def set_colors(map_node, choice: str, spread: bool = False) -> None:
    """Colors of a map.

    Args:
        map_node: a volume node that PulsarCAM made.
        choice: "auto", "Grey", or the name of one of :mod:`PulsarCAMLib.scene.showing.colors`.
        spread: whether it is a standard deviation.
    """
    display = map_node.GetDisplayNode() if map_node is not None else None
    if display is None:
        return
    if choice == "auto":
        is_signed = map_node.GetAttribute(f"{PREFIX}target") == BOTH and not spread
        choice = SIGNED if is_signed else SPREAD if spread else HEAT
    node_id = "vtkMRMLColorTableNodeGrey" if choice == "Grey" else color_node(choice).GetID()
    if display.GetColorNodeID() != node_id:
        display.SetAndObserveColorNodeID(node_id)


def set_legend(map_node, visible: bool, title: str) -> None:
    """Show or hide the color legend of a map."""
    if map_node is None or map_node.GetDisplayNode() is None:
        return
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(map_node)
    if legend is None and visible:
        legend = add_legend(map_node, title)
    if legend is not None:
        legend.SetTitleText(title)
        legend.SetVisibility(visible)


def current_layout() -> int | None:
    """Number of the layout of the views, None without a desktop."""
    manager = slicer.app.layoutManager()
    return None if manager is None else manager.layout


def set_layout(layout: int) -> None:
    """Change the layout of the views."""
    manager = slicer.app.layoutManager()
    if manager is not None:
        manager.setLayout(layout)


def compare(volume_node, map_nodes: Sequence, titles: Sequence[str], opacity: float) -> None:
    """Show maps side by side over the MRI in linked views of one orientation, in two rows where they are many.

    Raises:
        OutputError: there are no views (no main window).
    """
    tags = [f"{OWN_VIEWS}{n}" for n, _ in enumerate(map_nodes, start=1)]
    views = [linked_view(tag, n, COMPARE_GROUP) for n, tag in enumerate(tags, start=1)]
    first = len(views) if len(views) <= MOST_IN_A_ROW else (len(views) + 1) // 2
    rows = [
        f'<layout type="horizontal" split="true">{"".join(row)}</layout>'
        for row in (views[:first], views[first:])
        if row
    ]
    stacked = "".join(f"<item>{row}</item>" for row in rows)
    register_layout(
        COMPARE_LAYOUT, rows[0] if len(rows) == 1 else f'<layout type="vertical" split="true">{stacked}</layout>'
    )
    set_layout(COMPARE_LAYOUT)
    show_linked(tags, [volume_node] * len(tags), map_nodes, titles, opacity)


def linked_view(tag: str, label: str | int, group: int) -> str:
    """Description of one slice view of a comparison, in the orientation of the Red view, for a layout."""
    red = slicer.mrmlScene.GetSingletonNode("Red", "vtkMRMLSliceNode")
    orientation = red.GetOrientation() if red is not None else "Axial"
    if orientation not in ("Axial", "Sagittal", "Coronal"):
        orientation = "Axial"
    return _VIEW.format(tag=tag, orientation=orientation, label=label, group=group)


def register_layout(number: int, description: str) -> None:
    """Make a layout known, or change what it describes.

    Raises:
        OutputError: there are no views (no main window).
    """
    manager = slicer.app.layoutManager()
    if manager is None:
        raise OutputError("There are no slice views to compare in; start 3D Slicer with its main window.")
    layout_node = manager.layoutLogic().GetLayoutNode()
    if layout_node.IsLayoutDescription(number):
        layout_node.SetLayoutDescription(number, description)
    else:
        layout_node.AddLayoutDescription(number, description)


def show_linked(
    tags: Sequence[str], volume_nodes: Sequence, map_nodes: Sequence, titles: Sequence[str], opacity: float
) -> None:
    """Fill the linked views of the layout that is shown: each has its image behind and its map (or none) in front."""
    shown = {c.GetLayoutName(): c for c in composites()}
    for tag, volume_node, node, title in zip(tags, volume_nodes, map_nodes, titles, strict=False):
        composite = shown[tag]
        composite.SetLinkedControl(True)
        composite.SetBackgroundVolumeID(volume_node.GetID())
        composite.SetForegroundVolumeID(node.GetID() if node is not None else None)
        composite.SetForegroundOpacity(opacity)
        slicer.mrmlScene.GetSingletonNode(tag, "vtkMRMLSliceNode").SetLayoutLabel(title)
    for tag in tags:
        widget = slicer.app.layoutManager().sliceWidget(tag)
        if widget is not None:
            widget.fitSliceToBackground()
