"""What is wrong with a cohort table, as the check wrote it down, and the table in the panel that shows it."""

from __future__ import annotations

import csv
from pathlib import Path

import qt
from slicer.i18n import tr as _

from ...cohort.findings import ERROR, WARNING
from ..widgets.tables import set_up_table

FILE = "findings.csv"
NARROWEST_COLUMN = 40


def needed_for(table: str) -> tuple[str, ...]:
    """Packages without which a table cannot be checked."""
    return ("openpyxl",) if table.strip().lower().endswith(".xlsx") else ()


def read_findings(path: Path) -> list[dict[str, str]] | None:
    """One row per finding, keys as in :data:`PulsarCAMLib.cohort.findings.HEADINGS`; None: nothing was written."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, ValueError):
        return None


def count(findings: list[dict[str, str]], severity: str) -> int:
    """How many errors, or warnings."""
    return sum(finding["severity"] == severity for finding in findings)


def prepare(table) -> None:
    """Headings and widths of the ``QTableWidget``."""
    headings = (_("Severity"), _("Row"), _("What is wrong"))
    set_up_table(table, headings, (), NARROWEST_COLUMN, stretched=2)


def show(table, findings: list[dict[str, str]]) -> None:
    """Fill the table, errors first; without findings it is not there."""
    severities = {ERROR: _("error"), WARNING: _("warning")}
    ordered = sorted(findings, key=lambda finding: finding["severity"] != ERROR)
    table.setRowCount(len(ordered))
    for index, finding in enumerate(ordered):
        sentence = f"{finding['what']}: {finding['what to do']}."
        lesion = ", ".join(filter(None, [finding["patient"], finding["lesion"]]))
        for column, text in enumerate((severities.get(finding["severity"], ""), finding["row"], sentence)):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(f"{lesion}: {sentence}" if lesion else sentence)
            table.setItem(index, column, item)
    table.visible = bool(ordered)
