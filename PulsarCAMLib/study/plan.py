"""What a study consists of: every job that its settings ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..core.errors import InputError
from ..core.vocabulary import BASELINE, PAPER
from ..training.study_models import StudyModel
from .folder import write_facts
from .jobs import Job
from .models.study_models import study_models_of
from .prepare import Prepared, other_study
from .records import read_record
from .settings import StudySettings
from .splits import Split


@dataclass(frozen=True, eq=False)
class Plan:
    """All trials and controls of a study.

    Attributes:
        prepared: the study's folder.
        jobs: in the order of protocols, trials and then controls, models.
    """

    prepared: Prepared
    jobs: tuple[Job, ...]


def plan_study(prepared: Prepared) -> Plan:
    """Every job of a study whose folder is prepared; nothing is read or written but what models learn from.

    Raises:
        InputError: a model is not known, or its features are missing or damaged.
    """
    settings = prepared.settings
    models = study_models_of(settings, prepared.facts, prepared.folder)
    rule = (settings.threshold, settings.inner_folds)
    jobs = [
        Job(model, own, prepared.lesions.patients, prepared.folder, *rule, settings.task)
        for split in prepared.splits
        for model in models
        if (own := _asked_of(model, split)) and _is_judged(model, split, settings)
    ]
    return Plan(prepared, tuple(jobs))


def claimed(plan: Plan) -> Plan:
    """The plan as what its folder is for from now on.

    ``study.json`` tells of other settings only when the trials that are there are found to go with them.

    Raises:
        InputError: a folder holds another trial, or a damaged one.
        OutputError: the folder cannot be written.
    """
    prepared = plan.prepared
    try:
        for job in plan.jobs:
            read_record(job.folder, job.identity())
    except InputError as error:
        named = other_study(prepared.folder, prepared.facts, prepared.settings)
        raise named or error from error
    facts = {**prepared.facts, "settings": prepared.settings.to_card()}
    write_facts(prepared.folder, facts)
    return replace(plan, prepared=replace(prepared, facts=facts))


def _is_judged(model: StudyModel, split: Split, settings: StudySettings) -> bool:
    """Whether a model takes part in a split.

    Controls of inputs cost as much as the network, so they do under :attr:`.settings.StudySettings.control_protocols`,
    on true labels.
    """
    if model.name not in settings.controlled:
        return True
    return not split.control and split.protocol in settings.control_protocols


def _asked_of(model: StudyModel, split: Split) -> Split | None:
    """A split as far as a model can be asked; None where it cannot be at all.

    A model that learns from both MRIs has seen what the paper's protocol tests.
    """
    if split.protocol == PAPER and BASELINE not in model.time_points:
        return None
    asked = tuple(part for part in split.asked if part[0] in model.time_points)
    return replace(split, asked=asked) if asked else None
