"""``pulsarcam sanity``: is what a model's maps show true?"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from ...core.task import PREDICTED
from ...core.vocabulary import ADDED_TEXTURE, BASELINE, CHECK_FORMATS, RULES, TIME_POINTS
from ..explain.map_choices import add_choices
from ..options.numbers import MOST_CORES, share, whole_number
from ..options.places import InputPath, OutputPath, add_overwrite, output_path
from ..train.options import add_label_control

CHECKS, MASK = "checks", "mask"
PARTS = (CHECKS, MASK)

SEED = 7101
"""Of the patients on whom explanations are checked; no choice about the shipped model was made on them."""

EXAMPLES = """\
examples:
  pulsarcam sanity synthetic-demo
  pulsarcam sanity my-model --patients 40 --seed 7 -o sanity.json
  pulsarcam sanity my-model --cohort cohort.csv --label-control 5 -o sanity.md -o sanity.csv
  pulsarcam sanity my-model --cohort cohort.csv --only mask --mask note_tumour --method all -o on-the-tumour.csv

what is checked, for the model's usual maps and trivial ones (intensity of every input, position, uniform, random):
  randomising     layers of the model are drawn anew: maps must change, the AUC must fall to chance
  permuted labels the model is trained again on labels dealt out anew: the same must happen (--label-control)
  shuffling       the pixels of the lesion (or patient) change places: maps must change
  deletion        pixels are taken out (or put back) in the order of the map: the prediction must follow faster than
  and insertion   in random order and in the order of image intensity
  stability       shifts of 1 to 2 pixels, turns of 5 degrees and noise must not change what a map says
  members         how far the members of the ensemble agree
  planted tissue  whether maps find it (AUROC, Dice of the top fraction, pointing game), where it is known
  mask            the same for a mask of every row (--mask), the tumour of a patient, say: on the image's own grid
What cannot be measured on these lesions is listed with the reason.

"""


def add_sanity(commands, command: Callable[..., argparse.ArgumentParser], epilog: str) -> None:
    """Add the parser; arguments as :func:`~.cohort.add_cohort`."""
    parser = command(
        commands, "sanity", "check on a cohort or on synthetic patients whether a model's maps are true",
        EXAMPLES + epilog,
    )  # fmt: skip
    parser.add_argument("model", type=InputPath, metavar="MODEL", help="installed model or bundle folder")
    parser.add_argument("-o", "--output", type=_output, action="append", default=[], metavar="FILE",
                        help="write the result: .json, .csv or .md; may be repeated")  # fmt: skip
    add_overwrite(parser, "FILE")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--threads", type=whole_number(1, MOST_CORES), metavar="N", help="processor cores to use (all)")
    _add_lesions(parser.add_argument_group("lesions, or patients where the model answers for them"))
    _add_checks(parser.add_argument_group("checks"))
    _add_mask(parser.add_argument_group("maps against a mask"))
    add_choices(parser)


def _add_lesions(group) -> None:
    text = "those of this table: CSV or XLSX (else synthetic patients with lesions)"
    group.add_argument("--cohort", type=InputPath, metavar="COHORT", help=text)
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
    group.add_argument("--rule", choices=tuple(RULES), default=ADDED_TEXTURE, metavar="RULE",
                       help="what decides in synthetic patients, see cohort make-synthetic (%(default)s)")  # fmt: skip


def _add_checks(group) -> None:
    group.add_argument(
        "--draws", type=whole_number(1, 100_000), metavar="N",
        help="random models per stage (as many as the model's system says: 10 for slices, 3 for volumes)",
    )  # fmt: skip
    group.add_argument(
        "--method", action="append", metavar="NAME", help="maps to check; may be repeated; all: every one (usual ones)"
    )
    group.add_argument("--only", choices=PARTS, action="append", metavar="PART",
                       help=f"only this part: {' or '.join(PARTS)} (both)")  # fmt: skip
    group.add_argument(
        "--steps", type=whole_number(2, 1000), default=16, metavar="N", help="of deletion and insertion (%(default)s)"
    )
    add_label_control(group, 0, "models trained on these lesions with labels dealt out anew")
    group.add_argument("--infill", choices=("blurred", "mean"), default="blurred",
                       help="what stands in for removed pixels (%(default)s)")  # fmt: skip
    group.add_argument(
        "--resamples", type=whole_number(1, 100_000), default=2000, metavar="N", help="of the bootstrap (%(default)s)"
    )


def _add_mask(group) -> None:
    group.add_argument("--mask", metavar="COLUMN",
                       help="column of the table that names the mask: segmentation, note_... or truth_...; empty "
                       "cells are left out (the mask that the model's system knows)")  # fmt: skip
    group.add_argument("--mask-labels", type=_labels, metavar="N,N", help="only these values of a label volume")
    group.add_argument("--class", dest="target", default=PREDICTED, metavar="CLASS",
                       help="whose maps are held against the mask (%(default)s: each one's own)")  # fmt: skip


def _labels(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or min(found) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} are not whole numbers from 1 on, separated by commas")
    return found


def _output(text: str) -> OutputPath:
    if Path(text).suffix.lower() not in CHECK_FORMATS:
        raise argparse.ArgumentTypeError(f"{text!r} does not end with {', '.join(CHECK_FORMATS)}")
    return output_path()(text)


def run(options) -> None:
    """The command."""
    from ...core.requirements import require
    from ...io.atomic import check_place
    from ..console import TimedBar
    from ..learning import NEEDS

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
        write(Path(path), result, overwrite=options.overwrite)


def check(options, bar) -> dict:
    """All checks as JSON values.

    Raises:
        InputError: options that do not go together, or a table that cannot be used.
    """
    from ...systems.bundles.bundle import find_bundle
    from ..explain.map_choices import choices_of

    bundle = find_bundle(options.model)
    options.system = bundle.card.system.name
    methods = _methods(options.method, bundle.card.system)
    options.choices = choices_of(
        options, bundle.card, methods if methods is not None else bundle.card.system.checked_maps
    )
    options.mask = _mask_column(options, bundle.card.system)
    parts = options.only or (PARTS if options.mask else (CHECKS,))
    cohort = _Cohort(options, bundle, bar) if options.cohort else _Generated(options, bundle, bar)
    result = {"model": bundle.card.name, "sha256": bundle.card.sha256, "verdict": bundle.card.verdict.as_dict()}
    result |= cohort.about
    if CHECKS in parts:
        result |= _checks(options, bundle, cohort, methods, bar)
    if MASK in parts:
        result["mask"] = cohort.on_mask(methods)
    return result


def _checks(options, bundle, cohort: _Cohort | _Generated, methods, bar) -> dict:
    from ...trust.checks import Settings
    from ...trust.judging import LabelControl, judge_explanations
    from ..console import note

    settings = Settings(draws=options.draws, infill=options.infill, steps=options.steps)
    control = LabelControl(options.label_control, cohort.samples, options.label_epochs)
    subjects = cohort.subjects()
    with bar.stage("checking maps") as tell:
        return judge_explanations(
            bundle, subjects, settings, methods=methods, control=control, choices=options.choices,
            resamples=options.resamples, on_cost=None if options.quiet else note, progress=tell,
        )  # fmt: skip


def _methods(given: list[str] | None, system) -> tuple[str, ...] | None:
    if not given:
        return None
    named = tuple(each.name for each in system.maps) if "all" in given else tuple(dict.fromkeys(given))
    for name in named:
        system.method(name)
    return named


def _mask_column(options, system) -> str | None:
    """The column that is named, or that of the system's own mask where its units are not lesions themselves.

    Raises:
        InputError: there is none, or no table.
    """
    from ...core.errors import InputError
    from ...core.inputs import MASK as KIND
    from ...core.task import LESION

    role = system.role(KIND) if system.task.unit != LESION else None
    column = options.mask or (role.table_column if role else None)
    if column is None and MASK in (options.only or ()):
        raise InputError("No mask is named that the maps could be held against; name its column with --mask.")
    if not options.cohort:
        if options.mask or MASK in (options.only or ()):
            raise InputError("A mask is a column of a table; name the table with --cohort.")
        return None
    return column


class _Generated:
    """Synthetic patients, for models that answer for their lesions."""

    def __init__(self, options, bundle, bar) -> None:
        from ...cohort.synthetic.settings import CohortSettings
        from ...trust.known_tissue.synthetic_scores import refuse_known_patients

        self.bundle, self.bar = bundle, bar
        self.cohort = CohortSettings(patients=options.patients, seed=options.seed, rule=options.rule)
        refuse_known_patients(bundle, self.cohort)
        rule = "" if options.rule == ADDED_TEXTURE else f", in whom {RULES[options.rule]} decides"
        title = f"unseen SYNTHETIC patients (seed {options.seed}){rule}"
        self.about = {"on": title, "synthetic": True, "seed": options.seed, "rule": options.rule}

    def subjects(self) -> list:
        from ...trust.subjects import synthetic_subjects

        card = self.bundle.card
        with self.bar.stage("generating patients") as tell:
            return synthetic_subjects(self.cohort, card.system, card.preprocessing, tell)

    def samples(self, settings):
        from ...training.units.synthetic_cases import synthetic_samples

        return synthetic_samples(self.cohort, settings)

    def on_mask(self, methods) -> dict:
        raise NotImplementedError  # a mask without a table is refused


class _Cohort:
    """The units of a table."""

    def __init__(self, options, bundle, bar) -> None:
        from ...io.hashing import sha256_of
        from ...training.units.cohort_cases import inputs_digest, usable_rows
        from ..console import warn
        from ..learning import checked_cohort

        self.options, self.bundle, self.bar, self.system = options, bundle, bar, bundle.card.system
        self.table, labels = checked_cohort(options, bar)
        self.rows = usable_rows(self.table, labels, options.time_point, self.system)
        hashes = {
            "table": sha256_of(self.table.path),
            "images_and_masks": inputs_digest(self.rows, self.system),
        }
        known = bundle.card.fields["training"].get("sha256", {})
        seen = any(known.get(name) == value for name, value in hashes.items())
        unit = self.system.task.unit
        if seen:
            warn(f"The model was trained on {unit}s of this very table: its AUC here flatters.")
        synthetic = any(row.truth for row, _ in self.rows)
        title = f"a cohort{f' of SYNTHETIC {unit}s' * synthetic}, MRI at time point “{options.time_point}”"
        title += f", {unit}s it was trained on among them" * seen
        self.about = {"on": title, "synthetic": synthetic, "time_point": options.time_point, "trained_on": seen}
        self.about["cohort_sha256"] = hashes

    def subjects(self) -> list:
        from ...trust.cohort_subjects import cohort_subjects

        with self.bar.stage(f"preparing {self.system.samples_word}") as tell:
            return cohort_subjects(
                self.rows, Path(self.table.path).parent, self.system, self.bundle.card.preprocessing, tell
            )

    def samples(self, settings):
        from ...training.units.cohort_cases import cohort_cases
        from ...training.units.samples import collect_samples

        return collect_samples(cohort_cases(self.rows, system=self.system), self.system, settings)

    def on_mask(self, methods) -> dict:
        from ...trust.known_tissue.on_mask import MaskColumn, maps_on_mask

        options = self.options
        mask = MaskColumn(options.mask, Path(self.table.path).parent, options.mask_labels)
        with self.bar.stage("maps against the mask") as tell:
            return maps_on_mask(
                self.bundle, self.rows, mask,
                methods=methods, choices=options.choices, target=options.target, resamples=options.resamples,
                progress=tell,
            )  # fmt: skip


def as_markdown(result: dict) -> str:
    """The whole result for people."""
    from ...trust.known_tissue.on_mask import mask_markdown
    from ...trust.table import markdown

    parts = [result["verdict"]["sentence"], f"Model `{result['model']}` on {result['on']}. Research use only."]
    parts += [markdown(result)] if "maps" in result else []
    parts += [mask_markdown(result["mask"])] if "mask" in result else []
    return "\n\n".join(parts)


def write(path: Path, result: dict, *, overwrite: bool) -> None:
    """Write the result whole or not at all, in the format that the file's name asks for.

    Raises:
        OutputError: the file cannot be written.
    """
    import json

    from ...io.atomic import write_whole
    from ...io.csv_files import csv_text
    from ...trust.known_tissue.on_mask import mask_csv_rows
    from ...trust.table import csv_rows

    if path.suffix.lower() == ".csv":
        rows = csv_rows(result) if "maps" in result else []
        rows += mask_csv_rows(result["mask"]) if "mask" in result else []
        content = csv_text(rows[0], ([row[name] for name in rows[0]] for row in rows))
    elif path.suffix.lower() == ".md":
        content = as_markdown(result) + "\n"
    else:
        content = json.dumps(result, indent=2) + "\n"
    write_whole(path, content.encode(), overwrite=overwrite)
