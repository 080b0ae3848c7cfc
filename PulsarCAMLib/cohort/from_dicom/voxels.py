"""One patient's visits as files without names: images, lesions and doses as NRRD, and the rows that name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...core.case import Image
from ...core.errors import InputError
from ...core.geometry.volume import VolumeGeometry, kji_of
from ...core.lesion import Lesion
from ...core.vocabulary import BASELINE, FOLLOWUP
from ...io.dicom.folder import Item
from ...io.dicom.identity import Identity, identity_of, told_without
from ..findings import Finding
from ..importers.imported import ASSUMED, LEFT_OUT
from ..tables.table import CohortRow
from .visits import IN_WORDS, Visit, Wanted

if TYPE_CHECKING:
    from .by_roles import Day

DAY_ONE = date(2000, 1, 1)
"""Stands for the day of every patient's baseline where dates are not kept."""


@dataclass(frozen=True)
class Patient:
    """What is to be written of one.

    Attributes:
        name: pseudonym.
        visits: in the order of their dates; none for a system that is not asked for lesions.
        told: findings so far.
        days: the same for such a system.
    """

    name: str
    visits: tuple[Visit, ...]
    told: tuple[Finding, ...] = ()
    days: tuple[Day, ...] = ()


@dataclass(frozen=True)
class Drawn:
    """A lesion of a visit.

    Attributes:
        key: by which it is found at the other visits: its name in the structure set, in small letters, and its rank.
        lesion: on the MRI's grid; its name may be shown.
    """

    key: tuple[str, int]
    lesion: Lesion


def rows_of(patient: Patient, folder: Path, place: Path, wanted: Wanted) -> tuple[list[CohortRow], list[Finding]]:
    """Write a patient's files; rows (numbered anew later) and findings.

    What cannot be used is left out with a finding, and so is a patient whose baseline cannot.

    Args:
        patient: with visits.
        folder: in which a folder for the patient is made.
        place: where the files will be when all is done.
        wanted: what the person has said.

    Raises:
        OSError: a file cannot be written.
    """
    findings, drawn, rows = list(patient.told), {}, []
    somebody = Identity()
    files = [each.path for visit in patient.visits for each in visit.chosen.pair.series.instances]
    files += [visit.chosen.pair.structures.first.path for visit in patient.visits]
    files += [dose.first.path for visit in patient.visits for dose in visit.doses]

    def tell(kind: str, what: str, remedy: str, lesion: str = "") -> None:
        findings.append(Finding(0, patient.name, lesion, kind, told_without(what, somebody, files), remedy))

    for visit in patient.visits:
        pair = visit.chosen.pair
        somebody = somebody | identity_of(pair.series.first.path) | identity_of(pair.structures.first.path)
    (folder / patient.name).mkdir()
    for visit in patient.visits:
        try:
            image, found, told = _read(visit, wanted)
        except InputError as error:
            tell(LEFT_OUT, f"{visit.words}: {error.what.rstrip('.')}", "export it again, or choose with --segments")
            if visit.point == BASELINE:
                tell(LEFT_OUT, "Without a baseline the patient is left out", "see the line before")
                return [], findings
            continue
        for text in dict.fromkeys((*image.notes, *told)):
            tell(ASSUMED, f"{visit.words}: {text.rstrip('.')}", "look at MRI and contours")
        drawn[visit.point] = (visit, image, found)
    days = _days(patient.visits, wanted)
    visit, image, baseline = drawn[BASELINE]
    stem = _write(folder / patient.name, BASELINE, image, baseline)
    at = place / patient.name
    dose = _dose(visit, folder / patient.name, BASELINE, tell)
    keys = {each.key for each in baseline}
    for point, (visit, other, found) in drawn.items():
        # a mask that no row would name is not written
        for each in (each for each in found if each.key not in keys):
            what = f"“{each.lesion.name}” at {IN_WORDS.get(point, point)} has no lesion of that name at the baseline"
            tell(LEFT_OUT, what, "call both alike in the structure sets", each.lesion.name)
        drawn[point] = (visit, other, [each for each in found if each.key in keys])
    later = drawn.get(FOLLOWUP)
    if later:
        _write(folder / patient.name, FOLLOWUP, None, later[2], later[1].geometry)
    for n, each in enumerate(baseline):
        row = CohortRow(
            0,
            patient.name,
            each.lesion.name,
            date=days.get(BASELINE),
            image=at / f"{stem}.nrrd",
            segmentation=at / f"{stem}-lesion-{n + 1}.nrrd",
            label_value=1,
            volume_cm3=_rounded(each.lesion, image.geometry),
            dose=at / dose if dose else None,
        )
        rows.append(_with_followup(row, each, later, at, days, tell))
    for point, (visit, other, found) in drawn.items():
        if point in (BASELINE, FOLLOWUP):
            continue
        stem = _write(folder / patient.name, point, other, found)
        dose = _dose(visit, folder / patient.name, point, tell)
        for n, each in enumerate(found):
            same = next(row for row, base in zip(rows, baseline, strict=False) if base.key == each.key)
            rows.append(CohortRow(
                0, patient.name, same.lesion, point, days.get(point), image=at / f"{stem}.nrrd",
                segmentation=at / f"{stem}-lesion-{n + 1}.nrrd", label_value=1,
                volume_cm3=_rounded(each.lesion, other.geometry), dose=at / dose if dose else None,
            ))  # fmt: skip
    return rows, findings


def _read(visit: Visit, wanted: Wanted) -> tuple[Image, list[Drawn], list[str]]:
    """Image and lesions of a visit, and what is to be told of them.

    Raises:
        InputError: one of them cannot be used.
    """
    from ...io.inputs import read_mri
    from ...lesions.from_files import read_lesions

    chosen = visit.chosen
    path = chosen.pair.structures.first.path
    image = read_mri(chosen.folder, chosen.pair.series.first.series)
    frame = image.source.frame_of_reference_uid if image.source else ""
    own = {"frame": frame, "registration": chosen.matrix}
    lesions, told = read_lesions(path, image.geometry, "together", None, wanted.segments, **own)
    names, taken = _own_names(path), {}
    found = []
    for lesion in lesions:
        name = " ".join(names.get(lesion.name, lesion.name).casefold().split())
        taken[name] = taken.get(name, 0) + 1
        found.append(Drawn((name, taken[name]), lesion))
    return image, found, told


def _own_names(path: Path) -> Mapping[str, str]:
    """What lesions are called here, to what their structures are called in the file."""
    from ...io.dicom import modality
    from ...io.dicom.segments import read_segments
    from ...io.dicom.structures import read_structures

    read = read_structures(path).structures if modality(path) == "RTSTRUCT" else read_segments(path).segments
    return {each.name: each.own_name for each in read}


def _days(visits: Sequence[Visit], wanted: Wanted) -> dict[str, date]:
    """Dates as they are, or with the baseline on :data:`DAY_ONE` and the others as many days after it."""
    known = {visit.point: visit.day for visit in visits if visit.day}
    if wanted.real_dates or not known:
        return known
    first = known.get(BASELINE, min(known.values()))
    return {point: DAY_ONE + timedelta(days=(day - first).days) for point, day in known.items()}


def _with_followup(row: CohortRow, own: Drawn, later, at: Path, days, tell) -> CohortRow:
    if later is None:
        return row
    _, image, found = later
    row = replace(row, followup_date=days.get(FOLLOWUP))
    same = next((n for n, each in enumerate(found) if each.key == own.key), None)
    if same is None:
        what = f"The follow-up has no structure called as “{own.lesion.name}”: not known whether it has vanished"
        tell(LEFT_OUT, what, "if it has, write 0 into followup_volume_cm3", own.lesion.name)
        return row
    path = at / f"{_stem(FOLLOWUP)}-lesion-{same + 1}.nrrd"
    volume = _rounded(found[same].lesion, image.geometry)
    return replace(row, followup_segmentation=path, followup_label_value=1, followup_volume_cm3=volume)


def _rounded(lesion: Lesion, geometry: VolumeGeometry) -> float:
    return float(f"{lesion.volume_cm3(geometry):.6g}")


def _stem(point: str) -> str:
    return point.replace(" ", "-")


def _write(
    folder: Path, point: str, image: Image | None, found: Sequence[Drawn], geometry: VolumeGeometry | None = None
) -> str:
    """An image, where it is wanted, and a mask for each lesion; the beginning of the files' names."""
    stem = _stem(point)
    if image is not None:
        write_nrrd(folder / f"{stem}.nrrd", image.voxels, image.geometry)
    place = geometry or (image.geometry if image else None)
    assert place is not None
    for n, each in enumerate(found, start=1):
        mask = np.pad(each.lesion.mask, 1).astype(np.uint8)  # a mask that fills its file is taken for background
        offset = kji_of(o - 1 for o in each.lesion.offset)
        write_nrrd(folder / f"{stem}-lesion-{n}.nrrd", mask, place.cropped(offset, kji_of(mask.shape)))
    return stem


def write_nrrd(path: Path, values: np.ndarray, geometry: VolumeGeometry) -> None:
    """Compressed, quickly: an MRI of noise gets hardly smaller by more work.

    Raises:
        OSError: it cannot be written.
    """
    import SimpleITK as sitk

    try:
        sitk.WriteImage(geometry.to_sitk(values), str(path), True, 1)
    except RuntimeError as error:
        raise OSError(f"{path.name} could not be written; is the disk full?") from error


def _dose(visit: Visit, folder: Path, point: str, tell) -> str:
    return write_dose(visit.doses, folder, _stem(point), visit.words, "dose", tell)


def write_dose(doses: Sequence[Item], folder: Path, stem: str, words: str, column: str, tell) -> str:
    """Write the plan's dose, where there is exactly one that can be used; else nothing, and that is told.

    Args:
        doses: RTDOSE objects in the frame of reference of the MRI.
        folder: of the patient.
        stem: how the file's name begins.
        words: the visit in words.
        column: of the table that will name it.
        tell: is told every decision.

    Returns:
        Name of the file; empty where there is none.

    Raises:
        OSError: it cannot be written.
    """
    from ...io.dose import read_dose

    usable = []
    for item in doses:
        try:
            usable.append((item, *read_dose(item.first.path)))
        except InputError as error:
            tell(LEFT_OUT, f"{words}: dose {item.number} is not taken: {str(error).rstrip('.')}", "see the export")
    if not usable:
        return ""
    if len(usable) > 1:
        listed = ", ".join(str(item.number) for item, *_ in usable)
        what = f"{words}: the doses {listed} lie in the frame of reference of the MRI; none is taken"
        tell(LEFT_OUT, what, f"leave the one that is meant in the folder, or name it in the column {column}")
        return ""
    item, voxels, geometry = usable[0]
    what = f"{words}: dose {item.number} (RTDOSE), by its frame of reference"
    tell(ASSUMED, what, f"if it is another plan's, empty the column {column}")
    name = f"{stem}-dose.nrrd"
    write_nrrd(folder / name, voxels, geometry)
    return name
