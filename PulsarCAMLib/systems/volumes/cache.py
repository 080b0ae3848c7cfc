"""What was made of a case's images, kept in a folder that the user names, so that it is made once.

Off unless the environment variable :data:`FOLDER_VARIABLE` names a folder: nothing made from a patient's images is left
anywhere unasked. A file is called after a hash of all that decides its content (voxels, places, masks, transforms,
settings, versions), so it is used again exactly as long as nothing of it has changed; it holds nobody's name. Processes
and machines may share a folder: files appear whole or not at all, and who comes second waits for the first. When the
folder grows beyond its limit the files that were not used for longest go.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.errors import InputError, OutputError
from ...io.atomic import replace_file

if TYPE_CHECKING:
    from ...core.case import Case

FOLDER_VARIABLE, LIMIT_VARIABLE = "PULSARCAM_CACHE", "PULSARCAM_CACHE_GB"
USUAL_LIMIT_GB = 20.0
ENDING = ".volumes.npz"

VERSION = 2
"""Raised whenever the same case and settings give other volumes, or other sentences on them, than before."""

PATIENCE_SECONDS = 900.0
"""How long another process is waited for before the work is done here as well."""

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Cache:
    """A folder of finished work.

    Attributes:
        folder: None keeps nothing.
        limit_bytes: of all files together.
    """

    folder: Path | None = None
    limit_bytes: int = int(USUAL_LIMIT_GB * 1e9)

    @classmethod
    def here(cls) -> Cache:
        """As the environment says, which other processes inherit.

        Raises:
            InputError: the limit is no number.
            OutputError: the folder cannot be made.
        """
        named = os.environ.get(FOLDER_VARIABLE, "")
        if not named:
            return cls()
        text = os.environ.get(LIMIT_VARIABLE, "") or str(USUAL_LIMIT_GB)
        try:
            limit = float(text)
        except ValueError:
            limit = -1.0
        if not 0 < limit < 1e6:
            raise InputError(f"{LIMIT_VARIABLE} is {text!r}; it must be a number of gigabytes such as 20.")
        folder = Path(named)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"The folder {folder} that {FOLDER_VARIABLE} names cannot be made ({error.strerror}); name another one."
            ) from error
        return cls(folder, int(limit * 1e9))

    def remembered(self, key: Callable[[], str], make: Callable[[], Arrays]) -> Arrays:
        """What was made before under this key, else what is made now.

        Args:
            key: gives a hash of all that decides the arrays; only called where a folder is named.
            make: makes them.
        """
        if self.folder is None:
            return make()
        file = self.folder / f"{key()}{ENDING}"
        found = _read(file)
        if found is not None:
            return found
        with _alone(file):
            found = _read(file)
            if found is None:
                found = make()
                self._keep(file, found)
        return found

    def _keep(self, file: Path, arrays: Arrays) -> None:
        """Keep arrays if there is room; a full disk stops no work."""
        content = io.BytesIO()
        np.savez(content, **arrays)  # type: ignore[arg-type]  # names are keywords
        value = content.getvalue()
        if len(value) > self.limit_bytes:
            return
        try:
            self._make_room(len(value))
            replace_file(file, value)
        except OSError:
            return

    def _make_room(self, wanted: int) -> None:
        assert self.folder is not None
        files = []
        for each in self.folder.glob(f"*{ENDING}"):
            try:
                files.append((each.stat().st_mtime, each.stat().st_size, each))
            except OSError:
                continue  # another process took it away
        total = sum(size for _, size, _ in files) + wanted
        for _, size, each in sorted(files, key=lambda item: (item[0], item[2].name)):
            if total <= self.limit_bytes:
                return
            each.unlink(missing_ok=True)
            total -= size


def key_of(what: str, case: Case, about: Any) -> str:
    """Hash of a case and of whatever else decides.

    Args:
        what: kind of work.
        case: images and transforms; a lesion that decides is told in ``about``.
        about: JSON values: settings, roles, versions.
    """
    found = hashlib.sha256(json.dumps([VERSION, what, about, case.reference], sort_keys=True).encode())
    for name, image in sorted(case.images.items()):
        place = image.geometry
        told = [name, image.voxels.dtype.str, place.shape, place.spacing, place.origin, place.direction]
        found.update(json.dumps(told).encode())
        found.update(np.ascontiguousarray(image.voxels).data)
    for name, matrix in sorted(case.transforms.items()):
        found.update(json.dumps([name, np.asarray(matrix, dtype=float).tolist()]).encode())
    return found.hexdigest()


def sha256_of_mask(mask: np.ndarray) -> str:
    """Hash of a bool array."""
    return hashlib.sha256(np.packbits(mask).tobytes()).hexdigest()


def as_array(values: Any) -> np.ndarray:
    """JSON values as an array, to lie beside others."""
    return np.frombuffer(json.dumps(values).encode(), dtype=np.uint8)


def from_array(array: np.ndarray) -> Any:
    """The values of :func:`as_array`."""
    return json.loads(array.tobytes().decode())


@contextmanager
def kept_in(folder: Path | None) -> Iterator[None]:
    """Within, results are kept in this folder, also by processes that begin within; None changes nothing."""
    before = os.environ.get(FOLDER_VARIABLE)
    if folder is None:
        yield
        return
    os.environ[FOLDER_VARIABLE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(FOLDER_VARIABLE, None)
        else:
            os.environ[FOLDER_VARIABLE] = before


def _read(file: Path) -> Arrays | None:
    """Arrays of a file, which counts as used from now; None where there is none, or it is damaged."""
    try:
        with np.load(file, allow_pickle=False) as kept:
            found: Mapping[str, np.ndarray] = {name: kept[name] for name in kept.files}
        os.utime(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return dict(found)


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Nobody else makes this file meanwhile; after a long wait, or where there are no locks, it is made twice."""
    try:
        from filelock import FileLock, Timeout
    except ImportError:
        yield
        return
    lock = FileLock(file.with_name(f".{file.name[:24]}.lock"), timeout=PATIENCE_SECONDS)
    try:
        lock.acquire()
    except (Timeout, OSError):
        yield
        return
    try:
        yield
    finally:
        lock.release()
