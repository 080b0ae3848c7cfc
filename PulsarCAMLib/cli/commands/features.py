"""``pulsarcam features``: a cohort table in, one line of numbers per lesion and time point out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...core.vocabulary import GROUPS
from ..options.numbers import whole_number
from ..options.places import InputPath, add_output, add_overwrite, files_of, refuse_own_inputs

EXAMPLES = """\
examples:
  pulsarcam features cohort.csv -o features.csv
  pulsarcam features cohort.csv -o features.csv --groups gradients,dose --jobs 4
  pulsarcam features cohort.csv -o features.csv --delta --settings earlier.settings.json

what is written, all of it or nothing:
  features.csv             one row per lesion and time point, as the cohort table names them; an empty cell is a value
                           that does not exist
  features.reasons.csv     why values do not exist, and which lesions could not be used
  features.settings.json   every setting, definitions and versions; give it to --settings to compute another table so
Finished lesions are kept in features.csv.lesions until the table is there; after Ctrl-C, a kill or a power cut the same
command goes on from there. A lesion that cannot be used is listed and stops no other.

groups: radiomics (needs mirp: pip install pulsarcam[compare]), gradients, octants (gradients by octants of
        the margin), dose (columns dose and, if given, clinical_prescription_gy), clinical (columns clinical_...:
        numbers as they are, each word 1 or 0)

"""


def add_features(commands, command: Callable[..., argparse.ArgumentParser], epilog: str) -> None:
    """Add the parser; arguments as :func:`~.cohort.add_cohort`."""
    parser = command(commands, "features", "compute a table of features of every lesion", EXAMPLES + epilog)
    parser.add_argument("cohort", type=InputPath, metavar="COHORT", help="table of lesions: CSV or XLSX")
    beside = ("{stem}.reasons.csv", "{stem}.settings.json")
    add_output(parser, "TABLE.csv", "table to be made", *beside, required=True)
    parser.add_argument(
        "--groups", type=_groups, metavar="A,B", help=f"of {', '.join(GROUPS)} (all for which the table has columns)"
    )
    parser.add_argument("--delta", action="store_true", help="also how features changed until the second MRI")
    text = "JSON file of settings, as written beside every table"
    parser.add_argument("--settings", type=InputPath, metavar="FILE", help=text)
    running = parser.add_argument_group("running")
    running.add_argument("--jobs", type=whole_number(1), default=1, metavar="N", help="MRIs worked on side by side (1)")
    running.add_argument(
        "--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers compute, such as tcp://host:8786; paths "
        "must be the same for all of them",
    )  # fmt: skip
    running.add_argument(
        "--keep", metavar="FOLDER", help="keep finished lesions there for good; they are used again wherever nothing "
        "that decides them has changed",
    )  # fmt: skip
    add_overwrite(running, "an earlier table when all is done")
    running.add_argument("--quiet", action="store_true", help="no progress bar, no summary; warnings and errors only")


def _groups(text: str) -> tuple[str, ...]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [name for name in names if name not in GROUPS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of groups such as gradients,dose")
    return tuple(names)


def run(options) -> None:
    """The command.

    Raises:
        InputError: the table or the settings cannot be used, or no lesion can.
        OutputError: the table is in the way, or cannot be written.
    """
    from ...features.files import FeatureFiles
    from ..console import TimedBar, warn

    files = FeatureFiles(
        options.cohort, options.output, options.groups, options.settings, keep=options.keep, overwrite=options.overwrite
    )
    refuse_own_inputs(options, files_of(files.cohort.rows))
    for finding in files.cohort.problems:
        warn(f"{f'Row {finding.row}' if finding.row else 'Table'}: {finding.what}; {finding.remedy}.")
    bar = TimedBar(options.quiet)
    with _engine(options.scheduler) as jobs, bar.stage("features") as tell:
        table = files.compute(jobs or options.jobs, progress=tell)
    for problem in table.problems:
        print(problem, file=sys.stderr)
    table = files.write(table, options.delta)
    if not options.quiet:
        print(_summary(table, files))


@contextmanager
def _engine(scheduler: str | None) -> Iterator[int | None]:
    """Number of jobs where another engine does the work."""
    if scheduler is None:
        yield None
        return
    from ...study.jobs import dask_workers

    with dask_workers(scheduler):
        yield -1


def _summary(table, files) -> str:
    from collections import Counter

    numbers = Counter(table.group_of(name) for name in table.names)
    listed = ", ".join(f"{numbers[group]} {words}" for words, group in GROUPS.items() if numbers[group])
    cohort = files.cohort
    about = f"{len(cohort.lesions)} lesions of {len(cohort.patients)} patients"
    lines = [f"{len(table.rows)} rows, {about}: {files.output}"]
    lines.append(f"{len(table.names)} features ({listed}).")
    broken = len({problem.row for problem in table.problems if problem.row})
    if broken:
        lines.append(f"{broken} row{'s' * (broken > 1)} could not be used in full; listed above and beside the table.")
    return "\n".join(lines)
