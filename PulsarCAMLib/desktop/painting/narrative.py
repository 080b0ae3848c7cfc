"""A dose painting as the panel says it."""

from __future__ import annotations

from slicer.i18n import tr as _

from ..compare.narrative import is_known


def headings() -> tuple[tuple[str, str], ...]:
    """Of the table, with their tool tips."""
    return (
        (_("Lesion"), ""),
        (_("Mean Gy"), _("Mean of the prescription in the lesion")),
        (_("Boost"), _("Volume of the boost, cm³: what gets the higher level, or at least halfway to it")),
        (
            _("Overlap"),
            _("How far the members of the ensemble paint the same places: mean Dice overlap of their boosts"),
        ),
        (_("Quality"), _("Of the planned dose: mean of |dose / prescription - 1|; 0: it is the prescription")),
    )


def cells_of(row: dict) -> tuple[str, ...]:
    """Texts of a row; a lesion that is not painted says so."""
    if not is_painted(row):
        return (row["lesion"], _("not painted"), "–", "–", "–")
    return (
        row["lesion"],
        _number(row["mean_gy"], 1),
        _number(row["boost_cm3"], 2),
        _number(row["overlap"], 2),
        _number(row.get("quality_factor"), 2),
    )


def details_text(row: dict) -> str:
    """Tool tip of a row: what the table has no room for."""
    if not is_painted(row):
        return _("“{lesion}” is not painted: {why}.").format(lesion=row["lesion"], why=row["why_not"])
    lines = [
        _("“{lesion}”: {low:.1f} to {high:.1f} Gy").format(
            lesion=row["lesion"], low=row["lowest_gy"], high=row["highest_gy"]
        ),
        _("Spread over the members: {mean:.2f} Gy on average, {most:.2f} Gy at most").format(
            mean=row["mean_spread_gy"], most=row["highest_spread_gy"]
        ),
    ]
    if row["why_not"]:
        lines.append(_("Painted in spite of this: {why}").format(why=row["why_not"]))
    if row.get("quality_undefined"):
        lines.append(_("Quality: {why}").format(why=row["quality_undefined"]))
    for name, value in row.items():
        if name.startswith("boost_to_") and is_known(value):
            organ = name.removeprefix("boost_to_").removesuffix("_mm")
            lines.append(_("Boost to {organ}: {mm:.1f} mm").format(organ=organ, mm=value))
    return "\n".join(lines)


def is_painted(row: dict) -> bool:
    """Whether a lesion has a prescription; tables keep it as a text or as a number."""
    return str(row["painted"]).lower() in ("true", "1", "1.0")


def _number(value, digits: int) -> str:
    return f"{value:.{digits}f}" if is_known(value) else "–"
