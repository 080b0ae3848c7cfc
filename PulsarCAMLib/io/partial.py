"""Hidden folders in which results are made until they are whole; what a killed run leaves, the next one removes.

Such a folder holds a file that its process has locked as long as it lives, and the system lets go of the lock when the
process ends in whatever way: a folder whose lock can be had is nobody's any more.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

OWNER, ENDING = ".owner", ".partial"
YOUNG_SECONDS = 2.0
"""A lock that is younger may not have been taken yet."""

LONGEST = 32
"""Characters of a wanted name that the hidden one repeats."""


class PartialFolder:
    """A hidden folder beside the wanted place, this process's own, which holds the one that is to be put there.

    Attributes:
        folder: where to write; its permissions are those of any new folder.

    Args:
        parent: in which it is made.
        name: of what will be there; the hidden name begins with it.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, parent: Path, name: str) -> None:
        start = f".{name[:LONGEST]}."
        remove_leftovers(parent, start)
        self._hidden = Path(tempfile.mkdtemp(prefix=start, suffix=ENDING, dir=parent))
        self._lock = _taken(self._hidden / OWNER)
        self.folder = self._hidden / "made"
        self.folder.mkdir()

    def remove(self) -> None:
        """Delete what was not put in place."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        shutil.rmtree(self._hidden, ignore_errors=True)


def remove_leftovers(parent: Path, start: str) -> None:
    """Remove hidden folders of runs that are gone; those of runs that live, and those of nobody known, stay."""
    named = re.compile(re.escape(start) + r"[a-z0-9_]{8}" + re.escape(ENDING))
    try:
        found = [each for each in parent.iterdir() if named.fullmatch(each.name) and not each.is_symlink()]
    except OSError:
        return
    for each in found:
        if _is_nobodys(each / OWNER):
            shutil.rmtree(each, ignore_errors=True)


def _is_nobodys(owner: Path) -> bool:
    try:
        if time.time() - owner.lstat().st_mtime < YOUNG_SECONDS:
            return False
    except OSError:
        return False
    lock = _taken(owner)
    if lock is None:
        return False
    lock.release()
    return True


def _taken(path: Path) -> Any:
    """The lock of a file; None where somebody else has it, or this system has none."""
    try:
        from filelock import FileLock, Timeout
    except ImportError:
        return None
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except (Timeout, OSError, NotImplementedError):
        return None
    return lock
