"""Installing model bundles for this user, and removing them: whole or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO

from ...core.errors import BundleError, OutputError, PulsarCAMError
from ...core.visible import shortened, visible
from ...io.partial import PartialFolder
from ...io.plain_files import is_folder, plain_file, shown_path, why_not_plain
from .bundle import CARD_FILE, SHIPPED, ModelBundle, installed_bundles, load_bundle, user_folder
from .card import ModelCard

LARGEST_BYTES = 1 << 30
"""Of one bundle after unpacking."""

LARGEST_TEXT_BYTES = 4 << 20
"""Of a card, and of all texts together."""

MOST_ENTRIES = 1000
TEXTS = (".md", ".txt", ".pdf", ".cff")
"""Files beside card and weights that are kept too: licence, description."""

_CHUNK = 1 << 20


def install_bundle(path: str | os.PathLike, *, overwrite: bool = False) -> str:
    """Check a bundle and copy it to the user's models.

    Only the card, its weights and small text files are taken; nothing in a bundle is executed.

    Args:
        path: the bundle's folder, or a zip file that holds one bundle.
        overwrite: replace an installed model of the same name.

    Returns:
        The name by which it is found.

    Raises:
        BundleError: it is no valid bundle, too large, or a model of that name is there already.
        OutputError: the user's folder of models cannot be written.
    """
    path = Path(path)
    if is_folder(path):
        return _install(path, lambda made: _copy_folder(path, made), overwrite)
    if not zipfile.is_zipfile(plain_file(path, "model bundle", BundleError)):
        raise BundleError(f"{path} is neither a folder nor a zip file; choose the bundle's folder or its zip file.")
    return _install(path, lambda made: _unpack(path, made), overwrite)


def remove_bundle(name: str) -> None:
    """Delete one of the user's models.

    Raises:
        BundleError: there is no such model, or it comes with PulsarCAM.
        OutputError: it cannot be deleted.
    """
    folder = installed_bundles().get(name)
    if folder is None:
        raise BundleError(f"There is no model “{name}”.")
    if not is_removable(name):
        raise BundleError(f"The model “{name}” comes with PulsarCAM and cannot be removed.")
    try:
        waste = Path(tempfile.mkdtemp(prefix=".removed-", dir=folder.parent))
        folder.rename(waste / folder.name)
        shutil.rmtree(waste, ignore_errors=True)
    except OSError as error:
        raise OutputError(f"The model “{name}” cannot be removed from {folder.parent} ({error.strerror}).") from error


def is_removable(name: str) -> bool:
    """Whether a model is the user's own."""
    folder = installed_bundles().get(name)
    return folder is not None and folder.parent != SHIPPED


def _install(source: Path, copy: Callable[[Path], None], overwrite: bool) -> str:
    target = user_folder()
    try:
        target.mkdir(parents=True, exist_ok=True)
        partial = PartialFolder(target, "installing")
    except OSError as error:
        raise OutputError(f"Models cannot be installed in {target} ({error.strerror}).") from error
    try:
        copy(partial.folder)
        bundle = load_bundle(partial.folder)
        _put_in_place(bundle, target / bundle.card.name, overwrite)
    except OSError as error:
        raise OutputError(f"The model cannot be copied from {source} ({error.strerror or error}).") from error
    finally:
        partial.remove()
    return bundle.card.name


def _put_in_place(bundle: ModelBundle, folder: Path, overwrite: bool) -> None:
    name = bundle.card.name
    if name in installed_bundles() and not overwrite:
        raise BundleError(f"A model called “{name}” is installed already; remove it first.")
    bundle.folder.chmod(0o755)
    old = None
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=".replaced-", dir=folder.parent)) / name
        folder.rename(old)
    try:
        bundle.folder.rename(folder)
    except OSError:
        if old is not None:
            old.rename(folder)
        raise
    finally:
        if old is not None:
            shutil.rmtree(old.parent, ignore_errors=True)


def _copy_folder(source: Path, made: Path) -> None:
    def entries() -> Iterator[tuple[str, Callable]]:
        """Ordinary files; what a link leads to is not the bundle's own."""
        for file in sorted(islice(source.iterdir(), MOST_ENTRIES + 1)):
            if not why_not_plain(file, linked=False):
                yield file.name, lambda file=file: file.open("rb")

    files = dict(entries())
    if len(files) > MOST_ENTRIES:
        raise BundleError(f"{source} holds more than {MOST_ENTRIES} files, which is no model bundle.")
    _take(files, made, str(source))


def _unpack(path: Path, made: Path) -> None:
    """From a zip file: the files beside its one card, read piece by piece, whatever its header says of sizes.

    Raises:
        BundleError: there is not exactly one card, or the file is damaged.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            files = [i for i in packed.infolist() if not i.is_dir() and not _is_link(i)]
            if len(files) > MOST_ENTRIES:
                raise BundleError(f"{path.name} holds {len(files)} files, which is no model bundle.")
            cards = [i for i in files if PurePosixPath(i.filename).name == CARD_FILE]
            if len(cards) != 1:
                raise BundleError(f"{path.name} must hold one {CARD_FILE}; it holds {len(cards)}.")
            folder = PurePosixPath(cards[0].filename).parent
            beside = [i for i in files if PurePosixPath(i.filename).parent == folder]
            _take({PurePosixPath(i.filename).name: partial(packed.open, i) for i in beside}, made, path.name)
    except (PulsarCAMError, MemoryError):
        raise
    except Exception as error:  # zipfile, zlib, bz2 and lzma raise many kinds for damaged files
        what = shortened(visible(str(error)))
        raise BundleError(
            f"{shown_path(path.name)} is damaged or encrypted and cannot be unpacked ({what})."
        ) from error


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def _take(files: dict[str, Callable[[], IO[bytes]]], made: Path, source: str) -> None:
    """Copy card, weights and texts into ``made``; only bare file names are ever written."""
    if CARD_FILE not in files:
        raise BundleError(f"{source} holds no {CARD_FILE}; choose the folder of a model bundle.")
    _write(files[CARD_FILE], made / CARD_FILE, LARGEST_TEXT_BYTES, source)
    weights = ModelCard.read(made / CARD_FILE).fields["weights"]["file"]
    if weights not in files:
        raise BundleError(f"{source} lacks the weights that its card names, {weights}.")
    _write(files[weights], made / weights, LARGEST_BYTES, source)
    left = LARGEST_TEXT_BYTES
    for name, opened in files.items():
        if Path(name).suffix.lower() in TEXTS and Path(name).name == name and "\\" not in name:
            left = _write(opened, made / name, left, source)


def _write(opened: Callable[[], IO[bytes]], path: Path, limit: int, source: str) -> int:
    """Copy a file of at most ``limit`` bytes; how many of them are left."""
    with _reading(opened) as file, path.open("xb") as copy:
        left = limit
        while piece := file.read(_CHUNK):
            left -= len(piece)
            if left < 0:
                raise BundleError(f"{path.name} makes {source} larger than any model; it was not installed.")
            copy.write(piece)
    return left


@contextmanager
def _reading(opened: Callable[[], IO[bytes]]) -> Iterator[IO[bytes]]:
    file = opened()
    try:
        yield file
    finally:
        file.close()
