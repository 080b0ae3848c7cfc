"""The features of a study's lesions, read from its two files once per process."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...core.errors import InputError
from ...core.vocabulary import BASELINE, SECOND
from ..gradient_table import is_diagnostic
from ..values import DELTA, FeatureTable, excluded_by_gradient_index, group_of, read_features


@dataclass(frozen=True, eq=False)
class LesionFeatures:
    """Features by lesion of a study.

    Attributes:
        table: as it was read.
        names: of the features, sorted, so that their order in the file decides nothing.
        rows: time point to int ``[L]``, rows of the cohort table.
        values: time point to ``[L, p]``; NaN where a feature has no value, all NaN where the lesion has no such MRI.
    """

    table: FeatureTable
    names: tuple[str, ...]
    rows: dict[str, np.ndarray]
    values: dict[str, np.ndarray]

    def columns(self, groups: Sequence[str], delta: bool, diagnostics: bool = False) -> np.ndarray:
        """Indices of the columns of some groups, diagnostics left out; with ``delta`` also of how they changed."""
        own = [group_of(name) in groups and (delta or not name.startswith(DELTA)) for name in self.names]
        return np.flatnonzero(np.array(own, bool) & [diagnostics or not is_diagnostic(name) for name in self.names])

    def digest(self, columns: np.ndarray) -> str:
        """Hash of some columns and of which lesions have which MRI; other columns may come and go."""
        found = hashlib.sha256("|".join(self.names[at] for at in columns).encode())
        for point in sorted(self.values):
            found.update(np.ascontiguousarray(self.rows[point], dtype=np.int64).tobytes())
            found.update(np.ascontiguousarray(self.values[point][:, columns]).tobytes())
        return found.hexdigest()

    def excluded(self, limit: float) -> np.ndarray:
        """bool ``[L]``, see :func:`..values.excluded_by_gradient_index`.

        Raises:
            InputError: there is no gradient index.
        """
        rows = self.table.rows[excluded_by_gradient_index(self.table, limit)]
        return np.any([np.isin(own, rows) for own in self.rows.values()], axis=0)


def lesion_features(features_csv: Path, lesions_csv: Path) -> LesionFeatures:
    """Reads both files, or remembers them while they stay as they are.

    Args:
        features_csv: of :meth:`..values.FeatureTable.save`.
        lesions_csv: of :meth:`~PulsarCAMLib.cohort.study_lesions.StudyLesions.to_csv`.

    Raises:
        InputError: a file is missing or damaged.
    """
    return _read(Path(features_csv), _state(features_csv), Path(lesions_csv), _state(lesions_csv))


def _state(path: Path) -> tuple[int, int, int]:
    try:
        found = Path(path).stat()
    except OSError as error:
        raise InputError(f"The study's table {path} is missing; run the study anew.") from error
    return found.st_mtime_ns, found.st_size, found.st_ino


@lru_cache(maxsize=2)
def _read(features_csv: Path, _: tuple, lesions_csv: Path, __: tuple) -> LesionFeatures:
    from ...cohort.study_lesions import StudyLesions

    table, lesions = read_features(features_csv), StudyLesions.from_csv(lesions_csv)
    order = sorted(range(len(table.names)), key=table.names.__getitem__)
    known = {
        (row, point): at for at, (row, point) in enumerate(zip(table.rows.tolist(), table.time_points, strict=True))
    }
    values = {}
    for point in (BASELINE, SECOND):
        values[point] = np.full((len(lesions), len(order)), np.nan)
        for lesion, row in enumerate(lesions.rows[point].tolist()):
            if (row, point) in known:
                values[point][lesion] = table.values[known[row, point], order]
        values[point].flags.writeable = False
    return LesionFeatures(table, tuple(table.names[at] for at in order), lesions.rows, values)
