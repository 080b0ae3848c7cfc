"""Lesions from masks and label volumes: which voxels belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..core.errors import InputError
from ..core.geometry.volume import VolumeGeometry, kji_of
from ..core.lesion import CONNECTIVITY_26, Lesion, as_inside
from .doubts import quoted, refuse_background, refuse_image, refuse_no_lesions, refuse_speckles, whole_numbers

PARTS = ("auto", "together", "separate")
"""How the unconnected parts of one label become lesions; see :func:`lesions_from_labels`."""


def lesions_from_masks(
    masks: Mapping[str, np.ndarray], parts: str = "together", empty: str = "error"
) -> tuple[list[Lesion], list[str]]:
    """Lesions from one mask per segment; masks may touch or overlap.

    Args:
        masks: name to mask ``[k, j, i]`` (bool, or numbers where non-zero is inside).
        parts: ``"together"``: a segment is one lesion however many parts it has (ring, several foci);
            ``"separate"``: each 26-connected part is a lesion of its own, named "name (1)", "name (2)", ... by size.
        empty: ``"error"`` names the empty segments in an error, ``"skip"`` leaves them out with a warning.

    Returns:
        The lesions in the order given, and warnings for the user.

    Raises:
        InputError: an empty segment (when asked), no lesion at all, or a mask that is no mask.

    Examples:
        >>> mask = np.zeros((4, 32, 32), np.uint8)
        >>> mask[1, 5:9, 5:9] = mask[2, 20:22, 20:22] = 1
        >>> [lesion.name for lesion in lesions_from_masks({"GTV": mask})[0]]
        ['GTV']
        >>> [lesion.name for lesion in lesions_from_masks({"GTV": mask}, parts="separate")[0]]
        ['GTV (1)', 'GTV (2)']
    """
    if parts not in PARTS or empty not in ("error", "skip"):
        raise InputError(f"parts must be one of {', '.join(PARTS)} and empty 'error' or 'skip'.")
    hollow = [name for name, mask in masks.items() if not as_inside(name, mask).any()]
    if hollow and (empty == "error" or len(hollow) == len(masks)):
        raise InputError(f"Empty on this MRI: {quoted(hollow)}; contour them or leave them out.")
    if not masks:
        raise InputError("There is no lesion: choose at least one segment.")
    warnings = [f"Left out because empty on this MRI: {quoted(hollow)}."] if hollow else []
    lesions: list[Lesion] = []
    for name, mask in masks.items():
        if name in hollow:
            continue
        whole = Lesion.from_mask(name, mask)
        lesions += _connected_parts(whole) if parts == "separate" else [whole]
    return lesions, warnings


def lesions_from_labels(
    labels: np.ndarray,
    names: Mapping[int, str] | None = None,
    parts: str = "auto",
    values: list[int] | None = None,
) -> tuple[list[Lesion], list[str]]:
    """Lesions from a label volume ``[k, j, i]`` in which 0 is background.

    Args:
        labels: label values; whole numbers, also when stored as floating point.
        names: names of label values; others are called "Lesion <value>".
        parts: ``"auto"``: a volume with a single label value is a plain lesion mask, so each 26-connected part is a
            lesion; with several values each value is one lesion. ``"together"``: each value one lesion.
            ``"separate"``: each connected part of each value one lesion.
        values: only these label values.

    Returns:
        The lesions, by label value and then by size, and warnings for the user.

    Raises:
        InputError: not a label volume, no label in it, or an asked-for value that is missing.

    Examples:
        >>> labels = np.zeros((4, 32, 32), np.uint8)
        >>> labels[1, 5:9, 5:9], labels[2, 20:22, 20:22] = 1, 3
        >>> lesions, warnings = lesions_from_labels(labels, {3: "left frontal"})
        >>> [(lesion.name, lesion.voxels) for lesion in lesions]
        [('Lesion 1', 16), ('left frontal', 4)]
    """
    labels = np.asarray(labels)
    if labels.ndim != 3:
        raise InputError(f"The label volume has {labels.ndim} dimensions; it needs three.")
    labels = whole_numbers("The mask", labels)
    where = np.flatnonzero(labels)
    found = labels.ravel()[where]
    present = [int(v) for v in np.unique(found)]
    missing = sorted(set(values or ()) - set(present))
    if missing:
        raise InputError(f"The label volume has no value {missing}; it has {present or 'only background'}.")
    chosen = present if values is None else sorted(set(values))
    if not chosen:
        raise InputError("The label volume is empty: every voxel is background (0).")
    if parts not in PARTS:
        raise InputError(f"parts must be one of {', '.join(PARTS)}.")
    if parts == "auto":
        parts = "separate" if len(present) == 1 else "together"
    names = {v: (names or {}).get(v, f"Lesion {v}") for v in chosen}
    if len(set(names.values())) != len(chosen):
        raise InputError("Two label values have the same name; give each lesion a name of its own.")
    lesions: list[Lesion] = []
    for value in chosen:
        whole = _from_indices(names[value], np.unravel_index(where[found == value], labels.shape))
        lesions += _connected_parts(whole) if parts == "separate" else [whole]
    split = len(lesions) > len(chosen)
    note = f"The label's unconnected parts are taken as {len(lesions)} lesions (parts: separate)."
    return lesions, [note] if split else []


def lesions_from_label_volume(
    name: str,
    labels: np.ndarray,
    geometry: VolumeGeometry,
    names: Mapping[int, str] | None = None,
    parts: str = "auto",
    values: Sequence[int] | None = None,
    asks: bool = True,
    step: float = 0.0,
) -> tuple[list[Lesion], list[str]]:
    """Lesions from a label volume that somebody gave, which may be no mask at all: :func:`lesions_from_labels` after
    all that :mod:`.doubts` asks.

    Args:
        name: of the mask, for sentences.
        labels: ``[k, j, i]``, any numeric type.
        geometry: of the label volume itself.
        names, parts, values: see :func:`lesions_from_labels`.
        asks: whether hundreds of values or parts are refused with the question what they are.
        step: see :func:`.doubts.whole_numbers`.

    Raises:
        InputError: it is no mask, not one of lesions, or empty.
    """
    whole = whole_numbers(name, labels, step)
    refuse_image(name, whole)
    refuse_no_lesions(name, whole, geometry.voxel_volume_mm3, values, asks)
    lesions, warnings = lesions_from_labels(whole, names, parts, list(values) if values else None)
    refuse_background(name, lesions, geometry)
    if asks and parts == "auto":
        refuse_speckles(name, len(lesions))
    return lesions, warnings


def _from_indices(name: str, kji: tuple[np.ndarray, ...]) -> Lesion:
    offset = tuple(int(a.min()) for a in kji)
    mask = np.zeros([int(a.max()) - o + 1 for a, o in zip(kji, offset, strict=True)], dtype=bool)
    mask[tuple(a - o for a, o in zip(kji, offset, strict=True))] = True
    return Lesion(name, mask, kji_of(offset))


def _connected_parts(whole: Lesion) -> list[Lesion]:
    from scipy import ndimage

    numbered, count = ndimage.label(whole.mask, CONNECTIVITY_26)
    if count == 1:
        return [whole]
    sizes = np.bincount(numbered.ravel())[1:]
    boxes = ndimage.find_objects(numbered)
    lesions = []
    for rank, part in enumerate(np.argsort(-sizes, kind="stable"), start=1):
        box = boxes[part]
        offset = kji_of(o + s.start for o, s in zip(whole.offset, box, strict=True))
        lesions.append(Lesion(f"{whole.name} ({rank})", numbered[box] == part + 1, offset))
    return lesions
