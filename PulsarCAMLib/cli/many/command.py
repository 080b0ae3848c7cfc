"""The run: patients of a table or a folder are explained into one folder, with one table and one page for all."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import Cancelled, Incomplete, InputError
from ...core.pluralize import pluralize
from ..console import TimedBar, note, peak_memory_mib, warn
from ..options.places import files_of, refuse_own_inputs
from .pseudonyms import Pseudonyms
from .running import outcomes
from .source import One, is_table, of_folder, of_table
from .work import Outcome, explain_one

if TYPE_CHECKING:
    from ...io.dicom.folder import Inventory
    from ...systems.bundles.card import ModelCard
    from ..explain.one_case import Job

SHOWN = 20
"""So many patients that could not be explained are told one by one on the terminal; the table tells of all."""


def explain_many(job: Job, inventory: Inventory | None, options) -> None:
    """The command.

    Raises:
        InputError: options or the table cannot be used, or nobody could be explained.
        OutputError: the folder is somebody else's, or cannot be written.
        Incomplete: somebody could not be explained; everything is written, and the others are done.
        Cancelled: Ctrl-C; what is done is kept.
    """
    from ...io.locking import only_one
    from ...systems.bundles.bundle import find_card
    from .earlier import earlier_in, removed, settle
    from .folder import PAGE, TABLE, ManyFolder

    card = find_card(job.model)
    job = _as_asked(job, card, options)
    folder = ManyFolder(Path(os.path.abspath(options.output)))  # noqa: PTH100 - a link stays where the user put it
    folder.check()
    pseudonyms = Pseudonyms.kept_in(options.pseudonyms, folder.path)
    ones = _patients(job, inventory, card, pseudonyms, options)
    _refuse_no_dose(job, ones)
    began = time.monotonic()
    with folder.made(), only_one(folder.path, "explanation"):
        taken = settle(ones, folder.path, card, options.overwrite, (TABLE, PAGE))
        pseudonyms.save()
        if taken:
            warn(removed(taken))
        found = _all_of(ones, folder.path, card, options)
        done = sum(not each.problem for each in found)
        # where nobody could be explained, what an earlier run tells of its patients is worth more
        if not done and not options.overwrite and earlier_in(folder.path):
            _warn(ones, found)
            raise InputError(
                f"None of {pluralize(len(found), 'patient')} could be explained; what an earlier run has left in "
                f"{folder.path} stays as it was."
            )
        folder.write(ones, found, card)
    if not options.quiet:
        _tell(found, folder.path, card)
    _warn(ones, found)
    if options.timings:
        _show(found, time.monotonic() - began)
    if not done:
        raise InputError(f"None of {pluralize(len(found), 'patient')} could be explained; {folder.path} says why.")
    if failed := len(found) - done:
        raise Incomplete(
            f"{failed} of {pluralize(len(found), 'patient')} could not be explained; the others are done, and {TABLE} "
            "says why these are not."
        )


def _as_asked(job: Job, card: ModelCard, options) -> Job:
    """The job as every patient has it.

    Raises:
        InputError: an option that only one patient can have, or that the model does not know.
    """
    from ..explain.wanted import wanted_of

    alone = {"a segmentation": job.segmentation, "--transform": job.transforms, "--compare-with": job.compare_with}
    alone |= {"--dose": job.doses}
    alone |= {"--paint-dose": job.paint.dose, "--paint-organs": job.paint.organs} if job.paint else {}
    if is_table(job.volume):
        own = {"series": job.series, "structures": job.structures, "labels": job.labels, "segments": job.segments}
        alone |= {f"--{name}": value for name, value in own.items()}
        alone |= {f"--{name}": True for name in job.inputs}
    given = [name for name, value in alone.items() if value]
    if given:
        where = "the table names these" if is_table(job.volume) else "explain that patient alone"
        raise InputError(f"For many patients {' and '.join(given)} cannot be given; {where}.")
    if not is_table(job.volume) and (needed := [r.title for r in card.system.beside_the_first if r.needed]):
        raise InputError(
            f"The model “{card.name}” also needs {', '.join(needed)}, which nobody can choose in a folder of many "
            "patients; write a cohort table (pulsarcam cohort columns) and explain that."
        )
    every = {role.name: job.volume for role in card.system.beside_the_first}
    wanted_of(replace(job, inputs=every if is_table(job.volume) else {}), card)
    threads = job.threads or max(1, _cores() // _at_once(options))
    # a page of every patient is what the page of all leads to
    return replace(job, tells_costs=False, doses_asked=False, report=job.report or job.pictures, threads=threads)


def _refuse_no_dose(job: Job, ones: Sequence[One]) -> None:
    """Refuse options on how a dose is told where nobody has one.

    Raises:
        InputError: that is so.
    """
    from ...dose.settings import DoseTold
    from ..options.setting_options import settings_from

    asked = bool(job.fractions) or settings_from(DoseTold, job.settings_of_maps) != DoseTold()
    if asked and not any(one.job.doses for one in ones):
        where = "in the table's column dose" if is_table(job.volume) else "in the folder for a patient's MRI"
        raise InputError(
            f"There is no planned dose to tell of {where}; give one, or leave out the options of the dose."
        )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _at_once(options) -> int:
    return options.jobs or _cores()


def _patients(job: Job, inventory: Inventory | None, card: ModelCard, pseudonyms: Pseudonyms, options) -> list[One]:
    if inventory is not None:
        from ..commands.dicom import left_out

        for sentence in left_out(inventory, named=False) if not options.quiet else ():
            note(sentence)
        return of_folder(job, inventory, pseudonyms)
    from ...cohort.tables.table import read_cohort

    table = read_cohort(job.volume, card.system)
    refuse_own_inputs(options, files_of(table.rows))
    for finding in table.problems:
        warn(f"{f'Row {finding.row}' if finding.row else 'Table'}: {finding.what}; {finding.remedy}.")
    return of_table(job, table, card.system, pseudonyms)


def _all_of(ones: Sequence[One], folder: Path, card: ModelCard, options) -> list[Outcome]:
    from .earlier import earlier_in

    found: dict[int, Outcome] = {}
    before = earlier_in(folder)
    began, computed = time.monotonic(), 0
    try:
        with TimedBar(options.quiet) as bar, bar.stage("explaining") as tell:
            # in this process all reading is apart already where that was asked for
            elsewhere = options.scheduler is not None or _at_once(options) > 1
            own = (card.sha256, options.overwrite, options.safe_reading and elsewhere)
            how = {"at_once": _at_once(options), "scheduler": options.scheduler}
            for number, outcome in outcomes(ones, explain_one, own, folder, **how):
                found[number] = outcome
                computed += not (outcome.kept or outcome.problem)
                left = (time.monotonic() - began) / computed * (len(ones) - len(found)) if computed else 0
                tell(len(found) / len(ones), f"{len(found)} of {len(ones)} patients{_left(left)}")
    except KeyboardInterrupt:
        # not all that processes have done was told of, and results of earlier runs are kept, unless to be replaced
        there = earlier_in(folder)
        fresh = {name for name in there if not options.overwrite or there[name] != before.get(name)}
        told = {ones[number].folder for number, each in found.items() if not each.problem}
        done = sum(one.folder in fresh | told for one in ones)
        if not done:
            raise Cancelled(f"interrupted; none of {pluralize(len(ones), 'patient')} is done yet.") from None
        raise Cancelled(
            f"interrupted; {done} of {len(ones)} patients are done, and kept in {folder}: the same command goes "
            "on from there."
        ) from None
    return [found[number] for number in range(len(ones))]


def _left(seconds: float) -> str:
    """How long it still takes, for lines in a file; a bar has its own."""
    if seconds < 90:
        return ""
    minutes = seconds / 60
    return f", about {minutes:.0f} min left" if minutes < 90 else f", about {minutes / 60:.1f} h left"


def _tell(found: Sequence[Outcome], folder: Path, card: ModelCard) -> None:
    from .folder import PAGE, TABLE

    print(card.verdict.sentence)
    kept = sum(each.kept for each in found)
    done = [each for each in found if not each.problem]
    units = sum(len({row[card.system.task.unit] for row in each.rows}) for each in done)
    before = f", {kept} of them in an earlier run" if kept else ""
    print(f"{len(done)} of {len(found)} explained ({pluralize(units, card.system.task.unit)}){before}.")
    print(f"Model: {card.origin}. Research use only, not for diagnosis or treatment decisions.")
    print(f"Results: {folder / PAGE}, {folder / TABLE}")


def _warn(ones: Sequence[One], found: Sequence[Outcome]) -> None:
    """Who could not be explained, and why."""
    from .folder import TABLE

    failed = [(one, each) for one, each in zip(ones, found, strict=True) if each.problem]
    for one, each in failed[:SHOWN]:
        rows = f" (row {one.numbers})" if one.rows else ""
        warn(f"{one.folder}{rows}: {each.problem}")
    if len(failed) > SHOWN:
        warn(f"{len(failed) - SHOWN} more could not be explained; {TABLE} lists all.")


def _show(found: Sequence[Outcome], total: float) -> None:
    """Where the time went, over all patients that were explained now: sums over all processes."""
    import sys

    steps: dict[str, float] = {}
    for each in found:
        for name, seconds in each.seconds.items():
            steps[name] = steps.get(name, 0.0) + seconds
    for name, seconds in [*steps.items(), ("sum over processes", sum(steps.values())), ("wall clock", total)]:
        print(f"  {name:<36}{seconds:8.2f} s", file=sys.stderr)
    if peak := peak_memory_mib():
        print(f"  {'peak memory of this process':<36}{peak:8.0f} MiB", file=sys.stderr)
