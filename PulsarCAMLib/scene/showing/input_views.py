"""All images that a model took, side by side in linked slice views, the heat map over each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...core.inputs import InputRole
from .views import OWN_VIEWS, composites, linked_view, register_layout, set_layout, show_linked

LAYOUT = 41509
"""Number of this layout, and of the group of its views: what is done to one is done to all, and to no other view."""


@dataclass(frozen=True)
class InputView:
    """One view.

    Attributes:
        role: of the image.
        volume: node of the image.
        map: node that lies over it, or None.
    """

    role: InputRole
    volume: Any
    map: Any = None


def rows_of_views(views: Sequence[InputView]) -> list[list[InputView]]:
    """Views as they are laid out: a row for each time point where there are several; else about as wide as high."""
    times = list(dict.fromkeys(view.role.time_point for view in views))
    if len(times) > 1:
        return [[view for view in views if view.role.time_point == time] for time in times]
    width = math.ceil(math.sqrt(len(views))) if len(views) > 3 else max(1, len(views))
    return [list(views[at : at + width]) for at in range(0, len(views), width)]


def tag_of(role: InputRole) -> str:
    """Name of the view of an image."""
    return f"{OWN_VIEWS}Input-{role.name}"


def layout_of(rows: Sequence[Sequence[InputView]]) -> str:
    """Description of the layout, as Slicer's layout manager reads it."""
    described = []
    for row in rows:
        views = "".join(linked_view(tag_of(view.role), escaped(view.role.title), LAYOUT) for view in row)
        described.append(f'<item><layout type="horizontal" split="true">{views}</layout></item>')
    return f'<layout type="vertical" split="true">{"".join(described)}</layout>'


def show_inputs(views: Sequence[InputView], opacity: float) -> None:
    """Change to one slice view for each image.

    Args:
        views: images in the order of their roles; at least one.
        opacity: of the maps, 0..1.

    Raises:
        OutputError: there are no views (no main window).
    """
    register_layout(LAYOUT, layout_of(rows_of_views(views)))
    set_layout(LAYOUT)
    tags, titles = [tag_of(view.role) for view in views], [view.role.title for view in views]
    show_linked(tags, [view.volume for view in views], [view.map for view in views], titles, opacity)


def exchange_maps(views: Sequence[InputView], opacity: float) -> None:
    """Lay other maps over the images that are shown; place and zoom stay."""
    shown = {composite.GetLayoutName(): composite for composite in composites()}
    for view in views:
        composite = shown.get(tag_of(view.role))
        if composite is not None:
            composite.SetForegroundVolumeID(view.map.GetID() if view.map is not None else None)
            composite.SetForegroundOpacity(opacity)


def escaped(text: str) -> str:
    """Text as it may stand in the description of a layout."""
    from xml.sax.saxutils import escape

    return escape(text, {'"': "&quot;"})
