"""Whether a cohort table names what a system needs, and whether those files can be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..core.errors import InputError
from ..core.inputs import MASK, MRI
from ..core.task import LESION
from ..core.vocabulary import BASELINE, BEFORE
from ..io.plain_files import is_there, shown_path
from ..systems.contract import System
from .cases import path_of, series_of
from .findings import Finding
from .masks import doubtful_image, mask_place_of
from .reader import MaskPlace, Reader
from .tables.table import CohortRow, CohortTable


def needed_inputs(table: CohortTable, system: System) -> Iterator[Finding]:
    """Rows that do not name what there is no answer without."""
    needed = [role.table_column for role in system.needed_inputs]
    if table.rows and not any(row.value(column) for row in table.rows for column in needed):
        kinds = {"image": any(role.kind != MASK for role in system.needed_inputs)}
        kinds["mask"] = any(role.kind == MASK for role in system.needed_inputs)
        what = f"The table names {' and '.join(f'no {kind}' for kind, is_needed in kinds.items() if is_needed)}"
        remedy = f"add {' and '.join(dict.fromkeys(needed))}: labels alone train no model"
        yield Finding(0, "", "", "no images", what, remedy)
        return
    for column in dict.fromkeys(column for column in needed if column not in table.columns):
        remedy = "add it, or correct the heading that is meant for it"
        yield Finding(0, "", "", "missing value", f"There is no column {column}", remedy)
    points = {role.time_point for role in system.inputs}
    for row in table.rows:
        for role in system.needed_inputs:
            if role.table_column not in table.columns:
                continue
            # a system that looks at one MRI takes it at any time point
            if len(points) > 1 and role.time_point != row.time_point:
                continue
            name = role.table_column
            if row.value(name) is None:
                what, remedy = f"The column {name} is empty", f"name the {name}, or remove the row"
                yield Finding(row.row, row.patient, row.lesion, "missing value", what, remedy)


def one_file_twice(row: CohortRow, system: System) -> Iterator[Finding]:
    """A mask and an image that are one file."""
    masks = dict.fromkeys(("segmentation", "followup_segmentation"))
    masks |= dict.fromkeys(role.table_column for role in system.inputs if role.kind == MASK)
    images = dict.fromkeys(("image", "followup_image"))
    images |= dict.fromkeys(role.table_column for role in system.image_inputs)
    for image in images:
        for mask in masks:
            if image != mask and row.value(image) is not None and row.value(image) == row.value(mask):
                what, remedy = f"The {image} and the {mask} are one file", "name each from its own file"
                yield Finding(row.row, row.patient, row.lesion, "unusable image", what, remedy)


def missing_time_points(table: CohortTable, system: System) -> Iterator[Finding]:
    """Units without the row in which a needed input of another time point would stand."""
    points = dict.fromkeys(role.time_point for role in system.needed_inputs)
    others = [point for point in points if point not in (BASELINE, BEFORE)]
    for rows in table.units(system.task.unit).values() if others else ():
        for point in others:
            if not any(row.time_point == point for row in rows):
                what = f"The {system.task.unit} has no {point} row"
                remedy = "add it: this system looks at both MRIs"
                yield Finding(rows[0].row, rows[0].patient, rows[0].lesion, "missing value", what, remedy)


def missing_files(table: CohortTable) -> Iterator[Finding]:
    """Files of columns that only some systems have, and that are not there; the others are checked with their rows."""
    for row in table.rows:
        for name, path in row.extra.items():
            if isinstance(path, Path) and not is_there(path):
                yield Finding(
                    row.row, row.patient, row.lesion, "missing file", f"There is no {shown_path(path)} ({name})",
                    "correct the path or bring the file there",
                )  # fmt: skip


def unreadable_inputs(reader: Reader, row: CohortRow, system: System) -> Iterator[Finding]:
    """Images and doses of a row's further inputs that cannot be used; ``image`` is read with its mask."""
    for role in system.inputs:
        if role.kind == MASK or role.table_column == "image" or not path_of(row, role):
            continue
        path, series = series_of(row, role)
        if not is_there(path):
            continue
        kind, remedy = "unusable image", f"choose or export the {role.table_column} again"
        try:
            reader.image(path, series, role)
        except InputError as error:
            yield Finding(row.row, row.patient, row.lesion, kind, str(error).rstrip("."), remedy)
            continue
        yield from doubtful_image(reader, row, path, series) if role.kind == MRI else ()


def absent_label_values(table: CohortTable, system: System) -> Iterator[Finding]:
    """Rows whose ``label_value`` their mask does not hold though it holds others, so that nothing would be there.

    Where a lesion is the unit, this is refused when the mask is read; here it may also say that the tumour is gone.
    """
    role = system.role(MASK)
    if role is None or system.task.unit == LESION:
        return
    looked_at: dict[MaskPlace, str] = {}
    lacking = []
    for row in table.rows:
        place = mask_place_of(row, role)
        if place is None or place.label_value is None or not is_there(place.path):
            continue
        if place not in looked_at:
            looked_at[place] = _holds(place)
        if looked_at[place] == OTHERS:
            lacking.append((row, place))
    for row, place in lacking:
        same = [what for each, what in looked_at.items() if each.label_value == place.label_value and what != NOTHING]
        what = f"The mask {place.path.name} holds other values and no {place.label_value}, so nothing would be there"
        if len(same) > 1 and set(same) == {OTHERS}:
            kind, remedy = "unusable mask", "correct label_value: no mask of the table holds it"
        else:
            kind, remedy = "doubtful mask", "correct label_value, unless nothing is left there"
        yield Finding(row.row, row.patient, row.lesion, kind, what, remedy)


ASKED, OTHERS, NOTHING = "asked", "others", "nothing"


def _holds(place: MaskPlace) -> str:
    """Whether a mask holds the value that is asked for, only others, or nothing that can be told."""
    from ..lesions.from_files import are_empty

    try:
        lacks, is_empty = are_empty(place.path, place.label_value, None)
        return ASKED if not lacks else NOTHING if is_empty else OTHERS
    except InputError:  # a finding of its own
        return NOTHING
