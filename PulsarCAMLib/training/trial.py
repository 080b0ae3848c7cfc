"""A trial: one training as an independent job in a folder of its own, which can be lost and repeated.

The folder holds ``trial.json`` (settings and hashes), ``history.csv`` (curves, epoch by epoch), ``pictures/`` if asked
for, ``checkpoint.safetensors`` while it runs, and in the end ``weights.safetensors`` and ``result.json``. No name of a
patient or file is in any of them.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from .. import __version__
from ..core.errors import InputError, OutputError
from ..core.settings import what_differs
from ..core.task import Task
from ..io.atomic import replace_file, write_durably
from ..io.csv_files import csv_text
from ..io.plain_files import read_json
from ..systems.contract import System
from ..systems.learning.learner import Trained, TrainingSamples
from ..systems.registry import settings_from_card, system_of_settings
from .checkpoint import load_checkpoint, save_checkpoint
from .engine import Engine, Progress, Row, own_random_numbers
from .validation import predict_logits

FORMAT, FORMAT_VERSION = "PulsarCAM trial", 1
DESCRIPTION, HISTORY, CHECKPOINT = "trial.json", "history.csv", "checkpoint.safetensors"
WEIGHTS, RESULT, PICTURES = "weights.safetensors", "result.json", "pictures"
HISTORY_SECONDS = 1.0
ROWS_AT_ONCE = 64
"""Samples hashed at a time, so that those in a file need not be in memory together."""


@dataclass(frozen=True)
class TrialResult:
    """A finished trial.

    Attributes:
        folder: of the trial.
        settings: of the training.
        identity: hash of the settings and of all samples.
        history: one row per epoch.
        epochs: epochs trained.
        best_epoch: whose weights these are; the last one, unless training stopped early.
        sha256: hash of the weights' file.
    """

    folder: Path
    settings: Trained
    identity: str
    history: list[Row]
    epochs: int
    best_epoch: int
    sha256: str

    @property
    def system(self) -> System:
        """Whose network it is."""
        return system_of_settings(self.settings)

    def model(self) -> nn.Module:
        """The trained model, in evaluation mode.

        Raises:
            InputError: the weights are not those that were trained.
        """
        import safetensors.torch

        content = (self.folder / WEIGHTS).read_bytes()
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise _damaged(self.folder)
        model = self.system.network(self.settings.architecture, self.settings.preprocessing)
        model.load_state_dict(safetensors.torch.load(content))
        return model.eval()

    def logits(self, samples: TrainingSamples) -> np.ndarray:
        """Logits ``[N]`` of the positive class, or ``[N, classes]``."""
        return predict_logits(self.model(), samples, system=self.system)


def train_trial(
    samples: TrainingSamples,
    settings: Trained,
    folder: str | Path,
    validation: TrainingSamples | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> TrialResult:
    """Train one model, continue where an earlier call was stopped, or return what an earlier call finished.

    However often it was stopped, by Ctrl-C or by force: the weights are those of an unbroken run, bit for bit, on the
    same kind of machine with the same version of torch.

    Args:
        samples: to train on, with the changed copies.
        settings: of the training.
        folder: of this trial alone; made if it is not there.
        validation: of other patients, without copies.
        progress: called after each epoch with the share done and a text.
        cancelled: asked after each epoch; True stops, and the trial can be continued.

    Raises:
        InputError: the folder holds another trial or a damaged one, or the samples cannot be trained on.
        OutputError: the folder cannot be written.
        Cancelled: ``cancelled`` said so.
    """
    folder = Path(folder)
    identity = identity_of(samples, settings, validation)
    finished = _finished_or_refused(folder, settings, identity)
    if finished:
        return finished
    began = time.monotonic()
    with own_random_numbers(settings):
        engine = Engine(settings, samples, validation)
        _claim(folder, settings, identity, samples, validation)  # what is refused has left nothing
        if (folder / CHECKPOINT).exists():
            load_checkpoint(folder / CHECKPOINT, engine, identity)
        keeper = _Keeper(folder, engine, identity)
        try:
            engine.run(keeper.after_epoch, progress, cancelled)
        except BaseException:
            keeper.leave()
            raise
    return _finish(folder, engine, identity, time.monotonic() - began)


def identity_of(samples: TrainingSamples, settings: Trained, validation: TrainingSamples | None = None) -> str:
    """Hash of everything that decides a trial's result: settings, and all samples in their order."""
    digest = hashlib.sha256(settings.identity().encode())
    for part in (samples, validation):
        digest.update(samples_digest(part).encode() if part is not None else b"none")
    return digest.hexdigest()


def samples_digest(samples: TrainingSamples) -> str:
    """Hash of images, masks, labels and how sure they are; not of names."""
    digest = hashlib.sha256()
    for array in (samples.images, samples.masks, samples.labels):
        digest.update(f"{array.shape}{array.dtype}".encode())
        for start in range(0, len(array), ROWS_AT_ONCE):
            digest.update(np.ascontiguousarray(array[start : start + ROWS_AT_ONCE]).data)
    if samples.confidence is not None:
        digest.update(np.ascontiguousarray(samples.confidence, dtype=float).data)
    return digest.hexdigest()


def finished_trial(folder: str | Path) -> TrialResult | None:
    """What is in a trial's folder, if it is finished.

    Raises:
        InputError: the result cannot be read or its weights are not those that were trained.
    """
    folder = Path(folder)
    if not (folder / RESULT).is_file():
        return None
    try:
        fields = read_json(folder / RESULT)
        if hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest() != fields["sha256"]:
            raise _damaged(folder)
        settings = settings_from_card(fields["settings"])
        own = (fields[name] for name in ("identity", "history", "epochs", "best_epoch", "sha256"))
        return TrialResult(folder, settings, *own)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder) from error


def _finished_or_refused(folder: Path, settings: Trained, identity: str) -> TrialResult | None:
    """The result, if it is there; a folder that is another trial's is refused."""
    description = folder / DESCRIPTION
    try:
        there = read_json(description) if description.exists() else None
    except ValueError as error:
        raise _damaged(folder) from error
    except OSError as error:
        raise _not_usable(folder, error) from error
    if there is not None and (not isinstance(there, dict) or there.get("identity") != identity):
        card = there.get("settings") if isinstance(there, dict) else None
        others = what_differs(card, settings.to_card(), ("seed",)) if isinstance(card, dict) else ""
        what = f"with other settings or other data{f' ({others})' if others else ''}"
        raise InputError(
            f"The folder {folder} holds a training {what}; continue that one with the same settings and data, or "
            "choose another folder."
        )
    return finished_trial(folder)


def _claim(folder: Path, settings, identity: str, samples: TrainingSamples, validation: TrainingSamples | None) -> None:
    """Make the folder this trial's own, if it is not yet."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_usable(folder, error) from error
    if (folder / DESCRIPTION).exists():
        return
    task = system_of_settings(settings).task
    parts = (("training", samples), ("validation", validation))
    counts = {name: counts_of(part, task) for name, part in parts if part}
    fields = {"format": FORMAT, "format_version": FORMAT_VERSION, "identity": identity, **counts}
    fields |= {"settings": settings.to_card(), "software": software()}
    write_durably(folder / DESCRIPTION, _json(fields))


class _Keeper:
    """Writes down how a training goes."""

    def __init__(self, folder: Path, engine: Engine, identity: str) -> None:
        self._folder, self._engine, self._identity = folder, engine, identity
        self._saved = self._told = time.monotonic()
        self._saved_epoch = engine.epoch

    def after_epoch(self, engine: Engine) -> None:
        """Curves every second, a checkpoint every so often, pictures now and then."""
        now, settings = time.monotonic(), engine.settings
        if now - self._told >= HISTORY_SECONDS or engine.done:
            write_history(self._folder / HISTORY, engine.history)
            self._told = now
        shown = engine.validation if engine.validation is not None else engine.samples.originals()
        engine.learner.draw(self._folder / PICTURES, engine.epoch, shown, last=engine.done)
        if now - self._saved >= settings.checkpoint_seconds or engine.done:
            self._save()

    def leave(self) -> None:
        """Keep what a stop between two epochs would lose; a stop within an epoch loses that epoch."""
        if self._engine.at_rest and self._engine.epoch > self._saved_epoch:
            self._save()

    def _save(self) -> None:
        save_checkpoint(self._folder / CHECKPOINT, self._engine, self._identity)
        self._saved, self._saved_epoch = time.monotonic(), self._engine.epoch


def _finish(folder: Path, engine: Engine, identity: str, seconds: float) -> TrialResult:
    import safetensors.torch

    state = {name: value.detach().cpu().contiguous() for name, value in engine.model.state_dict().items()}
    content = safetensors.torch.save(state)
    write_durably(folder / WEIGHTS, content)
    fields = {"format": FORMAT, "format_version": FORMAT_VERSION, "identity": identity}
    fields |= {"settings": engine.settings.to_card(), "software": software(), "epochs": engine.epoch}
    fields |= {"best_epoch": engine.kept_epoch, "history": engine.history}
    fields |= {"seconds_since_last_start": round(seconds, 1), "sha256": hashlib.sha256(content).hexdigest()}
    write_durably(folder / RESULT, _json(fields))  # last: with it the trial is finished
    for leftover in (folder / CHECKPOINT, *folder.glob(".*.partial")):
        leftover.unlink(missing_ok=True)
    return finished_trial(folder)


def write_history(path: Path, history: list[Row]) -> None:
    """Curves as CSV, one row per epoch; empty where a figure was not measured."""
    columns = list(dict.fromkeys(name for row in history for name in row))
    text = csv_text(columns, ([f"{row[name]:.8g}" if name in row else "" for name in columns] for row in history))
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise OutputError(f"The training's curves cannot be saved to {path} ({error.strerror}).") from error


def counts_of(samples: TrainingSamples, task: Task) -> dict[str, Any]:
    """How much data there is, of which classes; nothing that names anybody."""
    originals = samples.originals()
    of_class = dict(zip(task.names, np.bincount(originals.labels, minlength=len(task.names)).tolist(), strict=True))
    return {
        "patients": len(np.unique(samples.patients)),
        f"{task.unit}s": len(originals),
        **({f"{task.positive}s": of_class[task.positive]} if task.binary else {"classes": of_class}),
        "samples": len(samples),
    }


def software() -> dict[str, str]:
    """Versions that decide the last bits."""
    return {"PulsarCAM": __version__, "torch": torch.__version__, "numpy": np.__version__}


def _json(fields: dict) -> bytes:
    return (json.dumps(fields, indent=1) + "\n").encode()


def _not_usable(folder: Path, error: OSError) -> OutputError:
    return OutputError(f"The training's folder {folder} cannot be used ({error.strerror}).")


def _damaged(folder: Path) -> InputError:
    return InputError(f"The training in {folder} is damaged; delete that folder and train anew.")
