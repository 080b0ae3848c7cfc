"""``pulsarcam bundle``: what a model bundle says of itself, whether it is what it says, and what it may lack."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...core.vocabulary import BASELINE, TIME_POINTS
from ...systems.bundles.conformal import ERROR_RATE
from ..learning import COHORT
from ..options.numbers import share, whole_number
from ..options.places import InputPath, add_output, add_overwrite

if TYPE_CHECKING:
    from ...cohort.tables.table import CohortTable
    from ...systems.bundles.bundle import ModelBundle
    from ..console import TimedBar

WIDTH = 100

EXAMPLES = """\
examples:
  pulsarcam bundle show synthetic-demo          what it is, was trained on, and how well it does
  pulsarcam bundle show my-model --json         the whole card
  pulsarcam bundle check my-model               card, hash, shapes, numbers, and its answer to a fixed input
  pulsarcam bundle add-reference my-model cohort.csv -o with-reference --validation-share 0.2
      a model of an earlier version also keeps the mean features of the lesions it was trained on, by which relative
      maps tell what a lesion lacks; share and seed as they stand in the card's command

  pulsarcam bundle calibrate my-model others.csv -o calibrated
      sets of classes ("response", "non-response", "cannot tell") with an error rate that holds for new patients, from
      patients whom the model has not learnt from

"show" and "check" write nothing. "check" says everything that is wrong, one sentence each, and then ends with exit code
4. "calibrate" and "add-reference" make a new bundle, whose weights are the same byte for byte.

"""


def add_bundle(commands, command: Callable[..., argparse.ArgumentParser], epilog: str) -> None:
    """Add the parsers; arguments as :func:`~.cohort.add_cohort`."""
    group = command(commands, "bundle", "show or check one model bundle", EXAMPLES + epilog)
    actions = group.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = command(actions, "show", "print a model's whole card", EXAMPLES + epilog)
    show.add_argument("model", type=InputPath, metavar="MODEL", help="installed model or bundle folder")
    show.add_argument("--json", action="store_true", help="as the file has it")
    check = command(actions, "check", "find everything that is wrong with a bundle", EXAMPLES + epilog)
    check.add_argument("model", type=InputPath, metavar="MODEL", help="installed model or bundle folder")
    _add_calibrate(command(actions, "calibrate", "calibrate sets of classes on other patients", EXAMPLES + epilog))
    _add_reference(command(actions, "add-reference", "add what relative maps are relative to", EXAMPLES + epilog))


def _add_reference(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=InputPath, metavar="MODEL", help="installed model or bundle folder")
    parser.add_argument("cohort", type=InputPath, metavar="COHORT", help=f"it was trained on; {COHORT}")
    add_output(parser, "OUT", "folder of the new bundle", required=True)
    parser.add_argument(
        "--time-point", default=BASELINE, help=f"MRI it was trained on: {' or '.join(TIME_POINTS)} (%(default)s)"
    )
    parser.add_argument(
        "--validation-share", type=share, default=0.0, metavar="SHARE", help="of patients set aside in training (0)"
    )
    parser.add_argument("--seed", type=whole_number(0), default=0, help="of the training (%(default)s)")
    parser.add_argument(
        "--shrinkage", type=share, default=0.2, metavar="SHARE", help="lost share that is response (0.2)"
    )
    add_overwrite(parser, "an earlier bundle at OUT when all is done, and a reference that MODEL keeps already")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def _add_calibrate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=InputPath, metavar="MODEL", help="installed model or bundle folder")
    parser.add_argument("cohort", type=InputPath, metavar="COHORT", help=f"that it has not learnt from; {COHORT}")
    add_output(parser, "OUT", "folder of the new bundle", required=True)
    parser.add_argument(
        "--error-rate", type=share, default=ERROR_RATE, metavar="SHARE", help="for which coverage is told (%(default)s)"
    )
    parser.add_argument(
        "--time-point", default=BASELINE, help=f"MRI of the table: {' or '.join(TIME_POINTS)} (%(default)s)"
    )
    parser.add_argument(
        "--shrinkage", type=share, default=0.2, metavar="SHARE", help="lost share that is response (0.2)"
    )
    add_overwrite(parser, "an earlier bundle at OUT when all is done, and a calibration that MODEL has already")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(options) -> None:
    """The command."""
    actions = {"show": show, "check": check, "calibrate": calibrate, "add-reference": add_reference}
    actions[options.action](options)


def show(options) -> None:
    """Print the card."""
    import json

    from ...systems.bundles.bundle import bundle_folder, find_card
    from ...systems.bundles.checking import wrong_weights
    from ..console import warn

    card = find_card(options.model)
    if problem := wrong_weights(bundle_folder(options.model), card):
        warn(problem)
    print(json.dumps(dict(card.fields), indent=1, ensure_ascii=False) if options.json else as_text(card))


def as_text(card) -> str:
    """The whole card for a console."""
    from ...outputs.pages.card_text import card_blocks

    first = "\n".join(textwrap.wrap(card.verdict.sentence, WIDTH))
    return "\n\n".join([card.title, first, *map(_block, card_blocks(card))])


def _block(block) -> str:
    from ..console import table

    lines = [block.title.upper()]
    width = max((len(name) for name, _ in block.facts), default=0) + 3
    for name, value in block.facts:
        wrapped = _wrapped(name, value, WIDTH - width - 2)
        lines += [f"  {name + ':':<{width}}{wrapped[0]}", *(" " * (width + 2) + line for line in wrapped[1:])]
    for sentence in block.sentences:
        lines.append(textwrap.fill(sentence, WIDTH, initial_indent="  ", subsequent_indent="    "))
    for heads, *rows in block.tables:
        columns = {str(n): head for n, head in enumerate(heads)}
        found = table([dict(zip(columns, row, strict=True)) for row in rows], columns)
        lines += ["", textwrap.indent(found, "  ")]
    return "\n".join(lines)


def _wrapped(name: str, value: str, width: int) -> list[str]:
    """Lines of a fact; a command is broken between its words only, as a shell takes it."""
    if not name.endswith("command"):
        return textwrap.wrap(value, width, break_long_words=False) or [""]
    *lines, last = textwrap.wrap(value, width - 2, break_long_words=False, break_on_hyphens=False) or [""]
    return [*(f"{line} \\" for line in lines), last]


def check(options) -> None:
    """Print every problem.

    Raises:
        BundleError: there are some.
    """
    from ...core.errors import BundleError
    from ...core.requirements import require
    from ...outputs.pages.card_text import unreadable_parts
    from ...systems.bundles.bundle import bundle_folder, find_card
    from ...systems.bundles.checking import check_bundle

    require()
    folder = bundle_folder(options.model)
    problems = check_bundle(folder)
    for problem in problems:
        print(problem)
    if problems:
        raise BundleError(
            f"{options.model} has {len(problems)} problem{'s' * (len(problems) > 1)}, listed above; do not use it."
        )
    card = find_card(folder)
    for problem in unreadable_parts(card):
        print(problem)
    answers = "as its card records" if "probe" in card.fields else "with finite numbers; its card records none"
    members = f"{card.members} member{'s' * (card.members > 1)} of the right shapes with finite weights"
    print(f"Model “{card.name}” is sound: card, SHA-256, {members}. It answers a fixed input {answers}.")


def add_reference(options) -> None:
    """Write a bundle that keeps the mean features of its training lesions.

    Raises:
        BundleError: there is no such model, or none of its maps is relative to anything.
        InputError: the table has errors.
        OutputError: the folder exists or cannot be written.
    """
    from pathlib import Path

    from ...core.requirements import require
    from ...io.hashing import sha256_of
    from ...systems.bundles.bundle import check_bundle_place, find_bundle, save_with_reference
    from ...training.bundles.cohort_reference import cohort_reference, other_number, refuse_second
    from ...training.units.cohort_cases import cohort_cases
    from ..console import TimedBar, warn
    from ..learning import NEEDS

    require(NEEDS, extra="train")
    check_bundle_place(Path(options.output), overwrite=options.overwrite)
    bundle = find_bundle(options.model)
    refuse_second(bundle, options.overwrite)
    system = bundle.card.system
    with TimedBar(options.quiet) as bar:
        table, rows = _rows_for(bundle, options, bar)
        with bar.stage(f"preparing {system.samples_word}") as tell:
            section = cohort_reference(
                bundle,
                cohort_cases(rows, tell, system),
                validation_share=options.validation_share,
                seed=options.seed,
                hashes={"table": sha256_of(table.path)},
            )
    if said := other_number(bundle, section):
        warn(said)
    made = save_with_reference(bundle, section, options.output, overwrite=options.overwrite)
    if not options.quiet:
        print(f"Model “{made.card.name}” with its reference: {made.folder}. {section['added']}")


def _rows_for(bundle: ModelBundle, options, bar: TimedBar) -> tuple[CohortTable, list]:
    """A cohort table that is free of errors for a model's system, and its rows that can be used."""
    from ...training.units.cohort_cases import usable_rows
    from ..learning import checked_cohort

    options.system = bundle.card.system.name
    table, labels = checked_cohort(options, bar, bundle.card.preprocessing)
    return table, usable_rows(table, labels, options.time_point, bundle.card.system)


def calibrate(options) -> None:
    """Write a bundle whose card has sets of classes, calibrated on the patients of a table.

    Raises:
        BundleError: there is no such model, or it is calibrated already.
        InputError: the table has errors, or is that of the training.
        OutputError: the folder exists or cannot be written.
    """
    from pathlib import Path

    from ...core.requirements import require
    from ...io.hashing import sha256_of
    from ...systems.bundles.bundle import check_bundle_place, find_bundle, save_with_section
    from ...training.bundles.cohort_calibration import cohort_calibration, refuse_calibrated, refuse_learnt
    from ...training.units.cohort_cases import cohort_cases, inputs_digest
    from ..console import TimedBar, warn
    from ..learning import NEEDS

    require(NEEDS, extra="train")
    check_bundle_place(Path(options.output), overwrite=options.overwrite)
    bundle = find_bundle(options.model)
    refuse_calibrated(bundle, options.overwrite)
    system = bundle.card.system
    with TimedBar(options.quiet) as bar:
        table, rows = _rows_for(bundle, options, bar)
        hashes = {"table": sha256_of(table.path), "images_and_masks": inputs_digest(rows, system)}
        refuse_learnt(bundle, hashes)
        with bar.stage("asking the model") as tell:
            section = cohort_calibration(bundle, cohort_cases(rows, tell, system), options.error_rate)
    warn("Nothing tells whether the model has learnt from single patients of this table; see that it has not.")
    made = save_with_section(bundle, "conformal", section, options.output, overwrite=options.overwrite)
    if not options.quiet:
        print(f"Model “{made.card.name}”, calibrated: {made.folder}. {section['text'].rstrip('.')}.")
