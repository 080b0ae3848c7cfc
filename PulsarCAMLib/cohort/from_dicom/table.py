"""A folder of DICOM files of many patients as a cohort table with its files and findings, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.errors import InputError, OutputError
from ...core.inputs import BRAIN
from ...core.progress import OnProgress, silent
from ...io.dicom.folder import Inventory
from ...io.dicom.identity import Identity, identity_of, told_without
from ...io.result_folder import ResultFolder
from ..findings import Finding
from ..importers.imported import ASSUMED, LEFT_OUT, Imported, about_source, check_outputs, imported, save_imported
from .by_roles import days_of, rows_by_roles
from .visits import Wanted, visits_of
from .voxels import Patient, rows_of

if TYPE_CHECKING:
    from ...systems.contract import System

COHORT = "cohort"


def files_folder(table: Path) -> Path:
    """Where the files of a table are written: ``<table>-files`` beside it."""
    return table.with_name(f"{table.stem}-files")


def check_all_outputs(table: Path, *, overwrite: bool = False) -> None:
    """Refuse now what would have to be refused at the end.

    Raises:
        InputError: another ending.
        OutputError: table, findings or files are in the way.
    """
    check_outputs(table, overwrite=overwrite)
    ResultFolder(files_folder(table), overwrite).check()


def patients_of(inventory: Inventory, wanted: Wanted, pseudonym: Callable[[str, str], str]) -> list[Patient]:
    """Every patient of a folder with what was decided about the visits.

    Args:
        inventory: of the folder.
        wanted: what the person has said.
        pseudonym: of what tells a patient apart, and of what the headers say.
    """
    found = []
    for number in inventory.patients:
        own, told = inventory.of_patient(number), []
        items = (*own.series, *own.structure_sets, *own.doses, *own.registrations)
        first = items[0].first
        name = pseudonym(first.patient.replace("\n", " ").strip(), first.identity)
        somebody = Identity() if not items else identity_of(first.path)
        paths = [each.path for item in items for each in item.instances]

        def tell(kind: str, what: str, remedy: str, name=name, told=told, somebody=somebody, paths=paths) -> None:
            told.append(about_source(kind, told_without(what, somebody, paths), remedy, name))

        if wanted.system is None:
            visits = visits_of(own, wanted, tell)
            found.append(Patient(name, tuple(visits), tuple(told)))
        else:
            days = days_of(own, wanted, tell)
            found.append(Patient(name, (), tuple(told), tuple(days)))
    return found


def write_cohort_of_dicom(
    inventory: Inventory,
    wanted: Wanted,
    table: Path,
    pseudonym: Callable[[str, str], str],
    *,
    at_once: int = 1,
    overwrite: bool = False,
    progress: OnProgress = silent,
) -> Imported:
    """Write table, findings and files.

    Args:
        inventory: of the folder.
        wanted: what the person has said.
        table: ``.csv`` or ``.xlsx``; files lie in :func:`files_folder`.
        pseudonym: see :func:`patients_of`.
        at_once: processes side by side.
        overwrite: replace what an earlier run made.
        progress: is told how many patients are done.

    Raises:
        InputError: no patient can be used.
        OutputError: something is in the way, or cannot be written; nothing was changed.
    """
    check_all_outputs(table, overwrite=overwrite)
    place = files_folder(table)
    kept = ResultFolder(place, overwrite)
    patients = patients_of(inventory, wanted, pseudonym)
    with kept:
        rows, findings = [], []
        for found, told in _each(patients, kept.made, place, wanted, at_once, progress):
            rows += [replace(row, row=2 + len(rows) + n) for n, row in enumerate(found)]
            findings += told
        if not rows:
            why = "; ".join(f"{each.patient}: {each.what}" for each in findings if each.kind == LEFT_OUT)
            nothing = "there are no structure sets" if wanted.system is None else "no series is meant by what is taken"
            raise InputError(f"No patient of the folder can be used: {why or nothing}.")
        # what is said of a patient as a whole stands with the first row
        numbers = {key: row.row for row in reversed(rows) for key in ((row.patient, row.lesion), (row.patient, ""))}
        findings = [replace(each, row=numbers.get((each.patient, each.lesion), 0)) for each in findings]
        result = imported(rows, [*findings, *_about_all(wanted)])
        kept.write_marker({COHORT: "of DICOM"})
        save_imported(result, table, overwrite=overwrite)
    return result


def _about_all(wanted: Wanted) -> list[Finding]:
    if wanted.system is not None:
        return [*_about_system(wanted.system), _about_dates(wanted)]
    lesions = "Structures whose name or type says GTV are the lesions" if wanted.segments is None else (
        "The structures that were named are the lesions"
    )  # fmt: skip
    return [
        about_source(ASSUMED, lesions, "choose others with --segments"),
        _about_dates(wanted),
        about_source(ASSUMED, "MRIs are taken to be contrast-enhanced T1: the series that contours were drawn on",
                     "look at some of them"),
    ]  # fmt: skip


def _about_dates(wanted: Wanted) -> Finding:
    if wanted.real_dates:
        what, remedy = "Dates are those of the headers", "leave out --real-dates where the table is passed on"
    else:
        what = "The baseline of every patient is 2000-01-01, and other dates as many days from it as they were"
        remedy = "keep the real ones with --real-dates"
    return about_source(ASSUMED, what, remedy)


def _about_system(system: System) -> Iterator[Finding]:
    """What a table of such a system has that no DICOM series says."""
    columns = dict.fromkeys(role.table_column for role in system.inputs if role.kind == BRAIN)
    if columns:
        what = f"Masks of the brain ({', '.join(columns)}) are not taken from the folder"
        yield about_source(LEFT_OUT, what, "name files of voxels in these columns, if there are some")
    label = system.task.label
    own = [label.column, *(column.name for column in system.columns)]
    what = f"What became of the patients is in no header: {', '.join(dict.fromkeys(own))}"
    yield about_source(LEFT_OUT, what, "fill these columns in (pulsarcam cohort columns tells what belongs there)")


def _each(
    patients: Sequence[Patient], made: Path, place: Path, wanted: Wanted, at_once: int, progress: OnProgress
) -> list[tuple[list, list[Finding]]]:
    """Rows and findings of every patient, in their order."""
    from ...io.workers import as_they_come

    usable = [patient for patient in patients if patient.visits or patient.days]
    found: dict[str, tuple[list, list[Finding]]] = {each.name: ([], list(each.told)) for each in patients}
    calls = [(patient, made, place, wanted) for patient in usable]
    results: Any = ((n, _one(*call)) for n, call in enumerate(calls))
    if at_once > 1 and len(calls) > 1:
        results = as_they_come(_one, calls, at_once=at_once)
    done = 0
    for number, result in results:
        found[usable[number].name] = result
        done += 1
        progress(done / len(usable), f"{done} of {len(usable)} patients")
    if done < len(usable):
        raise OutputError("A process that wrote files was lost three times; free memory, or use fewer processes.")
    return [found[each.name] for each in patients]


def _one(patient: Patient, made: Path, place: Path, wanted: Wanted) -> tuple[list, list[Finding]]:
    """A patient's rows and findings; a fault of a library is a finding."""
    try:
        return (rows_of if wanted.system is None else rows_by_roles)(patient, made, place, wanted)
    except (OSError, KeyboardInterrupt):
        raise
    except Exception as error:  # whatever a patient does to a library, the others must not suffer
        what = f"An unexpected fault ({type(error).__name__}), so the patient is left out"
        return [], [*patient.told, about_source(LEFT_OUT, what, "explain it alone to see", patient.name)]
