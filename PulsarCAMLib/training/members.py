"""All members of an ensemble, each a trial of its own, one after another or side by side in processes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.pluralize import pluralize
from ..systems.contract import System
from ..systems.learning.learner import Trained, TrainingSamples
from ..systems.registry import register, system_of_settings
from .trial import HISTORY, RESULT, TrialResult, train_trial

Progress = Callable[[float, str], None]

POLL_SECONDS = 0.5


def train_members(
    samples: TrainingSamples | Sequence[TrainingSamples],
    validation: TrainingSamples | Sequence[TrainingSamples] | None,
    settings: Sequence[Trained],
    folder: str | Path,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
) -> list[TrialResult]:
    """Train, or continue, one model for each of the settings.

    What comes out does not depend on ``jobs``: every trial has its own seed and its own thread.

    Args:
        samples: to train on, with the changed copies; for all members, or one for each.
        validation: of other patients, without copies; likewise.
        settings: one for each member; they differ in their seed.
        folder: the run's; every member gets a folder of its own in it.
        jobs: processes side by side.
        progress: called now and then with the share done and a text.

    Raises:
        PulsarCAMError: as :func:`~.trial.train_trial`.
        InputError: a member was lost with its process every time that it was begun.
    """
    folders = [Path(folder) / f"member-{number + 1:03d}" for number in range(len(settings))]
    each = list(zip(_for_each(samples, settings), settings, folders, _for_each(validation, settings), strict=True))
    if min(jobs, len(settings)) <= 1:
        return [
            train_trial(known, own, place, aside, progress=_part(progress, number, len(settings)))
            for number, (known, own, place, aside) in enumerate(each)
        ]
    from ..io.workers import ATTEMPTS, all_of

    system = system_of_settings(settings[0])
    with _watched(folders, settings, progress):
        found = all_of(_in_worker, [(system, *own, os.getpid()) for own in each], at_once=min(jobs, len(settings)))
        lost = [place for number, place in enumerate(folders) if number not in found]
        if lost:
            raise InputError(
                f"{pluralize(len(lost), 'member')} of the ensemble {'was' if len(lost) == 1 else 'were'} lost with the "
                f"process {ATTEMPTS} times, the first of them {lost[0]}; free memory or use fewer processes, and start "
                "again to go on."
            )
        return [found[number] for number in range(len(each))]


def _for_each(given: Any, settings: Sequence[Trained]) -> Sequence[Any]:
    return [given] * len(settings) if given is None or isinstance(given, TrainingSamples) else given


def _in_worker(
    system: System,
    samples: TrainingSamples,
    settings: Trained,
    folder: Path,
    validation: TrainingSamples | None,
    parent: int,
) -> TrialResult:
    """A trial that stops when the process that wants it is gone, lest a resumed run meet it in its folder."""
    register(system)  # a new process knows only those that come with PulsarCAM
    return train_trial(samples, settings, folder, validation, cancelled=lambda: os.getppid() != parent)


def share_done(folder: Path, settings: Trained) -> float:
    """How far a trial is, from its folder; may be asked by any process at any time."""
    if (folder / RESULT).exists():
        return 1.0
    try:
        with (folder / HISTORY).open("rb") as file:
            return min(1.0, max(0, sum(1 for _ in file) - 1) / settings.all_epochs)
    except OSError:
        return 0.0


@contextmanager
def _watched(folders: list[Path], settings: Sequence[Trained], progress: Progress | None) -> Iterator[None]:
    """Tell how far the trials of other processes are."""
    if progress is None:
        yield
        return
    over = threading.Event()

    def look() -> None:
        while not over.wait(POLL_SECONDS):
            shares = [share_done(at, own) for at, own in zip(folders, settings, strict=True)]
            text = f"{sum(share == 1 for share in shares)} of {len(shares)} members done"
            progress(sum(shares) / len(shares), text)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
        over.set()
        watcher.join()
        progress(1.0, f"{len(folders)} of {len(folders)} members done")
    finally:
        over.set()


def _part(progress: Progress | None, number: int, members: int) -> Progress | None:
    if progress is None:
        return None
    return lambda share, text: progress((number + share) / members, f"member {number + 1} of {members}: {text}")
