"""Which features of a lesion go with what the network shows, over a cohort.

Lesions of one patient share scanner, treatment and biology, so patients are the samples here:

- p-values flip the signs of whole patients' contributions to the rank correlation: Hemerik J, Goeman JJ, Finos L.
  Robust testing in generalized linear models by sign flipping score contributions. J R Stat Soc B 2020;82:841-864. All
  flips are tried for few patients, a fixed number of drawn ones for many; without a relation between feature and map
  each patient's contribution is as likely to be positive as negative, however many lesions the patient has;
- intervals come from samples of patients with replacement (:mod:`PulsarCAMLib.evaluation.resampling`);
- many features are asked at once, so p-values are adjusted after Benjamini and Hochberg (1995).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from ..errors import InputError
from ..evaluation.resampling import interval, patient_weights
from .spatial import adjust

FEWEST_PATIENTS = 6
"""Below, not even the clearest relation could have a p-value under 0.05: 2 / 2^5 is 0.0625."""

ALL_FLIPS_UNTIL = 13
"""Up to so many patients all 2^(n-1) sign patterns are tried."""

DRAWN_FLIPS = 9_999


def feature_agreement(
    rows: Sequence[Mapping],
    features: Sequence[Mapping[str, float | None]],
    patients: Sequence,
    *,
    outcome: str = "activated_share",
    samples: int = 1_000,
    seed: int = 0,
) -> list[dict]:
    """Rank correlation of every feature with a property of the heat maps, the strongest evidence first.

    Columns: feature, outcome, lesions and patients (with a value of both), ``spearman``, ``low`` and ``high`` (95 %,
    patients drawn with replacement), ``p_value``, ``p_adjusted``, and ``undefined``, why a value is None.

    Args:
        rows: one per lesion, such as those of :func:`..explanation.tables.lesion_table` of all scans.
        features: one per lesion, in the same order; None or NaN: no value for this lesion.
        patients: whose each lesion is.
        outcome: the column of ``rows``.
        samples: bootstrap samples.
        seed: of bootstrap and sign flips.

    Raises:
        InputError: the three differ in length, or the outcome is missing.
    """
    if not len(rows) == len(features) == len(patients):
        raise InputError(f"There are {len(rows)} lesions, {len(features)} rows of features, {len(patients)} patients.")
    if any(outcome not in row for row in rows):
        raise InputError(f"The rows of lesions have no column {outcome!r}.")
    seen = np.array([_number(row[outcome]) for row in rows])
    who = np.unique(np.asarray(patients, dtype=str), return_inverse=True)[1] if len(rows) else np.empty(0, int)
    names = list(dict.fromkeys(name for row in features for name in row))
    weights = patient_weights(who, samples, np.random.default_rng(seed)) if len(rows) else np.empty((samples, 0))
    found = []
    for name in names:
        values = np.array([_number(row.get(name)) for row in features])
        known = np.isfinite(values) & np.isfinite(seen)
        about = {"feature": name, "outcome": outcome, "lesions": int(known.sum())}
        about["patients"] = len(np.unique(who[known]))
        found.append(about | _relation(values[known], seen[known], who[known], weights[:, known], seed))
    adjust(found, "p_value", "p_adjusted")
    return sorted(found, key=lambda row: (row["p_value"] is None, row["p_value"] or 0, -abs(row["spearman"] or 0)))


def _relation(values: np.ndarray, seen: np.ndarray, who: np.ndarray, weights: np.ndarray, seed: int) -> dict:
    nothing = dict.fromkeys(("spearman", "low", "high", "p_value", "p_adjusted"))
    if len(values) < 3:
        return nothing | {"undefined": f"only {len(values)} lesion(s) have both values"}
    for what, numbers in (("feature", values), ("property of the map", seen)):
        if np.ptp(numbers) == 0:
            return nothing | {"undefined": f"the {what} is the same for all lesions"}
    a, b = (ranks - ranks.mean() for ranks in map(stats.rankdata, (values, seen)))
    rho = float(a @ b / np.sqrt((a @ a) * (b @ b)))
    low, high = interval(_weighted_spearman(values, seen, weights))
    defined = nothing | {"spearman": rho, "low": _or_none(low), "high": _or_none(high), "undefined": ""}
    contributions = np.bincount(who, weights=a * b)[np.unique(who)]
    if len(contributions) < FEWEST_PATIENTS:
        return defined | {"undefined": f"no p-value from {len(contributions)} patient(s); {FEWEST_PATIENTS} are needed"}
    return defined | {"p_value": flip_p_value(contributions, seed)}


def flip_p_value(contributions: np.ndarray, seed: int = 0) -> float:
    """Two-sided p-value of a sum whose terms would be as often positive as negative.

    Args:
        contributions: one per patient.
        seed: of the drawn sign patterns, for more than :data:`ALL_FLIPS_UNTIL` patients.
    """
    observed, count = abs(contributions.sum()), len(contributions)
    if count <= ALL_FLIPS_UNTIL:
        # The first sign stays: turning all signs gives the same absolute sum.
        bits = np.arange(2 ** (count - 1))[:, None] >> np.arange(count - 1) & 1
        signs = np.hstack([np.ones((len(bits), 1)), 1.0 - 2.0 * bits])
        return float(np.mean(_as_large(signs @ contributions, observed)))
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(DRAWN_FLIPS, count))
    return float((1 + np.count_nonzero(_as_large(signs @ contributions, observed))) / (1 + DRAWN_FLIPS))


def _as_large(sums: np.ndarray, observed: float) -> np.ndarray:
    """Whether sums reach the observed one, rounding aside."""
    return np.abs(sums) >= observed * (1 - 1e-9)


def _weighted_spearman(values: np.ndarray, seen: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Spearman correlation in every sample, ``[samples]``; NaN where a sample has one value only."""
    a, b = _weighted_ranks(values, weights), _weighted_ranks(seen, weights)
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1)
    a, b = (ranks - (weights * ranks).sum(axis=1, keepdims=True) / total for ranks in (a, b))
    scale = (weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1)
    products = (weights * a * b).sum(axis=1)
    return np.divide(products, np.sqrt(scale), out=np.full(len(weights), np.nan), where=scale > 1e-12)


def _weighted_ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean ranks of the values where lesion n is there ``weights[s, n]`` times, ``[samples, N]``."""
    level = np.unique(values, return_inverse=True)[1].ravel()
    counts = np.zeros((len(weights), level.max() + 1))
    np.add.at(counts.T, level, weights.T)
    ranks = np.cumsum(counts, axis=1) - counts / 2 + 0.5
    return ranks[:, level]


def _number(value: object) -> float:
    return float("nan") if value is None else float(value)


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
