"""The numbers of a comparison as the panel says them."""

from __future__ import annotations

import math

from slicer.i18n import tr as _

from ...core.pluralize import capital


def quantity_labels() -> dict[str, str]:
    """What the person reads."""
    return {
        "gradient_magnitude": _("Gradient magnitude"),
        "radial_gradient": _("Radial gradient"),
        "intensity": _("Intensity"),
        "local_entropy": _("Local entropy"),
        "border_distance": _("Distance to border"),
    }


def where_text(shells: list[dict], unit: str) -> str:
    """Core and margin of a unit (lesion, patient) in words."""
    found = {row["region"]: row for row in shells}
    margin = found.get("margin")
    if margin is None or not is_known(margin["activation_share"]):
        return _("The heat map is empty in this {unit}.").format(unit=unit) if margin is not None else ""
    text = _("The margin of {mm:g} mm has {share:.0f} % of the activation and {volume:.0f} % of the volume.")
    return text.format(mm=margin["to_mm"], share=100 * margin["activation_share"], volume=100 * margin["volume_share"])


def overlap_text(row: dict) -> str:
    """How much of the activated part lies in the high part of another map."""
    if not is_known(row["dice"]):
        return _("“{name}”: {why}.").format(name=row["other_map"], why=row["undefined"])
    text = _("Activated part and “{name}” above {above}: overlap (Dice) {dice}, by chance {chance}.")
    numbers = {name: number_text(row[key]) for name, key in (("dice", "dice"), ("chance", "dice_by_chance"))}
    return text.format(name=row["other_map"], above=row["above"], **numbers)


def resolution_text(rows: list[dict], unit: str) -> str:
    """How fine the heat map of a unit is."""
    if not rows:
        return ""
    text = _("The map has {cells} cells of {mm:.1f} mm in this {unit}; finer detail is interpolation.")
    return text.format(cells=rows[0]["cells"], mm=rows[0]["cell_mm"], unit=unit)


def is_known(value) -> bool:
    """Whether a table has a number there."""
    return isinstance(value, (int, float)) and math.isfinite(value)


def number_text(value) -> str:
    """Two digits, with a real minus sign."""
    return f"{value:.2f}".replace("-", "−") if is_known(value) else "–"


def p_text(row: dict) -> str:
    """The adjusted p-value of the partial correlation."""
    value = row["partial_p_adjusted"]
    return "–" if not is_known(value) else "<0.001" if value < 0.001 else f"{value:.3f}"


def details_text(row: dict) -> str:
    """Tool tip of a row."""
    lines = [capital(row["undefined"])] if row["undefined"] else []
    if is_known(row["effective_samples"]):
        text = _("{voxels} voxels, but only about {samples:.0f} independent places")
        lines.append(text.format(voxels=row["voxels"], samples=row["effective_samples"]))
    if is_known(row["spearman_even_map"]):
        lines.append(_("ρ of a map with one value everywhere: {rho}").format(rho=number_text(row["spearman_even_map"])))
    if is_known(row["dice"]):
        text = _("Overlap of the top {share:.0f} % of both: Dice {dice:.2f} (by chance {share:.0f} %)")
        lines.append(text.format(share=100 * row["dice_by_chance"], dice=row["dice"]))
    return "\n".join(lines)
