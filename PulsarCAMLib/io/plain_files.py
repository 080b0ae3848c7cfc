"""What lies at a path, before anything opens it: only ordinary files and folders are read.

A named pipe would block for ever, a device never ends, and a path may be longer than the system allows; each is told in
one sentence. Questions that only want yes or no (:func:`is_file`, :func:`is_folder`, :func:`is_there`) never raise.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

from ..core.errors import InputError, OutputError, PulsarCAMError
from ..core.visible import shortened, visible

SHOWN = 320
"""Most characters of a path that a sentence repeats."""

LONGEST_NAME = 255
"""Bytes of one name; more than the usual file systems take."""

_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def is_file(path: str | os.PathLike) -> bool:
    """Whether an ordinary file is there, also behind a link; False for a path that no system could have."""
    return _mode(path, stat.S_ISREG)


def is_folder(path: str | os.PathLike) -> bool:
    """Whether a folder is there, also behind a link; False for a path that no system could have."""
    return _mode(path, stat.S_ISDIR)


def is_same(path: str | os.PathLike, other: str | os.PathLike) -> bool:
    """Whether two paths lead to one and the same file; False where nothing is."""
    try:
        return Path(path).samefile(other)
    except (OSError, ValueError):
        return False


def is_there(path: str | os.PathLike) -> bool:
    """Whether anything is there, also behind a link; False for a path that no system could have."""
    return _mode(path, lambda mode: True)


def _mode(path: str | os.PathLike, asked: Any) -> bool:
    try:
        return bool(asked(Path(path).stat().st_mode))
    except (OSError, ValueError):
        return False


def why_not_plain(path: str | os.PathLike, what: str = "file", *, linked: bool = True, folder: bool = False) -> str:
    """Why a path is not one ordinary file, as a sentence; empty where it is.

    Args:
        path: to be read.
        what: belongs there, as in "table": "There is no table ...".
        linked: whether a link to such a file will do.
        folder: whether a folder will do, too.
    """
    shown = shown_path(path)
    try:
        found = Path(path).stat() if linked else Path(path).lstat()
    except ValueError:
        return f"There is no {what} {shown}: no path can have these characters; give another one."
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            shown = shortened(shown, SHOWN // 3)
            return f"There is no {what} {shown}: the path is longer than the system allows; shorten it."
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return f"There is no {what} {shown}."
        return f"The {what} {shown} cannot be read ({error.strerror}); choose another one."
    if stat.S_ISREG(found.st_mode) or (folder and stat.S_ISDIR(found.st_mode)):
        return ""
    if stat.S_ISLNK(found.st_mode):
        return f"The {what} {shown} is a link, which is not followed; put the file itself there."
    if stat.S_ISDIR(found.st_mode):
        return f"{shown} is a folder, not a {what}; name the {what} itself."
    kind = next((name for asked, name in _KINDS if asked(found.st_mode)), "no ordinary file")
    return f"{shown} is {kind}, not a {what}; choose an ordinary file."


def possible_place(path: str | os.PathLike) -> Path:
    """The path, if the system could have something there; whether it may be written is another question.

    Raises:
        OutputError: the path or a name in it is too long, has characters that no name can have, or leads through a file
            or in a circle.
    """
    shown = shown_path(path)
    try:
        if any(len(os.fsencode(part)) > LONGEST_NAME for part in Path(path).parts):
            raise OSError(errno.ENAMETOOLONG, "")
        Path(path).lstat()
    except ValueError as error:
        raise OutputError(f"{shown} cannot be written: no path can have these characters.") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            shown = shortened(shown, SHOWN // 3)
            raise OutputError(f"{shown} cannot be written: it is longer than the system allows; shorten it.") from error
        if error.errno != errno.ENOENT:
            raise OutputError(f"{shown} cannot be written ({error.strerror}); choose another place.") from error
    return Path(path)


def plain_file(
    path: str | os.PathLike,
    what: str = "file",
    error: type[PulsarCAMError] = InputError,
    *,
    linked: bool = True,
    folder: bool = False,
) -> Path:
    """The path, if an ordinary file is there; arguments as :func:`why_not_plain`.

    Raises:
        PulsarCAMError: ``error``, in one sentence: nothing there, a folder, a pipe, a device, a path too long.
    """
    problem = why_not_plain(path, what, linked=linked, folder=folder)
    if problem:
        raise error(problem)
    return Path(path)


def read_plain(
    path: str | os.PathLike,
    what: str = "file",
    error: type[PulsarCAMError] = InputError,
    *,
    at_most: int,
    linked: bool = True,
) -> bytes:
    """Everything in an ordinary file, if it has at most so many bytes.

    Raises:
        PulsarCAMError: ``error``, in one sentence.
    """
    path = plain_file(path, what, error, linked=linked)
    try:
        content = _content(path, at_most)
    except OSError as fault:
        raise error(f"The {what} {shown_path(path)} cannot be read ({fault.strerror}); choose another one.") from fault
    if len(content) > at_most:
        raise error(f"The {what} {shown_path(path)} has more than {_size(at_most)}; is it the right file?")
    return content


def _content(path: Path, at_most: int) -> bytes:
    """The bytes of a file, or one more than so many; memory is taken for what there is, not for the limit."""
    with path.open("rb") as file:
        return file.read(1 + min(at_most, os.fstat(file.fileno()).st_size))


def read_json(path: str | os.PathLike, *, at_most: int = 64 << 20) -> Any:
    """The JSON value of a file that PulsarCAM may have written itself, in UTF-8.

    Raises:
        OSError: it cannot be read, or is no ordinary file.
        ValueError: it is no JSON, too large, or nested deeper than anything that PulsarCAM writes.
    """
    if not is_file(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), shown_path(path))
    content = _content(Path(path), at_most)
    if len(content) > at_most:
        raise ValueError(f"more than {_size(at_most)}")
    return json_value(content.decode("utf-8"))


def json_value(text: str) -> Any:
    """The JSON value of a text.

    Raises:
        ValueError: it is no JSON, or nested too deeply.

    Examples:
        >>> json_value("[1, 2]")
        [1, 2]
        >>> json_value("[" * 100_000)
        Traceback (most recent call last):
            ...
        ValueError: nested too deeply
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def shown_path(path: str | os.PathLike) -> str:
    """A path for a sentence: control characters visible, and no longer than anybody reads."""
    return shortened(visible(os.fspath(path)), SHOWN)


def _size(count: int) -> str:
    return f"{count >> 20} MB" if count >= 1 << 20 else f"{count} bytes"
