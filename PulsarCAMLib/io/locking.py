"""One process at a time in a folder that is worked in for hours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import InputError, OutputError

LOCK = ".lock"
"""Name of the file that stands for it; it may stay behind, and then means nothing."""


@contextmanager
def only_one(folder: Path, what: str) -> Iterator[None]:
    """Nobody else runs in this folder meanwhile; the system lets go when the process ends, in whatever way.

    Raises:
        InputError: somebody else does.
        OutputError: the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(
            f"Another process is running the {what} in {folder}; wait for it or stop it, or choose another folder."
        ) from None
    except OSError as error:
        raise OutputError(f"{folder} cannot be written ({error.strerror}); choose another folder.") from error
    try:
        yield
    finally:
        lock.release()
