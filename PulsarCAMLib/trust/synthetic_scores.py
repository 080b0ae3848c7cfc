"""A model bundle on synthetic patients, through the same flow as a user's MRI: predictions and map scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..cohort.synthetic.patients import SyntheticPatient, SyntheticScan, generate_patient
from ..cohort.synthetic.settings import CohortSettings
from ..core.errors import InputError
from ..core.lesion import Lesion
from ..systems.bundle import ModelBundle
from .localisation import TRIVIAL, Localisation, localisation, trivial_maps
from .maps import METHODS, OTHER, SIGNED

SPACES = ("volume", "slice")
"""Maps are scored on all voxels of the GTV, and on those of the slice whose answer is the lesion's."""

MAPS = (*METHODS, SIGNED, *TRIVIAL)
"""Scored maps: the methods for the class that is not positive (the signed one turned), then the trivial ones."""


@dataclass(frozen=True)
class LesionScore:
    """One lesion: truth, prediction, and how well each map finds its planted tissue.

    Attributes:
        patient, lesion: whose and which.
        response: 1 response, 0 non-response, computed from the two volumes.
        probability: of response.
        planted_share: planted share of the GTV.
        maps: ``(space, map)`` to scores; empty for responding lesions and those without planted tissue.
        empty: methods whose map is zero in the whole GTV.
    """

    patient: str
    lesion: str
    response: int
    probability: float
    planted_share: float
    maps: dict[tuple[str, str], Localisation] = field(default_factory=dict)
    empty: tuple[str, ...] = ()


def score_cohort(
    bundle: ModelBundle,
    settings: CohortSettings,
    *,
    with_maps: bool = True,
    progress: Callable[[float, str], None] | None = None,
) -> list[LesionScore]:
    """Predict every lesion of a synthetic cohort and score the maps of non-responders with planted tissue.

    Args:
        bundle: the model.
        settings: the cohort; must not be one that the model was trained or tuned on.
        with_maps: False for predictions only.
        progress: called after each patient.

    Raises:
        InputError: the card says that the model was trained or tuned on patients of this seed.
    """
    refuse_known_patients(bundle, settings)
    rows: list[LesionScore] = []
    for index in range(settings.patients):
        patient = generate_patient(settings, index, images=("baseline",))
        rows += score_patient(bundle, patient, with_maps=with_maps)
        if progress:
            progress((index + 1) / settings.patients, patient.name)
    return rows


def refuse_known_patients(bundle: ModelBundle, settings: CohortSettings) -> None:
    """Raise InputError when the card lists the cohort's seed among those the model has seen."""
    seen = bundle.card.fields["training"].get("seeds_seen", [])
    if settings.seed in seen:
        raise InputError(
            f"Model “{bundle.card.name}” was trained or tuned on the synthetic patients of seed {settings.seed}; "
            "choose another seed to evaluate it."
        )


def score_patient(bundle: ModelBundle, patient: SyntheticPatient, *, with_maps: bool = True) -> list[LesionScore]:
    """Scores of the lesions of one patient's baseline MRI."""
    from ..explanation.explain import explain_scan

    scan = patient.scans["baseline"]
    lesions = [Lesion.from_mask(lesion.name, scan.mask(lesion.label)) for lesion in patient.lesions]
    result = explain_scan(scan.image, scan.geometry, lesions, bundle)
    rows = []
    for truth, explained in zip(patient.lesions, result.lesions, strict=True):
        scored = with_maps and truth.response == 0 and truth.planted
        maps, empty = _score_maps(result, explained, scan, truth.label) if scored else ({}, ())
        rows.append(
            LesionScore(
                patient.name,
                truth.name,
                truth.response,
                explained.probability,
                truth.planted_share,
                maps,
                empty,
            )
        )
    return rows


def _score_maps(result, explained, scan: SyntheticScan, label: int) -> tuple[dict, tuple[str, ...]]:
    box = explained.lesion.box
    inside, truth = explained.lesion.mask, scan.planted[box] == label
    maps = {name: result.pasted(explained, name, OTHER).values for name in METHODS}
    empty = tuple(name for name, values in maps.items() if not values[inside].any())
    maps[SIGNED] = -result.pasted(explained, SIGNED).values
    on_slice = inside & answering_slice(explained, scan)[box]
    scores = {}
    for space, where in zip(SPACES, (inside, on_slice), strict=True):
        trivial = trivial_maps(scan.image[box], where, scan.geometry.spacing[::-1])
        for name, values in {**maps, **trivial}.items():
            scores[space, name] = localisation(values, truth, where)
    return scores, empty


def answering_slice(explained, scan: SyntheticScan) -> np.ndarray:
    """Voxels ``[k, j, i]`` of the MRI's slice whose answer is the lesion's, bool."""
    middle = (explained.samples.patch_size - 1) / 2
    k = round(float(scan.geometry.to_ijk(explained.samples.patch_to_lps(explained.main, middle, middle))[2]))
    voxels = np.zeros(scan.geometry.shape, dtype=bool)
    voxels[k] = True
    return voxels
