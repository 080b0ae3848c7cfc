"""What a person sees of the panel and the views, for the scenarios."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import slicer


def tip_of(widget) -> str:
    """A tool tip as it reads: Slicer turns plain text into a paragraph."""
    return html.unescape(widget.toolTip.removeprefix("<p>").removesuffix("</p>"))


def assert_in_the_middle(prefix: str, place: Sequence[float]) -> None:
    """All views whose names begin so show this place (RAS) in their middle, after they have come to rest."""
    slicer.app.processEvents()
    views = [n for n in slicer.util.getNodesByClass("vtkMRMLSliceNode") if n.GetLayoutName().startswith(prefix)]
    assert views, prefix
    for view in views:
        middle = [view.GetSliceToRAS().GetElement(axis, 3) for axis in range(3)]
        assert np.allclose(middle, place, atol=0.01), (view.GetLayoutName(), middle, place)
