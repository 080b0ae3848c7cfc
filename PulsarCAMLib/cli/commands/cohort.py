"""``pulsarcam cohort``: check a cohort table, make a synthetic cohort, import a public one or a folder of DICOM."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...core.pluralize import pluralize
from ...core.task import COMPUTED, PATIENT, SHRINKAGE, VISIT
from ...core.vocabulary import ADDED_TEXTURE, DIFFICULTIES, RULES
from ...systems.contract import System
from ..explain.inputs import add_safe_reading
from ..learning import add_system, shrinkage_of
from ..many import cohort_of_dicom
from ..options.numbers import share, whole_number
from ..options.places import InputPath, add_output, add_overwrite, files_of, refuse_own_inputs
from ..options.setting_options import add_settings, settings_from
from . import imports

CHECK_EXAMPLES = """\
examples:
  pulsarcam cohort columns                          what belongs into the table
  pulsarcam cohort check lesions.xlsx               read everything the table names
  pulsarcam cohort check lesions.csv --no-images    only the table, and whether its files are there
  pulsarcam cohort check lesions.csv --shrinkage 0.3
  pulsarcam cohort check lesions.csv -o findings.csv

Nothing but FINDINGS is written. The exit code is 3 while there are errors; warnings are for you to decide about.

"""

MAKE_EXAMPLES = """\
examples:
  pulsarcam cohort make-synthetic -o cohort --second-mri --lesions 1 3 --seed 4
      69 lesions of 39 patients with two MRIs each: the numbers of Peng et al. 2025
  pulsarcam cohort make-synthetic -o no-signal --difficulty none --second-mri --lesions 1 3 --seed 4
      the outcome does not depend on the image: an honest evaluation must find nothing
  pulsarcam cohort make-synthetic -o cohort --second-mri --dose --clinical
      with planned doses and clinical columns, which do not tell the outcome: to try what takes them
  pulsarcam cohort make-synthetic -o cohort --rule missing-rim
      another rule decides the outcome; where it lies is in the planted maps, voxel by voxel
  pulsarcam cohort make-synthetic -o cohort --rule dark-niche --background t1c.nrrd
      lesions in an MRI of your own, which is read only; the images show that head

rules:
{rules}

"""


def add_cohort(commands, command: Callable[..., argparse.ArgumentParser], epilog: str, system: System) -> None:
    """Add the parsers.

    Args:
        commands: sub-parsers of ``pulsarcam``.
        command: makes one: (sub-parsers, name, text, epilog).
        epilog: end of every help.
        system: for which a cohort is made.
    """
    group = command(commands, "cohort", "check, make or import a table of lesions to train and judge models on")
    actions = group.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = command(actions, "check", "find everything that is wrong with a cohort table", CHECK_EXAMPLES + epilog)
    text = ".csv or .xlsx; its columns: pulsarcam cohort columns"
    check.add_argument("table", type=InputPath, metavar="TABLE", help=text)
    add_system(check, "which system is to learn from it", system)
    shrinkage: dict[str, Any] = {"type": share, "help": "lost share that is response (0.2)"} | shrinkage_of(system)
    check.add_argument("--shrinkage", default=0.2, metavar="S", **shrinkage)
    check.add_argument("--no-images", dest="images", action="store_false", help="open no image and no mask")
    add_safe_reading(check)
    add_output(check, "FINDINGS", "CSV file for the findings, instead of the screen")
    add_output(check, "FILE", "CSV file for the labels, where each comes from, and why", flags=("--labels",))
    add_overwrite(check, "FINDINGS and FILE")
    check.add_argument("--quiet", action="store_true", help="no progress bar; findings only")
    listed = command(actions, "columns", "list the columns of a cohort table")
    add_system(listed, "whose columns")
    title = "generate patients with known truth, as files and a table"
    _add_make(command(actions, "make-synthetic", title, MAKE_EXAMPLES.format(rules=_rules()) + epilog), system)
    imports.add_imports(actions, command, epilog)
    cohort_of_dicom.add_from_dicom(actions, command, epilog)
    public = command(actions, "import-openbtai", "take pairs of volumes 60 to 120 days apart from OpenBTAI's table")
    text = "OpenBTAI_MORPHOLOGICAL_MEASUREMENTS.xlsx"
    public.add_argument("table", type=InputPath, metavar="XLSX", help=text)
    add_output(public, "TABLE", "cohort table to be made: .csv or .xlsx", required=True)
    public.add_argument("--anonymous", action="store_true", help="number the patients and leave out the dates")
    add_overwrite(public, "TABLE")


def _rules() -> str:
    return "\n".join(f"  {name:<17} {decides}" for name, decides in RULES.items())


def _add_make(make: argparse.ArgumentParser, system: System) -> None:
    add_output(make, "FOLDER", "folder to be made", required=True)
    add_system(make, "whose question the patients are to answer; further options are that system's")
    if system.synthetic is not None:
        add_settings(make, system.synthetic)
    else:
        _add_lesions(make)
    add_overwrite(make, "an earlier cohort at FOLDER when all is done")
    make.add_argument("--quiet", action="store_true", help="no progress bar")


def _add_lesions(make: argparse.ArgumentParser) -> None:
    make.add_argument("--patients", type=whole_number(1), default=39, metavar="N", help="how many (%(default)s)")
    make.add_argument("--difficulty", choices=DIFFICULTIES, default="standard", help="'none': no signal (%(default)s)")
    make.add_argument(
        "--rule", choices=tuple(RULES), default=ADDED_TEXTURE, metavar="RULE",
        help="what decides that a lesion does not respond (%(default)s)",
    )  # fmt: skip
    make.add_argument("--near-contour", action="store_true",
                      help="bright tissue just outside contours; under the rule 'outside' it decides")  # fmt: skip
    make.add_argument("--labels-alike", action="store_true", help="all lesions of a patient have one outcome")
    make.add_argument("--background", type=InputPath, metavar="FILE",
                      help="an MRI to put the lesions into, read only (heads made up)")  # fmt: skip
    make.add_argument(
        "--lesions",
        type=whole_number(1),
        nargs=2,
        default=(1, 4),
        metavar=("MIN", "MAX"),
        help="fewest and most lesions of a patient (1 4)",
    )
    make.add_argument("--second-mri", action="store_true", help="a second MRI of every patient before treatment")
    make.add_argument("--dose", action="store_true", help="a planned dose on every MRI before treatment, in Gy")
    make.add_argument("--clinical", action="store_true", help="clinical columns; they do not tell the outcome")
    make.add_argument("--seed", type=int, default=0, help="the same seed gives the same patients (%(default)s)")


def run(options) -> None:
    """The command."""
    actions = {"check": check, "columns": columns, "make-synthetic": make_synthetic, "import-openbtai": import_table}
    actions |= {"import": imports.run, "from-dicom": cohort_of_dicom.run}
    actions[options.action](options)


def check(options) -> None:
    """Print the findings.

    Raises:
        InputError: there are errors among them, or the table cannot be read.
    """
    from ...cohort.checks import check_cohort
    from ...cohort.findings import HEADINGS, as_lines, errors_in
    from ...cohort.tables.table import read_cohort
    from ...core.errors import InputError
    from ...io.atomic import check_place, write_whole
    from ...systems.registry import system_of
    from ..console import Progress, table

    system = system_of(options.system)
    for path in filter(None, (options.output, options.labels)):
        check_place(path, overwrite=options.overwrite)
    cohort = read_cohort(options.table, system)
    refuse_own_inputs(options, files_of(cohort.rows))
    with Progress(options.quiet) as progress:
        tell = progress.part(0, 1)
        own = {"system": system, "rule": getattr(options, "label_rule", None), "progress": tell}
        found = check_cohort(cohort, options.images, options.shrinkage, **own)
    rows = [finding.as_row() for finding in found]
    if options.output:
        write_whole(options.output, _as_csv(rows, HEADINGS), overwrite=options.overwrite)
    elif found:
        lines = as_lines(found)
        print(table(lines, HEADINGS))
        if len(lines) < len(found):
            print(f"{len(found)} findings in {len(lines)} lines; -o FINDINGS writes every one into a file.")
    errors = len(errors_in(found))
    if not options.quiet:
        print(f"{_units(cohort, system.task)} in {pluralize(len(cohort.rows), 'row')}: "
              f"{_counted(errors, 'error')}, {_counted(len(found) - errors, 'warning')}.")  # fmt: skip
    if errors:
        unwritten = f"; {options.labels} was not written" if options.labels else ""
        raise InputError(
            f"{options.table} has {_counted(errors, 'error')}; put right what is listed and check again{unwritten}."
        )
    if options.labels or not options.quiet:
        labels = _labels(cohort, options, system)
        if options.labels:
            rows = _label_rows(labels, system.task)
            write_whole(options.labels, _as_csv(rows, LABEL_HEADINGS), overwrite=options.overwrite)
        if not options.quiet:
            print(_label_words(labels, options, system))


LABEL_HEADINGS = {"row": "row", "patient": "patient", "unit": "unit", "label": "label", "source": "from", "why": "why"}


def _label_rows(labels, task) -> list[dict[str, str]]:
    """Every unit with its class, where that comes from, and the rule that decided."""
    return [
        {
            "row": " ".join(map(str, each.rows)),
            "patient": each.patient,
            "unit": each.lesion,
            "label": "" if each.response is None else task.names[each.response],
            "source": each.source,
            "why": each.why,
        }
        for each in labels
    ]


def _as_csv(rows: list[dict[str, str]], headings: dict[str, str]) -> bytes:
    from ...io.csv_files import csv_text

    return csv_text(headings.values(), ([row[key] for key in headings] for row in rows)).encode(
        "utf-8-sig"
    )  # for Excel


def _units(cohort, task) -> str:
    """How many there are: "3 lesions of 2 patients"."""
    patients = pluralize(len(cohort.patients), "patient")
    return f"{pluralize(len(cohort.units(task.unit)), task.unit)} of {patients}" if task.unit != PATIENT else patients


def _labels(cohort, options, system):
    """Labels of all units; where no mask is to be read, what the table alone tells."""
    from ...cohort.labels.cohort_labels import label_cohort

    measured = None if options.images else {}
    rule = getattr(options, "label_rule", None)
    return label_cohort(cohort, options.shrinkage, measured=measured, system=system, rule=rule)


def _label_words(labels, options, system) -> str:
    from ...cohort.labels.lesion_label import UNKNOWN

    task, answers = system.task, Counter(label.response for label in labels)
    if task.label.kind != SHRINKAGE:
        known = ", ".join(f"{answers[number]} {name}" for number, name in enumerate(task.names))
        by = f" (by {', '.join(sorted({each.source for each in labels if each.why and each.response is not None}))})"
        by = by if any(each.why and each.response is not None for each in labels) else ""
        unread = " without reading the masks" if task.label.kind == COMPUTED and not options.images else ""
        return f"{task.title}{by}: {known}{f', {answers[None]} not known{unread}' if answers[None] else ''}."
    sources = Counter(label.source for label in labels if label.source != UNKNOWN)
    origin = ", ".join(f"{count} from {source}" if source != "typed" else f"{count} typed in"
                       for source, count in sources.most_common())  # fmt: skip
    unknown = f", {answers[None]} not known" if answers[None] else ""
    text = f"Response (shrunk by more than {100 * options.shrinkage:g} %): {answers[1]} yes, {answers[0]} no{unknown}"
    return f"{text} ({origin})." if origin else f"{text}."


def columns(options) -> None:
    """Print what belongs into a table of a system."""
    from ...cohort.tables.columns import described, required_columns
    from ...systems.registry import DEFAULT, system_of, systems

    system = system_of(options.system)
    if system.name == DEFAULT:
        print("One row per lesion and MRI before treatment; the first row holds the headings. Needed: patient, lesion.")
        print("The response is computed from the first and the follow-up volume, given or measured on the masks.\n")
    else:
        task = system.task
        needed = dict.fromkeys((*required_columns(task.unit), *(role.table_column for role in system.needed_inputs)))
        several = task.unit != VISIT and len({role.time_point for role in system.inputs}) > 1
        print(f"One row per {task.unit}{' and time point' if several else ''}; the first row holds the headings. "
              f"Needed: {', '.join(needed)}.")  # fmt: skip
        rule = ", or where it is empty computed from the others" if task.label.kind == COMPUTED else ""
        print(f"{task.title}: the class of a {task.unit} is read from the column {task.label.column}{rule}.\n")
    print(described(system))
    others = [each.name for each in systems() if each.name != system.name]
    if others:
        print(f"\nOther systems have columns of their own: --system {' or '.join(others)}.")


def make_synthetic(options) -> None:
    """Write a synthetic cohort.

    Raises:
        InputError: the system makes none.
    """
    from ...systems.registry import DEFAULT, system_of

    system = system_of(options.system)
    if system.synthetic is not None:
        _make_another(system, options)
        return
    if system.name != DEFAULT:
        from ...core.errors import InputError

        raise InputError(f"{system.title} makes no synthetic patients; choose another system.")
    from ...cohort.synthetic.background import Background
    from ...cohort.synthetic.settings import CohortSettings
    from ...cohort.synthetic.store import write_cohort
    from ...cohort.tables.table import read_cohort
    from ...core.visible import visible
    from ..console import Progress, warn

    recipe = CohortSettings(
        options.patients,
        options.seed,
        options.difficulty,
        lesions=tuple(options.lesions),
        second_mri=options.second_mri,
        rule=options.rule,
        near_contour=options.near_contour,
        labels_alike=options.labels_alike,
    )
    if options.background:
        refuse_own_inputs(options)
    background = Background.read(options.background) if options.background else None
    for sentence in background.doubts(visible(Path(options.background).name)) if background else ():
        warn(sentence)
    with Progress(options.quiet) as progress:
        path = write_cohort(
            options.output,
            recipe,
            overwrite=options.overwrite,
            progress=progress.part(0, 1),
            dose=options.dose,
            clinical=options.clinical,
            background=background,
        )
    cohort = read_cohort(path)
    print(
        f"{pluralize(len(cohort.lesions), 'synthetic lesion')} of {pluralize(len(cohort.patients), 'patient')}: {path}"
    )


def _make_another(system: System, options) -> None:
    from ...cohort.synthetic.store import write_cohort_folder
    from ...cohort.tables.table import read_cohort
    from ..console import Progress

    recipe = settings_from(system.synthetic, options)
    with Progress(options.quiet) as progress:
        tell = progress.part(0, 1)
        path = write_cohort_folder(
            options.output, lambda folder: system.make_synthetic(folder, recipe, tell), options.overwrite
        )
    print(f"Synthetic cohort of {_units(read_cohort(path, system), system.task)}: {path}")


def import_table(options) -> None:
    """Write OpenBTAI's pairs of volumes as a cohort table."""
    from ...cohort.importers.openbtai import import_openbtai
    from ...cohort.tables.table import numbered, save_cohort_table
    from ...io.atomic import check_place

    check_place(options.output, overwrite=options.overwrite)
    cohort = import_openbtai(options.table)
    cohort = numbered(cohort) if options.anonymous else cohort
    path = save_cohort_table(cohort, Path(options.output), overwrite=options.overwrite)
    print(f"{len(cohort.lesions)} pairs of volumes of {len(cohort.patients)} patients, without images: {path}")


def _counted(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"
