"""The folder of a cohort's agreement: tables as CSV beside ``result.json``, written once, read by report and scene."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import InputError
from ..io.csv_files import read_csv, records_of
from ..io.plain_files import read_json

KIND = "agreement over a cohort"
"""What ``result.json`` calls such a folder."""

TABLES = ("summary", "depths", "lesions", "agreement", "shells")
FEATURES = "features"

NEEDED = {
    "summary": ("map_method", "map_class", "quantity", "mean_partial"),
    "depths": ("map_method", "map_class", "region", "from_mm", "to_mm", "concentration", "low", "high"),
    FEATURES: ("feature", "spearman", "partial"),
    "model": ("name", "sha256", "synthetic", "origin"),
    "options": ("method", "target", "outcome", "time_point"),
}
"""Columns of tables and parts of ``result.json`` that are shown."""


@dataclass(frozen=True)
class AgreementTables:
    """What was found over a cohort.

    Attributes:
        facts: of ``result.json``: model, options, numbers of lesions and patients.
        summary: rows of :meth:`.cohort.CohortAgreement.summary`.
        depths: rows of :meth:`.cohort.CohortAgreement.depths`.
        lesions, agreement, shells: lesion by lesion.
        features: rows of :func:`.features.feature_agreement`; None: no features were set beside.
    """

    facts: Mapping[str, object]
    summary: list[dict]
    depths: list[dict]
    lesions: list[dict] = field(default_factory=list)
    agreement: list[dict] = field(default_factory=list)
    shells: list[dict] = field(default_factory=list)
    features: list[dict] | None = None

    def by_name(self) -> dict[str, list[dict]]:
        """Every table under the name of its file."""
        names = (*TABLES, *([] if self.features is None else [FEATURES]))
        return {name: getattr(self, name) for name in names}


def read_agreement(folder: str | Path) -> AgreementTables:
    """The folder that ``pulsarcam agreement`` wrote.

    Raises:
        InputError: it is none, or damaged.
    """
    from ..io.result_folder import MARKER

    folder = Path(folder)
    try:
        facts = read_json(folder / MARKER)
        if facts.get("kind") != KIND:
            raise ValueError(KIND)
        rows = {name: _rows(folder / f"{name}.csv") for name in TABLES}
        there = f"{FEATURES}.csv" in facts["files"]
        rows[FEATURES] = _rows(folder / f"{FEATURES}.csv") if there else None
        _check(facts, rows)
    except (OSError, ValueError, KeyError, AttributeError, TypeError, csv.Error, InputError) as error:
        raise InputError(
            f"{folder} is not a folder that pulsarcam agreement wrote, or it is damaged; choose another one."
        ) from error
    return AgreementTables(facts, **rows)


def _check(facts: dict, rows: Mapping[str, list[dict] | None]) -> None:
    parts = [("model", facts["model"]), ("options", facts["options"])]
    parts += [(name, row) for name in ("summary", "depths", FEATURES) for row in rows[name] or ()]
    lacking = [(name, key) for name, part in parts for key in NEEDED[name] if key not in part]
    lacking += [("", key) for key in ("pulsarcam", "lesions", "patients") if key not in facts]
    if lacking or not rows["summary"]:
        raise ValueError(lacking)


def _rows(path: Path) -> list[dict]:
    """Rows of a table; numbers are numbers, an empty cell is None (in the column ``undefined``: an empty text)."""
    lines = records_of(*read_csv(path))
    return [{name: cell if name == "undefined" else _value(cell) for name, cell in line.items()} for line in lines]


def _value(cell: str) -> object:
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell or None
