"""The one flow: a case in, prediction and maps out. Panel, console, command line and tests call this."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..core.case import Case, Image
from ..core.errors import Cancelled
from ..core.geometry import VolumeGeometry
from ..core.lesion import Lesion
from ..core.vocabulary import MAJORITY
from ..systems.bundle import ModelBundle
from ..systems.contract import Samples, Sliced
from .inputs import with_controls
from .probabilities import class_probabilities, predicted_class, votes
from .result import CaseResult, UnitResult

PREPARING_SHARE = 0.4
"""Share of the work that preparing the samples takes, for the progress bar."""


CONTROL_FROM = 0.8
"""From here on networks that have learnt nothing are asked, where there are several inputs."""


def explain_case(
    case: Case,
    bundle: ModelBundle,
    *,
    methods: Sequence[str] | None = None,
    each_input: bool = True,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> CaseResult:
    """Predict and explain every unit of one case.

    Args:
        case: images by role, and lesions on the reference grid; lesions may touch and overlap.
        bundle: the model.
        methods: of explanation, by name; None: those that the system computes for every case.
        each_input: also by each input alone, beside networks that have learnt nothing, where there are several.
        progress: is told the fraction done and what is being done.
        cancelled: is asked often; True ends the work.

    Raises:
        InputError: a needed image or lesion is missing, an image cannot be used, or a method is not known.
        Cancelled: the user stopped the work.
    """
    system = bundle.card.system
    methods = system.usual_maps if methods is None else tuple(methods)
    for method in methods:
        system.method(method)

    def on_progress(fraction: float, text: str) -> None:
        if cancelled and cancelled():
            raise Cancelled("Stopped; nothing was changed.")
        if progress:
            progress(fraction, text)

    samples = system.prepare(
        case, bundle.card.preprocessing, lambda fraction, text: on_progress(PREPARING_SHARE * fraction, text)
    )
    on_progress(PREPARING_SHARE, "Loading the model")
    inputs = system.input_channels(bundle.card.preprocessing, case.images) if each_input else {}
    units = _explain_all(bundle, samples, methods, inputs, on_progress)

    def after_control(done: float) -> None:
        fraction = CONTROL_FROM + (1 - CONTROL_FROM) * done / len(units)
        on_progress(fraction, "Asking networks that have learnt nothing")

    units = with_controls(units, bundle, methods, inputs, after_control)
    on_progress(1.0, "Done")
    notes = [*case.warnings, *(w for s in samples for w in s.warnings), *_notes_on_maps(units)]
    notes += system.result_notes(units)
    geometries = {name: image.geometry for name, image in case.images.items()}
    return CaseResult(case.geometry, bundle.card, tuple(units), tuple(dict.fromkeys(notes)), geometries)


def explain_scan(
    volume: np.ndarray,
    geometry: VolumeGeometry,
    lesions: Sequence[Lesion],
    bundle: ModelBundle,
    *,
    methods: Sequence[str] | None = None,
    warnings: Sequence[str] = (),
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> CaseResult:
    """Predict and explain every lesion of one MRI, for systems that need no other image.

    Args:
        volume: MRI ``[k, j, i]``, any numeric type; NaN and infinite voxels are replaced with a warning.
        geometry: its place.
        lesions: on its grid, at least one; they may touch and overlap.
        bundle: the model.
        methods: see :func:`explain_case`.
        warnings: sentences from reading the input, passed on to the result.
        progress, cancelled: see :func:`explain_case`.

    Raises:
        InputError: no lesion, or an image that cannot be used.
        Cancelled: the user stopped the work.

    Examples:
        >>> from PulsarCAMLib.lesions import lesions_from_labels
        >>> from PulsarCAMLib.systems import find_bundle
        >>> volume = np.random.default_rng(0).normal(300, 50, (12, 80, 80))
        >>> labels = np.zeros(volume.shape, np.uint8)
        >>> labels[4:8, 30:50, 30:52] = 1
        >>> lesions, _ = lesions_from_labels(labels)
        >>> geometry = VolumeGeometry(volume.shape, spacing=(0.9, 0.9, 3.0))
        >>> result = explain_scan(volume, geometry, lesions, find_bundle("synthetic-demo"))
        >>> [unit.name for unit in result.units], result.units[0].probabilities.shape
        (['Lesion 1'], (5, 4))
        >>> heat = result.heat_map("gradcam", "response")
        >>> heat.shape == volume.shape, bool(heat[labels == 0].any())
        (True, False)
    """
    case = Case({bundle.card.system.inputs[0].name: Image(volume, geometry)}, tuple(lesions), warnings=tuple(warnings))
    return explain_case(case, bundle, methods=methods, progress=progress, cancelled=cancelled)


def _explain_all(
    bundle: ModelBundle,
    samples: Sequence[Samples],
    methods: Sequence[str],
    inputs: Mapping[str, tuple[int, ...]],
    on_progress: Callable[[float, str], None],
) -> list[UnitResult]:
    images = np.concatenate([s.images for s in samples])
    masks = np.concatenate([s.masks for s in samples])

    what = "slice" if isinstance(samples[0], Sliced) else bundle.card.system.task.unit
    top = CONTROL_FROM if inputs else 1.0

    def after_chunk(done: float) -> None:
        fraction = PREPARING_SHARE + (top - PREPARING_SHARE) * done / len(images)
        on_progress(fraction, f"Explaining {what} {int(done)} of {len(images)}")

    system, card = bundle.card.system, bundle.card
    found = system.explain(bundle.ensemble, images, masks, methods, after_chunk, inputs)
    probabilities = class_probabilities(found.logits, system.task, card.temperature)
    threshold = card.decision_threshold
    if card.ensemble_rule == MAJORITY:
        probabilities, threshold = votes(probabilities, system.task, threshold), 0.5
    results, start = [], 0
    for each in samples:
        part = slice(start, start + len(each))
        start += len(each)
        answer = probabilities[:, :, part][:, :, each.main].mean(axis=1)
        results.append(
            UnitResult(
                system=system,
                samples=each,
                logits=found.logits[:, part],
                class_probabilities=probabilities[:, :, part],
                maps={key: maps[:, part] for key, maps in found.maps.items()},
                predicted_class=predicted_class(answer, system.task, threshold),
                input_maps={key: maps[:, part] for key, maps in found.input_maps.items()},
            )
        )
    return results


def _notes_on_maps(units: list[UnitResult]) -> list[str]:
    """Empty maps of the predicted class are told, not hidden."""
    notes = []
    for method in units[0].class_methods:
        empty = [unit.name for unit in units if unit.is_empty(method, "predicted")]
        if empty:
            notes.append(f"{method}: the map of the predicted class is empty for {', '.join(empty)}.")
    return notes
