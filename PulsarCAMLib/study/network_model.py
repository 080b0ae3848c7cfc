"""The autoencoder-classifier as a model, with its patches in the study's folder."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..core.vocabulary import BASELINE, CAM, TIME_POINTS
from ..systems.autoencoder.training_settings import TrainingSettings
from ..training.samples import TrainingSamples
from ..training.study_models import Fitted, TrialTask

TRAINING = "training"
FIELDS = {
    **{name: name for name in ("images", "masks", "labels", "patients")},
    **{"lesions": "units", "rotations": "changes"},
}
"""Name of an array in the study's file to the field of the samples."""


@dataclass(frozen=True)
class NetworkStudyModel:
    """One autoencoder-classifier per trial, trained on the first MRI's slices and their rotated copies.

    Attributes:
        samples: file of :func:`save_samples`.
        sha256: its hash.
        settings: of every training; the seed comes from the task.
    """

    samples: Path
    sha256: str
    settings: TrainingSettings
    name: str = CAM
    title: str = "Autoencoder-classifier (CAM)"
    about: str = "The paper's network on one 64x64 slice of every lesion, trained on the slice and its rotated copies."
    time_points: tuple[str, ...] = field(default=TIME_POINTS)

    def identity(self) -> str:
        """Of patches and settings."""
        return hashlib.sha256(f"{self.sha256}{self.settings.identity()}".encode()).hexdigest()

    def fit_predict(self, task: TrialTask) -> Fitted:
        """Train in a folder of the task's, from where it was stopped."""
        from scipy.special import expit

        from ..training.trial import train_trial

        sets = load_samples(self.samples)
        first = sets[BASELINE]
        chosen = np.isin(first.units, task.train)
        known = _labelled(first.where(chosen), task.labels)
        trained = train_trial(
            known, self.settings.with_seed(task.seed), task.folder / TRAINING, cancelled=task.cancelled
        )
        answers = [expit(trained.logits(slices_of(sets[point], wanted))) for point, wanted in task.asked]
        last = {name: round(value, 5) for name, value in trained.history[-1].items()}
        return Fitted(tuple(answers), {"epochs": trained.epochs, "weights_sha256": trained.sha256, "last_epoch": last})


def _labelled(samples: TrainingSamples, labels: np.ndarray) -> TrainingSamples:
    own = {**vars(samples), "labels": labels[samples.units].astype(np.int64)}
    return TrainingSamples(**own)


def slices_of(samples: TrainingSamples, lesions: Sequence[int]) -> TrainingSamples:
    """The slices of some lesions that are not rotated, in the order asked for.

    Raises:
        InputError: a lesion has no such slice.
    """
    originals = samples.originals()
    place = {int(lesion): at for at, lesion in enumerate(originals.units)}
    try:
        return originals.where(np.array([place[int(lesion)] for lesion in lesions], dtype=int))
    except KeyError as error:
        raise InputError(f"The study's patches lack lesion {error}; run the study anew.") from error


def save_samples(path: Path, sets: dict[str, TrainingSamples]) -> str:
    """Write the patches of both MRIs, patients and lesions as numbers; the file's hash.

    The file says nothing of when it was written, so that the same patches give the same hash.

    Raises:
        OutputError: it cannot be written.
    """
    from ..training.checkpoint import write_durably

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for point, samples in sets.items():
            for name, field_name in FIELDS.items():
                array = io.BytesIO()
                np.save(array, getattr(samples, field_name), allow_pickle=False)
                archive.writestr(zipfile.ZipInfo(f"{point}_{name}.npy"), array.getvalue())
    write_durably(path, content.getvalue())
    return hashlib.sha256(content.getvalue()).hexdigest()


@lru_cache(maxsize=4)
def load_samples(path: Path) -> dict[str, TrainingSamples]:
    """The patches of a study by time point; read once per process.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            points = [point for point in TIME_POINTS if f"{point}_labels" in arrays]
            return {
                point: TrainingSamples(**{FIELDS[name]: arrays[f"{point}_{name}"] for name in FIELDS})
                for point in points
            }
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"The study's patches {path} are missing or damaged; run the study anew.") from error
