"""Tables as CSV: UTF-8, a header line with units in the columns' names, point as decimal sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..core.progress import IsCancelled, OnProgress, silent
from ..explanation.inputs import input_table
from ..explanation.tables import sample_table, unit_table
from ..io.csv_files import csv_text
from .contract import Content

if TYPE_CHECKING:
    from ..agreement.folder import AgreementTables


@dataclass(frozen=True)
class UnitTables:
    """One row per unit and map, and one row per sample."""

    title = "writing tables, regions"

    def names(self, content: Content) -> list[str]:
        """See :class:`.contract.Output`."""
        return [f"{content.prefix}{content.result.task.unit}s.csv", f"{content.prefix}slices.csv"]

    def write(
        self,
        folder: Path,
        content: Content,
        on_progress: OnProgress = silent,
        is_cancelled: IsCancelled | None = None,
    ) -> None:
        """See :class:`.contract.Output`."""
        on_progress(0, "Writing tables")
        units, samples = (folder / name for name in self.names(content))
        write_table(units, rows_of(content))
        write_table(samples, sample_table(content.result))


def rows_of(content: Content) -> list[dict]:
    """One row per unit and map."""
    found = [
        unit_table(content.result, shown.method, shown.target, shown.threshold, shown.margin_mm, shown.input)
        for shown in content.measured
    ]
    return [row for rows in found for row in rows]


@dataclass(frozen=True)
class InputTables:
    """How much every input matters, one row per unit, method, class and input, where methods have maps of each."""

    title = "writing tables, regions"

    def names(self, content: Content) -> list[str]:
        """See :class:`.contract.Output`."""
        several = any(content.result.inputs_of(method) for method in content.result.units[0].methods)
        return [f"{content.prefix}inputs.csv"] if several else []

    def write(
        self,
        folder: Path,
        content: Content,
        on_progress: OnProgress = silent,
        is_cancelled: IsCancelled | None = None,
    ) -> None:
        """See :class:`.contract.Output`."""
        for name in self.names(content):
            on_progress(0, "Writing tables")
            write_table(folder / name, input_table(content.result))


@dataclass(frozen=True)
class ComparisonTables:
    """What the maps go with, and where they lie, where that was compared."""

    title = "writing tables, regions"

    def names(self, content: Content) -> list[str]:
        """See :class:`.contract.Output`."""
        if content.comparison is None:
            return []
        overlaps = ("overlaps",) if content.comparison.others else ()
        return [f"{content.prefix}{name}.csv" for name in ("agreement", "shells", *overlaps)]

    def write(
        self,
        folder: Path,
        content: Content,
        on_progress: OnProgress = silent,
        is_cancelled: IsCancelled | None = None,
    ) -> None:
        """See :class:`.contract.Output`."""
        if content.comparison is None:
            return
        on_progress(0, "Writing tables")
        compared = content.comparison
        tables = [compared.agreement, compared.shells, *([compared.overlaps] if compared.others else [])]
        for name, rows in zip(self.names(content), tables, strict=True):
            write_table(folder / name, rows)


def write_agreement(folder: Path, tables: AgreementTables) -> None:
    """The tables of a cohort's agreement, in an existing folder; ``result.json`` is the folder's own affair."""
    for name, rows in tables.by_name().items():
        write_table(folder / f"{name}.csv", rows)


def write_table(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Rows with the same keys as CSV, numbers with six significant digits."""
    path.write_text(table_text(rows), encoding="utf-8", newline="")


def table_text(rows: Sequence[Mapping[str, object]]) -> str:
    """The same as text."""
    return csv_text(rows[0] if rows else (), ([_cell(value) for value in row.values()] for row in rows)) or "\n"


def _cell(value: object) -> object:
    if isinstance(value, (bool, np.bool_)):
        return int(value)
    return f"{value:.6g}" if isinstance(value, (float, np.floating)) else value
