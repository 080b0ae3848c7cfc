"""The part of the report that sets the heat map beside what one sees in the MRI."""

from __future__ import annotations

from typing import Any

from ...agreement.map_comparison import MapComparison
from ...agreement.voxel_measures import QUANTITIES, QUANTITY_TITLES
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
        "heads": (capital(task.unit), *(QUANTITY_TITLES[name] for name in QUANTITIES), "In the margin", "Cells"),
        "rows": [_row([row for row in rows if row["lesion"] == name], margins[name]) for name in names],
        "png": png_bytes(draw_agreement(comparison, method, target, task)),
        "caption": f"Left: partial rank correlation of each {task.unit}. Right: concentration of the heat map by "
        "depth.",
        "words": _words(comparison, result),
    }


def _row(rows: list[dict], margin: dict) -> dict[str, Any]:
    by_name = {row["quantity"]: row for row in rows}
    known = margin["activation_share"] is not None
    return {
        "name": rows[0]["lesion"],
        "cells": [_cell(by_name[name]) for name in QUANTITIES],
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
        ("Margin", f"The outer {settings.margin_mm:g} mm of the {result.task.region}: its share of the map and of the "
         "volume."),
        ("Cells", "The map has one value in each; finer detail is interpolation."),
    ]  # fmt: skip
