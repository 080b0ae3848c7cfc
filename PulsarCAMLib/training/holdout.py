"""Patients that a model does not learn from."""

from __future__ import annotations

import numpy as np

from ..core.errors import InputError
from ..systems.autoencoder.samples import Samples

TRIES = 300


def hold_out_patients(samples: Samples, share: float, seed: int) -> tuple[Samples, Samples]:
    """Split by patient; no patient is on both sides.

    Of many random choices of patients the one is taken whose lesions are closest to the wished share and to the
    cohort's own rate of response.

    Args:
        samples: with rotated copies.
        share: of the lesions that are set aside, 0 to 0.9.
        seed: of the choice.

    Returns:
        Samples to train on, with their copies, and originals of the patients set aside (none where ``share`` is 0).

    Raises:
        InputError: the share is out of range, or there is no choice with both classes on both sides.
    """
    if not 0 <= share <= 0.9:
        raise InputError(f"The share of patients to set aside must be between 0 and 0.9, not {share:g}.")
    originals = samples.originals()
    if share == 0:
        return samples, originals.where(np.zeros(len(originals), dtype=bool))
    rng = np.random.default_rng([seed, len(originals)])
    patients = np.unique(originals.patients)
    count = min(max(1, round(share * len(patients))), len(patients) - 1)
    best, least = None, np.inf
    for _ in range(TRIES):
        chosen = np.isin(originals.patients, rng.permutation(patients)[:count])
        distance = _distance(originals.labels, chosen, share)
        if distance < least:
            best, least = chosen, distance
    if best is None:
        raise InputError(
            f"There is no way to set {share:.0%} of {len(patients)} patients aside so that lesions with and without "
            "response are on both sides; add patients, change the share, or set none aside (0)."
        )
    aside = np.unique(originals.patients[best])
    return samples.where(~np.isin(samples.patients, aside)), originals.where(best)


def _distance(labels: np.ndarray, chosen: np.ndarray, share: float) -> float:
    """How far a choice is from what is wished; infinite where one side lacks a class."""
    rates = [labels[part].mean() if part.any() else 0.0 for part in (chosen, ~chosen)]
    if any(rate in (0.0, 1.0) for rate in rates):
        return float("inf")
    return abs(rates[0] - rates[1]) + abs(chosen.mean() - share)
