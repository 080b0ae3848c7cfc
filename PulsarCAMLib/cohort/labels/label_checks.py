"""Whether everything that is said about a lesion's outcome agrees."""

from __future__ import annotations

from collections.abc import Iterator

from ...lesions.doubts import volumes_differ
from ..findings import Finding
from ..masks import FIRST, FOLLOWUP, Measured, mask_place
from ..tables.table import CohortRow, CohortTable
from .cohort_labels import baseline_row, followup_row, label_lesion
from .lesion_label import UNKNOWN
from .response import responds

CLASSES = ("non-response", "response")

FOLLOWUP_COLUMNS = (
    "followup_date",
    "followup_image",
    "followup_segmentation",
    "followup_segment",
    "followup_label_value",
    "followup_volume_cm3",
    "response",
)


def label_findings(table: CohortTable, measured: Measured, shrinkage: float, masks_read: bool) -> Iterator[Finding]:
    """Contradictions, lesions without an outcome, and tables without two classes.

    Args:
        table: whose lesions.
        measured: volumes of the masks, as far as known.
        shrinkage: that counts as response.
        masks_read: whether a label that only masks can give should be there by now.
    """
    found: set[int | None] = set()
    waiting, unread = False, table.unreadable("response")
    for rows in table.lesions.values():
        yield from _one_followup(rows)
        for row in rows:
            yield from _same_volumes(row, measured)
        yield from _one_label(rows, measured, shrinkage)
        label = label_lesion(rows, shrinkage, measured)
        found.add(label.response)
        if label.source == UNKNOWN:
            can = _could_be_measured(rows)
            waiting |= can and not masks_read
            told = any(row.row in unread for row in rows)
            if not can and baseline_row(rows) and not told:  # a missing baseline is a finding of its own
                yield _without_followup(rows)
    classes = found - {None}
    if not classes and not waiting:
        remedy = "add follow-up masks or volumes, and correct the other errors"
        yield Finding(0, "", "", "nothing to learn", "No lesion has a known response", remedy)
    elif len(classes) == 1 and not waiting:
        what = f"All lesions with a known outcome are {CLASSES[classes.pop()]} at a shrinkage of {shrinkage:g}"
        yield Finding(0, "", "", "one class only", what, "choose another threshold, or add lesions of the other class")


def _says(row: CohortRow, kind: str, what: str, remedy: str) -> Finding:
    return Finding(row.row, row.patient, row.lesion, kind, what, remedy)


def _one_followup(rows: tuple[CohortRow, ...]) -> Iterator[Finding]:
    """A lesion has one outcome: its rows must not say different things about it."""
    for name in FOLLOWUP_COLUMNS:
        said = [row for row in rows if getattr(row, name) is not None]
        for row in said[1:]:
            if getattr(row, name) != getattr(said[0], name):
                what = f"{name} is not that of row {said[0].row}, which is the same lesion"
                yield _says(row, "contradictory follow-up", what, "keep the right one, in the baseline row")


def _same_volumes(row: CohortRow, measured: Measured) -> Iterator[Finding]:
    pairs = (("volume_cm3", row.volume_cm3, FIRST), ("followup_volume_cm3", row.followup_volume_cm3, FOLLOWUP))
    for name, given, which in pairs:
        mask = measured.get((row.row, which))
        if given is None or mask is None:
            continue
        if volumes_differ(given, mask):
            what = f"{name} is {given:.3g}, but the mask has {mask:.3g} cm³"
            yield _says(row, "volumes differ", what, "see which is right; the table's volume is used")


def _one_label(rows: tuple[CohortRow, ...], measured: Measured, shrinkage: float) -> Iterator[Finding]:
    base, last = baseline_row(rows), followup_row(rows)
    said: dict[str, int] = {}
    if base and last:
        given = base.volume_cm3, last.followup_volume_cm3
        masks = measured.get((base.row, FIRST)), measured.get((last.row, FOLLOWUP))
        mixed = tuple(a if a is not None else b for a, b in zip(given, masks, strict=True))
        for source, pair in (("volumes", given), ("masks", masks), ("volume and mask", mixed)):
            if pair[0] and pair[0] > 0 and pair[1] is not None and (source != "volume and mask" or not said):
                said[source] = responds(*pair, shrinkage)
    typed = next((row for row in rows if row.response is not None), None)
    if typed:
        said["column response"] = typed.response
    if len(set(said.values())) > 1:
        what = "; ".join(f"{source}: {CLASSES[value]}" for source, value in said.items())
        remedy = "correct what is wrong; leave response empty where volumes exist"
        yield _says(
            base or rows[0], "contradictory label", f"At a shrinkage of {shrinkage:g} they disagree: {what}", remedy
        )


def _could_be_measured(rows: tuple[CohortRow, ...]) -> bool:
    base, last = baseline_row(rows), followup_row(rows)
    return bool(base and last and (base.volume_cm3 is not None or mask_place(base, FIRST)))


def _without_followup(rows: tuple[CohortRow, ...]) -> Finding:
    row = baseline_row(rows)
    if followup_row(rows):
        what = "The first volume is not known, so no response can be computed"
        return _says(row, "no follow-up", what, "add segmentation or volume_cm3; else the lesion is left out")
    what = "The lesion has no follow-up, so its response is not known"
    return _says(row, "no follow-up", what, "add followup_segmentation or followup_volume_cm3; else it is left out")
