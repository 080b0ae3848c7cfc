"""Lesions for the galleries, chosen by a rule and not by looks, with the maps of models that had not seen them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.errors import InputError
from ...core.vocabulary import CAM, LEAVE_ONE_OUT, LESIONS, PATIENTS, TIME_POINTS
from ...study.folder import SAMPLES
from ...study.network_model import TRAINING, load_samples, slices_of
from ...study.records import TrialRecord
from ...study.run import Study

HELD_OUT_BY = (PATIENTS, LEAVE_ONE_OUT, LESIONS)
"""Protocols whose trials held lesions out, in the order in which they are asked."""

RANKS = ("the surest", "the middle one", "the least sure")

RULE = (
    "Every lesion is shown by the first trial that had held it out. Lesions are grouped by their true class and by "
    "whether that trial was right; of each group the surest answer, the middle one and the least sure are shown "
    "(fewer where the group has fewer). Nothing was chosen by its looks."
)


@dataclass(frozen=True, eq=False)
class Shown:
    """A lesion of the gallery.

    Attributes:
        lesion, patient: numbers of the study.
        time_point: of the MRI.
        record: the trial in which it was held out.
        label: 1 response, 0 non-response.
        probability: of response, in that trial.
        rank: its place in its group, in words.
    """

    lesion: int
    patient: int
    time_point: str
    record: TrialRecord
    label: int
    probability: float
    rank: str

    @property
    def right(self) -> bool:
        """Whether the trial called it correctly."""
        return (self.probability >= self.record.threshold) == bool(self.label)

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        own = {name: getattr(self, name) for name in ("lesion", "patient", "time_point", "label", "probability")}
        trial = {"protocol": self.record.protocol, "trial": self.record.number + 1}
        return {**own, **trial, "threshold": self.record.threshold, "right": self.right, "rank": self.rank}


def held_out(study: Study) -> list[Shown]:
    """Every lesion once, by the first trial that had held it out; empty where no protocol holds lesions out."""
    for protocol in HELD_OUT_BY:
        records = study.of(CAM, protocol)
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
                if answers.time_point == point and lesion not in found and np.isfinite(p):
                    own = (int(study.lesions.patients[lesion]), point, record, int(study.lesions.labels[lesion]), p, "")
                    found[lesion] = Shown(lesion, *own)
    return [found[lesion] for lesion in sorted(found)]


def chosen(study: Study) -> list[Shown]:
    """The lesions of the galleries by :data:`RULE`: responding before non-responding, right before wrong."""
    everybody, picked = held_out(study), []
    for label, right in ((1, True), (1, False), (0, True), (0, False)):
        group = [each for each in everybody if (each.label, each.right) == (label, right)]
        group.sort(key=lambda each: -abs(each.probability - each.record.threshold))
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
        image, mask: of the patch ``[s, s]``.
        maps: (method, class) to its map on the patch ``[s, s]``, zero outside the GTV.
        reconstruction: ``[s, s]``.
        features: ``[features, cells, cells]``, before the mask.
    """

    shown: Shown
    image: np.ndarray
    mask: np.ndarray
    maps: dict[tuple[str, str], np.ndarray]
    reconstruction: np.ndarray
    features: np.ndarray


def explain(study: Study, shown: Shown) -> Explained | None:
    """Maps of one lesion by the model of its trial; None where the study's folder lacks patches or model."""
    import torch

    from ...core.upsampling import upsample
    from ...systems.autoencoder.compute import explain_patches
    from ...systems.autoencoder.ensemble import Ensemble
    from ...training.trial import finished_trial

    trained = finished_trial(study.folder_of(shown.record) / TRAINING)
    try:
        samples = load_samples(study.folder / SAMPLES)[shown.time_point]
    except (InputError, KeyError):
        return None
    if trained is None:
        return None
    one, model = slices_of(samples, [shown.lesion]), trained.model()
    found = explain_patches(Ensemble([model]), one.images, one.masks)
    mask = one.masks[0, 0]
    maps = {key: np.where(mask, upsample(values[0, 0], len(mask)), 0) for key, values in found.maps.items()}
    with torch.no_grad():
        output = model(torch.from_numpy(one.images), torch.from_numpy(one.masks))
    return Explained(
        shown, one.images[0, 0], mask, maps, output.reconstruction[0, 0].numpy(), output.features[0].numpy()
    )


def gaps(study: Study) -> list[str]:
    """What a folder that was tidied up lacks of what the report shows, one sentence each."""
    from ...training.trial import RESULT

    records = [record for record in study.records if record.model == CAM]
    lost = [record for record in records if not (study.folder_of(record) / TRAINING / RESULT).is_file()]
    found = []
    if lost:
        found.append(
            f"The study's folder lacks the networks of {len(lost)} of {len(records)} trials and controls (folders "
            f"“{TRAINING}”): their curves are not shown, nor lesions that they had held out."
        )
    if records and not _has_samples(study):
        found.append(
            f"The study's folder lacks the patches, or they are damaged ({SAMPLES}): no maps, reconstructions or "
            "feature maps are shown."
        )
    return found


def _has_samples(study: Study) -> bool:
    try:
        return (study.folder / SAMPLES).is_file() and bool(load_samples(study.folder / SAMPLES))
    except InputError:
        return False
