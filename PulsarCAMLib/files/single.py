"""One file that appears whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ..errors import OutputError


def check_place(path: str | Path, *, overwrite: bool = False) -> Path:
    """Refuse now what would have to be refused after the work.

    Raises:
        OutputError: the file exists and may not be replaced, or its folder cannot be written.
    """
    path = Path(path)
    if path.is_dir():
        raise OutputError(f"{path} is a folder; choose a file name in it.")
    if os.path.lexists(path) and not overwrite:
        raise OutputError(f"{path} exists already; choose another name or allow overwriting.")
    if not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written because there is no folder {path.parent}; choose another place.")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"{path} cannot be written because its folder is protected; choose another place.")
    return path


def write_whole(path: str | Path, content: bytes, *, overwrite: bool = False) -> Path:
    """Write ``content`` beside ``path`` first and put it in place when it is complete.

    Args:
        path: of the file; its folder must exist.
        content: the whole file.
        overwrite: replace a file that is already there.

    Returns:
        The path.

    Raises:
        OutputError: the file exists and may not be replaced, or its place cannot be written; nothing was changed.
    """
    path = check_place(path, overwrite=overwrite)
    made = None
    try:
        descriptor, made = tempfile.mkstemp(prefix=f".{path.name[:32]}.", suffix=".partial", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        mask = os.umask(0)
        os.umask(mask)
        Path(made).chmod(0o666 & ~mask)
        Path(made).replace(path)
    except OSError as error:
        if made:
            Path(made).unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written ({error.strerror}); choose another place.") from error
    return path
