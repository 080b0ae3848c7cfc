"""Large lesions do not respond; the image within the contour says nothing."""

from __future__ import annotations

from .rule import NOWHERE, Rule

BAND = 0.4
"""Each class has this part of the range of sizes, small or large."""


def size(drawn: float, against: bool) -> float:
    """Place in the range, 0 to 1."""
    return (1 - BAND if against else 0.0) + BAND * drawn


RULE = Rule("size", NOWHERE, "everything but the size", size=size)
