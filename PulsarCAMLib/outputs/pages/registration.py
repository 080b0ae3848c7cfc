"""The part of the report that says and shows how well the images of a case lie on each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.case import Image
from ...core.errors import Cancelled
from ...core.progress import IsCancelled
from ...explanation.result import CaseResult
from ...systems.volumes.quality import OTHER_LIMIT, SAME_LIMIT
from ..registration import drawn, space_of
from .templating import number


def registration(
    result: CaseResult, images: Mapping[str, Image], cancelled: IsCancelled | None = None
) -> dict[str, Any] | None:
    """Table, pictures and words for the report's template; None where nothing was registered.

    Args:
        result: of the case.
        images: of the case, by role; without them there are no pictures.
        cancelled: is asked before each picture.
    """
    space = space_of(result)
    if space is None:
        return None
    titles = {role.name: role.title for role in result.system.inputs}
    rows = []
    for each in space.quality:
        apart = "–" if each.apart_mm is None else f"{number(each.apart_mm, 1)} mm"
        rows.append(
            (
                titles.get(each.moving, each.moving),
                titles.get(each.fixed, each.fixed),
                f"{number(each.moved_mm, 1)} mm, {number(each.turned_degrees, 1)}°",
                f"{number(each.before.correlation)} → {number(each.after.correlation)}",
                f"{number(each.before.information, 3)} → {number(each.after.information, 3)}",
                f"{100 * each.after.overlap:.0f} %",
                apart,
            )
        )
    heads = ("Image", "To", "Moved, turned", "Correlation", "Mutual information", "Head in both", "Directions apart")
    return {"heads": heads, "rows": rows, "pictures": _pictures(result, images, titles, cancelled), "words": _WORDS}


def _pictures(
    result: CaseResult, images: Mapping[str, Image], titles: Mapping[str, str], cancelled: IsCancelled | None
) -> list[dict[str, Any]]:
    from ..pictures.inspection import png_bytes
    from ..pictures.registration import FIELD_MM, draw_registration

    space, found = space_of(result), []
    assert space is not None
    for each in drawn(space, images):
        if cancelled and cancelled():
            raise Cancelled("Stopped; no report was written.")
        name = f"{titles.get(each.moving, each.moving)} on {titles.get(each.fixed, each.fixed)}"
        caption = (
            f"fields of {FIELD_MM:g} mm in turns from both, above as their headers place them, below as they are used."
        )
        png = png_bytes(draw_registration(images, space, each, titles), 100)
        found.append({"name": name, "caption": caption, "png": png})
    return found


_WORDS = [
    (
        "Correlation, mutual information",
        "Of the grey values of both images in the head, before and after. Mutual information is normalised: 1 is "
        f"nothing in common, 2 all. Below {SAME_LIMIT:g} (correlation, one modality) or {OTHER_LIMIT:g} (mutual "
        "information, two modalities) the page warns.",
    ),
    (
        "Directions apart",
        "Each time point was registered to the other; the largest distance in the head between the two answers. Small "
        "does not mean right, large means wrong.",
    ),
]
