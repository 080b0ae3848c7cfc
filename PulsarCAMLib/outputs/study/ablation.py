"""The ablation over inputs in a study's report: table, sentences, lines, file."""

from __future__ import annotations

from typing import Any

from ...core.pluralize import capital
from ...core.vocabulary import MRI_TITLES
from ...study.figures.entries import figure, signed, task_of
from .tables import aligned, as_csv

HEADINGS = (
    "protocol", "time_point", "model", "metric", "value", "sd", "trials", "pooled", "pooled_low", "pooled_high",
    "control", "better_than_control", "minus_all", "minus_all_low", "minus_all_high", "minus_all_of",
)  # fmt: skip

ABOUT = (
    "The same network with some of its inputs, on the same splits and prepared samples, best first. In brackets the "
    "control with permuted labels. Of the pool, every {unit} once: 95 % interval of a bootstrap over patients. The "
    "difference from all inputs is paired by split (Nadeau and Bengio 2003). Nothing is corrected for the number of "
    "comparisons: the best of many subsets looks better than it is."
)


def section(summary: dict[str, Any]) -> dict[str, Any] | None:
    """For the page; None where the study has no such models."""
    tables = summary.get("ablation")
    if not tables:
        return None
    titles = {protocol["name"]: protocol["title"] for protocol in summary["protocols"]}
    return {
        "about": ABOUT.format(unit=task_of(summary).unit),
        "tables": [
            {
                "title": _heading(each, titles, summary),
                "said": each["sentences"],
                "heads": ("Inputs", capital(each["metric_title"]), "Of the pool (95 %)", "Minus all inputs (95 %)"),
                "rows": [(row["title"], _value(row), _pooled(row), _difference(row)) for row in each["rows"]],
            }
            for each in tables
        ],
    }


def lines(summary: dict[str, Any]) -> list[str]:
    """For the command line."""
    titles = {protocol["name"]: protocol["title"] for protocol in summary["protocols"]}
    found = []
    for each in summary.get("ablation") or ():
        cells = [("inputs", each["metric_title"], "pool (95 %)", "minus all inputs (95 %)")]
        cells += [(row["title"], _value(row), _pooled(row), _difference(row)) for row in each["rows"]]
        found += ["", f"What the inputs are worth, {_heading(each, titles, summary)}:"]
        found += aligned(cells)
        found += each["sentences"]
    return found


def table(summary: dict[str, Any]) -> str:
    """``ablation.csv``: all rows with all their digits."""
    return as_csv(HEADINGS, (_line(each, row) for each in summary.get("ablation") or () for row in each["rows"]))


def _line(table: dict[str, Any], row: dict[str, Any]) -> tuple:
    pooled, against = row["pooled"], row["against_all"] or {}
    own = (table["protocol"], table["time_point"], row["model"], table["metric"])
    figures = (row["value"], row["sd"], row["trials"], pooled["value"], pooled["low"], pooled["high"], row["control"])
    better = None if row["better_than_control"] is None else int(row["better_than_control"])
    return (*own, *figures, better, *(against.get(name) for name in ("value", "low", "high", "metric")))


def _heading(each: dict[str, Any], titles: dict[str, str], summary: dict[str, Any]) -> str:
    several = len({other["time_point"] for other in summary["ablation"]}) > 1
    mri = f", {MRI_TITLES[each['time_point']]}" if several else ""
    return f"{titles[each['protocol']]}{mri}"


def _value(row: dict[str, Any]) -> str:
    spread = "" if row["sd"] is None else f" ± {row['sd']:.3f}"
    return f"{figure(row['value'])}{spread} ({figure(row['control'])})"


def _pooled(row: dict[str, Any]) -> str:
    found = row["pooled"]
    reach = "" if found["low"] is None else f" ({found['low']:.3f} to {found['high']:.3f})"
    return f"{figure(found['value'])}{reach}"


def _difference(row: dict[str, Any]) -> str:
    found = row["against_all"]
    if found is None or found["value"] is None:
        return "–"
    of = " (AUC)" if found["metric"] == "auc" else ""
    reach = "" if found["low"] is None else f" ({signed(found['low'])} to {signed(found['high'])})"
    return f"{signed(found['value'])}{of}{reach}"
