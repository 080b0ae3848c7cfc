"""Yale longitudinal brain metastases: MRIs of 1430 patients over years, as a table of visits without classes.

TCIA collection Yale-Brain-Mets-Longitudinal. Layout as public code that reads it has it: the MRIs of a study lie in a
folder of their patient and date, and each file tells what it is::

    YG_.../2020-01-02/YG_..._2020-01-02_03-04-05_PRE.nii.gz     T1; also POST (T1 with contrast), T2 and FLAIR
    Yale-Brain-Mets-Longitudinal_ClinicalData_*.xlsx            sheet Clinical_data: patient_id, study_datetime
                                                                (2020-01-02_03-04-05), age_at_Imaging (years), sex, ...

Only the names of the files are relied on, wherever they lie below the folder.

Not verified without the data: whether names and folders are like that throughout; whether dates are shifted. No public
layout names masks, volumes, doses or ratings for this collection, so the table has images by patient and visit (columns
of the system ``rano``, which looks at the same four) and nothing to learn from; RANO itself is not for metastases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from ...core.errors import InputError
from ..findings import Finding
from ..tables.cells import Unreadable, as_date, as_number
from ..tables.table import CohortRow
from .imported import ASSUMED, LEFT_OUT, NO_IMAGE, Imported, about_row, about_source, imported, lines_of

SEQUENCES = {"PRE": "t1", "T2": "t2", "FLAIR": "flair", "POST": "t1c"}
"""End of a file's name to the column of the system ``rano``."""

FILE = re.compile(
    r"(?P<patient>.+)_(?P<date>\d{4}-\d{2}-\d{2})_(?P<time>\d{2}-\d{2}-\d{2})_(?P<kind>[A-Za-z0-9]+)\.nii(\.gz)?"
)

CLINICAL_FILE, CLINICAL_SHEET = "Yale-Brain-Mets-Longitudinal*Clinical*.xlsx", "Clinical_data"


@dataclass
class _Study:
    """The MRIs of one examination."""

    patient: str
    day: date
    time: str
    files: dict[str, Path] = field(default_factory=dict)


def import_yale(source: str | Path) -> Imported:
    """Visits with their MRIs, each patient's in the order of their dates.

    Args:
        source: folder of the unpacked collection, and of its clinical table where there is one.

    Raises:
        InputError: no such folder, or no file in it that is called as those of this collection.
    """
    source = Path(source)
    if not source.is_dir():
        raise InputError(f"There is no folder {source}; give the one with the unpacked collection.")
    findings: list[Finding] = []
    studies = _one_a_day(_studies(source, findings), findings)
    if not studies:
        raise InputError(
            f"No file in {source} is called as those of Yale-Brain-Mets-Longitudinal, such as "
            "..._2020-01-02_03-04-05_POST.nii.gz; unpack the collection there."
        )
    facts = _facts(source, findings)
    rows = list(_rows(studies, facts, findings))
    what = "There are no masks, doses and classes in this collection: the table has images by patient and visit"
    findings.append(about_source(ASSUMED, what, "add columns of your own to train on it"))
    return imported(rows, findings)


def _studies(source: Path, findings: list[Finding]) -> dict[tuple[str, date, str], _Study]:
    found: dict[tuple[str, date, str], _Study] = {}
    for path in sorted([*source.rglob("*.nii.gz"), *source.rglob("*.nii")]):
        says = FILE.fullmatch(path.name)
        column = SEQUENCES.get(says["kind"].upper()) if says else None
        day = _day(says["date"]) if says else None
        if not (says and column and day):
            what = f"{path.name} is not called as the MRIs of this collection"
            findings.append(about_source(LEFT_OUT, what, "rename it if it is one of them"))
            continue
        key = says["patient"], day, says["time"]
        study = found.setdefault(key, _Study(*key))
        if column in study.files:
            what = f"{path.name} is there twice; {study.files[column].relative_to(source)} counts"
            findings.append(about_source(LEFT_OUT, what, "remove one of them", says["patient"], says["date"]))
            continue
        study.files[column] = path
    return found


def _day(text: str) -> date | None:
    try:
        return as_date(text)
    except Unreadable:
        return None


def _one_a_day(studies: Mapping[tuple[str, date, str], _Study], findings: list[Finding]) -> list[_Study]:
    """Of several examinations on a day the one with most MRIs, the first of these: visits have a date of their own.

    By patient and date.
    """
    best: dict[tuple[str, date], _Study] = {}
    for key in sorted(studies):
        study = studies[key]
        other = best.get(key[:2])
        if other is None:
            best[key[:2]] = study
            continue
        kept, left = (study, other) if len(study.files) > len(other.files) else (other, study)
        best[key[:2]] = kept
        what = f"Of two examinations on {study.day} that of {left.time} has no more MRIs than that of {kept.time}"
        findings.append(about_source(LEFT_OUT, what, "nothing, if one a day will do", study.patient, str(study.day)))
    return list(best.values())


def _facts(source: Path, findings: list[Finding]) -> dict[tuple[str, str], dict[str, float | str]]:
    """Patient and date with time to age in years and sex."""
    paths = sorted(source.rglob(CLINICAL_FILE))
    if not paths:
        what = "There is no clinical table of this collection, so there are no clinical columns"
        findings.append(about_source(ASSUMED, what, "download it into the folder if they are wanted"))
        return {}
    lines = lines_of(paths[-1], ("patient_id", "study_datetime"), "the clinical table of Yale", CLINICAL_SHEET)
    found: dict[tuple[str, str], dict[str, float | str]] = {}
    for number, cells in lines:
        facts: dict[str, float | str] = {"sex": cells["sex"]} if cells.get("sex") else {}
        age = cells.get("age_at_imaging_years", "")
        try:
            facts |= {"age": as_number(age)} if age else {}
        except Unreadable:
            what = f"“{age}” in line {number} of the clinical table is no age"
            findings.append(about_source(LEFT_OUT, what, "write it into the column clinical_age", cells["patient_id"]))
        found[cells["patient_id"], cells["study_datetime"]] = facts
    others = sorted({name for _, cells in lines for name in cells})
    others = [name for name in others if name not in ("patient_id", "study_datetime", "sex", "age_at_imaging_years")]
    if others:
        what = f"Columns of the clinical table that are not taken over: {', '.join(others)}"
        findings.append(about_source(ASSUMED, what, "add those that may serve as features as clinical_..."))
    return found


def _rows(
    studies: list[_Study], facts: Mapping[tuple[str, str], dict[str, float | str]], findings: list[Finding]
) -> Iterator[CohortRow]:
    visits: dict[str, int] = {}
    for number, study in enumerate(studies, start=2):
        visits[study.patient] = visits.get(study.patient, 0) + 1
        visit = f"visit {visits[study.patient]}"  # not its date, which an anonymous table must not tell
        row = CohortRow(
            number,
            study.patient,
            visit,
            date=study.day,
            clinical=facts.get((study.patient, f"{study.day}_{study.time}"), {}),
            extra={"visit": visit, **{name: study.files[name] for name in SEQUENCES.values() if name in study.files}},
        )
        lacking = [kind for kind, name in SEQUENCES.items() if name not in study.files]
        if lacking:
            what = f"The examination has no {', '.join(lacking)}"
            findings.append(about_row(row, NO_IMAGE, what, "remove the row where the model needs it"))
        if facts and not row.clinical:
            what = "The clinical table has no line for this examination"
            findings.append(about_row(row, ASSUMED, what, "write its clinical columns if they are wanted"))
        yield row
