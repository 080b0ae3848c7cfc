"""``pulsarcam features``: a cohort table in, one line of numbers per lesion and time point out."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .numbers import whole_number

GROUPS = {"radiomics": "radiomics", "gradients": "gradient", "dose": "dose", "clinical": "clinical"}
"""As typed, to how the names of its features begin."""

KEPT = ".lesions"

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

groups: radiomics (needs mirp: pip install pulsarcam[compare]), gradients, dose (columns dose and, if given,
        clinical_prescription_gy), clinical (columns clinical_...: numbers as they are, each word 1 or 0)

"""


def add_features(commands, command: Callable[..., argparse.ArgumentParser], epilog: str) -> None:
    """Add the parser; arguments as :func:`~.cohort.add_cohort`."""
    parser = command(commands, "features", "compute a table of features of every lesion", EXAMPLES + epilog)
    parser.add_argument("cohort", metavar="COHORT", help="table of lesions: CSV or XLSX")
    parser.add_argument("-o", "--output", metavar="TABLE.csv", required=True, help="table to be made")
    parser.add_argument(
        "--groups", type=_groups, metavar="A,B", help=f"of {', '.join(GROUPS)} (all for which the table has columns)"
    )
    parser.add_argument("--delta", action="store_true", help="also how features changed until the second MRI")
    parser.add_argument("--settings", metavar="FILE", help="JSON file of settings, as written beside every table")
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
    running.add_argument("--overwrite", action="store_true", help="replace an earlier table when all is done")
    running.add_argument("--quiet", action="store_true", help="no progress bar, no summary; warnings and errors only")


def _groups(text: str) -> tuple[str, ...]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [name for name in names if name not in GROUPS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of groups such as gradients,dose")
    return tuple(GROUPS[name] for name in names)


def run(options) -> None:
    """The command.

    Raises:
        InputError: the table or the settings cannot be used, or no lesion can.
        OutputError: the table is in the way, or cannot be written.
    """
    from ..cohort import read_cohort
    from ..comparison.feature_table import compute_features, with_delta
    from ..comparison.table_settings import FeatureSettings, read_feature_settings
    from .console import TimedBar, warn

    output = Path(os.path.abspath(options.output))  # noqa: PTH100 - a link stays where the user put it
    names = _check_output(output, options.overwrite)
    kept = Path(options.keep) if options.keep else output.with_name(output.name + KEPT)
    if not options.keep:
        _check_kept(kept)
    settings = read_feature_settings(options.settings) if options.settings else FeatureSettings()
    cohort = read_cohort(options.cohort)
    groups = _groups_of(cohort, options.groups)
    for finding in cohort.problems:
        warn(f"{f'Row {finding.row}' if finding.row else 'Table'}: {finding.what}; {finding.remedy}.")
    bar = TimedBar(options.quiet)
    with _engine(options.scheduler) as jobs, _interrupted(kept), bar.stage("features") as tell:
        table = compute_features(cohort, groups, settings, kept, jobs=jobs or options.jobs, progress=tell)
    for problem in table.problems:
        print(problem, file=sys.stderr)
    _refuse_nothing(table, groups, kept)
    table = with_delta(table) if options.delta else table
    _write(output, names, table, cohort, settings.as_json(groups), options.overwrite)
    if not options.keep:
        shutil.rmtree(kept, ignore_errors=True)
    if not options.quiet:
        print(_summary(table, cohort, output))


def _check_output(output: Path, overwrite: bool) -> list[str]:
    """Names of the three files.

    Raises:
        InputError: the name does not end with .csv.
        OutputError: one of them is in the way, or the folder cannot be written.
    """
    from ..errors import InputError
    from ..files.single import check_place

    if output.suffix.lower() != ".csv":
        raise InputError(f"{output.name} does not say its kind; end the name of the table with .csv.")
    names = [output.name, f"{output.stem}.reasons.csv", f"{output.stem}.settings.json"]
    for name in names:
        check_place(output.with_name(name), overwrite=overwrite)
    return names


def _check_kept(folder: Path) -> None:
    from ..errors import OutputError

    if not os.path.lexists(folder):
        return
    ours = re.compile(r"[0-9a-f]{64}\.json|\..*\.partial")
    if not folder.is_dir() or not all(ours.fullmatch(file.name) for file in folder.iterdir()):
        raise OutputError(f"{folder} is in the way; give the table another name.")


def _groups_of(cohort, asked: tuple[str, ...] | None) -> tuple[str, ...]:
    """Groups to be computed.

    Raises:
        InputError: a group was asked for that no row has anything for.
    """
    from ..errors import InputError

    there = {"radiomics", "gradient"}
    there |= {"dose"} if any(row.dose for row in cohort.rows) else set()
    there |= {"clinical"} if any(row.clinical for row in cohort.rows) else set()
    missing = [group for group in asked or () if group not in there]
    if missing:
        columns = {"dose": "column dose", "clinical": "column that begins with clinical_"}
        raise InputError(
            f"No row of the table has anything in a {columns[missing[0]]}; fill it in or choose other groups."
        )
    return tuple(group for group in GROUPS.values() if group in (asked or there))


@contextmanager
def _engine(scheduler: str | None) -> Iterator[int | None]:
    """Number of jobs where another engine does the work."""
    if scheduler is None:
        yield None
        return
    from ..study.jobs import dask_workers

    with dask_workers(scheduler):
        yield -1


@contextmanager
def _interrupted(kept: Path) -> Iterator[None]:
    """Say what an interruption leaves; an empty folder is not left."""
    from ..errors import Cancelled

    try:
        yield
    except KeyboardInterrupt:
        if _empty_is_gone(kept):
            raise
        raise Cancelled(
            f"interrupted; no table was written, and the lesions that are finished are kept in {kept}: the same "
            "command goes on from there."
        ) from None
    except Exception:
        _empty_is_gone(kept)
        raise


def _empty_is_gone(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return not folder.exists()
    return True


def _refuse_nothing(table, groups: tuple[str, ...], kept: Path) -> None:
    from ..errors import InputError

    wanted = [group for group in groups if group != "clinical"]
    found = {table.group_of(name) for name in table.names}
    if wanted and not found & set(wanted):
        _empty_is_gone(kept)
        raise InputError(f"None of the {len(table.rows)} rows could be used; put right what is listed above.")


def _write(output: Path, names: list[str], table, cohort, settings: str, overwrite: bool) -> None:
    from ..files.together import FilesTogether

    people = {row.row: row.key for row in cohort.rows}
    contents = (table.as_csv(people), table.reasons_as_csv(), settings)
    with FilesTogether(output.parent, names, overwrite=overwrite) as files:
        for name, content in zip(names, contents, strict=True):
            (files.made / name).write_bytes(content.encode("utf-8"))


def _summary(table, cohort, output: Path) -> str:
    from collections import Counter

    numbers = Counter(table.group_of(name) for name in table.names)
    listed = ", ".join(f"{numbers[group]} {words}" for words, group in GROUPS.items() if numbers[group])
    lines = [f"{len(table.rows)} rows, {len(cohort.lesions)} lesions of {len(cohort.patients)} patients: {output}"]
    lines.append(f"{len(table.names)} features ({listed}).")
    broken = len({problem.row for problem in table.problems if problem.row})
    if broken:
        lines.append(f"{broken} row{'s' * (broken > 1)} could not be used in full; listed above and beside the table.")
    return "\n".join(lines)
