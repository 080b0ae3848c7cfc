"""Several files in a folder that may hold others: all of them appear, or none."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..errors import OutputError


class FilesTogether:
    """Context in which files are made in a hidden folder within the wanted one; leaving it well moves them into place.

    Attributes:
        made: where to write them; exists inside the context only.

    Raises:
        OutputError: on entering, if the folder cannot be written or a file is in the way; on leaving, if a file cannot
            be put in place, or an ``OSError`` came from inside: nothing was changed.
    """

    def __init__(self, folder: str | Path, names: Sequence[str], *, overwrite: bool = False) -> None:
        self.folder = Path(folder)
        self.made = Path()
        self._names = list(names)
        self._overwrite = overwrite

    def __enter__(self) -> FilesTogether:
        if not self.folder.is_dir():
            raise OutputError(f"There is no folder {self.folder}; choose another one.")
        there = existing(self.folder, self._names)
        if there and not self._overwrite:
            raise OutputError(f"Already in {self.folder}: {', '.join(there)}; nothing was written.")
        blocked = [name for name in there if (self.folder / name).is_dir()]
        if blocked:
            raise OutputError(f"{blocked[0]} in {self.folder} is a folder; choose another place.")
        try:
            self.made = Path(tempfile.mkdtemp(prefix=".pulsarcam-", suffix=".partial", dir=self.folder))
        except OSError as error:
            raise OutputError(
                f"The folder {self.folder} cannot be written ({error.strerror}); choose another one."
            ) from error
        return self

    def __exit__(self, kind, error, _trace) -> None:
        try:
            if kind is None:
                self._put_in_place()
        except OSError as fault:
            raise OutputError(
                f"The files cannot be put into {self.folder} ({fault.strerror}); nothing was changed."
            ) from fault
        finally:
            shutil.rmtree(self.made, ignore_errors=True)
        if isinstance(error, OSError):
            raise OutputError(
                f"The files cannot be written to {self.folder} ({error.strerror or error}); nothing was left there."
            ) from error

    def _put_in_place(self) -> None:
        old = self.made / "old"
        old.mkdir()
        moved: list[str] = []
        try:
            for name in self._names:
                if os.path.lexists(self.folder / name):
                    (self.folder / name).rename(old / name)
                (self.made / name).rename(self.folder / name)
                moved.append(name)
        except OSError:
            for name in moved:
                (self.folder / name).unlink(missing_ok=True)
            for file in old.iterdir():
                file.rename(self.folder / file.name)
            raise


def existing(folder: str | Path, names: Sequence[str]) -> list[str]:
    """Those of the names that are in the folder already."""
    return [name for name in names if os.path.lexists(Path(folder) / name)]
