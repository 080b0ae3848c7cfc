"""Does the activated part get less dose than the rest, over the patients of a cohort?

Each patient counts once, by the mean of the lesions' differences: lesions of one patient share plan and scanner. The
interval is Student's over patients; that of a single lesion is not needed here, for patients are independent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from .contrast import LESS, LEVEL, MORE, OPEN

GROUPS = ("map_method", "map_class", "map_input", "quantity")
DIFFERENCES = ("difference", "difference_at_equal_depth")


def over_patients(patients: Mapping[str, Sequence[Mapping[str, object]]]) -> list[dict]:
    """One row for each map and quantity.

    Args:
        patients: name to rows of contrasts, as :class:`.case.CaseDose` has them.

    Returns:
        Columns ``map_method``, ``map_class``, ``map_input``, ``quantity``, ``patients`` and ``lesions`` that something
        was told of, ``lesions_left_out``; ``difference_gy`` with ``difference_low_gy`` and ``difference_high_gy`` (None
        for one patient), the same at equal depth; ``patients_with_less``: whose mean difference is below zero;
        ``answer``.
    """
    keys = dict.fromkeys(tuple(str(row[name]) for name in GROUPS) for rows in patients.values() for row in rows)
    return [_row(key, patients) for key in keys]


def _row(key: tuple[str, ...], patients: Mapping[str, Sequence[Mapping[str, object]]]) -> dict:
    own = {who: [r for r in rows if tuple(str(r[name]) for name in GROUPS) == key] for who, rows in patients.items()}
    told = {who: [r for r in rows if r["difference_gy"] is not None] for who, rows in own.items()}
    lesions = sum(map(len, told.values()))
    row: dict = dict(zip(GROUPS, key, strict=True))
    row |= {"patients": sum(map(bool, told.values())), "lesions": lesions}
    row |= {"lesions_left_out": sum(map(len, own.values())) - lesions}
    for name in DIFFERENCES:
        means = [_mean(rows, f"{name}_gy") for rows in told.values()]
        mean, low, high = _interval([value for value in means if value is not None])
        row |= {f"{name}_gy": mean, f"{name}_low_gy": low, f"{name}_high_gy": high}
    means = [_mean(rows, "difference_gy") for rows in told.values() if rows]
    row["patients_with_less"] = sum(value is not None and value < 0 for value in means)
    low, high = row["difference_low_gy"], row["difference_high_gy"]
    row["answer"] = OPEN if low is None else LESS if high < 0 else MORE if low > 0 else OPEN
    return row


def _mean(rows: Sequence[Mapping[str, object]], name: str) -> float | None:
    values = [float(str(row[name])) for row in rows if row[name] is not None]
    return float(np.mean(values)) if values else None


def _interval(means: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """Mean over patients and its 95 % interval."""
    if not means:
        return None, None, None
    mean = float(np.mean(means))
    if len(means) < 2:
        return mean, None, None
    from scipy.stats import t

    half = float(t.ppf((1 + LEVEL) / 2, len(means) - 1) * np.std(means, ddof=1) / math.sqrt(len(means)))
    return mean, mean - half, mean + half
