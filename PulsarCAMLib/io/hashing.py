"""Which input a result was made from, without saying whose."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Hash of a file, or of the sorted hashes of the files of a folder and those in it."""
    if path.is_dir():
        each = sorted(sha256_of(p) for p in path.rglob("*") if p.is_file())
        return hashlib.sha256("".join(each).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
