"""How a result is shown: one value from the panel's parameter node and the command line to scene, files and report."""

from __future__ import annotations

from dataclasses import dataclass, field

from .errors import InputError
from .task import Task
from .vocabulary import DEFAULT_MARGIN_MM, NORMALISATIONS, STATISTICS, THRESHOLD_KINDS

CLEAR_UNTIL = 0.35
"""Opacity of a map over an image grows up to this share of the scale, then stays: weak evidence lets it through."""


@dataclass(frozen=True)
class Threshold:
    """When a voxel counts as activated.

    Attributes:
        kind: ``"fraction"``: above this fraction of the unit's joint maximum of all classes, so that a class with
            hardly any evidence has no sub-region; ``"percentile"``: above this percentile of the unit's voxels (and
            above zero); ``"value"``: above this raw value.
        value: the number.

    Raises:
        InputError: unknown kind or a number out of range.
    """

    kind: str = "fraction"
    value: float = 0.5

    def __post_init__(self) -> None:
        top = {"fraction": 1.0, "percentile": 100.0, "value": float("inf")}.get(self.kind)
        if top is None:
            raise InputError(f"The threshold's kind must be one of {', '.join(THRESHOLD_KINDS)}, not {self.kind!r}.")
        if not 0 <= self.value <= top:
            raise InputError(f"A {self.kind} threshold must lie between 0 and {top:g}, not {self.value}.")

    def in_words(self, task: Task) -> str:
        """Which voxels of a unit of that task count, after "voxels".

        Examples:
            >>> from PulsarCAMLib.systems.registry import system_of
            >>> Threshold("fraction", 0.3).in_words(system_of().task)
            "above 30% of the lesion's joint maximum of both classes"
            >>> Threshold("percentile", 90).in_words(system_of().task)
            "above percentile 90 of the lesion's voxels"
        """
        return {
            "fraction": f"above {self.value:.0%} of the {task.unit}'s joint maximum of {task.every_class}",
            "percentile": f"above percentile {self.value:g} of the {task.unit}'s voxels",
            "value": f"above {self.value:g}",
        }[self.kind]


def check_choice(what: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise InputError unless ``value`` is one of ``allowed``."""
    if value not in allowed:
        raise InputError(f"The {what} must be one of {', '.join(allowed)}; it is {value!r}.")


@dataclass(frozen=True)
class DisplaySettings:
    """How a result is shown.

    Attributes:
        method: name of a map method of the result's system.
        target: a class of its task, or "predicted": each unit's own.
        statistic: of :data:`STATISTICS`: what of the ensemble lies over the MRI.
        normalisation: of :data:`NORMALISATIONS`.
        restrict: whether the map ends at the border of the unit.
        threshold: from where on a voxel belongs to a sub-region.
        margin_mm: width of the rim that tables tell apart from the core.
        input: name of the one input whose map is shown, on its own grid; "": all inputs together.

    Raises:
        InputError: a statistic or normalisation that is not known.
    """

    method: str
    target: str
    statistic: str = STATISTICS[0]
    normalisation: str = NORMALISATIONS[0]
    restrict: bool = True
    threshold: Threshold = field(default_factory=Threshold)
    margin_mm: float = DEFAULT_MARGIN_MM
    input: str = ""

    def __post_init__(self) -> None:
        check_choice("statistic", self.statistic, STATISTICS)
        check_choice("normalisation", self.normalisation, NORMALISATIONS)
