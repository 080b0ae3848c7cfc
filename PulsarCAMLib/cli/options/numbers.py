"""Numbers, and lists of them and of names, on the command line, refused with a sentence where they cannot be meant."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

from ...core.settings import Range

MOST_CORES = 1024
"""More processor cores than this are a slip of the pen."""


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """A type for argparse: a whole number from ``least`` on, up to ``most``."""
    within = Range(at_least=least, at_most=most)

    def whole(text: str) -> int:
        value = int(text)
        if refusal := within.refusal(value):
            raise argparse.ArgumentTypeError(f"{text} {refusal}")
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


def number_in(within: Range, unit: str = "") -> Callable[[str], float]:
    """A type for argparse: a number in a range; unit "share" or "mm" words the sentence."""

    def read(text: str) -> float:
        value = number(text)
        refusal = within.refusal(value)
        if refusal and unit == "share":
            refusal = "is not a share between 0 and 1, such as 0.2 for 20 %"
        elif refusal and unit:
            refusal = f"is not between {within.at_least:g} and {within.at_most:g} {unit}"
        if refusal:
            raise argparse.ArgumentTypeError(f"{text} {refusal}")
        return value

    return read


def numbers(text: str) -> tuple[float, ...]:
    """A type for argparse: finite numbers with commas between them, or none."""
    return tuple(number(part) for part in text.split(",") if part.strip())


def whole_numbers(text: str) -> list[int]:
    """A type for argparse: whole numbers with commas between them."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of whole numbers such as 1,3") from None


def names(text: str) -> list[str]:
    """A type for argparse: names of segments with commas between them."""
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise argparse.ArgumentTypeError("name at least one segment")
    return found


share = number_in(Range(above=0, below=1), "share")
share_or_none = number_in(Range(at_least=0, below=1), "share")
