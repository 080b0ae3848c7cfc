"""Cells of an XLSX workbook, which is a zip of XML and may unpack to far more than it seems."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import IO
from xml.parsers import expat

from ..core.errors import InputError, PulsarCAMError
from ..io.plain_files import shown_path
from .table_limits import LARGEST_BYTES, refuse_larger, too_large

MOST_PARTS = 2_000
MOST_ELEMENTS, MOST_CELLS_IN_ROW, DEEPEST = 3_000_000, 16_384, 100
"""Of one part, of a row of any spreadsheet, and of elements within each other."""
CHUNK = 1 << 16
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
            extents = [used[part]] if part in used else list(used.values())
            rows, columns = (max(each) for each in zip((0, 0), *extents, strict=True))
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


def _used(path: Path) -> dict[str, tuple[int, int]]:
    """Last row and last column with a value, of every sheet by the name of its part.

    Every part is looked at as it unpacks, piece by piece, whatever the zip says of its size.

    Raises:
        InputError: more than any table has.
        zipfile.BadZipFile, zlib.error, expat.ExpatError...: damaged.
    """
    found, left = {}, LARGEST_BYTES
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
                    found[part.filename] = (extent.rows, extent.columns)
    return found


class _Extent:
    """Which cells of a sheet have a value; cells that are only coloured count for nothing.

    Attributes:
        rows, columns: of the last one with a value.
    """

    def __init__(self, path: Path) -> None:
        self.rows = self.columns = 0
        self._path, self._row, self._column = path, 0, 0
        self._seen = self._in_row = self._depth = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._start, self._end
        self._parser.EntityDeclHandler = self._entity

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
        elif kind in ("v", "is"):
            self.rows, self.columns = max(self.rows, self._row), max(self.columns, self._column)

    def _end(self, _name: str) -> None:
        self._depth -= 1

    def _entity(self, *_about: object) -> None:
        raise ValueError("a workbook declares no entities")


def _column(letters: str) -> int:
    """Number of a column by its letters: A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - ord("A") + 1
    return number
