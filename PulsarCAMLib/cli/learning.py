"""What the commands that train share: whose network, its options and settings, and the table that is checked first."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from ..systems.contract import System
from ..systems.registry import DEFAULT, system_of
from .console import table as as_table
from .setting_options import add_settings, settings_from
from .train.stages import CHECKING, LABELLING

if TYPE_CHECKING:
    from .train.run_folder import Stages

NEEDS = ("torch>=2.2,<3", "safetensors>=0.4", "scikit-learn>=1.4", "joblib>=1.3")


def add_system(parser, what: str) -> None:
    """Which system is meant; what is the help's first words."""
    parser.add_argument("--system", default=DEFAULT, metavar="NAME", help=f"{what} (%(default)s)")


def defaults_of_training() -> dict[str, object]:
    """Options of network, patches and training, and what they are where nobody says anything."""
    parser = argparse.ArgumentParser(add_help=False)
    add_model(parser)
    add_settings(parser, system_of().settings)
    return vars(parser.parse_args([]))


def add_model(group) -> None:
    """Network and patches, for every command that trains."""
    add_settings(group, system_of().architecture)
    add_settings(group, system_of().preprocessing)


def system_of_options(options: argparse.Namespace) -> System:
    """The system that the options name; the one that comes first where a command has no such option.

    Raises:
        BundleError: none is known by that name.
    """
    return system_of(getattr(options, "system", DEFAULT))


def settings_of(options: argparse.Namespace, **given: Any) -> Any:
    """The training settings that the options mean; ``given`` values go before them.

    Raises:
        InputError: a value is not usable, or an option is not one of this system's.
    """
    system = system_of_options(options)
    if system.name != DEFAULT:
        return _settings_of_another(system, options, **given)
    return settings_from(system.settings, options, **given)


def _settings_of_another(system: System, options: argparse.Namespace, **given: Any) -> Any:
    """From the options that every system takes; those of the first system's network must not be given."""
    from dataclasses import fields

    from ..core.errors import InputError

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
    from ..cohort.checks import check_cohort
    from ..cohort.findings import HEADINGS, errors_in
    from ..cohort.labels import label_cohort
    from ..cohort.table import read_cohort
    from ..core.errors import InputError

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
