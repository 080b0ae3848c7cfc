"""Cells of an XLSX workbook, which is a zip of XML and may unpack to far more than it seems."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import IO
from xml.parsers import expat

from ...core.errors import InputError, PulsarCAMError
from ...core.visible import visible
from ...io.plain_files import shown_path
from .limits import LARGEST_BYTES, refuse_larger, too_large

MOST_PARTS = 2_000
MOST_ELEMENTS, MOST_CELLS_IN_ROW, DEEPEST = 3_000_000, 16_384, 100
"""Of one part, of a row of any spreadsheet, and of elements within each other."""
MOST_NOTED = 1000
CHUNK = 1 << 16
LONGEST_ERROR = 20
"""Characters of a value that are looked at."""
_PLACE = re.compile(r"([A-Za-z]{1,7})([0-9]{1,9})")


def workbook_rows(path: Path, sheet: str | None = None) -> list[tuple[object, ...]]:
    """Rows of one sheet, up to the last cell with a value; arguments and errors as :func:`.sheets.read_xlsx`."""
    import openpyxl

    try:
        used = _used(path)
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            named = [each for each in book.worksheets if sheet and each.title.strip().lower() == sheet.lower()]
            wanted = (named or book.worksheets)[0]
            part = getattr(wanted, "_worksheet_path", "").lstrip("/")  # openpyxl does not tell it otherwise
            sheets = [used[part]] if part in used else list(used.values())
            for each in sheets:
                each.refuse_uncomputed()
            rows, columns = (max(each) for each in zip((0, 0), *((s.rows, s.columns) for s in sheets), strict=True))
            refuse_larger(path, rows, columns)
            return list(wanted.iter_rows(max_row=rows, max_col=columns, values_only=True)) if rows else []
        finally:
            book.close()
    except (PulsarCAMError, MemoryError):
        raise
    except Exception as error:  # zlib, openpyxl and the XML parser raise many kinds for damaged files
        raise InputError(
            f"{shown_path(path.name)} is not a readable XLSX workbook; save it again or export CSV."
        ) from error


def _used(path: Path) -> dict[str, _Extent]:
    """Which cells are used, of every sheet by the name of its part.

    Every part is looked at as it unpacks, piece by piece, whatever the zip says of its size.

    Raises:
        InputError: more than any table has.
        zipfile.BadZipFile, zlib.error, expat.ExpatError...: damaged.
    """
    found: dict[str, _Extent] = {}
    left, stale = LARGEST_BYTES, False
    with zipfile.ZipFile(path) as packed:
        parts = packed.infolist()
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_BYTES:
            raise too_large(path)
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                extent = _Extent(path)
                with packed.open(part) as file:
                    left -= extent.read(file, left)
                if part.filename.startswith("xl/worksheets/"):
                    found[part.filename] = extent
                stale |= extent.stale
    for extent in found.values():
        extent.stale = stale
    return found


class _Extent:
    """Which cells of a sheet have a value; cells that are only coloured count for nothing.

    Attributes:
        rows, columns: of the last one with a value or a formula.
        stale: whether the workbook wants all formulas computed when it is opened: libraries write it so, with 0 or
            nothing as their values.
    """

    def __init__(self, path: Path) -> None:
        self.rows = self.columns = 0
        self.stale = False
        self._formulas: list[str] = []
        self._uncomputed: list[str] = []
        self._errors: list[str] = []
        self._cell, self._kind, self._inside = "", "", ""
        self._formula, self._text = False, None
        self._path, self._row, self._column = path, 0, 0
        self._seen = self._in_row = self._depth = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._start, self._end
        self._parser.CharacterDataHandler, self._parser.EntityDeclHandler = self._characters, self._entity

    def read(self, file: IO[bytes], at_most: int) -> int:
        """Read a part; how many bytes it has."""
        size = 0
        while piece := file.read(CHUNK):
            size += len(piece)
            if size > at_most:
                raise too_large(self._path)
            self._parser.Parse(piece, False)
        self._parser.Parse(b"", True)
        return size

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._seen, self._depth = self._seen + 1, self._depth + 1
        if self._seen > MOST_ELEMENTS or self._in_row > MOST_CELLS_IN_ROW or self._depth > DEEPEST:
            raise too_large(self._path)
        kind = name.rpartition(":")[2]
        if kind == "row":
            self._in_row = 0
            self._row, self._column = int(attributes.get("r", self._row + 1)), 0
        elif kind == "c":
            self._in_row += 1
            place = _PLACE.fullmatch(attributes.get("r", ""))
            self._column = _column(place[1]) if place else self._column + 1
            self._row = int(place[2]) if place else self._row
            self._cell, self._kind = attributes.get("r") or f"row {self._row}", attributes.get("t", "")
            self._formula, self._text = False, None
        elif kind in ("v", "is", "f"):
            self.rows, self.columns = max(self.rows, self._row), max(self.columns, self._column)
            self._inside = kind
            self._formula |= kind == "f"
            self._text = "" if kind == "v" else self._text
        elif kind == "calcPr":
            self.stale = attributes.get("fullCalcOnLoad") in ("1", "true")

    def _characters(self, text: str) -> None:
        if self._inside == "v" and self._text is not None and len(self._text) < LONGEST_ERROR:
            self._text += text[:LONGEST_ERROR]

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._inside = ""
        if name.rpartition(":")[2] != "c":
            return
        if self._formula:
            _note(self._formulas, self._cell)
            if not self._text and not (self._kind == "str" and self._text is not None):  # "" is a text, too
                _note(self._uncomputed, self._cell)
        if self._kind == "e":
            _note(self._errors, f"{self._cell}: {self._text}")

    def refuse_uncomputed(self) -> None:
        """Refuse formulas without values, which would be read as empty or 0, and values that are errors.

        Raises:
            InputError: with the cells.
        """
        if cells := self._formulas if self.stale else self._uncomputed:
            raise InputError(
                f"{shown_path(self._path.name)} has formulas of which the value was never computed "
                f"({_listed(cells)}), as programs write them that are no spreadsheet; open it in one and save it "
                "again, or type the values."
            )
        if self._errors:
            raise InputError(
                f"{shown_path(self._path.name)} holds errors instead of values ({_listed(self._errors)}); correct "
                "these cells and save it again."
            )

    def _entity(self, *_about: object) -> None:
        raise ValueError("a workbook declares no entities")


def _note(cells: list[str], cell: str) -> None:
    if len(cells) < MOST_NOTED:
        cells.append(cell)


def _listed(cells: list[str]) -> str:
    more = f", and {'at least ' * (len(cells) == MOST_NOTED)}{len(cells) - 5} more" if len(cells) > 5 else ""
    return visible(", ".join(cells[:5]) + more)


def _column(letters: str) -> int:
    """Number of a column by its letters: A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - ord("A") + 1
    return number
