"""A model bundle on synthetic patients, through the same flow as a user's MRI: predictions and map scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ...cohort.synthetic.patients import SyntheticPatient, generate_patient
from ...cohort.synthetic.settings import CohortSettings
from ...core.errors import InputError
from ...core.lesion import Lesion
from ...systems.bundles.bundle import ModelBundle
from ..localisation import Localisation
from ..maps import map_names
from .map_scores import scores_of_unit


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
        classes: that cannot be ruled out at the card's error rate; None where the model was not calibrated for it.
    """

    patient: str
    lesion: str
    response: int
    probability: float
    planted_share: float
    maps: dict[tuple[str, str], Localisation] = field(default_factory=dict)
    empty: tuple[str, ...] = ()
    classes: tuple[str, ...] | None = None


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
    from ...explanation.explain import explain_scan

    scan = patient.scans["baseline"]
    lesions = [Lesion.from_mask(lesion.name, scan.mask(lesion.label)) for lesion in patient.lesions]
    result = explain_scan(scan.image, scan.geometry, lesions, bundle)
    names, task = map_names(bundle.card.system), bundle.card.system.task
    rows = []
    for truth, explained in zip(patient.lesions, result.lesions, strict=True):
        maps, empty = {}, ()
        if with_maps and truth.response == task.index(task.explained) and truth.planted:
            planted = scan.planted == truth.label
            maps, empty = scores_of_unit(result, explained, [scan.image], planted, names, task.explained)
        rows.append(
            LesionScore(
                patient.name,
                truth.name,
                truth.response,
                explained.probability,
                truth.planted_share,
                maps,
                empty,
                explained.conformal and explained.conformal.classes,
            )
        )
    return rows
