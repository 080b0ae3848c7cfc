"""``pulsarcam cohort from-dicom``: a folder of many DICOM patients becomes a cohort table with its files."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.pluralize import pluralize
from ...core.vocabulary import BASELINE, FOLLOWUP, SECOND
from ..learning import add_system
from ..options.numbers import whole_number
from ..options.places import InputPath, add_output, add_overwrite
from .options import add_pseudonyms

if TYPE_CHECKING:
    from ...systems.contract import System

EXAMPLES = """\
examples:
  pulsarcam dicom list export                               what there is, by number
  pulsarcam cohort from-dicom export -o cohort.csv --pseudonyms who-is-who.csv
  pulsarcam cohort check cohort.csv
  pulsarcam cohort from-dicom export -o cohort.csv --visits baseline,-,second,follow-up --structures 3,8
  pulsarcam cohort from-dicom export -o visits.csv --system NAME --take COLUMN="T1 TSE" --take OTHER=3,9

A patient's MRIs with contours are, by their dates: one: baseline; two: baseline, follow-up; three: baseline, second,
follow-up. For a system that looks at whole images (--system) there need be no contours: --take says which series is
which column. What can be meant in two ways is left out. Every decision stands in <table>-findings.csv; images, lesions
and doses are written into <table>-files, under pseudonyms, as NRRD: the table names no file of FOLDER.

"""


def add_from_dicom(actions, command: Callable[..., argparse.ArgumentParser], epilog: str) -> None:
    """Add the parser; arguments as :func:`~..commands.cohort.add_cohort`."""
    parser = command(actions, "from-dicom", "make a table of a folder of many DICOM patients", EXAMPLES + epilog)
    text = "of any nesting, with anything in it"
    parser.add_argument("source", type=InputPath, metavar="FOLDER", help=text)
    add_system(parser, "whose table it is to be")
    text = "for a system of whole images: the series whose description holds TEXT (with * or ? as a whole), or with "
    text += "these numbers of dicom list, are that column; once for each column"
    parser.add_argument("--take", action="append", type=_taken, default=[], metavar="COLUMN=TEXT", help=text)
    beside = ("{stem}-findings.csv", "{stem}-files")
    add_output(parser, "TABLE", "table to be made: .csv or .xlsx", *beside, required=True)
    text = "structures that are lesions, by name or number (those whose name or type says GTV)"
    parser.add_argument("--segments", type=_texts, metavar="A,B", help=text)
    text = "numbers of dicom list: of a patient's several these are meant"
    parser.add_argument("--series", type=_numbers, default=(), metavar="1,3", help=text)
    parser.add_argument("--structures", type=_numbers, default=(), metavar="1,3", help=text)
    parser.add_argument(
        "--visits", type=_visits, default=(), metavar="A,B", help=f"what MRIs with contours are, in the order of their "
        f"dates: {BASELINE}, {SECOND}, follow-up, or - for none of these",
    )  # fmt: skip
    text = "keep dates as they are (baseline 2000-01-01, others as many days from it as they were)"
    parser.add_argument("--real-dates", action="store_true", help=text)
    add_pseudonyms(parser, "<table>-files")
    parser.add_argument("--jobs", type=whole_number(1), default=1, metavar="N", help="patients side by side (1)")
    add_overwrite(parser, "TABLE, its findings and its files")
    parser.add_argument("--quiet", action="store_true", help="no progress bar; warnings and errors only")


def _texts(text: str) -> list[str]:
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise argparse.ArgumentTypeError("name at least one structure")
    return found


def _numbers(text: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in text.split(","))
    if not all(part.isdecimal() for part in found):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers such as 1,3")
    return found


def _taken(text: str) -> tuple[str, tuple[str, ...]]:
    column, sign, words = text.partition("=")
    words = words.strip()
    if not (column.strip() and sign and words):
        raise argparse.ArgumentTypeError(f"{text!r} is not COLUMN=TEXT, such as flair=FLAIR or flair=3,9")
    numbers = tuple(part.strip() for part in words.split(","))
    return column.strip().lower(), numbers if all(part.isdecimal() for part in numbers) else (words,)


def _visits(text: str) -> tuple[str, ...]:
    names = {"baseline": BASELINE, "second": SECOND, "follow-up": FOLLOWUP, "followup": FOLLOWUP, "-": "-"}
    parts = [part.strip().lower() for part in text.split(",")]
    found = tuple(names.get(part, "") for part in parts)
    used = [each for each in found if each != "-"]
    if "" in found or BASELINE not in used or len(set(used)) < len(used):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not like baseline,second,-,follow-up: each at most once, and a baseline among them"
        )
    if used != [each for each in (BASELINE, SECOND, FOLLOWUP) if each in used]:
        raise argparse.ArgumentTypeError(f"{text!r} is in no order of time; write baseline,second,follow-up")
    return found


def _system_and_columns(options) -> tuple[System | None, dict[str, tuple[str, ...]]]:
    """The system, if it is one of whole images, and what is taken for its columns.

    Raises:
        InputError: options that belong to the other kind of systems, or a column that the system has not.
    """
    from ...cohort.from_dicom.by_roles import columns_taken
    from ...core.errors import InputError
    from ...core.inputs import MASK
    from ...core.task import LESION
    from ...systems.registry import system_of

    system = system_of(options.system)
    if system.task.unit == LESION:
        if options.take:
            raise InputError(
                f"--take is for systems of whole images; of {system.title} the MRI is that of the contours."
            )
        return None, {}
    lesions = {"--series": options.series, "--visits": options.visits}
    if system.role(MASK) is None:
        lesions |= {"--structures": options.structures, "--segments": options.segments}
    given = [flag for flag, value in lesions.items() if value]
    if given:
        raise InputError(f"{' and '.join(given)} choose MRIs with contours; with --system {system.name} give --take.")
    columns = list(columns_taken(system))
    named = [column for column, _ in options.take]
    if twice := next((each for each in named if named.count(each) > 1), ""):
        raise InputError(f"--take names the column {twice} twice; give its numbers in one, as {twice}=3,9.")
    if unknown := [each for each in named if each not in columns]:
        raise InputError(f"{system.title} has no column {unknown[0]} of MRIs; there are {', '.join(columns)}.")
    needed = [role.table_column for role in system.needed_inputs if role.table_column in columns]
    if missing := [each for each in dict.fromkeys(needed) if each not in named]:
        example = f"{missing[0]}=TEXT"
        raise InputError(f"{system.title} needs {', '.join(missing)}; say which series that is, as --take {example}.")
    return system, dict(options.take)


def run(options) -> None:
    """Write table, findings and files; say what was decided, by kind.

    Raises:
        InputError: no such folder, a number that nothing has, or nobody in it can be used.
        OutputError: something is in the way, or cannot be written.
    """
    from ...cohort.from_dicom.table import check_all_outputs, files_folder, write_cohort_of_dicom
    from ...cohort.from_dicom.visits import Wanted
    from ...core.errors import InputError
    from ...io.dicom.folder import take_stock
    from ...io.plain_files import shown_path
    from ..commands.dicom import left_out
    from ..console import TimedBar, note, warn
    from ..options.places import refuse_within
    from .pseudonyms import Pseudonyms

    table = Path(os.path.abspath(options.output))  # noqa: PTH100 - a link stays where the user put it
    place = files_folder(table)
    refuse_within(options, options.source)
    check_all_outputs(table, overwrite=options.overwrite)
    pseudonyms = Pseudonyms.kept_in(options.pseudonyms, place)
    inventory = take_stock(options.source)
    if not inventory.is_dicom:
        raise InputError(f"The folder {shown_path(options.source)} holds no DICOM series or object.")
    for what, given, items in (("series", options.series, inventory.series),
                               ("structure set", options.structures, inventory.structure_sets)):  # fmt: skip
        if unknown := sorted(set(given) - {str(item.number) for item in items}):
            raise InputError(f"There is no {what} {', '.join(unknown)}; pulsarcam dicom list shows the numbers.")
    system, take = _system_and_columns(options)
    for column, texts in take.items():
        if unknown := sorted({t for t in texts if t.isdecimal()} - {str(item.number) for item in inventory.series}):
            raise InputError(f"There is no series {', '.join(unknown)} for {column}; pulsarcam dicom list shows them.")
    wanted = Wanted(
        options.series, options.structures, options.visits, options.segments, options.real_dates, system, take
    )
    if not options.quiet:
        for sentence in left_out(inventory, named=False):
            note(sentence)
    with TimedBar(options.quiet) as bar, bar.stage("writing patients") as tell:
        how = {"at_once": options.jobs, "overwrite": options.overwrite, "progress": tell}
        found = write_cohort_of_dicom(inventory, wanted, table, pseudonyms.of, **how)
    pseudonyms.save()
    rows, patients = found.table.rows, found.table.patients
    told_in = table.with_name(f"{table.stem}-findings.csv")
    if missing := len(inventory.patients) - len(patients):
        warn(f"{pluralize(missing, 'patient')} of {len(inventory.patients)} left out; {shown_path(told_in)} says why.")
    if options.quiet:
        return
    lesions = pluralize(len(found.table.lesions), "lesion") if system is None else pluralize(len(rows), "visit")
    print(f"{lesions} of {len(patients)} of {pluralize(len(inventory.patients), 'patient')} in "
          f"{pluralize(len(rows), 'row')}: {table}")  # fmt: skip
    counts = Counter(finding.kind for finding in found.findings)
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
    print(f"{len(found.findings)} decisions ({kinds}): {told_in}")
    print(f"Images, {'lesions ' if system is None else ''}and doses: {place}")
