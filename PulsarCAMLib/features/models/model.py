"""Feature models in a study: radiomics, gradients, dose and clinical columns, or several together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.errors import InputError
from ...core.vocabulary import BASELINE, DELTA, FEATURE_MODELS, SECOND, why_unknown
from ..values import DELTA as CHANGED, GROUPS, group_of
from .data import LesionFeatures, lesion_features
from .settings import FeatureModelSettings

if TYPE_CHECKING:
    from ...training.study_models import Fitted, TrialTask

NEEDS = ("scikit-learn>=1.4",)

TITLES = {
    "radiomics": "radiomics",
    "gradients": "gradient features",
    "octants": "gradient features by octants of the margin",
    "dose": "dose",
    "clinical": "clinical columns",
    "dosiomics": "dose and clinical columns",
    "combined": "radiomics, gradient features, dose and clinical columns",
}


@dataclass(frozen=True)
class FeatureStudyModel:
    """A feature model, fitted anew in every trial.

    Attributes:
        name: of files and options.
        features: ``features.csv`` of the study, see :func:`.data.lesion_features`.
        lesions: ``lesions.csv`` of the study.
        groups: of :data:`..values.GROUPS`.
        delta: learn from and answer for the second MRI, with its features and how they changed since the first.
        gi_limit: lesions whose dose gradient index is above this are neither learnt from nor answered for; None: all
            take part. A lesion whose index is not known takes part. A study's own limit applies to all models, before
            the splits, and needs nothing here.
        settings: of the model.
    """

    name: str
    features: Path
    lesions: Path
    groups: tuple[str, ...]
    delta: bool = False
    gi_limit: float | None = None
    settings: FeatureModelSettings = field(default_factory=FeatureModelSettings)

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", tuple(self.groups))
        unknown = [group for group in self.groups if group not in GROUPS]
        if unknown or not self.groups:
            raise InputError(f"Groups of features are {', '.join(GROUPS)}, not {', '.join(unknown) or 'none'}.")

    @property
    def title(self) -> str:
        """For people."""
        text = " and ".join(TITLES[word] for word in self.name.split("+") if word in TITLES) or self.name
        return text[0].upper() + text[1:] + (" and their change to the second MRI" if self.delta else "")

    @property
    def about(self) -> str:
        """One sentence for the report."""
        settings = self.settings
        choice = f"selection ({settings.selection}) and {settings.classifier.replace('-', ' ')} model"
        mris = "the second MRI's features and their change since the first" if self.delta else "one MRI's features"
        limit = f"; lesions with a gradient index above {self.gi_limit:g} left out" if self.gi_limit is not None else ""
        return f"{', '.join(self.groups)}: {mris}, {choice} fitted within the training lesions{limit}."

    @property
    def time_points(self) -> tuple[str, ...]:
        """MRIs on which it can be asked."""
        return (SECOND,) if self.delta else (BASELINE, SECOND)

    def identity(self) -> str:
        """Hash of its features' values, the groups, switches and settings; not of the name, the place or what else is
        in the files, so that other models may join a study later.
        """
        return self._identity(diagnostics=False)

    def earlier_identities(self) -> tuple[str, ...]:
        """Of trials that earlier versions have finished on these very features, for reports of them: models learnt from
        diagnostics, too.
        """
        return (self._identity(diagnostics=True),)

    def _identity(self, diagnostics: bool) -> str:
        found = lesion_features(self.features, self.lesions)
        own = [self.groups, self.delta, self.gi_limit, self.settings.identity()]
        left_out = [] if self.gi_limit is None else self._excluded(found).tolist()
        data = found.digest(found.columns(self.groups, self.delta, diagnostics))
        return hashlib.sha256(json.dumps([*own, left_out, data]).encode()).hexdigest()

    def check(self) -> None:
        """Refuse before the work what cannot be learnt from.

        Raises:
            InputError: a file is missing or damaged, or has no column of any of the groups, or no gradient index.
            DependencyError: scikit-learn is missing.
        """
        from ...core.requirements import require

        require(NEEDS, extra="compare")
        found = lesion_features(self.features, self.lesions)
        self._columns(found)
        self._excluded(found)

    def fit_predict(self, task: TrialTask) -> Fitted:
        """Learns from the task's training lesions and answers.

        There is no answer (NaN) for lesions that have no features or are above the limit of the gradient index, nor for
        the very MRIs that were learnt from: a model that uses both MRIs has nothing new to be tested on in the paper's
        protocol.

        Raises:
            InputError: see :meth:`check`.
        """
        from ...training.study_models import Fitted, InnerAnswers
        from .pipeline import fit_feature_model

        found = lesion_features(self.features, self.lesions)
        columns, excluded = self._columns(found), self._excluded(found)
        takes_part = {point: self._has(found, point, columns) & ~excluded for point in self.time_points}
        point = self.time_points[0]
        train = task.train[takes_part[point][task.train]]
        names = [found.names[at] for at in columns]
        values = found.values[point][train][:, columns]
        model = fit_feature_model(values, names, task.labels[train], task.patients[train], self.settings, task.seed)
        answers = []
        for asked, lesions in task.asked:
            answer = np.full(len(lesions), np.nan)
            there = takes_part[asked][lesions] & ~self._learnt_from(asked, lesions, task)
            answer[there] = model.predict(found.values[asked][lesions[there]][:, columns])
            answers.append(answer)
        details = model.details | self._left_out(task, answers, excluded, names)
        return Fitted(tuple(answers), details, InnerAnswers(train, model.inner))

    def columns_at(self, point: str) -> np.ndarray:
        """Its columns on one MRI, ``[L, p]``; all NaN for lesions that do not take part.

        Raises:
            InputError: see :meth:`check`.
        """
        found = lesion_features(self.features, self.lesions)
        columns, excluded = self._columns(found), self._excluded(found)
        own = found.values[point][:, columns].copy()
        own[~self._has(found, point, columns) | excluded] = np.nan
        return own

    def _columns(self, found: LesionFeatures) -> np.ndarray:
        columns = found.columns(self.groups, self.delta)
        if not len(columns):
            raise InputError(
                f"The study's features have no column of {' or '.join(self.groups)}, which the model {self.name} "
                "needs; leave this model out, or give the cohort table what these features are made of."
            )
        if self.delta and not any(found.names[at].startswith(CHANGED) for at in columns):
            raise InputError(
                f"The study's features do not tell how they changed to the second MRI, which the model {self.name} "
                "needs; leave this model out, or give the cohort table the second MRIs."
            )
        return columns

    def _excluded(self, found: LesionFeatures) -> np.ndarray:
        """bool ``[L]``: above the limit."""
        if self.gi_limit is None:
            return np.zeros(len(found.rows[BASELINE]), dtype=bool)
        return found.excluded(self.gi_limit)

    def _has(self, found: LesionFeatures, point: str, columns: np.ndarray) -> np.ndarray:
        """bool ``[L]``: with at least one value."""
        return np.isfinite(found.values[point][:, columns]).any(axis=1)

    def _learnt_from(self, point: str, lesions: np.ndarray, task: TrialTask) -> np.ndarray:
        """bool ``[m]``: whose MRI of this time point is among those learnt from."""
        return np.isin(lesions, task.train) & (point == self.time_points[0])

    def _left_out(
        self, task: TrialTask, answers: list[np.ndarray], excluded: np.ndarray, names: list[str]
    ) -> dict[str, Any]:
        """How many lesions and features of which group took part, as JSON values."""
        asked = [lesions for _, lesions in task.asked]
        learnt = [int(self._learnt_from(point, lesions, task).sum()) for point, lesions in task.asked]
        above = [int(excluded[lesions].sum()) for lesions in (task.train, *asked)]
        empty = [int(np.isnan(answer).sum()) for answer in answers]
        return {
            "features_by_group": {group: sum(group_of(name) == group for name in names) for group in self.groups},
            "gi_limit": self.gi_limit,
            "above_gi_limit": {"training": above[0], "asked": above[1:]},
            "asked_though_learnt_from": learnt,
            "not_answered": empty,
        }


def feature_study_models(
    names: Sequence[str],
    features: str | Path,
    lesions: str | Path,
    *,
    gi_limit: float | None = None,
    settings: FeatureModelSettings | None = None,
) -> list[FeatureStudyModel]:
    """Feature models by name: words of :data:`~PulsarCAMLib.core.vocabulary.FEATURE_MODELS` joined by "+", with
    "delta" for how features changed.

    "radiomics", "gradients", "dosiomics", "combined", "radiomics+dose", "radiomics+delta", ...

    Raises:
        InputError: a word is unknown, or there is no group of features among them.
    """
    return [_study_model(name, Path(features), Path(lesions), gi_limit, settings) for name in names]


def _study_model(
    name: str, features: Path, lesions: Path, gi_limit: float | None, settings: FeatureModelSettings | None
) -> FeatureStudyModel:
    words = name.split("+")
    wanted = {group for word in words for group in FEATURE_MODELS.get(word, ())}
    wrong = why_unknown(name)
    if wrong or not wanted:
        raise InputError(f"There is no feature model {name!r}{wrong and ': '}{wrong}.")
    groups = tuple(group for group in GROUPS if group in wanted)
    return FeatureStudyModel(
        name, features, lesions, groups, DELTA in words, gi_limit, settings or FeatureModelSettings()
    )
