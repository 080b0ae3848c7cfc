"""LUMIERE: MRIs of 91 patients with glioblastoma over time, rated by RANO, as a cohort of visits.

Suter et al., "The LUMIERE dataset: Longitudinal glioblastoma MRI with expert RANO evaluation", Sci Data 9:768 (2022),
figshare collection 5904905. Layout as public code reads it (anamatoso/RANO-classification and others that name
``LUMIERE-ExpertRating-v202211.csv`` and ``Imaging-v202211.zip``)::

    LUMIERE-ExpertRating-v202211.csv      Patient, Date, LessThan3Months, NonMeasurableLesions (an x or nothing),
                                          Rating (according to RANO, ...), Rating rationale (...)
    LUMIERE-Demographics_Pathology.csv    Patient, Survival time (weeks), Sex, Age at surgery (years),
                                          IDH (WT: wild type), IDH method, MGMT qualitative, MGMT quantitative
    Imaging/Patient-001/week-000-1/{T1,T2,FLAIR,CT1}.nii.gz
        HD-GLIO-AUTO-segmentation/native/segmentation_CT1_origspace.nii.gz   1 T2/FLAIR without enhancement, 2 enhancing
        DeepBraTumIA-segmentation/native/segmentation/ct1_seg_mask.nii.gz    1 enhancing, 2 necrosis, 3 oedema

Ratings that are known to occur: CR, PR, SD, PD, Pre-Op, Post-Op (also with a blank behind), Post-Op/PD, and nothing.

Not verified without the data: the values of DeepBraTumIA's masks, about which public code disagrees; whether every mask
lies on ``CT1.nii.gz``; whether there are further spellings (they are found and not used).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...core.errors import InputError
from ..findings import Finding
from ..tables.cells import BLANK, Unreadable, as_number
from ..tables.table import CohortRow
from .imported import (
    ASSUMED,
    LEFT_OUT,
    NO_IMAGE,
    NO_MASK,
    UNKNOWN_RATING,
    Imported,
    about_row,
    about_source,
    imported,
    lines_of,
)

RATINGS_FILE, PEOPLE_FILE = "LUMIERE-ExpertRating*.csv", "LUMIERE-Demographics_Pathology*.csv"

IMAGES = {"t1": "T1.nii.gz", "t2": "T2.nii.gz", "flair": "FLAIR.nii.gz", "t1c": "CT1.nii.gz"}
"""Column of the system ``rano`` to the file of a visit."""
NEEDED = ("t1", "t2", "flair")

HD_GLIO, DEEPBRATUMIA, NONE = "hd-glio", "deepbratumia", "none"
MASKS = {
    HD_GLIO: ("HD-GLIO-AUTO-segmentation/native/segmentation_CT1_origspace.nii.gz", 2),
    DEEPBRATUMIA: ("DeepBraTumIA-segmentation/native/segmentation/ct1_seg_mask.nii.gz", 1),
}
"""Program to its mask on the contrast-enhanced T1, and the value of enhancing tumour in it."""

CATEGORIES = ("cr", "pr", "sd", "pd")
OPERATED = ("post-op", "post-op/pd")

PEOPLE = {
    "clinical": {
        "age_at_surgery_years": "age",
        "sex": "sex",
        "idh_wt_wild_type": "idh",
        "mgmt_qualitative": "mgmt",
    },
    "note": {"survival_time_weeks": "survival_weeks"},
}
"""Facts of a patient; survival is an outcome and never a feature, so it becomes a note."""

EARLY = re.compile(r"\s*(less than 3 months|not a timepoint)", re.IGNORECASE)
"""Beginnings of a rationale that take the rating back, as the authors of arXiv 2504.18268 leave such rows out."""


@dataclass
class _Visit:
    """A line of the ratings, or a folder without one."""

    patient: str
    name: str
    week: int
    again: int
    rating: str = ""
    early: bool = False
    notes: dict[str, str] = field(default_factory=dict)
    rated: bool = True


def import_lumiere(source: str | Path, masks: str = HD_GLIO, keep_early: bool = False) -> Imported:
    """Visits of LUMIERE for the system ``rano``, each patient's in the order of their weeks.

    Args:
        source: folder with the CSV files and the unpacked images; without images there is a table of ratings alone.
        masks: whose masks of enhancing tumour are named: :data:`HD_GLIO`, :data:`DEEPBRATUMIA` or :data:`NONE`. A visit
            without a rating has none, so that no rule rates what the expert did not; those after surgery and a
            patient's first one, which only serve to compare with, do.
        keep_early: use ratings that are marked as within three months of radiotherapy.

    Raises:
        InputError: no such folder, no ratings, or another table.
    """
    source = Path(source)
    if not source.is_dir():
        raise InputError(f"There is no folder {source}; give the one with LUMIERE's CSV files and images.")
    ratings = _one(source, RATINGS_FILE)
    if ratings is None:
        raise InputError(f"There is no {RATINGS_FILE} in {source}; download LUMIERE's table of ratings into it.")
    findings: list[Finding] = []
    visits = list(_rated_visits(ratings, findings))
    images = _images_in(source)
    if images is None:
        what = f"There are no folders Patient-.../week-... in {source.name}"
        findings.append(about_source(NO_IMAGE, what, "unpack the images there; without them nothing can be trained"))
    else:
        visits += _unrated(images, visits, findings)
    people = _people(_one(source, PEOPLE_FILE), findings)
    rows = list(_rows(visits, images, people, masks, keep_early, findings))
    if masks != NONE and images is not None:
        unsure = ", and public code disagrees about its values" if masks == DEEPBRATUMIA else ""
        what = f"Masks are those of {masks}, which nobody drew or corrected; enhancing is {MASKS[masks][1]}{unsure}"
        findings.append(about_source(ASSUMED, what, "look at some of them on the contrast-enhanced T1"))
    if not rows:
        raise InputError(f"No visit of {ratings.name} has images in {source}; unpack the images there.")
    return imported(rows, findings)


def _one(folder: Path, pattern: str) -> Path | None:
    found = sorted([*folder.glob(pattern), *folder.glob(f"*/{pattern}")])
    if len(found) > 1:
        raise InputError(f"{folder} has {len(found)} files {pattern}; keep the one that is meant.")
    return found[0] if found else None


def _images_in(source: Path) -> Path | None:
    """The folder that holds the patients' folders."""
    for folder in (source, *sorted(source.glob("Imaging*")), *sorted(source.glob("*/Imaging*"))):
        if next(folder.glob("Patient-*/week-*"), None):
            return folder
    return None


def _week(name: str) -> tuple[int, int] | None:
    """ "week-000-2" as (0, 2)."""
    found = re.fullmatch(r"week-(\d+)(?:-(\d+))?", name.strip().lower())
    return (int(found[1]), int(found[2] or 0)) if found else None


def _heading(names: Mapping[str, str], beginning: str) -> str:
    return next((name for name in names if name.startswith(beginning)), "")


def _rated_visits(path: Path, findings: list[Finding]) -> Iterator[_Visit]:
    lines = lines_of(path, ("patient",), "the table of ratings of LUMIERE")
    first = lines[0][1] if lines else {}
    when = next((name for name in ("date", "timepoint") if name in first), "")
    rating, why = _heading(first, "rating_according"), _heading(first, "rating_rationale")
    if lines and not (when and rating):
        raise InputError(
            f"{path.name} is not the table of ratings of LUMIERE: it has no columns Date and Rating (...)."
        )
    seen: set[tuple[str, str]] = set()
    last: dict[str, tuple[int, int]] = {}
    for number, cells in lines:
        patient, name = cells["patient"], cells[when].lower()
        week = _week(name)
        if not patient or week is None:
            what = f"Line {number} of the ratings says no patient and week (“{patient}”, “{cells[when]}”)"
            findings.append(about_source(LEFT_OUT, what, "correct that line if its visit is wanted", patient, name))
            continue
        if (patient, name) in seen:
            what = (
                f"Line {number} of the ratings rates a visit a second time (“{cells[rating]}”); the first line counts"
            )
            findings.append(about_source(LEFT_OUT, what, "see which of both lines is right", patient, name))
            continue
        if week < last.get(patient, week):
            what = f"Line {number} of the ratings comes after a later week; visits are put in the order of their weeks"
            findings.append(about_source(ASSUMED, what, "nothing, if the weeks are right", patient, name))
        seen.add((patient, name))
        last[patient] = week
        notes = {"rating": cells[rating], "rationale": cells.get(why, ""), "week": str(week[0])}
        notes["not_measurable"] = cells.get("nonmeasurablelesions", "")
        early = bool(cells.get("lessthan3months")) or bool(EARLY.match(cells.get(why, "")))
        yield _Visit(patient, name, *week, cells[rating], early, {key: text for key, text in notes.items() if text})


def _unrated(images: Path, visits: list[_Visit], findings: list[Finding]) -> list[_Visit]:
    """Folders of images that no line of the ratings names."""
    named = {(visit.patient, visit.name) for visit in visits}
    found = []
    for folder in sorted(images.glob("Patient-*/week-*")):
        week = _week(folder.name)
        if (folder.parent.name, folder.name) in named or not folder.is_dir():
            continue
        if week is None:
            what = f"The folder {folder.name} is not called as week-000 or week-000-1"
            findings.append(about_source(LEFT_OUT, what, "rename it", folder.parent.name, folder.name))
            continue
        found.append(_Visit(folder.parent.name, folder.name, *week, notes={"week": str(week[0])}, rated=False))
    return found


def _people(path: Path | None, findings: list[Finding]) -> dict[str, dict[str, dict]]:
    """Patient to clinical facts and notes."""
    if path is None:
        what = "There is no table LUMIERE-Demographics_Pathology.csv, so there are no clinical columns"
        findings.append(about_source(ASSUMED, what, "download it beside the ratings if they are wanted"))
        return {}
    found: dict[str, dict[str, dict]] = {}
    for _, cells in lines_of(path, ("patient",), "the table of patients of LUMIERE"):
        facts: dict[str, dict] = {
            kind: {name: _value(cells[key]) for key, name in names.items() if cells.get(key, "").lower() not in BLANK}
            for kind, names in PEOPLE.items()
        }
        found[cells["patient"]] = facts
    return found


def _value(text: str) -> float | str:
    try:
        return as_number(text)
    except Unreadable:
        return text


def _rows(
    visits: list[_Visit],
    images: Path | None,
    people: Mapping[str, Mapping[str, dict]],
    masks: str,
    keep_early: bool,
    findings: list[Finding],
) -> Iterator[CohortRow]:
    number, before = 2, ""
    for visit in sorted(visits, key=lambda each: (each.patient, each.week, each.again)):
        folder = images / visit.patient / visit.name if images else None
        files = {name: folder / file for name, file in IMAGES.items() if (folder / file).is_file()} if folder else {}
        lacking = [IMAGES[name] for name in NEEDED if name not in files]
        if folder and lacking:
            what = f"The visit has no {', '.join(lacking)}; what follows is compared with the visit before it"
            findings.append(about_source(LEFT_OUT, what, "bring the files there", visit.patient, visit.name))
            continue
        facts = people.get(visit.patient, {})
        first, before = visit.patient != before, visit.patient
        made = CohortRow(
            number,
            visit.patient,
            visit.name,
            clinical=facts.get("clinical", {}),
            note={**visit.notes, **{key: str(value) for key, value in facts.get("note", {}).items()}},
            extra={"visit": visit.name, **files},
        )
        if folder and "t1c" not in files:
            findings.append(
                about_row(made, NO_IMAGE, f"There is no {IMAGES['t1c']}", "nothing, if T1, T2 and FLAIR do")
            )
        yield _with_rating(made, visit, folder, masks, first, keep_early, findings)
        number += 1


def _with_rating(
    made: CohortRow,
    visit: _Visit,
    folder: Path | None,
    masks: str,
    first: bool,
    keep_early: bool,
    findings: list[Finding],
) -> CohortRow:
    """The row with its category, what is known of surgery, and the mask where it cannot be rated by a rule instead."""
    said = visit.rating.strip().lower()
    extra, label_value = dict(made.extra), None
    why = _why_unused(visit, said, keep_early)
    if why:
        findings.append(about_row(made, UNKNOWN_RATING, why, "nothing; or write its category into the column rano"))
    else:
        extra["rano"] = said
        if first:
            what = f"“{visit.rating}” is the patient's first visit here, so there is none before to answer from"
            findings.append(about_row(made, UNKNOWN_RATING, what, "nothing; or bring the images of an earlier visit"))
    operated = said in OPERATED
    if operated and not first:
        extra["surgery"] = True
    if folder and masks != NONE:
        name, value = MASKS[masks]
        if why and not first and not operated:
            what = "The visit is not rated, so its mask is not named: a rule would rate it from that"
            findings.append(about_row(made, NO_MASK, what, "nothing; or write its category and its mask"))
        elif (folder / name).is_file():
            extra["tumour"], label_value = folder / name, value
        else:
            findings.append(about_row(made, NO_MASK, f"There is no {name}", "nothing; the rating does without"))
    return replace(made, extra=extra, label_value=label_value)


def _why_unused(visit: _Visit, said: str, keep_early: bool) -> str:
    """Why there is no category; empty: there is."""
    if not visit.rated:
        return "The images have no line in the table of ratings"
    if said in CATEGORIES:
        if visit.early and not keep_early:
            return f"“{visit.rating}” is marked as within three months of radiotherapy, or as no time point for RANO"
        return ""
    return f"“{visit.rating}” is no category of RANO" if said not in BLANK else "The visit is not rated"
