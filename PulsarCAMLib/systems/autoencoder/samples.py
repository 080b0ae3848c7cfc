"""Training samples: one slice per lesion, and its rotated copies.

Every copy is resampled once from the whole slice and then cropped, so that real tissue and no black corners come in
(reading 15). No torch here: samples are plain arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ...core.errors import InputError
from ...core.geometry import VolumeGeometry
from ...core.lesion import Lesion
from .patches import extract_patches
from .preprocessing import Preprocessing
from .training_settings import PAPER_ROTATIONS


@dataclass(frozen=True, eq=False)
class Case:
    """One labelled lesion on one MRI.

    Attributes:
        patient: whose; splits are made by patient.
        volume: MRI ``[k, j, i]``.
        geometry: its place.
        lesion: on the MRI's grid.
        response: 1 response, 0 non-response.
    """

    patient: str
    volume: np.ndarray
    geometry: VolumeGeometry
    lesion: Lesion
    response: int


@dataclass(frozen=True, eq=False)
class Samples:
    """A cohort in memory.

    Attributes:
        images: float32 ``[N, 1, s, s]``, 0 to 1.
        masks: bool ``[N, 1, s, s]``.
        labels: int64 ``[N]``, 1 response, 0 non-response.
        patients: str ``[N]``.
        lesions: str ``[N]``, lesion name within the patient.
        rotations: float ``[N]`` degrees, 0 for the original.
    """

    images: np.ndarray
    masks: np.ndarray
    labels: np.ndarray
    patients: np.ndarray
    lesions: np.ndarray
    rotations: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, chosen: np.ndarray) -> Samples:
        """Some of the samples, by index or bool array."""
        return Samples(*(values[chosen] for values in vars(self).values()))

    def originals(self) -> Samples:
        """The samples that are not rotated: one per lesion."""
        return self.where(self.rotations == 0)

    def of_patients(self, names: Iterable[str]) -> Samples:
        """All samples of some patients."""
        return self.where(np.isin(self.patients, list(names)))


def collect_samples(
    cases: Iterable[Case],
    preprocessing: Preprocessing | None = None,
    rotations: tuple[float, ...] = PAPER_ROTATIONS,
    tell: Callable[[str], None] | None = None,
) -> Samples:
    """The answering slice of every lesion, as it is and rotated about the GTV's centre of mass.

    Args:
        cases: labelled lesions; taken one at a time, so that a generator never holds more than one MRI.
        preprocessing: the model's.
        rotations: degrees of the copies; empty for none.
        tell: is called with each warning about a slice, such as that a lesion had to be shrunk.

    Raises:
        InputError: there are no cases.
    """
    preprocessing = preprocessing or Preprocessing()
    rows: list[tuple] = []
    for case in cases:
        for angle in (0.0, *rotations):
            cut = extract_patches(
                case.volume, case.geometry, case.lesion, preprocessing, rotation_deg=angle, only_main=True
            )
            for sentence in cut.warnings if tell and angle == 0 else ():
                tell(sentence)
            rows.append((cut.images[0], cut.masks[0], case.response, case.patient, case.lesion.name, angle))
    if not rows:
        raise InputError("There is no labelled lesion to train on; check the cohort's response column.")
    images, masks, labels, patients, lesions, angles = zip(*rows, strict=True)
    return Samples(
        np.stack(images),
        np.stack(masks),
        np.array(labels, dtype=np.int64),
        np.array(patients),
        np.array(lesions),
        np.array(angles, dtype=float),
    )
