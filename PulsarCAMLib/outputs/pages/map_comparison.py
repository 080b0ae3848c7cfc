"""The part of the report that sets the heat map beside what one sees in the MRI."""

from __future__ import annotations

from ...agreement.map_comparison import MapComparison
from ...agreement.voxel_measures import QUANTITIES, QUANTITY_TITLES
from ...core.map_methods import SIGNED, TITLES
from . import markup
from .markup import number, text

HEADS = ("Lesion", *(QUANTITY_TITLES[name] for name in QUANTITIES), "In the margin", "Cells")
LEVEL = 0.05


def section(comparison: MapComparison, method: str, target: str) -> str:
    """Table, picture and words; nothing where this map was not compared."""
    rows = comparison.rows_of(comparison.agreement, method, target)
    if not rows:
        return ""
    margins = {
        row["lesion"]: row for row in comparison.rows_of(comparison.shells, method, target) if row["region"] == "margin"
    }
    names = list(dict.fromkeys(row["lesion"] for row in rows))
    cells = [_cells([row for row in rows if row["lesion"] == name], margins[name]) for name in names]
    about = (
        f"{TITLES[method]}, {'both classes, by sign' if method == SIGNED else f'class {target}'}. Partial rank "
        "correlation inside the lesion, with its adjusted p-value; below it the plain one."
    )
    return markup.section(
        "What the heat map agrees with",
        f'<p class="sub">{text(about)}</p>',
        f'<div class="scroll">{markup.table(HEADS, cells)}</div>',
        _picture(comparison, method, target),
        markup.definitions(_words(comparison)),
    )


def _cells(rows: list[dict], margin: dict) -> list[str]:
    by_name = {row["quantity"]: row for row in rows}
    return [
        text(rows[0]["lesion"]),
        *(_cell(by_name[name]) for name in QUANTITIES),
        _margin(margin),
        f"{rows[0]['cells']}<small>of {rows[0]['cell_mm']:.1f} mm</small>",
    ]


def _cell(row: dict) -> str:
    if row["spearman"] is None:
        return f"<small>{text(row['undefined'])}</small>"
    p = row["partial_p_adjusted"]
    partial = "–" if row["partial"] is None else number(row["partial"])
    strong = f"<strong>{partial}</strong>" if p is not None and p < LEVEL else partial
    said = "no p" if p is None else "p &lt; 0.001" if p < 0.001 else f"p {p:.3f}"
    return f"{strong} <small>{said}</small><small>plain {number(row['spearman'])}</small>"


def _margin(row: dict) -> str:
    if row["activation_share"] is None:
        return f"<small>{text(row['undefined'])}</small>"
    return f"{100 * row['activation_share']:.0f} %<small>of {100 * row['volume_share']:.0f} % of the volume</small>"


def _picture(comparison: MapComparison, method: str, target: str) -> str:
    from ..pictures.agreement import draw_agreement
    from ..pictures.inspection import png_bytes

    about = "Left: partial rank correlation of each lesion. Right: concentration of the heat map by depth."
    png = png_bytes(draw_agreement(comparison, method, target))
    return f"<figure>{markup.image(png, about)}<figcaption>{text(about)}</figcaption></figure>"


def _words(comparison: MapComparison) -> list[tuple[str, str]]:
    settings = comparison.settings
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
        ("Gradients", f"Of the MRI after a Gaussian of {settings.sigma_mm:g} mm. Radial: 1 where the intensity falls "
         "straight outwards, −1 where it rises."),
        ("Margin", f"The outer {settings.margin_mm:g} mm of the lesion: its share of the map and of the volume."),
        ("Cells", "The map has one value in each; finer detail is interpolation."),
    ]  # fmt: skip
