"""What the figures on shortcuts say, in sentences for whoever must decide whether to believe a network."""

from __future__ import annotations

from typing import Any

from ...core.pluralize import capital, pluralize
from ...core.task import Task
from ..figures.entries import task_of
from .tested import CLASS, INPUTS, NETWORK

FEW_PATIENTS = 30
"""Up to so many patients only strong traces can show."""

TRACE, NO_TRACE, UNKNOWN = "told", "not told", "not known"


def told(entry: dict[str, Any] | None) -> str:
    """Whether something can be told: better than chance, interval and all, and better than with values dealt out."""
    if entry is None or entry["balanced_accuracy"]["low"] is None:
        return UNKNOWN
    found, control = entry["balanced_accuracy"], entry["control"]
    beaten = control is None or found["low"] > control["balanced_accuracy"]
    return TRACE if found["low"] > entry["chance"] and beaten else NO_TRACE


def amount(entry: dict[str, Any]) -> str:
    """ "balanced accuracy 0.90 (0.80 to 0.97), by chance 0.50, with values dealt out anew 0.48"."""
    value, control = entry["balanced_accuracy"], entry["control"]
    text = "not defined" if value["value"] is None else f"{value['value']:.2f}"
    text += "" if value["low"] is None else f" ({value['low']:.2f} to {value['high']:.2f})"
    dealt = "" if control is None else f", with values dealt out anew {control['balanced_accuracy']:.2f}"
    return f"balanced accuracy {text}, by chance {entry['chance']:.2f}{dealt}"


def shortcut_sentences(summary: dict[str, Any]) -> list[str]:
    """One paragraph for each column, the worst news of it first."""
    found, task = summary.get("shortcuts"), task_of(summary)
    if not found:
        return []
    said = [_of_column(found, column, task) for column in found["columns"]]
    if found["patients"] <= FEW_PATIENTS:
        said.append(
            f"There are {pluralize(found['patients'], 'patient')} only: what is not found here may be there all the "
            "same, and only strong traces show."
        )
    return said


def _of_column(found: dict[str, Any], column: dict[str, Any], task: Task) -> str:
    title = column["title"]
    images, learnt, alone = (_entry(found, column, kind) for kind in (INPUTS, NETWORK, CLASS))
    seen, known, answers = (told(each) for each in (images, learnt, alone))
    visible = TRACE in (seen, known)
    if UNKNOWN in (answers, seen if seen != UNKNOWN else known):
        verdict = "whether it is a shortcut cannot be said of so few patients or unfinished trainings"
    elif visible and answers == TRACE:
        verdict = (
            f"the network may answer by it instead of by what it is asked about; look at the figures within each "
            f"{title}, or balance the cohort"
        )
    elif visible:
        verdict = (
            f"in this cohort it is no help to guess the {task.label.column}, so no shortcut is found; where it goes "
            "with the outcome it would be one"
        )
    elif answers == TRACE:
        verdict = "no trace of it is found in the images, so a network can hardly use it"
    else:
        verdict = "no shortcut is found"
    parts = [_said(title, images, seen, "the images"), _said(title, learnt, known, "what the network has learnt")]
    parts = [part for part in parts if part]
    if alone is not None:
        does = {TRACE: "tells", NO_TRACE: "does not tell", UNKNOWN: "may or may not tell"}[answers]
        parts.append(f"{title} alone {does} the {task.label.column} ({amount(alone)})")
    return f"{capital(title)}: {verdict}. {capital('; '.join(parts))}."


def _said(title: str, entry: dict[str, Any] | None, how: str, what: str) -> str:
    if entry is None:
        return ""
    does = {TRACE: "tells", NO_TRACE: "does not tell", UNKNOWN: "may or may not tell"}[how]
    does = does if what.startswith("what") else {"tells": "tell", "does not tell": "do not tell"}.get(does, does)
    return f"{what} {does} the {title} ({amount(entry)})"


def _entry(found: dict[str, Any], column: dict[str, Any], kind: str) -> dict[str, Any] | None:
    for each in found["table"]:
        if (each["column"], each["told_from"], each["input"]) == (column["name"], kind, ""):
            return each
    return None
