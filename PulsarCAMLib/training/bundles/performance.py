"""How well an ensemble did on the patients set aside, as a section of its card."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.pluralize import pluralize
from ...core.task import PATIENT, Task
from ...core.vocabulary import ALL, FOLDS, MEAN
from ...systems.learning.learner import Trained, TrainingSamples
from .calibration import Calibration, ensemble_probability, log_loss

THRESHOLD = 0.5


def performance(
    task: Task,
    settings: Trained,
    logits: np.ndarray,
    calibration: Calibration | None,
    validation: TrainingSamples,
    resamples: int,
) -> dict[str, Any]:
    """The section.

    Args:
        task: what was asked.
        settings: of the training.
        logits: ``[members, N]`` of the positive class, or ``[members, N, classes]``.
        calibration: None where there were too few units to fit a temperature.
        validation: originals of the patients set aside, of every class.
        resamples: of the bootstrap over patients.
    """
    from ...evaluation.card_sections import performance_section

    labels, temperature = validation.labels, calibration.temperature if calibration else 1.0
    probability = ensemble_probability(logits, temperature, getattr(settings, "ensemble", MEAN))
    told = probability[:, task.index(task.positive)] if task.binary and probability.ndim == 2 else probability
    found = performance_section(labels, told, validation.patients, threshold=THRESHOLD, resamples=resamples, task=task)
    uncalibrated = calibration.uncalibrated if calibration else log_loss(logits, labels)
    losses = {"uncalibrated": uncalibrated, "calibrated": calibration.held_out if calibration else uncalibrated}
    caution = _caution(settings, calibration, len(logits))
    units = pluralize(found["patients"], "validation patient")
    if task.unit != PATIENT:
        units = f"{pluralize(len(validation), task.unit)} of {units}"
    return {
        "about": f"On {units}, none of them trained on. {caution}Intervals: 95 %, bootstrap over patients",
        "validation": found | {"log_loss": {name: round(value, 4) for name, value in losses.items()}},
    }


def epoch_chosen(settings: Trained, members: int) -> bool:
    """Whether the patients set aside also chose the epoch; on folds of their own members stop by these."""
    on_folds = getattr(settings, "members_learn", ALL) == FOLDS and members > 1
    return bool(settings.patience) and not on_folds


def _caution(settings: Trained, calibration: Calibration | None, members: int) -> str:
    """What was chosen on the patients on which the figures were measured."""
    chosen = ["the epoch was chosen"] if epoch_chosen(settings, members) else []
    chosen += ["the temperature was fitted"] if calibration else []
    text = f"On the same patients {' and '.join(chosen)}, so this is no independent test. " if chosen else ""
    if calibration:
        return f"{text}The calibrated log loss is of temperatures fitted without the patient who judges them. "
    return f"{text}They are too few to calibrate on: the temperature is 1. "
