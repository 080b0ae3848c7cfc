"""What an importer gives back: the table, and every decision that was taken on the way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import InputError, PulsarCAMError
from ...io.csv_files import csv_text
from ...io.plain_files import plain_file
from ..findings import HEADINGS, Finding, in_order
from ..tables.cells import as_text
from ..tables.columns import plain_name
from ..tables.sheets import read_sheet
from ..tables.table import CohortRow, CohortTable, numbered, patient_numbers, save_cohort_table

LEFT_OUT, UNKNOWN_RATING, NO_IMAGE, NO_MASK = "left out", "rating not used", "missing modality", "no mask"
ASSUMED = "taken as"


@dataclass(frozen=True)
class Imported:
    """A public cohort.

    Attributes:
        table: of the rows that are kept.
        findings: every decision; rows are those of ``table``, 0 for what is not in it or concerns all of it.
    """

    table: CohortTable
    findings: tuple[Finding, ...]


def imported(rows: Sequence[CohortRow], findings: Iterable[Finding]) -> Imported:
    """Rows and findings as one cohort; columns are those that any row fills."""
    filled = (name for row in rows for name in row.extra)
    return Imported(CohortTable(tuple(rows), tuple(dict.fromkeys(filled))), tuple(in_order(findings)))


def about_row(row: CohortRow, kind: str, what: str, remedy: str) -> Finding:
    """A finding about a row that is kept."""
    return Finding(row.row, row.patient, row.lesion, kind, what, remedy)


def about_source(kind: str, what: str, remedy: str, patient: str = "", lesion: str = "") -> Finding:
    """A finding about something that is in no row, or about all rows."""
    return Finding(0, patient, lesion, kind, what, remedy)


def lines_of(path: Path, needed: Sequence[str], what: str, sheet: str = "") -> list[tuple[int, dict[str, str]]]:
    """Lines of a table of the download, cells as text by their plain heading (see :func:`..tables.columns.plain_name`).

    Args:
        path: CSV or XLSX.
        needed: headings without which it is another table.
        what: the table in words, such as "the table of ratings of LUMIERE".
        sheet: of the workbook; empty: the first one.

    Returns:
        Numbers as a spreadsheet has them (headings are row 1) and cells; empty lines are left out.

    Raises:
        InputError: no such file, or another table.
        DependencyError: an ``.xlsx``, and openpyxl is not installed.
    """
    if sheet:
        from ..tables.sheets import read_xlsx

        plain_file(path, "table")
        first, *rest = read_xlsx(path, sheet) or [()]
        headings, lines = first, list(enumerate(rest, start=2))
    else:
        found = read_sheet(path)
        headings, lines = found.headings, list(found.rows)
    names = [plain_name(heading) for heading in headings]
    missing = [name for name in needed if name not in names]
    if missing:
        raise InputError(f"{path.name} is not {what}: it has no column {', '.join(missing)}.")
    read = [
        (number, {name: text for name, text in zip(names, map(as_text, cells), strict=False) if name})
        for number, cells in lines
    ]
    return [(number, values) for number, values in read if any(values.values())]


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}-findings.csv")


def check_outputs(path: str | Path, *, overwrite: bool = False) -> None:
    """Refuse now what :func:`save_imported` would have to refuse.

    Raises:
        InputError: another ending.
        OutputError: a file is there already, or its folder cannot be written.
    """
    from ...io.atomic import check_place

    path = Path(path)
    if path.suffix.lower() not in (".csv", ".xlsx"):
        raise InputError(f"{path.name} does not say its kind; end the name with .csv or .xlsx.")
    for each in (path, _beside(path)):
        check_place(each, overwrite=overwrite)


def save_imported(found: Imported, path: str | Path, *, anonymous: bool = False, overwrite: bool = False) -> list[Path]:
    """Write the cohort table, and beside it its findings as ``<name>-findings.csv``: both or none.

    Args:
        found: of an importer.
        path: ``.csv`` or ``.xlsx``.
        anonymous: number the patients, leave out dates and notes, in the findings as well.
        overwrite: replace what is there.

    Returns:
        The table and the file of findings.

    Raises:
        InputError: another ending.
        OutputError: a file is there already or cannot be written; nothing was changed.
    """
    from ...io.atomic import write_whole

    path = Path(path)
    beside = _beside(path)
    check_outputs(path, overwrite=overwrite)
    before = beside.read_bytes() if beside.exists() else None
    table, findings = found.table, found.findings
    if anonymous:
        names = patient_numbers(table)
        table, findings = numbered(table), tuple(_numbered(each, names) for each in findings)
    write_whole(beside, _as_csv(findings), overwrite=overwrite)
    try:
        save_cohort_table(table, path, overwrite=overwrite)
    except PulsarCAMError:
        if before is None:
            beside.unlink(missing_ok=True)
        else:
            write_whole(beside, before, overwrite=True)
        raise
    return [path, beside]


def _numbered(finding: Finding, names: dict[str, str]) -> Finding:
    """Without names and dates; what happened to patients who are in no row is told without saying to whom."""
    known = {finding.patient: "a patient", **names} if finding.patient else names

    def without(text: str) -> str:
        for name in sorted((name for name in known if len(name) > 2), key=len, reverse=True):
            text = text.replace(name, known[name])
        return re.sub(r"\d{4}-\d{2}-\d{2}", "a date", text)

    patient = names.get(finding.patient, "")
    return Finding(finding.row, patient, without(finding.lesion), finding.kind, without(finding.what), finding.remedy)


def _as_csv(findings: Sequence[Finding]) -> bytes:
    lines = ([*(finding.as_row()[key] for key in HEADINGS), finding.kind] for finding in findings)
    return csv_text([*HEADINGS.values(), "kind"], lines).encode("utf-8-sig")  # for Excel
