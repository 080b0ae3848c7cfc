"""How sizes change from visit to visit: what baselines beside the network answer from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .criteria import CATEGORIES, RULES, assess_all
from .labels import visits_of

VOLUME_RULE = "imaging-2.0-volumes"

LEAST = {"product_mm2": 25.0, "volume_cm3": 0.1}
"""Added before the logarithm of a ratio, so that what has vanished has one; about the smallest lesion that is seen."""


def numbers_of(visits: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
    """See :meth:`..contract.System.unit_numbers`: logarithms of ratios to the visit before, the baseline and the nadir.

    Raises:
        InputError: a mask cannot be used.
    """
    known = visits_of(visits)
    found = []
    for number, judged in enumerate(assess_all(known, RULES[VOLUME_RULE])):
        numbers: dict[str, float] = {}
        if judged.category is not None:
            numbers["class_by_rule"] = CATEGORIES.index(judged.category)
        compared = {"before": number - 1, "baseline": judged.baseline, "nadir": judged.nadir}
        for size, least in LEAST.items():
            now = getattr(known[number], size)
            for name, other in compared.items():
                then = getattr(known[other], size) if other is not None and other >= 0 else None
                if now is not None and then is not None:
                    numbers[f"log_{size}_to_{name}"] = math.log((now + least) / (then + least))
            if now is not None:
                numbers[f"log_{size}"] = math.log(now + least)
        new = known[number].new_lesion
        if new is not None:
            numbers["new_lesion"] = float(new)
        found.append(numbers)
    return found
