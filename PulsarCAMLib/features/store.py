"""Finished lesions on disk: one small JSON file per lesion and group of features.

A file is called after a hash of all that decides its content (voxels, contour, dose, settings), so it is used again
exactly as long as nothing of it has changed. It holds numbers and reasons, and nobody's name.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..cohort.masks import FIRST, mask_place
from ..cohort.tables.table import CohortRow
from ..core.errors import InputError, OutputError
from ..io.atomic import write_whole
from ..io.hashing import sha256_of
from ..io.plain_files import read_json
from .row import FeatureRow
from .settings import FeatureSettings

FORMAT, FORMAT_VERSION = "PulsarCAM lesion features", 1


@dataclass
class Keys:
    """Names of the files of finished lesions; every input is read once for its hash.

    Attributes:
        settings: of the features.
    """

    settings: FeatureSettings
    _hashes: dict[Path, str] = field(default_factory=dict)

    def key(self, row: CohortRow, group: str, neighbours: Sequence[CohortRow] = ()) -> str:
        """Hash of all that decides a group of features of a row.

        Raises:
            InputError: a file is not there.
        """
        about = [FORMAT_VERSION, group, self.settings.identity(group), self._hash(row.image), row.series]
        about.append(self._mask(row))
        if group == "dose":
            about += [self._hash(row.dose), prescription_of(row), sorted(map(self._mask_if_there, neighbours))]
        return hashlib.sha256(json.dumps(about).encode()).hexdigest()

    def _mask(self, row: CohortRow) -> str:
        place = mask_place(row, FIRST)
        return json.dumps([self._hash(place.path), place.segment, place.label_value])

    def _mask_if_there(self, row: CohortRow) -> str:
        try:
            return self._mask(row)
        except InputError:
            return ""  # it is told in its own row

    def _hash(self, path: Path) -> str:
        if path not in self._hashes:
            try:
                self._hashes[path] = sha256_of(path)
            except OSError as error:
                raise InputError(f"There is no file {path}, or it cannot be read.") from error
        return self._hashes[path]


def prescription_of(row: CohortRow) -> float | None:
    """The prescribed dose that the column ``clinical_prescription_gy`` states."""
    stated = row.clinical.get("prescription_gy")
    if isinstance(stated, str):
        raise InputError(f"“{stated}” in the column clinical_prescription_gy is not a dose in Gy such as 18.")
    return stated


def make_folder(folder: Path) -> None:
    """Make the folder of finished lesions.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} cannot be made ({error.strerror}); choose another place.") from error


def save_lesion(folder: Path, key: str, row: FeatureRow) -> None:
    """Keep a finished lesion.

    Raises:
        OutputError: the disk is full, or the folder cannot be written.
    """
    content = {"format": FORMAT, "key": key, "values": dict(row), "reasons": row.reasons}
    write_whole(folder / f"{key}.json", json.dumps(content).encode(), overwrite=True)


def saved_lesion(folder: Path, key: str) -> FeatureRow | None:
    """A finished lesion; None where there is none, or its file is damaged."""
    try:
        content = read_json(folder / f"{key}.json")
        if content["format"] != FORMAT or content["key"] != key:
            return None
        row = FeatureRow()
        for name, value in content["values"].items():
            row.put(name, math.nan if value is None else float(value), content["reasons"].get(name, ""))
        return row
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
