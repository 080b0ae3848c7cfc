"""The features of a study: computed once for its lesions, kept under row numbers, learnt from by feature models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...cohort.study_lesions import NO_ROW, StudyLesions
from ...cohort.tables.table import CohortTable
from ...core.errors import InputError
from ...core.vocabulary import DELTA, FEATURE_MODELS, IMBALANCE, TIME_POINTS
from ...features.models.model import FeatureStudyModel, feature_study_models
from ...features.models.settings import FeatureModelSettings
from ...features.settings import FeatureSettings, feature_settings_of, read_feature_settings, read_model_choices
from ...features.table import compute_features, with_delta
from ..folder import FINISHED, LESIONS

FEATURES, SETTINGS_FILE = "features.csv", "features.settings.json"


def feature_options(
    models: Sequence[str],
    *,
    settings_file: str | Path | None = None,
    imbalance: str | None = None,
    model: FeatureModelSettings | None = None,
) -> dict[str, Any]:
    """``StudySettings.features`` for some models; {} where none is a feature model.

    Args:
        models: names as :func:`~PulsarCAMLib.features.models.model.feature_study_models` knows them.
        settings_file: of the features and, in its section "model", of the models on them; None: the usual settings.
        imbalance: of :data:`...core.vocabulary.IMBALANCE`; for the models on the features unless their section
            says otherwise.
        model: settings of the models on the features, instead of what file and imbalance say.

    Raises:
        InputError: a name is not known, or the file cannot be used.
    """
    if not models:
        return {}
    settings = read_feature_settings(settings_file) if settings_file else FeatureSettings()
    choices = {"imbalance": IMBALANCE[imbalance]} if imbalance else {}
    choices |= read_model_choices(settings_file) if settings_file else {}
    chosen = model or FeatureModelSettings(**choices)
    feature_study_models(models, "", "", settings=chosen)
    plain = {name: asdict(getattr(settings, name)) for name in ("radiomics", "gradient", "dose")}
    return {"table": plain, "model": chosen.to_card()}


def feature_models_of(
    models: Sequence[str], options: dict[str, Any], features: Path, lesions: Path
) -> list[FeatureStudyModel]:
    """The feature models of a study.

    In an older study a limit of the gradient index is among the options: of these models only.

    Raises:
        InputError: a name or a setting is not known.
    """
    settings = FeatureModelSettings.from_card(options["model"])
    return feature_study_models(models, features, lesions, gi_limit=options.get("gi_limit"), settings=settings)


def groups_of(models: Sequence[str], gi_limit: float | None) -> tuple[str, ...]:
    """Groups of features that some models need."""
    words = {word for name in models for word in name.split("+") if word != DELTA}
    found = {group for word in words for group in FEATURE_MODELS[word]}
    return tuple(sorted(found | ({"dose"} if gi_limit is not None else set())))


def prepare_features(
    cohort: CohortTable,
    lesions: StudyLesions,
    models: Sequence[str],
    options: dict[str, Any],
    folder: Path,
    *,
    at_once: int = 1,
    spread: Callable[[], AbstractContextManager] = nullcontext,
    on_progress: Callable | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> str:
    """Compute what is not computed yet; the hash of :data:`FEATURES`.

    Args:
        cohort: table of the study.
        lesions: that take part; those of other rows only end their neighbours' surroundings.
        models: feature models.
        options: of :func:`feature_options`.
        folder: of the study.
        at_once, spread: processes, or an engine that joblib uses instead within this context.
        on_progress: callback for the share done and a text.
        on_warning: is called with a sentence for every lesion that has no features.

    Raises:
        InputError: no lesion has features, or a model cannot learn from them.
    """
    from ...io.atomic import write_durably
    from ...io.hashing import sha256_of

    used = {int(row) for point in TIME_POINTS for row in lesions.rows[point] if row != NO_ROW}
    settings = feature_settings_of(options["table"])
    groups = groups_of(models, options.get("gi_limit"))
    with spread():
        found = compute_features(
            cohort, groups, settings, folder / FINISHED, jobs=at_once, progress=on_progress, only=used
        )
    for problem in found.problems if on_warning else ():
        on_warning(str(problem))
    if not found.names:
        raise InputError("No lesion of the cohort has features; see the warnings above, or leave the models out.")
    if any(DELTA in name.split("+") for name in models):
        found = with_delta(found)
    write_durably(folder / FEATURES, found.as_csv().encode())
    model = FeatureModelSettings.from_card(options["model"])
    write_durably(folder / SETTINGS_FILE, settings.as_json(groups, model).encode())
    for each in feature_models_of(models, options, folder / FEATURES, folder / LESIONS):
        each.check()
    return sha256_of(folder / FEATURES)
