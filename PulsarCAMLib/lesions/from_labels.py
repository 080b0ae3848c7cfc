"""Lesions from masks and label volumes: which voxels belong together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..core.errors import InputError
from ..core.geometry import kji_of
from ..core.lesion import CONNECTIVITY_26, Lesion, as_inside, bounding_box

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
        raise InputError(f"Empty on this MRI: {_quoted(hollow)}; contour them or leave them out.")
    if not masks:
        raise InputError("There is no lesion: choose at least one segment.")
    warnings = [f"Left out because empty on this MRI: {_quoted(hollow)}."] if hollow else []
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
    labels = _whole_numbers(labels)
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
    lesions = []
    for rank, part in enumerate(np.argsort(-sizes, kind="stable"), start=1):
        inside = numbered == part + 1
        box = bounding_box(inside)
        if box is not None:
            offset = kji_of(o + s.start for o, s in zip(whole.offset, box, strict=True))
            lesions.append(Lesion(f"{whole.name} ({rank})", inside[box].copy(), offset))
    return lesions


def _whole_numbers(labels: np.ndarray) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.ndim != 3:
        raise InputError(f"The label volume has {labels.ndim} dimensions; it needs three.")
    if labels.dtype.kind == "b":
        return labels.astype(np.uint8)
    if labels.dtype.kind == "f":
        if not np.isfinite(labels).all() or (labels != np.rint(labels)).any():
            raise InputError("The mask holds fractions or NaN: it is an image, not a label volume; was it swapped?")
        return labels.astype(np.int64)
    return labels


def _quoted(names: list[str]) -> str:
    return ", ".join(f"“{n}”" for n in names)
