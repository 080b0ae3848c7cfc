"""The contrasts of several explained patients, from the folders that ``pulsarcam explain --dose`` wrote."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from ..core.errors import InputError
from ..io.csv_files import read_csv, records_of
from ..io.plain_files import is_folder, shown_path
from .over_patients import DIFFERENCES, GROUPS

TABLE = "dose_contrast.csv"
NUMBERS = tuple(f"{name}_gy" for name in DIFFERENCES)
NEEDED = ("lesion", *GROUPS, *NUMBERS)


def contrasts_in(folders: Sequence[str | Path]) -> dict[str, list[dict]]:
    """Patient to the rows of its table; patients are numbered, for names of folders may be names of people.

    Args:
        folders: each the result of one patient, or a folder of such folders.

    Raises:
        InputError: no folder, none with such a table, one that is given twice, or a damaged table.
    """
    found: dict[Path, list[dict]] = {}
    for folder in map(Path, folders):
        if not is_folder(folder):
            raise InputError(f"{shown_path(folder)} is no folder; give folders that pulsarcam explain has written.")
        own = [folder / TABLE] if (folder / TABLE).is_file() else sorted(folder.glob(f"*/{TABLE}"))
        if not own:
            raise InputError(
                f"{shown_path(folder)} holds no {TABLE}; give folders that pulsarcam explain --dose has written."
            )
        for path in own:
            place = path.resolve()
            if place in found:
                raise InputError(f"The result {shown_path(path.parent)} is given twice; name each patient once.")
            found[place] = contrasts_of(path)
    return {f"patient {n}": rows for n, rows in enumerate(found.values(), start=1)}


def contrasts_of(path: Path) -> list[dict]:
    """Rows of one patient's table, differences as numbers.

    Raises:
        InputError: it is damaged.
    """
    try:
        rows: list[dict] = [dict(row) for row in records_of(*read_csv(path))]
        for row in rows:
            for name in NEEDED:
                row[name] = (float(row[name]) if row[name] else None) if name in NUMBERS else row[name]
    except (ValueError, KeyError, csv.Error) as error:
        raise InputError(
            f"{shown_path(path)} is damaged, or no table of pulsarcam explain; explain the patient again."
        ) from error
    return rows
