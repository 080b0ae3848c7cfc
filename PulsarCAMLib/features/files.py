"""From a cohort table to a table of features with its reasons and settings: for command line and console alike."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..cohort.tables.table import CohortTable, read_cohort
from ..core.errors import Cancelled, InputError, OutputError
from ..core.vocabulary import GROUPS
from ..io.atomic import FilesTogether, check_place
from .settings import FeatureSettings, read_feature_settings
from .table import compute_features, with_delta
from .values import FeatureTable

KEPT = ".lesions"


class FeatureFiles:
    """A table of features to be made: ``TABLE.csv``, ``TABLE.reasons.csv`` and ``TABLE.settings.json``.

    Attributes:
        output: path of the table.
        cohort: the cohort table; its ``problems`` stop nothing.
        groups: as the names of their features begin.
        kept: folder of finished lesions.

    Args:
        cohort: path of the cohort table.
        output: path of the table to be made; ends with .csv.
        groups: of :data:`..core.vocabulary.GROUPS`; None: all for which the cohort table has columns.
        settings: file of settings, as one is written beside every table; None: the usual ones.
        keep: folder where finished lesions are kept for good; None: beside the table, until it is there.
        overwrite: replace an earlier table when all is done.

    Raises:
        InputError: a table, group or setting that cannot be used.
        OutputError: something is in the way, or the folder cannot be written.
    """

    def __init__(
        self,
        cohort: str | Path,
        output: str | Path,
        groups: Sequence[str] | None = None,
        settings: str | Path | None = None,
        *,
        keep: str | Path | None = None,
        overwrite: bool = False,
    ) -> None:
        self.output = Path(os.path.abspath(output))  # noqa: PTH100 - a link stays where the user put it
        self._names = _check_output(self.output, overwrite)
        self._keep, self._overwrite = keep is not None, overwrite
        self.kept = Path(keep) if keep is not None else self.output.with_name(self.output.name + KEPT)
        if keep is None:
            _check_kept(self.kept)
        self._settings = read_feature_settings(settings) if settings is not None else FeatureSettings()
        self.cohort = read_cohort(cohort)
        self.groups = _groups_of(self.cohort, groups)

    def compute(
        self,
        jobs: int = 1,
        progress: Callable[[float, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> FeatureTable:
        """Compute what is not finished yet; arguments and errors as :func:`.table.compute_features`.

        Raises:
            Cancelled: also on Ctrl-C, where lesions are finished; they are kept.
        """
        with _interrupted(self.kept):
            return compute_features(
                self.cohort, self.groups, self._settings, self.kept, jobs=jobs, progress=progress, cancelled=cancelled
            )

    def write(self, table: FeatureTable, delta: bool = False) -> FeatureTable:
        """Write the three files, all of them or none; what was kept for the next try goes.

        Args:
            table: of :meth:`compute`.
            delta: with how features changed until the second MRI.

        Returns:
            The table as it was written.

        Raises:
            InputError: no lesion could be used.
            OutputError: the files cannot be written.
        """
        _refuse_nothing(table, self.groups, self.kept)
        table = with_delta(table) if delta else table
        people = {row.row: row.key for row in self.cohort.rows}
        contents = (table.as_csv(people), table.reasons_as_csv(), self._settings.as_json(self.groups))
        with FilesTogether(self.output.parent, self._names, overwrite=self._overwrite) as files:
            for name, content in zip(self._names, contents, strict=True):
                (files.made / name).write_bytes(content.encode("utf-8"))
        if not self._keep:
            shutil.rmtree(self.kept, ignore_errors=True)
        return table


def _check_output(output: Path, overwrite: bool) -> list[str]:
    """Names of the three files."""
    if output.suffix.lower() != ".csv":
        raise InputError(f"{output.name} does not say its kind; end the name of the table with .csv.")
    names = [output.name, f"{output.stem}.reasons.csv", f"{output.stem}.settings.json"]
    for name in names:
        check_place(output.with_name(name), overwrite=overwrite)
    return names


def _check_kept(folder: Path) -> None:
    if not os.path.lexists(folder):
        return
    ours = re.compile(r"[0-9a-f]{64}\.json|\..*\.partial")
    if not folder.is_dir() or not all(ours.fullmatch(file.name) for file in folder.iterdir()):
        raise OutputError(f"{folder} is in the way; give the table another name.")


def _groups_of(cohort: CohortTable, asked: Sequence[str] | None) -> tuple[str, ...]:
    """Groups to be computed."""
    unknown = [name for name in asked or () if name not in GROUPS]
    if unknown or (asked is not None and not asked):
        raise InputError(f"There are no features called “{', '.join(unknown)}”; choose from {', '.join(GROUPS)}.")
    there = {"radiomics", "gradients"}
    there |= {"dose"} if any(row.dose for row in cohort.rows) else set()
    there |= {"clinical"} if any(row.clinical for row in cohort.rows) else set()
    missing = [group for group in asked or () if group not in there]
    if missing:
        columns = {"dose": "column dose", "clinical": "column that begins with clinical_"}
        raise InputError(
            f"No row of the table has anything in a {columns[missing[0]]}; fill it in or choose other groups."
        )
    return tuple(group for name, group in GROUPS.items() if name in (asked or there))


@contextmanager
def _interrupted(kept: Path) -> Iterator[None]:
    """Say what an interruption leaves; an empty folder is not left."""
    try:
        yield
    except KeyboardInterrupt:
        if _empty_is_gone(kept):
            raise
        raise Cancelled(
            f"interrupted; no table was written, and the lesions that are finished are kept in {kept}: the same "
            "command goes on from there."
        ) from None
    except Exception:
        _empty_is_gone(kept)
        raise


def _empty_is_gone(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return not folder.exists()
    return True


def _refuse_nothing(table: FeatureTable, groups: tuple[str, ...], kept: Path) -> None:
    wanted = [group for group in groups if group != "clinical"]
    found = {table.group_of(name) for name in table.names}
    if wanted and not found & set(wanted):
        _empty_is_gone(kept)
        why = f" ({table.problems[0]})" if table.problems else ""
        raise InputError(f"None of the {len(table.rows)} rows could be used; put right what is listed{why}.")
