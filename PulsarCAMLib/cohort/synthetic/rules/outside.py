"""Bright tissue beyond the contour; what lies within it says nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....systems.phantom.random_fields import soft
from .mark import Mark, Site
from .rule import OUTSIDE, Rule

FAR_MM, NEAR_MM = (6.0, 14.0), (0.5, 5.0)
"""Nearest and farthest distance from the contour."""

BRIGHTNESS = (0.80, 0.95)


@dataclass(frozen=True)
class Ring(Mark):
    """A shell of bright tissue around the lesion."""

    nearest_mm: float
    farthest_mm: float
    bright: float
    decides: bool

    surrounds = True

    @property
    def reach_mm(self) -> float:  # type: ignore[override]
        """See :class:`~.mark.Mark`."""
        return self.farthest_mm

    def around(self, site: Site) -> tuple[np.ndarray, float]:
        """See :class:`~.mark.Mark`."""
        # Along the ray from the centre, on which a level is a share of the way to the surface.
        beyond = np.maximum(-site.level / np.float32(site.radius), 0)
        away = np.where(site.level < 0, site.distance(site.centre) * beyond / (1 + beyond), -1)
        return soft(away - self.nearest_mm) * soft(self.farthest_mm - away), self.bright

    def planted(self, site: Site) -> np.ndarray:
        """The shell."""
        return self.around(site)[0] > 0.5 if self.decides else super().planted(site)


def ring(rng: np.random.Generator, reach_mm: tuple[float, float], decides: bool) -> Ring:
    """A shell between two distances from the contour."""
    return Ring(*reach_mm, rng.uniform(*BRIGHTNESS), decides)


def marks(rng, _tumour, against: bool):
    """A shell around lesions that do not respond."""
    return (ring(rng, FAR_MM, True),) if against else ()


def marks_near(rng, _tumour, against: bool):
    """The same next to the contour."""
    return (ring(rng, NEAR_MM, True),) if against else ()


RULE = Rule("outside", OUTSIDE, "everything within the contour, in the image's own units", marks)
NEAR = Rule("outside", OUTSIDE, RULE.matched, marks_near)
