"""Which features of a lesion go with what the network shows, over a cohort.

Lesions of one patient share scanner, treatment and biology, so patients are the samples here:

- p-values flip the signs of whole patients' contributions to the rank correlation: Hemerik J, Goeman JJ, Finos L.
  Robust testing in generalized linear models by sign flipping score contributions. J R Stat Soc B 2020;82:841-864. All
  flips are tried for few patients, a fixed number of drawn ones for many; without a relation between feature and map
  each patient's contribution is as likely to be positive as negative, however many lesions the patient has;
- intervals come from samples of patients with replacement (:mod:`PulsarCAMLib.evaluation.resampling`);
- many features are asked at once, so p-values are adjusted after Benjamini and Hochberg (1995);
- large lesions differ from small ones in nearly every feature and in their heat maps too, so beside each correlation
  stands the partial one, with the ranks of a third property (the volume) taken out of both by linear fits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from ..core.errors import InputError
from ..evaluation.resampling import interval_or_none, patient_weights
from .spatial import adjust

FEWEST_PATIENTS = 6
"""Below, not even the clearest relation could have a p-value under 0.05: 2 / 2^5 is 0.0625."""

ALL_FLIPS_UNTIL = 13
"""Up to so many patients all 2^(n-1) sign patterns are tried."""

DRAWN_FLIPS = 9_999

NOTHING_LEFT = 1e-9
"""Ranks of which another property explains all but this share have nothing of their own."""


def feature_agreement(
    rows: Sequence[Mapping],
    features: Sequence[Mapping[str, float | None]],
    patients: Sequence,
    *,
    outcome: str = "activated_share",
    beyond: str | None = None,
    samples: int = 1_000,
    seed: int = 0,
) -> list[dict]:
    """Rank correlation of every feature with a property of the heat maps, the strongest evidence first.

    Columns: feature, outcome, lesions and patients (with a value of both), ``spearman``, ``low`` and ``high`` (95 %,
    patients drawn with replacement), ``p_value``, ``p_adjusted``, and ``undefined``, why a value is None. With
    ``beyond`` also ``beyond``, ``partial`` (the correlation when ``beyond`` is taken out of both), ``partial_low``,
    ``partial_high``, ``partial_p_value`` and ``partial_p_adjusted``; then these order the rows.

    Args:
        rows: one per lesion, such as those of :func:`..explanation.tables.unit_table` of all scans.
        features: one per lesion, in the same order; None or NaN: no value for this lesion.
        patients: whose each lesion is.
        outcome: the column of ``rows``.
        beyond: column of ``rows`` for the partial correlation, such as "volume_cm3"; None: no partial correlation.
        samples: bootstrap samples.
        seed: of bootstrap and sign flips.

    Raises:
        InputError: the three differ in length, or a column is missing.
    """
    if not len(rows) == len(features) == len(patients):
        raise InputError(f"There are {len(rows)} lesions, {len(features)} rows of features, {len(patients)} patients.")
    for column in filter(None, (outcome, beyond)):
        if any(column not in row for row in rows):
            raise InputError(f"The rows of lesions have no column {column!r}.")
    seen = np.array([_number(row[outcome]) for row in rows])
    third = np.array([_number(row[beyond]) for row in rows]) if beyond else None
    who = np.unique(np.asarray(patients, dtype=str), return_inverse=True)[1] if len(rows) else np.empty(0, int)
    names = list(dict.fromkeys(name for row in features for name in row))
    weights = patient_weights(who, samples, np.random.default_rng(seed)) if len(rows) else np.empty((samples, 0))
    found = []
    for name in names:
        values = np.array([_number(row.get(name)) for row in features])
        known = np.isfinite(values) & np.isfinite(seen)
        about = {"feature": name, "outcome": outcome, "lesions": int(known.sum())}
        about["patients"] = len(np.unique(who[known]))
        about |= _relation(values[known], seen[known], who[known], weights[:, known], seed)
        if third is not None:
            known &= np.isfinite(third)
            own = (values[known], seen[known], third[known], who[known], weights[:, known], seed)
            about |= _partial(*own, beyond) if about["spearman"] is not None else {"beyond": beyond} | NO_PARTIAL
            about["undefined"] = about.pop("undefined")  # stays the last column
        found.append(about)
    adjust(found, "p_value", "p_adjusted")
    if beyond:
        adjust(found, "partial_p_value", "partial_p_adjusted")
    return sorted(found, key=_by_evidence)


NO_PARTIAL = dict.fromkeys(("partial", "partial_low", "partial_high", "partial_p_value", "partial_p_adjusted"))


def _by_evidence(row: dict) -> tuple:
    p, rho = ("partial_p_value", "partial") if "partial" in row else ("p_value", "spearman")
    return row[p] is None, row[p] or 0, -abs(row[rho] or 0), -abs(row["spearman"] or 0)


def _relation(values: np.ndarray, seen: np.ndarray, who: np.ndarray, weights: np.ndarray, seed: int) -> dict:
    nothing = dict.fromkeys(("spearman", "low", "high", "p_value", "p_adjusted"))
    if len(values) < 3:
        return nothing | {"undefined": f"only {len(values)} lesion(s) have both values"}
    for what, numbers in (("feature", values), ("property of the map", seen)):
        if np.ptp(numbers) == 0:
            return nothing | {"undefined": f"the {what} is the same for all lesions"}
    a, b = (ranks - ranks.mean() for ranks in map(stats.rankdata, (values, seen)))
    low, high = interval_or_none(_weighted_spearman(values, seen, weights))
    defined = nothing | {"spearman": _cosine(a, b), "low": low, "high": high}
    p, undefined = _flipped(a * b, who, seed)
    return defined | {"p_value": p, "undefined": undefined}


def _partial(values, seen, third, who, weights, seed: int, beyond: str) -> dict:
    """The relation when the ranks of ``third`` are taken out of both."""
    nothing = {"beyond": beyond} | NO_PARTIAL
    if len(values) < 4:
        return nothing | {"undefined": f"only {len(values)} lesion(s) have all three values"}
    a, b, c = (ranks - ranks.mean() for ranks in map(stats.rankdata, (values, seen, third)))
    left = [_without(ranks, c) for ranks in (a, b)]
    for what, ranks in zip(("feature", "property of the map"), left, strict=True):
        if ranks is None:
            return nothing | {"undefined": f"the {what} orders the lesions as {beyond} does"}
    low, high = interval_or_none(_weighted_partial(values, seen, third, weights))
    found = nothing | {"partial": _cosine(*left), "partial_low": low, "partial_high": high}
    p, undefined = _flipped(left[0] * left[1], who, seed)
    return found | {"partial_p_value": p} | ({"undefined": undefined} if undefined else {})


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.clip(a @ b / np.sqrt((a @ a) * (b @ b)), -1, 1))


def _without(ranks: np.ndarray, other: np.ndarray) -> np.ndarray | None:
    """What a linear fit of centred ranks leaves of others; None: nothing but rounding."""
    size = other @ other
    left = ranks - (ranks @ other) / size * other if size > 0 else ranks
    return left if left @ left > NOTHING_LEFT * (ranks @ ranks) else None


def _flipped(products: np.ndarray, who: np.ndarray, seed: int) -> tuple[float | None, str]:
    """p-value from the lesions' products of ranks, patient by patient; or why there is none."""
    contributions = np.bincount(who, weights=products)[np.unique(who)]
    if len(contributions) < FEWEST_PATIENTS:
        return None, f"no p-value from {len(contributions)} patient(s); {FEWEST_PATIENTS} are needed"
    return flip_p_value(contributions, seed), ""


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
    return _weighted_cosine(_centred(values, weights), _centred(seen, weights), weights)


def _weighted_partial(values: np.ndarray, seen: np.ndarray, third: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Partial Spearman correlation in every sample, ``[samples]``; NaN where it is not defined."""
    a, b, c = (_centred(numbers, weights) for numbers in (values, seen, third))
    ab, ac, bc = (_weighted_cosine(x, y, weights) for x, y in ((a, b), (a, c), (b, c)))
    left = (1 - ac**2) * (1 - bc**2)
    rho = np.divide(ab - ac * bc, np.sqrt(left), out=np.full(len(weights), np.nan), where=left > NOTHING_LEFT)
    return np.clip(rho, -1, 1)


def _centred(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    ranks = _weighted_ranks(values, weights)
    return ranks - (weights * ranks).sum(axis=1, keepdims=True) / np.maximum(weights.sum(axis=1, keepdims=True), 1)


def _weighted_cosine(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> np.ndarray:
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
