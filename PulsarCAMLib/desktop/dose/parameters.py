"""What the section “Dose” asks for, and the nodes that it made."""

# ruff: noqa: N815 - parameters are named as Slicer names them

from __future__ import annotations

from typing import Annotated

from slicer import vtkMRMLPlotChartNode, vtkMRMLScalarVolumeNode, vtkMRMLTableNode
from slicer.parameterNodeWrapper import WithinRange

from ..choices import DoseQuantity

MOST_FRACTIONS = 200


class DoseParameters:
    """A part of the panel's parameter node.

    doseVolume - planned dose in Gy; doseVolume2 and so on are added to it
    doseFractions - equal fractions that it is given in, 0: not known; likewise of the others
    prescription - prescribed dose in Gy of the quantity, 0: not given
    doseQuantity, alphaBeta - as planned, or its biological equivalent
    the others - what was told last, and the next one is written into
    """

    doseVolume: vtkMRMLScalarVolumeNode
    doseVolume2: vtkMRMLScalarVolumeNode
    doseVolume3: vtkMRMLScalarVolumeNode
    doseVolume4: vtkMRMLScalarVolumeNode
    doseVolume5: vtkMRMLScalarVolumeNode
    doseFractions: Annotated[int, WithinRange(0, MOST_FRACTIONS)] = 0
    doseFractions2: Annotated[int, WithinRange(0, MOST_FRACTIONS)] = 0
    doseFractions3: Annotated[int, WithinRange(0, MOST_FRACTIONS)] = 0
    doseFractions4: Annotated[int, WithinRange(0, MOST_FRACTIONS)] = 0
    doseFractions5: Annotated[int, WithinRange(0, MOST_FRACTIONS)] = 0
    prescription: Annotated[float, WithinRange(0, 1000)] = 0.0
    doseQuantity: DoseQuantity = DoseQuantity.PHYSICAL
    alphaBeta: Annotated[float, WithinRange(0.1, 100)] = 10.0
    doseTable: vtkMRMLTableNode
    doseContrastTable: vtkMRMLTableNode
    doseCurveTable: vtkMRMLTableNode
    doseCurveChart: vtkMRMLPlotChartNode


NUMBERS = ("", "2", "3", "4", "5")
"""Behind the names of what belongs to each dose."""

DOSES = tuple(f"doseVolume{number}" for number in NUMBERS)

DOSE_VALUES = {**{f"doseFractions{number}": 0 for number in NUMBERS}, "prescription": 0.0}
"""What belongs to one patient's doses, and what stands for "not told"."""

DOSE_OUTPUTS = {
    "doseTable": "doseTableNode",
    "doseContrastTable": "contrastTableNode",
    "doseCurveTable": "curveTableNode",
    "doseCurveChart": "curveChartNode",
}
"""Parameter to the logic's name of the same node."""
