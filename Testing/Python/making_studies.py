"""Studies made of chosen answers, without any training."""

from dataclasses import replace

import numpy as np

from PulsarCAMLib.cohort.study_lesions import StudyLesions
from PulsarCAMLib.core.vocabulary import CAM
from PulsarCAMLib.study.models.features import feature_options
from PulsarCAMLib.study.records import TrialRecord
from PulsarCAMLib.study.run import Study
from PulsarCAMLib.study.settings import StudySettings
from PulsarCAMLib.study.splits import protocol_splits
from PulsarCAMLib.systems.registry import system_of
from PulsarCAMLib.training.study_models import Fitted


def some_lesions(patients=15, each=2):
    """Two lesions each on both MRIs; the response changes from lesion to lesion, so patients share nothing."""
    count = patients * each
    rows = {"baseline": 2 * np.arange(count), "second": 2 * np.arange(count) + 1}
    return StudyLesions(np.repeat(np.arange(patients) + 1, each), np.arange(count) // 3 % 2, rows)


def made_study(folder, answer, *, models=("cam",), lesions=None, missing=0, synthetic=True, **settings):
    """A study in which ``answer(model, split, time_point, lesions)`` gives the probabilities.

    The last ``missing`` trials are left out, as in a study that was stopped.
    """
    lesions = lesions or some_lesions()
    if "system" not in settings:
        settings["features"] = feature_options([name for name in models if name != CAM and "[" not in name])
    settings = StudySettings(models=tuple(models), **{"trials": 5, "paper_trials": 3, "controls": 4} | settings)
    records = []
    for protocol in settings.protocols:
        numbers = {"trials": settings.trials_of(protocol), "controls": settings.controls}
        for split in protocol_splits(lesions, protocol, **numbers, folds=settings.folds, seed=settings.seed):
            records += [_record(model, split, answer) for model in models]
    facts = {
        "settings": settings.to_card(),
        "synthetic": synthetic,
        "sha256": {"samples": "0" * 64, "table": "1" * 64},
        "software": {"PulsarCAM": "0", "python": "3"},
        "seconds": {"training": 1.0},
    }
    kept = records[: len(records) - missing]
    return Study(folder, settings, lesions, facts, tuple(kept), missing)


def some_patients(count=24, system="rice-net"):
    """Units of another system, a patient each, the classes in turn."""
    rows = {"baseline": np.arange(count), "second": np.full(count, -1)}
    return StudyLesions(np.arange(count) + 1, np.arange(count) % len(system_of(system).task.classes), rows, system)


def _record(model, split, answer):
    given = [answer(model, split, point, lesions) for point, lesions in split.asked]
    asked = tuple(part for part, p in zip(split.asked, given, strict=True) if p is not None)
    fitted = Fitted(tuple(np.asarray(p, dtype=float) for p in given if p is not None))
    return TrialRecord.of(model, replace(split, asked=asked), fitted, 0.5, "fixed at 0.5")


def noise(model, split, point, lesions):
    """Nothing was learnt, but for what was learnt by heart: lesions that were trained on are known."""
    rng = np.random.default_rng([split.seed, len(model), len(point)])
    known = np.isin(lesions, split.train)
    return np.where(known, 0.2 + 0.6 * split.labels[lesions], rng.random(len(lesions)))
