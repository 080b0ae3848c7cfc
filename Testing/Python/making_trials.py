"""Trials made on the spot: lesions, and models that cost nothing."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from PulsarCAMLib.cohort.study_lesions import StudyLesions
from PulsarCAMLib.study.jobs import Job
from PulsarCAMLib.study.splits import protocol_splits
from PulsarCAMLib.training.study_models import Fitted

COUNTS = {"trials": 10, "controls": 3, "folds": 5, "seed": 0}


def some_lesions(patients=15, seed=0, second=True):
    """One to three lesions a patient; the last lesion has no second MRI."""
    rng = np.random.default_rng(seed)
    numbers = np.repeat(np.arange(1, patients + 1), rng.integers(1, 4, patients))
    count = len(numbers)
    labels = (np.arange(count) % 5 < 2).astype(int)
    later = np.arange(count) + 100 if second else np.full(count, -1)
    later[-1] = -1
    return StudyLesions(numbers, rng.permutation(labels), {"baseline": np.arange(count) + 2, "second": later})


@dataclass(frozen=True)
class Guesser:
    """Answers with the share of responses among the training lesions, and keeps count of how often it was asked.

    ``dies`` makes its process vanish that many times in every task that it begins.
    """

    dies: int = 0
    flavour: str = "a"
    name: str = "guesser"
    title: str = "Guesser"
    about: str = "It guesses."
    time_points: tuple = ("baseline", "second")

    def identity(self):
        return f"guesser {self.flavour}"

    def fit_predict(self, task):
        Path(task.folder).mkdir(parents=True, exist_ok=True)
        with (Path(task.folder) / "begun").open("a") as file:
            file.write("x")
        if (Path(task.folder) / "begun").stat().st_size <= self.dies:
            os._exit(9)
        rate = task.labels[task.train].mean()
        noise = np.random.default_rng(task.seed)
        return Fitted(tuple(np.clip(rate + 0.3 * noise.standard_normal(len(at)), 0, 1) for _, at in task.asked))


def some_jobs(folder, model=None, protocol="patients", lesions=None, rule="fixed", **counts):
    """Jobs of one model under one protocol."""
    lesions = lesions or some_lesions()
    splits = protocol_splits(lesions, protocol, **{**COUNTS, **counts})
    return [Job(model or Guesser(), split, lesions.patients, folder, rule, 2) for split in splits]
