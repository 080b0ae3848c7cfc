"""What a study consists of: its contenders, and every job that its settings ask for."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from ..cohort.study_lesions import StudyLesions
from ..core.errors import InputError
from ..core.vocabulary import BASELINE, PAPER
from ..training.study_models import Contender
from .cam import CAM, CamContender
from .folder import LESIONS, SAMPLES
from .jobs import Job
from .nested_cv import Tuned
from .settings import StudySettings
from .splits import Split, protocol_splits


def contenders_of(settings: StudySettings, facts: dict[str, Any], folder: Path) -> list[Contender]:
    """The models that take part, in the order of the settings.

    Raises:
        InputError: a model is not known.
    """
    found: dict[str, Contender] = {}
    if CAM in settings.models:
        found[CAM] = cam_contender(settings, facts["sha256"]["samples"], folder / SAMPLES)
    others = settings.feature_models
    if others:
        from .features import FEATURES, contenders

        made = contenders(others, settings.features, folder / FEATURES, folder / LESIONS)
        found |= {each.name: each for each in made}
    return [found[name] for name in settings.models]


def cam_contender(settings: StudySettings, sha256: str, samples: Path) -> Contender:
    """The autoencoder-classifier, tuned in every trial if the settings say so.

    Raises:
        InputError: a setting cannot be tuned.
    """
    plain = CamContender(samples, sha256, settings.training)
    if not settings.tune:
        return plain
    candidates, words = [], []
    for values in product(*settings.tune.values()):
        chosen = dict(zip(settings.tune, values, strict=True))
        candidates.append(replace(plain, settings=tuned_settings(settings.training, chosen)))
        words.append(", ".join(f"{name} {value:g}" for name, value in chosen.items()))
    return Tuned.among(candidates, words, settings.inner_folds)


def tuned_settings(training: Any, chosen: dict[str, float]) -> Any:
    """Training settings with some values replaced: of the training itself or of its architecture.

    Raises:
        InputError: a name is not one of theirs.
    """
    counts = ("epochs", "batch_size", "filters", "features", "dense_units")
    shares = ("learning_rate", "weight_decay", "dropout")
    own, network = {}, {}
    for name, value in chosen.items():
        if name not in (*counts, *shares):
            raise InputError(f"{name!r} cannot be tuned; choose from {', '.join((*counts, *shares))}.")
        place = own if hasattr(training, name) else network
        place[name] = int(value) if name in counts else float(value)
    architecture = replace(training.architecture, **network)
    return replace(training, **own, architecture=architecture)


def jobs_of(settings: StudySettings, lesions: StudyLesions, facts: dict[str, Any], folder: Path) -> list[Job]:
    """In the order of protocols, trials and then controls, models."""
    contenders = contenders_of(settings, facts, folder)
    found = []
    for protocol in settings.protocols:
        numbers = {"trials": settings.trials_of(protocol), "controls": settings.controls}
        for split in protocol_splits(lesions, protocol, **numbers, folds=settings.folds, seed=settings.seed):
            for contender in contenders:
                own = _asked_of(contender, split)
                if own:
                    rule = (settings.threshold, settings.inner_folds)
                    found.append(Job(contender, own, lesions.patients, folder, *rule))
    return found


def _asked_of(contender: Contender, split: Split) -> Split | None:
    """A split as far as a contender can be asked; None where it cannot be at all.

    A model that learns from both MRIs has seen what the paper's protocol tests.
    """
    if split.protocol == PAPER and BASELINE not in contender.time_points:
        return None
    asked = tuple(part for part in split.asked if part[0] in contender.time_points)
    return replace(split, asked=asked) if asked else None
