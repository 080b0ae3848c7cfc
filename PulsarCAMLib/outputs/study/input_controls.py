"""Where the answer comes from, in a study's report: table, sentences, lines, file."""

from __future__ import annotations

from typing import Any

from ...study.figures.entries import figure, signed, task_of
from .tables import aligned, as_csv

HEADINGS = (
    "protocol", "control", "auc", "auc_low", "auc_high", "network_minus_control", "difference_low", "difference_high",
    "difference_of", "lesions", "patients", "trials",
)  # fmt: skip
HEADS = ("What is seen", "AUC (95 %)", "Network minus this (95 %)")

ABOUT = (
    "Models that see less than the network, trained and judged on its splits of “{protocol}”: what one of them does as "
    "well, the network does not need. Differences are paired by split (Nadeau and Bengio 2003), or of the pool by a "
    "bootstrap over patients; nothing is corrected for the number of controls. A control that cannot be told from the "
    "network is no proof that they are equal: look at the interval."
)


def section(summary: dict[str, Any]) -> dict[str, Any] | None:
    """For the page; None where the study has no such models."""
    found = summary.get("input_controls")
    if not found:
        return None
    titles = {protocol["name"]: protocol["title"] for protocol in summary["protocols"]}
    return {
        "about": " ".join(filter(None, (ABOUT.format(protocol=titles[found["protocol"]]), found.get("note")))),
        "said": found["sentences"],
        "heads": HEADS,
        "rows": _cells(found),
    }


def lines(summary: dict[str, Any]) -> list[str]:
    """For the command line."""
    found = summary.get("input_controls")
    if not found:
        return []
    cells = [tuple(head.lower() for head in HEADS), *_cells(found)]
    unit = task_of(summary).unit
    counted = f"{found['rows'][0]['lesions']} {unit}s of {found['rows'][0]['patients']} patients"
    return ["", f"Where the answer comes from ({found['protocol']}, {counted}):", *aligned(cells),
            *found["sentences"], *([found["note"]] if "note" in found else [])]  # fmt: skip


def table(summary: dict[str, Any]) -> str:
    """``input_controls.csv``: all rows with all their digits."""
    found = summary["input_controls"]
    return as_csv(HEADINGS, (_line(found["protocol"], row) for row in found["rows"]))


def _line(protocol: str, row: dict[str, Any]) -> tuple:
    against = row["difference"] or {}
    own = (protocol, row["name"], row["auc"], row["low"], row["high"])
    return (*own, *(against.get(name) for name in ("value", "low", "high", "of")), row["lesions"], row["patients"],
            row["trials"])  # fmt: skip


def _cells(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(row["title"], _auc(row), _difference(row)) for row in found["rows"]]


def _auc(row: dict[str, Any]) -> str:
    reach = "" if row["low"] is None else f" ({row['low']:.3f} to {row['high']:.3f})"
    return f"{figure(row['auc'])}{reach}"


def _difference(row: dict[str, Any]) -> str:
    found = row["difference"]
    if found is None or found["value"] is None:
        return "–"
    reach = "" if found["low"] is None else f" ({signed(found['low'])} to {signed(found['high'])})"
    return f"{signed(found['value'])}{reach}"
