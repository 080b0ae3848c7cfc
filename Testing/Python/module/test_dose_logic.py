"""The planned dose from a script: tables and a plot beside the MRI; all or nothing."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

import slicer
from host.making import GRIDS, a_segmentation, an_mri, box, ijk_to_ras_of, state_of_scene

from PulsarCAMLib.core.errors import Cancelled, InputError, OutputError
from PulsarCAMLib.scene.state import rows_of
from PulsarCAMLib.scene.writing.provenance import INPUT_VOLUME, is_output

MASKS = {"left": box((4, 10, 12), (8, 22, 30)), "right": box((9, 30, 34), (12, 40, 44))}


@pytest.fixture
def logic(a_desktop, a_model):
    return a_desktop.module.PulsarCAMLogic()


@pytest.fixture
def result(logic):
    mri = an_mri(ijk_to_ras=GRIDS["oblique"])
    return logic.explain(mri, a_segmentation(MASKS, mri), stability=False)


def a_dose(mri, name="dose", top=20.0):
    shape = slicer.util.arrayFromVolume(mri).shape
    values = np.broadcast_to(np.linspace(10, top, shape[2]), shape).astype(np.float32)
    return slicer.util.addVolumeFromArray(values.copy(), ijkToRAS=ijk_to_ras_of(mri), name=name)


def test_tables_and_a_plot_stand_beside_the_mri_and_are_written_again(logic, result):
    mri = result.volumeNode
    dose = a_dose(mri)
    made = logic.tellDose(result, dose, fractions=3, prescription=15.0, least_voxels=1.0)
    nodes = (made.doseTableNode, made.contrastTableNode, made.curveTableNode, made.curveChartNode)
    for node in nodes:
        assert is_output(node)
        assert node.GetNodeReference(INPUT_VOLUME) is mri
    rows = rows_of(made.doseTableNode)
    assert [row["region"] for row in rows] == ["lesion", "activated", "rest"] * 2
    assert rows[0]["mean_gy"] == pytest.approx(made.caseDose.rows[0]["mean_gy"])
    assert len(rows_of(made.contrastTableNode)) == len(made.sentences) == 2
    curves = rows_of(made.curveTableNode)
    assert list(curves[0])[:2] == ["dose_gy", "left"]
    assert curves[0]["left"] == 100
    chart = made.curveChartNode
    assert chart.GetNumberOfPlotSeriesNodes() == len(curves[0]) - 1
    series = chart.GetNthPlotSeriesNode(0)
    assert (series.GetXColumnName(), series.GetYColumnName()) == ("dose_gy", "left")
    assert series.GetTableNode() is made.curveTableNode
    assert chart.GetXAxisTitle() == "Dose (Gy)"
    second = a_dose(mri, "second")
    before = slicer.mrmlScene.GetNumberOfNodes()
    more = {
        "doseTableNode": nodes[0],
        "contrastTableNode": nodes[1],
        "curveTableNode": nodes[2],
        "curveChartNode": chart,
    }
    again = logic.tellDose(result, [dose, second], [1, 1], quantity="eqd2", least_voxels=1.0, **more)
    assert again.curveChartNode is chart
    assert slicer.mrmlScene.GetNumberOfNodes() == before
    assert chart.GetXAxisTitle() == "Dose (Gy EQD2 (alpha/beta 10 Gy))"
    assert rows_of(again.doseTableNode)[0]["max_gy"] > 1.5 * rows[0]["max_gy"]


def test_what_cannot_be_told_leaves_the_scene_as_it_was(logic, result):
    mri = result.volumeNode
    dose = a_dose(mri)
    low = a_dose(mri, "low")
    slicer.util.arrayFromVolume(low)[:] = -1
    before = state_of_scene()
    with pytest.raises(InputError, match="fractions"):
        logic.tellDose(result, dose, quantity="bed")
    with pytest.raises(InputError, match="the MRI itself"):
        logic.tellDose(result, mri)
    with pytest.raises(InputError, match="below zero"):
        logic.tellDose(result, low)
    with pytest.raises(InputError, match="one for each"):
        logic.tellDose(result, [dose, dose], [3])
    with pytest.raises(OutputError, match="cannot take the dose table"):
        logic.tellDose(result, dose, doseTableNode=dose)
    with pytest.raises(Cancelled):
        logic.tellDose(result, dose, cancelled=lambda: True)
    assert state_of_scene() == before
