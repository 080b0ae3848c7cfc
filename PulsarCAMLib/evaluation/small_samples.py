"""What a share of right answers is worth when there are few of them."""

from __future__ import annotations

from ..core.pluralize import pluralize
from .resampling import LEVEL

FEW = 50
"""Up to so many units the report says what one error more or less would do."""


def wilson(right: int, count: int, level: float = LEVEL) -> tuple[float, float]:
    """Interval of a share by Wilson (1927), which is honest for few and for shares near 0 and 1.

    Args:
        right: how many.
        count: of how many, at least 1.
        level: 0.95.
    """
    from scipy.stats import binomtest

    found = binomtest(right, count).proportion_ci(level, "wilson")
    return float(found.low), float(found.high)


def in_words(right: int, count: int, unit: str, several: bool = False) -> str:
    """The accuracy, its interval and what one answer changes, for people.

    Args:
        right: units that are called correctly.
        count: of how many.
        unit: "patient".
        several: whether a patient may have several units, which makes the interval too narrow.
    """
    low, high = wilson(right, count)
    found = (
        f"{right} of {pluralize(count, unit)} called correctly is an accuracy of {right / count:.2f} with a 95 % "
        f"interval of {low:.2f} to {high:.2f} (Wilson)"
    )
    found += f", wider still, for {unit}s of one patient are alike" if several else ""
    return f"{found}; a single {unit} more or less is {1 / count:.2f}."
