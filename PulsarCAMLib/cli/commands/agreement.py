"""``pulsarcam agreement``: over a cohort, what the heat maps go with."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from ...agreement.settings import ComparisonSettings
from ...core.vocabulary import BASELINE, TIME_POINTS
from ...systems.registry import systems
from ..options.numbers import MOST_CORES, whole_number
from ..options.places import InputPath, add_model_option, add_output, add_overwrite, files_of, refuse_own_inputs
from ..options.setting_options import add_settings, settings_from

SHARES = ("activated_share", "margin_share", "margin_concentration")
"""What of a heat map features may be set beside; so may the probability of the task's positive class."""

VOLUME = "volume_cm3"
"""Taken out of features and outcome: most features and many maps follow the size of the lesion."""

SHOWN = 10

EXAMPLES = """\
examples:
  pulsarcam features cohort.csv -o features.csv
  pulsarcam agreement cohort.csv -o agreement --model my-model --features features.csv
  pulsarcam agreement cohort.csv -o agreement --method gradcam --outcome margin_concentration --features features.csv

what is written into the folder (lesions by their row in the table, patients by numbers):
  report.html                all of it on one page, with pictures
  summary.csv                what holds over the patients: partial correlation of the heat map with gradient magnitude,
                             radial gradient, intensity, local entropy and distance to the border
  depths.csv                 where the maps lie over the patients: core, margin, shell by shell
  agreement.csv, shells.csv  both lesion by lesion
  lesions.csv                volume, prediction, activated share and share of the margin of each lesion
  features.csv               which features go with the outcome (--features), also beyond the lesion's volume: the
                             strongest evidence of that first
  result.json                model, options and versions

"""


def add_agreement(commands, command: Callable[..., argparse.ArgumentParser], epilog: str) -> None:
    """Add the parser; arguments as :func:`~.cohort.add_cohort`, and the type of lengths."""
    parser = command(commands, "agreement", "tell what the heat maps go with over a cohort", EXAMPLES + epilog)
    parser.add_argument("cohort", type=InputPath, metavar="COHORT", help="table of lesions: CSV or XLSX")
    add_output(parser, "OUT", "folder to be made", required=True)
    add_model_option(parser)
    text = "table that pulsarcam features made of this cohort"
    parser.add_argument("--features", type=InputPath, metavar="TABLE.csv", help=text)
    known = systems()
    outcomes = (*SHARES, *dict.fromkeys(system.task.probability_column() for system in known))
    parser.add_argument(
        "--outcome", choices=outcomes, default=outcomes[0], help="what features are set beside (%(default)s)"
    )
    methods = tuple(dict.fromkeys(method for system in known for method in system.usual_maps))
    parser.add_argument("--method", choices=methods, help=f"heat map (the model's first, as {methods[0]})")
    targets = tuple(dict.fromkeys(target for system in known for target in system.task.targets))
    parser.add_argument(
        "--class", dest="target", choices=targets,
        help=f"class whose evidence is compared (that which the model explains, as {known[0].task.explained})",
    )  # fmt: skip
    times = " or ".join(TIME_POINTS)
    parser.add_argument("--time-point", default=BASELINE, help=f"MRI of the table: {times} (%(default)s)")
    add_settings(parser, ComparisonSettings, "margin")
    add_settings(parser, ComparisonSettings)
    add_overwrite(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no table; warnings and errors only")
    parser.add_argument("--threads", type=whole_number(1, MOST_CORES), metavar="N", help="processor cores to use (all)")


def run(options) -> None:
    """The command.

    Raises:
        InputError: the tables cannot be used, or no lesion can.
        OutputError: the folder is in the way, or cannot be written.
    """
    from ...agreement.folder import AgreementTables
    from ...io.result_folder import ResultFolder
    from ...outputs.pages.agreement import write_agreement_report
    from ...outputs.tables import write_agreement
    from ..console import TimedBar, warn

    folder = ResultFolder(options.output, options.overwrite)
    folder.check()
    if options.threads:
        import torch

        torch.set_num_threads(options.threads)
    options = _in_words_of_the_model(options)
    with TimedBar(options.quiet) as bar:
        found, features = _compare(options, bar)
    for problem in found.problems:
        warn(problem)
    tables = AgreementTables(
        _facts(found, options), found.summary(), found.depths(), found.lesions, found.agreement, found.shells, features
    )
    with folder:
        write_agreement(folder.made, tables)
        write_agreement_report(tables, folder.made / "report.html")
        folder.write_marker(dict(tables.facts))
    if not options.quiet:
        print(_said(tables, options))


def _in_words_of_the_model(options: argparse.Namespace) -> argparse.Namespace:
    """The same with the model's own map and class where none was named.

    Raises:
        InputError: the model has no such map, class or probability, or answers for patients.
        BundleError: the model cannot be used.
    """
    from ...agreement.cohort import refuse_patients
    from ...core.display import check_choice
    from ...systems.bundles.bundle import find_card

    card = find_card(options.model)
    refuse_patients(card)
    system, task = card.system, card.system.task
    usual = system.display_settings(method=options.method, target=options.target)
    check_choice("method", usual.method, system.usual_maps)
    check_choice("class", usual.target, task.targets)
    check_choice(
        "outcome", options.outcome, (*SHARES, *map(card.system.task.probability_column, card.system.task.told))
    )
    return argparse.Namespace(**vars(options) | {"method": usual.method, "target": usual.target})


def _compare(options, bar):
    from ...agreement.cohort import cohort_agreement, features_of, lines_of
    from ...agreement.features import feature_agreement
    from ...cohort.tables.table import read_cohort
    from ...core.errors import InputError
    from ...features.values import read_features, read_people
    from ...systems.bundles.bundle import find_bundle
    from ...training.units.cohort_cases import complete_rows, needs

    bundle = find_bundle(options.model)
    table = read_cohort(options.cohort, bundle.card.system)
    refuse_own_inputs(options, files_of(table.rows))
    of_features = read_features(options.features) if options.features else None
    rows = complete_rows(table, options.time_point, bundle.card.system)
    if not rows:
        raise InputError(f"No row of the table has {needs(bundle.card.system, options.time_point)}.")
    lines = lines_of(rows, of_features, read_people(options.features)) if of_features else {}
    asked = {"methods": (options.method,), "targets": (options.target,)}
    settings = settings_from(ComparisonSettings, options, **asked)
    with bar.stage("comparing") as tell:
        found = cohort_agreement(rows, bundle, settings, progress=tell)
    if of_features is None:
        return found, None
    return found, feature_agreement(
        found.lesions,
        features_of(found.lesions, rows, of_features, lines),
        found.patients,
        outcome=options.outcome,
        beyond=VOLUME,
    )


def _facts(found, options) -> dict[str, object]:
    from ... import __version__
    from ...agreement.folder import KIND
    from ...io.hashing import sha256_of
    from ...systems.bundles.bundle import find_card

    card = find_card(options.model)
    settings = ("method", "target", "outcome", "time_point", "margin_mm", "sigma_mm", "shell_mm")
    return {
        "kind": KIND,
        "pulsarcam": __version__,
        "research_use_only": True,
        "model": {
            "name": card.name,
            "sha256": card.sha256,
            "synthetic": card.synthetic,
            "origin": card.origin,
            "verdict": card.verdict.sentence,
        },
        "input": {
            "table_sha256": sha256_of(Path(options.cohort)),
            "features_sha256": sha256_of(Path(options.features)) if options.features else None,
        },
        "options": {name: getattr(options, name) for name in settings},
        "lesions": len(found.lesions),
        "patients": len(set(found.patients)),
        "left_out": len(found.problems),
    }


def _said(tables, options) -> str:
    from ...outputs.pages.agreement_narrative import sentences, verdict_of_model
    from ..console import table

    columns = {"quantity": "goes with", "mean_partial": "partial", "low": "low", "high": "high", "p_adjusted": "p"}
    parts = [verdict_of_model(tables), *sentences(tables), "", table(_readable(tables.summary), columns)]
    if tables.features:
        columns = {"feature": "feature", "spearman": "rho", "partial": "beyond volume", "partial_low": "low"}
        columns |= {"partial_high": "high", "partial_p_adjusted": "p"}
        parts += [f"Features beside {options.outcome} (all {len(tables.features)} in features.csv):"]
        parts += [table(_readable(tables.features[:SHOWN]), columns)]
    return "\n".join([*parts[not parts[0] :], f"Results: {options.output}. Research use only."])


def _readable(rows: list[dict]) -> list[dict]:
    """With a dash where there is no value, and three digits for p."""

    def text(name: str, value: object) -> object:
        if value is None:
            return "-"
        return f"{value:.3f}" if name.endswith("p_adjusted") else value

    return [{name: text(name, value) for name, value in row.items()} for row in rows]
