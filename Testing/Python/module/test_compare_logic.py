"""Comparing from a script: the same flow as the panel's."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

import slicer
from host.making import GRIDS, a_segmentation, an_mri, box, ijk_to_ras_of, state_of_scene

from PulsarCAMLib.comparison import QUANTITIES
from PulsarCAMLib.errors import Cancelled, InputError, OutputError

MASKS = {"left": box((4, 10, 12), (8, 22, 30)), "right": box((9, 30, 34), (12, 40, 44))}


@pytest.fixture
def logic(a_desktop, a_model):
    return a_desktop.module.PulsarCAMLogic()


@pytest.fixture
def result(logic):
    mri = an_mri(ijk_to_ras=GRIDS["oblique"])
    return logic.explain(mri, a_segmentation(MASKS, mri))


def test_two_lines_compare_a_result(logic, result):
    comparison = logic.compareMaps(result)
    for node in (comparison.gradientMagnitudeNode, comparison.radialGradientNode):
        assert np.array_equal(ijk_to_ras_of(node), ijk_to_ras_of(result.volumeNode))
    rows = comparison.agreementTableNode.GetTable().GetNumberOfRows()
    assert rows == len(comparison.mapComparison.agreement) == 2 * 7 * len(QUANTITIES)
    chart = comparison.profileChartNode
    assert chart.GetNumberOfPlotSeriesNodes() == 2
    logic.updateComparison(comparison, "gradcam++", "predicted")
    assert "Grad-CAM++, predicted" in chart.GetTitle()


def test_nodes_that_are_given_are_written_and_a_stop_changes_nothing(logic, result):
    first = logic.compareMaps(result, sigma=1.0)
    before = slicer.util.arrayFromVolume(first.gradientMagnitudeNode).copy()
    again = logic.compareMaps(
        result, lesions=["left"], sigma=3.0, margin=1.0, gradientMagnitudeNode=first.gradientMagnitudeNode
    )
    assert again.gradientMagnitudeNode is first.gradientMagnitudeNode
    assert not np.array_equal(slicer.util.arrayFromVolume(first.gradientMagnitudeNode), before)
    state = state_of_scene()
    for patience in range(4):
        left = [patience]

        def cancelled(left=left):
            left[0] -= 1
            return left[0] < 0

        with pytest.raises(Cancelled):
            logic.compareMaps(result, cancelled=cancelled)
        assert state_of_scene() == state


def test_wrong_wishes_are_one_sentence_and_change_nothing(logic, result):
    state = state_of_scene()
    for wrong, error in (
        ({"lesions": ["other"]}, InputError),
        ({"margin": 0.0}, InputError),
        ({"sigma": -1.0}, InputError),
        ({"shellThickness": 0.0}, InputError),
        ({"gradientMagnitudeNode": result.volumeNode}, InputError),
    ):
        with pytest.raises(error):
            logic.compareMaps(result, **wrong)
        assert state_of_scene() == state


def test_without_a_main_window_nothing_can_be_shown_side_by_side(logic, result, monkeypatch):
    comparison = logic.compareMaps(result)
    monkeypatch.setattr(slicer.app, "layoutManager", lambda: None)
    with pytest.raises(OutputError, match="no slice views"):
        logic.showSideBySide(result, comparison)


def test_the_four_views_are_linked_and_of_one_orientation(logic, result):
    comparison = logic.compareMaps(result)
    logic.showSideBySide(result, comparison, opacity=0.7)
    composites = [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
        if node.GetLayoutName().startswith("PulsarCAMSide")
    ]
    assert [node.GetForegroundOpacity() for node in composites] == [pytest.approx(0.7)] * 4
    slices = [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLSliceNode")
        if node.GetLayoutName().startswith("PulsarCAMSide")
    ]
    assert {node.GetOrientation() for node in slices} == {"Axial"}
    assert len({node.GetViewGroup() for node in slices}) == 1
    assert {node.GetLayoutLabel() for node in slices} == {"MRI", "CAM", "Grad", "Radial"}
