"""The part of the report on the planned dose: does the region that does not respond get less of it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...core.display import DisplaySettings
from ...core.pluralize import capital
from ...core.task import PREDICTED
from ...dose.case import ACTIVATED, REST, WHOLE, CaseDose, sentence_of
from ...dose.histogram import share_text
from ...explanation.result import CaseResult
from .sections import class_text
from .templating import number

TITLES = {WHOLE: "whole", ACTIVATED: "activated part", REST: "rest of it"}


def values_of(found: CaseDose, result: CaseResult, method: str, target: str) -> dict[str, Any]:
    """Table, sentences, picture and words, for the report's template.

    Args:
        found: what the lesions get.
        result: of the case.
        method, target: of the map whose activated parts are told of.
    """
    classes = {unit.name: unit.predicted_class if target == PREDICTED else target for unit in result.units}

    def is_of(row: dict) -> bool:
        of_class = row["map_class"] in ("", classes[row["lesion"]])
        return row["map_method"] == method and not row["map_input"] and of_class

    own = [row for row in found.rows if row["region"] == WHOLE or is_of(row)]
    contrasts = [row for row in found.contrasts if is_of(row)]
    levels = [name for name in own[0] if name.startswith("v") and name.endswith("_percent") and name[1:2].isdigit()]
    prescribed = found.settings.prescription_gy
    return {
        "about": f"{result.method(method).title}, {class_text(result, method, target)}; doses in "
        f"{found.settings.words}.",
        "notes": list(found.notes),
        "answers": [sentence_of(row) for row in contrasts],
        "heads": (
            capital(result.task.unit), "Part", "Volume cm³", "Mean", "Min", "Max", "D98", "D50", "D2",
            *(f"V{name[1:].removesuffix('_percent')} %" for name in levels),
            *(["V prescribed %", "Conformity", "Gradient index"] if prescribed else []),
        ),
        "rows": [_row(row, levels, bool(prescribed)) for row in own],
        "png": _picture(found, DisplaySettings(method, target)) if found.curves else None,
        "caption": "Cumulative dose-volume curves of each lesion, its activated part and the rest of it.",
        "words": _words(found),
    }  # fmt: skip


def _row(row: dict, levels: list[str], prescribed: bool) -> dict[str, Any]:
    said = ("mean_gy", "min_gy", "max_gy", "d98_gy", "d50_gy", "d2_gy")
    more = ("conformity_paddick", "gradient_index")
    cells = [_told(row[name]) for name in said] + [_told(row[name], share_text) for name in levels]
    if prescribed:
        cells += [_told(row["v_prescription_percent"], share_text), *(_told(row[name]) for name in more)]
    return {
        "name": row["lesion"],
        "part": TITLES[row["region"]],
        "volume": row["volume_cm3"],
        "undefined": row["undefined"] if row["mean_gy"] is None else "",
        "span": len(cells),
        "cells": cells,
    }


def _told(value: float | None, as_text: Callable[[float], str] = lambda value: number(value, 2)) -> str:
    return "–" if value is None else as_text(value)


def _picture(found: CaseDose, shown: DisplaySettings) -> bytes:
    from ..pictures.dose import draw_dose

    return draw_dose(found, shown).png()


def _words(found: CaseDose) -> list[tuple[str, str]]:
    words = [
        ("Interval", "Of the difference of the mean doses, 95 %: with an effective number of independent places, since "
         "neighbouring voxels say the same (Dutilleul 1993), and never more than the map's cells. It says what goes "
         "together in this lesion, not why."),
        ("At equal depth", "Dose falls towards the border of every lesion, and maps often lie there or away from it. "
         "This is the same difference after depth under the surface and its square were taken out of both."),
        ("D98, V12", "The dose that 98 % of the volume gets at least; the share of the volume that gets at least 12 "
         "Gy. From sorted samples finer than voxels."),
        ("Too small", f"Nothing is said of a part smaller than {found.settings.least_voxels:g} voxels of the dose."),
    ]  # fmt: skip
    if found.settings.prescription_gy:
        words.append(
            ("Conformity, gradient index", "Paddick's: how well the prescribed isodose fits the lesion (1: wholly), "
             "and how many times larger the isodose of half the prescribed dose is.")
        )  # fmt: skip
    return words
