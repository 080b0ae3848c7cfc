"""On one side the lesion fades into its surroundings; in responding lesions the same blur is all around."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ....systems.phantom.anatomy import OEDEMA
from ....systems.phantom.random_fields import soft
from .mark import EDGE_MM, Mark, Site
from .regions import Sector, in_plane, warp
from .rule import INSIDE, Rule

WIDE_MM = (8.0, 11.0)
"""Width of the blurred margin, half of it inside the contour."""

PART = (0.25, 0.40)
"""Part of the surface that is blurred."""


@dataclass(frozen=True, eq=False)
class Blur(Mark):
    """A wide margin in a sector, or one of the same mean width all around."""

    wide_mm: float
    sector: Sector
    all_around: bool
    offset: float = 0.0

    def edge_mm(self, site: Site) -> np.ndarray:
        """See :class:`~.mark.Mark`."""
        part = self.sector.part if self.all_around else self.sector.share(site)
        return np.full(site.level.shape, EDGE_MM, np.float32) + np.float32(self.wide_mm - EDGE_MM) * part

    def brightness(self, _site: Site) -> float:
        """What the margin takes from the lesion's mean is given back to all of it."""
        return self.offset

    def planted(self, site: Site) -> np.ndarray:
        """Where the lesion is fainter than it would be with a sharp margin."""
        if self.all_around:
            return super().planted(site)
        return (self.sector.share(site) > 0.5) & (site.level > 0) & (site.level < self.wide_mm / 2)


def marks(rng, tumour, against: bool):
    """A blurred margin."""
    blur = Blur(rng.uniform(*WIDE_MM), Sector(in_plane(rng), rng.uniform(*PART), warp(rng)), not against)
    site = tumour.site(*tumour.reference())
    inside = site.level > 0
    left = float(soft(site.level, blur.edge_mm(site))[inside].mean())
    return (replace(blur, offset=(tumour.brightness - OEDEMA) * (1 - left) / left),)


RULE = Rule(
    "blurred-margin",
    INSIDE,
    "mean of the brightness and mean width of the margin; responding lesions have the same blur all around",
    marks,
)
