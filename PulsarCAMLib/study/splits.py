"""Protocols: which lesions are learnt from and which are asked, in every trial and in every control.

The splits depend on lesions, labels, seed and trial only, so all models meet the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..cohort.study_lesions import StudyLesions
from ..core.errors import InputError
from ..core.pluralize import pluralize
from ..core.task import Task
from ..core.vocabulary import (
    BASELINE,
    BEST_EPOCH,
    LEAVE_ONE_OUT,
    LESIONS,
    PAPER,
    PATIENTS,
    PROTOCOLS,
    SECOND,
    TIME_POINTS,
)


@dataclass(frozen=True, eq=False)
class Split:
    """One training of a protocol.

    Attributes:
        protocol: in :data:`..core.vocabulary.PROTOCOLS`.
        control: whether the labels are permuted.
        number: of the trial, or of the control, within the protocol.
        seed: of the training.
        labels: int ``[L]``, permuted in a control.
        train: lesion indices, ascending.
        asked: (time point, lesion indices).
    """

    protocol: str
    control: bool
    number: int
    seed: int
    labels: np.ndarray
    train: np.ndarray
    asked: tuple[tuple[str, np.ndarray], ...]

    @property
    def place(self) -> str:
        """Name of its folder within its protocol's."""
        return f"{'control' if self.control else 'trial'}-{self.number + 1:03d}"


def protocol_splits(
    lesions: StudyLesions, protocol: str, *, trials: int, controls: int, folds: int, seed: int
) -> Iterator[Split]:
    """All trials and then all controls of a protocol.

    "lesions" (and "best-epoch", which splits like it) and "patients" repeat a division into ``folds`` parts: trial 1
    tests the first part, trial 2 the second and so on, and when all were tested a new division is drawn, so that 50
    trials of 80/20 test every lesion ten times. Both keep the shares of the classes in the parts. Every control has a
    permutation of its own.

    Args:
        lesions: of the study.
        protocol: in :data:`..core.vocabulary.PROTOCOLS`.
        trials: wanted; "leave-one-patient-out" has one per patient whatever this says.
        controls: trainings on permuted labels; in "leave-one-patient-out" one per patient, or none, for only all of
            them together can be judged.
        folds: parts of a division; 5 for 80/20.
        seed: of the study.

    Raises:
        InputError: the lesions cannot be split in this way.
    """
    if protocol not in PROTOCOLS:
        raise InputError(f"The protocol {protocol!r} is not known; choose from {', '.join(PROTOCOLS)}.")
    _check(lesions, protocol, folds)
    if protocol == LEAVE_ONE_OUT:
        trials = len(np.unique(lesions.patients))
        controls = trials if controls else 0
    for control, count in ((False, trials), (True, controls)):
        for number in range(count):
            yield _split(lesions, protocol, control, number, folds, seed)


def permuted(labels: np.ndarray, seed: int, number: int) -> np.ndarray:
    """Labels dealt out anew among all lesions: the number of each class stays, any relation to the images goes."""
    return np.random.default_rng([seed, 1913, number]).permutation(labels)


def _split(lesions: StudyLesions, protocol: str, control: bool, number: int, folds: int, seed: int) -> Split:
    labels = permuted(lesions.labels, seed, number) if control else lesions.labels
    everybody = np.arange(len(lesions))
    if protocol == PAPER:
        train, test = everybody, everybody
    else:
        test = _tested(lesions, labels, protocol, number, folds, seed + 1000 * control)
        train = np.setdiff1d(everybody, test)
    points = (SECOND,) if protocol == PAPER else TIME_POINTS
    asked = tuple((point, test[lesions.having(point)[test]]) for point in points)
    key = [seed, list(PROTOCOLS).index(protocol), int(control), number]
    own = int(np.random.SeedSequence(key).generate_state(1)[0] >> 1)
    return Split(protocol, control, number, own, labels, train, tuple(part for part in asked if len(part[1])))


def _tested(lesions: StudyLesions, labels: np.ndarray, protocol: str, number: int, folds: int, seed: int) -> np.ndarray:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    if protocol == LEAVE_ONE_OUT:
        patients = np.unique(lesions.patients)
        return np.flatnonzero(lesions.patients == patients[number % len(patients)])
    kind, groups = (
        (StratifiedKFold, None) if protocol in (LESIONS, BEST_EPOCH) else (StratifiedGroupKFold, lesions.patients)
    )
    # scikit-learn takes seeds below 2^32 only
    division = kind(folds, shuffle=True, random_state=(seed + number // folds) % 2**32)
    return [test for _, test in division.split(np.zeros(len(labels)), labels, groups)][number % folds]


def _check(lesions: StudyLesions, protocol: str, folds: int) -> None:
    patients = len(np.unique(lesions.patients))
    if protocol in (PATIENTS, LEAVE_ONE_OUT) and patients < (folds if protocol == PATIENTS else 3):
        raise InputError(
            f"The cohort has {pluralize(patients, 'patient')}, too few for the protocol “{protocol}”; use fewer folds "
            "or another one."
        )
    task = lesions.task
    counts = np.bincount(lesions.labels, minlength=len(task.classes))
    least = {PAPER: 1, LEAVE_ONE_OUT: 2}.get(protocol, folds)
    if counts.min() < least:
        raise InputError(
            f"The cohort has {_of_each(counts, task)} {task.unit}s; the protocol “{protocol}” "
            f"needs at least {least} of each; use fewer folds or another one."
        )
    missing = [point for point in (BASELINE, SECOND) if not lesions.having(point).any()]
    if protocol == PAPER and missing:
        raise InputError(
            f"The paper's protocol tests on the second MRI, and no {task.unit} of the cohort has one; add rows with "
            "the time point “second”, or choose other protocols."
        )


def _of_each(counts: np.ndarray, task: Task) -> str:
    """ "9 responding and 21 non-responding", the positive class first."""
    first, others = task.index(task.positive), [n for n in range(len(counts)) if task.names[n] != task.positive]
    *told, last = (f"{counts[n]} {task.classes[n].adjective}" for n in (first, *others))
    return f"{', '.join(told)} and {last}"
