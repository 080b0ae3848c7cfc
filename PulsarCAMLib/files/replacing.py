"""Putting a finished folder where an older one may be."""

from __future__ import annotations

import shutil
from pathlib import Path


def put_in_place(made: Path, folder: Path) -> None:
    """Rename a folder; one that is there is moved aside first and deleted only when the new one is in its place.

    Args:
        made: the finished folder, beside the wanted one.
        folder: where it shall be.

    Raises:
        OSError: it cannot be renamed; what was there is there again.
    """
    if not folder.exists():
        made.rename(folder)
        return
    old = made.with_name(f"{made.name}.old")
    folder.rename(old)
    try:
        made.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
