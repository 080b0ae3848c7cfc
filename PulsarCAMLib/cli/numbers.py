"""Numbers on the command line, refused with a sentence where they cannot be meant."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

MOST_CORES = 1024
"""More processor cores than this are a slip of the pen."""

MOST_SEED = 2**31 - 1
"""Every random number generator in use takes a seed up to here, and what is counted on from it."""


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """A type for argparse: a whole number from ``least`` on, up to ``most``."""

    def whole(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{text} is below {least}")
        if most is not None and value > most:
            raise argparse.ArgumentTypeError(f"{text} is above {most}")
        return value

    whole.__name__ = "whole number"  # argparse names it when the text is no number
    return whole


def number(text: str) -> float:
    """A type for argparse: a finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return value


def positive(text: str) -> float:
    """A type for argparse: a number above 0."""
    value = number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def share_or_none(text: str) -> float:
    """A type for argparse: a share from 0 on and below 1."""
    return 0.0 if number(text) == 0 else share(text)


def share(text: str) -> float:
    """A type for argparse: a share between 0 and 1, neither included."""
    value = number(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share between 0 and 1, such as 0.2 for 20 %")
    return value


def millimetres(text: str) -> float:
    """A type for argparse: a length from 0 to 100 mm."""
    value = number(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 100 mm")
    return value
