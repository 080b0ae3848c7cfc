"""What is kept of a trial: who was learnt from, who was asked, and what was answered."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..core.errors import InputError
from ..evaluation.thresholds import DEFAULT
from ..io.plain_files import read_json
from ..training.study_models import Fitted
from .splits import Split

FORMAT, FORMAT_VERSION = "PulsarCAM study trial", 1
RESULT = "result.json"


@dataclass(frozen=True, eq=False)
class Answers:
    """Probabilities for lesions on one MRI.

    Attributes:
        time_point: of the MRI.
        lesions: int ``[m]``.
        probabilities: ``[m]`` of the positive class of two, ``[m, C]`` of more; NaN where the model gave no answer.
    """

    time_point: str
    lesions: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True, eq=False)
class TrialRecord:
    """A finished trial.

    Attributes:
        model: name of the model.
        protocol, control, number: see :class:`~.splits.Split`.
        labels: int ``[L]`` as learnt and judged, permuted in a control.
        train: lesion indices.
        answers: one for each MRI that was asked about.
        threshold: probability from which on the positive class of two is called.
        threshold_from: where it was chosen, in words.
        details: what the model wanted to keep.
    """

    model: str
    protocol: str
    control: bool
    number: int
    labels: np.ndarray
    train: np.ndarray
    answers: tuple[Answers, ...]
    threshold: float = DEFAULT
    threshold_from: str = "fixed"
    details: dict[str, Any] | None = None

    @classmethod
    def of(cls, model: str, split: Split, fitted: Fitted, threshold: float, threshold_from: str) -> TrialRecord:
        """Of a split and what a model answered."""
        answers = [
            Answers(point, lesions, np.asarray(found, dtype=float))
            for (point, lesions), found in zip(split.asked, fitted.probabilities, strict=True)
        ]
        own = (split.protocol, split.control, split.number, split.labels, split.train)
        return cls(model, *own, tuple(answers), threshold, threshold_from, fitted.details)

    def to_json(self, identity: str) -> bytes:
        """For :data:`RESULT`; probabilities keep all their digits."""
        answers = [
            {
                "time_point": each.time_point,
                "lesions": each.lesions.tolist(),
                "probabilities": _with_gaps(each.probabilities.tolist()),
            }
            for each in self.answers
        ]
        plain = {name: value for name, value in vars(self).items() if name not in ("labels", "train", "answers")}
        plain |= {"labels": self.labels.tolist(), "train": self.train.tolist(), "answers": answers}
        head = {"format": FORMAT, "format_version": FORMAT_VERSION, "identity": identity, "software": _software()}
        return (json.dumps(head | plain) + "\n").encode()


def _with_gaps(value: Any) -> Any:
    """Numbers at any depth; None for one that is none."""
    if isinstance(value, list):
        return [_with_gaps(part) for part in value]
    return None if math.isnan(value) else value


def trial_folder(run: Path, model: str, split: Split | TrialRecord) -> Path:
    """Where a trial is kept."""
    place = f"{'control' if split.control else 'trial'}-{split.number + 1:03d}"
    return Path(run) / "trials" / model / split.protocol / place


def identity_of(model: str, split: Split, threshold_rule: str) -> str:
    """Hash of everything that decides a trial's record."""
    digest = hashlib.sha256(f"{model}{threshold_rule}{split.seed}".encode())
    parts = [split.labels[split.train], split.train, *(lesions for _, lesions in split.asked)]
    for array in parts:
        digest.update(np.asarray(array, dtype=np.int64).tobytes() + b"|")
    digest.update("|".join(point for point, _ in split.asked).encode())
    return digest.hexdigest()


def read_record(folder: Path, identity: str | None = None) -> TrialRecord | None:
    """What a trial's folder holds, None while it is not finished.

    Args:
        folder: of the trial.
        identity: that it must have.

    Raises:
        InputError: the record is damaged or of another trial.
    """
    path = Path(folder) / RESULT
    if not path.is_file():
        return None
    try:
        fields = read_json(path)
        same = fields.pop("identity")
        fields.pop("software", None)
        if fields.pop("format") != FORMAT or fields.pop("format_version") != FORMAT_VERSION:
            raise ValueError("another format")
        answers = tuple(
            Answers(a["time_point"], np.array(a["lesions"], dtype=int), np.array(a["probabilities"], dtype=float))
            for a in fields.pop("answers")
        )
        arrays = {name: np.array(fields.pop(name), dtype=int) for name in ("labels", "train")}
        record = TrialRecord(**fields, **arrays, answers=answers)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise InputError(f"The trial in {folder} is damaged; delete that folder and run the study again.") from error
    if identity is not None and same != identity:
        raise InputError(
            f"The folder {folder} holds a trial with other settings or other data; continue that study as it was "
            "begun, or choose another folder."
        )
    return record


@cache
def _software() -> dict[str, str]:
    """Versions that made a trial's record; a study may be continued years later. Not part of the identity."""
    from importlib import metadata

    names = ("torch", "numpy", "scikit-learn", "mirp")
    installed = {name: _version(metadata, name) for name in names}
    return {"PulsarCAM": __version__, **{name: found for name, found in installed.items() if found}}


def _version(metadata, name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
