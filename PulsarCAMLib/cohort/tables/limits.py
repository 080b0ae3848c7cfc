"""How large a table of people may be: whatever is larger is another file, or made to fill the memory."""

from __future__ import annotations

from pathlib import Path

from ...core.errors import InputError
from ...io.plain_files import shown_path

LARGEST_BYTES = 64 << 20
"""Of a CSV file, or of all parts of a workbook when they are unpacked."""

MOST_ROWS, MOST_COLUMNS, MOST_CELLS = 200_000, 4_000, 5_000_000


def too_large(path: Path) -> InputError:
    """What is said of a table that is larger."""
    return InputError(
        f"The table {shown_path(path.name)} is larger than any cohort (at most {MOST_ROWS:,} rows, {MOST_COLUMNS:,} "
        f"columns, {MOST_CELLS:,} cells, {LARGEST_BYTES >> 20} MB unpacked): remove stray cells far to the right or "
        "far below, or save the sheet as CSV."
    )


def refuse_larger(path: Path, rows: int, columns: int) -> None:
    """Refuse so many rows and columns.

    Raises:
        InputError: in one sentence.
    """
    if rows > MOST_ROWS or columns > MOST_COLUMNS or rows * columns > MOST_CELLS:
        raise too_large(path)
