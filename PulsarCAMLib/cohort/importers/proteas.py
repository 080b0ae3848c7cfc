"""PROTEAS-brain-mets: brain metastases before and after radiosurgery, masks and planned dose, as a cohort of lesions.

Flouri et al., "A longitudinal MRI dataset of brain metastases with tumor segmentations, clinical & radiomic data",
Sci Data 12:1828 (2025), Zenodo 10.5281/zenodo.17253793. Layout as public code that reads this record has it::

    PROTEAS-Clinical_and_demographic_data.xlsx   sheet PROTEAS: Patient ID (Zenodo), Fractions,
                                                 Rx dose at tumor margins ("20 Gy "), and others
    P01.zip ... P40.zip, each unpacked to
    P01/BraTS/baseline/{t1,t1c,t2,fla}.nii.gz, P01/BraTS/fu1/..., P01/BraTS/fu2/...
    P01/P01_RTP.nii.gz                           planned dose in Gy
    P01/tumor segmentation/P01_tumor_mask_baseline.nii.gz, P01_tumor_mask_fu1.nii.gz (also "tumor_segmentation")

Masks: 1 necrotic core, 2 enhancing tumour, 3 oedema; the record does not say so, public code has inferred it. Folders
such as P04a and P04b belong to one patient, P04.

Not verified without the data: the values of the masks; that dose and masks lie in the space of the MRIs (public code
compares them voxel by voxel); whether a and b are two courses or two places; the days between scans, for which there is
no column here; the other headings of the clinical table. One mask holds all metastases of a scan: they are one lesion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...core.errors import InputError
from ..findings import Finding
from ..tables.table import CohortRow
from .imported import (
    ASSUMED,
    LEFT_OUT,
    NO_IMAGE,
    NO_MASK,
    Imported,
    about_row,
    about_source,
    imported,
    lines_of,
)

CLINICAL_FILE, CLINICAL_SHEET = "PROTEAS-Clinical_and_demographic_data*.xlsx", "PROTEAS"
PATIENT, PRESCRIPTION, FRACTIONS = "patient_id_zenodo", "rx_dose_at_tumor_margins", "fractions"

ENHANCING = 2
"""Value of enhancing tumour in a mask."""


def import_proteas(
    source: str | Path, followup: int = 1, cores: str | Path | None = None, overwrite: bool = False
) -> Imported:
    """One row per folder: tumour at baseline and at one of the follow-ups, MRI, planned dose, prescription.

    Args:
        source: folder with the unpacked patients, and the clinical table where there is one.
        followup: which follow-up counts: 1 is ``fu1``.
        cores: folder into which masks of necrotic core and enhancing tumour together are written; None: the lesion is
            the enhancing tumour, and no image is opened.
        overwrite: replace a folder of cores that is there.

    Raises:
        InputError: no such folder, or no patient in it; a mask cannot be read.
        OutputError: the cores are there already, or cannot be written.
    """
    source = Path(source)
    if not source.is_dir():
        raise InputError(f"There is no folder {source}; give the one with the unpacked patients of PROTEAS.")
    folders = {path.name: path for path in sorted(source.glob("P*")) if path.is_dir() and _parts(path.name)}
    findings: list[Finding] = []
    for path in sorted(source.glob("P*.zip")):
        if path.stem not in folders and _parts(path.stem):
            findings.append(about_source(LEFT_OUT, f"{path.name} is not unpacked", "unpack it there", path.stem))
    if not folders:
        raise InputError(f"There are no folders such as P01 in {source}; unpack P01.zip and the others there.")
    facts = _facts(source, findings)
    rows = list(_rows(folders, facts, followup, findings))
    if not rows:
        raise InputError(f"No folder in {source} has BraTS/baseline/t1c.nii.gz and a mask; see how it was unpacked.")
    if cores is None:
        what = f"Enhancing tumour ({ENHANCING}) is the lesion, not necrotic core (1) and oedema (3), by inferred values"
        remedy = "look at some masks; with --cores the necrotic core belongs to it"
    else:
        from .proteas_core import with_cores

        rows, findings = with_cores(rows, Path(cores), overwrite, findings)
        what = (
            f"Necrotic core (1) and enhancing tumour ({ENHANCING}) are the lesion, not oedema (3), by inferred values"
        )
        remedy = "look at some masks"
    findings.append(about_source(ASSUMED, what, remedy))
    what = "All metastases of a scan are one lesion, for the masks do not tell them apart"
    findings.append(about_source(ASSUMED, what, "separate them in the masks if each is to be answered for"))
    what = f"The follow-up is fu{followup}, whenever that was"
    findings.append(about_source(ASSUMED, what, "choose another with --follow-up"))
    return imported(rows, findings)


def _parts(name: str) -> tuple[str, str] | None:
    """ "P04a" as ("P04", "a")."""
    found = re.fullmatch(r"(P\d+)([a-z]?)", name)
    return (found[1], found[2]) if found else None


def _facts(source: Path, findings: list[Finding]) -> dict[str, dict[str, float]]:
    """Folder to prescribed dose in Gy and fractions; a patient with two lines that differ has none."""
    paths = sorted(source.glob(CLINICAL_FILE))
    if not paths:
        what = "There is no PROTEAS-Clinical_and_demographic_data.xlsx, so there are no clinical columns"
        findings.append(about_source(ASSUMED, what, "download it beside the patients if they are wanted"))
        return {}
    lines = lines_of(paths[-1], (PATIENT,), "the clinical table of PROTEAS", CLINICAL_SHEET)
    said: dict[str, list[dict[str, float]]] = {}
    for number, cells in lines:
        name, fact = cells[PATIENT].strip(), {}
        for heading, column in ((PRESCRIPTION, "prescription_gy"), (FRACTIONS, "fractions")):
            text = cells.get(heading, "")
            amount = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:gy)?", text.strip(), re.IGNORECASE)
            if amount:
                fact[column] = float(amount[1])
            elif text:
                what = f"“{text}” in line {number} of the clinical table is no number ({heading})"
                findings.append(about_source(LEFT_OUT, what, "write it into the column clinical_" + column, name))
        said.setdefault(name, []).append(fact)
    found = {}
    for name, facts in said.items():
        if all(fact == facts[0] for fact in facts):
            found[name] = facts[0]
            continue
        what = f"The clinical table has {len(facts)} lines with different doses for {name}; none is used"
        findings.append(about_source(LEFT_OUT, what, "write what is meant into the clinical columns", name))
    others = sorted({name for _, cells in lines for name in cells} - {PATIENT, PRESCRIPTION, FRACTIONS})
    if others:
        what = f"Columns of the clinical table that are not taken over: {', '.join(others)}"
        findings.append(about_source(ASSUMED, what, "add those that may serve as features as clinical_..."))
    return found


def _mask(folder: Path, point: str) -> Path | None:
    name = f"{folder.name}_tumor_mask_{point}.nii.gz"
    paths = (folder / inner / name for inner in ("tumor segmentation", "tumor_segmentation"))
    return next((path for path in paths if path.is_file()), None)


def _rows(
    folders: Mapping[str, Path], facts: Mapping[str, dict[str, float]], followup: int, findings: list[Finding]
) -> Iterator[CohortRow]:
    number, point = 2, f"fu{followup}"
    for name, folder in folders.items():
        patient, part = _parts(name) or (name, "")
        lesion = part or "all"
        image, mask = folder / "BraTS" / "baseline" / "t1c.nii.gz", _mask(folder, "baseline")
        if not image.is_file() or mask is None:
            lacking = "BraTS/baseline/t1c.nii.gz" if not image.is_file() else "mask of the baseline"
            kind = NO_IMAGE if not image.is_file() else NO_MASK
            findings.append(about_source(kind, f"There is no {lacking}: left out", "bring it there", patient, lesion))
            continue
        later, later_image = _mask(folder, point), folder / "BraTS" / point / "t1c.nii.gz"
        dose = folder / f"{name}_RTP.nii.gz"
        row = CohortRow(
            number,
            patient,
            lesion,
            image=image,
            segmentation=mask,
            label_value=ENHANCING,
            followup_segmentation=later,
            followup_image=later_image if later_image.is_file() else None,
            dose=dose if dose.is_file() else None,
            clinical=facts.get(name) or facts.get(patient) or {},
            note={"folder": name},
        )
        findings += _about(row, name, point)
        yield row
        number += 1


def _about(row: CohortRow, name: str, point: str) -> Iterator[Finding]:
    """What a row lacks, and who is one patient."""
    if row.followup_segmentation is None:
        there = "no mask" if row.followup_image else "neither mask nor MRI"
        what = f"There is {there} of {point}; no mask is not taken for “vanished”"
        remedy = "write followup_volume_cm3 0 if the tumour has vanished, or choose another follow-up"
        yield about_row(row, NO_MASK, what, remedy)
    if row.dose is None:
        yield about_row(row, NO_IMAGE, f"There is no planned dose {name}_RTP.nii.gz", "nothing, if it is not needed")
    if name != row.patient:
        what = f"{name} is a part of {row.patient}, who is one patient with several rows"
        yield about_row(row, ASSUMED, what, "nothing, if these are one person")
