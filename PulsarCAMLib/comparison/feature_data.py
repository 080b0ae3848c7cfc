"""The features of a study's lesions, read from its two files once per process."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..cohort.columns import BASELINE, SECOND
from ..errors import InputError

GROUPS = ("radiomics", "gradient", "dose", "clinical")
DELTA = "delta"
GRADIENT_INDEX = "dose_gradient_index"
KEYS = ("row", "time_point")


@dataclass(frozen=True, eq=False)
class LesionFeatures:
    """Features by lesion.

    Attributes:
        names: of the columns, sorted, so that their order in the file decides nothing.
        values: time point to ``[L, p]``; NaN where a feature has no value, all NaN where the lesion has no such MRI.
    """

    names: tuple[str, ...]
    values: dict[str, np.ndarray]

    def columns(self, groups: Sequence[str], delta: bool) -> np.ndarray:
        """Indices of the columns of some groups; with ``delta`` also of how they changed."""
        starts = tuple(f"{group}_" for group in groups)
        if delta:
            starts += tuple(f"{DELTA}_{start}" for start in starts)
        return np.array([at for at, name in enumerate(self.names) if name.startswith(starts)], dtype=int)

    def gradient_index(self) -> np.ndarray | None:
        """``[L]``, the largest of a lesion's MRIs, NaN where it is not known; None without such a column."""
        if GRADIENT_INDEX not in self.names:
            return None
        found = np.stack([values[:, self.names.index(GRADIENT_INDEX)] for values in self.values.values()])
        highest = np.where(np.isnan(found), -np.inf, found).max(axis=0)
        return np.where(np.isfinite(highest), highest, np.nan)


def lesion_features(features_csv: Path, lesions_csv: Path) -> LesionFeatures:
    """Reads both files, or remembers them while they stay as they are.

    Args:
        features_csv: one line per MRI of a lesion: ``row``, ``time_point``, then features by name; empty: no value.
        lesions_csv: one line per lesion with ``baseline_row`` and ``second_row``; empty: no such MRI.

    Raises:
        InputError: a file is missing or damaged.
    """
    return _read(Path(features_csv), _state(features_csv), Path(lesions_csv), _state(lesions_csv))


def content_hash(path: Path) -> str:
    """Hash of a file, computed anew only when the file was written to."""
    return _hash(Path(path), _state(path))


def _state(path: Path) -> tuple[int, int, int]:
    try:
        found = Path(path).stat()
    except OSError as error:
        raise _damaged(path) from error
    return found.st_mtime_ns, found.st_size, found.st_ino


@lru_cache(maxsize=8)
def _hash(path: Path, state: tuple[int, int, int]) -> str:
    from ..files.hashing import sha256_of

    return sha256_of(path)


@lru_cache(maxsize=2)
def _read(features_csv: Path, _: tuple, lesions_csv: Path, __: tuple) -> LesionFeatures:
    names, by_row = _features(features_csv)
    lines = _lines(lesions_csv)
    values = {}
    for point in (BASELINE, SECOND):
        values[point] = np.full((len(lines), len(names)), np.nan)
        for lesion, line in enumerate(lines):
            row = line.get(f"{point}_row")
            if row and (int(row), point) in by_row:
                values[point][lesion] = by_row[int(row), point]
        values[point].flags.writeable = False
    return LesionFeatures(names, values)


def _features(path: Path) -> tuple[tuple[str, ...], dict[tuple[int, str], list[float]]]:
    lines = _lines(path)
    if lines and not all(key in lines[0] for key in KEYS):
        raise _damaged(path)
    names = sorted(name for name in (lines[0] if lines else ()) if name not in KEYS)
    try:
        found = {
            (int(line["row"]), line["time_point"]): [float(line[name] or "nan") for name in names] for line in lines
        }
    except (TypeError, ValueError) as error:
        raise _damaged(path) from error
    return tuple(names), found


def _lines(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> InputError:
    return InputError(f"The study's table {path} is missing or damaged; run the study anew.")
