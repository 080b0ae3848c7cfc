"""The lesions that explanations are checked on: each lesion's answering slice, and what is known about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..cohort.synthetic.patients import generate_patient
from ..cohort.synthetic.settings import CohortSettings
from ..core.geometry import VolumeGeometry
from ..core.lesion import Lesion
from ..lesions.resampling import resample
from ..systems.autoencoder.patches import LesionPatches, extract_patches
from ..systems.autoencoder.preprocessing import Preprocessing

ROTATIONS_DEG = (-5.0, 5.0)
"""Small turns that must not change what a map says."""


@dataclass(frozen=True, eq=False)
class Subject:
    """One lesion at its answering slice.

    Attributes:
        patient, lesion: whose and which.
        patches: of the lesion, as the model sees them.
        response: 1 response, 0 non-response, None if not known.
        planted: bool ``[s, s]``, pixels of planted tissue on the answering slice; None if not known.
        turned: the same lesion cut from the MRI at small rotations; empty where there is no MRI to cut from.
    """

    patient: str
    lesion: str
    patches: LesionPatches
    response: int | None = None
    planted: np.ndarray | None = None
    turned: tuple[LesionPatches, ...] = ()

    @property
    def image(self) -> np.ndarray:
        """Float32 ``[1, s, s]``, 0 to 1."""
        return self.patches.images[self.patches.main]

    @property
    def mask(self) -> np.ndarray:
        """Bool ``[1, s, s]``, the GTV."""
        return self.patches.masks[self.patches.main]


def subject_from_patches(patient: str, patches: LesionPatches, response: int | None = None) -> Subject:
    """A lesion of which only the patches are at hand; rotations are then not checked."""
    return Subject(patient, patches.lesion.name, patches, response)


def subject_from_scan(
    patient: str,
    volume: np.ndarray,
    geometry: VolumeGeometry,
    lesion: Lesion,
    preprocessing: Preprocessing,
    *,
    response: int | None = None,
    planted: np.ndarray | None = None,
    rotations_deg: tuple[float, ...] = ROTATIONS_DEG,
) -> Subject:
    """A lesion of an MRI.

    Args:
        patient: name or number; lesions of one patient are resampled together.
        volume: MRI ``[k, j, i]``.
        geometry: its place.
        lesion: on its grid.
        preprocessing: the model's.
        response: 1 response, 0 non-response, None if not known.
        planted: bool ``[k, j, i]``, tissue that the maps should find.
        rotations_deg: at which the lesion is cut again.
    """
    patches = extract_patches(volume, geometry, lesion, preprocessing, only_main=True)
    turned = tuple(
        extract_patches(volume, geometry, lesion, preprocessing, only_main=True, rotation_deg=angle)
        for angle in rotations_deg
    )
    on_patch = None if planted is None else _on_patch(planted, geometry, patches)
    return Subject(patient, lesion.name, patches, response, on_patch, turned)


def _on_patch(truth: np.ndarray, geometry: VolumeGeometry, patches: LesionPatches) -> np.ndarray:
    top, left = patches.corners[patches.main]
    size = patches.patch_size
    stack = resample(geometry.to_sitk(truth.astype(np.float32)), patches.grid)
    section = stack[patches.slices[patches.main], top : top + size, left : left + size]
    return (section >= 0.5) & patches.masks[patches.main, 0]


def synthetic_subjects(
    settings: CohortSettings,
    preprocessing: Preprocessing,
    progress: Callable[[float, str], None] | None = None,
) -> list[Subject]:
    """All lesions of a synthetic cohort's baseline MRIs; planted truth for non-responders, as the maps are scored."""
    subjects = []
    for index in range(settings.patients):
        patient = generate_patient(settings, index, images=("baseline",))
        scan = patient.scans["baseline"]
        for known in patient.lesions:
            lesion = Lesion.from_mask(known.name, scan.mask(known.label))
            shown = known.response == 0 and known.planted
            planted = scan.planted == known.label if shown else None
            subjects.append(
                subject_from_scan(
                    patient.name,
                    scan.image,
                    scan.geometry,
                    lesion,
                    preprocessing,
                    response=known.response,
                    planted=planted,
                )
            )
        if progress:
            progress((index + 1) / settings.patients, f"synthetic patient {index + 1} of {settings.patients}")
    return subjects
