"""The units that explanations are checked on: each one's answering sample, and what is known about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..cohort.synthetic.patients import SyntheticPatient, generate_patient
from ..cohort.synthetic.settings import CohortSettings
from ..core.case import Case, Image
from ..core.errors import Cure, InputError
from ..core.inputs import MASK, MRI
from ..core.lesion import Lesion
from ..core.task import LESION, SHRINKAGE
from ..systems.contract import network_masks

if TYPE_CHECKING:
    from ..systems.contract import Samples, System, Turned


@dataclass(frozen=True, eq=False)
class Subject:
    """One unit (a lesion or a patient) at its answering sample.

    Attributes:
        patient, unit: whose and which.
        samples: of the unit, as the model sees them.
        label: number of its class, None if not known.
        planted: bool ``[*size]``, pixels of planted tissue on the answering sample; None if not known.
        turned: the answering sample at small rotations; empty where there is no image to cut it from.
    """

    patient: str
    unit: str
    samples: Samples
    label: int | None = None
    planted: np.ndarray | None = None
    turned: tuple[Turned, ...] = ()

    @property
    def image(self) -> np.ndarray:
        """Float32 ``[channels, *size]``."""
        return self.samples.images[self.samples.main]

    @property
    def mask(self) -> np.ndarray:
        """Bool ``[1, *size]``, the unit."""
        return self.samples.masks[self.samples.main]

    @property
    def told(self) -> np.ndarray:
        """``[1, *size]``, what the network is told of the unit."""
        return network_masks(self.samples)[self.samples.main]


def subject_from_samples(patient: str, samples: Samples, label: int | None = None) -> Subject:
    """A unit of which only the samples are at hand; rotations are then not checked."""
    return Subject(patient, samples.name, samples, label)


def subject_of_case(
    system: System,
    patient: str,
    case: Case,
    preprocessing: Any,
    *,
    unit: str = "",
    label: int | None = None,
    planted: np.ndarray | None = None,
) -> Subject:
    """The unit of a case.

    Args:
        system: whose model is checked.
        patient: name or number; units of one patient are resampled together.
        case: with one unit.
        preprocessing: the model's.
        unit: its name; empty: as its samples are called.
        label: number of its class, None if not known.
        planted: bool ``[k, j, i]`` on the reference grid, tissue that the maps should find.
    """
    samples = system.answering_samples(case, preprocessing)
    turned = tuple(system.turned(case, samples, preprocessing))
    on_sample = None if planted is None else system.on_sample(planted, case.geometry, samples)
    return Subject(patient, unit or samples.name, samples, label, on_sample, turned)


def can_be_synthetic(system: System) -> bool:
    """Whether the generated patients (one MRI with lesions that shrink or do not) are what a system answers for."""
    kinds = sorted(role.kind for role in system.needed_inputs)
    return system.task.unit == LESION and system.task.label.kind == SHRINKAGE and kinds in ([MRI], sorted((MRI, MASK)))


def synthetic_subjects(
    settings: CohortSettings,
    system: System,
    preprocessing: Any,
    progress: Callable[[float, str], None] | None = None,
) -> list[Subject]:
    """All lesions of a synthetic cohort's baseline MRIs; planted truth for the class whose maps are scored.

    Raises:
        InputError: the system answers for something else.
    """
    if not can_be_synthetic(system):
        raise InputError(
            f"No patients can be generated that {system.title} answers for",
            Cure("name a table of them", "with --cohort"),
        )
    subjects = []
    for index in range(settings.patients):
        patient = generate_patient(settings, index, images=("baseline",))
        subjects += subjects_of_patient(patient, system, preprocessing)
        if progress:
            progress((index + 1) / settings.patients, f"synthetic patient {index + 1} of {settings.patients}")
    return subjects


def subjects_of_patient(patient: SyntheticPatient, system: System, preprocessing: Any) -> list[Subject]:
    """The lesions of one generated patient, for a system that :func:`can_be_synthetic`."""
    explained = system.task.index(system.task.explained)
    role, scan = system.image_inputs[0].name, patient.scans["baseline"]
    subjects = []
    for known in patient.lesions:
        lesion = Lesion.from_mask(known.name, scan.mask(known.label))
        shown = known.response == explained and known.planted
        case = Case({role: Image(scan.image, scan.geometry)}, (lesion,), role)
        planted = scan.planted == known.label if shown else None
        subjects.append(
            subject_of_case(system, patient.name, case, preprocessing, label=known.response, planted=planted)
        )
    return subjects
