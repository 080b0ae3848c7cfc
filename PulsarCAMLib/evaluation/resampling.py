"""Samples of patients with replacement: the one bootstrap of this package.

Lesions of one patient share scanner, treatment and biology, so they are drawn together or not at all. Methods that
take lesions for independent, such as DeLong's test, find intervals that are too narrow and are not used.
"""

from __future__ import annotations

import numpy as np

LEVEL = 0.95
"""Of all intervals."""

MOST_UNDEFINED = 0.5
"""An interval needs a value in at least this share of the samples."""

TOO_FEW = "no interval: too few patients"


def patient_weights(patients: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """How often each lesion is in each of ``count`` samples of as many patients as there are, ``[count, N]``.

    A patient drawn twice has all lesions twice.
    """
    names, whose = np.unique(patients, return_inverse=True)
    weights = np.empty((count, len(whose)), np.float32)
    for row in weights:
        row[:] = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))[whose]
    return weights


def interval(samples: np.ndarray, level: float = LEVEL) -> tuple[float, float]:
    """Middle ``level`` of the defined samples (percentile bootstrap); NaN where none is defined."""
    defined = samples[np.isfinite(samples)]
    if not defined.size:
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def interval_or_none(samples: np.ndarray, patients: np.ndarray | None = None) -> tuple[float | None, float | None]:
    """The same; None where too few samples have a value for an interval to mean anything, or all are of one patient."""
    few = patients is not None and len(np.unique(patients)) < 2
    if few or not samples.size or np.mean(~np.isfinite(samples)) > MOST_UNDEFINED:
        return None, None
    return interval(samples)
