"""A study in a folder: prepared once, continued as often as it is stopped, read again without any training."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ..cohort.labels.lesion_label import LesionLabel
from ..cohort.tables.table import CohortTable
from ..io.locking import only_one
from .folder import make_folder, read_facts, write_facts
from .jobs import run_jobs
from .plan import Plan, claimed, plan_study
from .prepare import check_study, features_kept_if_refused, opened, prepare_study
from .running import Running, Stages
from .settings import StudySettings
from .study import Study

TRAINING = "training"

LOOKING = "looking for shortcuts"


def run_study(
    cohort: CohortTable,
    labels: Sequence[LesionLabel],
    settings: StudySettings,
    folder: str | Path,
    *,
    at_once: int = 1,
    scheduler: str | None = None,
    progress: Stages | None = None,
    cancelled: Callable[[], bool] | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> Study:
    """Run a study, or what is left of one that was begun in this folder: prepare, plan, run.

    Args:
        cohort: checked; see :func:`~PulsarCAMLib.cohort.checks.check_cohort`.
        labels: of :func:`~PulsarCAMLib.cohort.labels.cohort_labels.label_cohort`.
        settings: of the study.
        folder: of the study alone; made if it is not there.
        at_once, scheduler: see :func:`~.jobs.run_jobs`.
        progress: gives a context for a stage by its name, which yields a callback for the share done and a text.
        cancelled: True stops; the study can be continued.
        on_warning: is called with each warning.

    Raises:
        InputError: lesions, settings or folder cannot be used.
        OutputError: the folder cannot be written.
        Cancelled: ``cancelled`` said so.
    """
    from ..training.engine import device_of

    folder = Path(folder).absolute()
    candidates = check_study(cohort, labels, settings)
    running = Running(at_once, scheduler, progress or Running.progress, on_warning, cancelled)
    if read_facts(folder) is None:
        if scheduler is None and settings.networks:
            device_of(settings.training)  # a worker's machine may have what this one lacks
        make_folder(folder)
    with only_one(folder, "study"):
        with features_kept_if_refused(folder):
            plan = claimed(plan_study(prepare_study(candidates, settings, folder, running)))
        return run_plan(plan, running)


def run_plan(plan: Plan, running: Running) -> Study:
    """Do what is not done yet.

    Raises:
        InputError, OutputError, Cancelled: see :func:`~.jobs.run_jobs`.
    """
    prepared, began = plan.prepared, time.monotonic()
    with running.progress(TRAINING) as stage:
        how = {"at_once": running.at_once, "scheduler": running.scheduler, "cancelled": running.cancelled}
        records = run_jobs(plan.jobs, progress=stage, **how)
    spent = prepared.facts["seconds"].get("training", 0.0) + time.monotonic() - began
    facts = {**prepared.facts, "seconds": {**prepared.facts["seconds"], "training": round(spent, 1)}}
    write_facts(prepared.folder, facts)
    study = Study(prepared.folder, prepared.settings, prepared.lesions, facts, tuple(records))
    if prepared.settings.shortcuts:
        from .shortcuts.tested import keep_learnt_features

        with running.progress(LOOKING) as stage:
            keep_learnt_features(study, stage, running.stop)
    return study


def open_study(folder: str | Path) -> Study:
    """A study from its folder, finished or not; nothing is trained.

    Raises:
        InputError: there is none, or it is damaged.
    """
    plan = plan_study(opened(Path(folder).absolute()))
    prepared, found = plan.prepared, [job.finished() for job in plan.jobs]
    records = tuple(record for record in found if record)
    own = (prepared.folder, prepared.settings, prepared.lesions, prepared.facts)
    return Study(*own, records, len(found) - len(records))
