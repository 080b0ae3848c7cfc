"""Options of ``pulsarcam study`` and ``pulsarcam evaluate``; what only ``--help`` needs imports nothing heavy."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ...core.vocabulary import BASELINES, CAM, DELTA, FEATURE_MODELS, PROTOCOLS, why_unknown
from ...study.settings import CHEAP, NONE, StudySettings
from ...systems.contract import System
from ..learning import add_foreign, add_model, add_system, add_training, shrinkage_of
from ..options.numbers import whole_number
from ..options.places import InputPath, add_output, add_overwrite
from ..options.setting_options import add_settings, names_of

EXAMPLES = """\
examples:
  pulsarcam study cohort.csv -o run --jobs 2
  pulsarcam study cohort.csv -o run --protocols patients --models cam,radiomics,gradients+clinical --jobs 2
  pulsarcam study cohort.csv -o run --protocols patients --tune filters=8,16 --threshold inner
  pulsarcam study patients.csv -o run --system rice-net --ablate all --jobs 2
  pulsarcam evaluate run

protocols:
  paper                  train on the first MRI of all lesions, test on the second MRI of the same lesions
  lesions                50 times 80/20 by lesion: lesions of one patient may be on both sides
  patients               50 times 80/20 by patient: no patient is on both sides
  leave-one-patient-out  every patient is left out once
  best-epoch             as lesions, and the network's epoch is chosen on what is tested, as the RANO paper did
Each stands beside a control: the same with permuted labels, where nothing can be learnt that is true of new lesions.

RUN holds all trials; the report is in RUN/report. After Ctrl-C, a kill or a power cut the same command goes on and ends
with the same figures; more trials, protocols or models are added to what is there.

"""


def add_study(commands, command: Callable[..., argparse.ArgumentParser], epilog: str, system: System) -> None:
    """Add both parsers; arguments as :func:`~..train.options.add_train`."""
    text = "judge models on a cohort table under the paper's and honest protocols"
    parser = command(commands, "study", text, EXAMPLES + epilog)
    parser.add_argument(
        "cohort",
        type=InputPath,
        metavar="COHORT",
        help="table of lesions, patients or visits: CSV or XLSX (its columns: pulsarcam cohort columns)",
    )
    add_output(parser, "RUN", "folder of the study, new or begun", required=True)
    add_system(parser, "whose network is judged, and whose question", system)
    protocols = parser.add_argument_group("protocols")
    add_protocols(protocols, system)
    add_choices(protocols)
    study = parser.add_argument_group("models that take part")
    features = f"{', '.join(FEATURE_MODELS)} (dosiomics: dose and clinical; combined: all but octants); "
    known = f"of {CAM}, {', '.join(BASELINES)} and, on features, {features}"
    joined = f"these may be joined, as in radiomics+dose, and +{DELTA} gives the change to the second MRI; "
    joined += "for systems that answer for patients or have more classes, only clinical of these"
    add_settings(study, StudySettings, "models", models={"type": _models, "help": known + joined},
                 shortcuts={"default": ()})  # fmt: skip
    study.add_argument(
        "--ablate", type=names_of(()), default=(), metavar="A,B", help="also judge the network of some inputs only: "
        "all, the system's usual subsets, or subsets such as rtdose,postop+rtdose; further calls may add more",
    )  # fmt: skip
    study.add_argument(
        "--feature-settings", type=InputPath, metavar="FILE", help="JSON settings of the features, as pulsarcam "
        "features writes them, and in the section “model” of the models on them",
    )  # fmt: skip
    add_settings(study, StudySettings, "limit")
    add_model(parser.add_argument_group("network and preprocessing"), system)
    imbalance = "for the network and, if given, for models on features (none; weighted for these)"
    training = parser.add_argument_group("training (defaults: the paper's)")
    add_training(training, system, imbalance={"default": None, "help": imbalance})
    add_foreign(parser, system)
    running = parser.add_argument_group("running")
    running.add_argument("--jobs", type=whole_number(1), default=1, metavar="N", help="trainings side by side (1)")
    running.add_argument(
        "--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers train, such as tcp://host:8786; RUN must "
        "be the same path for all of them",
    )  # fmt: skip
    running.add_argument("--no-report", dest="report", action="store_false", help="train only")
    running.add_argument("--quiet", action="store_true", help="no progress bar, no summary; warnings and errors only")
    again = command(commands, "evaluate", "write the report of a study again, without training", epilog)
    again.add_argument("run", type=InputPath, metavar="RUN", help="folder of pulsarcam study")
    add_output(again, "REPORT", "folder of the report (RUN/report, whose report is made anew)")
    add_overwrite(again, "an earlier report at REPORT")
    again.add_argument("--json", action="store_true", help="print all figures as JSON")
    again.add_argument("--quiet", action="store_true", help="no progress bar, no summary; warnings and errors only")


def add_protocols(
    group, system: System, protocols: tuple[str, ...] = (), *, may_skip: bool = False, **usual: int
) -> None:
    """How a system's models are judged, for every command that judges; "none" where that may be left out."""
    changes: dict[str, dict] = {name: {"default": value} for name, value in usual.items()}
    changes["shrinkage"] = shrinkage_of(system)
    changes["input_controls"] = {"default": CHEAP, "type": names_of(())}
    if protocols:
        changes["protocols"] = {"default": ",".join(protocols)}
    if may_skip:
        text = f"of {', '.join(PROTOCOLS)}; or {NONE}"
        changes["protocols"] |= {"type": names_of(tuple(PROTOCOLS), NONE), "help": text}
    add_settings(group, StudySettings, "protocols", **changes)


def add_choices(group) -> None:
    """What every trial chooses anew, for commands that only judge."""
    add_settings(group, StudySettings, "choices")
    group.add_argument(
        "--tune", action="append", type=_tuned, default=[], metavar="NAME=A,B",
        help="choose a setting of the network anew in every trial, on inner splits by patient; may be repeated",
    )  # fmt: skip


def _models(text: str) -> tuple[str, ...]:
    found = names_of(())(text) if text.strip(" ,") else ()
    from ...systems.registry import systems

    others = {system.name for system in systems()}
    plain = [name.partition("[")[0] if name.endswith("]") else name for name in found or ("",)]
    wrong = next(filter(None, (why_unknown(name) for name in plain if name not in others)), "")
    if wrong:
        raise argparse.ArgumentTypeError(wrong)
    return found


def _tuned(text: str) -> tuple[str, tuple[float, ...]]:
    name, _, values = text.partition("=")
    try:
        return name.strip().replace("-", "_"), tuple(float(value) for value in values.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not like filters=8,16") from None
