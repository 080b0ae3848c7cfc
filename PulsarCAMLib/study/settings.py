"""One set of switches for a whole study. No torch here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..core.settings import MOST_SEED, Settings, option
from ..core.vocabulary import CAM, FIXED, LESIONS, PAPER, PATIENTS, PROTOCOLS, THRESHOLD_RULES
from ..systems.autoencoder.training_settings import TrainingSettings


@dataclass(frozen=True)
class StudySettings(Settings):
    """What is judged and how; the numbers of trials and splits are the paper's.

    Attributes:
        models: names of the models.
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

    who = "a study"
    outdated = "The study's settings are incomplete or of another version; run the study anew."

    models: tuple[str, ...] = option((CAM,), "--models", metavar="A,B", section="models")
    protocols: tuple[str, ...] = option(
        (PAPER, LESIONS, PATIENTS), "--protocols", f"of {', '.join(PROTOCOLS)}", metavar="A,B", section="protocols",
        choices=tuple(PROTOCOLS),
    )  # fmt: skip
    trials: int = option(50, "--trials", metavar="N", section="protocols", at_least=1)
    paper_trials: int = option(
        5, "--paper-trials", "of the paper's protocol", metavar="N", section="protocols", at_least=1
    )
    controls: int = option(
        10, "--controls", "trainings on permuted labels for each protocol", metavar="N", section="protocols",
        at_least=0,
    )  # fmt: skip
    folds: int = option(5, "--folds", "5 tests 20 %%", metavar="N", section="protocols", at_least=2)
    threshold: str = option(
        FIXED, "--threshold", "of the decision: 0.5, or the best on inner splits of the training patients",
        section="choices", choices=THRESHOLD_RULES,
    )  # fmt: skip
    inner_folds: int = option(
        3, "--inner-folds", "of inner splits by patient", metavar="N", section="choices", at_least=2
    )
    tune: dict[str, tuple] = field(default_factory=dict)
    seed: int = option(
        0, "--study-seed", "of splits", metavar="SEED", section="protocols", at_least=0, most_typed=MOST_SEED
    )
    shrinkage: float = option(
        0.2, "--shrinkage", "share of its volume that a responding lesion has lost at follow-up, more than",
        metavar="SHARE", section="protocols", unit="share", above=0, below=1,
    )  # fmt: skip
    training: TrainingSettings = option(TrainingSettings)
    features: dict[str, Any] = field(default_factory=dict)
    gi_limit: float | None = option(
        None, "--gi-limit", "leave lesions out whose dose gradient index is above, before the splits and for all "
        "models (none)", metavar="GI", section="limit", later=True, above=0,
    )  # fmt: skip

    def __post_init__(self) -> None:
        object.__setattr__(self, "tune", {name: tuple(values) for name, values in self.tune.items()})
        super().__post_init__()

    def disagreements(self) -> Iterator[str]:
        """See :class:`~PulsarCAMLib.core.settings.Settings`."""
        if not self.models or len(set(self.models)) != len(self.models):
            yield "A study needs at least one model, and each of them once."
        if self.feature_models and not self.features:
            yield "A study with models on features needs their settings; see feature_options."

    @property
    def feature_models(self) -> tuple[str, ...]:
        """The models that learn from features."""
        return tuple(name for name in self.models if name != CAM)

    def trials_of(self, protocol: str) -> int:
        """How many trials a protocol has; leave-one-patient-out has one per patient instead."""
        return self.paper_trials if protocol == PAPER else self.trials

    def identity(self) -> str:
        """Hash of what decides the splits and patches; more models or trials may be added to a study."""
        card = self.to_card()
        kept = {name: card[name] for name in ("seed", "folds", "shrinkage")}
        kept |= {"gi_limit": self.gi_limit} if self.gi_limit is not None else {}
        kept["patches"] = [card["training"]["preprocessing"], card["training"]["rotations"]]
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
