"""The part of the report that shows all images of a unit side by side, and says how much each matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...core.case import Image
from ...core.errors import Cancelled
from ...core.pluralize import capital
from ...core.progress import IsCancelled
from ...core.task import BOTH, PREDICTED
from ...explanation.inputs import input_table
from ...explanation.result import CaseResult, UnitResult
from ...explanation.tables import cells_text
from .templating import number


def every_input(
    result: CaseResult,
    units: Sequence[UnitResult],
    images: Mapping[str, Image],
    method: str,
    target: str,
    cancelled: IsCancelled | None = None,
) -> dict[str, Any] | None:
    """Pictures, table and words, for the report's template; None where the case has one image only.

    Args:
        result: of the case.
        units: in the order of the report.
        images: of the case, by role.
        method, target: of the map that is shown.
        cancelled: is asked before each picture.
    """
    from ..pictures.inputs import draw_inputs
    from ..pictures.inputs_content import inputs_of, inputs_picture_of, shared_notes

    roles = {role.name: role.title for role in inputs_of(result, images)}
    if not roles:
        return None
    pictures = []
    for unit in units:
        if cancelled and cancelled():
            raise Cancelled("Stopped; no report was written.")
        png = draw_inputs(inputs_picture_of(result, unit, images, method, target), 100).png()
        pictures.append({"name": unit.name, "caption": _caption(result, unit, method), "png": png})
    shares = _rows(result, units, target, roles)
    words = _words(result, shared_notes(result, inputs_of(result, images))) if shares else []
    return {"pictures": pictures, "heads": _heads(result), "rows": shares, "words": words}


def _caption(result: CaseResult, unit: UnitResult, method: str) -> str:
    alone = "that image alone" if unit.inputs_of(method) else "all images together"
    return (
        f"the slice in which the map is strongest, of every image; below it the map of {alone} "
        f"({result.method(method).title}; {cells_text(unit, method) or 'interpolated between its cells'})."
    )


def _heads(result: CaseResult) -> tuple[str, ...]:
    unit = result.task.unit
    several = [capital(unit)] if len(result.units) > 1 else []
    return (*several, "Method", "Class", "Image", "Share of the map", "Networks that have learnt nothing")


def _rows(
    result: CaseResult, units: Sequence[UnitResult], target: str, titles: Mapping[str, str]
) -> list[tuple[str, ...]]:
    """Of the class that is shown, and of maps of both classes."""
    own = {unit.name: unit.predicted_class if target == PREDICTED else target for unit in units}
    found = []
    for row in input_table(result):
        name = row[result.task.unit]
        if row["map_class"] not in (own.get(name), BOTH):
            continue
        cells = (
            result.method(row["map_method"]).title,
            row["map_class"],
            titles.get(row["input"], row["input"]),
            _share(row["share"], row["share_spread"], result.card.members),
            _share(row["control_share"], row["control_spread"], result.card.members),
        )
        found.append((name, *cells) if len(result.units) > 1 else cells)
    return found


def _share(share: float | None, spread: float | None, members: int) -> str:
    if share is None:
        return "–"
    return f"{100 * share:.0f} %" + (f" ± {number(100 * (spread or 0), 0)}" if members > 1 else "")


def _words(result: CaseResult, shared: Sequence[str]) -> list[tuple[str, str]]:
    unit, several = result.task.unit, result.card.members > 1
    spread = " Mean over the ensemble, ± its standard deviation." if several else ""
    return [
        (
            "Share of the map",
            f"Sum of the image's own map over the {unit}, divided by that of all images: shares add up to 100 %."
            f"{spread} It says how much of the map lies on an image, not how well the model would answer without it.",
        ),
        *(("Equal shares", sentence) for sentence in shared),
        (
            "Networks that have learnt nothing",
            "The same of networks whose weights have changed places at random within every layer. A share that they "
            "have, too, comes from the images, not from what was learnt.",
        ),
    ]
