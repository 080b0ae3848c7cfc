"""The part of the report that shows a dose painting, which is research and no plan."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...painting.doubts import why_no_spread
from ...painting.paint import Painting
from ...painting.settings import LABEL
from .templating import number


def values_of(painting: Painting, volume: np.ndarray) -> dict[str, Any]:
    """Words, table and picture for the report's template."""
    from ..pictures.inspection import png_bytes
    from ..pictures.painting import draw_painting

    asked = any("quality_factor" in row for row in painting.table)
    heads = ["Lesion", "Answer", "Boost (cm³)", "Gy (mean, lowest to highest)", "Spread (Gy, mean, highest)"]
    heads += ["Members' overlap", "Stable", *(["Quality factor"] if asked else [])]
    organs = [name for name in painting.table[0] if name.startswith("boost_to_")]
    heads += [f"To {name.removeprefix('boost_to_').removesuffix('_mm')} (mm)" for name in organs]
    return {
        "label": f"{LABEL[:1].upper()}{LABEL[1:]}.",
        "about": f"{painting.settings.in_words[:1].upper()}{painting.settings.in_words[1:]}. From the map "
        f"{painting.method}, class {painting.target}.",
        "warnings": list(painting.warnings),
        "heads": heads,
        "rows": [_row(row, asked, organs) for row in painting.table],
        "png": png_bytes(draw_painting(painting, volume)),
        "caption": "Prescribed dose and its spread over the members of the ensemble; white: the boost"
        + (". Right: share of the volume whose dose is at least so much of the prescription." if asked else "."),
        "words": WORDS if asked else WORDS[:-1],
    }


WORDS = (
    ("Spread", "What each member of the ensemble, painted by the same rule over the same range, would prescribe: "
     "standard deviation in every voxel."),
    ("Members' overlap", "Mean Dice overlap of the members' boosts with that of their mean; below 0.5 a lesion is not "
     "painted unless it is asked for in spite of that."),
    ("Stable", "Whether the answer stays when contour and grid lie half a voxel otherwise; likewise."),
    ("Quality factor", "Mean of |Q - 1| with Q = dose received / dose prescribed; 0 where the dose is the "
     "prescription (Vanderstraeten et al. 2006)."),
)  # fmt: skip


def _row(row: dict, asked: bool, organs: list[str]) -> list[str]:
    if not row["painted"]:
        rest = len(organs) + 5 + asked
        return [row["lesion"], row["answer"], f"not painted: {row['why_not']}", *[""] * rest]
    overlap, unknown = "–" if row["overlap"] is None else number(row["overlap"]), why_no_spread(row)
    stable = {None: "not asked", True: "yes", False: "NO"}[row["stable"]]
    cells = [
        row["lesion"],
        row["answer"],
        number(row["boost_cm3"]),
        f"{row['mean_gy']:.1f} ({row['lowest_gy']:.1f} to {row['highest_gy']:.1f})",
        f"–: {unknown}" if unknown else f"{row['mean_spread_gy']:.2f}, {row['highest_spread_gy']:.2f}",
        overlap,
        stable,
    ]
    if asked:
        cells.append(row["quality_undefined"] or f"{row['quality_factor']:.3f}")
    return cells + ["–" if row[name] is None else number(row[name], 1) for name in organs]
