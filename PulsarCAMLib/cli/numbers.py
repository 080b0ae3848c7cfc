"""Numbers on the command line, refused with a sentence where they cannot be meant."""

from __future__ import annotations

import argparse
from collections.abc import Callable

MOST_CORES = 1024
"""More processor cores than this are a slip of the pen."""


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


def share(text: str) -> float:
    """A type for argparse: a share between 0 and 1, neither included."""
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share between 0 and 1, such as 0.2 for 20 %")
    return value
