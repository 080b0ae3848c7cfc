"""Lesions from a DICOM segmentation (SEG), on the MRI's grid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..core.geometry.volume import VolumeGeometry
from ..core.lesion import Lesion
from ..core.pluralize import pluralize
from ..core.visible import visible
from ..io.dicom.segments import SegmentOfDicom, read_segment_voxels, read_segments
from .doubts import LESIONS_BY_SEGMENT, MOST_LESIONS, quoted, refuse_background
from .from_labels import lesions_from_masks
from .from_structures import check_frames
from .on_grid import lesions_on_grid

HALF = 0.5
"""A voxel of which a fractional segmentation gives this share or more is inside, as in a fractional label map."""


def lesions_from_dicom_segments(
    path: str | Path,
    geometry: VolumeGeometry,
    parts: str = "auto",
    wanted: Sequence[str] | None = None,
    asks: bool = True,
    frame: str = "",
    registration: np.ndarray | None = None,
) -> tuple[list[Lesion], list[str]]:
    """Lesions from a SEG, on the MRI's grid: all segments, or those that are wanted by name or number.

    Arguments, results and errors as :func:`~.from_structures.lesions_from_structures`.
    """
    name = f"The segmentation {visible(Path(path).name)}"
    found = read_segments(path)
    taken = _chosen(name, found.segments, wanted)
    if asks and wanted is None and len(taken) >= MOST_LESIONS:
        raise InputError(f"{name} has {len(taken)} segments, which are hardly all lesions", LESIONS_BY_SEGMENT)
    left = len(found.segments) - len(taken) if wanted is None else 0
    warnings = check_frames(name, {each.name: found.frame for each in taken}, frame, registration)
    if left:
        warnings.append(f"Left out of the segmentation: {pluralize(left, 'sub-region')} that PulsarCAM drew.")
    voxels, own = read_segment_voxels(path, [each.number for each in taken])
    if found.fractional:
        warnings.append(f"The segmentation is fractional; voxels of {HALF:g} and above are inside.")
    masks = {each.name: values >= HALF for each, values in zip(taken, voxels, strict=True)}
    lesions: list[Lesion] = []
    if empty := [each for each, mask in masks.items() if not mask.any()]:
        if wanted is not None or len(empty) == len(masks):
            raise InputError(f"{name} has empty segments: {quoted(empty)}; contour them or leave them out.")
        warnings.append(f"Left out because empty: {quoted(empty)}.")
    for each, mask in masks.items():
        if each not in empty:
            lesions += lesions_from_masks({each: mask}, "together" if parts == "auto" else parts)[0]
    refuse_background(name, lesions, own)
    if registration is not None:
        own = VolumeGeometry.from_ijk_to_lps(registration @ own.ijk_to_lps, own.shape)
    must, moved = wanted is not None, registration is not None
    brought, told = lesions_on_grid(name, lesions, own, geometry, must_use_all=must, by_header=not moved)
    return brought, warnings + told


def _chosen(name: str, segments: Sequence[SegmentOfDicom], wanted: Sequence[str] | None) -> list[SegmentOfDicom]:
    if wanted is None:
        if not segments:
            raise InputError(f"{name} has no segments; export it again.")
        taken = [each for each in segments if not each.result]
        if not taken:
            raise InputError(
                f"{name} holds only what PulsarCAM drew ({quoted(s.name for s in segments)}), which are no lesions; "
                "give the contours that were explained."
            )
        return taken
    known = [(each, (each.own_name, each.name, str(each.number))) for each in segments]
    unknown = [text for text in wanted if not any(text in names for _, names in known)]
    if unknown:
        raise InputError(f"{name} has no segment {quoted(unknown)}; it has {quoted(s.name for s in segments)}.")
    found: list[SegmentOfDicom] = []
    for text in wanted:  # a name goes before a number
        for which in range(3):
            if matching := [each for each, names in known if names[which] == text]:
                found += matching
                break
    return [each for each in segments if each in found]
