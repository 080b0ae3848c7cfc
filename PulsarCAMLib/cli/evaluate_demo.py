"""Evaluate a bundle on fresh synthetic patients: ``python -m PulsarCAMLib.cli.evaluate_demo``.

Prints Markdown tables and writes the same numbers as JSON. Runs the whole flow of a user's MRI.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ..cohort.synthetic.settings import CohortSettings
from ..core.errors import PulsarCAMError
from ..evaluation.card_sections import performance_section
from ..evaluation.conformal import coverage_for_others
from ..io.atomic import write_whole
from ..systems.bundles.bundle import ModelBundle, find_bundle
from ..trust.known_tissue.synthetic_scores import LesionScore, score_cohort
from ..trust.known_tissue.synthetic_summary import map_summary, map_table, prediction_columns

TEST_SEED = 7001
"""Seed of the test patients; no choice about cohort, model or training was made on them."""

Progress = Callable[[float, str], None]


def evaluate(
    bundle: ModelBundle,
    patients: int = 100,
    seed: int = TEST_SEED,
    resamples: int = 2000,
    progress: Progress | None = None,
) -> dict:
    """Prediction and maps at standard difficulty, and prediction without signal; JSON values."""
    standard = score_cohort(bundle, CohortSettings(patients=patients, seed=seed), progress=progress)
    nothing = CohortSettings(patients=patients, seed=seed, difficulty="none")
    silent = score_cohort(bundle, nothing, with_maps=False, progress=progress)
    rows = {"standard": standard, "none": silent}
    found = {name: _sets(bundle, each) for name, each in rows.items()}
    return {
        "model": bundle.card.name,
        "sha256": bundle.card.sha256,
        "synthetic": True,
        "patients": patients,
        "seed": seed,
        "prediction": {
            name: performance_section(
                *prediction_columns(found), threshold=bundle.card.decision_threshold, resamples=resamples
            )
            for name, found in rows.items()
        },
        "maps": map_summary(standard, resamples),
        "sets": found,
    }


def _sets(bundle: ModelBundle, rows: Sequence[LesionScore]) -> dict | None:
    """How often the sets of classes held the truth; None where the model was not calibrated for them."""
    if any(row.classes is None for row in rows):
        return None
    columns = zip(*((row.response, row.classes, row.patient) for row in rows), strict=True)
    return coverage_for_others(*columns, bundle.card.system.task)


def report(result: dict) -> str:
    """The result of :func:`evaluate` in Markdown."""
    lines = [
        f"Model `{result['model']}` on {result['patients']} unseen SYNTHETIC patients (seed {result['seed']}).",
        "",
        f"- standard difficulty: {result['prediction']['standard']['text']}",
        f"- no signal: {result['prediction']['none']['text']}",
    ]
    for name, words in {"standard": "standard difficulty", "none": "no signal"}.items():
        if held := result["sets"][name]:
            lines.append(
                f"- sets of classes, {words}: held the truth for all lesions of {held['covered']} of "
                f"{held['patients']} patients (95 % interval {held['low']:.0%} to {held['high']:.0%}), and "
                f"named one class alone for {held['single']:.0%} of {held['units']} lesions"
            )
    titles = {"volume": "All voxels of the GTV (3D)", "slice": "The answering slice"}
    for space, title in titles.items():
        part = result["maps"][space]
        empty = ", ".join(f"{name} {count}" for name, count in part["empty_maps"].items())
        about = f"{part['lesions']} non-responding lesions with planted tissue, {part['patients']} patients"
        undefined = "; ".join(f"{count} left out: {reason}" for reason, count in part["undefined"].items())
        lines += ["", f"**{title}**: {about}. Empty maps: {empty}. {undefined}".rstrip(), ""]
        lines.append(map_table(result["maps"], space))
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m PulsarCAMLib.cli.evaluate_demo", description=__doc__)
    parser.add_argument("--model", default="synthetic-demo", help="name or folder of a bundle (%(default)s)")
    parser.add_argument("--patients", type=int, default=100, help="synthetic patients to generate (%(default)s)")
    parser.add_argument("--seed", type=int, default=TEST_SEED, help="of these patients (%(default)s)")
    parser.add_argument("--resamples", type=int, default=2000, help="of bootstrap and permutation (%(default)s)")
    parser.add_argument("-o", "--output", type=Path, help="JSON file to write the numbers to")
    parser.add_argument("--overwrite", action="store_true", help="replace that file if it is already there")
    options = parser.parse_args(arguments)
    if options.output and options.output.exists() and not options.overwrite:
        parser.error(f"{options.output} exists already; choose another file or add --overwrite")
    try:
        bundle = find_bundle(options.model)
        result = evaluate(bundle, options.patients, options.seed, options.resamples, progress=_show)
        print(report(result))
        if options.output:
            write_whole(options.output, (json.dumps(result, indent=2) + "\n").encode(), overwrite=options.overwrite)
    except PulsarCAMError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _show(share: float, text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{share:4.0%} {text}", end="\n" if share == 1 else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
