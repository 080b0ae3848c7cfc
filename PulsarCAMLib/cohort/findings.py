"""What is wrong with a cohort table, said so that it can be put right."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..core.visible import visible

ERROR, WARNING = "error", "warning"

MOST_ALIKE = 3
"""So many findings that say the same of different rows are told one by one; more are one line with their number."""

UNREADABLE, IMPOSSIBLE, DOUBTFUL = "unreadable cell", "impossible value", "doubtful value"

HEADINGS = {
    "row": "row",
    "patient": "patient",
    "lesion": "lesion",
    "severity": "severity",
    "what": "what",
    "remedy": "what to do",
}
"""Columns of the findings table, key to heading."""

KINDS = {
    "unknown column": WARNING,
    UNREADABLE: ERROR,
    IMPOSSIBLE: ERROR,
    "missing value": ERROR,
    "missing file": ERROR,
    "unusable image": ERROR,
    "doubtful image": WARNING,
    "unusable case": ERROR,
    "doubtful case": WARNING,
    "unusable mask": ERROR,
    "mask off the image": ERROR,
    "mask partly off the image": WARNING,
    "doubtful mask": WARNING,
    "duplicate lesion": ERROR,
    "patients mixed": ERROR,
    "names alike": WARNING,
    "no baseline": ERROR,
    "no follow-up": WARNING,
    "no visit before": WARNING,
    "no label": WARNING,
    "contradictory label": ERROR,
    "contradictory follow-up": ERROR,
    "volumes differ": WARNING,
    "label differs": WARNING,
    "label not computed": WARNING,
    "impossible volume": ERROR,
    "dates out of order": ERROR,
    "no images": WARNING,
    "one class only": WARNING,
    "nothing to learn": ERROR,
    DOUBTFUL: WARNING,
    "left out": WARNING,
    "rating not used": WARNING,
    "missing modality": WARNING,
    "no mask": WARNING,
    "taken as": WARNING,
}
"""Every kind of finding and its severity. Nothing starts while there are errors; with warnings, the person decides.

The last five are decisions of an importer of a public cohort, or of a folder of DICOM."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        row: as the spreadsheet numbers it (headings are row 1); 0 for the whole table.
        patient, lesion: of that row.
        kind: one of :data:`KINDS`.
        what: what is wrong.
        remedy: what to do about it.
        column: of the table, where one cell is meant.
    """

    row: int
    patient: str
    lesion: str
    kind: str
    what: str
    remedy: str
    column: str = field(default="", compare=False)

    @property
    def severity(self) -> str:
        """Whether it forbids to start: error or warning."""
        return KINDS[self.kind]

    def as_row(self) -> dict[str, str]:
        """A row of the findings table, keys as :data:`HEADINGS`."""
        cells = {key: visible(str(getattr(self, key))) for key in HEADINGS}
        return cells | {"row": str(self.row or "table")}


def errors_in(findings: Iterable[Finding]) -> list[Finding]:
    """Those that forbid to start."""
    return [finding for finding in findings if finding.severity == ERROR]


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """By row, errors first within a row; each only once."""
    return sorted(dict.fromkeys(findings), key=lambda finding: (finding.row, finding.severity != ERROR))


def as_lines(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Rows for a screen, keys as :data:`HEADINGS`: what is said of many rows is one, with the first rows and a count.

    Findings say the same where they differ in names, numbers and files only; what is shown is the first one's.

    Examples:
        >>> said = [Finding(n, "P1", "", "missing value", f"Cell {n} is empty", "fill it in") for n in range(2, 12)]
        >>> [(line["row"], line["what"]) for line in as_lines(said)]
        [('2, 3, 4, …', 'Cell 2 is empty (and 9 more like this)')]
    """
    alike: dict[tuple[str, ...], list[Finding]] = {}
    for each in findings:
        key = each.kind, *(re.sub(r"“[^”]*”|\S+\.\w+|\S*\d\S*", "#", text) for text in (each.what, each.remedy))
        alike.setdefault(key, []).append(each)
    lines = []
    for own in alike.values():
        if len(own) <= MOST_ALIKE:
            lines += [(each.row, each.as_row()) for each in own]
            continue
        rows = [each.as_row() for each in own]
        first = rows[0] | {key: _first_of([row[key] for row in rows]) for key in ("row", "patient", "lesion")}
        lines.append((own[0].row, first | {"what": f"{first['what']} (and {len(own) - 1} more like this)"}))
    return [line for _, line in sorted(lines, key=lambda each: (each[0], each[1]["severity"] != ERROR))]


def _first_of(cells: list[str]) -> str:
    """The first different ones, as in "2, 3, 4, …"."""
    found = list(dict.fromkeys(cells))
    return ", ".join(found[:MOST_ALIKE]) + (", …" if len(found) > MOST_ALIKE else "")
