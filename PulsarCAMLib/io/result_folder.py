"""A folder of results that appears whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ..core.errors import OutputError
from .atomic import REPLACE, put_in_place
from .partial import PartialFolder
from .plain_files import possible_place, read_json

MARKER = "result.json"
"""The file by which a folder is known as PulsarCAM's own; it lists all the others."""

FORMAT = "PulsarCAM result"


class ResultFolder:
    """Context in which files are made in a hidden folder beside the wanted one; leaving it well puts it in place.

    Attributes:
        folder: where the results will be.
        made: where to write them; exists inside the context only.

    Raises:
        OutputError: on entering, if the folder may not be made or replaced; on leaving, if that fails.
    """

    def __init__(self, folder: str | Path, overwrite: bool = False) -> None:
        self.folder = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow a link that is in the way
        self.made = Path()
        self._overwrite = overwrite
        self._new_parents: list[Path] = []

    def __enter__(self) -> ResultFolder:
        self.check()
        parent = self.folder.parent
        try:
            self._new_parents = [p for p in (parent, *parent.parents) if not p.exists()]
            parent.mkdir(parents=True, exist_ok=True)
            self._partial = PartialFolder(parent, self.folder.name)
            self.made = self._partial.folder
        except OSError as error:
            self._remove_new_parents()
            raise OutputError(f"{parent} cannot be written ({error.strerror}); choose another folder.") from error
        return self

    def __exit__(self, kind, error, _trace) -> None:
        try:
            if kind is None:
                self._put_in_place()
        except OSError as fault:
            raise OutputError(f"{self.folder} cannot be put in place ({fault.strerror}).") from fault
        finally:
            self._partial.remove()
            if not self.folder.exists():
                self._remove_new_parents()
        if isinstance(error, OSError):
            # a library's own text may hold a whole traceback behind its first line
            why = error.strerror or str(error).partition("\n")[0]
            raise OutputError(
                f"The results cannot be written to {self.folder} ({why}); nothing was left there."
            ) from error

    def check(self) -> None:
        """Refuse now what would have to be refused at the end.

        Raises:
            OutputError: something is there that may not be replaced, or nothing may be written there.
        """
        there = next((each for each in self.folder.parents if each.is_dir()), self.folder)
        if not os.access(there, os.W_OK | os.X_OK):
            raise OutputError(f"{there} is protected or read-only; choose another place than {self.folder}.")
        if not os.path.lexists(possible_place(self.folder)) or _is_empty(self.folder):
            return
        if self.folder.is_symlink() or not self.folder.is_dir():
            raise OutputError(f"{self.folder} is in the way and not a folder; choose another name.")
        listed = _listed_files(self.folder)
        if listed is None:
            raise OutputError(
                f"{self.folder} exists and is not a folder of PulsarCAM results, so it is never replaced; "
                "choose another name."
            )
        if not self._overwrite:
            raise OutputError(f"{self.folder} exists already", REPLACE)
        strange = sorted(_files_in(self.folder) - listed)
        if strange:
            raise OutputError(
                f"{self.folder} is not replaced because it holds files that PulsarCAM did not write there "
                f"({', '.join(strange[:3])}{', ...' if len(strange) > 3 else ''}); move them elsewhere first."
            )

    def write_marker(self, facts: dict) -> None:
        """Write ``result.json`` with ``facts`` and the list of all files made until now; to be called last."""
        files = sorted(_files_in(self.made) | {MARKER})
        text = json.dumps({"format": FORMAT, "format_version": 1, **facts, "files": files}, indent=1)
        (self.made / MARKER).write_text(text + "\n", encoding="utf-8")

    def _put_in_place(self) -> None:
        self.check()
        put_in_place(self.made, self.folder)

    def _remove_new_parents(self) -> None:
        for parent in self._new_parents:
            try:
                parent.rmdir()
            except OSError:
                return


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir())


def _files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def _listed_files(folder: Path) -> set[str] | None:
    """What the folder's marker lists; None for a folder that is not PulsarCAM's."""
    try:
        facts = read_json(folder / MARKER)
        return {str(name) for name in facts["files"]} if facts.get("format") == FORMAT else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
