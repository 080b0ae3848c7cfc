"""``pulsarcam train``: a cohort table in, a documented model bundle out."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from ...systems.autoencoder.training_settings import TrainingSettings
from ...systems.contract import System
from ..console import table as as_table
from ..setting_options import settings_from
from .run_folder import REPORT_SUFFIX, SUFFIX, RunFolder, Stages, check_places
from .stages import CHECKING, LABELLING, stages_of

NEEDS = ("torch>=2.2,<3", "safetensors>=0.4", "scikit-learn>=1.4", "joblib>=1.3")

FOR_REPORTS = ("matplotlib>=3.8",)


def run(options) -> None:
    """The command."""
    from ...core.requirements import require

    require((*NEEDS, *FOR_REPORTS) if options.protocols else NEEDS, extra="train")
    from .run import TrainRun

    output = Path(os.path.abspath(options.output))  # noqa: PTH100 - a link stays where the user put it
    run_folder = output.with_name(output.name + SUFFIX)
    system = system_of_options(options)
    settings = settings_of(options)
    report = output.with_name(output.name + REPORT_SUFFIX) if options.protocols else None
    check_places(output, run_folder, report, overwrite=options.overwrite, resume=options.resume)
    with RunFolder(run_folder) as kept, Stages(run_folder, stages_of(options), options.quiet) as stages:
        cohort = checked_cohort(options, stages)
        TrainRun(options, system, settings, options.name or _name_of(output), output, report, kept, stages).run(*cohort)


def system_of_options(options):
    """The system that the options name; the one that comes first where a command has no such option.

    Raises:
        BundleError: none is known by that name.
    """
    from ...systems.registry import DEFAULT, system_of

    return system_of(getattr(options, "system", DEFAULT))


def settings_of(options: argparse.Namespace, **given: Any) -> Any:
    """The training settings that the options mean; ``given`` values go before them.

    Raises:
        InputError: a value is not usable, or an option is not one of this system's.
    """
    from ...systems.registry import DEFAULT

    system = system_of_options(options)
    if system.name != DEFAULT:
        return _settings_of_another(system, options, **given)
    return settings_from(TrainingSettings, options, **given)


def _settings_of_another(system: System, options: argparse.Namespace, **given: Any) -> Any:
    """From the options that every system takes; those of the first system's network must not be given."""
    from dataclasses import fields

    from ...core.errors import InputError
    from .options import defaults_of_training

    known = {each.name for each in fields(system.settings)}
    standard = defaults_of_training()
    foreign = [name for name, value in standard.items() if name not in known and getattr(options, name) != value]
    foreign += ["sanity"] if getattr(options, "sanity", False) else []  # maps of slices are checked, not of volumes
    if foreign:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in foreign)
        raise InputError(f"The system {system.name} has no {names}; leave it out.")
    return system.training_settings(
        **{"patience": options.patience, "seed": options.seed}
        | {name: getattr(options, name) for name in standard if name in known}
        | given
    )


def checked_cohort(options, stages: Stages):
    """The table and its labels; all findings are shown first.

    Raises:
        InputError: the table has errors.
    """
    from ...cohort.checks import check_cohort
    from ...cohort.findings import HEADINGS, errors_in
    from ...cohort.labels import label_cohort
    from ...cohort.table import read_cohort
    from ...core.errors import InputError

    system = system_of_options(options)
    cohort = read_cohort(options.cohort, system)
    with stages.stage(CHECKING) as tell:
        findings = check_cohort(cohort, threshold=options.shrinkage, system=system, progress=tell)
    errors = errors_in(findings)
    if findings:
        stages.clear()
        print(as_table([finding.as_row() for finding in findings], HEADINGS), file=sys.stderr)
    if errors:
        raise InputError(
            f"The cohort has {len(errors)} error{'s' * (len(errors) > 1)}, listed above; nothing was trained."
        )
    with stages.stage(LABELLING) as tell:
        return cohort, label_cohort(cohort, options.shrinkage, progress=tell, system=system)


def _name_of(output: Path) -> str:
    from ...io.names import file_name_of

    return file_name_of(output.name, "model").lower().lstrip("._-") or "model"
