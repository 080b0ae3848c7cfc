"""Headings and cells from CSV and XLSX files and back, cell for cell as they were typed.

The csv module and openpyxl are used without pandas, which would turn patient "007" into 7 and "NA" into nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import DependencyError, InputError
from ...core.visible import visible
from ...io.csv_files import cells_of, csv_text
from ...io.plain_files import plain_file, read_plain, shown_path
from ..findings import Finding
from .limits import LARGEST_BYTES, MOST_COLUMNS, refuse_larger, too_large

SHEET = "cohort"


@dataclass(frozen=True)
class Sheet:
    """A table of cells.

    Attributes:
        headings: of the columns, as typed.
        rows: row number of the spreadsheet, and as many cells as there are headings; empty rows are left out.
        decimal_comma: whether "1,234" means a decimal fraction.
        problems: rows that are longer than the headings.
    """

    headings: tuple[object, ...]
    rows: tuple[tuple[int, tuple[object, ...]], ...]
    decimal_comma: bool = False
    problems: tuple[Finding, ...] = ()


def read_sheet(path: Path) -> Sheet:
    """Read a ``.csv`` or ``.xlsx``.

    Raises:
        InputError: no such file, or it is no table.
        DependencyError: openpyxl is needed and missing.
    """
    plain_file(path, "table")
    if path.suffix.lower() == ".xlsx":
        return _sheet(path, list(enumerate(read_xlsx(path, SHEET), start=1)))
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise InputError(f"{shown_path(path.name)} is neither CSV nor XLSX; save the table as one of these.")
    return _read_csv(path)


def _read_csv(path: Path) -> Sheet:
    text = _decoded(path)
    first = text.lstrip("\r\n").split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    lines: list[tuple[int, tuple[object, ...]]] = []
    try:
        # Rows are counted as a spreadsheet does: a cell with a line break in it is one row.
        for number, cells in enumerate(cells_of(_lines(path, text, separator), separator), start=1):
            refuse_larger(path, number, len(cells))
            lines.append((number, tuple(cells)))
    except csv.Error as error:
        raise InputError(f"The table {path.name} is damaged near row {len(lines) + 1}; export it again.") from error
    return _sheet(path, lines, decimal_comma=separator != ",")


def _lines(path: Path, text: str, separator: str) -> Iterator[str]:
    """Lines with their ends, none of which has more separators than a table has columns."""
    for line in io.StringIO(text, newline=""):
        if line.count(separator) > 2 * MOST_COLUMNS:
            raise too_large(path)
        yield line


def _decoded(path: Path) -> str:
    data = read_plain(path, "table", at_most=LARGEST_BYTES)
    if b"\0" in data:
        raise InputError(f"{path.name} is not a CSV file of UTF-8; export it again as CSV (UTF-8).")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def read_xlsx(path: Path, sheet: str | None = None) -> list[tuple[object, ...]]:
    """Cells of one sheet of a workbook, values instead of formulas.

    Args:
        path: of the workbook.
        sheet: its name, in any case of letters; the first sheet where there is none of this name.

    Raises:
        InputError: not a workbook.
        DependencyError: openpyxl is missing.
    """
    plain_file(path, "table")
    try:
        import openpyxl  # noqa: F401
    except ImportError as error:
        raise DependencyError(
            "Reading .xlsx needs the package openpyxl: save the table as CSV, or pip install “openpyxl>=3.1”."
        ) from error
    from .workbook import workbook_rows

    return workbook_rows(path, sheet)


def _sheet(path: Path, lines: list[tuple[int, tuple[object, ...]]], decimal_comma: bool = False) -> Sheet:
    filled = [(number, cells) for number, cells in lines if any(_is_filled(cell) for cell in cells)]
    if not filled:
        raise InputError(f"The table {path.name} is empty.")
    headings = _trimmed(filled[0][1])
    refuse_larger(path, len(filled), len(headings))
    rows, problems = [], []
    for number, cells in filled[1:]:
        if any(_is_filled(cell) for cell in cells[len(headings) :]):
            what = f"The row has more cells than there are headings ({len(headings)})"
            remedy = "put cells that contain the separator into quotes, or give the column a heading"
            problems.append(Finding(number, "", "", "unreadable cell", what, remedy))
        rows.append((number, (tuple(cells) + (None,) * len(headings))[: len(headings)]))
    return Sheet(headings, tuple(rows), decimal_comma, tuple(problems))


def _trimmed(cells: tuple[object, ...]) -> tuple[object, ...]:
    last = max(n for n, cell in enumerate(cells) if _is_filled(cell))
    return cells[: last + 1]


def _is_filled(cell: object) -> bool:
    return cell is not None and str(cell).strip() != ""


def write_sheet(path: Path, headings: Sequence[str], rows: Sequence[Sequence[object]], *, overwrite: bool) -> Path:
    """Write a ``.csv`` or ``.xlsx``, whole or not at all.

    Raises:
        InputError: another ending.
        OutputError: the file is there and may not be replaced, or cannot be written.
    """
    from ...io.atomic import write_whole

    if path.suffix.lower() == ".csv":
        return write_whole(path, csv_text(headings, rows).encode(errors="backslashreplace"), overwrite=overwrite)
    if path.suffix.lower() != ".xlsx":
        raise InputError(f"{path.name} does not say its kind; end the name with .csv or .xlsx.")
    return write_whole(path, _workbook(headings, rows), overwrite=overwrite)


def _workbook(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    try:
        import openpyxl
    except ImportError as error:
        raise DependencyError("Writing .xlsx needs the package openpyxl; write a .csv instead.") from error
    book = openpyxl.Workbook()
    book.active.title = SHEET
    for line in (headings, *rows):
        book.active.append([None if cell == "" else _as_cell(cell) for cell in line])
    # What begins with "=" is somebody's text, never a formula of ours.
    for cells in book.active.iter_rows():
        for cell in cells:
            if cell.data_type == "f":
                cell.data_type = "s"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _as_cell(cell: object) -> object:
    """A text whose control characters a workbook may not hold shows them instead."""
    return visible(cell, kept="\n\t") if isinstance(cell, str) else cell
