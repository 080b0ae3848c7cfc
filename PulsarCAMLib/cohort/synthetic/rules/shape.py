"""The outline has a bulge; lesions without one are as large."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .mark import Mark, Site
from .regions import Balls, in_plane, warp
from .rule import INSIDE, Rule

if TYPE_CHECKING:
    from ..lesions import Tumour

BULGE = (0.55, 0.70)
"""Radius of the bulge, in radii of the lesion; its centre lies on the surface."""


@dataclass(frozen=True, eq=False)
class Bulge(Mark):
    """A ball on the surface; the whole is made smaller by ``less_mm`` all around, so that the volume stays."""

    bare: Tumour
    ball: Balls
    less_mm: float = 0.0

    reach_mm = 4.0

    def reshaped(self, site: Site) -> np.ndarray:
        """See :class:`~.mark.Mark`."""
        return np.maximum(site.level, self.ball.level(site)) - np.float32(self.less_mm)

    def planted(self, site: Site) -> np.ndarray:
        """What the lesion would not hold without the bulge."""
        without = self.bare.level(site.grid, site.points) - np.float32(self.less_mm)
        return (site.level > 0) & (without <= 0) & (self.ball.level(site) - self.less_mm > without)


def marks(rng, tumour, against: bool):
    """A bulge of lesions that do not respond."""
    if not against:
        return ()
    centre = tumour.centre + tumour.radius * in_plane(rng)
    ball = Balls((centre,), rng.uniform(*BULGE) * tumour.radius, warp(rng))
    site = tumour.site(*tumour.reference())
    bulge = Bulge(tumour, ball)
    volume = float((site.level > 0).mean())
    return (replace(bulge, less_mm=float(np.quantile(bulge.reshaped(site), 1 - volume))),)


RULE = Rule("shape", INSIDE, "volume and brightness; lesions without a bulge are as elongated", marks)
