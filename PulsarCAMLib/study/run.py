"""A study in a folder: prepared once, continued as often as it is stopped, read again without any training."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cohort.lesion_label import LesionLabel
from ..cohort.study_lesions import StudyLesions
from ..cohort.table import CohortTable
from ..core.errors import InputError
from ..io.locking import only_one
from .exclusion import check_dose, within_limit
from .folder import LESIONS, make_folder, read_facts, write_facts
from .jobs import run_jobs
from .plan import jobs_of
from .preparing import Running, Stages, check_begun, prepared, study_rows, usable
from .records import TrialRecord, trial_folder
from .settings import StudySettings

TRAINING = "training"


@dataclass(frozen=True, eq=False)
class Study:
    """A study that was run, or is being run, in a folder.

    Attributes:
        folder: of the study.
        settings: of the study.
        lesions: that take part.
        facts: the whole of ``study.json``: hashes, versions, seconds, warnings, whether the lesions are generated.
        records: finished trials in the order of models, protocols, trials, controls.
        missing: how many trials are not finished.
    """

    folder: Path
    settings: StudySettings
    lesions: StudyLesions
    facts: dict[str, Any]
    records: tuple[TrialRecord, ...]
    missing: int = 0

    def of(self, model: str, protocol: str, control: bool = False) -> list[TrialRecord]:
        """The trials, or the controls, of a model under a protocol."""
        return [r for r in self.records if (r.model, r.protocol, r.control) == (model, protocol, control)]

    def folder_of(self, record: TrialRecord) -> Path:
        """Where a trial is kept."""
        return trial_folder(self.folder, record.model, record)


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
    tell: Callable[[str], None] | None = None,
) -> Study:
    """Run a study, or what is left of one that was begun in this folder.

    Args:
        cohort: checked; see :func:`~PulsarCAMLib.cohort.checks.check_cohort`.
        labels: of :func:`~PulsarCAMLib.cohort.labels.label_cohort`.
        settings: of the study.
        folder: of the study alone; made if it is not there.
        at_once, scheduler: see :func:`~.jobs.run_jobs`.
        progress: gives a context for a stage by its name, which yields a callback for the share done and a text.
        cancelled: True stops; the study can be continued.
        tell: is called with each warning.

    Raises:
        InputError: lesions, settings or folder cannot be used.
        OutputError: the folder cannot be written.
        Cancelled: ``cancelled`` said so.
    """
    folder = Path(folder).absolute()
    rows = study_rows(cohort, labels)
    lesions = usable(StudyLesions.of(*rows), settings)
    check_dose(cohort, settings)
    running = Running(at_once, scheduler, progress or (lambda _stage: nullcontext()), tell)
    if read_facts(folder) is None:
        make_folder(folder)
    with only_one(folder, "study"):
        check_begun(read_facts(folder), settings, cohort, folder)
        rows, left_out = within_limit(cohort, rows, settings, folder, running)
        if left_out is not None:
            lesions = usable(StudyLesions.of(*rows), settings)
        facts = prepared(cohort, rows, lesions, settings, folder, running=running, left_out=left_out)
        began = time.monotonic()
        with running.progress(TRAINING) as stage:
            how = {"at_once": at_once, "scheduler": scheduler, "progress": stage, "cancelled": cancelled}
            records = run_jobs(jobs_of(settings, lesions, facts, folder), **how)
        spent = facts["seconds"].get("training", 0.0) + time.monotonic() - began
        facts["seconds"]["training"] = round(spent, 1)
        write_facts(folder, facts)
    return Study(folder, settings, lesions, facts, tuple(records))


def open_study(folder: str | Path) -> Study:
    """A study from its folder, finished or not; nothing is trained.

    Raises:
        InputError: there is none, or it is damaged.
    """
    folder = Path(folder).absolute()
    facts = read_facts(folder)
    if facts is None:
        raise InputError(f"There is no study in {folder}; run one with: pulsarcam study COHORT -o {folder.name}")
    settings = StudySettings.from_card(facts["settings"])
    lesions = StudyLesions.from_csv(folder / LESIONS)
    found = [job.finished() for job in jobs_of(settings, lesions, facts, folder)]
    records = tuple(record for record in found if record)
    return Study(folder, settings, lesions, facts, records, len(found) - len(records))
