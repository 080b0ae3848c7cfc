"""Lesions for the galleries, chosen by a rule and not by looks, with the maps of models that had not seen them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from ...core.errors import InputError
from ...core.geometry.upsampling import upsample_to
from ...core.task import LESION, Task
from ...core.vocabulary import LEAVE_ONE_OUT, LESIONS, PATIENTS, TIME_POINTS
from ...study.folder import SAMPLES
from ...study.models.network_model import TRAINING, samples_of
from ...study.models.samples_file import load_samples
from ...study.records import TrialRecord
from ...study.run import Study
from ...systems.contract import System
from ...systems.learning.learner import TrainingSamples
from ...systems.registry import system_of

HELD_OUT_BY = (PATIENTS, LEAVE_ONE_OUT, LESIONS)
"""Protocols whose trials held lesions out, in the order in which they are asked."""

RANKS = ("the surest", "the middle one", "the least sure")


def rule(task: Task) -> str:
    """By which lesions are chosen, for people."""
    return (
        f"Every {task.unit} is shown by the first trial that had held it out. {task.unit.capitalize()}s are grouped by "
        "their true class and by whether that trial was right; of each group the surest answer, the middle one and the "
        "least sure are shown (fewer where the group has fewer). Nothing was chosen by its looks."
    )


@dataclass(frozen=True, eq=False)
class Shown:
    """A lesion of the gallery.

    Attributes:
        lesion, patient: numbers of the study.
        time_point: of the MRI.
        record: the trial in which it was held out.
        label: number of its class.
        probability: of the positive class of two, or of every class, in that trial.
        rank: its place in its group, in words.
        task: what was asked.
    """

    lesion: int
    patient: int
    time_point: str
    record: TrialRecord
    label: int
    probability: float | tuple[float, ...]
    rank: str
    task: Task

    @property
    def right(self) -> bool:
        """Whether the trial called it correctly."""
        return self.called == self.label

    @property
    def called(self) -> int:
        """Number of the class that the trial called."""
        if not isinstance(self.probability, float):
            return int(np.argmax(self.probability))
        positive = self.task.index(self.task.positive)
        return positive if self.probability >= self.record.threshold else 1 - positive

    @property
    def sureness(self) -> float:
        """Higher for surer answers: distance from the threshold, or the probability of the likeliest class."""
        if isinstance(self.probability, float):
            return abs(self.probability - self.record.threshold)
        return max(self.probability)

    @property
    def answer(self) -> str:
        """The trial's answer in words."""
        if isinstance(self.probability, float):
            return f"{self.task.probability_title()} {self.probability:.3f}, threshold {self.record.threshold:.3f}"
        told = zip(self.task.names, self.probability, strict=True)
        return ", ".join(f"{self.task.probability_title(name)} {value:.3f}" for name, value in told)

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        own = {name: getattr(self, name) for name in ("lesion", "patient", "time_point", "label", "probability")}
        trial = {"protocol": self.record.protocol, "trial": self.record.number + 1}
        return {**own, **trial, "threshold": self.record.threshold, "right": self.right, "rank": self.rank}


def held_out(study: Study) -> list[Shown]:
    """Every lesion once, by the first trial that had held it out; empty where no protocol holds lesions out."""
    for protocol in HELD_OUT_BY:
        records = study.of(study.settings.network, protocol)
        for point in TIME_POINTS:
            found = _first_answers(study, records, point)
            if found:
                return found
    return []


def _first_answers(study: Study, records: list[TrialRecord], point: str) -> list[Shown]:
    found: dict[int, Shown] = {}
    for record in records:
        for answers in record.answers:
            for lesion, p in zip(answers.lesions.tolist(), answers.probabilities.tolist(), strict=True):
                if answers.time_point == point and lesion not in found and np.isfinite(p).all():
                    patient, label = int(study.lesions.patients[lesion]), int(study.lesions.labels[lesion])
                    answer = tuple(p) if isinstance(p, list) else p
                    found[lesion] = Shown(lesion, patient, point, record, label, answer, "", study.lesions.task)
    return [found[lesion] for lesion in sorted(found)]


def chosen(study: Study) -> list[Shown]:
    """The lesions of the galleries by :func:`rule`: the positive class before others, right before wrong."""
    everybody, picked, task = held_out(study), [], study.lesions.task
    first = task.index(task.positive)
    labels = (first, *(number for number in range(len(task.classes)) if number != first))
    for label, right in product(labels, (True, False)):
        group = [each for each in everybody if (each.label, each.right) == (label, right)]
        group.sort(key=lambda each: -each.sureness)
        places = dict(zip((0, len(group) // 2, len(group) - 1), RANKS, strict=True)) if len(group) > 2 else {}
        for place in sorted(places) if places else range(len(group)):
            rank = places.get(place) or (RANKS[0], RANKS[2])[place]
            picked.append(Shown(**{**vars(group[place]), "rank": rank}))
    return picked


@dataclass(frozen=True, eq=False)
class Explained:
    """What a gallery shows of one lesion.

    Attributes:
        shown: which.
        image, mask: of the sample ``[s, s]``; of a volume the plane with most of the mask.
        title: what the image is: the network's first channel.
        maps: (method, class) to its map there, zero outside the mask.
        decoded: what the network makes of it, where it has a decoder: reconstruction ``[s, s]``, and features
            ``[features, cells, cells]`` before the mask.
    """

    shown: Shown
    image: np.ndarray
    mask: np.ndarray
    title: str
    maps: dict[tuple[str, str], np.ndarray]
    decoded: tuple[np.ndarray, np.ndarray] | None


def explain(study: Study, shown: Shown) -> Explained | None:
    """Maps of one lesion by the model of its trial; None where the study's folder lacks patches or model."""
    from ...training.trial import finished_trial

    trained = finished_trial(study.folder_of(shown.record) / TRAINING)
    try:
        every = load_samples(study.folder / SAMPLES)
        samples = every[shown.time_point]
    except (InputError, KeyError):
        return None
    if trained is None:
        return None
    system, one, model = system_of(study.lesions.system), samples_of(samples, [shown.lesion]), trained.model()
    with_own_reference(system, model, every, shown.record)
    methods = system.usual_maps
    found = system.explain(system.predictor([model]), one.images, one.masks, methods)
    image, mask = one.images[0, 0], one.masks[0, 0] >= 0.5
    maps = {
        key: np.where(mask, upsample_to(found.maps[key][0, 0], mask.shape), 0)
        for key in found.maps
        if key[0] in methods
    }
    decoded = system.decoded(model, one.images, one.masks)
    plane = _plane(mask)
    title = "MRI and GTV" if shown.task.unit == LESION else _first_channel(study, system)
    maps = {key: values[plane] for key, values in maps.items()}
    return Explained(shown, image[plane], mask[plane], title, maps, decoded)


def _first_channel(study: Study, system: System) -> str:
    """As in "T1 now minus T1 before"."""
    titles = {role.name: role.title for role in system.inputs}
    return " minus ".join(titles[name] for name in system.channel_roles(study.settings.training.preprocessing)[0])


def with_own_reference(system: System, model: Any, samples: Mapping[str, TrainingSamples], record: TrialRecord) -> None:
    """The lesions that a trial learnt from become what its relative maps are relative to, as training keeps them."""
    if not system.keeps_reference:
        return
    try:
        learnt = samples_of(samples[TIME_POINTS[0]], record.train.tolist())
    except (InputError, KeyError):
        return  # they are relative to each lesion's own mean then
    system.give_reference([model], system.reference_section([model], learnt))


def _plane(mask: np.ndarray) -> tuple:
    """Index of all of a picture, or of the plane of a volume that has most of the mask."""
    return (int(mask.sum(axis=(1, 2)).argmax()),) if mask.ndim == 3 else ()


def gaps(study: Study) -> list[str]:
    """What a folder that was tidied up lacks of what the report shows, one sentence each."""
    from ...training.trial import RESULT

    records = [record for record in study.records if record.model == study.settings.network]
    lost = [record for record in records if not (study.folder_of(record) / TRAINING / RESULT).is_file()]
    found = []
    if lost:
        found.append(
            f"The study's folder lacks the networks of {len(lost)} of {len(records)} trials and controls (folders "
            f"“{TRAINING}”): their curves are not shown, nor {study.lesions.task.unit}s that they had held out."
        )
    if records and not _has_samples(study):
        word = system_of(study.lesions.system).samples_word
        found.append(
            f"The study's folder lacks the {word}, or they are damaged ({SAMPLES}): no maps, reconstructions or "
            "feature maps are shown."
        )
    return found


def _has_samples(study: Study) -> bool:
    try:
        return (study.folder / SAMPLES).is_file() and bool(load_samples(study.folder / SAMPLES))
    except InputError:
        return False
