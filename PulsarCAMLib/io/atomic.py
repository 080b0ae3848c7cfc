"""In place or not at all: one file, several files in a folder, or a whole folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..core.errors import Cure, OutputError
from .partial import PartialFolder
from .plain_files import is_file, is_folder, possible_place, shown_path

REPLACE = Cure("choose another name", "or add --overwrite to replace it")
"""What to do about something that is in the way and may be replaced: nothing is without being asked, anywhere."""


def check_place(path: str | Path, *, overwrite: bool = False) -> Path:
    """Refuse now what would have to be refused after the work.

    Raises:
        OutputError: the file exists and may not be replaced, or its folder cannot be written.
    """
    path = possible_place(path)
    if is_folder(path):
        raise OutputError(f"{shown_path(path)} is a folder; choose a file name in it.")
    if os.path.lexists(path) and not (path.is_symlink() or is_file(path)):
        raise OutputError(f"{shown_path(path)} is in the way and no ordinary file; choose another name.")
    if os.path.lexists(path) and not overwrite:
        raise OutputError(f"{shown_path(path)} exists already", REPLACE)
    if not is_folder(path.parent):
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
    try:
        replace_file(path, content)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}); choose another place.") from error
    return path


def replace_file(path: Path, content: bytes, *, durably: bool = False) -> None:
    """Put ``content`` at ``path``: who reads it meanwhile sees the old file or the new one, never half of it.

    Args:
        path: of the file, replaced if it is there; its folder must exist.
        content: the whole file.
        durably: also after a power cut; slower.

    Raises:
        OSError: it cannot be written; the old file is as it was.
    """
    with replacing_file(path, durably=durably) as file:
        file.write(content)


def write_durably(path: Path, content: bytes) -> None:
    """Put a training's or study's ``content`` at ``path``: a crash or power cut leaves the old file or the new one.

    Raises:
        OutputError: the disk is full or the folder cannot be written; the old file is as it was.
    """
    try:
        replace_file(path, content, durably=True)
    except OSError as error:
        raise OutputError(
            f"This run cannot be saved to {path} ({error.strerror}); make room there and continue it."
        ) from error


@contextmanager
def replacing_file(path: Path, *, durably: bool = False) -> Iterator[BinaryIO]:
    """Context with a file to write into; leaving it well puts it at ``path``, as :func:`replace_file` does.

    Raises:
        OSError: it cannot be written; the old file is as it was.
    """
    descriptor, made = tempfile.mkstemp(prefix=f".{path.name[:32]}.", suffix=".partial", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            if durably:
                file.flush()
                os.fsync(file.fileno())
        if not durably:  # what is durable is a run's own affair, and private until it has ended
            Path(made).chmod(0o666 & ~_umask())
        Path(made).replace(path)
        if durably:
            _sync_folder(path.parent)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """The name's change is on the disk only when its folder is; Windows has no such thing."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
            self._partial = PartialFolder(self.folder, "pulsarcam")
            self.made = self._partial.folder
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
            self._partial.remove()
        if isinstance(error, OSError):
            raise OutputError(
                f"The files cannot be written to {self.folder} ({error.strerror or error}); nothing was left there."
            ) from error

    def _put_in_place(self) -> None:
        old = self.made / "old"
        old.mkdir()
        moved: list[str] = []
        new_folders: list[Path] = []
        try:
            for name in self._names:
                place = self.folder / name
                if not place.parent.exists():
                    place.parent.mkdir()  # names are at most one folder deep
                    new_folders.append(place.parent)
                if os.path.lexists(place):
                    (old / name).parent.mkdir(exist_ok=True)
                    place.rename(old / name)
                (self.made / name).rename(place)
                moved.append(name)
        except OSError:
            for name in moved:
                (self.folder / name).unlink(missing_ok=True)
            for name in self._names:
                if os.path.lexists(old / name):
                    (old / name).rename(self.folder / name)
            for folder in new_folders:
                folder.rmdir()
            raise


def existing(folder: str | Path, names: Sequence[str]) -> list[str]:
    """Those of the names that are in the folder already."""
    return [name for name in names if os.path.lexists(Path(folder) / name)]


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


@contextmanager
def whole_folder(folder: Path, mode: int = 0o755) -> Iterator[Path]:
    """Context with a hidden folder beside the wanted one; leaving it well puts it in place, an error leaves nothing.

    Args:
        folder: where it shall be; one that is there is replaced. Folders above it are made.
        mode: permissions of the finished folder.

    Raises:
        OSError: it cannot be made or renamed; what was there is there again.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = PartialFolder(folder.parent, folder.name)
    try:
        yield partial.folder
        partial.folder.chmod(mode)
        put_in_place(partial.folder, folder)
    finally:
        partial.remove()
