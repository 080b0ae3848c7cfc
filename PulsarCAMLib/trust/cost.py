"""How long the checks of maps will take, told before they start: what one unit's maps and answers take, and how often.

Only what is asked of networks is counted; on volumes that is nearly all.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.pluralize import pluralize
from .maps import MapNames
from .perturbation import shifts
from .randomisation import stages_of
from .subjects import Subject

if TYPE_CHECKING:
    from ..systems.bundles.bundle import ModelBundle
    from .checks import Settings

SHORT_SECONDS = 60.0
"""What takes less is not told."""


@dataclass(frozen=True)
class ChecksCost:
    """What checks cost.

    Attributes:
        units: how many.
        unit: "patient".
        rounds: how often the maps of all units are computed.
        answers: how often a unit is asked for an answer alone.
        seconds_a_map, seconds_an_answer: of one unit, measured.
    """

    units: int
    unit: str
    rounds: int
    answers: int
    seconds_a_map: float
    seconds_an_answer: float

    @property
    def seconds(self) -> float:
        """In all."""
        return self.units * (self.rounds * self.seconds_a_map + self.answers * self.seconds_an_answer)

    def in_words(self) -> str:
        """One sentence; empty for what is done soon."""
        if self.seconds < SHORT_SECONDS:
            return ""
        return (
            f"The checks compute the maps of {pluralize(self.units, self.unit)} {self.rounds} times over "
            f"({self.seconds_a_map:.1f} s each here) and ask for {self.answers} more answers of each, which takes "
            f"about {duration(self.seconds)}; fewer random models, {self.unit}s or methods make it shorter."
        )


def duration(seconds: float) -> str:
    """ "3 minutes", "2.5 hours"."""
    return pluralize(max(1, round(seconds / 60)), "minute") if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def cost_of_checks(
    bundle: ModelBundle, subjects: Sequence[Subject], settings: Settings, names: MapNames, label_controls: int = 0
) -> ChecksCost:
    """What the checks of some units cost, from the maps and the answer of the first.

    Args:
        bundle: the model.
        subjects: units.
        settings: with their number of draws.
        names: of the maps.
        label_controls: models on permuted labels.
    """
    system, predictor, first = bundle.card.system, bundle.ensemble, subjects[0]
    images, masks = np.asarray(first.image)[None], np.asarray(first.told)[None]
    began = time.perf_counter()
    own: dict[str, Any] = {"choices": names.choices} if names.choices else {}
    system.explain(predictor, images, masks, names.model, **own)
    mapped = time.perf_counter() - began
    began = time.perf_counter()
    system.answers(predictor, images, masks)
    answered = time.perf_counter() - began
    rounds = 1 + len(stages_of(system.layers(predictor.members[0]))) * (settings.draws or 1)
    rounds += label_controls + len(list(shifts(images.ndim - 2))) + len(first.turned) + 1 + 1
    rounds += any(subject.planted is not None for subject in subjects)
    orders = len(names.every) + settings.random_orders
    answers = 2 * orders * (settings.steps + 1) + (len(names.channels) if len(names.channels) > 1 else 0)
    return ChecksCost(len(subjects), system.task.unit, rounds, answers, mapped, answered)
