"""The models that take part in a study, made from its settings."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from ...core.errors import InputError
from ...core.vocabulary import CLINICAL, MAJORITY
from ...systems.registry import system_of
from ...systems.subsets import input_subset
from ...training.study_models import StudyModel
from ..folder import LESIONS, SAMPLES
from ..input_controls.unit_volumes import VOLUMES
from ..settings import StudySettings
from .nested_cv import Tuned
from .network_model import NetworkStudyModel


def study_models_of(settings: StudySettings, facts: dict[str, Any], folder: Path) -> list[StudyModel]:
    """The models that take part, in the order of the settings.

    Raises:
        InputError: a model is not known.
    """
    found: dict[str, StudyModel] = {}
    for name in settings.networks:
        own = (settings, facts["sha256"]["samples"], folder / SAMPLES)
        found[name] = network_study_model(*own, settings.subsets.get(name, ""))
    for name, control in settings.controlled.items():
        found[name] = input_control_model(settings, facts["sha256"]["samples"], folder, control)
    others = settings.feature_models
    if others:
        from .features import FEATURES, feature_models_of

        made = feature_models_of(others, settings.features, folder / FEATURES, folder / LESIONS)
        found |= {each.name: each for each in made}
    if settings.baselines:
        from .baselines import CLINICAL_NUMBERS, NUMBERS, Baseline

        files = {MAJORITY: "", CLINICAL: CLINICAL_NUMBERS}
        for name in settings.baselines:
            file = files.get(name, NUMBERS)
            sha256 = facts["sha256"].get(Path(file).stem, "") if file else ""
            found[name] = Baseline(name, folder / (file or NUMBERS), sha256)
    return [found[name] for name in settings.models]


def input_control_model(settings: StudySettings, sha256: str, folder: Path, control: str) -> StudyModel:
    """A model that sees less than the network, see :mod:`PulsarCAMLib.systems.input_controls`."""
    system = system_of(settings.system)
    known = system.input_control(control)
    assert known is not None  # the settings have none that the system lacks
    if known.column:
        from ..input_controls.column import InputControlColumn

        return InputControlColumn(folder / SAMPLES, sha256, system, known, folder / VOLUMES)
    return network_study_model(settings, sha256, folder / SAMPLES, control=control)


def network_study_model(
    settings: StudySettings, sha256: str, samples: Path, subset: str = "", control: str = ""
) -> StudyModel:
    """The system's network, or that of a subset of its inputs, tuned in every trial if the settings say so.

    ``control`` is the name of a control of inputs whose samples it sees instead.

    Raises:
        InputError: a setting cannot be tuned, or the subset is not known.
    """
    training, shown = settings.training, None
    if subset:
        shown = input_subset(system_of(settings.system), training.preprocessing, subset)
        training = replace(training, preprocessing=shown.preprocessing)
    plain = NetworkStudyModel(samples, sha256, training, shown=shown, control=control)
    if not settings.tune:
        return plain
    candidates, words = [], []
    for values in product(*settings.tune.values()):
        chosen = dict(zip(settings.tune, values, strict=True))
        candidates.append(replace(plain, settings=tuned_settings(training, chosen)))
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
        if place is network and not hasattr(training.architecture, name):
            raise InputError(f"This network has no setting {name!r} that could be tuned; leave it out.")
        place[name] = int(value) if name in counts else float(value)
    architecture = replace(training.architecture, **network)
    return replace(training, **own, architecture=architecture)
