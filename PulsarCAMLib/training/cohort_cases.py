"""The lesions of a cohort table as training samples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ..cohort.labels import LesionLabel
from ..cohort.masks import lesion_of
from ..cohort.table import CohortRow, CohortTable
from ..core.errors import InputError
from ..core.vocabulary import BASELINE
from ..io.hashing import sha256_of
from ..systems.autoencoder.samples import Case

Progress = Callable[[float, str], None]


def usable_rows(
    table: CohortTable, labels: Sequence[LesionLabel], time_point: str = BASELINE
) -> list[tuple[CohortRow, int]]:
    """Rows of a time point that have MRI, contour and response, with the response.

    Raises:
        InputError: there is none.
    """
    responses = {(label.patient, label.lesion): label.response for label in labels}
    found = [
        (row, responses[row.key])
        for row in table.rows
        if row.time_point == time_point and row.image and row.segmentation and responses.get(row.key) is not None
    ]
    if not found:
        raise InputError(
            f"No lesion of the table has an MRI at the time point “{time_point}”, a contour on it and a response; "
            "complete the table first."
        )
    return found


def cohort_cases(rows: Sequence[tuple[CohortRow, int]], progress: Progress | None = None) -> Iterator[Case]:
    """Labelled lesions; every MRI is read once and only one is in memory.

    Args:
        rows: of :func:`usable_rows`.
        progress: called after each MRI with the share done and a text.

    Raises:
        InputError: an image or a mask cannot be used.
    """
    from ..io.volumes import read_volume

    images: dict[tuple[Path, str | None], list[tuple[CohortRow, int]]] = {}
    for row, response in rows:
        images.setdefault((row.image, row.series), []).append((row, response))
    for count, ((image, series), lesions) in enumerate(images.items(), start=1):
        volume, geometry = read_volume(image, series)
        for row, response in lesions:
            yield Case(row.patient, volume, geometry, lesion_of(row, geometry), response)
        if progress:
            progress(count / len(images), f"MRI {count} of {len(images)}")


def inputs_digest(rows: Sequence[tuple[CohortRow, int]]) -> str:
    """One hash of all images and masks that were used, which tells whether they are the same and not whose."""
    paths = {path for row, _ in rows for path in (row.image, row.segmentation)}
    return hashlib.sha256("".join(sorted(map(sha256_of, paths))).encode()).hexdigest()
