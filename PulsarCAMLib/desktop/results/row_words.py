"""What a row of the table of units tells in words, besides what stands in its cells."""

from __future__ import annotations

from slicer.i18n import tr as _

from ...systems.registry import systems

STABILITY = ("p_min", "p_max", "stability")


def not_ruled_out(row: dict) -> str:
    """Classes that cannot be ruled out; empty where the model offers no such answer."""
    if not row.get("classes_not_ruled_out"):
        return ""
    text = _("Not ruled out, with an error rate of {rate} of patients: {classes}")
    return text.format(rate=f"{row['error_rate']:.0%}", classes=row["classes_not_ruled_out"])


def stability(row: dict) -> str:
    """What a row tells of half a voxel; empty in tables of results without it."""
    if any(row.get(name) is None for name in STABILITY):
        return ""
    low, high, share = (row[name] for name in STABILITY)
    text = _(
        "{low:.2f} to {high:.2f} when contour, image or grid lie half a voxel otherwise; the class stays in {share}"
    )
    return text.format(low=low, high=high, share=f"{share:.0%}")


def left_out(row: dict) -> str:
    """What a row tells of the logit without parts of the input; empty in tables of results without it."""
    ways = {each.column: each.title for system in systems() for each in system.leave_outs}
    known = [(row[column], title) for column, title in ways.items() if row.get(column) is not None]
    if not known or row.get("logit") is None:
        return ""
    parts = ", ".join(_("{change:+.2f} with {what}").format(change=change, what=title) for change, title in known)
    return _("Logit {logit:.2f}: {parts}").format(logit=row["logit"], parts=parts)
