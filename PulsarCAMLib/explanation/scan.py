"""The one flow: MRI and lesions in, prediction and maps out. Panel, console, command line and tests call this."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..core.errors import Cancelled, InputError
from ..core.geometry import VolumeGeometry
from ..core.lesion import Lesion
from ..core.map_methods import METHODS, VARIANTS, check_choice
from ..systems.autoencoder.patches import LesionPatches, extract_patches
from ..systems.bundle import ModelBundle
from .result import LesionResult, ScanResult

CUTTING_SHARE = 0.4
"""Share of the work that cutting patches takes, for the progress bar."""


def explain_scan(
    volume: np.ndarray,
    geometry: VolumeGeometry,
    lesions: Sequence[Lesion],
    bundle: ModelBundle,
    *,
    methods: Sequence[str] = METHODS,
    warnings: Sequence[str] = (),
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ScanResult:
    """Predict and explain every lesion of one MRI.

    Args:
        volume: MRI ``[k, j, i]``, any numeric type; NaN and infinite voxels are replaced with a warning.
        geometry: its place.
        lesions: on its grid, at least one; they may touch and overlap.
        bundle: the model.
        methods: of explanation; variants must be asked for here.
        warnings: sentences from reading the input, passed on to the result.
        progress: is told the fraction done and what is being done.
        cancelled: is asked often; True ends the work.

    Raises:
        InputError: no lesion, or an image that cannot be used.
        Cancelled: the user stopped the work.
    """
    if not lesions:
        raise InputError("There is no lesion: choose at least one segment.")
    for method in methods:
        check_choice("method", method, (*METHODS, *VARIANTS))

    def tell(fraction: float, text: str) -> None:
        if cancelled and cancelled():
            raise Cancelled("Stopped; nothing was changed.")
        if progress:
            progress(fraction, text)

    patches = []
    for n, lesion in enumerate(lesions):
        tell(CUTTING_SHARE * n / len(lesions), f"Cutting patches of {lesion.name}")
        patches.append(extract_patches(volume, geometry, lesion, bundle.card.preprocessing))
    tell(CUTTING_SHARE, "Loading the model")
    found = _explain_all(bundle, patches, methods, tell)
    tell(1.0, "Done")
    notes = [*warnings, *(w for p in patches for w in p.warnings), *_notes_on_maps(found)]
    return ScanResult(geometry, bundle.card, tuple(found), tuple(dict.fromkeys(notes)))


def _explain_all(
    bundle: ModelBundle, patches: list[LesionPatches], methods: Sequence[str], tell: Callable[[float, str], None]
) -> list[LesionResult]:
    from ..systems.autoencoder.compute import explain_patches

    images = np.concatenate([p.images for p in patches])
    masks = np.concatenate([p.masks for p in patches])

    def after_chunk(done: int) -> None:
        tell(CUTTING_SHARE + (1 - CUTTING_SHARE) * done / len(images), f"Explaining slice {done} of {len(images)}")

    found = explain_patches(bundle.ensemble, images, masks, methods, after_chunk)
    with np.errstate(over="ignore"):
        probabilities = 1 / (1 + np.exp(-found.logits.astype(np.float64) / bundle.card.temperature))
    results, start = [], 0
    for p in patches:
        part = slice(start, start + len(p))
        start += len(p)
        responds = probabilities[:, part][:, p.main].mean() >= bundle.card.decision_threshold
        results.append(
            LesionResult(
                patches=p,
                logits=found.logits[:, part],
                probabilities=probabilities[:, part],
                signed=found.signed[:, part],
                maps={key: maps[:, part] for key, maps in found.maps.items()},
                predicted_class="response" if responds else "non-response",
            )
        )
    return results


def _notes_on_maps(lesions: list[LesionResult]) -> list[str]:
    """Empty maps of the predicted class, and features that no lesion uses, are told, not hidden."""
    notes = []
    for method in dict.fromkeys(method for method, _ in lesions[0].maps):
        empty = [lesion.name for lesion in lesions if lesion.is_empty(method, "predicted")]
        if empty:
            notes.append(f"{method}: the map of the predicted class is empty for {', '.join(empty)}.")
    return notes
