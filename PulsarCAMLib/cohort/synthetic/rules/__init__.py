"""Rules that decide the outcome in a synthetic cohort: one file each, and the truth they plant voxel by voxel.

In every rule the same tumours are drawn; the rule adds its marks from a random stream of its own, so that cohorts of
one seed differ in the rule alone. What it adds is matched: nothing but the rule tells the classes apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import (
    added_texture,
    blurred_margin,
    dark_niche,
    missing_rim,
    necrotic_share,
    nothing,
    outside,
    shape,
    size,
    uniform_intensity,
)
from .mark import Mark
from .rule import PLACES, Rule

if TYPE_CHECKING:
    from ..lesions import Tumour
    from ..settings import CohortSettings

_MODULES = (
    *(added_texture, dark_niche, missing_rim, necrotic_share, blurred_margin),
    *(uniform_intensity, size, shape, outside, nothing),
)

RULES: dict[str, Rule] = {module.RULE.name: module.RULE for module in _MODULES}
"""By name, in the order of :data:`PulsarCAMLib.core.vocabulary.RULES`."""

_RULE = 7003
"""Begins the rules' random streams, apart from those of anatomy, dose and clinical facts."""


def rule_of(settings: CohortSettings) -> Rule:
    """The rule of a cohort."""
    near = settings.near_contour and settings.rule == outside.RULE.name
    return outside.NEAR if near else RULES[settings.rule]


class Plan:
    """What the rule says of the lesions of one patient.

    Attributes:
        rule: of the cohort.
        by_tissue: whether it is the tumour's own growing tissue that decides, as in cohorts without other rules.
    """

    def __init__(self, settings: CohortSettings, index: int) -> None:
        self._settings, self._index = settings, index
        self.rule = rule_of(settings)
        self.by_tissue = self.rule is added_texture.RULE
        self._alike = bool(self._stream(0).random() < 0.5) if settings.labels_alike else None

    def _stream(self, number: int) -> np.random.Generator:
        return np.random.default_rng([self._settings.seed, self._index, _RULE, number])

    def against(self, number: int) -> bool | None:
        """Whether the rule speaks against a response of lesion ``number`` (from 1); None: the tumour's own coin."""
        if self._alike is not None:
            return self._alike
        return None if self.by_tissue else bool(self._stream(number).random() < 0.5)

    def diameter_mm(self, number: int, drawn: float) -> float:
        """Equivalent diameter, given the one drawn without the rule."""
        low, high = self._settings.diameter_mm
        against = self.against(number)
        if against is None or high == low:
            return drawn
        return low + (high - low) * self.rule.size((drawn - low) / (high - low), against)

    def finished(self, number: int, tumour: Tumour) -> Tumour:
        """The tumour with the rule's marks, and with the course that the rule decides."""
        from dataclasses import replace

        from ..lesions import courses_of

        rng, against, numbers = self._stream(number), self.against(number), self._settings.numbers
        rng.random()  # the coin of against()
        if not self.by_tissue:
            bare = replace(tumour, nest=None, resistant=bool(against))
            follows = not against if numbers.outcome_follows_tissue else bool(rng.random() < 0.5)
            shrinks = follows and rng.random() >= numbers.unexplained
            courses = courses_of(rng, tumour.radius, shrinks, numbers)
            tumour = replace(bare, marks=self.rule.marks(rng, bare, bool(against)), courses=courses)
        if self._settings.near_contour and self.rule is not outside.NEAR and rng.random() < 0.5:
            tumour = replace(tumour, marks=(*tumour.marks, outside.ring(rng, outside.NEAR_MM, False)))
        return tumour


__all__ = ["PLACES", "RULES", "Mark", "Plan", "Rule", "rule_of"]
