"""Brain-TR-GammaKnife: metastases after Gamma Knife, stable or recurrent, as a table of lesions or of patients.

Wang et al., "A brain MRI dataset and baseline evaluations for tumor recurrence prediction after Gamma Knife
radiotherapy", Sci Data 10:785 (2023), TCIA 10.7937/xb6d-py67. The table
``Brain-TR-GammaKnife-Clinical-Information.xlsx``, read here as it is::

    pt_level       unique_pt_id
    course_level   unique_pt_id, Course #, Diagnosis (Only want Mets), Primary Diagnosis, Age at Diagnosis, Gender
    lesion_level   No., unique_pt_id, Treatment Course, Lesion #, Lesion Location, mri_type (stable, recurrence),
                   duration_tx_to_imag (months), Fractions, Lesion Name in NRRD files, Column1 (place in plain words)

It has no volume and no dose. "Stable" is what the lesion did, not radiation-induced contrast enhancement: a stable
lesion need not enhance more at all. So it is no class of the system ``rice-net`` unless somebody says that it shall be.

Not verified without the data: how MRI, RTDOSE and the lesions' masks are named and lie (DICOM of TCIA); so no file is
named here, and the lesion's name in the NRRD files is kept as a note by which its mask can be found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..findings import Finding
from ..tables.cells import Unreadable, as_number
from ..tables.table import CohortRow
from .imported import ASSUMED, LEFT_OUT, UNKNOWN_RATING, Imported, about_row, about_source, imported, lines_of

LESIONS, COURSES, PATIENTS = "lesion_level", "course_level", "pt_level"
NEEDED = {
    LESIONS: ("unique_pt_id", "treatment_course", "lesion", "mri_type"),
    COURSES: ("unique_pt_id", "course"),
    PATIENTS: ("unique_pt_id",),
}

STABLE, RECURRENCE, RICE = "stable", "recurrence", "rice"
MRI_TYPES = (STABLE, RECURRENCE)
FRACTIONS = (1, 3, 5)

PER_LESION, PER_PATIENT = "lesion", "patient"

PRIMARIES = {
    "lung": r"lung|non-small|small cell|large cell",
    "breast": r"breast|ductal",
    "kidney": r"renal|rcc|kidney",
    "melanoma": r"melanoma",
    "ovary": r"ovar",
    "uterus": r"uter|endometri",
    "oesophagus": r"esophag",
    "urothelium": r"uroth",
}
"""Primary tumour to what the two free texts write for it."""

REGIONS = {
    "cerebellum": r"cereb|vermis",
    "frontal": r"front",
    "parietal": r"pariet",
    "temporal": r"temp",
    "occipital": r"occip",
    "cortex": r"cortex",
    "brainstem": r"pontin|pons",
}
"""Region to what Column1 writes for it; everything else is "other"."""


def import_gamma_knife(source: str | Path, per: str = PER_LESION, stable_is_rice: bool = False) -> Imported:
    """The clinical table as a cohort, without images.

    Args:
        source: the workbook.
        per: :data:`PER_LESION`, a row for every lesion with clinical columns, what became of it as a note; or
            :data:`PER_PATIENT`, a row for every patient with the column ``outcome`` of the system ``rice-net``:
            recurrence where any lesion recurred.
        stable_is_rice: per patient: those without a recurrence count as radiation-induced contrast enhancement.

    Raises:
        InputError: no such file, or another table.
        DependencyError: openpyxl is missing.
    """
    path = Path(source)
    read = {name: lines_of(path, needed, _words(name), name) for name, needed in NEEDED.items()}
    findings: list[Finding] = []
    courses = _courses(read[COURSES], findings)
    kept = list(_lesions(read[LESIONS], courses, findings))
    findings += _nobody_else(read[PATIENTS], kept)
    what = "The table names no image, mask, dose or volume, and none is looked for"
    findings.append(
        about_source(ASSUMED, what, "fill in the columns of files by note_nrrd_name once they are unpacked")
    )
    if per == PER_PATIENT:
        return imported(*_per_patient(kept, stable_is_rice, findings))
    what = "What became of a lesion (mri_type) and after how many months are outcomes, so they are notes, not features"
    findings.append(about_source(ASSUMED, what, "nothing"))
    return imported(kept, findings)


def _words(sheet: str) -> str:
    return f"the clinical table of Brain-TR-GammaKnife (sheet {sheet})"


def _matching(texts: Iterable[str], patterns: Mapping[str, str]) -> list[str]:
    """Words whose pattern is in any of the texts."""
    whole = " ".join(texts).lower()
    return [word for word, pattern in patterns.items() if re.search(pattern, whole)]


def _courses(
    lines: Sequence[tuple[int, dict[str, str]]], findings: list[Finding]
) -> dict[tuple[str, str], dict[str, float | str]]:
    """Patient and course to age in years, sex and primary tumour in one spelling."""
    found: dict[tuple[str, str], dict[str, float | str]] = {}
    for number, cells in lines:
        key = cells["unique_pt_id"], cells["course"]
        if key in found:
            what = f"Line {number} of {COURSES} tells course {key[1]} a second time; the first line counts"
            findings.append(about_source(LEFT_OUT, what, "see which of both lines is right", key[0]))
            continue
        texts = [cells.get("primary_diagnosis", ""), cells.get("diagnosis_only_want_mets", "")]
        named = _matching(texts, PRIMARIES)
        facts: dict[str, float | str] = {"primary": named[0] if len(named) == 1 else "other"}
        if len(named) != 1:
            what = f"The primary tumour of course {key[1]} is taken as “other”: “{texts[0]}”, “{texts[1].strip()}”"
            findings.append(about_source(ASSUMED, what, "write it into the column clinical_primary", key[0]))
        if cells.get("gender"):
            facts["sex"] = cells["gender"].strip().lower()
        facts |= _numbers(cells, {"age_at_diagnosis": "age"}, f"line {number} of {COURSES}", key[0], findings)
        found[key] = facts
    return found


def _numbers(
    cells: Mapping[str, str], columns: Mapping[str, str], where: str, patient: str, findings: list[Finding]
) -> dict[str, float]:
    """Cells that are numbers, under another name; those that are none are found."""
    found = {}
    for heading, name in columns.items():
        text = cells.get(heading, "")
        try:
            found |= {name: as_number(text)} if text else {}
        except Unreadable:
            what = f"“{text}” in {where} is no number ({heading})"
            findings.append(about_source(LEFT_OUT, what, f"write it into the column {name}", patient))
    return found


def _lesions(
    lines: Sequence[tuple[int, dict[str, str]]],
    courses: Mapping[tuple[str, str], dict[str, float | str]],
    findings: list[Finding],
) -> Iterator[CohortRow]:
    number, seen = 2, set()
    for line, cells in lines:
        patient, course = cells["unique_pt_id"], cells["treatment_course"]
        name = f"{course}-{cells['lesion']}"
        if not (patient and course and cells["lesion"]) or (patient, name) in seen:
            what = f"Line {line} of {LESIONS} names no lesion of its own"
            findings.append(about_source(LEFT_OUT, what, "correct patient, course or number", patient, name))
            continue
        seen.add((patient, name))
        where = f"line {line} of {LESIONS}"
        wanted = {"fractions": "fractions", "duration_tx_to_imag_months": "months_to_imaging"}
        numbers = _numbers(cells, wanted, where, patient, findings)
        months = numbers.pop("months_to_imaging", None)
        said = cells["mri_type"].strip().lower()
        place = cells.get("column1", "").strip().lower()
        regions = _matching([place], REGIONS)
        notes = {
            "mri_type": said if said in MRI_TYPES else "",
            "months_to_imaging": "" if months is None else f"{months:.2f}",
            "nrrd_name": cells.get("lesion_name_in_nrrd_files", ""),
            "location": cells.get("lesion_location", ""),
        }
        side = next((side for side in ("left", "right") if place.startswith(side)), "")
        clinical = {**courses.get((patient, course), {}), **numbers, "region": regions[0] if regions else "other"}
        row = CohortRow(
            number,
            patient,
            name,
            clinical={**clinical, **({"side": side} if side else {})},
            note={key: text for key, text in notes.items() if text},
        )
        findings += _about(row, cells, courses, course, regions)
        yield row
        number += 1


def _about(
    row: CohortRow,
    cells: Mapping[str, str],
    courses: Mapping[tuple[str, str], dict[str, float | str]],
    course: str,
    regions: Sequence[str],
) -> Iterator[Finding]:
    if "mri_type" not in row.note:
        what = f"“{cells['mri_type']}” is neither {STABLE} nor {RECURRENCE}"
        yield about_row(row, UNKNOWN_RATING, what, "write what became of the lesion")
    if row.clinical.get("fractions") not in FRACTIONS:
        what = f"The number of fractions is “{cells.get('fractions', '')}”, not 1, 3 or 5"
        yield about_row(row, ASSUMED, what, "see whether that is right")
    if (row.patient, course) not in courses:
        what = f"{COURSES} has no line for course {course}"
        yield about_row(row, ASSUMED, what, "write its clinical columns if they are wanted")
    if not regions:
        what = f"The place “{cells.get('column1', '')}” is taken as “other”"
        yield about_row(row, ASSUMED, what, "write it into the column clinical_region")


def _nobody_else(lines: Sequence[tuple[int, dict[str, str]]], rows: Sequence[CohortRow]) -> Iterator[Finding]:
    """Patients that one sheet has and the other has not."""
    listed, there = {cells["unique_pt_id"] for _, cells in lines}, {row.patient for row in rows}
    for patient in sorted(listed - there):
        yield about_source(LEFT_OUT, f"The patient has no lesion in {LESIONS}", "nothing", patient)
    for patient in sorted(there - listed):
        yield about_source(ASSUMED, f"The patient is not in {PATIENTS}", "nothing, if the lesions are right", patient)


def _per_patient(
    lesions: Sequence[CohortRow], stable_is_rice: bool, findings: list[Finding]
) -> tuple[list[CohortRow], list[Finding]]:
    """One row a patient: recurrence goes before everything else; findings of lesions as ones of no row."""
    told = [Finding(0, each.patient, each.lesion, each.kind, each.what, each.remedy) for each in findings]
    by_patient: dict[str, list[CohortRow]] = {}
    for row in lesions:
        by_patient.setdefault(row.patient, []).append(row)
    rows = []
    for number, (patient, own) in enumerate(by_patient.items(), start=2):
        types = [row.note.get("mri_type", "") for row in own]
        counts = {"lesions": str(len(own)), "recurrences": str(types.count(RECURRENCE))}
        clinical = {name: own[0].clinical[name] for name in ("age", "sex", "primary") if name in own[0].clinical}
        row = CohortRow(number, patient, "", clinical=clinical, note=counts)
        if RECURRENCE in types:
            outcome = RECURRENCE
            if STABLE in types:
                what = f"{types.count(RECURRENCE)} of {len(own)} lesions recurred: the patient counts as recurrence"
                told.append(about_row(row, ASSUMED, what, "nothing, if any recurrence counts"))
        elif stable_is_rice and set(types) == {STABLE}:
            outcome = RICE
            told.append(about_row(row, ASSUMED, "All lesions are stable: taken as rice, as was asked for", "nothing"))
        else:
            outcome = ""
            what = "No lesion recurred; stable is not radiation-induced contrast enhancement"
            told.append(about_row(row, UNKNOWN_RATING, what, "write its outcome, or choose --stable-is-rice"))
        first = {(other.clinical.get("primary"), other.clinical.get("sex")) for other in own}
        if len(first) > 1:
            what = "The patient's courses tell different facts; those of the first lesion's count"
            told.append(about_row(row, ASSUMED, what, "see which are right"))
        rows.append(row if not outcome else _with_outcome(row, outcome))
    return rows, told


def _with_outcome(row: CohortRow, outcome: str) -> CohortRow:
    return replace(row, extra={"outcome": outcome})
