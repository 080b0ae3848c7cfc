"""What is wrong with a cohort table, as the check wrote it down, and the table in the panel that shows it."""

from __future__ import annotations

import csv
from pathlib import Path

import qt
from slicer.i18n import tr as _

from ..cohort.findings import ERROR, WARNING

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


def counted(findings: list[dict[str, str]]) -> str:
    """For people: "2 errors and 1 warning"."""
    errors, warnings = count(findings, ERROR), count(findings, WARNING)
    texts = []
    if errors:
        texts.append(_("1 error") if errors == 1 else _("{n} errors").format(n=errors))
    if warnings:
        texts.append(_("1 warning") if warnings == 1 else _("{n} warnings").format(n=warnings))
    return _(" and ").join(texts)


def prepare(table) -> None:
    """Headings and widths of the ``QTableWidget``."""
    table.setHorizontalHeaderLabels([_("Severity"), _("Row"), _("Lesion"), _("What is wrong")])
    header = table.horizontalHeader()
    for column in (0, 1, 2):
        header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
    header.setSectionResizeMode(3, qt.QHeaderView.Stretch)
    header.setMinimumSectionSize(NARROWEST_COLUMN)
    table.verticalHeader().hide()
    table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)


def show(table, findings: list[dict[str, str]]) -> None:
    """Fill the table, errors first; without findings it is not there."""
    severities = {ERROR: _("error"), WARNING: _("warning")}
    ordered = sorted(findings, key=lambda finding: finding["severity"] != ERROR)
    table.setRowCount(len(ordered))
    for index, finding in enumerate(ordered):
        lesion = " / ".join(filter(None, [finding["patient"], finding["lesion"]]))
        sentence = f"{finding['what']}: {finding['what to do']}."
        texts = (severities.get(finding["severity"], ""), finding["row"], lesion, sentence)
        for column, text in enumerate(texts):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(text)
            table.setItem(index, column, item)
    table.visible = bool(ordered)
