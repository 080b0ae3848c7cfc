"""Synthetic patients as training samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..cohort.synthetic.patients import generate_patient
from ..cohort.synthetic.settings import CohortSettings
from ..core.lesion import Lesion
from ..systems.autoencoder.preprocessing import Preprocessing
from ..systems.autoencoder.samples import PAPER_ROTATIONS, Case, Samples, collect_samples


def synthetic_cases(
    settings: CohortSettings,
    time_point: str = "baseline",
    progress: Callable[[float, str], None] | None = None,
) -> Iterator[Case]:
    """Labelled lesions of a synthetic cohort, one patient in memory at a time."""
    for index in range(settings.patients):
        patient = generate_patient(settings, index, images=(time_point,))
        scan = patient.scans[time_point]
        for lesion in patient.lesions:
            cut = Lesion.from_mask(lesion.name, scan.mask(lesion.label))
            yield Case(patient.name, scan.image, scan.geometry, cut, lesion.response)
        if progress:
            progress((index + 1) / settings.patients, f"synthetic patient {index + 1} of {settings.patients}")


def synthetic_samples(
    settings: CohortSettings,
    preprocessing: Preprocessing | None = None,
    rotations: tuple[float, ...] = PAPER_ROTATIONS,
    progress: Callable[[float, str], None] | None = None,
) -> Samples:
    """Samples of a synthetic cohort's baseline MRIs."""
    return collect_samples(synthetic_cases(settings, progress=progress), preprocessing, rotations)
