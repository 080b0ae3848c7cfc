"""Any system's network as a model of a study, with its samples in the study's folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import InputError
from ...core.task import Task
from ...core.vocabulary import BASELINE, TIME_POINTS
from ...systems.contract import System
from ...systems.learning.channels import ZEROS
from ...systems.registry import register, system_of, system_of_settings
from ...systems.subsets import InputSubset
from ...training.study_models import Fitted, TrialTask
from ...training.units.samples import TrainingSamples
from ..settings import asked_twice, network_name, subset_model
from .samples_file import load_samples

TRAINING = "training"


@dataclass(frozen=True)
class NetworkStudyModel:
    """One network of a system per trial, trained on the samples of the first MRI and their copies.

    Attributes:
        samples: file of :func:`.samples_file.save_samples`.
        sha256: its hash.
        settings: of every training; the seed comes from the task.
        system: whose network, so that other processes know it; None: that of the settings.
        shown: which inputs it sees, where these are not all that the samples hold; the settings are those of a network
            of these alone.
        control: name of the control of inputs whose samples it sees; empty: none.
    """

    samples: Path
    sha256: str
    settings: Any
    system: System | None = None
    shown: InputSubset | None = None
    control: str = ""

    def __post_init__(self) -> None:
        if self.system is None:
            object.__setattr__(self, "system", system_of_settings(self.settings))

    @property
    def name(self) -> str:
        """Of files and options."""
        own = network_name(self.system.name)
        if self.control:
            return subset_model(own, self.control)
        return subset_model(own, self.shown.name) if self.shown else own

    @property
    def title(self) -> str:
        """For people."""
        if self.control:
            return f"{self.system.title}: {self.system.input_control(self.control).title}"
        return f"{self.system.title}: {self.shown.title}" if self.shown else self.system.title

    @property
    def about(self) -> str:
        """One sentence for the report."""
        if self.control:
            return f"The same network and splits. {self.system.input_control(self.control).about}"
        if self.shown is None:
            return self.system.about
        how = "the other channels are zero" if ZEROS in self.shown.channels else "it has no channels for the others"
        return f"The same network, splits and samples with these inputs alone; {how}."

    @property
    def time_points(self) -> tuple[str, ...]:
        """MRIs on which it can be asked."""
        return TIME_POINTS if asked_twice(self.system) else (BASELINE,)

    def identity(self) -> str:
        """Of patches and settings."""
        shown = self.control if self.shown is None else f"{self.shown.name}{self.shown.channels}"
        return hashlib.sha256(f"{self.sha256}{self.settings.identity()}{shown}".encode()).hexdigest()

    def samples_of_point(self, point: str) -> TrainingSamples:
        """All samples of a time point as this network sees them.

        Raises:
            InputError: they are missing or damaged.
        """
        if self.control:
            usual = self.settings.preprocessing
            return _controlled(self.samples, self.sha256, point, self.control, self.system.name, usual)
        found = load_samples(self.samples)[point]
        return found if self.shown is None else found.seeing(self.shown.channels)

    def fit_predict(self, task: TrialTask) -> Fitted:
        """Train in a folder of the task's, from where it was stopped."""
        from ...training.trial import train_trial

        register(self.system)  # another process may not know it yet
        first = self.samples_of_point(BASELINE)
        chosen = np.isin(first.units, task.train)
        known = _labelled(first.where(chosen), task.labels)
        settings, aside = self.settings.with_seed(task.seed), None
        if task.choose_epoch:
            tested = np.unique(np.concatenate([wanted for _, wanted in task.asked]))
            aside = _labelled(samples_of(first, tested), task.labels)
            settings = replace(settings, patience=settings.all_epochs)  # never stops, keeps the best epoch
        trained = train_trial(known, settings, task.folder / TRAINING, aside, cancelled=task.cancelled)
        answers = [
            probabilities_of(trained.logits(samples_of(self.samples_of_point(point), wanted)), self.system.task)
            for point, wanted in task.asked
        ]
        last = {name: round(value, 5) for name, value in trained.history[-1].items()}
        told = {"epochs": trained.epochs, "weights_sha256": trained.sha256, "last_epoch": last}
        if task.choose_epoch:
            told["epoch_chosen_on_the_tested"] = trained.best_epoch
        return Fitted(tuple(answers), told)


@lru_cache(maxsize=2)
def _controlled(path: Path, _sha256: str, point: str, control: str, system: str, preprocessing: Any):
    """Samples as a control of inputs sees them; kept, for every trial of a process asks for them."""
    found = load_samples(path)[point]
    images, masks = (np.asarray(each) for each in (found.images, found.masks))
    own = system_of(system)
    return replace(found, images=own.controlled(control, images, masks, np.arange(len(found)), preprocessing))


def _labelled(samples: TrainingSamples, labels: np.ndarray) -> TrainingSamples:
    own = {**vars(samples), "labels": labels[samples.units].astype(np.int64)}
    return TrainingSamples(**own)


def probabilities_of(logits: np.ndarray, task: Task) -> np.ndarray:
    """Of the positive class of two ``[n]``, of more ``[n, C]``; from logits ``[n]`` or ``[n, C]``, as they come."""
    from scipy.special import expit, softmax

    if logits.ndim == 1:
        return expit(logits)
    found = softmax(logits.astype(np.float64), axis=1)
    return found[:, task.index(task.positive)] if task.binary else found


def samples_of(samples: TrainingSamples, lesions: Sequence[int]) -> TrainingSamples:
    """The unchanged samples of some lesions, in the order asked for.

    Raises:
        InputError: a lesion has none.
    """
    originals = samples.originals()
    place = {int(lesion): at for at, lesion in enumerate(originals.units)}
    try:
        return originals.where(np.array([place[int(lesion)] for lesion in lesions], dtype=int))
    except KeyError as error:
        raise InputError(f"The study's patches lack lesion {error}; run the study anew.") from error
