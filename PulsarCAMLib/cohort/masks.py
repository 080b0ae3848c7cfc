"""Masks and images that a cohort table names: read each once, measure, and see whether they lie on each other."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from ..core.errors import GeometryError, InputError
from ..core.geometry.volume import VolumeGeometry
from ..core.inputs import InputRole
from ..core.lesion import Lesion
from ..io.plain_files import is_there
from .findings import Finding
from .reader import MaskPlace, Reader
from .tables.table import CohortRow, CohortTable

FIRST, FOLLOWUP = "first", "follow-up"

MASK_REMEDIES = {
    FIRST: "correct the mask, or its name in this row",
    FOLLOWUP: "correct the mask, or its name in this row (follow-up); if the lesion has vanished, write "
    "followup_volume_cm3 0 instead",
}

Measured = dict[tuple[int, str], float]
"""(row, :data:`FIRST` or :data:`FOLLOWUP`) to the volume of the mask in cm3."""

Progress = Callable[[float, str], None]


def mask_place(row: CohortRow, which: str) -> MaskPlace | None:
    """The mask of a row, or of its follow-up (called as in the row itself where nothing else is said)."""
    if which == FIRST:
        return MaskPlace(row.segmentation, row.segment, row.label_value) if row.segmentation else None
    if not row.followup_segmentation:
        return None
    if row.followup_segment or row.followup_label_value:
        return MaskPlace(row.followup_segmentation, row.followup_segment, row.followup_label_value)
    return MaskPlace(row.followup_segmentation, row.segment, row.label_value)


def mask_place_of(row: CohortRow, role: InputRole) -> MaskPlace | None:
    """The mask of a row for an input of a system, whose column may be another one than ``segmentation``."""
    path = row.value(role.table_column)
    return MaskPlace(path, row.segment, row.label_value) if path else None


def lesions_in(place: MaskPlace, geometry: VolumeGeometry) -> tuple[Lesion, ...]:
    """All lesions of a mask on the voxels of an MRI; none where it is empty, as after a complete response.

    Raises:
        InputError: it is no mask, or lies elsewhere.
    """
    from ..lesions.from_files import read_lesions

    values = [place.label_value] if place.label_value is not None else None
    segments = [place.segment] if place.segment else None
    return tuple(read_lesions(place.path, geometry, "auto", values, segments, asks=False, may_be_empty=True)[0])


def lesion_of(row: CohortRow, geometry: VolumeGeometry, told: list[str] | None = None) -> Lesion:
    """The lesion of a row on the voxels of its MRI, named as the row names it.

    Args:
        row: with a mask.
        geometry: of the MRI.
        told: warnings of the reading are added to it.

    Raises:
        InputError: the mask cannot be used, lies elsewhere, or holds several lesions.
    """
    from ..lesions.from_files import read_lesions

    place = mask_place(row, FIRST)
    segments = [place.segment] if place.segment else None
    values = [place.label_value] if place.label_value is not None else None
    found, warnings = read_lesions(place.path, geometry, "together", values, segments)
    if told is not None:
        told += warnings
    if len(found) != 1:
        raise InputError(
            f"Row {row.row}: {place.path.name} holds {len(found)} lesions; say in the column segment or label_value "
            "which one is meant."
        )
    return replace(found[0], name=row.lesion)


def measure(
    table: CohortTable,
    wanted: Collection[tuple[int, str]] | None = None,
    *,
    progress: Progress | None = None,
) -> tuple[Measured, list[Finding]]:
    """Measure masks; files that are not there are left out silently.

    Args:
        table: whose masks.
        wanted: (row, which) of the masks to be measured; all when None.
        progress: called after each row with the share done and a text.
    """
    reader, measured, findings = Reader(), {}, []
    for count, row in enumerate(table.rows, start=1):
        found, wrong = measure_row(reader, row, wanted, check_images=False)
        measured |= found
        findings += wrong
        if progress:
            progress(count / len(table.rows), f"row {row.row}")
    return measured, findings


def measure_row(
    reader: Reader, row: CohortRow, wanted: Collection[tuple[int, str]] | None = None, *, check_images: bool = True
) -> tuple[Measured, list[Finding]]:
    """Measure the masks of one row.

    Args:
        reader: of the table's files.
        row: whose masks.
        wanted: see :func:`measure`.
        check_images: also read the images and see whether the masks lie on them.
    """
    measured, findings = {}, []
    for which in (FIRST, FOLLOWUP):
        grid, wrong = _grid_of(reader, row, which) if check_images else (None, [])
        findings += wrong
        place = mask_place(row, which)
        if place and is_there(place.path) and (wanted is None or (row.row, which) in wanted):
            volume, wrong = _measure_one(reader, row, which, place, grid)
            findings += wrong
            if volume is not None:
                measured[row.row, which] = volume
    return measured, findings


def _grid_of(reader: Reader, row: CohortRow, which: str) -> tuple[VolumeGeometry | None, list[Finding]]:
    image, series = (row.image, row.series) if which == FIRST else (row.followup_image, None)
    if not image or not is_there(image):
        return None, []
    try:
        grid = reader.image(image, series).geometry
    except InputError as error:
        return None, [_finding(row, "unusable image", error, _of(which, "choose or export the image again"))]
    return grid, doubtful_image(reader, row, image, series)


def doubtful_image(reader: Reader, row: CohortRow, image: Path, series: str | None) -> list[Finding]:
    """Findings on an MRI that can be used and is hardly right; told with the first row that names it."""
    remedy = "look at the image, and export it again if it is wrong"
    found = [_finding(row, "doubtful image", text, remedy) for text in reader.doubts(image, series)]
    if told := reader.copied_from(row, image, series):
        remedy = "correct patient or file: one person under two names would be on both sides of a split"
        found.append(_finding(row, "doubtful image", told, remedy))
    return found


def _measure_one(
    reader: Reader, row: CohortRow, which: str, place: MaskPlace, grid: VolumeGeometry | None
) -> tuple[float | None, list[Finding]]:
    try:
        volume = reader.volume_cm3(place)
    except InputError as error:
        return None, [_finding(row, "unusable mask", error, MASK_REMEDIES[which])]
    remedy = _of(which, "look at the mask, and at what wrote it")
    doubts = [_finding(row, "doubtful mask", text, remedy) for text in reader.mask(place)[2]]
    try:
        return volume, doubts + (_on_image(reader, row, which, place, grid) if grid else [])
    except GeometryError as error:
        return None, [_finding(row, "mask off the image", error, _of(which, "export image and mask again"))]
    except InputError as error:
        return None, [_finding(row, "unusable mask", error, MASK_REMEDIES[which])]


def _on_image(reader: Reader, row: CohortRow, which: str, place: MaskPlace, grid: VolumeGeometry) -> list[Finding]:
    from ..lesions.on_grid import RESAMPLED, lesions_on_grid
    from ..lesions.overlap import OFF_IMAGE

    own, lesion, _ = reader.mask(place)
    _, warnings = lesions_on_grid(f"The mask in {place.path.name}", [lesion], own, grid, must_use_all=True)
    remedy = _of(which, "see whether image and mask belong together")
    kinds = {True: "mask partly off the image", False: "doubtful mask"}
    return [_finding(row, kinds[text.endswith(OFF_IMAGE)], text, remedy) for text in warnings if text != RESAMPLED]


def _finding(row: CohortRow, kind: str, what: object, remedy: str) -> Finding:
    return Finding(row.row, row.patient, row.lesion, kind, str(what).rstrip("."), remedy)


def _of(which: str, remedy: str) -> str:
    return remedy if which == FIRST else f"{remedy} (follow-up)"
