"""Synthetic patients as training samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...cohort.synthetic.patients import generate_patient
from ...cohort.synthetic.settings import CohortSettings
from ...core.case import Case, Image
from ...core.lesion import Lesion
from ...systems.contract import LabelledUnit, System
from ...systems.learning.learner import TrainingSamples
from ...systems.registry import system_of, system_of_settings
from .samples import collect_samples


def synthetic_cases(
    settings: CohortSettings,
    time_point: str = "baseline",
    progress: Callable[[float, str], None] | None = None,
    system: System | None = None,
) -> Iterator[LabelledUnit]:
    """Labelled lesions of a synthetic cohort, one patient in memory at a time, for a system with one image."""
    role = (system or system_of()).image_inputs[0].name
    for index in range(settings.patients):
        patient = generate_patient(settings, index, images=(time_point,))
        scan = patient.scans[time_point]
        images = {role: Image(scan.image, scan.geometry)}
        for lesion in patient.lesions:
            cut = Lesion.from_mask(lesion.name, scan.mask(lesion.label))
            yield LabelledUnit(patient.name, Case(images, (cut,), role), lesion.name, lesion.response)
        if progress:
            progress((index + 1) / settings.patients, f"synthetic patient {index + 1} of {settings.patients}")


def synthetic_samples(
    cohort: CohortSettings,
    settings: Any = None,
    progress: Callable[[float, str], None] | None = None,
    *,
    only_original: bool = False,
) -> TrainingSamples:
    """Samples of a synthetic cohort's baseline MRIs.

    Args:
        cohort: what is generated.
        settings: of the training, of whatever system; None: the defaults of the one that comes first.
        progress: called after each patient with the share done and a text.
        only_original: without changed copies.
    """
    system = system_of() if settings is None else system_of_settings(settings)
    units = synthetic_cases(cohort, progress=progress, system=system)
    return collect_samples(units, system, settings or system.training_settings(), only_original=only_original)
