"""What the commands that train share: whose network, its options and settings, and the table that is checked first."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from ..core.settings import Settings, hints_of, option_of
from ..core.task import SHRINKAGE
from ..systems.contract import System
from ..systems.registry import DEFAULT, system_of, systems
from .console import table as as_table
from .options.places import files_of, refuse_own_inputs
from .options.setting_options import add_settings, settings_from
from .train.stages import CHECKING, LABELLING

if TYPE_CHECKING:
    from ..cohort.labels.lesion_label import LesionLabel
    from ..cohort.tables.table import CohortTable
    from .train.run_folder import Stages

OF_MODEL = ("architecture", "preprocessing")
"""Fields of a training's settings that are the system's own kinds."""

COHORT = "table of lesions, patients or visits: CSV or XLSX (its columns: pulsarcam cohort columns)"

Refuse = Callable[["CohortTable", Sequence["LesionLabel"]], Any]
"""Raises where a table with these labels cannot be learnt from."""

NEEDS = ("torch>=2.2,<3", "safetensors>=0.4", "scikit-learn>=1.4", "joblib>=1.4")


def add_system(parser, what: str, labels_of: System | None = None) -> None:
    """Which system is meant, and where its labels come from where they are asked for.

    Args:
        parser: of a command.
        what: the help's first words.
        labels_of: whose labels the command computes; options of other systems' labels are hidden, and refused in a
            sentence when they are given. None: it computes none.
    """
    names = ", ".join(system.name for system in systems())
    parser.add_argument("--system", default=DEFAULT, metavar="NAME", help=f"{what}: {names} (%(default)s)")
    rules = [name for system in systems() for name in system.task.label.rules]
    if labels_of is None or not rules:
        return
    own = list(labels_of.task.label.rules)
    text = f"rule by which labels that the table does not give are computed: {', '.join(own)} ({next(iter(own), '')})"
    offered: dict[str, Any] = {"choices": own, "help": text} if own else not_asked("--label-rule", labels_of)
    parser.add_argument("--label-rule", metavar="RULE", **offered)


def not_asked(flag: str, system: System) -> dict[str, Any]:
    """Arguments of ``add_argument`` of an option that means nothing for a system: hidden, refused when it is given."""

    def refused(text: str):
        from ..core.errors import InputError

        raise InputError(f"The system {system.name} has no {flag}; leave it out.")

    return {"help": argparse.SUPPRESS, "type": refused}


def shrinkage_of(system: System) -> dict[str, Any]:
    """Changes of the option ``--shrinkage`` where the system's labels do not come from it."""
    return {} if system.task.label.kind == SHRINKAGE else not_asked("--shrinkage", system)


def system_named(arguments: Sequence[str]) -> str:
    """The system that a command line names, so that the parser has its options; the first one where it names none.

    A name that is not known is left to the command, which refuses it in a sentence.
    """
    named = DEFAULT
    for n, each in enumerate(arguments):
        if each == "--system" and n + 1 < len(arguments):
            named = arguments[n + 1]
        elif each.startswith("--system="):
            named = each.partition("=")[2]
    return named if named in {system.name for system in systems()} else DEFAULT


def add_model(group, system: System) -> None:
    """Network and preprocessing of a system, for every command that trains."""
    for kind in (system.architecture, system.preprocessing):
        if _is_settings(kind):
            add_settings(group, kind)


def add_training(group, system: System, **changes: dict[str, Any]) -> None:
    """How a system's network is trained, and what its settings hold of further settings."""
    known = {each.name for each in fields(system.settings)}
    flagged = {each.name for each in fields(system.settings) if option_of(each).flag}
    add_settings(group, system.settings, **{name: own for name, own in changes.items() if name in known})
    for each, kind in hints_of(system.settings).items():
        if each not in OF_MODEL and each not in flagged and _is_settings(kind):
            add_settings(group, kind)


def add_foreign(parser: argparse.ArgumentParser, system: System, sections: Sequence[str] = ("",)) -> None:
    """Hidden options of the first system's that another one lacks, so that they are refused in a sentence.

    Args:
        parser: with all its other options.
        system: whose options it has.
        sections: of the first system's training that the command offers.
    """
    if system.name == DEFAULT:
        return
    group = argparse.ArgumentParser(add_help=False)
    add_model(group, system_of())
    for section in sections:
        add_settings(group, system_of().settings, section)
    known, foreign = {flag for action in parser._actions for flag in action.option_strings}, []
    for action in group._actions:
        if known.isdisjoint(action.option_strings):
            plain: dict[str, Any] = {"action": "store_true"} if action.nargs == 0 else {}
            parser.add_argument(*action.option_strings, default=argparse.SUPPRESS, help=argparse.SUPPRESS, **plain)
            foreign.append(action.dest)
    parser.set_defaults(foreign=tuple(foreign))


def _is_settings(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Settings)


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
    from ..core.errors import InputError

    system = system_of_options(options)
    foreign = [name for name in getattr(options, "foreign", ()) if hasattr(options, name)]
    if foreign:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in foreign)
        raise InputError(f"The system {system.name} has no {names}; leave it out.")
    parts = {name: settings_from(kind, options) for name in OF_MODEL if _is_settings(kind := getattr(system, name))}
    whole = system.training_settings(**parts, **given)  # what is not said is as the system has it
    own = {each.name: getattr(whole, each.name) for each in fields(whole) if each.name in (*OF_MODEL, *given)}
    return settings_from(system.settings, options, **own)


def checked_cohort(options, stages: Stages, preprocessing: Any = None, refuse: Refuse | None = None):
    """The table and its labels; all findings are shown first.

    Args:
        options: of the command line.
        stages: tells how far it is.
        preprocessing: of the models that learn.
        refuse: raises where table and labels cannot be learnt from; asked before any image is read, if the table alone
            tells the labels and has no errors of its own. The command asks it again when all is read.

    Raises:
        InputError: the table has errors, or is refused.
    """
    from ..cohort.checks import check_cohort
    from ..cohort.findings import HEADINGS, as_lines, errors_in
    from ..cohort.labels.cohort_labels import label_cohort
    from ..cohort.tables.table import read_cohort
    from ..core.errors import InputError

    system, rule = system_of_options(options), getattr(options, "label_rule", None)
    cohort = read_cohort(options.cohort, system)
    refuse_own_inputs(options, files_of(cohort.rows))
    with stages.stage(CHECKING) as tell:
        if refuse:
            _refuse_unread(cohort, options, refuse)
        own = {"preprocessing": preprocessing, "progress": tell}
        findings = check_cohort(cohort, threshold=options.shrinkage, system=system, rule=rule, **own)
    errors = errors_in(findings)
    if findings:
        stages.clear()
        lines = as_lines(findings)
        print(as_table(lines, HEADINGS), file=sys.stderr)
        if len(lines) < len(findings):
            every = f"pulsarcam cohort check {options.cohort} -o FINDINGS"
            print(f"{len(findings)} findings in {len(lines)} lines; {every} writes every one.", file=sys.stderr)
    if errors:
        raise InputError(
            f"The cohort has {len(errors)} error{'s' * (len(errors) > 1)}, listed above; nothing was trained."
        )
    with stages.stage(LABELLING) as tell:
        return cohort, label_cohort(cohort, options.shrinkage, progress=tell, system=system, rule=rule)


def _refuse_unread(cohort: CohortTable, options, refuse: Refuse) -> None:
    """Refuse what the table alone shows, before minutes of reading; its errors are told with those of the images."""
    from ..cohort.checks import check_cohort
    from ..cohort.findings import errors_in
    from ..cohort.labels.cohort_labels import labels_without_files

    system, rule = system_of_options(options), getattr(options, "label_rule", None)
    if errors_in(check_cohort(cohort, False, options.shrinkage, system=system, rule=rule)):
        return
    labels = labels_without_files(cohort, options.shrinkage, system, rule)
    if labels is not None:
        refuse(cohort, labels)
