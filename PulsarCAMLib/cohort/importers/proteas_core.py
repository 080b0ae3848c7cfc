"""Tumour cores of PROTEAS as masks of their own: necrotic core (1) and enhancing tumour (2) together, no oedema (3).

A cohort table names one value of a label volume, and a metastasis with a necrotic core is two of PROTEAS's. The values
are those that public code has inferred, see :mod:`.proteas`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...core.errors import OutputError
from ...io.atomic import REPLACE, whole_folder
from ...io.plain_files import possible_place
from ...io.volumes import read_image
from ...lesions.doubts import whole_numbers
from ..findings import Finding
from ..tables.table import CohortRow
from .imported import ASSUMED, LEFT_OUT, about_row, about_source

CORE, KNOWN = (1, 2), (0, 1, 2, 3)


def with_cores(
    rows: Sequence[CohortRow], folder: Path, overwrite: bool, findings: list[Finding]
) -> tuple[list[CohortRow], list[Finding]]:
    """Rows whose masks are cores, written into a folder: all of them or none.

    Args:
        rows: with masks of PROTEAS.
        folder: to be made; each mask keeps the grid of the one it comes from.
        overwrite: replace a folder that is there, if it holds nothing but cores.
        findings: of the rows so far.

    Returns:
        Rows with a core at the baseline, numbered anew (a follow-up whose mask has no core has volume 0 and no mask),
        and all findings, by the new numbers.

    Raises:
        InputError: a mask cannot be read.
        OutputError: the folder is there already, holds something else, or cannot be written.
    """
    if os.path.lexists(possible_place(folder)) and not overwrite:
        raise OutputError(f"{folder} exists already", REPLACE)
    if os.path.lexists(folder) and not (
        folder.is_dir() and all(path.match("P*_core_*.nii.gz") for path in folder.iterdir())
    ):
        raise OutputError(f"{folder} holds other files than cores; choose another folder for them.")
    kept: list[CohortRow] = []
    numbers: dict[int, int] = {}
    more: list[Finding] = []
    try:
        with whole_folder(folder) as made:
            for row in rows:
                new = replace(row, row=2 + len(kept))
                found = _core(row.segmentation, made, more, new)
                if found is None:
                    what = f"{row.segmentation.name} has no tumour core"
                    more.append(about_source(LEFT_OUT, what, "see whether that is right", row.patient, row.lesion))
                    continue
                numbers[row.row] = new.row
                new = replace(new, segmentation=folder / found, label_value=1)
                kept.append(_with_later(new, folder, made, more))
    except OSError as error:
        raise OutputError(f"The cores cannot be written to {folder} ({error.strerror or error}).") from error
    told = [replace(each, row=numbers.get(each.row, 0)) for each in findings]
    return kept, [*told, *more]


def _with_later(row: CohortRow, folder: Path, made: Path, findings: list[Finding]) -> CohortRow:
    if row.followup_segmentation is None:
        return row
    found = _core(row.followup_segmentation, made, findings, row)
    if found:
        return replace(row, followup_segmentation=folder / found)
    what = f"{row.followup_segmentation.name} has no tumour core: counted as vanished, 0 cm³"
    findings.append(about_row(row, ASSUMED, what, "correct followup_volume_cm3 if the tumour has not vanished"))
    return replace(row, followup_segmentation=None, followup_volume_cm3=0.0)


def _core(path: Path, made: Path, findings: list[Finding], row: CohortRow) -> str | None:
    """Name of the file that was written; None where there is no core."""
    import SimpleITK as sitk

    name = f"The mask {path.name}"
    image = read_image(path, name)
    values = whole_numbers(name, sitk.GetArrayViewFromImage(image))
    strange = [f"{value:g}" for value in np.unique(values) if value not in KNOWN]
    if strange:
        what = f"{path.name} has the values {', '.join(strange)}, which are not known; they are no core"
        findings.append(about_row(row, ASSUMED, what, "look at the mask"))
    core = np.isin(values, CORE).astype(np.uint8)
    if not core.any():
        return None
    written = sitk.GetImageFromArray(core)
    written.CopyInformation(image)
    file = path.name.replace("_tumor_mask_", "_core_")
    sitk.WriteImage(written, str(made / file), True)
    return file
