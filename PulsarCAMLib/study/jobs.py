"""Hundreds of independent trainings over processes (joblib) or machines (Dask behind joblib).

A trial is a job with a folder of its own. A finished one is never computed again; one that is lost with its process is
begun again from its last checkpoint. What comes out does not depend on how the jobs were spread: every one has its own
seed and its own thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.errors import Cancelled, InputError, OutputError
from ..core.task import Task
from ..core.vocabulary import BEST_EPOCH
from ..io.workers import ATTEMPTS
from ..training.study_models import StudyModel, TrialTask
from .models.nested_cv import threshold_for
from .records import RESULT, TrialRecord, identity_of, read_record, trial_folder
from .splits import Split

Progress = Callable[[float, str], None]

POLL_SECONDS = 0.5


@dataclass(frozen=True, eq=False)
class Job:
    """One trial of one model.

    Attributes:
        model: that learns.
        split: from whom, and who is asked.
        patients: int ``[L]``.
        run: folder of the study.
        threshold_rule: see :data:`~PulsarCAMLib.core.vocabulary.THRESHOLD_RULES`.
        inner_folds: of the inner splits.
        question: what is asked; None: the task of the default system.
    """

    model: StudyModel
    split: Split
    patients: np.ndarray
    run: Path
    threshold_rule: str
    inner_folds: int
    question: Task | None = None

    @property
    def folder(self) -> Path:
        """Its own."""
        return trial_folder(self.run, self.model.name, self.split)

    def identity(self) -> str:
        """Of everything that decides its record."""
        return self._identity(self.model.identity())

    def finished(self) -> TrialRecord | None:
        """The record, for reports: also one that an earlier version of the model has finished.

        Raises:
            InputError: it is damaged or of another trial.
        """
        earlier = getattr(self.model, "earlier_identities", tuple)
        try:
            return read_record(self.folder, self.identity())
        except InputError:
            for each in earlier():
                try:
                    return read_record(self.folder, self._identity(each))
                except InputError:
                    continue
            raise

    def _identity(self, model: str) -> str:
        return identity_of(model, self.split, f"{self.threshold_rule}{self.inner_folds}")


def run_jobs(
    jobs: Sequence[Job],
    *,
    at_once: int = 1,
    scheduler: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[TrialRecord]:
    """Do what is not done yet; all records in the order of the jobs.

    Args:
        jobs: of one study; see :class:`Job`.
        at_once: processes side by side on this machine.
        scheduler: address of a Dask scheduler, whose workers do the jobs instead; the study's folder must be the same
            path for all of them, and they need the same version of this package.
        progress: called now and then with the share done and a text.
        cancelled: asked between two epochs, in this process only; True stops, and the study can be continued.

    Raises:
        InputError: a folder holds another trial, or a trial was lost :data:`ATTEMPTS` times.
        Cancelled: ``cancelled`` said so.
        PulsarCAMError: a trial's own error.
    """
    todo = [job for job in jobs if read_record(job.folder, job.identity()) is None]
    for attempt in range(ATTEMPTS):
        if not todo:
            break
        with _watched(jobs, progress):
            _spread(todo, at_once, scheduler, cancelled, again=attempt > 0)
        todo = [job for job in todo if not (job.folder / RESULT).is_file()]
    if todo:
        raise InputError(
            f"{len(todo)} trainings were lost with their processes {ATTEMPTS} times, the first of them "
            f"{todo[0].folder}; free memory or use fewer processes, and start again to go on."
        )
    if progress:
        progress(1.0, _told(len(jobs), len(jobs)))
    return [read_record(job.folder) for job in jobs]


def do_job(job: Job, parent: int | None = None, cancelled: Callable[[], bool] | None = None) -> None:
    """Learn, answer, and write the record as the last thing.

    Args:
        job: to be done.
        parent: process that wants it; when it is gone, the job stops.
        cancelled: True stops.

    Raises:
        PulsarCAMError: the model's own, or the record cannot be written.
    """
    from ..io.atomic import write_durably

    stop = cancelled or ((lambda: os.getppid() != parent) if parent else None)
    identity = job.identity()
    if read_record(job.folder, identity):
        return
    split = job.split
    own = (split.train, split.labels, job.patients, split.asked, split.seed, job.folder, stop, job.question)
    task = TrialTask(*own, choose_epoch=split.protocol == BEST_EPOCH)
    fitted = job.model.fit_predict(task)
    value, words, how = threshold_for(job.model, task, fitted, job.threshold_rule, job.inner_folds)
    if how:
        fitted.details["threshold"] = how
    record = TrialRecord.of(job.model.name, split, fitted, value, words)
    try:
        job.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The study's folder {job.folder} cannot be used ({error.strerror}).") from error
    write_durably(job.folder / RESULT, record.to_json(identity))


def _spread(todo: list[Job], at_once: int, scheduler: str | None, cancelled, again: bool) -> None:
    """One attempt; a process that dies is no error. What was lost with one is not begun again in this one."""
    if scheduler is None and min(at_once, len(todo)) <= 1 and not (again and at_once > 1):
        for job in todo:
            if cancelled and cancelled():
                raise Cancelled("stopped; what is trained so far is kept")
            do_job(job, cancelled=cancelled)
        return
    from ..io.workers import spread

    parent = None if scheduler else os.getpid()
    with dask_workers(scheduler):
        at_once = -1 if scheduler else max(2, min(at_once, len(todo)))
        for _ in spread(do_job, [(job, parent) for job in todo], at_once=at_once, remote=scheduler is not None):
            if cancelled and cancelled():
                raise Cancelled("stopped; what is trained so far is kept")


@contextmanager
def dask_workers(scheduler: str | None) -> Iterator[None]:
    """Let joblib's jobs within be done by the workers of a Dask scheduler; None changes nothing.

    Raises:
        DependencyError: Dask is not installed.
        InputError: no scheduler answers.
    """
    if scheduler is None:
        yield
        return
    from joblib import parallel_config

    from ..core.requirements import require

    require(("dask>=2024.1", "distributed>=2024.1"), extra="cluster")
    from distributed import Client

    try:
        client = Client(scheduler, timeout="20s")
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(f"No Dask scheduler answers at {scheduler}; start one with “dask scheduler”.") from error
    with client, parallel_config(backend="dask", wait_for_workers_timeout=60):
        yield


def _told(done: int, jobs: int) -> str:
    return f"{done} of {jobs} trainings done"


@contextmanager
def _watched(jobs: Sequence[Job], progress: Progress | None) -> Iterator[None]:
    """Tell how far all jobs are, from their folders: also those of other processes and machines."""
    if progress is None:
        yield
        return
    over, waiting = threading.Event(), list(jobs)

    def look() -> None:
        while not over.wait(POLL_SECONDS):
            waiting[:] = [job for job in waiting if not (job.folder / RESULT).exists()]
            done = len(jobs) - len(waiting)
            progress((done + sum(map(_share, waiting))) / len(jobs), _told(done, len(jobs)))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _share(job: Job) -> float:
    """How far a job is that has a training in its folder."""
    from ..training.members import share_done
    from .models.network_model import TRAINING, NetworkStudyModel

    if not isinstance(job.model, NetworkStudyModel) or not job.folder.exists():
        return 0.0
    return share_done(job.folder / TRAINING, job.model.settings)
