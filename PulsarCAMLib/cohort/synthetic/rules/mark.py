"""What a rule leaves in a tumour: asked for at any points of the head, so that every scan shows the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....systems.phantom.random_fields import Grid

EDGE_MM = 1.2
"""Width of the ramp between a tumour and what surrounds it."""


@dataclass(frozen=True, eq=False)
class Site:
    """A tumour and the points of a grid around it.

    Attributes:
        grid: of the points.
        points: head millimetres, float32 ``[3, k, j, i]``.
        level: millimetres inside the tumour at the time of the scan (negative outside), float32 ``[k, j, i]``.
        centre: of the tumour, head millimetres.
        radius: its equivalent radius, mm.
    """

    grid: Grid
    points: np.ndarray
    level: np.ndarray
    centre: np.ndarray
    radius: float

    def offset(self, centre: np.ndarray) -> np.ndarray:
        """Millimetres from a place of the head, float32 ``[3, k, j, i]``."""
        return self.points - centre.astype(np.float32)[:, None, None, None]

    def distance(self, centre: np.ndarray) -> np.ndarray:
        """Length of :meth:`offset`."""
        return np.sqrt((self.offset(centre) ** 2).sum(0))


class Mark:
    """A mark that changes nothing; each kind says what it does.

    Attributes:
        reach_mm: how much farther than a tumour's usual surroundings it is seen.
        surrounds: whether it has anything outside of the tumour.
    """

    reach_mm: float = 0.0
    surrounds: bool = False

    def reshaped(self, site: Site) -> np.ndarray:
        """The tumour's level with the mark, float32 ``[k, j, i]``."""
        return site.level

    def brightness(self, _site: Site) -> np.ndarray | float:
        """What is added to the brightness of the tumour's tissue."""
        return 0.0

    def edge_mm(self, _site: Site) -> np.ndarray | float | None:
        """Width of the ramp at the tumour's surface; None: the usual one."""
        return None

    def around(self, _site: Site) -> tuple[np.ndarray, float] | None:
        """Share of other tissue in every voxel around the tumour and its brightness; None: there is none."""
        return None

    def planted(self, site: Site) -> np.ndarray:
        """Where the tissue lies that decides, inside or outside the tumour, bool ``[k, j, i]``."""
        return np.zeros(site.level.shape, bool)
