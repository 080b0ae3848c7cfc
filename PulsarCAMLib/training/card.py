"""The card of a model trained on a cohort: how, on how many lesions, how well; nothing that names anybody."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.pluralize import pluralize
from ..systems.autoencoder.samples import Samples
from ..systems.autoencoder.training_settings import TrainingSettings
from .calibration import ensemble_probability, fit_temperature, log_loss
from .trial import TrialResult, counts_of, samples_digest, software
from .validation import dead_maps

LARGEST_CURVES = 20_000
"""Numbers of all curves together; beyond, only every n-th epoch is kept in the card."""

THRESHOLD = 0.5

FEWEST_TO_CALIBRATE = 10
"""Validation lesions below which a temperature would be fitted to chance."""


@dataclass(frozen=True)
class Origin:
    """What a model was trained on, in the words of its card.

    Attributes:
        name, title: of the model.
        synthetic: whether the lesions were generated.
        time_point: of the MRIs.
        shrinkage: share of its volume that a responding lesion loses.
        command: how it was trained, without names of files.
        sources: how often each source of the response was used.
        inputs_sha256, table_sha256: hashes of all images and masks together, and of the table.
        licence: of the weights.
    """

    name: str
    title: str
    synthetic: bool
    time_point: str
    shrinkage: float
    command: str
    sources: dict[str, int]
    inputs_sha256: str
    table_sha256: str
    licence: str


def card_fields(
    origin: Origin, trained: Sequence[TrialResult], samples: Samples, validation: Samples, resamples: int = 2000
) -> dict[str, Any]:
    """All fields that :func:`~PulsarCAMLib.systems.bundle.save_bundle` wants.

    The temperature is fitted on the validation patients, and the performance is measured on them. With few of them the
    temperature is 1; without lesions of both classes nothing is measured, and the card says so.

    Args:
        origin: what is not in the samples.
        trained: the members.
        samples: they were trained on.
        validation: originals of other patients; may be empty.
        resamples: of the bootstrap over patients.
    """
    settings = trained[0].settings
    logits = np.stack([each.logits(validation) for each in trained]) if len(validation) else None
    measurable = logits is not None and len(np.unique(validation.labels)) == 2
    calibrated = measurable and len(validation) >= FEWEST_TO_CALIBRATE
    temperature = fit_temperature(logits, validation.labels) if calibrated else 1.0
    performance = {"about": "Not measured: no patients of both classes were set aside."}
    if measurable:
        performance = _performance(settings, logits, temperature if calibrated else None, validation, resamples)
    return {
        "name": origin.name,
        "title": origin.title,
        "version": "1",
        "synthetic": origin.synthetic,
        "preprocessing": settings.preprocessing.to_card(),
        "response": {
            "definition": f"response: the lesion's volume at follow-up is below {100 * (1 - origin.shrinkage):g} % of "
            "its volume at baseline",
            "shrinkage_threshold": round(1 - origin.shrinkage, 6),
        },
        "decision": {"threshold": THRESHOLD, "temperature": round(temperature, 4)},
        "training": _training(origin, trained, samples, validation),
        "performance": performance,
        "intended_use": _intended_use(origin, samples),
        "licence": origin.licence,
    }


def _training(origin: Origin, trained: Sequence[TrialResult], samples: Samples, validation: Samples) -> dict[str, Any]:
    counts, aside = counts_of(samples), counts_of(validation)
    kind = "SYNTHETIC lesions" if origin.synthetic else "lesions"
    return {
        "data": f"{counts['lesions']} {kind} of {pluralize(counts['patients'], 'patient')} ({counts['responses']} "
        f"responding), MRI at time point “{origin.time_point}”; {pluralize(aside['lesions'], 'lesion')} of "
        f"{pluralize(aside['patients'], 'other patient')} set aside for validation",
        "counts": {"training": counts, "validation": aside},
        "response_from": origin.sources,
        "command": origin.command,
        "settings": trained[0].settings.to_card(),
        "seeds": [each.settings.seed for each in trained],
        "software": {**software(), "python": platform.python_version()},
        "sha256": {
            "table": origin.table_sha256,
            "images_and_masks": origin.inputs_sha256,
            "training_samples": samples_digest(samples),
            "validation_samples": samples_digest(validation),
        },
        "epochs": [each.epochs for each in trained],
        "best_epoch": [each.best_epoch for each in trained],
        "dead_feature_maps": [dead_maps(each.model(), samples.originals()) for each in trained],
        "curves": curves(trained),
    }


def curves(trained: Sequence[TrialResult]) -> list[dict[str, list[float | None]]]:
    """Every member's curves as columns, four significant digits; None where a figure was not measured."""
    numbers = sum(len(each.history) * len(each.history[-1]) for each in trained)
    step = max(1, -(-numbers // LARGEST_CURVES))
    found = []
    for each in trained:
        rows = [row for n, row in enumerate(each.history) if n % step == 0 or n == len(each.history) - 1]
        names = dict.fromkeys(name for row in rows for name in row)
        found.append({name: [_short(row.get(name)) for row in rows] for name in names})
    return found


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _performance(
    settings: TrainingSettings, logits: np.ndarray, temperature: float | None, validation: Samples, resamples: int
) -> dict[str, Any]:
    from ..evaluation.card_sections import performance_section

    labels, patients = validation.labels, validation.patients
    probability = ensemble_probability(logits, temperature or 1.0)
    found = performance_section(labels, probability, patients, threshold=THRESHOLD, resamples=resamples)
    losses = {"uncalibrated": log_loss(logits, labels), "calibrated": log_loss(logits, labels, temperature or 1.0)}
    return {
        "about": f"On {pluralize(found['lesions'], 'lesion')} of {pluralize(found['patients'], 'validation patient')}, "
        f"none of them trained on. {_caution(settings, temperature)}Intervals: 95 %, bootstrap over patients",
        "validation": found | {"log_loss": {name: round(value, 4) for name, value in losses.items()}},
    }


def _caution(settings: TrainingSettings, temperature: float | None) -> str:
    """What was chosen on the patients on which the figures were measured."""
    chosen = ["the epoch was chosen"] if settings.patience else []
    chosen += ["the temperature was fitted"] if temperature else []
    text = f"On the same patients {' and '.join(chosen)}, so this is no independent test. " if chosen else ""
    return text if temperature else f"{text}They are too few to calibrate on: the temperature is 1. "


def _intended_use(origin: Origin, samples: Samples) -> str:
    if origin.synthetic:
        return (
            "Demonstration and tests only. The model was trained on SYNTHETIC lesions; its answer on a patient's MRI "
            "means nothing."
        )
    lesions = counts_of(samples)["lesions"]
    return (
        f"Research only, not for diagnosis or treatment decisions. Trained on {lesions} lesions of one cohort and not "
        "tested on any other: expect worse on other scanners, sequences and treatments."
    )
