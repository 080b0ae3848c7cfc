"""Shortcuts in a study's report: table, sentences, lines, file."""

from __future__ import annotations

from typing import Any

from ...core.pluralize import capital, pluralize
from ...core.task import PATIENT
from ...study.figures.entries import system_in, task_of
from ...study.shortcuts.tested import CLASS, INPUTS, NETWORK
from ...study.shortcuts.words import shortcut_sentences
from .tables import as_csv

SHORTCUTS = "shortcuts.csv"

HEADINGS = (
    "protocol", "column", "told", "from", "input", "classes", "chance", "balanced_accuracy", "low", "high", "auc",
    "auc_low", "auc_high", "control_balanced_accuracy", "controls", "trials", "units", "patients",
)  # fmt: skip

ABOUT = (
    "Columns that ought to have no say in an answer, told for {unit}s of patients that were not learnt from, by a "
    "small regularised linear model on the splits of “{protocol}”: from simple numbers of the images (brightness, "
    "contrast, grain, where it is bright), from what the network of each split has learnt, and the other way round the "
    "{column} from the column alone. Balanced accuracy of every {unit} once; 95 % intervals: bootstrap over patients. "
    "The control: values dealt out anew among the patients. A model that finds nothing does not prove that there is "
    "nothing."
)


def section(summary: dict[str, Any]) -> dict[str, Any] | None:
    """For the page; None where the study does not look for shortcuts."""
    found = summary.get("shortcuts")
    if not found:
        return None
    task = task_of(summary)
    titles = {protocol["name"]: protocol["title"] for protocol in summary["protocols"]}
    about = ABOUT.format(unit=task.unit, protocol=titles[found["protocol"]], column=task.label.column)
    heads = ("Column", "Told", "Balanced accuracy (95 %)", "By chance", "Control", f"{capital(task.unit)}s, patients")
    return {
        "about": about,
        "said": shortcut_sentences(summary),
        "heads": heads,
        "rows": [_row(summary, each) for each in found["table"]],
        "columns": [_values(column, task.unit) for column in found["columns"]],
    }


def lines(summary: dict[str, Any]) -> list[str]:
    """For the command line."""
    said = shortcut_sentences(summary)
    return ["", "Shortcuts", *said] if said else []


def table(summary: dict[str, Any]) -> str:
    """``shortcuts.csv``: every question with its control."""
    found = summary["shortcuts"]
    rows = []
    for each in found["table"]:
        own, auc, control = each["balanced_accuracy"], each["auc"], each["control"] or {}
        what = (task_of(summary).label.column, each["column"]) if each["told_from"] == CLASS else (
            each["column"], each["told_from"])  # fmt: skip
        figures = (own["value"], own["low"], own["high"], auc["value"], auc["low"], auc["high"])
        dealt = (control.get("balanced_accuracy"), control.get("trials"))
        counts = (each["trials"], each["units"], each["patients"])
        head = (found["protocol"], each["column"], *what, each["input"], each["classes"], each["chance"])
        rows.append((*head, *figures, *dealt, *counts))
    return as_csv(HEADINGS, rows)


def _row(summary: dict[str, Any], each: dict[str, Any]) -> tuple[str, ...]:
    column = next(c for c in summary["shortcuts"]["columns"] if c["name"] == each["column"])
    roles = {role.name: role.title for role in system_in(summary).inputs}
    of_input = roles.get(each["input"], each["input"])
    what = {
        INPUTS: f"from the image {of_input} alone" if of_input else "from the images",
        NETWORK: "from what the network has learnt",
        CLASS: f"{task_of(summary).label.column} from {column['title']} alone",
    }[each["told_from"]]
    value, control = each["balanced_accuracy"], each["control"]
    text = "–" if value["value"] is None else f"{value['value']:.2f}"
    text += f" ({value['low']:.2f} to {value['high']:.2f})" if value["low"] is not None else ""
    dealt = "–" if control is None else f"{control['balanced_accuracy']:.2f}"
    return column["title"], what, text, f"{each['chance']:.2f}", dealt, f"{each['units']}, {each['patients']}"


def _values(column: dict[str, Any], unit: str) -> str:
    several = unit != PATIENT
    known = "; ".join(
        f"{each['name']} {each['units']}" + f" of {pluralize(each['patients'], PATIENT)}" * several
        for each in column["classes"]
    )
    out = f"; left out, for the value is missing or one patient's alone: {column['left_out']}" * bool(
        column["left_out"]
    )
    return f"{capital(column['title'])}, {unit}s: {known}{out}."
