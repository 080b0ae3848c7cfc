"""Which DICOM objects, structures and segments are PulsarCAM's own results: on the way back they are no inputs.

An object is known by its manufacturer, a structure of another's file by what PulsarCAM writes into its description
(:mod:`PulsarCAMLib.outputs.dicom`), or by its name, for some programs keep nothing but that.
"""

from __future__ import annotations

import re
from typing import Any

from .files import text_of

MAKER = "PulsarCAM"
NOTE = "Research use only"
NO_PLAN = "not a plan"
"""In the Dose Comment of a painting's prescription."""

PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"
RESULT, COPY = "result", "copy"
"""An object that is never an input; one that holds lesions beside results, or a copy of them."""

_NAMES = re.compile(r" activated(\s*[\[(]\d+[\])])?$|\bresearch use only\b", re.IGNORECASE)
"""How names of sub-regions and boosts end, perhaps with the number that tells two of one name apart."""


def is_own_map(data: Any) -> bool:
    """Whether an image is a parametric map of PulsarCAM."""
    return text_of(data, "SOPClassUID") == PARAMETRIC_MAP and text_of(data, "Manufacturer") == MAKER


def is_own_structure(region: Any) -> bool:
    """Whether an item of the Structure Set ROI Sequence is a sub-region or a boost that PulsarCAM drew."""
    drawn = text_of(region, "ROIGenerationAlgorithm") == "AUTOMATIC" and any(
        text_of(region, keyword).startswith(NOTE) for keyword in ("ROIDescription", "ROIGenerationDescription")
    )
    return drawn or bool(_NAMES.search(text_of(region, "ROIName")))


def is_own_segment(segment: Any) -> bool:
    """Whether an item of the Segment Sequence is a sub-region that PulsarCAM drew."""
    by = [text_of(each, "AlgorithmName") for each in segment.get("SegmentationAlgorithmIdentificationSequence") or ()]
    drawn = text_of(segment, "SegmentAlgorithmType") == "AUTOMATIC"
    return (drawn and (MAKER in by or text_of(segment, "SegmentAlgorithmName") == MAKER)) or bool(
        _NAMES.search(text_of(segment, "SegmentLabel"))
    )


def own_kind(data: Any) -> str:
    """:data:`RESULT`, :data:`COPY`, or empty for an object that is none of PulsarCAM's results."""
    modality = text_of(data, "Modality")
    ours = text_of(data, "Manufacturer") == MAKER
    if is_own_map(data) or (
        modality == "RTDOSE" and ours and NO_PLAN in text_of(data, "DoseComment") + text_of(data, "SeriesDescription")
    ):
        return RESULT
    if modality == "SEG":
        segments = list(data.get("SegmentSequence") or ())
        if segments and all(map(is_own_segment, segments)):
            return RESULT
        return COPY if ours else ""
    regions = list(data.get("StructureSetROISequence") or ()) if modality == "RTSTRUCT" else []
    return COPY if any(map(is_own_structure, regions)) else ""
