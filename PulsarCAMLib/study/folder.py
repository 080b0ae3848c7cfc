"""The folder of a study: its description, what may lie in it, and who may write to it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from ..core.errors import InputError, OutputError
from ..io.locking import LOCK
from ..io.plain_files import is_file, is_folder, possible_place, read_json

FORMAT, FORMAT_VERSION = "PulsarCAM study", 1
STUDY, LESIONS, SAMPLES, NUMBERS = "study.json", "lesions.csv", "samples.npz", "numbers.csv"
FINISHED = "features"
"""Where the features of finished lesions are."""


def read_facts(folder: Path) -> dict[str, Any] | None:
    """``study.json``; None where there is none.

    Raises:
        InputError: it is damaged or of another version.
    """
    path = Path(folder) / STUDY
    if not path.is_file():
        return None
    try:
        facts = read_json(path)
        if facts["format"] != FORMAT or facts["format_version"] != FORMAT_VERSION:
            raise ValueError("another format")
        return {**facts, "settings": dict(facts["settings"]), "sha256": dict(facts["sha256"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged or of another version; run the study in another folder.") from error


def check_folder(folder: Path) -> None:
    """Refuse now what :func:`make_folder` would have to refuse when the cohort has been read.

    Raises:
        OutputError: something is there that is neither a study nor empty.
    """
    if os.path.lexists(possible_place(folder)) and not is_file(folder / STUDY):
        if not is_folder(folder):
            raise OutputError(f"{folder} is in the way and no folder; choose another name.")
        make_folder(folder)


def make_folder(folder: Path) -> None:
    """Make it, or take one that is empty or was left half begun.

    Raises:
        OutputError: it cannot be made, or holds something else.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = [path for path in folder.iterdir() if not _ours(path)]
    except OSError as error:
        raise OutputError(f"The study's folder {folder} cannot be made ({error.strerror}); choose another.") from error
    if others:
        raise OutputError(f"{folder} has other files in it and is no study; choose a new or empty folder.")


def _ours(path: Path) -> bool:
    """Whether a study that was stopped before its description was written leaves this."""
    if path.name == FINISHED and path.is_dir():
        kept = re.compile(r"[0-9a-f]{64}\.json|\..*\.partial")
        return all(kept.fullmatch(each.name) for each in path.iterdir())
    return path.name in (LESIONS, SAMPLES, NUMBERS, LOCK) or path.suffix == ".partial"


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Write ``study.json``."""
    write_text(folder / STUDY, json.dumps(facts, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    from ..io.atomic import write_durably

    write_durably(path, text.encode())
