"""Train the bundle that ships: ``python -m PulsarCAMLib.training.build_demo``.

Everything is synthetic and seeded. Patients to train on, to calibrate and choose settings on, and to test on have
seeds of their own; the test patients are generated after training and nothing is chosen by them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from .. import __version__
from ..cohort import CohortSettings
from ..errors import PulsarCAMError
from ..evaluation.demo import TEST_SEED, evaluate, report
from ..evaluation.discrimination import discrimination
from ..lesions import Preprocessing
from ..models import Architecture, save_bundle
from ..models.bundle import SHIPPED
from .calibration import fit_temperature, log_loss
from .loop import TrainedMember, TrainingSettings, predict_logits, train_ensemble
from .synthetic_cases import synthetic_samples

NAME = "synthetic-demo"
TRAINING_SEED, VALIDATION_SEED, CONTROL_SEED = 1000, 2000, 3000

ROTATIONS = (20.0, 65.0, 110.0, 155.0, 200.0, 245.0, 290.0, 335.0)
"""Degrees, all around the circle."""

INTENDED_USE = (
    "Demonstration, teaching and tests of PulsarCAM only. The model was trained on SYNTHETIC lesions whose texture "
    "decides the outcome by construction; its answer on a patient's MRI means nothing."
)

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out.

    Where it leaves the paper: rotations all around the circle and many more lesions, because the dense head learns each
    position on its own and the pixel-wise map shows where it has not; fewer epochs, because an epoch has some 30 times
    as many samples; a weight decay that acts (the paper's 1e-4 does nothing in AdamW at this learning rate, so that
    dense weights keep their random start); batch-norm statistics taken anew at the end. Chosen on validation patients.
    """

    members: int = 5
    training: CohortSettings = field(default_factory=lambda: CohortSettings(patients=600, seed=TRAINING_SEED))
    validation: CohortSettings = field(default_factory=lambda: CohortSettings(patients=100, seed=VALIDATION_SEED))
    control: CohortSettings = field(
        default_factory=lambda: CohortSettings(patients=200, seed=CONTROL_SEED, difficulty="none")
    )
    test_patients: int = 120
    resamples: int = 2000
    rotations: tuple[float, ...] = ROTATIONS
    architecture: Architecture = field(default_factory=Architecture)
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    settings: TrainingSettings = field(
        # micro_batch=0: the sums of the run whose figures the card shows, to the last bit
        default_factory=lambda: TrainingSettings(
            epochs=11, weight_decay=1.0, settle_norm=True, validate_every=5, micro_batch=0, device="cpu"
        )
    )

    def member_settings(self) -> TrainingSettings:
        """Everything about a member's training in one value."""
        own = {"rotations": self.rotations, "architecture": self.architecture, "preprocessing": self.preprocessing}
        return replace(self.settings, **own)


def build(folder: Path, recipe: Recipe, command: str, *, overwrite: bool = False, progress: Progress | None = None):
    """Train, calibrate, test and write the bundle.

    Args:
        folder: of the bundle; appears when everything is done.
        recipe: what to do.
        command: how to repeat it, for the card.
        overwrite: replace an earlier bundle.
        progress: called with a share done and a text; starts again for each stage.

    Returns:
        The bundle, and the test result as of :func:`~PulsarCAMLib.evaluation.demo.evaluate`.
    """
    torch.set_num_threads(1)  # the same sums in the same order on every machine, and no slower at this size
    began = time.monotonic()
    samples = synthetic_samples(recipe.training, recipe.preprocessing, recipe.rotations, progress)
    validation = synthetic_samples(recipe.validation, recipe.preprocessing, (), progress)
    trained = train_ensemble(samples, recipe.members, validation, recipe.member_settings(), progress=progress)
    logits = np.stack([predict_logits(member.model, validation) for member in trained])
    temperature = fit_temperature(logits, validation.labels)
    fields = _card(recipe, temperature, command)
    fields["training"] |= _training_figures(samples, validation, trained, logits, temperature)
    fields["training"]["minutes"] = round((time.monotonic() - began) / 60, 1)
    models = [member.model for member in trained]
    with tempfile.TemporaryDirectory() as scratch:
        untested = save_bundle(Path(scratch) / NAME, models, fields)
        result = evaluate(untested, recipe.test_patients, TEST_SEED, recipe.resamples, progress)
    fields["performance"] = _performance(result, _control(recipe, progress))
    return save_bundle(folder, models, fields, overwrite=overwrite), result


def _control(recipe: Recipe, progress: Progress | None) -> dict:
    """The same training on patients whose images do not tell the outcome, tested on others of the kind."""
    samples = synthetic_samples(recipe.control, recipe.preprocessing, recipe.rotations, progress)
    test = replace(recipe.control, seed=TEST_SEED, patients=recipe.test_patients)
    unseen = synthetic_samples(test, recipe.preprocessing, (), progress)
    trained = train_ensemble(samples, 1, None, recipe.member_settings(), progress=progress)
    scores = predict_logits(trained[0].model, unseen)
    found = discrimination(unseen.labels, scores, unseen.patients, resamples=recipe.resamples)
    about = "one member trained in the same way on patients without signal, tested on unseen ones without signal"
    differs = found.differs_from_chance
    return {"about": about, **asdict(found), "differs_from_chance": differs, "text": found.sentence()}


def _card(recipe: Recipe, temperature: float, command: str) -> dict:
    return {
        "name": NAME,
        "title": "Synthetic demonstration model",
        "version": __version__,
        "synthetic": True,
        "preprocessing": recipe.preprocessing.to_card(),
        "response": {
            "definition": "response: the lesion's volume at follow-up is below 80 % of its volume at baseline",
            "shrinkage_threshold": recipe.training.shrinkage_threshold,
        },
        "decision": {"threshold": 0.5, "temperature": round(temperature, 4)},
        "training": {
            "data": "SYNTHETIC brain metastases in MRI-like surroundings (PulsarCAMLib.cohort); no patient's data",
            "command": command,
            "machine": "2 CPU cores, one of them used for training",
            "software": {"PulsarCAM": __version__, "torch": torch.__version__},
            "cohort": _plain(recipe.training),
            "validation_cohort": _plain(recipe.validation),
            "seeds_seen": [recipe.training.seed, recipe.validation.seed, recipe.control.seed],
            "rotations_degrees": list(recipe.rotations),
            "settings": recipe.member_settings().to_card(),
        },
        "performance": {},
        "intended_use": INTENDED_USE,
        "licence": "Apache-2.0",
    }


def _training_figures(samples, validation, trained: list[TrainedMember], logits, temperature: float) -> dict:
    return {
        "lesions": len(samples.originals()),
        "samples": len(samples),
        "responses": int(samples.originals().labels.sum()),
        "validation_lesions": len(validation),
        "validation_log_loss": {
            "uncalibrated": round(log_loss(logits, validation.labels), 4),
            "calibrated": round(log_loss(logits, validation.labels, temperature), 4),
        },
        "last_epoch_of_each_member": [_rounded(member.history[-1]) for member in trained],
    }


def _performance(result: dict, control: dict) -> dict:
    about = (
        "On unseen SYNTHETIC patients. Intervals: 95 %, bootstrap over patients. Settings were chosen on validation "
        "patients only. Maps: class non-response, in non-responding lesions with planted tissue."
    )
    return {
        "about": about,
        "command": f"python -m PulsarCAMLib.evaluation.demo --patients {result['patients']} --seed {result['seed']}",
        "machine": "2 CPU cores",
        **{key: _rounded(result[key]) for key in ("patients", "seed", "prediction", "maps")},
        "control_without_signal": _rounded(control),
    }


def _plain(settings) -> dict:
    """A dataclass as JSON values."""
    return {key: dict(value) if hasattr(value, "items") else value for key, value in asdict(settings).items()}


def _rounded(value):
    """Numbers with four decimals, at any depth."""
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    return round(float(value), 4) if isinstance(value, float) else value


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m PulsarCAMLib.training.build_demo", description=__doc__)
    recipe = Recipe()
    parser.add_argument("-o", "--output", type=Path, default=SHIPPED / NAME, help="folder of the bundle (%(default)s)")
    parser.add_argument("--overwrite", action="store_true", help="replace a bundle that is already there")
    parser.add_argument("--patients", type=int, default=recipe.training.patients, help="to train on (%(default)s)")
    parser.add_argument("--epochs", type=int, default=recipe.settings.epochs, help="(%(default)s)")
    parser.add_argument("--members", type=int, default=recipe.members, help="models in the ensemble (%(default)s)")
    options = parser.parse_args(arguments)
    changed = replace(
        recipe,
        members=options.members,
        training=replace(recipe.training, patients=options.patients),
        settings=replace(recipe.settings, epochs=options.epochs),
    )
    command = (
        f"python -m PulsarCAMLib.training.build_demo --patients {options.patients} --epochs {options.epochs} "
        f"--members {options.members}"
    )
    if options.output.exists() and not options.overwrite:
        parser.error(f"{options.output} exists already; choose another folder or add --overwrite")
    try:
        bundle, result = build(options.output, changed, command, overwrite=options.overwrite, progress=_show)
    except PulsarCAMError as error:
        print(error, file=sys.stderr)
        return 1
    print(report(result))
    print(
        f"\nwithout signal, trained and tested: {bundle.card.fields['performance']['control_without_signal']['text']}"
    )
    print(f"\nBundle: {bundle.folder}")
    return 0


def _show(share: float, text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{share:4.0%} {text:<60}", end="\n" if share == 1 else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
