"""Options of ``pulsarcam study`` and ``pulsarcam evaluate``; what only ``--help`` needs imports nothing heavy."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ...core.vocabulary import CAM, DELTA, FEATURE_MODELS, why_unknown
from ..numbers import MOST_SEED, positive, share, whole_number
from ..train.options import add_model, add_training

PROTOCOLS = ("paper", "lesions", "patients", "leave-one-patient-out")
NONE = "none"

EXAMPLES = """\
examples:
  pulsarcam study cohort.csv -o run --jobs 2
  pulsarcam study cohort.csv -o run --protocols patients --models cam,radiomics,gradients+clinical --jobs 2
  pulsarcam study cohort.csv -o run --protocols patients --tune filters=8,16 --threshold inner
  pulsarcam evaluate run

protocols:
  paper                  train on the first MRI of all lesions, test on the second MRI of the same lesions
  lesions                50 times 80/20 by lesion: lesions of one patient may be on both sides
  patients               50 times 80/20 by patient: no patient is on both sides
  leave-one-patient-out  every patient is left out once
Each stands beside a control: the same with permuted labels, where nothing can be learnt that is true of new lesions.

RUN holds all trials; the report is in RUN/report. After Ctrl-C, a kill or a power cut the same command goes on and ends
with the same figures; more trials, protocols or models are added to what is there.

"""


def add_study(commands, command: Callable[..., argparse.ArgumentParser], epilog: str) -> None:
    """Add both parsers; arguments as :func:`~..train.options.add_train`."""
    text = "judge models on a cohort table under the paper's and honest protocols"
    parser = command(commands, "study", text, EXAMPLES + epilog)
    parser.add_argument("cohort", metavar="COHORT", help="table of lesions: CSV or XLSX")
    parser.add_argument("-o", "--output", metavar="RUN", required=True, help="folder of the study, new or begun")
    protocols = parser.add_argument_group("protocols")
    add_protocols(protocols, ",".join(PROTOCOLS[:3]), trials=50, controls=10)
    add_choices(protocols)
    study = parser.add_argument_group("models that take part")
    study.add_argument(
        "--models", type=_models, default=CAM, metavar="A,B",
        help=f"of {CAM} and, on features, {', '.join(FEATURE_MODELS)} (dosiomics: dose and clinical; combined: all); "
        f"these may be joined, as in radiomics+dose, and +{DELTA} gives the change to the second MRI (%(default)s)",
    )  # fmt: skip
    study.add_argument(
        "--feature-settings", metavar="FILE", help="JSON settings of the features, as pulsarcam features writes them, "
        "and in the section “model” of the models on them",
    )  # fmt: skip
    study.add_argument(
        "--gi-limit", type=positive, metavar="GI", help="leave lesions out whose dose gradient index is above, before "
        "the splits and for all models (none)",
    )  # fmt: skip
    add_model(parser.add_argument_group("network and preprocessing"))
    add_training(
        parser.add_argument_group("training (defaults: the paper's)"), imbalance=None,
        imbalance_of="for the network and, if given, for models on features (none; weighted for these)",
    )  # fmt: skip
    running = parser.add_argument_group("running")
    running.add_argument("--jobs", type=whole_number(1), default=1, metavar="N", help="trainings side by side (1)")
    running.add_argument(
        "--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers train, such as tcp://host:8786; RUN must "
        "be the same path for all of them",
    )  # fmt: skip
    running.add_argument("--no-report", dest="report", action="store_false", help="train only")
    running.add_argument("--quiet", action="store_true", help="no progress bar, no summary; warnings and errors only")
    parser.set_defaults(patience=None, pictures_every=0)
    again = command(commands, "evaluate", "write the report of a study again, without training", epilog)
    again.add_argument("run", metavar="RUN", help="folder of pulsarcam study")
    again.add_argument("-o", "--output", metavar="REPORT", help="folder of the report (RUN/report)")
    again.add_argument("--json", action="store_true", help="print all figures as JSON")
    again.add_argument("--quiet", action="store_true", help="no progress bar, no summary; warnings and errors only")


def add_protocols(group, protocols: str, *, trials: int, controls: int, may_skip: bool = False) -> None:
    """How models are judged, for every command that judges; "none" where that may be left out."""
    group.add_argument(
        "--protocols", type=_names_of(PROTOCOLS, may_skip=may_skip), default=protocols, metavar="A,B",
        help=f"of {', '.join(PROTOCOLS)}{'; or none' if may_skip else ''} (%(default)s)",
    )  # fmt: skip
    group.add_argument("--trials", type=whole_number(1), default=trials, metavar="N", help="(%(default)s)")
    group.add_argument(
        "--paper-trials", type=whole_number(1), default=5, metavar="N", help="of the paper's protocol (%(default)s)"
    )
    group.add_argument(
        "--controls", type=whole_number(0), default=controls, metavar="N",
        help="trainings on permuted labels for each protocol (%(default)s)",
    )  # fmt: skip
    group.add_argument("--folds", type=whole_number(2), default=5, metavar="N", help="5 tests 20 %% (%(default)s)")
    group.add_argument(
        "--study-seed", type=whole_number(0, MOST_SEED), default=0, metavar="SEED", help="of splits (%(default)s)"
    )
    group.add_argument(
        "--shrinkage", type=share, default=0.2, metavar="SHARE",
        help="share of its volume that a responding lesion has lost at follow-up, more than (%(default)s)",
    )  # fmt: skip


def add_choices(group) -> None:
    """What every trial chooses anew, for commands that only judge."""
    group.add_argument(
        "--threshold", choices=("fixed", "inner"), default="fixed",
        help="of the decision: 0.5, or the best on inner splits of the training patients (%(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--inner-folds", type=whole_number(2), default=3, metavar="N", help="of inner splits by patient (%(default)s)"
    )
    group.add_argument(
        "--tune", action="append", type=_tuned, default=[], metavar="NAME=A,B",
        help="choose a setting of the network anew in every trial, on inner splits by patient; may be repeated",
    )  # fmt: skip


def _models(text: str) -> tuple[str, ...]:
    found = _parts(text)
    wrong = next(filter(None, map(why_unknown, found or ("",))), "")
    if wrong:
        raise argparse.ArgumentTypeError(wrong)
    return found


def _parts(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _names_of(known: tuple[str, ...], *, may_skip: bool = False) -> Callable[[str], tuple[str, ...]]:
    def names(text: str) -> tuple[str, ...]:
        if may_skip and text.strip() == NONE:
            return ()
        found = _parts(text)
        if not found or any(name not in known for name in found):
            raise argparse.ArgumentTypeError(f"{text!r} is not a list of {', '.join(known)}")
        return found

    names.__name__ = "list"
    return names


def _tuned(text: str) -> tuple[str, tuple[float, ...]]:
    name, _, values = text.partition("=")
    try:
        return name.strip().replace("-", "_"), tuple(float(value) for value in values.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not like filters=8,16") from None
