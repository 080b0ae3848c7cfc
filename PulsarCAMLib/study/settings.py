"""One set of switches for a whole study. No torch here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from ..core.settings import MOST_SEED, Settings, option
from ..core.task import LESION, PATIENT, SHRINKAGE, VISIT, Task
from ..core.vocabulary import (
    ALL,
    BASELINES,
    BEST_EPOCH,
    CAM,
    CLINICAL,
    CLINICAL_TITLE,
    FIXED,
    LEAVE_ONE_OUT,
    LESIONS,
    MAJORITY,
    PAPER,
    PATIENTS,
    PROTOCOLS,
    THRESHOLD_RULES,
)
from ..systems.bundles.verdict import HONEST
from ..systems.contract import System
from ..systems.registry import DEFAULT, system_of
from ..systems.subsets import input_subset

CHEAP, NONE = "cheap", "none"
"""Words for the controls of inputs that are columns, and for no controls."""


def input_controls_named(words: tuple[str, ...], system: System, network: bool = True) -> tuple[str, ...]:
    """Names of a system's controls of inputs that words mean; others are left as they are, to be refused.

    Args:
        words: names, or one of ``all``, ``cheap`` and ``none``.
        system: whose.
        network: whether its network takes part; without it the cheap ones have nothing to stand beside.
    """
    if words == (NONE,):
        return ()
    if words == (CHEAP,):
        return tuple(each.name for each in system.input_controls if each.column and network)
    return tuple(each.name for each in system.input_controls) if words == (ALL,) else words


def control_protocols_of(protocols: tuple[str, ...]) -> tuple[str, ...]:
    """Protocols under which controls of inputs take part: those by patient; all where there is none."""
    return tuple(name for name in protocols if name in HONEST) or tuple(protocols)


def network_name(system: str) -> str:
    """What a system's network is called among the models of a study."""
    return CAM if system == DEFAULT else system


def subset_model(network: str, subset: str) -> str:
    """What the network of some inputs only is called among the models of a study: "rice-net[rtdose+postop]"."""
    return f"{network}[{subset}]"


def asked_twice(system: System) -> bool:
    """Whether a system can be asked about the second MRI as well as about the first: it takes one MRI's images."""
    return len({role.time_point for role in system.inputs}) == 1


def takes_features(system: System) -> bool:
    """Whether models on features may take part: they answer one question of two classes about each lesion."""
    return system.task.binary and system.task.unit == LESION


def baselines_of(system: System) -> dict[str, str]:
    """What a system's network has to beat, name to title: where no model on features may take part, clinical columns
    alone, too.
    """
    return BASELINES if takes_features(system) else {**BASELINES, CLINICAL: CLINICAL_TITLE}


def usual_protocols(system: System) -> tuple[str, ...]:
    """What a study of a system is judged by where nothing else is said."""
    published = BEST_EPOCH if system.task.unit == VISIT else LESIONS
    needs = {PAPER: asked_twice(system), published: system.task.unit != PATIENT, PATIENTS: True}
    return tuple(name for name, fits in needs.items() if fits)


@dataclass(frozen=True)
class StudySettings(Settings):
    """What is judged and how; the numbers of trials and splits are the paper's.

    Attributes:
        models: their names; :data:`~PulsarCAMLib.core.vocabulary.CAM` stands for the network of any system, and behind
            a network's name may stand in square brackets which inputs it shall see, as in "rice-net[rtdose+postop]".
        protocols: in :data:`~PulsarCAMLib.core.vocabulary.PROTOCOLS`.
        trials: of the protocols that repeat splits.
        paper_trials: of the paper's protocol, which has no splits: trainings from different seeds.
        controls: trainings on permuted labels, for each protocol.
        folds: parts of a division; 5 tests 20 % of the lesions or patients at a time.
        threshold: rule of :data:`~PulsarCAMLib.core.vocabulary.THRESHOLD_RULES`.
        inner_folds: of splits inside the training lesions, for thresholds and tuning.
        tune: of the network: option to the values that are tried.
        seed: of everything.
        shrinkage: share of its volume that a responding lesion has lost, more than.
        training: of the network; None: the system's own.
        features: of the models on features; see :func:`~.models.features.feature_options`.
        gi_limit: lesions whose dose gradient index is above this on any of their MRIs leave before the splits, for all
            models; None: all take part.
        shortcuts: columns of the cohort table that ought to have no say, such as the site; see :mod:`.shortcuts`.
        volume_change: whether the share of volume that is left is predicted as well; see :mod:`.figures.volume_change`.
        input_controls: models that see less than the network, by their names in
            :attr:`~PulsarCAMLib.systems.input_controls.InputControls.input_controls`; they take part as models.
        system: whose network it is, and whose question.
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
    training: Any = None
    features: dict[str, Any] = field(default_factory=dict)
    gi_limit: float | None = option(
        None, "--gi-limit", "leave lesions out whose dose gradient index is above, before the splits and for all "
        "models (none)", metavar="GI", section="limit", later=True, above=0,
    )  # fmt: skip
    volume_change: bool = option(
        False, "--volume-change", "also predict how much of its volume a lesion keeps, by regression on what every "
        "model learns from", section="models", later=True,
    )  # fmt: skip
    shortcuts: tuple[str, ...] = option(
        (), "--shortcuts", "columns of the table that ought to have no say, such as clinical_site: are they told from "
        "the images, and do they tell the class (none)", metavar="A,B", section="models", later=True, untold=True,
    )  # fmt: skip
    input_controls: tuple[str, ...] = option(
        (), "--input-controls", "models that see less than the network, such as its mask or the lesion's volume alone: "
        f"{CHEAP} (those of one number, a moment), {ALL} (networks too, each trained as often as the network by "
        f"patient), {NONE}, or names", metavar="A,B", section="protocols", later=True, untold=True,
    )  # fmt: skip
    system: str = option(DEFAULT, later=True, untold=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tune", {name: tuple(values) for name, values in self.tune.items()})
        if self.training is None:
            object.__setattr__(self, "training", system_of(self.system).training_settings())
        known = {each.name: subset_model(self.network, each.name) for each in system_of(self.system).input_controls}
        asked = [known[name] for name in self.input_controls if name in known]
        models = tuple(map(self._plain_name, self.models))
        object.__setattr__(self, "models", (*models, *(name for name in asked if name not in models)))
        there = [name for name, model in known.items() if model in self.models]
        object.__setattr__(
            self, "input_controls", (*there, *(name for name in self.input_controls if name not in known))
        )
        super().__post_init__()

    def _plain_name(self, name: str) -> str:
        """A model's name as everybody has it: the network's own, its subsets' words in their order."""
        for network in (CAM, self.network):
            if name == network:
                return self.network
            if name.startswith(f"{network}[") and name.endswith("]"):
                if system_of(self.system).input_control(name[len(network) + 1 : -1]):
                    return f"{self.network}{name[len(network) :]}"
                own, inner = self.training.preprocessing, name[len(network) + 1 : -1]
                return subset_model(self.network, input_subset(system_of(self.system), own, inner).name)
        return name

    def disagreements(self) -> Iterator[str]:
        """See :class:`~PulsarCAMLib.core.settings.Settings`."""
        if not self.models or len(set(self.models)) != len(self.models):
            yield "A study needs at least one model, and each of them once."
        if self.feature_models and not self.features:
            yield "A study with models on features needs their settings; see feature_options."
        controls = system_of(self.system).input_controls
        strange = [name for name in self.input_controls if name not in {each.name for each in controls}]
        if strange:
            there = f"it has {', '.join(each.name for each in controls)}" if controls else "it has none"
            yield f"{strange[0]!r} is no control of the inputs of {system_of(self.system).title}; {there}."
        if self.controlled and self.network not in self.models:
            yield (
                "Controls of inputs stand beside the network on its splits, and the network does not take part; add "
                f"the model {self.network}, or leave them out."
            )
        yield from self._not_asked_of_the_system()

    def _not_asked_of_the_system(self) -> Iterator[str]:
        system, task = system_of(self.system), self.task
        if PAPER in self.protocols and not asked_twice(system):
            yield (
                f"The protocol “{PAPER}” tests on the second MRI, and {system.title} needs the MRIs of several time "
                "points for one answer; choose other protocols."
            )
        for protocol in (name for name in (LESIONS, BEST_EPOCH) if name in self.protocols and task.unit == PATIENT):
            yield (
                f"The protocol “{protocol}” splits by lesion, and {system.title} answers for patients; choose "
                f"“{PATIENTS}”."
            )
        if self.feature_models and not takes_features(system):
            yield (
                f"Models on features ({', '.join(self.feature_models)}) answer one question of two classes about each "
                f"lesion, and {system.title} asks another one; leave them out."
            )
        if self.volume_change and task.label.kind != SHRINKAGE:
            yield (
                f"The volume change is asked of lesions whose class comes from it, and {system.title} asks another "
                "question; leave --volume-change out."
            )
        if self.needs_numbers and not system.has_numbers:
            yield (
                f"{', '.join(self._sized)} need sizes at several visits, and {system.title} has none; leave them out."
            )
        if self.shortcuts and not {PATIENTS, LEAVE_ONE_OUT} & set(self.protocols):
            yield (
                f"Shortcuts are looked for on patients that were not learnt from; add the protocol “{PATIENTS}”, or "
                "look for none."
            )
        if self.gi_limit is not None and task.unit != LESION:
            yield (
                f"The limit of the dose gradient index leaves lesions out, and {system.title} answers for patients; "
                "leave the limit out."
            )
        if self.threshold != FIXED and not task.binary:
            yield (
                f"A threshold is chosen between two classes, and {system.title} has {len(task.classes)}; leave the "
                f"threshold's rule at “{FIXED}”."
            )

    @property
    def task(self) -> Task:
        """What is asked."""
        return system_of(self.system).task

    @property
    def network(self) -> str:
        """Name of the network among the models."""
        return network_name(self.system)

    @property
    def feature_models(self) -> tuple[str, ...]:
        """The models that learn from features."""
        others = (*self.networks, *self.baselines, *self.controlled)
        return tuple(name for name in self.models if name not in others)

    @property
    def networks(self) -> tuple[str, ...]:
        """The network, and the networks of some of its inputs, as far as they take part."""
        return tuple(name for name in self.models if name == self.network or name in self.subsets)

    @property
    def subsets(self) -> dict[str, str]:
        """Models that are networks of some inputs only, to the names of these; see :func:`subset_model`."""
        begin = f"{self.network}["
        own = {name: name[len(begin) : -1] for name in self.models if name.startswith(begin)}
        return {name: inner for name, inner in own.items() if name not in self.controlled}

    @property
    def controlled(self) -> dict[str, str]:
        """Models that are controls of inputs, to the names of these."""
        known = {subset_model(self.network, each.name): each.name for each in system_of(self.system).input_controls}
        return {name: known[name] for name in self.models if name in known}

    @property
    def fused(self) -> tuple[str, ...]:
        """The models whose mean is the late fusion: all but baselines, networks of fewer inputs and controls."""
        others = (*self.baselines, *self.subsets, *self.controlled)
        return tuple(name for name in self.models if name not in others)

    @property
    def control_protocols(self) -> tuple[str, ...]:
        """See :func:`control_protocols_of`."""
        return control_protocols_of(self.protocols)

    @property
    def baselines(self) -> tuple[str, ...]:
        """Those of :func:`baselines_of` that take part."""
        return tuple(name for name in self.models if name in baselines_of(system_of(self.system)))

    @property
    def needs_numbers(self) -> bool:
        """Whether a baseline looks at sizes."""
        return bool(self._sized)

    @property
    def _sized(self) -> list[str]:
        return [name for name in self.baselines if name not in (MAJORITY, CLINICAL)]

    def trials_of(self, protocol: str) -> int:
        """How many trials a protocol has; leave-one-patient-out has one per patient instead."""
        return self.paper_trials if protocol == PAPER else self.trials

    @classmethod
    def from_card(cls, card: Any) -> Self:
        """See :class:`~PulsarCAMLib.core.settings.Settings`; the training's settings are those of the card's system."""
        if isinstance(card, Mapping) and isinstance(card.get("training"), Mapping):
            of_system = system_of(card.get("system", DEFAULT)).settings
            card = {**card, "training": of_system.from_card(card["training"])}
        return super().from_card(card)

    def identity(self) -> str:
        """Hash of what decides the splits and patches; more models or trials may be added to a study."""
        card = self.to_card()
        kept = {name: card[name] for name in ("seed", "folds", "shrinkage")}
        kept |= {"gi_limit": self.gi_limit} if self.gi_limit is not None else {}
        kept |= {"system": self.system} if self.system != DEFAULT else {}
        kept["patches"] = system_of(self.system).samples_identity(self.training)
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
