"""A part of the enhancing rim is missing; in responding lesions the rim is whole."""

from __future__ import annotations

from .regions import Pattern, Rim, Sector, in_plane, matched, warp
from .rule import INSIDE, Rule

THICKNESS_MM = (2.5, 4.0)

GAP = (0.25, 0.40)
"""Part of the surface without a rim."""

SPREAD = (0.10, 0.16)


class MissingRim:
    """Where the rim would be, had it no gap."""

    def __init__(self, rim: Rim, gap: Sector) -> None:
        self._rim, self._gap = rim, gap

    def share(self, site):
        """See :class:`~.regions.Region`."""
        return self._rim.share(site) * self._gap.share(site)


def marks(rng, tumour, against: bool):
    """A bright rim of every lesion, with a gap or whole."""
    thickness = rng.uniform(*THICKNESS_MM)
    gap = Sector(in_plane(rng), rng.uniform(*GAP), warp(rng))
    rim = Rim(thickness, gap if against else None)
    pattern = Pattern(((1.0, rim),), (MissingRim(Rim(thickness), gap),) if against else ())
    return (matched(pattern, tumour, rng.uniform(*SPREAD)),)


RULE = Rule(
    "missing-rim",
    INSIDE,
    "mean and spread of the brightness, thickness of the rim; every lesion has one",
    marks,
)
