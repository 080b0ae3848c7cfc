"""``python -m PulsarCAMLib.cli.truth --cohort TABLE``: a rule that was made elsewhere, judged as those that ship.

Whoever made it needs to know nothing of PulsarCAM but the table: images, masks, outcomes, and for lesions in which a
part decides a map of that part. A share of the patients is set aside before anything is trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import InputError
from ..core.pluralize import pluralize

if TYPE_CHECKING:
    from ..cohort.tables.table import CohortRow, CohortTable
    from ..trust.known_tissue.rule_table import Decides

NAME, TABLE = "given", "cohort.csv"
"""Of the rule, in tables and folders; and of a table that is named by its folder."""

SPLIT_SEED = 4300
"""By which patients are set aside."""

NO_WORDS = "a rule that was made elsewhere"
MAP, RULE, PLACE = "planted_map", "rule", "place"
"""Columns ``truth_...``: where the truth lies voxel by voxel, what decides, and where in words."""


@dataclass(frozen=True)
class Given:
    """A cohort that was made elsewhere.

    Attributes:
        folder: of its table, from which its paths count.
        sha256: of the table.
        learn: patients to train on.
        unseen: rows of the others, with the number of their class.
        decides: what decides, and where.
    """

    folder: Path
    sha256: str
    learn: CohortTable
    unseen: list[tuple[CohortRow, int]]
    decides: Decides

    @property
    def words(self) -> str:
        """How it was divided, for people."""
        aside, learn = len({row.patient for row, _ in self.unseen}), pluralize(len(self.learn.patients), "patient")
        return (
            f"A cohort made elsewhere (table of SHA-256 {self.sha256[:16]}…), {self.decides.title}: {learn} to train "
            f"on, {aside} set aside before (seed {SPLIT_SEED})"
        )


def read_given(path: Path, unseen_share: float, title: str = "") -> Given:
    """A cohort of lesions, divided by patient; everything in it is checked first.

    Args:
        path: of the table, or of a folder with a ``cohort.csv``.
        unseen_share: of the lesions that are set aside.
        title: what decides, in words; empty: as the column ``truth_rule`` says.

    Raises:
        InputError: the table has errors, patients cannot be divided, or it does not say where the truth lies.
    """
    from ..cohort.checks import check_cohort
    from ..cohort.findings import errors_in
    from ..cohort.labels.cohort_labels import label_cohort
    from ..cohort.tables.table import CohortTable, read_cohort
    from ..io.hashing import sha256_of
    from ..io.plain_files import is_folder, is_there
    from ..systems.registry import system_of
    from ..training.units.cohort_cases import usable_rows
    from ..training.units.holdout import units_aside

    path = path / TABLE if is_folder(path) else path
    cohort, system = read_cohort(path), system_of()
    for finding in errors_in(check_cohort(cohort)):
        where = f"row {finding.row}" if finding.row else "the table"
        raise InputError(
            f"{path}, {where}: {finding.what}; {finding.remedy} (pulsarcam cohort check lists everything)."
        )
    rows = usable_rows(cohort, label_cohort(cohort))
    decides = _decides(path, rows, title)
    labels, patients = ([label for _, label in rows], [row.patient for row, _ in rows])
    import numpy as np

    chosen = units_aside(np.array(labels), np.array(patients), unseen_share, SPLIT_SEED, system.task)
    for row, _ in rows:  # asked now, and not after a training
        named = row.truth.get(MAP)
        if named and not is_there(path.parent / str(named)):
            raise InputError(f"{path}, row {row.row}: there is no map {named} (truth_{MAP}); correct the path.")
    aside = {patient for patient, is_aside in zip(patients, chosen, strict=True) if is_aside}
    learn = tuple(row for row in cohort.rows if row.patient not in aside)
    unseen = [each for each in rows if each[0].patient in aside]
    return Given(Path(path).parent, sha256_of(path), CohortTable(learn, cohort.columns), unseen, decides)


def _decides(path: Path, rows: Sequence[tuple[CohortRow, int]], title: str) -> Decides:
    """What the table says of its rule; without a word on the place, its maps tell that it is a part of the GTV.

    Raises:
        InputError: it says nothing, several things, or a place that is none.
    """
    from ..cohort.synthetic.rules import PLACES
    from ..cohort.synthetic.rules.rule import INSIDE
    from ..core.vocabulary import RULES
    from ..trust.known_tissue.rule_table import Decides

    said = {name: {str(row.truth[name]).strip() for row, _ in rows if row.truth.get(name)} for name in (RULE, PLACE)}
    for name, values in said.items():
        if len(values) > 1:
            raise InputError(
                f"{path} has {len(values)} rules in the column truth_{name}; give each a table of its own."
            )
    rule, place = (next(iter(said[name]), "") for name in (RULE, PLACE))
    known = {words: key for key, words in PLACES.items()} | {key: key for key in PLACES}
    if place and place not in known:
        raise InputError(f"The column truth_place of {path} says {place!r}; write one of {', '.join(PLACES)}.")
    has_maps = any(row.truth.get(MAP) for row, _ in rows)
    where = known.get(place, INSIDE)
    if where == INSIDE and not has_maps:
        raise InputError(
            f"{path} does not say where the truth lies: name a map of it for each lesion in the column truth_{MAP}, or "
            f"write {', '.join(key for key in PLACES if key != INSIDE)} into the column truth_{PLACE}."
        )
    return Decides(NAME, title or RULES.get(rule, rule) or NO_WORDS, where)
