"""What dose painting asks for in the panel, and the nodes that it made."""

# ruff: noqa: N815 - parameters are named as Slicer names them

from __future__ import annotations

from typing import Annotated

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLTableNode
from slicer.parameterNodeWrapper import WithinRange

from ...painting.settings import CONTOURS, MOST_GY, SIGMOID
from ..choices import PaintRange, PaintRule


class PaintingParameters:
    """A part of the panel's parameter node; as :class:`PulsarCAMLib.painting.settings.PaintingSettings` has them.

    paintLow, paintHigh - dose levels in Gy, of the whole course; 0: not given
    paintQuality - whether the chosen dose is set beside the prescription
    organsSegmentation, organIDs - organs, and which of its segments are ticked, as a JSON list
    painted... - what was painted last, and the next one is written into
    """

    paintRule: PaintRule = PaintRule.LINEAR
    paintLow: Annotated[float, WithinRange(0, MOST_GY)] = 0.0
    paintHigh: Annotated[float, WithinRange(0, MOST_GY)] = 0.0
    paintRange: PaintRange = PaintRange.JOINT
    paintMidpoint: Annotated[float, WithinRange(0.01, 0.99)] = 0.5
    paintSteepness: Annotated[float, WithinRange(0.1, 1000)] = 10.0
    paintLeast: Annotated[float, WithinRange(0, 1_000_000)] = 0.0
    paintParts: Annotated[int, WithinRange(0, 1000)] = 0
    paintMargin: Annotated[float, WithinRange(0, 20)] = 0.0
    paintBeyond: bool = False
    paintOrgan: Annotated[float, WithinRange(0, 20)] = 0.0
    paintQuality: bool = True
    organsSegmentation: vtkMRMLSegmentationNode
    organIDs: str = "[]"
    paintedDose: vtkMRMLScalarVolumeNode
    paintedSpread: vtkMRMLScalarVolumeNode
    paintedBoost: vtkMRMLSegmentationNode
    paintedTable: vtkMRMLTableNode
    paintedHistogram: vtkMRMLTableNode


PAINTING_OUTPUTS = {
    "paintedDose": "prescriptionNode",
    "paintedSpread": "spreadNode",
    "paintedBoost": "boostNode",
    "paintedTable": "tableNode",
    "paintedHistogram": "histogramTableNode",
}
"""Parameter to the logic's name of the same node."""

OF_NUMBERS = {"paintRange": "range"}
OF_SIGMOID = {"paintMidpoint": "midpoint", "paintSteepness": "steepness"}
OF_CONTOURS = {
    "paintLeast": "least_mm3",
    "paintParts": "parts",
    "paintMargin": "margin_mm",
    "paintBeyond": "beyond_gtv",
}
"""Parameter to the setting of the rules that have it."""

OF_RULES = {**OF_NUMBERS, **OF_SIGMOID, **OF_CONTOURS}


def settings_of(rule: str) -> dict[str, str]:
    """Those of :data:`OF_RULES` that count for a rule."""
    if rule == CONTOURS:
        return OF_CONTOURS
    return OF_NUMBERS | (OF_SIGMOID if rule == SIGMOID else {})
