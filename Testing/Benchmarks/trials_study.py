"""The data of the many-trials benchmark: the acceptance cohort and its patches, prepared by PulsarCAM and timed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from trial_data import SAMPLES, TRIALS

from PulsarCAMLib.cohort.checks import check_cohort
from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.study_lesions import StudyLesions
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import Cancelled
from PulsarCAMLib.core.vocabulary import LESIONS
from PulsarCAMLib.study.folder import LESIONS as LESIONS_CSV, STUDY, read_facts
from PulsarCAMLib.study.run import run_study
from PulsarCAMLib.study.settings import StudySettings
from PulsarCAMLib.study.splits import Split, protocol_splits

MAKE_COHORT = ("cohort", "make-synthetic", "--second-mri", "--lesions", "1", "3", "--seed", "4", "--patients", "39")


@dataclass(frozen=True)
class Prepared:
    """A study whose patches are cut and of which nothing is trained.

    Attributes:
        folder: of the study, with ``trials.json`` for the other contestants.
        checking: seconds to read the table, to check every file of it and to compute the responses.
        cutting: seconds to hash all inputs, to cut and rotate the patches and to write them.
        about: its data in words.
    """

    folder: Path
    checking: float
    cutting: float
    about: str


def prepare(work: Path, cohort: Path | None, trials: int) -> Prepared:
    """Make the cohort if none is given, and do everything that comes before the first training.

    Args:
        work: folder for all of it.
        cohort: table of lesions; None: the acceptance cohort is made.
        trials: of the protocol "lesions".
    """
    about = f"cohort {cohort}"
    if cohort is None:
        cohort = work / "cohort" / "cohort.csv"
        about = "generated: pulsarcam " + " ".join(MAKE_COHORT)
        command = [sys.executable, "-m", "PulsarCAMLib.cli", *MAKE_COHORT, "--quiet", "-o", str(cohort.parent)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    times = [time.perf_counter()]
    table = read_cohort(cohort)
    check_cohort(table)
    labels = label_cohort(table)
    times.append(time.perf_counter())
    try:
        run_study(table, labels, StudySettings(protocols=(LESIONS,), trials=trials), work / "study", cancelled=_at_once)
    except Cancelled:
        times.append(time.perf_counter())
    write_trials(work / "study", trials)
    facts = read_facts(work / "study")
    copies = 1 + len(facts["settings"]["training"]["rotations"])
    about = f"{facts['lesions']} lesions of {facts['patients']} patients x {copies} rotations, {about}"
    return Prepared(work / "study", times[1] - times[0], times[2] - times[1], about)


def _at_once() -> bool:
    """Stops before the first training."""
    return True


def lesion_splits(study: Path, count: int) -> list[Split]:
    """The first divisions of the protocol "lesions" of a study, finished or not."""
    settings = StudySettings.from_card(read_facts(study)["settings"])
    lesions = StudyLesions.from_csv(study / LESIONS_CSV)
    return list(protocol_splits(lesions, LESIONS, trials=count, controls=0, folds=settings.folds, seed=settings.seed))


def write_trials(study: Path, count: int) -> None:
    """The same divisions for contestants that know nothing of PulsarCAM."""
    plain = [
        {
            "train": split.train.tolist(),
            "labels": split.labels.tolist(),
            "asked": [[point, lesions.tolist()] for point, lesions in split.asked],
            "seed": split.seed,
        }
        for split in lesion_splits(study, count)
    ]
    (study / TRIALS).write_text(json.dumps(plain))


def borrow(run: Path, folder: Path, count: int) -> None:
    """Patches and divisions of a study that is only read."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (STUDY, LESIONS_CSV, SAMPLES):
        shutil.copyfile(run / name, folder / name)
    write_trials(folder, count)
