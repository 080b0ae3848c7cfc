"""The card of a model trained on a cohort: how, on how many lesions, how well; nothing that names anybody."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...cohort.labels.response import shrinkage_section
from ...core.pluralize import pluralize
from ...core.task import PATIENT, SHRINKAGE, VISIT, Task
from ...core.vocabulary import MAJORITY, MEAN
from ...evaluation.conformal import conformal_section
from ...explanation.probabilities import class_probabilities
from ...systems.learning.learner import Trained, TrainingSamples
from ..trial import TrialResult, counts_of, samples_digest, software
from .calibration import calibrate
from .performance import THRESHOLD, epoch_chosen, performance

LARGEST_CURVES = 20_000
"""Numbers of all curves together; beyond, only every n-th epoch is kept in the card."""

FEWEST_TO_CALIBRATE = 10
"""Validation units (lesions) below which a temperature would be fitted to chance."""


@dataclass(frozen=True)
class Origin:
    """What a model was trained on, in the words of its card.

    Attributes:
        name, title: of the model.
        synthetic: whether the patients were generated.
        time_point: of the MRIs.
        shrinkage: share of its volume that a responding lesion loses, where labels come from shrinkage.
        command: how it was trained, without names of files.
        sources: how often each source of the labels was used.
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
    origin: Origin,
    trained: Sequence[TrialResult],
    samples: TrainingSamples,
    validation: TrainingSamples,
    resamples: int = 2000,
) -> dict[str, Any]:
    """All fields that :func:`~PulsarCAMLib.systems.bundles.bundle.save_bundle` wants.

    Temperature and sets of classes are calibrated on the validation patients, and the performance is measured on them.
    With few of them the temperature is 1; without every class among them nothing is measured, and the card says so.

    Args:
        origin: what is not in the samples.
        trained: the members.
        samples: they were trained on.
        validation: originals of other patients; may be empty.
        resamples: of the bootstrap over patients.
    """
    settings, system = trained[0].settings, trained[0].system
    task = system.task
    logits = np.stack([each.logits(validation) for each in trained]) if len(validation) else None
    measurable = logits is not None and len(np.unique(validation.labels)) == len(task.classes)
    calibrated = measurable and len(validation) >= FEWEST_TO_CALIBRATE
    found = calibrate(logits, validation.labels, validation.patients, task) if calibrated else None
    measured = {"about": f"Not measured: no patients of {task.every_class} were set aside."}
    if measurable:
        measured = performance(task, settings, logits, found, validation, resamples)
    reference = system.reference_section([each.model() for each in trained], samples.originals())
    return {
        "name": origin.name,
        "title": origin.title,
        "version": "1",
        "synthetic": origin.synthetic,
        "architecture": settings.architecture.to_card(),
        "preprocessing": settings.preprocessing.to_card(),
        **({"response": shrinkage_section(origin.shrinkage)} if task.label.kind == SHRINKAGE else {}),
        "decision": {
            **({"threshold": THRESHOLD} if task.binary else {}),
            "temperature": round(found.temperature if found else 1.0, 4),
            **({"ensemble": MAJORITY} if getattr(settings, "ensemble", MEAN) == MAJORITY else {}),
        },
        "training": _training(origin, trained, samples, validation),
        "performance": measured,
        **({"reference": reference} if reference else {}),
        **({"conformal": _conformal(settings, task, logits, validation)} if measurable else {}),
        "intended_use": _intended_use(origin, samples, task),
        "licence": origin.licence,
    }


def _conformal(settings: Trained, task: Task, logits: np.ndarray, validation: TrainingSamples) -> dict[str, Any]:
    """Sets of classes with a chosen error rate, from the same patients."""
    probabilities = class_probabilities(logits, task).mean(axis=1).T
    chosen = "The epoch was chosen on the same patients, so the promise holds only about" * epoch_chosen(
        settings, len(logits)
    )
    return conformal_section(validation.labels, probabilities, validation.patients, task, also_chosen=chosen)


def _training(
    origin: Origin, trained: Sequence[TrialResult], samples: TrainingSamples, validation: TrainingSamples
) -> dict[str, Any]:
    system = trained[0].system
    task, unit = system.task, system.task.unit
    counts, aside = counts_of(samples, task), counts_of(validation, task)
    kind = f"SYNTHETIC {unit}s" if origin.synthetic else f"{unit}s"
    told = [task.of(task.positive)] if task.binary else task.classes
    number = {task.positive: counts[f"{task.positive}s"]} if task.binary else counts["classes"]
    classes = ", ".join(f"{number[each.name]} {each.adjective}" for each in told)
    whole = f"{counts[f'{unit}s']} {kind}"
    if unit != PATIENT:
        whole += f" of {pluralize(counts['patients'], 'patient')}"
    left = pluralize(aside["patients"], "other patient")
    if unit != PATIENT:
        left = f"{pluralize(aside[f'{unit}s'], unit)} of {left}"
    which = "each with the one before" if unit == VISIT else f"MRI at time point “{origin.time_point}”"
    return {
        "data": f"{whole} ({classes}), {which}; {left} set aside for validation",
        "counts": {"training": counts, "validation": aside},
        f"{task.label.column}_from": origin.sources,
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
        **system.training_facts([each.model() for each in trained], samples.originals()),
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


def _intended_use(origin: Origin, samples: TrainingSamples, task: Task) -> str:
    if origin.synthetic:
        return (
            f"Demonstration and tests only. The model was trained on SYNTHETIC {task.unit}s; its answer on a "
            "patient's MRI means nothing."
        )
    units = counts_of(samples, task)[f"{task.unit}s"]
    return (
        f"Research only, not for diagnosis or treatment decisions. Trained on {units} {task.unit}s of one cohort and "
        "not tested on any other: expect worse on other scanners, sequences and treatments."
    )
