"""The one flow: a case in, prediction and maps out. Panel, console, command line and tests call this."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.case import Case, Image
from ..core.errors import Cancelled
from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import Lesion
from ..io.inputs import doubts_on
from ..systems.answers import EndedEarly, NetworkEvidence
from ..systems.bundles.bundle import ModelBundle
from ..systems.contract import Samples, Sliced, System, network_masks
from .inputs import CONTROLS, with_controls
from .leaving_out import left_out_notes, with_left_out
from .perturbing import with_stability
from .probabilities import answered, predicted_class
from .result import CaseResult, UnitResult
from .sets import with_sets
from .stability import stability_notes

PREPARING_SHARE = 0.4
"""Share of the work that preparing the samples takes, for the progress bar."""


CONTROL_FROM = 0.8
"""From here on networks that have learnt nothing are asked, where there are several inputs."""

STABILITY_FROM = 0.9
"""From here on the model is asked again about units that lie half a voxel otherwise, where that is wanted."""


def explain_case(
    case: Case,
    bundle: ModelBundle,
    *,
    methods: Sequence[str] | None = None,
    each_input: bool = True,
    choices: Mapping[str, Any] | None = None,
    on_cost: Callable[[str], None] | None = None,
    stability: bool | None = False,
    error_rate: float | None = None,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> CaseResult:
    """Predict and explain every unit of one case.

    Args:
        case: images by role, and lesions on the reference grid; lesions may touch and overlap.
        bundle: the model.
        methods: of explanation, by name; None: those that the system computes for every case.
        each_input: also by each input alone, beside networks that have learnt nothing, where there are several.
        choices: settings of methods by their names, see ``MapMethod.choices``; methods not named have the usual ones.
        on_cost: is told what takes long, measured on the first sample, before it starts.
        stability: also how far the answers move with contour and grid, and without parts of their input
            (:mod:`.leaving_out`); None: as is usual with the system.
        error_rate: of the classes that cannot be ruled out (:mod:`.sets`); None: that of the card, where it has one.
        progress: is told the fraction done and what is being done.
        cancelled: is asked often; True ends the work, or a map alone where its choices say so.

    Raises:
        InputError: a needed image or lesion is missing, an image cannot be used, or a method is not known.
        Cancelled: the user stopped the work.
    """
    system = bundle.card.system
    methods = system.usual_maps if methods is None else tuple(methods)
    for method in methods:
        system.method(method)

    chosen = {name: each for name, each in (choices or {}).items() if name in methods}
    ended = EndedEarly()
    keeps, stopped = any(getattr(each, "partial", False) for each in chosen.values()), False

    def on_progress(fraction: float, text: str) -> None:
        nonlocal stopped
        if cancelled and not stopped and cancelled():
            stopped = keeps  # the map that is ended by it keeps what is known, and the rest is finished
            raise Cancelled("Stopped; nothing was changed.")
        if progress:
            progress(fraction, text)

    samples = system.prepare(
        case, bundle.card.preprocessing, lambda fraction, text: on_progress(PREPARING_SHARE * fraction, text)
    )
    on_progress(PREPARING_SHARE, "Loading the model")
    inputs = system.input_channels(bundle.card.preprocessing, case.images) if each_input else {}
    if on_cost:
        for sentence in _costs(bundle, samples, methods, inputs, chosen):
            on_cost(sentence)
    stable = system.tells_stability if stability is None else stability
    end = STABILITY_FROM if stable else 1.0
    own, top = _Choices(chosen, ended), CONTROL_FROM if inputs else end
    units = _explain_all(bundle, samples, methods, inputs, on_progress, own, top)
    units, refused = with_sets(units, bundle.card, error_rate)

    def after_control(done: float) -> None:
        fraction = CONTROL_FROM + (end - CONTROL_FROM) * done / len(units)
        on_progress(fraction, "Asking networks that have learnt nothing")

    if not ended.sentences:
        units = with_controls(units, bundle, methods, inputs, after_control, chosen)
    if stable:
        units = with_stability(units, case, bundle, lambda done, text: on_progress(end + (1 - end) * done, text))
        units = with_left_out(units, bundle)
    on_progress(1.0, "Done")
    notes = [*refused, *case.warnings, *_doubts(system, case)]
    notes += [*(w for s in samples for w in s.warnings), *_notes_on_maps(units)]
    notes += [each.in_words() for each in chosen.values() if hasattr(each, "in_words")]
    notes += [*ended.sentences, *system.result_notes(units), *stability_notes(units), *left_out_notes(units)]
    geometries = {name: image.geometry for name, image in case.images.items()}
    return CaseResult(case.geometry, bundle.card, tuple(units), tuple(dict.fromkeys(notes)), geometries, chosen)


def _doubts(system: System, case: Case) -> Iterator[str]:
    """How the images of a case were read, and what speaks against them; one sentence each."""
    for role in system.image_inputs:
        if (image := case.images.get(role.name)) is None:
            continue
        yield from image.notes
        yield from doubts_on(image, role.kind, f"The {role.title}")


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


@dataclass(frozen=True)
class _Choices:
    """How methods are to be made, and who is told of maps that ended early."""

    of: Mapping[str, Any]
    ended: Callable[[str], None]

    def given(self) -> dict[str, Any]:
        """For a system's ``explain``; empty where all is as usual."""
        return {"choices": self.of, "ended": self.ended} if self.of else {}


def _costs(
    bundle: ModelBundle,
    samples: Sequence[Samples],
    methods: Sequence[str],
    inputs: Mapping[str, tuple[int, ...]],
    chosen: Mapping[str, Any],
) -> Iterator[str]:
    """What takes long, from a pass of the first sample; one sentence each."""
    import torch

    system, first = bundle.card.system, samples[0]
    members = getattr(bundle.ensemble, "members", ())
    long = [system.method(name) for name in methods if system.method(name).foretold]
    if not long or not members:
        return
    images, masks = (
        torch.from_numpy(each[first.main : first.main + 1]) for each in (first.images, network_masks(first))
    )
    asked = sum(len(each) for each in samples) * len(members) + (
        len(samples) * min(CONTROLS, len(members)) if inputs else 0
    )
    evidence = NetworkEvidence(system, members, images, masks, inputs, choices=chosen)
    for method in long:
        assert method.foretold is not None
        yield method.foretold(evidence, asked)


def _explain_all(
    bundle: ModelBundle,
    samples: Sequence[Samples],
    methods: Sequence[str],
    inputs: Mapping[str, tuple[int, ...]],
    on_progress: Callable[[float, str], None],
    choices: _Choices,
    top: float,
) -> list[UnitResult]:
    images = np.concatenate([s.images for s in samples])
    masks = np.concatenate([network_masks(s) for s in samples])

    what = "slice" if isinstance(samples[0], Sliced) else bundle.card.system.task.unit

    def after_chunk(done: float) -> None:
        fraction = PREPARING_SHARE + (top - PREPARING_SHARE) * done / len(images)
        on_progress(fraction, f"Explaining {what} {int(done)} of {len(images)}")

    system, card = bundle.card.system, bundle.card
    found = system.explain(bundle.ensemble, images, masks, methods, after_chunk, inputs, **choices.given())
    probabilities, threshold = answered(found.logits, card)
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
