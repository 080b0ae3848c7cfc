"""Which patients there are, under which pseudonyms, and which files are whose: by a table, or by a DICOM folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import InputError
from ...core.inputs import DOSE, MASK
from ...core.task import LESION, VISIT
from ...core.vocabulary import BASELINE
from ...io.plain_files import is_folder, is_there, plain_file
from ..commands.dicom import of_chosen
from ..explain.dosing import with_dose
from .pseudonyms import Pseudonyms

if TYPE_CHECKING:
    from ...cohort.tables.table import CohortRow, CohortTable
    from ...io.dicom.folder import Inventory
    from ...systems.contract import System
    from ..explain.one_case import Job

MIXED = "Its files bear different names of patients and one ID; were two patients mixed?"
"""Told of a patient who cannot be explained."""

TABLES = (".csv", ".xlsx")


@dataclass(frozen=True)
class One:
    """A patient's MRI, or visit, that is explained.

    Attributes:
        folder: name of its folder: the pseudonym and, where the patient has several, which.
        patient: pseudonym.
        about: which MRI or visit of the patient; empty where there is one alone.
        job: with the files; a program reads rows of a table.
        files: what is read, for hashes, by what it is.
        rows: of a cohort table, complete; none: the job says all.
        problem: why it cannot be explained, known before; empty: it may be.
        private: texts that are not told of it: paths, and who it is.
        whose: a file that says who it is, if it is DICOM.
        notes: sentences about how it was taken, for its result.
    """

    folder: str
    patient: str
    about: str
    job: Job
    files: tuple[tuple[str, tuple[Path, ...]], ...] = ()
    rows: tuple[CohortRow, ...] = ()
    problem: str = ""
    private: tuple[str, ...] = ()
    whose: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def numbers(self) -> str:
        """Rows of the table, as a spreadsheet numbers them."""
        return " ".join(str(row.row) for row in self.rows)


def is_table(path: Path) -> bool:
    """Whether a cohort table is meant, by its name."""
    return path.suffix.lower() in TABLES


def stock_of(job: Job) -> Inventory | None:
    """What a folder of DICOM files holds, where a job names one and no segmentation; else None.

    Raises:
        InputError: nothing is there, or nothing that could be read.
    """
    if job.segmentation is None and not is_table(job.volume):
        plain_file(job.volume, "file or folder", folder=True)
    if job.segmentation is not None or not is_folder(job.volume):
        return None
    from ...io.dicom.folder import take_stock

    return take_stock(job.volume)


def is_many(job: Job, inventory: Inventory | None) -> bool:
    """Whether many patients are meant: a table, or a folder with structure sets of several of whom none is chosen."""
    if is_table(job.volume):
        return True
    if inventory is None or job.series is not None or job.structures is not None:
        return False
    return len({each.patient for each in inventory.structure_sets}) > 1


def of_table(job: Job, table: CohortTable, system: System, pseudonyms: Pseudonyms) -> list[One]:
    """All that a system can answer for, in the order of the table; what lacks something is told as a problem."""
    from ...cohort.cases import complete_rows, reference_role, series_of

    points = dict.fromkeys(row.time_point for row in table.rows)
    first = reference_role(system)
    if system.task.unit == LESION and all(role.time_point == BASELINE for role in system.inputs):
        complete = [row for point in points for row in complete_rows(table, point, system)]
    else:
        complete = complete_rows(table, BASELINE, system)
    twice = _twice(replace(table, rows=tuple(complete)), system)
    complete = [row for row in complete if row.row not in twice]
    groups: dict[tuple, list[CohortRow]] = {}
    for row in sorted(complete, key=lambda each: each.row):
        # lesions of one MRI are one case; a visit or a patient is one as it is
        own = series_of(row, first) if system.task.unit == LESION else row.row
        groups.setdefault((row.patient, row.time_point, own), []).append(row)
    found: list[One] = []
    names = pseudonyms.of_all(table.patients)
    for patient in table.patients:
        name = names[patient]
        of_patient = [(key[1], rows) for key, rows in groups.items() if key[0] == patient]
        lacking = [row for row in table.rows if row.patient == patient and row.row not in {r.row for r in complete}]
        if not of_patient:
            told = _lacking(lacking, system)
            found.append(One(name, name, "", job, rows=tuple(lacking), problem=told, private=(patient,)))
        taken: set[str] = set()
        for point, rows in of_patient:
            about = _about(point, rows[0], system)
            about = f"{about} {len(taken) + 1}".strip() if about in taken else about
            taken.add(about)
            folder = f"{name}-{about.replace(' ', '-')}" if about else name
            own = tuple(twice[row.row] for row in table.rows if row.row in twice and row.key in {r.key for r in rows}
                        and row.time_point == point)  # fmt: skip
            one = _of_rows(job, rows, system, folder, name, about)
            found.append(replace(one, notes=(*one.notes, *own)))
    return found


def _twice(table: CohortTable, system: System) -> dict[int, str]:
    """Rows of a lesion that another row has already, to what is told of them: the lesion is explained once."""
    from ...cohort.checks import duplicates

    if system.task.unit != LESION:
        return {}
    return {
        each.row: f"Row {each.row} of the table is left out: {each.what}; {each.remedy}."
        for each in duplicates(table, system.task.unit)
    }


def _about(point: str, row: CohortRow, system: System) -> str:
    if system.task.unit == VISIT:
        return f"row {row.row}"
    return "" if point == BASELINE else point


def _lacking(rows: Sequence[CohortRow], system: System) -> str:
    from ...training.units.cohort_cases import needs

    listed = ", ".join(str(row.row) for row in rows)
    return f"Row {listed} of the table: it needs {needs(system, BASELINE)}; complete the row."


def _of_rows(job: Job, rows: Sequence[CohortRow], system: System, folder: str, name: str, about: str) -> One:
    from ...cohort.cases import path_of, series_of

    first, files = rows[0], []
    paths: dict[str, Path] = {}
    for role in system.inputs:
        if role.kind == MASK:
            masks = dict.fromkeys(path for row in rows if (path := path_of(row, role)))
            files += [(role.name, tuple(masks))] if masks else []
        elif path := path_of(first, role):
            paths[role.name] = path
            files.append((role.name, (path,)))
    doses, notes = _doses_of(rows, system)
    files += [(f"dose_{n}", (path,)) for n, path in enumerate(doses, start=1)]
    volume, mask = system.inputs[0].name, system.role(MASK)
    own = replace(
        job,
        volume=paths.pop(volume),
        segmentation=next((path_of(row, mask) for row in rows), None) if mask else None,
        inputs=paths,
        series=series_of(first, system.inputs[0])[1],
        doses=doses,
    )
    private = [first.patient, *(text for _, each in files for path in each for text in _texts(path))]
    private = tuple(dict.fromkeys(private))
    return One(folder, name, about, own, tuple(files), tuple(rows), private=private, whose=own.volume, notes=notes)


def _doses_of(rows: Sequence[CohortRow], system: System) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """The one planned dose that rows of an MRI name, to be told of; without it, why nothing is told of the dose.

    A system that takes a dose itself has it among its inputs, and what is told of it comes from there.
    """
    if system.role(DOSE) or system.task.unit != LESION:
        return (), ()
    named = {row.dose: row.row for row in reversed(rows) if row.dose}
    missing = [row for path, row in named.items() if not is_there(path)]
    if missing:
        where = f"the file in the column dose (row {missing[0]}) is not there"
        return (), (f"Nothing is told of the dose: {where}; correct its name, or bring the file there.",)
    if len(named) > 1:
        listed = ", ".join(str(row) for row in sorted(named.values()))
        why = f"the rows of this MRI name {len(named)} files in the column dose (rows {listed})"
        return (), (f"Nothing is told of the dose: {why}; name that of the whole course in all of them.",)
    return tuple(named), ()


def of_folder(job: Job, inventory: Inventory, pseudonyms: Pseudonyms) -> list[One]:
    """Every patient of a folder that has images or structures, in the order of the list."""
    from ...io.dicom.files import names_of
    from ...io.dicom.pairing import choose
    from ...io.plain_files import shown_path

    found, of_all = [], {f"The folder {shown_path(at)} ": "The folder … " for at in (inventory.folder, job.volume)}
    of_all |= {f"The folder {shown_path(at)}: ": "The folder …: " for at in (inventory.folder, job.volume)}
    for number in inventory.patients:
        own = inventory.of_patient(number)
        name = pseudonyms.of(*_whose(own))
        items = (*own.series, *own.structure_sets, *own.registrations, *own.doses)
        private = dict.fromkeys(text for item in items for each in item.instances for text in _texts(each.path))
        told = One(name, name, "", job, private=tuple(private), whose=items[0].first.path if items else None)
        try:
            chosen = choose(own)
        except InputError as error:
            what = (error.what if error.cure else str(error)).rstrip(".")
            for name, neutral in of_all.items():
                what = what.replace(name, neutral)
            if not own.structure_sets:
                what = what.replace("no structure set", "no structure set of this patient")
                cure = "; explain this one alone with a segmentation"
            else:
                cure = "; explain this one alone and choose" if error.cure else ""
            names = names_of(each.name for item in items for each in item.instances)
            mixed = f" {MIXED}" if len(names) > 1 else ""
            found.append(replace(told, problem=f"{what}{cure}.{mixed}"))
            continue
        files = [("volume", tuple(each.path for each in chosen.pair.series.instances))]
        files.append(("segmentation", (chosen.pair.structures.first.path,)))
        for n, each in enumerate(chosen.pair.registrations, start=1):
            files.append((f"registration_{n}", (each.first.path,)))
        notes: list[str] = []
        dosed = with_dose(of_chosen(job, chosen), own, chosen, notes.append)
        files += [(f"dose_{n}", (path,)) for n, path in enumerate(dosed.doses, start=1)]
        found.append(replace(told, job=dosed, files=tuple(files), notes=tuple(notes)))
    return found


def _whose(inventory: Inventory) -> tuple[str, str]:
    """What tells the patient apart, and the name, for the file of pseudonyms alone."""
    items = (*inventory.series, *inventory.structure_sets, *inventory.doses, *inventory.registrations)
    first = items[0].first
    return first.patient.replace("\n", " ").strip(), first.identity


def _texts(path: Path) -> tuple[str, ...]:
    """How sentences may name a file: its path, that of its folder, and its own name."""
    from ...io.plain_files import shown_path

    return (str(path), shown_path(path), str(path.parent), shown_path(path.parent), path.name)
