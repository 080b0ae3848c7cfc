"""Patients that a model does not learn from."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from ...core.errors import InputError
from ...core.pluralize import pluralize
from ...core.task import Task
from ...systems.learning.learner import TrainingSamples
from ...systems.registry import system_of
from ..words import with_classes

TRIES = 300


def hold_out_patients(
    samples: TrainingSamples, share: float, seed: int, task: Task | None = None
) -> tuple[TrainingSamples, TrainingSamples]:
    """Split by patient; no patient is on both sides.

    Of many random choices of patients the one is taken whose units (lesions) are closest to the wished share and to
    the cohort's own rates of the classes.

    Args:
        samples: with changed copies.
        share: of the units that are set aside, 0 to 0.9.
        seed: of the choice.
        task: whose classes these are; None: that of the system that comes first.

    Returns:
        Samples to train on, with their copies, and originals of the patients set aside (none where ``share`` is 0).

    Raises:
        InputError: the share is out of range, or there is no choice with every class on both sides.
    """
    originals = samples.originals()
    chosen = units_aside(originals.labels, originals.patients, share, seed, task or system_of().task)
    aside = np.unique(originals.patients[chosen])
    return samples.where(~np.isin(samples.patients, aside)), originals.where(chosen)


def check_learnable(
    labels: Sequence[int], patients: Sequence[str], task: Task, *, share: float, seed: int, members: int = 0
) -> None:
    """Refuse what could not be learnt from or divided, before any image is read.

    Args:
        labels: number of the class of every unit.
        patients: whose each is.
        task: whose classes these are.
        share, seed: of :func:`hold_out_patients`.
        members: of :func:`folds_of_members`; 0: members have no folds of their own.

    Raises:
        InputError: as these two, or all units are of one class.
    """
    kinds, whose = np.array(labels), np.array(patients)
    if len(np.unique(kinds)) < 2:
        raise InputError(
            f"All {task.unit}s with images and a known {task.label.column} are {task.names[kinds[0]]}, so there is "
            f"nothing to tell apart; add {task.unit}s of another class."
        )
    kept = ~units_aside(kinds, whose, share, seed, task)
    if members:
        _parts(kinds[kept], whose[kept], members, seed, task)


def units_aside(labels: np.ndarray, patients_of: np.ndarray, share: float, seed: int, task: Task) -> np.ndarray:
    """bool ``[n]``: units whose patients are set aside; see :func:`hold_out_patients`."""
    if not 0 <= share <= 0.9:
        raise InputError(f"The share of patients to set aside must be between 0 and 0.9, not {share:g}.")
    if share == 0:
        return np.zeros(len(labels), dtype=bool)
    rng = np.random.default_rng([seed, len(labels)])
    patients = np.unique(patients_of)
    count = min(max(1, round(share * len(patients))), len(patients) - 1)
    best, least = None, np.inf
    for _ in range(TRIES):
        chosen = np.isin(patients_of, rng.permutation(patients)[:count])
        distance = _distance(labels, chosen, share)
        if distance < least:
            best, least = chosen, distance
    if best is None:
        raise InputError(
            f"There is no way to set {share:.0%} of {pluralize(len(patients), 'patient')} aside so that "
            f"{with_classes(task)} are on both sides; add patients, change the share, or set none aside (0)."
        )
    return best


def folds_of_members(
    samples: TrainingSamples, members: int, seed: int, task: Task | None = None
) -> list[tuple[TrainingSamples, TrainingSamples]]:
    """Training samples of each member without its own part of the patients, and the originals of that part.

    The parts are alike in size and in the rates of the classes, and no patient is in two of them.

    Args:
        samples: with changed copies.
        members: how many, at least two.
        seed: of the division.
        task: whose classes these are; None: that of the system that comes first.

    Raises:
        InputError: there are too few members or patients, or a part leaves nothing of a class to learn from.
    """
    task, originals = task or system_of().task, samples.originals()
    return [
        (samples.where(~np.isin(samples.patients, np.unique(originals.patients[part]))), originals.where(part))
        for part in _parts(originals.labels, originals.patients, members, seed, task)
    ]


def _parts(labels: np.ndarray, patients_of: np.ndarray, members: int, seed: int, task: Task) -> list[np.ndarray]:
    """Units that each member leaves out; see :func:`folds_of_members`."""
    from sklearn.model_selection import StratifiedGroupKFold

    patients = len(np.unique(patients_of))
    if not 2 <= members <= patients:
        raise InputError(
            f"{members} members cannot each leave out a part of {patients} patients; choose from 2 to {patients} "
            "members, or let all of them learn from all patients."
        )
    division = StratifiedGroupKFold(members, shuffle=True, random_state=seed % 2**32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a class with fewer patients than members; looked at below
        parts = [aside for _, aside in division.split(labels, labels, patients_of)]
    for aside in parts:
        kept = ~np.isin(patients_of, np.unique(patients_of[aside]))
        if not len(aside) or len(np.unique(labels[kept])) < len(np.unique(labels)):
            raise InputError(
                f"{patients} patients cannot be divided among {members} members so that each learns from "
                f"{with_classes(task)}; choose fewer members or let all of them learn from all patients."
            )
    return parts


def _distance(labels: np.ndarray, chosen: np.ndarray, share: float) -> float:
    """How far a choice is from what is wished; infinite where one side lacks a class that the cohort has."""
    kinds = np.unique(labels)
    if not all(part.any() and np.isin(kinds, labels[part]).all() for part in (chosen, ~chosen)) or len(kinds) < 2:
        return float("inf")
    # of two classes the rate of one says that of the other
    apart = [abs((labels[chosen] == kind).mean() - (labels[~chosen] == kind).mean()) for kind in kinds[1:]]
    return float(sum(apart) + abs(chosen.mean() - share))
