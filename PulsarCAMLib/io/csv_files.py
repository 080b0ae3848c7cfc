"""CSV as text: the one writer and the one reader of cells.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line's end for a formula and runs it
when the table is opened. The writer puts an apostrophe before such a text, as spreadsheets do themselves, and the
reader takes it away again: what is read is what was written. Numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from .plain_files import read_plain

LARGEST_BYTES = 256 << 20
"""Of a table that PulsarCAM has written itself: features and curves of many lesions."""

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_FIRST = tuple("'=+-@\t\r\n＝＋－＠")
"""What any of these texts begins with: most cells do not, and that is seen soonest."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)", re.ASCII)


def harmless(cell: object) -> object:
    """A cell as it is written: a text that would be taken for a formula gets an apostrophe before it.

    Examples:
        >>> harmless("=1+1"), harmless("-1.5"), harmless(-1.5), harmless("-"), harmless("a=b"), harmless("'=x")
        ("'=1+1", '-1.5', -1.5, "'-", 'a=b', "''=x")
    """
    if not isinstance(cell, str) or not cell.startswith(_FIRST) or not _FORMULA.match(cell) or _NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"


def as_meant(text: str) -> str:
    """The text that :func:`harmless` was given.

    Examples:
        >>> as_meant("'=1+1"), as_meant("''=x"), as_meant("-1.5"), as_meant("'tis")
        ('=1+1', "'=x", '-1.5', "'tis")
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def csv_text(headings: Iterable[object], rows: Iterable[Iterable[object]], *, ends: str = "\n") -> str:
    """Text of a file; None is an empty cell.

    Args:
        headings: of the columns; none: a table without a first line.
        rows: cells in the order of the headings.
        ends: of lines.
    """
    lines = _Lines(ends)
    writer = csv.writer(lines, lineterminator=_ENDS)
    headings = [harmless(each) for each in headings]
    if headings:
        writer.writerow(headings)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return "".join(lines.found)


_ENDS = "\r\n"


class _Lines:
    """Takes lines of the csv module, which puts a cell with either half of an end into quotes only if it ends so."""

    def __init__(self, ends: str) -> None:
        self.found: list[str] = []
        self._ends = ends

    def write(self, line: str) -> None:
        self.found.append(line.removesuffix(_ENDS) + self._ends)


def write_rows(path: Path, headings: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a table as spreadsheets end its lines; a row without one of the headings has an empty cell there."""
    text = csv_text(headings, ([row.get(name, "") for name in headings] for row in rows), ends="\r\n")
    path.write_bytes(text.encode(errors="backslashreplace"))


def cells_of(lines: Iterable[str], separator: str = ",", *, strict: bool = False) -> Iterator[list[str]]:
    """Cells of lines that keep their ends, as they were meant.

    Raises:
        csv.Error: quotes do not match (``strict``), or a cell is longer than the csv module takes.
    """
    for row in csv.reader(lines, delimiter=separator, strict=strict):
        yield [as_meant(cell) for cell in row]


def read_csv(path: str | Path) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of a table that PulsarCAM has written: UTF-8, separated by commas.

    Raises:
        InputError: no ordinary file, or too large.
        ValueError: it is not UTF-8.
        csv.Error: it is damaged.
    """
    text = read_plain(path, "table", at_most=LARGEST_BYTES).decode("utf-8-sig")
    rows = list(cells_of(io.StringIO(text, newline=""), strict=True))
    return (rows[0], rows[1:]) if rows else ([], [])


def records_of(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[dict[str, str]]:
    """Every row by its headings; empty lines are left out.

    Raises:
        ValueError: a row has more or fewer cells than there are headings.
    """
    return [dict(zip(headings, row, strict=True)) for row in rows if row]
