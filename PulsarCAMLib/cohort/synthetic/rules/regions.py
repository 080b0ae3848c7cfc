"""Places in and around a tumour, and the pattern of brightness that they make up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ....systems.phantom.random_fields import Waves, soft
from .mark import Mark, Site

if TYPE_CHECKING:
    from ..lesions import Tumour


class Region(Protocol):
    """A place."""

    def share(self, site: Site) -> np.ndarray:
        """Share of every voxel that is inside, float32 ``[k, j, i]``."""


@dataclass(frozen=True, eq=False)
class Balls:
    """Warped balls of one radius."""

    centres: tuple[np.ndarray, ...]
    radius: float
    outline: Waves
    edge_mm: float = 1.5

    def level(self, site: Site) -> np.ndarray:
        """Millimetres inside the nearest ball."""
        nearest = np.minimum.reduce([site.distance(centre) for centre in self.centres])
        return np.float32(self.radius) - nearest + 1.3 * self.outline.on(site.grid)

    def share(self, site: Site) -> np.ndarray:
        """See :class:`Region`."""
        return soft(self.level(site), self.edge_mm)

    def filling(self, share: float, site: Site, within: np.ndarray) -> Balls:
        """The same balls with the radius at which they fill a share of the voxels ``within``."""
        level = replace(self, radius=0.0).level(site)[within]
        return replace(self, radius=-float(np.quantile(level, 1 - share)))


@dataclass(frozen=True, eq=False)
class Rim:
    """The tissue under the tumour's surface, without a sector where one is named."""

    thickness_mm: float
    gap: Sector | None = None

    def share(self, site: Site) -> np.ndarray:
        """See :class:`Region`."""
        whole = soft(self.thickness_mm - site.level)
        return whole if self.gap is None else whole * (1 - self.gap.share(site))


@dataclass(frozen=True, eq=False)
class Sector:
    """A warped cone from the tumour's centre that holds about ``part`` of its surface."""

    direction: np.ndarray
    part: float
    outline: Waves

    def share(self, site: Site) -> np.ndarray:
        """See :class:`Region`."""
        offset = site.offset(site.centre)
        along = np.tensordot(self.direction.astype(np.float32), offset, 1)
        cosine = along / np.maximum(np.sqrt((offset**2).sum(0)), 1e-3)
        # A cap whose half angle has the cosine c holds (1 - c) / 2 of a sphere.
        beyond = cosine - (1 - 2 * self.part) + 0.08 * self.outline.on(site.grid)
        return soft(beyond * site.radius, 2.0)


def in_plane(rng: np.random.Generator) -> np.ndarray:
    """A direction near the middle slices, so that what lies there is seen in the widest."""
    angle, height = rng.uniform(0, 2 * np.pi), rng.uniform(-0.25, 0.25)
    direction = np.array([np.cos(angle), np.sin(angle), height])
    return direction / np.linalg.norm(direction)


def warp(rng: np.random.Generator) -> Waves:
    """Of the outline of a place."""
    return Waves.draw(rng, (10, 20), 12)


@dataclass(frozen=True, eq=False)
class Pattern(Mark):
    """Darker or brighter places within a tumour, with the same mean and spread whatever the class.

    Attributes:
        parts: places and their contrast to the rest.
        deciding: places that are planted truth.
        gain, offset: of the sum of contrasts; see :func:`matched`.
    """

    parts: tuple[tuple[float, Region], ...]
    deciding: tuple[Region, ...] = ()
    gain: float = 1.0
    offset: float = 0.0

    def brightness(self, site: Site) -> np.ndarray:
        """See :class:`~.mark.Mark`."""
        total = sum(contrast * region.share(site) for contrast, region in self.parts)
        return np.float32(self.gain) * total + np.float32(self.offset)

    def planted(self, site: Site) -> np.ndarray:
        """See :class:`~.mark.Mark`."""
        found = np.zeros(site.level.shape, bool)
        for region in self.deciding:
            found |= region.share(site) > 0.5
        return found & (site.level > 0)


def matched(pattern: Pattern, tumour: Tumour, spread: float) -> Pattern:
    """The pattern with mean 0 and a given standard deviation within the tumour, at baseline.

    With it neither mean nor spread of the brightness tells the class: both are drawn without regard to it.
    """
    site = tumour.site(*tumour.reference())
    values = pattern.brightness(site)[site.level > 0]
    gain = spread / float(values.std())
    return replace(pattern, gain=gain, offset=-gain * float(values.mean()))
