"""A part of the lesion is darker; in responding lesions an equal part is brighter by as much."""

from __future__ import annotations

import numpy as np

from .regions import Balls, Pattern, matched, warp
from .rule import INSIDE, Rule

SHARE = (0.12, 0.25)
"""Of the lesion's volume."""

SPREAD = (0.10, 0.14)
"""Standard deviation within the lesion, 1 being the brightness of enhancing tissue."""


def marks(rng, tumour, against: bool):
    """A niche anywhere in the lesion, near its middle slices, as :mod:`..lesions` places resistant tissue."""
    angle, reach, height = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 1.6), rng.uniform(-0.25, 0.25)
    centre = tumour.centre + tumour.radius * np.array([reach * np.cos(angle), reach * np.sin(angle), height])
    site = tumour.site(*tumour.reference())
    niche = Balls((centre,), 0.0, warp(rng)).filling(rng.uniform(*SHARE), site, site.level > 0)
    pattern = Pattern(((-1.0 if against else 1.0, niche),), (niche,) if against else ())
    return (matched(pattern, tumour, rng.uniform(*SPREAD)),)


RULE = Rule(
    "dark-niche",
    INSIDE,
    "mean and spread of the brightness; responding lesions have an equally large niche, equally far from the mean, "
    "which is bright",
    marks,
)
