"""The whole lesion is darker; every voxel of it says the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .mark import Mark, Site
from .rule import WHOLE, Rule

AGAINST, FOR = (0.70, 0.84), (0.96, 1.10)
"""Brightness, 1 being that of bright enhancing tissue."""


@dataclass(frozen=True)
class Shift(Mark):
    """Another brightness everywhere."""

    by: float
    decides: bool

    def brightness(self, _site: Site) -> float:
        """See :class:`~.mark.Mark`."""
        return self.by

    def planted(self, site: Site) -> np.ndarray:
        """The whole lesion."""
        return site.level > 0 if self.decides else super().planted(site)


def marks(rng, tumour, against: bool):
    """A brightness of the class's own."""
    return (Shift(rng.uniform(*(AGAINST if against else FOR)) - tumour.brightness, against),)


RULE = Rule("uniform-intensity", WHOLE, "everything but the brightness of the whole lesion", marks)
