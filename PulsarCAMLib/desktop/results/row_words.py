"""What a row of the table of units tells in words, besides what stands in its cells."""

from __future__ import annotations

from slicer.i18n import tr as _

from ...core.pluralize import capital
from ...core.task import Task
from ...explanation.plain import UNCERTAIN
from ...systems.registry import systems
from .unit_columns import answer_of

STABILITY = ("p_min", "p_max", "stability")


def answer_words(row: dict, task: Task | None) -> str:
    """What is to be expected, as in "Will probably not shrink" or "Uncertain".

    Args:
        row: of the table of units.
        task: of the model; None where it is not installed any more: then the name of the class.
    """
    answer = answer_of(row)
    if answer == UNCERTAIN:
        return _("Uncertain")
    return task.of(answer).expected if task is not None and answer in task.names else capital(answer)


def not_ruled_out(row: dict, name: str) -> str:
    """Classes that cannot be ruled out for the unit of that name; empty where the model offers no such answer."""
    if not row.get("classes_not_ruled_out"):
        return ""
    text = _("{name}, with errors for at most {rate} of patients: {classes}")
    return text.format(name=name, rate=f"{100 * row['error_rate']:.3g}%", classes=row["classes_not_ruled_out"])


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
