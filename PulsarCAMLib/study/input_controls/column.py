"""A control of inputs that answers by one number: logistic regression on it, on the network's splits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...core.errors import InputError
from ...core.input_control import VOLUME, InputControl
from ...core.vocabulary import BASELINE, TIME_POINTS
from ...evaluation.predictions import default_task
from ...systems.contract import System
from ...systems.registry import register
from ...training.study_models import Fitted, TrialTask
from ..models.baselines import told
from ..models.network_model import samples_of
from ..models.samples_file import load_samples
from ..settings import asked_twice, network_name, subset_model
from .unit_volumes import read_volumes


@dataclass(frozen=True)
class InputControlColumn:
    """See :class:`...training.study_models.StudyModel`.

    Attributes:
        samples: file of :func:`..models.samples_file.save_samples`.
        sha256: its hash.
        system: whose control it is.
        control: which; a column.
        volumes: file of :mod:`.unit_volumes`.
    """

    samples: Path
    sha256: str
    system: System
    control: InputControl
    volumes: Path

    @property
    def name(self) -> str:
        """Of files and options."""
        return subset_model(network_name(self.system.name), self.control.name)

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.system.title}: {self.control.title}"

    @property
    def about(self) -> str:
        """One sentence for the report."""
        return self.control.about

    @property
    def time_points(self) -> tuple[str, ...]:
        """MRIs on which it can be asked."""
        return TIME_POINTS if asked_twice(self.system) else (BASELINE,)

    def identity(self) -> str:
        """Of what it is and what it looks at."""
        return hashlib.sha256(f"{self.sha256}{self.control.name}".encode()).hexdigest()

    def fit_predict(self, task: TrialTask) -> Fitted:
        """Learn from the training units' number on the first MRI and their labels only."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        register(self.system)  # another process may not know it yet
        question, labels = task.question or default_task(), task.labels[task.train]
        model = make_pipeline(
            StandardScaler(), LogisticRegression(class_weight="balanced", random_state=task.seed % 2**31)
        )
        model.fit(self.numbers(BASELINE, task.train), labels)
        answers = []
        for point, wanted in task.asked:
            found = np.zeros((len(wanted), task.classes))
            found[:, model.classes_] = model.predict_proba(self.numbers(point, wanted))
            answers.append(told(found, question))
        return Fitted(tuple(answers))

    def numbers(self, point: str, units: np.ndarray) -> np.ndarray:
        """``[m, 1]``: of some units on one MRI; volumes as their logarithm, for they span powers of ten.

        Raises:
            InputError: the study's folder is damaged.
        """
        volumes = read_volumes(self.volumes) if self.control.column == VOLUME else None
        if volumes is not None:
            if set(units.tolist()) - set(volumes[point]):
                raise InputError(f"The list of volumes {self.volumes} lacks units of the study; run the study anew.")
            return np.log([[volumes[point][unit]] for unit in units.tolist()])
        shown = samples_of(load_samples(self.samples)[point], units)
        images, masks = (np.asarray(each) for each in (shown.images, shown.masks))
        found = self.system.control_column(self.control.name, images, masks)[:, None]
        return np.log(np.maximum(found, 1)) if self.control.column == VOLUME else found
