"""One set of switches for a whole study. No torch here."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ..cohort.labels import check_shrinkage
from ..core.errors import InputError
from ..core.vocabulary import CAM, FIXED, LESIONS, PAPER, PATIENTS, PROTOCOLS, THRESHOLD_RULES
from ..systems.autoencoder.training_settings import TrainingSettings


@dataclass(frozen=True)
class StudySettings:
    """What is judged and how; the numbers of trials and splits are the paper's.

    Attributes:
        models: names of the contenders.
        protocols: in :data:`~PulsarCAMLib.core.vocabulary.PROTOCOLS`.
        trials: of the protocols that repeat splits.
        paper_trials: of the paper's protocol, which has no splits: trainings from different seeds.
        controls: trainings on permuted labels, for each protocol.
        folds: parts of a division; 5 tests 20 % of the lesions or patients at a time.
        threshold: rule of :data:`~PulsarCAMLib.core.vocabulary.THRESHOLD_RULES`.
        inner_folds: of splits inside the training lesions, for thresholds and tuning.
        tune: of the autoencoder-classifier: option to the values that are tried.
        seed: of everything.
        shrinkage: share of its volume that a responding lesion has lost, more than.
        training: of the autoencoder-classifier.
        features: of the models on features; see :func:`~.features.feature_options`.
        gi_limit: lesions whose dose gradient index is above this on any of their MRIs leave before the splits, for all
            models; None: all take part.
    """

    models: tuple[str, ...] = (CAM,)
    protocols: tuple[str, ...] = (PAPER, LESIONS, PATIENTS)
    trials: int = 50
    paper_trials: int = 5
    controls: int = 10
    folds: int = 5
    threshold: str = FIXED
    inner_folds: int = 3
    tune: dict[str, tuple] = field(default_factory=dict)
    seed: int = 0
    shrinkage: float = 0.2
    training: TrainingSettings = field(default_factory=TrainingSettings)
    features: dict[str, Any] = field(default_factory=dict)
    gi_limit: float | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.protocols if name not in PROTOCOLS]
        if unknown or not self.protocols:
            named = ", ".join(unknown) or "none"
            raise InputError(f"A study needs known protocols, not {named}; choose from {', '.join(PROTOCOLS)}.")
        if not self.models or len(set(self.models)) != len(self.models):
            raise InputError("A study needs at least one model, and each of them once.")
        if min(self.trials, self.paper_trials) < 1 or min(self.controls, self.seed) < 0:
            raise InputError("A study needs at least one trial, and no negative number of controls or seed.")
        if min(self.folds, self.inner_folds) < 2:
            raise InputError("A study divides its lesions into at least two parts.")
        if self.threshold not in THRESHOLD_RULES:
            raise InputError(f"The threshold's rule is one of {', '.join(THRESHOLD_RULES)}, not {self.threshold!r}.")
        if self.feature_models and not self.features:
            raise InputError("A study with models on features needs their settings; see feature_options.")
        if self.gi_limit is not None and not 0 < self.gi_limit < math.inf:
            raise InputError(f"The limit of the dose gradient index is a number above 0, not {self.gi_limit}.")
        check_shrinkage(self.shrinkage)

    @property
    def feature_models(self) -> tuple[str, ...]:
        """The models that learn from features."""
        return tuple(name for name in self.models if name != CAM)

    def trials_of(self, protocol: str) -> int:
        """How many trials a protocol has; leave-one-patient-out has one per patient instead."""
        return self.paper_trials if protocol == PAPER else self.trials

    def to_card(self) -> dict[str, Any]:
        """As plain JSON values; :meth:`from_card` reads them."""
        plain = asdict(self) | {"training": self.training.to_card()}
        return json.loads(json.dumps(plain))

    @classmethod
    def from_card(cls, card: dict[str, Any]) -> StudySettings:
        """From :meth:`to_card`'s values.

        Raises:
            InputError: a field is missing, unknown or not usable.
        """
        later = {"gi_limit"}
        if not isinstance(card, dict) or set(card) | later != {f.name for f in fields(cls)}:
            raise InputError("The study's settings are incomplete or of another version; run the study anew.")
        lists = {name: tuple(card[name]) for name in ("models", "protocols")}
        tune = {name: tuple(values) for name, values in card["tune"].items()}
        return cls(**{**card, **lists, "tune": tune, "training": TrainingSettings.from_card(card["training"])})

    def identity(self) -> str:
        """Hash of what decides the splits and patches; more models or trials may be added to a study."""
        card = self.to_card()
        kept = {name: card[name] for name in ("seed", "folds", "shrinkage")}
        kept |= {"gi_limit": self.gi_limit} if self.gi_limit is not None else {}
        kept["patches"] = [card["training"]["preprocessing"], card["training"]["rotations"]]
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
