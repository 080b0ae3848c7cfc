"""Options of ``pulsarcam train``; what only ``--help`` needs imports nothing heavy."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable

from ...systems.registry import DEFAULT
from ..numbers import MOST_SEED, number, positive, share_or_none, whole_number

MOST_EPOCHS = 1_000_000

LESION_SIZES = {"crop": "scale", "resize": "fill"}
"""Words of the command line for the preprocessing's ``large_lesion``."""

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


def add_train(commands, command: Callable[..., argparse.ArgumentParser], epilog: str) -> None:
    """Add the parser.

    Args:
        commands: sub-parsers of ``pulsarcam``.
        command: makes one: (sub-parsers, name, text, epilog).
        epilog: end of every help.
    """
    parser = command(commands, "train", "train a model on a cohort table and write its bundle", EXAMPLES + epilog)
    parser.add_argument("cohort", metavar="COHORT", help="table of lesions: CSV or XLSX")
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="folder of the bundle, to be made")
    parser.add_argument("--name", type=_name, help="short name by which it is found (the folder's)")
    parser.add_argument("--title", help="name for people (the short name)")
    parser.add_argument("--licence", default="not stated", help="of the weights, for the card (%(default)s)")
    add_system(parser, "whose network is trained, of those that this PulsarCAM knows")
    _add_cohort(parser.add_argument_group("cohort"))
    add_model(parser.add_argument_group("model and preprocessing"))
    training = parser.add_argument_group("training (defaults: the paper's)")
    _add_ensemble(training)
    add_training(training)
    _add_judging(parser)
    _add_running(parser.add_argument_group("running"))


def add_system(parser, what: str) -> None:
    """Which system is meant; what is the help's first words."""
    parser.add_argument("--system", default=DEFAULT, metavar="NAME", help=f"{what} (%(default)s)")


def _add_cohort(group) -> None:
    group.add_argument("--time-point", default="baseline", help="MRI to train on: baseline or second (%(default)s)")
    group.add_argument(
        "--validation-share",
        type=share_or_none,
        default=0.2,
        metavar="SHARE",
        help="share of the patients set aside for curves, calibration and the card's figures; 0 for none (%(default)s)",
    )


def _add_judging(parser: argparse.ArgumentParser) -> None:
    from ..study.options import add_protocols

    protocols = parser.add_argument_group("how the training is judged, on models trained in the same way")
    add_protocols(protocols, "patients", trials=10, controls=5, may_skip=True)
    # what these models would choose anew, the bundle's own members do not choose
    unasked = {"gi_limit": None, "feature_settings": None}
    parser.set_defaults(threshold="fixed", inner_folds=3, tune=(), models=("cam",), **unasked)
    maps = parser.add_argument_group("whether its maps are true")
    maps.add_argument("--sanity", action="store_true", help="check them on the patients set aside, for the card")
    add_label_control(maps, 3, "with --sanity: networks trained on permuted labels, to be held against")


def defaults_of_training() -> dict[str, object]:
    """Options of :func:`add_model` and :func:`add_training`, and what they are where nobody says anything."""
    parser = argparse.ArgumentParser(add_help=False)
    add_model(parser)
    add_training(parser)
    return vars(parser.parse_args([]))


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


def add_model(group) -> None:
    """Network and patches, for every command that trains."""
    group.add_argument(
        "--filters", type=whole_number(1, 256), default=16, metavar="N", help="of the first convolution (%(default)s)"
    )
    group.add_argument(
        "--feature-maps", type=whole_number(1, 64), default=5, metavar="N", help="at the bottleneck (%(default)s)"
    )
    group.add_argument(
        "--dense-units", type=whole_number(1, 1024), default=32, metavar="N", help="of the classifier (%(default)s)"
    )
    group.add_argument("--dense-activation", choices=("relu", "linear"), default="relu", help="(%(default)s)")
    group.add_argument("--norm", choices=("after", "before"), default="after", help="of the activation (%(default)s)")
    group.add_argument("--dropout", type=share_or_none, default=0.1, metavar="SHARE", help="(%(default)s)")
    group.add_argument(
        "--spacing-mm", type=_spacing, default=1.0, metavar="MM", help="pixel size, or 'native' (%(default)s)"
    )
    group.add_argument(
        "--plane", choices=("volume", "axial", "coronal", "sagittal"), default="volume", help="(%(default)s)"
    )
    group.add_argument(
        "--percentiles", type=_percentiles, default="1,99", metavar="LOW,HIGH",
        help="of each crop's intensities, which become 0 and 1 (%(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--mask-rule", choices=("any", "half"), default="any",
        help="a bottleneck cell is on if any, or at least half, of its 16 pixels lie in the GTV (%(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--lesion-size", choices=tuple(LESION_SIZES), default="crop",
        help="crop: one pixel size, only too large lesions are shrunk; resize: every lesion fills the patch "
        "(%(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--answering-slice", choices=("largest-area", "middle"), default="largest-area",
        help="of the lesion, which is trained on and answers for it (%(default)s)",
    )  # fmt: skip


def _add_ensemble(group) -> None:
    group.add_argument(
        "--members", type=whole_number(1, 1000), default=5, metavar="K", help="models in the ensemble (%(default)s)"
    )
    group.add_argument(
        "--seed", type=whole_number(0, MOST_SEED), default=0, help="of the first member, and of the split (%(default)s)"
    )
    group.add_argument(
        "--patience",
        type=whole_number(1),
        metavar="N",
        help="stop after N epochs without a better validation loss (never)",
    )


def add_training(group, *, imbalance: str | None = "none", imbalance_of: str = "(none)") -> None:
    """How one model is trained, for every command that trains; default of the imbalance, and what its help says."""
    group.add_argument("--epochs", type=whole_number(1, MOST_EPOCHS), default=150, help="(%(default)s)")
    group.add_argument("--batch-size", type=whole_number(2, 65536), default=64, help="(%(default)s)")
    group.add_argument("--learning-rate", type=positive, default=5e-4, help="(%(default)s)")
    group.add_argument("--weight-decay", type=number, default=1e-4, help="(%(default)s)")
    group.add_argument(
        "--loss-weights", type=_loss_weights, default="0.6,0.2,0.2,1", metavar="A,B,C,D",
        help="of image cross-entropy, SSIM, activity outside the GTV, and classifier (%(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--reconstruct", choices=("crop", "gtv"), default="crop",
        help="what the autoencoder learns to give: the whole crop, or the GTV on black (%(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--initial-weights", choices=("glorot", "torch"), default="glorot",
        help="as Keras or as PyTorch starts (%(default)s)",
    )  # fmt: skip
    group.add_argument("--rotations", type=_degrees, default="10,15,30,45,90", help="of the copies (%(default)s)")
    group.add_argument("--mode", choices=("joint", "sequential"), default="joint", help="(%(default)s)")
    known = ("none", "weighted", "balanced")
    group.add_argument("--imbalance", choices=known, default=imbalance, help=imbalance_of)
    group.add_argument(
        "--settle-norm", action="store_true", help="take batch norm's statistics anew at the end, as the shipped model"
    )
    group.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="(%(default)s)")


def _add_running(group) -> None:
    group.add_argument("--jobs", type=whole_number(1), default=1, metavar="N", help="members trained side by side (1)")
    group.add_argument("--resume", action="store_true", help="continue a run that was stopped")
    group.add_argument("--keep-run", action="store_true", help="keep OUT.training with every member's curves")
    group.add_argument(
        "--pictures-every",
        type=whole_number(0),
        default=0,
        metavar="N",
        help="reconstructions every N epochs; keeps the run",
    )
    group.add_argument("--overwrite", action="store_true", help="replace a bundle at OUT when all is done")
    group.add_argument("--quiet", action="store_true", help="no progress bar, no summary; warnings and errors only")


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", text):
        raise argparse.ArgumentTypeError(f"{text!r} may have only small letters, digits, '.', '_' and '-'")
    return text


def _spacing(text: str) -> float | None:
    if text == "native":
        return None
    value = number(text)
    if not 0.05 <= value <= 20:
        raise argparse.ArgumentTypeError(f"{text} is neither 'native' nor between 0.05 and 20 mm")
    return value


def _degrees(text: str) -> tuple[float, ...]:
    from ...systems.autoencoder.training_settings import rotation_problem

    angles = _numbers(text)
    problem = rotation_problem(angles)
    if problem:
        raise argparse.ArgumentTypeError(problem)
    return angles


def _percentiles(text: str) -> tuple[float, float]:
    from ...core.errors import BundleError
    from ...systems.autoencoder.preprocessing import Preprocessing

    low, high = _as_many(text, 2, "1,99")
    try:
        return Preprocessing(percentiles=(low, high)).percentiles
    except BundleError:
        raise argparse.ArgumentTypeError(f"{text} does not rise between 0 and 100") from None


def _loss_weights(text: str) -> tuple[float, ...]:
    from ...core.errors import InputError
    from ...systems.autoencoder.training_settings import LossWeights

    weights = _as_many(text, 4, "0.6,0.2,0.2,1")
    try:
        LossWeights(*weights)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return weights


def _as_many(text: str, count: int, example: str) -> tuple[float, ...]:
    found = _numbers(text)
    if len(found) != count:
        raise argparse.ArgumentTypeError(f"{text!r} is not {count} numbers, such as {example}")
    return found


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(number(part) for part in text.split(",") if part.strip())
