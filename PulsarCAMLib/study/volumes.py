"""What share of its first volume every lesion of a study keeps, in the study's folder; numbers only, no name."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..core.errors import Cure, InputError
from ..io.csv_files import csv_text, read_csv
from .folder import write_text

CHANGES = "volume_change.csv"
HEADINGS = ("lesion", "share_of_volume_left")


def write_changes(folder: Path, shares: Mapping[int, float], rows: np.ndarray) -> None:
    """Keep each lesion's share of volume that is left at follow-up.

    Args:
        folder: of the study.
        shares: row of the cohort table to share; rows without two volumes are absent.
        rows: int ``[L]``, baseline row of each lesion of the study.

    Raises:
        InputError: no lesion has two volumes.
    """
    known = [(lesion, shares[row]) for lesion, row in enumerate(rows.tolist()) if row in shares]
    if not known:
        raise InputError(
            "No lesion of the cohort has its volume at both times, so there is no volume change to predict",
            Cure("leave that out, or give volumes or follow-up contours", "(--volume-change asks for it)"),
        )
    write_text(folder / CHANGES, csv_text(HEADINGS, ((lesion, float(share)) for lesion, share in known)))


def read_changes(folder: Path, lesions: int) -> np.ndarray:
    """Shares ``[L]``; NaN where unknown.

    Raises:
        InputError: the file is missing or damaged.
    """
    found = np.full(lesions, np.nan)
    try:
        _, lines = read_csv(folder / CHANGES)
        for lesion, share in lines:
            found[int(lesion)] = float(share)
    except (ValueError, IndexError, csv.Error, InputError) as error:
        raise InputError(
            f"The list of volume changes in {folder} is missing or damaged; run the study anew."
        ) from error
    return found
