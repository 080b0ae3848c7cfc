"""``pulsarcam study`` and ``pulsarcam evaluate``: how well models do on lesions they have not seen."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from ...core.pluralize import pluralize
from ...core.vocabulary import CAM
from ...io.plain_files import read_json
from ..console import TimedBar, note, warn
from ..learning import NEEDS, checked_cohort, settings_of, system_of_options
from ..options.setting_options import settings_from

REPORT = "report"
ALL = "all"


def run(options) -> None:
    """``pulsarcam study``."""
    from ...core.requirements import require

    require(NEEDS, extra="train")
    from ...study.folder import check_folder
    from ...study.prepare import check_study
    from ...study.run import run_study

    settings = study_settings_of(options)
    tell_of_input_controls(settings, options.quiet)
    folder = Path(os.path.abspath(options.output))  # noqa: PTH100 - a link stays where the user put it
    check_folder(folder)
    with TimedBar(options.quiet) as bar, resumable(folder):
        learnt_by = settings.training.preprocessing
        cohort, labels = checked_cohort(options, bar, learnt_by, lambda *known: check_study(*known, settings))
        study = run_study(
            cohort,
            labels,
            settings,
            folder,
            at_once=options.jobs,
            scheduler=options.scheduler,
            progress=bar.stage,
            on_warning=warn,
        )
        if options.report:
            _report(study, folder / REPORT, bar, options.quiet, overwrite=True)


def evaluate(options) -> None:
    """``pulsarcam evaluate``."""
    from ...core.requirements import require

    require(NEEDS, extra="train")
    from ...io.result_folder import ResultFolder
    from ...study.run import open_study

    study = open_study(options.run)
    output = Path(options.output) if options.output else study.folder / REPORT
    overwrite = options.overwrite or not options.output  # the study's own report is what shall be made anew
    ResultFolder(output, overwrite).check()
    with TimedBar(options.quiet) as bar:
        own = {"members": _members_beside(study.folder), "overwrite": overwrite}
        _report(study, output, bar, options.quiet or options.json, **own)
    if options.json:
        print((output / "results.json").read_text(encoding="utf-8"), end="")


def _members_beside(folder: Path) -> list:
    """Members of the bundle, where the study is part of a training that was kept."""
    from ...training.trial import finished_trial
    from ..train.run_folder import is_run

    if not is_run(folder.parent):
        return []
    return [member for at in sorted(folder.parent.glob("member-*")) if (member := finished_trial(at))]


def _report(study, output: Path, bar: TimedBar, quiet: bool, *, members=(), overwrite: bool) -> None:
    from ...outputs.study import write_study_report

    if study.missing:
        warn(f"{study.missing} trainings are not finished; the report is of the others.")
    with bar.stage("writing the report") as stage:
        own = {"overwrite": overwrite, "progress": stage, "members": members, "on_warning": warn}
        page = write_study_report(study, output, **own)
    if not quiet:
        results = read_json(output / "results.json")
        print("\n".join(results["summary"]["text"]))
        print(f"Report: {page}")


def study_settings_of(options):
    """The settings of a study that the options mean.

    Raises:
        InputError: they do not go together, or the file of feature settings cannot be used.
    """
    from ...core.settings import default_of
    from ...study.settings import StudySettings, input_controls_named, network_name

    system = system_of_options(options)
    # of the training's seed nothing is asked: every trial has its own
    training = Namespace(**{"patience": None, "seed": 0} | vars(options))
    usual = {each.name: default_of(each) for each in fields(system.settings)}
    training.imbalance = options.imbalance or usual.get("imbalance")
    own = {
        "training": settings_of(training, seed=0),
        "features": _feature_settings(options),
        "tune": dict(options.tune),
    }
    own |= {"system": system.name, "protocols": _protocols(options.protocols, system)}
    own["models"] = _with_subsets(options, system, own["training"])
    there = network_name(system.name) in own["models"]
    own["input_controls"] = input_controls_named(tuple(options.input_controls), system, there)
    return settings_from(StudySettings, options, **own)


def tell_of_input_controls(settings, quiet: bool) -> None:
    """What networks that see less cost, before anything is trained."""
    from ...systems.registry import system_of

    known = system_of(settings.system)
    networks = [name for name in settings.input_controls if not known.input_control(name).column]
    if networks and not quiet:
        trials = sum(settings.trials_of(name) for name in settings.control_protocols)
        note(
            f"{pluralize(len(networks), 'control')} of the inputs ({', '.join(networks)}) are trained as often as the "
            f"network by patient: {len(networks)} times {pluralize(trials, 'training')} more."
        )


def _with_subsets(options, system, training) -> tuple[str, ...]:
    """The models that are wanted and, behind the network, those of subsets of its inputs: asked for, or always beside.

    Raises:
        InputError: a subset is not known.
    """
    from ...study.settings import network_name, subset_model
    from ...systems.subsets import input_subset

    network, shown = network_name(system.name), training.preprocessing
    models = tuple(dict.fromkeys(network if name == CAM else name for name in options.models))
    wanted = list(getattr(options, "ablate", ()))
    if wanted == [ALL]:
        wanted = list(system.usual_subsets(shown)) or [ALL]
    elif network in models and not any("[" in name for name in models):
        words = system.subset_words(shown)
        wanted += [name for name in system.beside if len(words) > 1 and set(name.split("+")) <= set(words)]
    subsets = [subset_model(network, input_subset(system, shown, name).name) for name in wanted]
    if subsets and network not in models:
        models = (network, *models)
    at = models.index(network) + 1 if network in models else 0
    return tuple(dict.fromkeys((*models[:at], *subsets, *models[at:])))


def _protocols(wanted: tuple[str, ...], system) -> tuple[str, ...]:
    """As wanted; where nothing was said, those of the usual ones that fit the system."""
    from ...study.settings import usual_protocols
    from ...systems.registry import system_of

    usual = usual_protocols(system_of())
    return usual_protocols(system) if tuple(wanted) == usual else tuple(wanted)


def _feature_settings(options) -> dict:
    from ...core.errors import InputError
    from ...study.settings import baselines_of

    known = (CAM, getattr(options, "system", CAM), *baselines_of(system_of_options(options)))
    names = [name for name in options.models if name not in known and "[" not in name]
    if not names:
        if options.feature_settings:
            raise InputError(
                "No model of this study learns from features, so --feature-settings has nothing to set; leave it out, "
                "or add a model such as gradients to --models."
            )
        return {}
    from ...study.models.features import feature_options

    return feature_options(names, settings_file=options.feature_settings, imbalance=options.imbalance)


@contextmanager
def resumable(folder: Path) -> Iterator[None]:
    """Say what an interruption leaves."""
    from ...core.errors import Cancelled

    try:
        yield
    except KeyboardInterrupt:
        raise Cancelled(
            f"interrupted; what is trained so far is kept in {folder}: the same command goes on from there."
        ) from None
