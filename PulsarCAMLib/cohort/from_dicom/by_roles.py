"""A DICOM folder as rows of a system that looks at whole images: which series is which input, as its roles say it.

No header says reliably which series is a contrast-enhanced T1 and which a FLAIR, so the person says it, column by
column: by words of the series' description, or by numbers of the list. What is not said, or said of two series of one
day, is not guessed. Where the unit is the visit, every day is a row with all of its series; where it is the patient,
one row has the last day's, and for roles of the time before those of a day before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...core.case import Image
from ...core.errors import InputError
from ...core.inputs import DOSE, MASK, MRI, InputRole
from ...core.task import VISIT
from ...core.vocabulary import BASELINE
from ...io.dicom.dates import date_of
from ...io.dicom.files import quiet, text_of
from ...io.dicom.folder import Inventory, Item
from ...io.dicom.identity import Identity, identity_of, told_without
from ...io.dicom.pairing import Chosen, pairs_of, told
from ..findings import Finding
from ..importers.imported import ASSUMED, LEFT_OUT
from ..tables.table import CohortRow
from .visits import Tell, Wanted, asked, chosen_of
from .voxels import DAY_ONE, Patient, write_dose, write_nrrd

if TYPE_CHECKING:
    from ...systems.contract import System


@dataclass(frozen=True, eq=False)
class Day:
    """What is taken of one day of a patient.

    Attributes:
        day: of the studies.
        series: column to image series.
        doses: that lie in the frame of reference of one of these.
        masks: column to the structure set that was drawn on the first series of its time point.
    """

    day: date
    series: Mapping[str, Item]
    doses: tuple[Item, ...] = ()
    masks: Mapping[str, Chosen] = field(default_factory=dict)


def columns_taken(system: System) -> dict[str, tuple[InputRole, ...]]:
    """Columns of a system's MRIs, which series are chosen for, to the roles that have them."""
    found: dict[str, list[InputRole]] = {}
    for role in system.inputs:
        if role.kind == MRI:
            found.setdefault(role.table_column, []).append(role)
    return {column: tuple(roles) for column, roles in found.items()}


def days_of(own: Inventory, wanted: Wanted, tell: Tell) -> list[Day]:
    """Days of one patient in their order that rows are made of; none where the patient cannot be used.

    Args:
        own: what there is of the patient.
        wanted: what the person has said, with a system that is not asked for lesions.
        tell: is told every decision.
    """
    assert wanted.system is not None
    columns = columns_taken(wanted.system)
    chosen: dict[date, dict[str, Item]] = {}
    for column, texts in wanted.take.items():
        for day, items in _matching(own, texts, tell).items():
            if len(items) > 1:
                listed = ", ".join(map(told, items))
                tell(LEFT_OUT, f"{listed} of one day could all be {column}", "say which by its number, with --take")
                continue
            chosen.setdefault(day, {})[column] = items[0]
    of_visits = wanted.system.task.unit == VISIT
    days = _rows_of_visits(chosen, tell) if of_visits else _row_of_patient(chosen, columns, tell)
    for n, each in enumerate(days, start=1):
        for column, item in each.series.items():
            what = f"{told(item)} is {column} of visit {n}"
            tell(ASSUMED, what, "if that is wrong: say which by its number, with --take")
    _tell_lacking(days, columns, wanted, tell)
    _tell_ambiguous(days, chosen, tell)
    used = {id(item) for each in days for item in each.series.values()}
    meant = {id(item): column for found in chosen.values() for column, item in found.items()}
    for item in own.series:
        if id(item) not in used:
            own_column = meant.get(id(item))
            why = f"{own_column} is that of another day, or left out" if own_column else "no --take means it"
            tell(LEFT_OUT, f"{told(item)} is not used: {why}", "say by its number, with --take, if it is meant")
    masks = [_masks_of(own, each, n, wanted, tell) for n, each in enumerate(days, start=1)]
    found = [replace(each, doses=_doses_of(own, each), masks=sets) for each, sets in zip(days, masks, strict=True)]
    _tell_doses(own, found, wanted.system, tell)
    return found


def _tell_lacking(days: Sequence[Day], columns: Mapping[str, object], wanted: Wanted, tell: Tell) -> None:
    """Say which columns of MRIs stay empty, in all rows of the patient or in one, and why."""
    for column in columns if days else ():
        empty = [n for n, each in enumerate(days, start=1) if column not in each.series]
        if column not in wanted.take:
            what = f"Nothing is taken as {column}: no --take names the column"
            tell(LEFT_OUT, what, f"give --take {column}=TEXT if there is such a series")
        elif len(empty) == len(days):
            tell(LEFT_OUT, f"Nothing is taken as {column}", "say which series it is by its number, with --take")
        for n in empty if column in wanted.take and len(empty) < len(days) else ():
            what = f"Nothing is taken as {column} of visit {n}"
            tell(LEFT_OUT, what, "say which series it is by its number, with --take")


def _tell_ambiguous(days: Sequence[Day], chosen: Mapping[date, Mapping[str, Item]], tell: Tell) -> None:
    """Say of a series that is one column where what was said also means it for another: its day alone has decided."""
    for n, each in enumerate(days, start=1):
        for column, item in each.series.items():
            others = sorted(
                {name for found in chosen.values() for name, one in found.items() if one is item} - {column}
            )
            if others:
                what = (
                    f"{told(item)} could be {' and '.join(sorted([column, *others]))} by what is said: it is {column} "
                )
                what += f"of visit {n} alone, by its day"
                tell(ASSUMED, what, "if that is wrong: say which by its number, with --take")


def _tell_doses(own: Inventory, days: Sequence[Day], system: System, tell: Tell) -> None:
    """Say which rows get no dose, and which doses no row gets."""
    columns = dict.fromkeys(role.table_column for role in system.inputs if role.kind == DOSE)
    if not columns or not days:
        return
    for n, each in enumerate(days, start=1):
        for column in columns if not each.doses else ():
            what = f"Nothing is taken as {column} of visit {n}: no RTDOSE lies in the frame of reference of its series"
            tell(LEFT_OUT, what, f"name the plan's dose in the column {column}, if there is one")
    used = {id(dose) for each in days for dose in each.doses}
    for dose in own.doses:
        if id(dose) not in used:
            what = (
                f"dose {dose.number} (RTDOSE) is not used: it lies in the frame of reference of no series that is taken"
            )
            tell(LEFT_OUT, what, f"name it in the column {next(iter(columns))}, if it is meant")


def _lead_column(system: System, mask: InputRole) -> str:
    """Of the MRI that a mask was drawn on."""
    return system.lead_of(mask).table_column


def _masks_of(own: Inventory, day: Day, visit: int, wanted: Wanted, tell: Tell) -> dict[str, Chosen]:
    """The one structure set of each mask's MRI; none and several are told, and left out."""
    system, found = wanted.system, {}
    assert system is not None
    for column, mask in {role.table_column: role for role in system.inputs if role.kind == MASK}.items():
        name = _lead_column(system, mask)
        lead = day.series.get(name)
        if lead is None:
            what = f"Nothing is taken as {column} of visit {visit}: it is drawn on {name}, and there is none"
            tell(LEFT_OUT, what, f"say with --take which series is {name}")
            continue
        sets = asked(own.structure_sets, wanted.structures)
        pairs = [pair for each in sets for pair in pairs_of(own, each) if pair.series is lead]
        if len(pairs) > 1:
            listed = ", ".join(told(pair.structures) for pair in pairs)
            what = f"{told(lead)} has several structure sets for {column}: {listed}"
            tell(LEFT_OUT, what, "name the one that is meant with --structures")
        elif not pairs:
            what = f"Nothing is taken as {column} of visit {visit}: no structure set goes with {told(lead)}"
            tell(LEFT_OUT, what, f"name a file of voxels in the column {column}, if there is one")
        elif chosen := chosen_of(own, pairs[0], tell):
            tell(ASSUMED, f"{column}: {chosen.told.rstrip('.')}", "if that is wrong: --structures, --segments")
            found[column] = chosen
    return found


def _matching(own: Inventory, texts: Sequence[str], tell: Tell) -> dict[date, list[Item]]:
    """Day to the series that a column could mean on it."""
    found: dict[date, list[Item]] = {}
    for item in own.series:
        if not _is_meant(item, texts):
            continue
        day = date_of(item.first.path)
        if day is None:
            tell(LEFT_OUT, f"{told(item)} does not say its day, so it belongs to no visit", "export it again")
        else:
            found.setdefault(day, []).append(item)
    return found


def _is_meant(item: Item, texts: Sequence[str]) -> bool:
    """By its number, or by words that its description holds; with * and ? the description as a whole is meant."""
    if str(item.number) in texts:
        return True
    words = [text.casefold() for text in texts if not text.isdecimal()]
    if not words:
        return False
    import pydicom

    with quiet():
        data = pydicom.dcmread(
            item.first.path, stop_before_pixels=True, specific_tags=["SeriesDescription"], force=True
        )
    description = text_of(data, "SeriesDescription").casefold()
    return any(
        fnmatch(description, each) if set("*?") & set(each) else bool(description) and each in description
        for each in words
    )


def _rows_of_visits(chosen: Mapping[date, Mapping[str, Item]], tell: Tell) -> list[Day]:
    """Every day is a row with all that was taken of it, each series for one column."""
    found = [Day(day, _each_once(chosen[day], tell)) for day in sorted(chosen)]
    return [each for each in found if each.series]


def _each_once(taken: Mapping[str, Item], tell: Tell) -> dict[str, Item]:
    """What a row takes, without series that would be several of its columns; these are told."""
    named = Counter(id(item) for item in taken.values())
    twice = {id(item): item for item in taken.values() if named[id(item)] > 1}
    for key, item in twice.items():
        listed = " and ".join(name for name, each in taken.items() if id(each) == key)
        tell(LEFT_OUT, f"{told(item)} could be {listed}", "say which by its number, with --take")
    return {name: each for name, each in taken.items() if id(each) not in twice}


def _row_of_patient(
    chosen: Mapping[date, Mapping[str, Item]], columns: Mapping[str, Sequence[InputRole]], tell: Tell
) -> list[Day]:
    """One row: of the last day what is asked for now, and of the one day before it what is asked for of before."""
    now = {name for name, roles in columns.items() if any(role.time_point == BASELINE for role in roles)}
    needed = {name for name in now if any(r.needed and r.time_point == BASELINE for r in columns[name])}
    listed = " and ".join(sorted(needed))
    last = [day for day in sorted(chosen) if needed <= set(chosen[day])]
    if not last:
        tell(LEFT_OUT, f"There is no day with {listed}, so the patient is left out", "say which series it is, with "
             "--take")  # fmt: skip
        return []
    if len(last) > 1:
        tell(ASSUMED, f"Of {len(last)} days with {listed} the last one is taken", "choose by number, with --take")
    taken = {name: item for name, item in chosen[last[-1]].items() if name in now}
    for name in columns.keys() - now:
        earlier = [day for day in sorted(chosen) if day < last[-1] and name in chosen[day]]
        if len(earlier) > 1:
            what = f"{len(earlier)} days before it hold {name}; none is taken"
            tell(LEFT_OUT, what, "say which by its number, with --take")
        elif earlier:
            taken[name] = chosen[earlier[0]][name]
    taken = _each_once(taken, tell)
    return [Day(last[-1], taken)] if taken else []


def _doses_of(own: Inventory, day: Day) -> tuple[Item, ...]:
    frames = {uid for item in day.series.values() for uid in item.frames}
    return tuple(dose for dose in own.doses if set(dose.frames) & frames)


def rows_by_roles(patient: Patient, folder: Path, place: Path, wanted: Wanted) -> tuple[list[CohortRow], list[Finding]]:
    """Write a patient's files; rows and findings. Arguments and errors as :func:`.voxels.rows_of`."""
    from ...io.inputs import read_mri

    system = wanted.system
    assert system is not None
    findings, rows = list(patient.told), []
    files = [each.path for day in patient.days for item in day.series.values() for each in item.instances]
    files += [dose.first.path for day in patient.days for dose in day.doses]
    files += [each.pair.structures.first.path for day in patient.days for each in day.masks.values()]
    somebody = Identity()
    for day in patient.days:
        for item in day.series.values():
            somebody = somebody | identity_of(item.first.path)

    def tell(kind: str, what: str, remedy: str) -> None:
        findings.append(Finding(0, patient.name, "", kind, told_without(what, somebody, files), remedy))

    (folder / patient.name).mkdir()
    first, at = patient.days[0].day, place / patient.name
    for n, day in enumerate(patient.days, start=1):
        extra: dict[str, Path] = {}
        for column, item in day.series.items():
            try:
                image = read_mri(item.folder, item.first.series)
            except InputError as error:
                tell(LEFT_OUT, f"{column} of visit {n}: {error.what.rstrip('.')}", "export it again")
                continue
            for text in image.notes:
                tell(ASSUMED, f"{column} of visit {n}: {text.rstrip('.')}", "look at the images")
            name = f"visit-{n}-{column}.nrrd"
            write_nrrd(folder / patient.name / name, image.voxels, image.geometry)
            extra[column] = at / name
            for mask in (role for role in system.inputs if role.kind == MASK and role.table_column in day.masks):
                if column == _lead_column(system, mask) and mask.table_column not in extra:
                    own = folder / patient.name / f"visit-{n}-{mask.table_column}.nrrd"
                    if _write_mask(own, day.masks[mask.table_column], image, wanted, f"visit {n}", tell):
                        extra[mask.table_column] = at / own.name
        for column in dict.fromkeys(role.table_column for role in system.inputs if role.kind == DOSE):
            name = write_dose(day.doses, folder / patient.name, f"visit-{n}", f"visit {n}", column, tell)
            extra |= {column: at / name} if name else {}
        shown = day.day if wanted.real_dates else DAY_ONE + timedelta(days=(day.day - first).days)
        rows.append(CohortRow(0, patient.name, "", date=shown, extra=extra))
    needed = [role for role in system.needed_inputs if role.kind != MASK and role.time_point == BASELINE]
    if not any(all(row.value(role.table_column) for role in needed) for row in rows):
        tell(LEFT_OUT, "No visit has all that is needed, so the patient is left out", "see the lines before")
        return [], findings
    return rows, findings


def _write_mask(path: Path, chosen: Chosen, image: Image, wanted: Wanted, words: str, tell: Tell) -> bool:
    """Structures of a structure set as a label volume on the MRI's voxels; whether there are some."""
    from ...lesions.from_files import read_lesions

    frame = image.source.frame_of_reference_uid if image.source else ""
    own = {"frame": frame, "registration": chosen.matrix}
    structures = chosen.pair.structures.first.path
    try:
        lesions, notes = read_lesions(structures, image.geometry, "together", None, wanted.segments, **own)
    except InputError as error:
        tell(LEFT_OUT, f"{words}: {error.what.rstrip('.')}", "export it again, or choose with --segments")
        return False
    for text in dict.fromkeys(notes):
        tell(ASSUMED, f"{words}: {text.rstrip('.')}", "look at MRI and contours")
    labels = np.zeros(image.geometry.shape, np.uint8)
    for value, lesion in enumerate(lesions, start=1):
        labels[lesion.box][lesion.mask] = value
    write_nrrd(path, labels, image.geometry)
    return True
