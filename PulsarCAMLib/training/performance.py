"""How well an ensemble did on the patients set aside, as a section of its card."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.pluralize import pluralize
from ..core.task import Task
from ..systems.learning import Trained, TrainingSamples
from .calibration import ensemble_probability, log_loss

THRESHOLD = 0.5


def performance(
    task: Task,
    settings: Trained,
    logits: np.ndarray,
    temperature: float | None,
    validation: TrainingSamples,
    resamples: int,
) -> dict[str, Any]:
    """The section.

    Args:
        task: what was asked.
        settings: of the training.
        logits: ``[members, N]`` of the positive class, or ``[members, N, classes]``.
        temperature: None where there were too few units to fit one.
        validation: originals of the patients set aside, of two classes or more.
        resamples: of the bootstrap over patients.
    """
    labels, patients = validation.labels, validation.patients
    probability = ensemble_probability(logits, temperature or 1.0)
    if task.binary:
        from ..evaluation.card_sections import performance_section

        positive = task.index(task.positive)
        told = probability if probability.ndim == 1 else probability[:, positive]
        found = performance_section(
            (labels == positive).astype(int), told, patients, threshold=THRESHOLD, resamples=resamples
        )
    else:
        found = _of_classes(task, labels, probability, patients, resamples)
    losses = {"uncalibrated": log_loss(logits, labels), "calibrated": log_loss(logits, labels, temperature or 1.0)}
    units = pluralize(len(validation), task.unit)
    return {
        "about": f"On {units} of {pluralize(found['patients'], 'validation patient')}, "
        f"none of them trained on. {_caution(settings, temperature)}Intervals: 95 %, bootstrap over patients",
        "validation": found | {"log_loss": {name: round(value, 4) for name, value in losses.items()}},
    }


def _caution(settings: Trained, temperature: float | None) -> str:
    """What was chosen on the patients on which the figures were measured."""
    chosen = ["the epoch was chosen"] if settings.patience else []
    chosen += ["the temperature was fitted"] if temperature else []
    text = f"On the same patients {' and '.join(chosen)}, so this is no independent test. " if chosen else ""
    return text if temperature else f"{text}They are too few to calibrate on: the temperature is 1. "


def _of_classes(
    task: Task, labels: np.ndarray, probability: np.ndarray, patients: np.ndarray, resamples: int
) -> dict[str, Any]:
    """Accuracy, balanced accuracy and sensitivity for each class of more than two, with intervals over patients."""
    from ..evaluation.card_sections import rounded
    from ..evaluation.resampling import interval, patient_weights

    called = probability.argmax(axis=1)
    weights = patient_weights(patients, resamples, np.random.default_rng(0))
    decisions = np.zeros((len(task.names), len(task.names)), dtype=int)
    np.add.at(decisions, (labels, called), 1)
    right = (called == labels).astype(float)
    of_class = [labels == number for number in range(len(task.names))]
    there = [part for part in of_class if part.any()]

    def share(part: np.ndarray, weighed: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return (weighed[:, part] * right[part]).sum(axis=1) / weighed[:, part].sum(axis=1)

    def figure(parts: list[np.ndarray]) -> dict[str, Any]:
        once = np.ones((1, len(labels)))
        drawn = np.mean([share(part, weights) for part in parts], axis=0)
        drawn = drawn[np.isfinite(drawn)]
        low, high = interval(drawn) if len(drawn) else (np.nan, np.nan)
        return {"value": float(np.mean([share(part, once)[0] for part in parts])), "low": low, "high": high}

    metrics = {"accuracy": figure([np.ones(len(labels), dtype=bool)]), "balanced_accuracy": figure(there)}
    for name, part in zip(task.names, of_class, strict=True):
        if part.any():
            metrics[f"sensitivity_{task.of(name).column}"] = figure([part])
    balanced = metrics["balanced_accuracy"]
    chance = 1 / len(there)
    text = (
        f"balanced accuracy {balanced['value']:.2f} (95 % {balanced['low']:.2f} to {balanced['high']:.2f}; "
        f"guessing gives {chance:.2f}) over {len(there)} classes"
    )
    return rounded({
        "text": text,
        f"{task.unit}s": len(labels),
        "patients": len(np.unique(patients)),
        "level": 0.95,
        "metrics": metrics,
        "decisions": {"classes": list(task.names), "of_class_called": decisions.tolist()},
    })  # fmt: skip
