"""Which map can be believed under which rule: ``python -m PulsarCAMLib.cli.truth`` (``make truth``).

For every rule of the synthetic cohorts patients are generated, ``pulsarcam train`` makes a model of them, and patients
whom it has not seen tell its AUC, beside models of permuted labels, and how well each of its maps finds what decides,
beside trivial maps; then come the checks of ``pulsarcam sanity``. One table of all rules is written after each of them.

A stopped run goes on where it was when the same command is given again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..core.errors import InputError, PulsarCAMError
from ..core.pluralize import pluralize
from ..core.vocabulary import BASELINE, RULES
from .options.numbers import share, whole_number
from .options.setting_options import names_of
from .truth_cohort import Given, read_given

TRAINING_SEED, TEST_SEED = 4100, 4200
"""Of the patients to train on and of the unseen ones; the shipped model was made on neither."""

ROTATIONS = ",".join(f"{angle:g}" for angle in (20.0, 65.0, 110.0, 155.0, 200.0, 245.0, 290.0, 335.0))

USUAL_TRAINING = ("--epochs", "40", "--weight-decay", "1", "--settle-norm", "--rotations", ROTATIONS, "--device", "cpu")
"""As the shipped model is trained, with more epochs, for there are fewer patients."""

FOR_GIVEN = ("given", "unseen_share")
"""Fields of a recipe that matter only for a cohort made elsewhere."""

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out.

    Attributes:
        patients, test_patients: to train on, and unseen.
        lesions: fewest and most of a patient.
        members: of the ensemble.
        control: models of permuted labels.
        draws: random models per set of layers.
        resamples: of the bootstrap.
        near_contour, labels_alike: of the cohorts.
        training: options of ``pulsarcam train``.
        given: SHA-256 of the table of a cohort that was made elsewhere; empty: patients are generated.
        unseen_share: of its lesions, set aside.
    """

    patients: int = 150
    test_patients: int = 60
    lesions: tuple[int, int] = (2, 4)
    members: int = 3
    control: int = 1
    draws: int = 3
    resamples: int = 1000
    near_contour: bool = False
    labels_alike: bool = False
    training: tuple[str, ...] = USUAL_TRAINING
    given: str = ""
    unseen_share: float = 0.3

    def to_json(self) -> str:
        """By which a stopped run knows its own files."""
        own = asdict(self)
        return json.dumps(own if self.given else {k: own[k] for k in own if k not in FOR_GIVEN}, sort_keys=True)

    def cohort(self, rule: str, *, unseen: bool) -> Any:
        """Settings of the patients of one rule."""
        from ..cohort.synthetic.settings import CohortSettings

        return CohortSettings(
            patients=self.test_patients if unseen else self.patients,
            seed=TEST_SEED if unseen else TRAINING_SEED,
            lesions=self.lesions,
            rule=rule,
            near_contour=self.near_contour,
            labels_alike=self.labels_alike,
        )


def run(folder: Path, recipe: Recipe, rules: tuple[str, ...], progress: Progress | None = None) -> list[dict]:
    """Every rule in turn; the table is written after each.

    Args:
        folder: of the run, made where it is not there.
        recipe: what to do.
        rules: names, in the order in which they are tried.
        progress: called with a share done and a text; starts again for each stage.

    Returns:
        What was found under each, as of :func:`~PulsarCAMLib.trust.known_tissue.rule_table.rule_result`.

    Raises:
        InputError: the folder holds another recipe's run.
        PulsarCAMError: a training failed, which has been said.
    """
    _claim(folder, recipe)
    for rule in rules:
        _kept(folder / rule, lambda rule=rule: _under(rule, folder / rule, recipe, progress))
        results = finished(folder)
        write_table(folder, results, about(recipe, results))
    return finished(folder)


def run_given(folder: Path, recipe: Recipe, given: Given, progress: Progress | None = None) -> list[dict]:
    """A cohort that was made elsewhere: train on its patients but those set aside, and judge on these.

    Args:
        folder, recipe, progress: as :func:`run` takes them.
        given: the cohort, divided.

    Returns:
        What was found, one result.

    Raises:
        InputError, PulsarCAMError: as :func:`run`.
    """
    _claim(folder, recipe)
    found = _kept(
        folder / given.decides.name, lambda: _under_given(given, folder / given.decides.name, recipe, progress)
    )
    write_table(folder, [found], f"{given.words}; {_models(recipe)}. {_machine([found])}.")
    return [found]


def _kept(place: Path, judge: Callable[[], dict]) -> dict:
    """What was found in a folder, now or before."""
    from ..io.atomic import write_whole

    kept = place / "result.json"
    if not kept.exists():
        began = time.monotonic()
        found = judge()
        found["minutes"] = round((time.monotonic() - began) / 60, 1)
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole(kept, (json.dumps(found, indent=2) + "\n").encode())
        for done in ("cohort", "model.training", "label-controls"):
            shutil.rmtree(place / done, ignore_errors=True)
    return json.loads(kept.read_text(encoding="utf-8"))


def finished(folder: Path) -> list[dict]:
    """What has been found so far, in the order of the rules."""
    kept = [folder / rule / "result.json" for rule in RULES]
    return [json.loads(path.read_text(encoding="utf-8")) for path in kept if path.exists()]


def _under(rule: str, place: Path, recipe: Recipe, progress: Progress | None) -> dict:
    """Generate, train, judge."""
    from ..cohort.synthetic.patients import generate_patient
    from ..cohort.synthetic.store import write_cohort
    from ..trust.known_tissue.rule_table import rule_result
    from ..trust.known_tissue.synthetic_scores import score_patient
    from ..trust.subjects import subjects_of_patient

    place.mkdir(parents=True, exist_ok=True)
    table = place / "cohort" / "cohort.csv"
    if not table.exists():
        write_cohort(table.parent, recipe.cohort(rule, unseen=False), followup_images=False, progress=progress)
    bundle = _trained(rule, table, place / "model", recipe)
    unseen = recipe.cohort(rule, unseen=True)
    rows, subjects = [], []
    for index in range(unseen.patients):
        patient = generate_patient(unseen, index, images=(BASELINE,))
        rows += score_patient(bundle, patient)
        subjects += subjects_of_patient(patient, bundle.card.system, bundle.card.preprocessing)
        if progress:
            progress((index + 1) / unseen.patients, f"unseen {patient.name}")
    return rule_result(rule, rows, _sanity(bundle, subjects, table, place, recipe, progress), recipe.resamples)


def _under_given(given: Given, place: Path, recipe: Recipe, progress: Progress | None) -> dict:
    """The same for a cohort that was made elsewhere; only its table is written anew, without those set aside."""
    from ..cohort.tables.table import save_cohort_table
    from ..trust.cohort_subjects import cohort_subjects
    from ..trust.known_tissue.rule_table import rule_result
    from ..trust.known_tissue.table_scores import score_rows

    place.mkdir(parents=True, exist_ok=True)
    table = place / "cohort" / "cohort.csv"
    if not table.exists():
        table.parent.mkdir(exist_ok=True)
        save_cohort_table(given.learn, table)
    bundle = _trained(given.decides.name, table, place / "model", recipe)
    rows = score_rows(bundle, given.unseen, given.folder, progress)
    system, preprocessing = bundle.card.system, bundle.card.preprocessing
    subjects = cohort_subjects(given.unseen, given.folder, system, preprocessing, progress)
    sanity = _sanity(bundle, subjects, table, place, recipe, progress)
    return rule_result(given.decides, rows, sanity, recipe.resamples)


def _trained(name: str, table: Path, model: Path, recipe: Recipe) -> Any:
    """The bundle that ``pulsarcam train`` makes of a table, unless it is there."""
    from ..systems.bundles.bundle import load_bundle
    from . import main as pulsarcam

    if not model.exists():
        named = ("--name", name, "--members", str(recipe.members), "--protocols", "none", "--resume", "--quiet")
        if pulsarcam(["train", str(table), "-o", str(model), *named, *recipe.training]) != 0:
            raise PulsarCAMError("The training has failed or was stopped; start the same command again to go on.")
    return load_bundle(model)


def _sanity(bundle: Any, subjects: list, table: Path, place: Path, recipe: Recipe, progress: Progress | None) -> dict:
    """What ``pulsarcam sanity`` finds on the unseen patients."""
    from ..trust.checks import Settings
    from ..trust.judging import LabelControl, judge_explanations

    control = LabelControl(
        recipe.control, lambda settings: _training_samples(table, bundle, settings), folder=place / "label-controls"
    )
    return judge_explanations(
        bundle, subjects, Settings(draws=recipe.draws), control=control, resamples=recipe.resamples, progress=progress
    )


def _training_samples(table: Path, bundle: Any, settings: Any) -> Any:
    """The lesions that the model was trained on, with changed copies."""
    from ..cohort.labels.cohort_labels import label_cohort
    from ..cohort.tables.table import read_cohort
    from ..training.units.cohort_cases import cohort_cases, usable_rows
    from ..training.units.samples import collect_samples

    system = bundle.card.system
    cohort = read_cohort(table, system)
    rows = usable_rows(cohort, label_cohort(cohort, system=system), system=system)
    return collect_samples(cohort_cases(rows, system=system), system, settings)


def _claim(folder: Path, recipe: Recipe) -> None:
    from ..io.atomic import write_whole

    mine = folder / "recipe.json"
    if not mine.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(mine, recipe.to_json().encode())
    elif mine.read_text(encoding="utf-8") != recipe.to_json():
        raise InputError(f"{folder} holds what another recipe has begun; delete it or name another folder (-o).")


def about(recipe: Recipe, results: list[dict]) -> str:
    """How the table was made, for people."""
    usual = asdict(Recipe())
    own = {"control": "label-control"}
    numbers = {name: value for name, value in asdict(recipe).items() if type(value) is int and value != usual[name]}
    told = [f"--{own.get(name, name).replace('_', '-')} {value}" for name, value in numbers.items()]
    told += [f"--{name.replace('_', '-')}" for name, value in asdict(recipe).items() if value is True]
    command = " ".join(["python -m PulsarCAMLib.cli.truth", *told, *recipe.training[len(USUAL_TRAINING) :]])
    return (
        f"SYNTHETIC patients; under each rule {recipe.patients} to train on (seed {TRAINING_SEED}) and "
        f"{recipe.test_patients} unseen ones (seed {TEST_SEED}), with {recipe.lesions[0]} to {recipe.lesions[1]} "
        f"lesions each; {_models(recipe)}. {_machine(results)}: `{command}`."
    )


def _models(recipe: Recipe) -> str:
    return f"{pluralize(recipe.members, 'member')}, {pluralize(recipe.control, 'network')} on permuted labels"


def _machine(results: list[dict]) -> str:
    minutes = sum(each.get("minutes", 0) for each in results)
    machine = f"on a machine of {os.cpu_count()} cores ({platform.machine()})"
    return f"{minutes:.0f} minutes since the last start of each rule, {machine}"


def write_table(folder: Path, results: list[dict], words: str) -> None:
    """``truth.csv``, ``truth.json`` and ``truth.md``, each whole."""
    from ..io.atomic import write_whole
    from ..io.csv_files import csv_text
    from ..trust.known_tissue.rule_table import HEADINGS, csv_rows, first_sentence, markdown, recommended

    rows = csv_text(HEADINGS, ([row[name] for name in HEADINGS] for row in csv_rows(results)))
    told = {"text": first_sentence(results), "about": words, "recommended": recommended(results), "rules": results}
    contents = {"csv": rows, "json": json.dumps(told, indent=2) + "\n", "md": markdown(results, words)}
    for ending, content in contents.items():
        write_whole(folder / f"truth.{ending}", content.encode(), overwrite=True)


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m PulsarCAMLib.cli.truth",
        description=__doc__,
        epilog="Further options go to pulsarcam train, such as --epochs 10 --filters 4.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    usual = Recipe()
    count = whole_number(1, 100_000)
    parser.add_argument("-o", "--output", type=Path, default=Path("truth"), help="folder of the run (%(default)s)")
    parser.add_argument(
        "--rules", type=names_of(tuple(RULES)), default=tuple(RULES), metavar="A,B", help="only these (all ten)"
    )
    parser.add_argument("--patients", type=count, default=usual.patients, help="to train on (%(default)s)")
    parser.add_argument("--test-patients", type=count, default=usual.test_patients, help="unseen (%(default)s)")
    parser.add_argument("--members", type=count, default=usual.members, help="of the ensemble (%(default)s)")
    parser.add_argument("--label-control", type=whole_number(0, 1000), default=usual.control, metavar="K",
                        help="models of permuted labels (%(default)s)")  # fmt: skip
    parser.add_argument("--draws", type=count, default=usual.draws, help="random models per stage (%(default)s)")
    parser.add_argument("--resamples", type=count, default=usual.resamples, help="of the bootstrap (%(default)s)")
    parser.add_argument(
        "--cohort", type=Path, metavar="TABLE",
        help="instead of generated patients: the table (or its folder) of a cohort that was made elsewhere, with maps "
        "of what decides in the column truth_planted_map; see truth.md",
    )  # fmt: skip
    parser.add_argument("--decides", default="", metavar="TEXT", help="what decides there, in words (truth_rule)")
    parser.add_argument("--unseen-share", type=share, default=usual.unseen_share, metavar="SHARE",
                        help="of its lesions, set aside by patient (%(default)s)")  # fmt: skip
    parser.add_argument("--near-contour", action="store_true", help="bright tissue just outside contours")
    parser.add_argument("--labels-alike", action="store_true", help="all lesions of a patient have one outcome")
    options, more = parser.parse_known_args(arguments)
    generated = ("rules", "patients", "test_patients", "near_contour", "labels_alike")
    own = [f"--{name.replace('_', '-')}" for name in generated if getattr(options, name) != parser.get_default(name)]
    if options.cohort and own:
        parser.error(f"--cohort brings its own patients; leave out {', '.join(own)}")
    recipe = Recipe(
        patients=options.patients,
        test_patients=options.test_patients,
        members=options.members,
        control=options.label_control,
        draws=options.draws,
        resamples=options.resamples,
        near_contour=options.near_contour,
        labels_alike=options.labels_alike,
        training=(*USUAL_TRAINING, *more),
    )
    try:
        if options.cohort:
            given = read_given(options.cohort, options.unseen_share, options.decides)
            recipe = replace(recipe, given=given.sha256, unseen_share=options.unseen_share)
            results = run_given(options.output, recipe, given, _show)
        else:
            results = run(options.output, recipe, options.rules, _show)
    except PulsarCAMError as error:
        print(error, file=sys.stderr)
        return 1
    print((options.output / "truth.md").read_text(encoding="utf-8"), end="")
    what = "One rule" if options.cohort else f"{len(results)} of {len(RULES)} rules"
    print(f"\n{what}: {options.output / 'truth.csv'}, truth.json and truth.md beside it")
    return 0


def _show(share: float, text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{share:4.0%} {text:<60}", end="\n" if share == 1 else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
