"""Most of the dark tissue is one necrotic core; in responding lesions most of it is scattered in cysts."""

from __future__ import annotations

import numpy as np

from .regions import Balls, Pattern, matched, warp
from .rule import INSIDE, Rule

DARK = (0.22, 0.38)
"""Share of the lesion's volume that is dark, in core and cysts together."""

CORE_AGAINST, CORE_FOR = (0.80, 0.95), (0.15, 0.35)
"""Share of the dark tissue that lies in the core."""

SPREAD = (0.11, 0.15)


def marks(rng, tumour, against: bool):
    """A core near the centre and cysts near the margin, with the same dark volume in both classes."""
    dark, of_core = rng.uniform(*DARK), rng.uniform(*(CORE_AGAINST if against else CORE_FOR))
    site = tumour.site(*tumour.reference())
    inside = site.level > 0
    middle = tumour.centre + 0.15 * tumour.radius * rng.uniform(-1, 1, 3)
    core = Balls((middle,), 0.0, warp(rng)).filling(dark * of_core, site, inside)
    first = rng.uniform(0, 2 * np.pi)
    angles = first + 2 * np.pi * (np.arange(5) + rng.uniform(-0.2, 0.2, 5)) / 5
    places = [np.array([np.cos(a), np.sin(a), h]) for a, h in zip(angles, rng.uniform(-0.4, 0.4, 5), strict=True)]
    centres = tuple(tumour.centre + rng.uniform(0.65, 0.8) * tumour.radius * place for place in places)
    free = inside & (core.level(site) <= -1)
    left = min(0.9, dark * (1 - of_core) * inside.sum() / free.sum())
    cysts = Balls(centres, 0.0, warp(rng)).filling(left, site, free)
    return (matched(Pattern(((-1.0, _Either(core, cysts)),), (core,)), tumour, rng.uniform(*SPREAD)),)


class _Either:
    """Two places together."""

    def __init__(self, *places) -> None:
        self._places = places

    def share(self, site):
        """See :class:`~.regions.Region`."""
        return np.maximum.reduce([place.share(site) for place in self._places])


RULE = Rule(
    "necrotic-share",
    INSIDE,
    "mean and spread of the brightness, and the volume of dark tissue; responding lesions have it in cysts",
    marks,
)
