"""The part of the report that sets the heat map beside what one sees in the MRI."""

from __future__ import annotations

from typing import Any

from ...agreement.map_comparison import MapComparison
from ...core.pluralize import capital
from ...explanation.result import CaseResult
from .templating import number

LEVEL = 0.05


def values_of(comparison: MapComparison, result: CaseResult, method: str, target: str) -> dict[str, Any] | None:
    """Table, picture and words, for the report's template; None where this map was not compared."""
    rows = comparison.rows_of(comparison.agreement, method, target)
    if not rows:
        return None
    from ..pictures.agreement import draw_agreement
    from ..pictures.inspection import png_bytes

    margins = {
        row["lesion"]: row for row in comparison.rows_of(comparison.shells, method, target) if row["region"] == "margin"
    }
    names = list(dict.fromkeys(row["lesion"] for row in rows))
    found, task = result.method(method), result.task
    return {
        "about": f"{found.title}, {f'{task.every_class}, by sign' if found.signed else f'class {target}'}. Partial "
        f"rank correlation inside the {task.region}, with its adjusted p-value; below it the plain one.",
        "heads": (capital(task.unit), *map(comparison.title_of, comparison.quantities), "In the margin", "Cells"),
        "rows": [
            _row([row for row in rows if row["lesion"] == name], margins[name], comparison.quantities) for name in names
        ],
        "overlaps": _overlaps(comparison, method, target, task),
        "png": png_bytes(draw_agreement(comparison, method, target, task)),
        "caption": f"Left: partial rank correlation of each {task.unit}. Right: concentration of the heat map by "
        "depth.",
        "words": _words(comparison, result),
    }


def _overlaps(comparison: MapComparison, method: str, target: str, task) -> dict[str, Any] | None:
    """The table of overlaps with other maps; None where there is none."""
    rows = comparison.rows_of(comparison.overlaps, method, target)
    if not rows:
        return None
    heads = (
        capital(task.unit),
        "Map",
        "Part of it",
        "Overlap (Dice)",
        "By chance",
        "Of the activated part",
        "Of the rest",
    )
    return {"heads": heads, "rows": [_overlap(row) for row in rows]}


def _overlap(row: dict) -> list[str]:
    first = [row["lesion"], row["other_map"], f"above {row['above']}"]
    if row["undefined"]:
        return [*first, row["undefined"], "", "", ""]
    shares = ["–" if row[name] is None else f"{row[name]:.0%}" for name in ("share_of_activated", "share_of_rest")]
    return [*first, number(row["dice"]), number(row["dice_by_chance"]), *shares]


def _row(rows: list[dict], margin: dict, quantities: tuple[str, ...]) -> dict[str, Any]:
    by_name = {row["quantity"]: row for row in rows}
    known = margin["activation_share"] is not None
    return {
        "name": rows[0]["lesion"],
        "cells": [_cell(by_name[name]) for name in quantities],
        "margin": {
            "undefined": None if known else margin["undefined"],
            "activation": margin["activation_share"],
            "volume": margin["volume_share"],
        },
        "map_cells": rows[0]["cells"],
        "cell_mm": rows[0]["cell_mm"],
    }


def _cell(row: dict) -> dict[str, Any]:
    p = row["partial_p_adjusted"]
    return {
        "undefined": row["undefined"] if row["spearman"] is None else None,
        "partial": "–" if row["partial"] is None else number(row["partial"]),
        "strong": p is not None and p < LEVEL,
        "p": "no p" if p is None else "p < 0.001" if p < 0.001 else f"p {p:.3f}",
        "plain": row["spearman"],
    }


def _words(comparison: MapComparison, result: CaseResult) -> list[tuple[str, str]]:
    settings, image = comparison.settings, result.system.image_inputs[0].title
    return [
        (
            "Partial correlation",
            "Spearman's, after taking out what a map with the same value in every cell would show: interpolation "
            "alone lets any map of this resolution fall towards the border. The plain one still has that in it.",
        ),
        (
            "p-value",
            "Neighbouring voxels say the same, so an effective number of independent places is used (Clifford, "
            "Richardson and Hémon 1989; Dutilleul 1993), never more than the map's cells; adjusted for all rows of "
            "the comparison (Benjamini and Hochberg). It says that two patterns go together, not why.",
        ),
        ("Gradients", f"Of the {image} after a Gaussian of {settings.sigma_mm:g} mm. Radial: 1 where the intensity "
         "falls straight outwards, −1 where it rises."),
        *(
            [("Other maps", f"Given by name ({', '.join(comparison.others)}) and brought linearly to the MRI's voxels. "
              "Overlap: of the activated part with the part of the map above its threshold; by chance: expected where "
              "one of the two is placed blindly.")]
            if comparison.others
            else []
        ),
        ("Margin", f"The outer {settings.margin_mm:g} mm of the {result.task.region}: its share of the map and of the "
         "volume."),
        ("Cells", "The map has one value in each; finer detail is interpolation."),
    ]  # fmt: skip
