"""A contestant: the many trials as PulsarCAM does them, by ``study.jobs.run_jobs`` in a folder that ends up finished.

Each command has a folder of its own, so that nothing is found done. See :mod:`trial_data` for how it is asked.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
from trial_data import SAMPLES, serve
from trials_study import lesion_splits

from PulsarCAMLib.cohort.study_lesions import StudyLesions
from PulsarCAMLib.study.folder import LESIONS as LESIONS_CSV, read_facts
from PulsarCAMLib.study.jobs import Job, run_jobs
from PulsarCAMLib.study.models.network_model import NetworkStudyModel
from PulsarCAMLib.study.models.samples_file import load_samples
from PulsarCAMLib.study.settings import StudySettings


def jobs_of(study: Path, folder: Path, command: dict) -> list[Job]:
    """The trials of a command as jobs that keep their results in ``folder``."""
    facts = read_facts(study)
    settings = StudySettings.from_card(facts["settings"])
    seconds = command.get("checkpoint_seconds", settings.training.checkpoint_seconds)
    training = replace(settings.training, epochs=command["epochs"], checkpoint_seconds=seconds, device="cpu")
    model = NetworkStudyModel(study / SAMPLES, facts["sha256"]["samples"], training)
    patients = StudyLesions.from_csv(study / LESIONS_CSV).patients
    splits = lesion_splits(study, max(command["trials"]) + 1)
    rule = (settings.threshold, settings.inner_folds)
    return [Job(model, splits[number], patients, folder, *rule) for number in command["trials"]]


def loading_seconds(study: Path) -> float:
    """What one process spends on the patches before its first trial."""
    began = time.perf_counter()
    load_samples.__wrapped__(study / SAMPLES)
    return time.perf_counter() - began


def main(study: Path) -> None:
    """Serve the trials of a study."""

    def do(command: dict) -> list:
        folder = Path(tempfile.mkdtemp(prefix="trials-", dir=study))
        records = run_jobs(jobs_of(study, folder, command), at_once=command.get("at_once", 1))
        answers = [[answer.probabilities.tolist() for answer in record.answers] for record in records]
        shutil.rmtree(folder)
        return answers

    serve(do, {"torch": torch.__version__, "loading": loading_seconds(study)})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
