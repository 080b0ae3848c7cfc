"""What the section “Compare” asks for, and the nodes that it made."""

# ruff: noqa: N815 - parameters are named as Slicer names them

from __future__ import annotations

from typing import Annotated

from slicer import vtkMRMLPlotChartNode, vtkMRMLScalarVolumeNode, vtkMRMLTableNode
from slicer.parameterNodeWrapper import WithinRange


class CompareParameters:
    """A part of the panel's parameter node.

    gradientSigma - scale of the gradient in millimetres
    compareMargin - thickness of the margin in millimetres
    shellThickness - of the shells in millimetres
    compareChosenOnly - only the lesion that is chosen in the results
    compareWithVolume - another map that is compared with, such as ADC; none: only what one sees in the MRI
    the others - what the last comparison made, and the next one writes into
    """

    gradientSigma: Annotated[float, WithinRange(0, 5)] = 1.0
    compareMargin: Annotated[float, WithinRange(0.5, 20)] = 2.0
    shellThickness: Annotated[float, WithinRange(0.5, 10)] = 1.0
    compareChosenOnly: bool = False
    compareWithVolume: vtkMRMLScalarVolumeNode
    gradientMagnitudeVolume: vtkMRMLScalarVolumeNode
    radialGradientVolume: vtkMRMLScalarVolumeNode
    agreementTable: vtkMRMLTableNode
    shellTable: vtkMRMLTableNode
    profileTable: vtkMRMLTableNode
    profileChart: vtkMRMLPlotChartNode
    overlapTable: vtkMRMLTableNode


COMPARE_OUTPUTS = {
    "gradientMagnitudeVolume": "gradientMagnitudeNode",
    "radialGradientVolume": "radialGradientNode",
    "agreementTable": "agreementTableNode",
    "shellTable": "shellTableNode",
    "profileTable": "profileTableNode",
    "profileChart": "profileChartNode",
    "overlapTable": "overlapTableNode",
}
"""Parameter to the logic's name of the same node."""
