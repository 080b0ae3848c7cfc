"""``pulsarcam sanity``: is what a model's maps show true?"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from .numbers import MOST_CORES, whole_number

SEED = 7101
"""Of the patients on whom explanations are checked; no choice about the shipped model was made on them."""

EXAMPLES = """\
examples:
  pulsarcam sanity synthetic-demo
  pulsarcam sanity my-model --patients 40 --seed 7 -o sanity.json
  pulsarcam sanity my-model --label-control my-model-permuted

what is checked, for the three methods, the signed map and trivial maps (intensity, position, uniform, random):
  randomising     layers of the model are drawn anew: maps must change, the AUC must fall to chance
  shuffling       the lesion's pixels change places: maps must change
  deletion        pixels are taken out (or put back) in the order of the map: the prediction must follow faster than
  and insertion   in random order and in the order of image intensity
  stability       shifts of 1 to 2 pixels, turns of 5 degrees and noise must not change what a map says
  members         how far the members of the ensemble agree
  planted tissue  whether maps find it (AUROC, Dice of the top fraction, pointing game)

"""


def add_sanity(commands, command: Callable[..., argparse.ArgumentParser], epilog: str) -> None:
    """Add the parser; arguments as :func:`~.cohort.add_cohort`."""
    parser = command(
        commands, "sanity", "check on synthetic patients whether a model's maps are true", EXAMPLES + epilog
    )
    parser.add_argument("model", metavar="MODEL", help="installed model or bundle folder")
    parser.add_argument(
        "--patients", type=whole_number(1, 100_000), default=20, metavar="N", help="to generate (%(default)s)"
    )
    parser.add_argument("--seed", type=whole_number(0), default=SEED, help="of these patients (%(default)s)")
    parser.add_argument(
        "--draws", type=whole_number(1, 100_000), default=10, metavar="N", help="random models per stage (%(default)s)"
    )
    parser.add_argument("--infill", choices=("blurred", "mean"), default="blurred",
                        help="what stands in for removed pixels (%(default)s)")  # fmt: skip
    parser.add_argument(
        "--label-control", metavar="MODEL", help="the same training on permuted labels, to compare with"
    )
    parser.add_argument(
        "--resamples", type=whole_number(1, 100_000), default=2000, metavar="N", help="of the bootstrap (%(default)s)"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="JSON file to write the numbers to")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--threads", type=whole_number(1, MOST_CORES), metavar="N", help="processor cores to use (all)")


def run(options) -> None:
    """The command."""
    from ..errors import OutputError
    from .console import Progress

    output = Path(options.output) if options.output else None
    if output and output.exists() and not options.overwrite:
        raise OutputError(f"{output} exists already; choose another file or add --overwrite.")
    if options.threads:
        import torch

        torch.set_num_threads(options.threads)
    with Progress(options.quiet) as progress:
        result = check(options, progress)
    from ..evaluation.faithfulness import markdown

    print(f"Model `{result['model']}` on unseen SYNTHETIC patients (seed {result['seed']}). Research use only.\n")
    print(markdown(result))
    if output:
        write(output, result)


def check(options, progress) -> dict:
    """All checks as JSON values."""
    from ..cohort import CohortSettings
    from ..evaluation.faithfulness import Settings, check_explanations, summarise, synthetic_subjects
    from ..evaluation.scoring import refuse_known_patients
    from ..models import find_bundle

    bundle = find_bundle(options.model)
    control = find_bundle(options.label_control) if options.label_control else None
    cohort = CohortSettings(patients=options.patients, seed=options.seed)
    for model in filter(None, (bundle, control)):
        refuse_known_patients(model, cohort)
    subjects = synthetic_subjects(cohort, bundle.card.preprocessing, progress.part(0, 0.3))
    settings = Settings(draws=options.draws, infill=options.infill)
    found = check_explanations(bundle, subjects, settings, label_control=control, progress=progress.part(0.3, 1))
    about = {"model": bundle.card.name, "sha256": bundle.card.sha256, "synthetic": True, "seed": options.seed}
    if control:
        about["label_control"] = {"model": control.card.name, "sha256": control.card.sha256}
    return about | summarise(found, resamples=options.resamples)


def write(path: Path, result: dict) -> None:
    """Write the numbers whole or not at all.

    Raises:
        OutputError: the file cannot be written.
    """
    from ..files.single import write_whole

    write_whole(path, (json.dumps(result, indent=2) + "\n").encode(), overwrite=True)
