"""``pulsarcam sanity``: is what a model's maps show true?"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from ..core.vocabulary import BASELINE, CHECK_FORMATS, TIME_POINTS
from .numbers import MOST_CORES, share, whole_number
from .train.options import add_label_control

SEED = 7101
"""Of the patients on whom explanations are checked; no choice about the shipped model was made on them."""

EXAMPLES = """\
examples:
  pulsarcam sanity synthetic-demo
  pulsarcam sanity my-model --patients 40 --seed 7 -o sanity.json
  pulsarcam sanity my-model --cohort cohort.csv --label-control 5 -o sanity.md -o sanity.csv

what is checked, for the three methods, the signed map and trivial maps (intensity, position, uniform, random):
  randomising     layers of the model are drawn anew: maps must change, the AUC must fall to chance
  permuted labels the model is trained again on labels dealt out anew: the same must happen (--label-control)
  shuffling       the lesion's pixels change places: maps must change
  deletion        pixels are taken out (or put back) in the order of the map: the prediction must follow faster than
  and insertion   in random order and in the order of image intensity
  stability       shifts of 1 to 2 pixels, turns of 5 degrees and noise must not change what a map says
  members         how far the members of the ensemble agree
  planted tissue  whether maps find it (AUROC, Dice of the top fraction, pointing game), where it is known
What cannot be measured on these lesions is listed with the reason.

"""


def add_sanity(commands, command: Callable[..., argparse.ArgumentParser], epilog: str) -> None:
    """Add the parser; arguments as :func:`~.cohort.add_cohort`."""
    parser = command(
        commands, "sanity", "check on a cohort or on synthetic patients whether a model's maps are true",
        EXAMPLES + epilog,
    )  # fmt: skip
    parser.add_argument("model", metavar="MODEL", help="installed model or bundle folder")
    parser.add_argument("-o", "--output", type=_output, action="append", default=[], metavar="FILE",
                        help="write the result: .json, .csv or .md; may be repeated")  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="replace FILE")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--threads", type=whole_number(1, MOST_CORES), metavar="N", help="processor cores to use (all)")
    _add_lesions(parser.add_argument_group("lesions"))
    _add_checks(parser.add_argument_group("checks"))


def _add_lesions(group) -> None:
    group.add_argument("--cohort", metavar="COHORT", help="lesions of this table: CSV or XLSX (synthetic patients)")
    group.add_argument(
        "--time-point", default=BASELINE, help=f"MRI of the table: {' or '.join(TIME_POINTS)} (%(default)s)"
    )
    group.add_argument(
        "--shrinkage", type=share, default=0.2, metavar="SHARE", help="lost share that is response (0.2)"
    )
    group.add_argument(
        "--patients", type=whole_number(1, 100_000), default=20, metavar="N", help="synthetic ones (%(default)s)"
    )
    group.add_argument("--seed", type=whole_number(0), default=SEED, help="of the synthetic patients (%(default)s)")


def _add_checks(group) -> None:
    group.add_argument(
        "--draws", type=whole_number(1, 100_000), default=10, metavar="N", help="random models per stage (%(default)s)"
    )
    add_label_control(group, 0, "models trained on these lesions with labels dealt out anew")
    group.add_argument("--infill", choices=("blurred", "mean"), default="blurred",
                       help="what stands in for removed pixels (%(default)s)")  # fmt: skip
    group.add_argument(
        "--resamples", type=whole_number(1, 100_000), default=2000, metavar="N", help="of the bootstrap (%(default)s)"
    )


def _output(text: str) -> Path:
    if Path(text).suffix.lower() not in CHECK_FORMATS:
        raise argparse.ArgumentTypeError(f"{text!r} does not end with {', '.join(CHECK_FORMATS)}")
    return Path(text)


def run(options) -> None:
    """The command."""
    from ..core.requirements import require
    from ..io.atomic import check_place
    from .console import TimedBar
    from .learning import NEEDS

    require(NEEDS, extra="train")
    for path in options.output:
        check_place(path, overwrite=options.overwrite)
    if options.threads:
        import torch

        torch.set_num_threads(options.threads)
    with TimedBar(options.quiet) as bar:
        result = check(options, bar)
    print(as_markdown(result))
    for path in options.output:
        write(path, result, overwrite=options.overwrite)


def check(options, bar) -> dict:
    """All checks as JSON values."""
    from ..systems.bundle import find_bundle
    from ..trust.checks import Settings, refuse_other_systems
    from ..trust.judging import LabelControl, judge_explanations

    bundle = find_bundle(options.model)
    refuse_other_systems(bundle)
    find = _of_cohort if options.cohort else _synthetic
    subjects, samples, about = find(options, bundle, bar)
    about = {"model": bundle.card.name, "sha256": bundle.card.sha256, **about}
    settings = Settings(draws=options.draws, infill=options.infill)
    control = LabelControl(options.label_control, samples, options.label_epochs)
    with bar.stage("checking maps") as tell:
        return about | judge_explanations(
            bundle, subjects, settings, control=control, resamples=options.resamples, progress=tell
        )


def _synthetic(options, bundle, bar) -> tuple:
    from ..cohort.synthetic.settings import CohortSettings
    from ..trust.subjects import synthetic_subjects
    from ..trust.synthetic_scores import refuse_known_patients

    cohort = CohortSettings(patients=options.patients, seed=options.seed)
    refuse_known_patients(bundle, cohort)
    with bar.stage("generating patients") as tell:
        subjects = synthetic_subjects(cohort, bundle.card.preprocessing, tell)

    def samples(settings):
        from ..training.synthetic_cases import synthetic_samples

        return synthetic_samples(cohort, settings)

    title = f"unseen SYNTHETIC patients (seed {options.seed})"
    return subjects, samples, {"on": title, "synthetic": True, "seed": options.seed}


def _of_cohort(options, bundle, bar) -> tuple:
    from ..io.hashing import sha256_of
    from ..training.cohort_cases import cohort_cases, inputs_digest, usable_rows
    from ..training.samples import collect_samples
    from ..trust.cohort_subjects import cohort_subjects
    from .console import warn
    from .learning import checked_cohort

    table, labels = checked_cohort(options, bar)
    rows = usable_rows(table, labels, options.time_point)
    with bar.stage("cutting patches") as tell:
        subjects = cohort_subjects(rows, Path(table.path).parent, bundle.card.preprocessing, tell)
    hashes = {"table": sha256_of(table.path), "images_and_masks": inputs_digest(rows)}
    known = bundle.card.fields["training"].get("sha256", {})
    seen = any(known.get(name) == value for name, value in hashes.items())
    if seen:
        warn("The model was trained on lesions of this very table: its AUC here flatters.")
    synthetic = any(row.truth for row, _ in rows)
    title = f"a cohort{' of SYNTHETIC lesions' * synthetic}, MRI at time point “{options.time_point}”"
    title += ", lesions it was trained on among them" * seen
    about = {"on": title, "synthetic": synthetic, "time_point": options.time_point, "trained_on": seen}

    def samples(settings):
        return collect_samples(cohort_cases(rows), bundle.card.system, settings)

    return subjects, samples, about | {"cohort_sha256": hashes}


def as_markdown(result: dict) -> str:
    """The whole result for people."""
    from ..trust.table import markdown

    return f"Model `{result['model']}` on {result['on']}. Research use only.\n\n{markdown(result)}"


def write(path: Path, result: dict, *, overwrite: bool) -> None:
    """Write the result whole or not at all, in the format that the file's name asks for.

    Raises:
        OutputError: the file cannot be written.
    """
    import csv
    import io
    import json

    from ..io.atomic import write_whole
    from ..trust.table import csv_rows

    if path.suffix.lower() == ".csv":
        text = io.StringIO()
        rows = csv_rows(result)
        table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        content = text.getvalue()
    elif path.suffix.lower() == ".md":
        content = as_markdown(result) + "\n"
    else:
        content = json.dumps(result, indent=2) + "\n"
    write_whole(path, content.encode(), overwrite=overwrite)
