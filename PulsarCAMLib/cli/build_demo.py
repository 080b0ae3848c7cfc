"""Make the bundle that ships: ``python -m PulsarCAMLib.cli.build_demo``.

A synthetic cohort is written as files, and ``pulsarcam train`` makes a model of it as it would of a hospital's. Then
the model is tested on unseen synthetic patients, the same training is tried on patients without signal, and both go
into the card. Everything is seeded. Patients to train on (and, set aside among them, to calibrate on), to choose
settings on and to test on have seeds of their own; the test patients are generated after training and nothing is chosen
by them.

A stopped run goes on where it was when it is started again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from .. import __version__
from ..cohort.synthetic.settings import CohortSettings
from ..cohort.synthetic.store import write_cohort
from ..core.errors import InputError, PulsarCAMError
from ..evaluation.card_sections import performance_section, rounded
from ..systems.bundles.bundle import SHIPPED, ModelBundle, load_bundle, save_bundle
from .evaluate_demo import TEST_SEED, evaluate, report

NAME, TITLE = "synthetic-demo", "Synthetic demonstration model"
TRAINING_SEED, VALIDATION_SEED, CONTROL_SEED = 1000, 2000, 3000
"""Settings were chosen on patients of the second one; no model is trained on them."""

ROTATIONS = (20.0, 65.0, 110.0, 155.0, 200.0, 245.0, 290.0, 335.0)
"""Degrees, all around the circle."""

INTENDED_USE = (
    "Demonstration, teaching and tests of PulsarCAM only. The model was trained on SYNTHETIC lesions whose texture "
    "decides the outcome by construction; its answer on a patient's MRI means nothing."
)
DATA = "SYNTHETIC brain metastases in MRI-like surroundings (PulsarCAMLib.cohort); no patient's data"
FILLED_IN = ("format", "format_version", "architecture", "members", "classes", "weights", "probe")

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out.

    Where it leaves the paper: rotations all around the circle and many more lesions, because the dense head learns each
    position on its own and the pixel-wise map shows where it has not; fewer epochs, because an epoch has some 30 times
    as many samples; a weight decay that acts (the paper's 1e-4 does nothing in AdamW at this learning rate, so that
    dense weights keep their random start); batch-norm statistics taken anew at the end. Chosen on validation patients.

    Attributes:
        cohort: to train on; one patient in seven is set aside to calibrate and to check maps on.
        control: patients whose images do not tell the outcome.
        test_patients, resamples: of the last test and its bootstrap.
        training: options of ``pulsarcam train``.
        judging: more of them: protocols and checks of the maps.
    """

    cohort: CohortSettings = field(default_factory=lambda: CohortSettings(patients=700, seed=TRAINING_SEED))
    control: CohortSettings = field(
        default_factory=lambda: CohortSettings(patients=200, seed=CONTROL_SEED, difficulty="none")
    )
    test_patients: int = 120
    resamples: int = 2000
    training: tuple[str, ...] = (
        *("--members", "5", "--epochs", "11", "--weight-decay", "1", "--settle-norm", "--validation-share", "0.143"),
        *("--rotations", ",".join(f"{angle:g}" for angle in ROTATIONS), "--device", "cpu"),
    )
    judging: tuple[str, ...] = ("--trials", "5", "--controls", "2", "--sanity", "--label-control", "1")

    def to_json(self) -> str:
        """By which a stopped run knows its own files."""
        return json.dumps(asdict(self), sort_keys=True, default=dict)


def build(
    folder: Path,
    recipe: Recipe,
    command: str,
    work: Path,
    *,
    jobs: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> tuple[ModelBundle, dict]:
    """Write a cohort, train on it, test, and write the bundle.

    Args:
        folder: of the bundle; appears when everything is done.
        recipe: what to do.
        command: how to repeat it, for the card.
        work: folder for cohort and training, kept until all is done, so that a stopped run goes on; the report of the
            protocols stays there.
        jobs: trainings side by side.
        overwrite: replace an earlier bundle.
        progress: called with a share done and a text; starts again for each stage.

    Returns:
        The bundle, and the test result as of :func:`~PulsarCAMLib.cli.evaluate_demo.evaluate`.

    Raises:
        InputError: the work's folder holds another recipe's.
        PulsarCAMError: training failed, which has been said.
    """
    began = time.monotonic()
    trained = _trained(recipe, work, jobs, progress)
    fields = {name: value for name, value in trained.card.fields.items() if name not in FILLED_IN}
    result = evaluate(trained, recipe.test_patients, TEST_SEED, recipe.resamples, progress)
    fields |= {"version": __version__, "intended_use": INTENDED_USE}
    fields["training"] = _training(recipe, fields["training"], command, began)
    control = _control(recipe, trained, progress)
    fields["performance"] = _performance(result, fields["performance"], control)
    bundle = save_bundle(folder, trained.ensemble.members, fields, overwrite=overwrite)
    for done in ("cohort", NAME):
        shutil.rmtree(work / done, ignore_errors=True)
    return bundle, result


def _trained(recipe: Recipe, work: Path, jobs: int, progress: Progress | None) -> ModelBundle:
    """The bundle of ``pulsarcam train``; cohort, training and bundle are taken up where they are."""
    from . import main as pulsarcam

    _claim(work, recipe)
    table, out = work / "cohort" / "cohort.csv", work / NAME
    if not table.exists():
        write_cohort(table.parent, recipe.cohort, progress=progress)
    if not out.exists():
        named = ("--name", NAME, "--title", TITLE, "--licence", "Apache-2.0", "--jobs", str(jobs), "--resume")
        if pulsarcam(["train", str(table), "-o", str(out), *named, *recipe.training, *recipe.judging]) != 0:
            raise PulsarCAMError("The training has failed or was stopped; start the same command again to go on.")
    return load_bundle(out)


def _claim(work: Path, recipe: Recipe) -> None:
    from ..io.atomic import write_whole

    mine = work / "recipe.json"
    if not mine.exists():
        work.mkdir(parents=True, exist_ok=True)
        write_whole(mine, recipe.to_json().encode())
    elif mine.read_text(encoding="utf-8") != recipe.to_json():
        raise InputError(f"{work} holds what another recipe has begun; delete it or name another folder (--work).")


def _training(recipe: Recipe, told: dict, command: str, began: float) -> dict:
    """What the card of ``pulsarcam train`` says, and what only this knows."""
    kept = {name: value for name, value in told.items() if name not in ("data", "command")}
    return {
        "data": f"{DATA}. {told['data']}",
        "command": command,
        "train_command": told["command"],
        "machine": "2 CPU cores",
        "minutes_since_last_start": round((time.monotonic() - began) / 60, 1),
        "cohort": _plain(recipe.cohort),
        "seeds_seen": [recipe.cohort.seed, VALIDATION_SEED, recipe.control.seed],
        **kept,
    }


def _control(recipe: Recipe, trained: ModelBundle, progress: Progress | None) -> dict:
    """The same training on patients whose images do not tell the outcome, tested on others of the kind."""
    from ..training.bundles.calibration import ensemble_probability
    from ..training.loop import train_member
    from ..training.permuted_label_control import settings_of_card
    from ..training.units.synthetic_cases import synthetic_samples
    from ..training.validation import predict_logits

    settings = settings_of_card(trained.card)
    samples = synthetic_samples(recipe.control, settings, progress)
    test = replace(recipe.control, seed=TEST_SEED, patients=recipe.test_patients)
    unseen = synthetic_samples(test, settings, progress, only_original=True)
    model = train_member(samples, None, settings, progress=progress).model
    probability = ensemble_probability(predict_logits(model, unseen)[None])
    found = performance_section(unseen.labels, probability, unseen.patients, resamples=recipe.resamples)
    about = "one member trained in the same way on patients without signal, tested on unseen ones without signal"
    return {"about": about, **found}


def _performance(result: dict, told: dict, control: dict) -> dict:
    about = (
        "On unseen SYNTHETIC patients. Intervals: 95 %, bootstrap over patients. Settings were chosen on validation "
        "patients only. Maps: class non-response, in non-responding lesions with planted tissue."
    )
    found = {
        "about": about,
        "command": f"python -m PulsarCAMLib.cli.evaluate_demo --patients {result['patients']} --seed {result['seed']}",
        "machine": "2 CPU cores",
        **{key: rounded(result[key]) for key in ("patients", "seed", "prediction", "maps")},
        "control_without_signal": control,
    }
    if "validation" in told:
        found["validation"] = {"about": told["about"], **told["validation"]}
    return found


def _plain(settings) -> dict:
    """A dataclass as JSON values."""
    return {key: dict(value) if hasattr(value, "items") else value for key, value in asdict(settings).items()}


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m PulsarCAMLib.cli.build_demo",
        description=__doc__,
        epilog="Further options go to pulsarcam train, such as --protocols none.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    recipe = Recipe()
    parser.add_argument("-o", "--output", type=Path, default=SHIPPED / NAME, help="folder of the bundle (%(default)s)")
    parser.add_argument("--overwrite", action="store_true", help="replace a bundle that is already there")
    parser.add_argument("--patients", type=int, default=recipe.cohort.patients, help="of the cohort (%(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="trainings side by side (%(default)s)")
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()) / f"{NAME}-build", help="folder of cohort and "
        "training until all is done, about 3.5 MB a patient; the report stays there (%(default)s)",
    )  # fmt: skip
    options, more = parser.parse_known_args(arguments)
    changed = replace(
        recipe, cohort=replace(recipe.cohort, patients=options.patients), judging=(*recipe.judging, *more)
    )
    command = " ".join(["python -m PulsarCAMLib.cli.build_demo", f"--patients {options.patients}", *more])
    if options.output.exists() and not options.overwrite:
        parser.error(f"{options.output} exists already; choose another folder or add --overwrite")
    own = {"jobs": options.jobs, "overwrite": options.overwrite, "progress": _show}
    try:
        bundle, result = build(options.output, changed, command, options.work, **own)
    except PulsarCAMError as error:
        print(error, file=sys.stderr)
        return 1
    print(report(result))
    control = bundle.card.fields["performance"]["control_without_signal"]
    print(f"\nwithout signal, trained and tested: {control['text']}\n\nBundle: {bundle.folder}")
    return 0


def _show(share: float, text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{share:4.0%} {text:<60}", end="\n" if share == 1 else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
