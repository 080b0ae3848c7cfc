"""Regions as DICOM SEG, binary: lesions, or their activated sub-regions. highdicom writes it.

LABELMAP is not used: Orthanc's C-STORE refuses it, and older validators do not know it.

Source: DICOM PS3.3 A.51, C.8.20; codes from PS3.16 CID 7150, 7151.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.lesion import Lesion
from ...core.task import LESION
from .maker import Maker, for_writing, private, short
from .source import SourceSeries
from .tracking import site_of, tracked

COLORS = ((0.95, 0.60, 0.15), (0.25, 0.65, 0.90), (0.85, 0.35, 0.55), (0.45, 0.75, 0.35), (0.65, 0.50, 0.85))


def segmentation_of(
    regions: Sequence[Lesion], source: SourceSeries, maker: Maker, unit: str, description: str, activated: bool
) -> Any | None:
    """The object, not yet written; None where every region is empty.

    Args:
        regions: on the grid of the source; empty ones are left out.
        source: the MRI.
        maker: of the result.
        unit: what a region belongs to: a lesion, patient or visit.
        description: what the regions are, a few words.
        activated: whether they are sub-regions; else the units themselves.
    """
    import highdicom as hd

    kept = [region for region in regions if region.mask.any()]
    if not kept:
        return None
    slices = [k + region.offset[0] for region in kept for k in np.flatnonzero(region.mask.any(axis=(1, 2)))]
    headers, ks = source.part(min(slices), max(slices) + 1)
    pixels = _pixels(kept, source.geometry.shape, ks)
    category, kind = codes_of(unit, activated)
    segments = []
    for number, region in enumerate(kept, start=1):
        uid, identifier = tracked(source, region.name, activated)
        segments.append(
            hd.seg.SegmentDescription(
                segment_number=number,
                segment_label=short(region.name + (" activated" if activated else "")),
                segmented_property_category=category,
                segmented_property_type=kind,
                algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC
                if activated
                else hd.seg.SegmentAlgorithmTypeValues.SEMIAUTOMATIC,
                algorithm_identification=maker.algorithm(),
                tracking_uid=uid,
                tracking_id=identifier,
                anatomic_regions=[site_of(source)],
                display_color=hd.color.CIELabColor.from_rgb(*_color(number)) if activated else None,
            )
        )
    spared = {"_get_segment_pixel_array": staticmethod(_looking_at([region.box[1:] for region in kept]))}
    return for_writing(hd.seg.Segmentation, **spared)(
        source_images=headers,
        pixel_array=pixels,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=segments,
        **maker.common(description),
        **maker.content(description),
    )


def codes_of(unit: str, activated: bool) -> tuple[Any, Any]:
    """Category and type of a region."""
    from pydicom.sr.codedict import codes

    if activated:
        return codes.SCT.MorphologicallyAbnormalStructure, private("activated", "Activated sub-region of a model's map")
    if unit == LESION:
        return codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Lesion
    return codes.SCT.AnatomicalStructure, codes.SCT.Brain


def _looking_at(boxes: Sequence[tuple[slice, slice]]) -> Callable[..., np.ndarray]:
    """As highdicom finds the pixels of a segment in a frame, which is asked of every frame for every segment.

    Args:
        boxes: rows and columns that each segment lies in.

    Returns:
        The function; of a frame without the segment it gives one pixel, for highdicom leaves such a frame out.
    """
    import highdicom as hd

    def pixels_of(frame: np.ndarray, segment_number: int, dtype: type, **how: Any) -> np.ndarray:
        if frame.ndim == 2 and not (frame[boxes[segment_number - 1]] == segment_number).any():
            return np.zeros((1, 1), dtype)
        return hd.seg.Segmentation._get_segment_pixel_array(frame, segment_number=segment_number, dtype=dtype, **how)

    return pixels_of


def _pixels(regions: Sequence[Lesion], shape: tuple[int, int, int], ks: np.ndarray) -> np.ndarray:
    """Numbers of the segments ``[frame, row, column]``; of regions that overlap, ``[frame, row, column, segment]``."""
    at = np.full(shape[0], -1)
    at[ks] = np.arange(len(ks))
    low = int(ks.min())
    labels = np.zeros((int(ks.max()) - low + 1, *shape[1:]), np.uint8 if len(regions) < 256 else np.uint16)
    boxes = [(slice(r.box[0].start - low, r.box[0].stop - low), r.box[1], r.box[2]) for r in map(_trimmed, regions)]
    trimmed = [_trimmed(region) for region in regions]
    overlap = False
    for number, (region, box) in enumerate(zip(trimmed, boxes, strict=True), start=1):
        overlap |= bool(labels[box][region.mask].any())
        labels[box][region.mask] = number
    order = ks - low
    if not overlap:
        return labels[order]
    layers = np.zeros((*labels.shape, len(regions)), dtype=bool)
    for n, (region, box) in enumerate(zip(trimmed, boxes, strict=True)):
        layers[(*box, n)] |= region.mask
    return layers[order]


def _trimmed(region: Lesion) -> Lesion:
    """A region without empty slices at its ends: boxes are those of lesions, of which a sub-region is a part."""
    used = np.flatnonzero(region.mask.any(axis=(1, 2)))
    first, stop = int(used[0]), int(used[-1]) + 1
    k, j, i = region.offset
    return Lesion(region.name, region.mask[first:stop], (k + first, j, i))


def _color(number: int) -> tuple[int, int, int]:
    r, g, b = (round(255 * c) for c in COLORS[(number - 1) % len(COLORS)])
    return r, g, b
