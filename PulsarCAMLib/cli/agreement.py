"""``pulsarcam agreement``: over a cohort, what the heat maps go with."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from .numbers import MOST_CORES, millimetres, whole_number

METHODS = ("pixelwise", "gradcam", "gradcam++")
OUTCOMES = ("activated_share", "margin_share", "margin_concentration", "probability_response")
SHOWN = 10

EXAMPLES = """\
examples:
  pulsarcam features cohort.csv -o features.csv
  pulsarcam agreement cohort.csv -o agreement --model my-model --features features.csv
  pulsarcam agreement cohort.csv -o agreement --method gradcam --outcome margin_concentration --features features.csv

what is written into the folder (lesions by their row in the table, patients by numbers):
  summary.csv                what holds over the patients: partial correlation of the heat map with gradient magnitude,
                             radial gradient, intensity, local entropy and distance to the border
  agreement.csv, shells.csv  the same lesion by lesion; and where the maps lie
  lesions.csv                prediction, activated share and share of the margin of each lesion
  features.csv               which features go with the outcome (--features), the strongest evidence first
  result.json                model, options and versions

"""


def add_agreement(commands, command: Callable[..., argparse.ArgumentParser], epilog: str) -> None:
    """Add the parser; arguments as :func:`~.cohort.add_cohort`, and the type of lengths."""
    parser = command(commands, "agreement", "tell what the heat maps go with over a cohort", EXAMPLES + epilog)
    parser.add_argument("cohort", metavar="COHORT", help="table of lesions: CSV or XLSX")
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="folder to be made")
    parser.add_argument("--model", default="synthetic-demo", help="installed model or bundle folder (%(default)s)")
    parser.add_argument("--features", metavar="TABLE.csv", help="table that pulsarcam features made of this cohort")
    parser.add_argument(
        "--outcome", choices=OUTCOMES, default=OUTCOMES[0], help="what features are set beside (%(default)s)"
    )
    parser.add_argument("--method", choices=METHODS, default=METHODS[0], help="heat map (%(default)s)")
    parser.add_argument(
        "--class", dest="target", choices=("non-response", "response", "predicted"), default="non-response",
        help="class whose evidence is compared (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--time-point", default="baseline", help="MRI of the table: baseline or second (%(default)s)")
    for name, what, usual in (
        ("--margin-mm", "thickness of the margin", 2.0),
        ("--sigma-mm", "scale of the gradient", 1.0),
        ("--shell-mm", "thickness of the shells", 1.0),
    ):
        parser.add_argument(name, type=millimetres, default=usual, metavar="MM", help=f"{what} (%(default)s)")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier result at OUT when all is done")
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no table; warnings and errors only")
    parser.add_argument("--threads", type=whole_number(1, MOST_CORES), metavar="N", help="processor cores to use (all)")


def run(options) -> None:
    """The command.

    Raises:
        InputError: the tables cannot be used, or no lesion can.
        OutputError: the folder is in the way, or cannot be written.
    """
    from ..files.folder import ResultFolder
    from .console import TimedBar, warn

    folder = ResultFolder(options.output, options.overwrite)
    folder.check()
    if options.threads:
        import torch

        torch.set_num_threads(options.threads)
    with TimedBar(options.quiet) as bar:
        found, features = _compare(options, bar)
    for problem in found.problems:
        warn(problem)
    summary = found.summary()
    with folder:
        _write(folder, found, summary, features, options)
    if not options.quiet:
        print(_said(summary, features, found, options))


def _compare(options, bar):
    from ..cohort import read_cohort
    from ..comparison import ComparisonSettings, feature_agreement
    from ..comparison.cohort_agreement import cohort_agreement, features_by_row
    from ..comparison.feature_values import read_features
    from ..errors import InputError
    from ..models import find_bundle

    table = read_cohort(options.cohort)
    of_features = read_features(options.features) if options.features else None
    rows = [r for r in table.rows if r.time_point == options.time_point and r.image and r.segmentation]
    if not rows:
        raise InputError(f"No row of the table has an MRI at “{options.time_point}” with a contour on it.")
    settings = ComparisonSettings(
        (options.method,), (options.target,), options.sigma_mm, options.margin_mm, options.shell_mm
    )
    with bar.stage("comparing") as tell:
        found = cohort_agreement(rows, find_bundle(options.model), settings, progress=tell)
    if of_features is None:
        return found, None
    return found, feature_agreement(
        found.lesions, features_by_row(found.lesions, of_features), found.patients, outcome=options.outcome
    )


def _write(folder, found, summary: list[dict], features: list[dict] | None, options) -> None:
    from .. import __version__
    from ..files import write_table
    from ..files.hashing import sha256_of
    from ..models import find_bundle

    tables = {"summary": summary, "agreement": found.agreement, "shells": found.shells, "lesions": found.lesions}
    if features is not None:
        tables["features"] = features
    for name, rows in tables.items():
        write_table(folder.made / f"{name}.csv", rows)
    card = find_bundle(options.model).card
    settings = ("method", "target", "outcome", "time_point", "margin_mm", "sigma_mm", "shell_mm")
    folder.write_marker(
        {
            "pulsarcam": __version__,
            "research_use_only": True,
            "model": {"name": card.name, "sha256": card.sha256, "synthetic": card.synthetic},
            "input": {
                "table_sha256": sha256_of(Path(options.cohort)),
                "features_sha256": sha256_of(Path(options.features)) if options.features else None,
            },
            "options": {name: getattr(options, name) for name in settings},
            "lesions": len(found.lesions),
            "patients": len(set(found.patients)),
            "left_out": len(found.problems),
        }
    )


def _said(summary: list[dict], features: list[dict] | None, found, options) -> str:
    from .console import table

    columns = {"quantity": "goes with", "mean_partial": "partial", "p_adjusted": "p", "patients": "patients"}
    parts = [
        f"{len(found.lesions)} lesions of {len(set(found.patients))} patients; {options.method}, {options.target}",
        table(_readable(summary), columns),
    ]
    if features is not None:
        columns = {"feature": "feature", "spearman": "rho", "low": "low", "high": "high", "p_adjusted": "p"}
        parts += [f"Features beside {options.outcome} (all {len(features)} in features.csv):"]
        parts += [table(_readable(features[:SHOWN]), columns)] if features else []
    return "\n".join([*parts, f"Results: {options.output}. Research use only."])


def _readable(rows: list[dict]) -> list[dict]:
    """With a dash where there is no value, and three digits for p."""

    def text(name: str, value: object) -> object:
        if value is None:
            return "-"
        return f"{value:.3f}" if name == "p_adjusted" else value

    return [{name: text(name, value) for name, value in row.items()} for row in rows]
