"""Dose painting from a script: nodes that say what they are not, where the MRI is; all or nothing."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

import slicer
from host.making import GRIDS, a_segmentation, an_mri, box, ijk_to_ras_of, state_of_scene

from PulsarCAMLib.core.errors import Cancelled, InputError, OutputError
from PulsarCAMLib.painting.settings import LABEL
from PulsarCAMLib.scene.state import rows_of
from PulsarCAMLib.scene.writing.provenance import INPUT_VOLUME, is_output, read_provenance

MASKS = {"left": box((4, 10, 12), (8, 22, 30)), "right": box((9, 30, 34), (12, 40, 44))}
RULE = {"rule": "linear", "low": 12.0, "high": 20.0, "method": "gradcam", "anyway": True}


@pytest.fixture
def logic(a_desktop, a_model):
    return a_desktop.module.PulsarCAMLogic()


@pytest.fixture
def result(logic):
    mri = an_mri(ijk_to_ras=GRIDS["oblique"])
    found = logic.explain(mri, a_segmentation(MASKS, mri), stability=False)
    moved = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    moved.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.diag([-1.0, -1, 1, 1])))
    mri.SetAndObserveTransformNodeID(moved.GetID())
    return found


def test_a_painting_is_nodes_on_the_mris_grid_that_say_what_they_are_not(logic, result):
    mri = result.volumeNode
    dose = slicer.util.addVolumeFromArray(
        np.full(slicer.util.arrayFromVolume(mri).shape, 16.0, np.float32), ijkToRAS=ijk_to_ras_of(mri), name="dose"
    )
    dose.SetAndObserveTransformNodeID(mri.GetTransformNodeID())
    organs = a_segmentation({"nerve": box((4, 10, 34), (8, 22, 38))}, mri, name="organs")
    organs.SetAndObserveTransformNodeID(mri.GetTransformNodeID())
    more = {"doseNode": dose, "organsNode": organs, "organ_mm": 2.0, "range": "own"}
    made = logic.paintDose(result, **RULE, **more)
    nodes = (made.prescriptionNode, made.spreadNode, made.boostNode, made.tableNode, made.histogramTableNode)
    for node in nodes:
        assert LABEL in node.GetName()
        assert "linear 12 to 20 Gy" in node.GetName()
        facts = read_provenance(node)
        assert facts["painting"] == LABEL
        assert "linear from 12 to 20 Gy" in facts["paintingRule"]
        assert '"organ_mm": 2.0' in facts["paintingParameters"]
        assert facts["paintingDespite"]
        assert node.GetNodeReference(INPUT_VOLUME) is mri
        assert is_output(node)
    values = slicer.util.arrayFromVolume(made.prescriptionNode)
    assert np.array_equal(values, made.painting.prescription)
    assert np.array_equal(ijk_to_ras_of(made.prescriptionNode), ijk_to_ras_of(mri))
    assert made.prescriptionNode.GetTransformNodeID() == mri.GetTransformNodeID()
    segments = made.boostNode.GetSegmentation()
    names = [segments.GetNthSegment(n).GetName() for n in range(segments.GetNumberOfSegments())]
    assert names
    assert all(LABEL in name for name in names)
    rows = rows_of(made.tableNode)
    assert {row["label"] for row in rows} == {LABEL}
    assert rows[0]["quality_factor"] == pytest.approx(made.painting.table[0]["quality_factor"])
    again = logic.paintDose(result, **RULE, prescriptionNode=made.prescriptionNode, histogramTableNode=nodes[-1])
    assert again.prescriptionNode is made.prescriptionNode
    assert again.histogramTableNode is None
    assert nodes[-1].GetScene() is None  # it told of a dose that is no more asked about


def test_wrong_wishes_and_a_stop_are_one_sentence_and_change_nothing(logic, result):
    state = state_of_scene()
    for wrong, error in (
        ({"anyway": False}, InputError),
        ({"rule": "cubic"}, InputError),
        ({"low": 30.0}, InputError),
        ({"margin": 2.0}, InputError),
        ({"organ_mm": 3.0}, InputError),
        ({"doseNode": result.volumeNode}, InputError),
        ({"doseNode": result.heatMapNode}, InputError),
        ({"prescriptionNode": result.volumeNode}, InputError),
        ({"prescriptionNode": result.segmentationNode}, OutputError),
        ({"cancelled": lambda: True}, Cancelled),
    ):
        with pytest.raises(error):
            logic.paintDose(result, **(RULE | wrong))
        assert state_of_scene() == state
