"""Units of a cohort as samples in memory, through the system's own copies. No torch here: samples are plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..core.errors import InputError
from ..systems.contract import LabelledUnit, System
from ..systems.learning import TrainingSamples

__all__ = ["TrainingSamples", "collect_samples"]


def collect_samples(
    units: Iterable[LabelledUnit],
    system: System,
    settings: Any,
    tell: Callable[[str], None] | None = None,
    *,
    only_original: bool = False,
) -> TrainingSamples:
    """The samples of every unit: as it is, and changed as the settings want it.

    Args:
        units: labelled; taken one at a time, so that a generator never holds more than one patient's images.
        system: that knows how they become samples.
        settings: of the training.
        tell: is called with each warning about a sample, such as that a lesion had to be shrunk.
        only_original: without changed copies.

    Raises:
        InputError: there are no units, or an image cannot be used.
    """
    rows: list[tuple] = []
    for unit in units:
        for copy in system.copies(unit, settings, only_original=only_original):
            for sentence in copy.warnings if tell and copy.change == 0 else ():
                tell(sentence)
            rows.append((copy.image, copy.mask, unit.label, unit.patient, unit.name, copy.change))
    if not rows:
        task = system.task
        raise InputError(
            f"There is no labelled {task.unit} to train on; check the cohort's {task.label.column} column."
        )
    images, masks, labels, patients, names, changes = zip(*rows, strict=True)
    return TrainingSamples(
        np.stack(images),
        np.stack(masks),
        np.array(labels, dtype=np.int64),
        np.array(patients),
        np.array(names),
        np.array(changes, dtype=float),
    )
