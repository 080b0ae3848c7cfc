"""Options of ``pulsarcam train``; what only ``--help`` needs imports nothing heavy."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable

from ...core.settings import MOST_EPOCHS
from ...core.visible import is_visible, visible
from ...core.vocabulary import BASELINE, CAM, PATIENTS, TIME_POINTS
from ...systems.contract import System
from ..learning import add_foreign, add_model, add_system, add_training
from ..options.numbers import share_or_none, whole_number
from ..options.places import InputPath, add_output, add_overwrite
from ..options.setting_options import add_settings

EXAMPLES = """\
examples:
  pulsarcam train cohort.csv -o my-model
  pulsarcam train cohort.xlsx -o my-model --members 5 --jobs 2 --patience 20
  pulsarcam train cohort.csv -o my-model --members 5 --jobs 2 --patience 20 --resume
  pulsarcam train cohort.csv -o my-model --protocols paper,lesions,patients --trials 50 --sanity --jobs 2

The table is checked first and all that is wrong with it is said at once (its columns: pulsarcam cohort columns).
Beside the members of the bundle, models are trained in the same way on parts of the lesions and asked about the rest:
the protocols of pulsarcam study. Their figures, and with --sanity the checks of the maps, go into the bundle's card;
the report is in OUT.report. --protocols none leaves them out.
While it runs, everything is in OUT.training; after Ctrl-C, a kill or a power cut the same command with --resume goes on
and ends with the same weights. The bundle appears when everything is done.

"""


def add_train(commands, command: Callable[..., argparse.ArgumentParser], epilog: str, system: System) -> None:
    """Add the parser.

    Args:
        commands: sub-parsers of ``pulsarcam``.
        command: makes one: (sub-parsers, name, text, epilog).
        epilog: end of every help.
        system: whose options are offered.
    """
    parser = command(commands, "train", "train a model on a cohort table and write its bundle", EXAMPLES + epilog)
    parser.add_argument(
        "cohort",
        type=InputPath,
        metavar="COHORT",
        help="table of lesions, patients or visits: CSV or XLSX (its columns: pulsarcam cohort columns)",
    )
    add_output(parser, "OUT", "folder of the bundle, to be made", "{name}.training", "{name}.report", required=True)
    parser.add_argument("--name", type=_name, help="short name by which it is found (the folder's)")
    parser.add_argument("--title", type=_words, help="name for people (the short name)")
    parser.add_argument(
        "--licence", type=_words, default="not stated", help="of the weights, for the card (%(default)s)"
    )
    add_system(parser, "whose network is trained", system)
    _add_cohort(parser.add_argument_group("cohort"))
    add_model(parser.add_argument_group("model and preprocessing"), system)
    training = parser.add_argument_group("training (defaults: the paper's)")
    training.add_argument(
        "--members", type=whole_number(1, 1000), default=5, metavar="K", help="models in the ensemble (%(default)s)"
    )
    add_settings(training, system.settings, "ensemble")
    add_training(training, system)
    _add_judging(parser, system)
    _add_running(parser.add_argument_group("running"), system)
    add_foreign(parser, system, ("ensemble", "", "running"))


def _add_cohort(group) -> None:
    times = " or ".join(TIME_POINTS)
    group.add_argument("--time-point", default=BASELINE, help=f"MRI to train on: {times} (%(default)s)")
    group.add_argument(
        "--validation-share",
        type=share_or_none,
        default=0.2,
        metavar="SHARE",
        help="share of the patients set aside for curves, calibration and the card's figures; 0 for none (%(default)s)",
    )


def _add_judging(parser: argparse.ArgumentParser, system: System) -> None:
    from ..study.options import add_protocols

    protocols = parser.add_argument_group("how the training is judged, on models trained in the same way")
    add_protocols(protocols, system, (PATIENTS,), trials=10, controls=5, may_skip=True)
    # what these models would choose anew, the bundle's own members do not choose
    parser.set_defaults(tune=(), models=(CAM,), feature_settings=None)
    maps = parser.add_argument_group("whether its maps are true")
    maps.add_argument("--sanity", action="store_true", help="check them on the patients set aside, for the card")
    add_label_control(maps, 3, "with --sanity: networks trained on permuted labels, to be held against")


def add_label_control(group, default: int, what: str) -> None:
    """How many networks learn permuted labels, and for how long; what is the help's first words."""
    group.add_argument(
        "--label-control", type=whole_number(0, 1000), default=default, metavar="K", help=f"{what} (%(default)s)"
    )
    group.add_argument(
        "--label-epochs",
        type=whole_number(1, MOST_EPOCHS),
        metavar="N",
        help="epochs of these networks (as many as the model had)",
    )


def _add_running(group, system: System) -> None:
    group.add_argument("--jobs", type=whole_number(1), default=1, metavar="N", help="members trained side by side (1)")
    group.add_argument("--resume", action="store_true", help="continue a run that was stopped")
    group.add_argument("--keep-run", action="store_true", help="keep OUT.training with every member's curves")
    add_settings(group, system.settings, "running")
    add_overwrite(group, "a bundle at OUT when all is done")
    group.add_argument("--quiet", action="store_true", help="no progress bar, no summary; warnings and errors only")


def _words(text: str) -> str:
    """A text for the card, which has no control characters."""
    if not is_visible(text, kept=""):
        raise argparse.ArgumentTypeError(f"{visible(text)!r} has control characters")
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", text):
        raise argparse.ArgumentTypeError(f"{text!r} may have only small letters, digits, '.', '_' and '-'")
    return text
