"""A comparison as MRML nodes: the MRI's grid and transform, displays, tables, plot, and all or nothing."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

import slicer
from host.making import GRIDS, a_result, a_segmentation, an_mri, box, ijk_to_ras_of, state_of_scene

from PulsarCAMLib.agreement.map_comparison import compare_maps
from PulsarCAMLib.agreement.voxel_measures import QUANTITIES
from PulsarCAMLib.core.errors import Cancelled, InputError, OutputError
from PulsarCAMLib.features.gradients import gradient_maps

pytestmark = pytest.mark.usefixtures("a_scene")

MASKS = {"left": box((4, 10, 12), (8, 22, 30)), "right": box((9, 30, 34), (12, 40, 44))}
SHOWN = ("gradcam", "response")


def a_case(grid="oblique", lesions=None):
    mri = an_mri(ijk_to_ras=GRIDS[grid])
    result = a_result(mri, MASKS)
    comparison = compare_maps(result, slicer.util.arrayFromVolume(mri), lesions=lesions)
    return mri, a_segmentation(MASKS, mri), result, comparison


def write(case, **kwargs):
    from PulsarCAMLib.scene.writing.map_comparison import write_comparison

    mri, mask, result, comparison = case
    return write_comparison(comparison, mri, mask, result.card.facts(), SHOWN, **kwargs)


@pytest.mark.parametrize("grid", GRIDS)
def test_gradient_maps_are_on_the_mris_exact_grid_under_its_transform(grid):
    case = a_case(grid)
    mri, _, result, _ = case
    moved = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    mri.SetAndObserveTransformNodeID(moved.GetID())
    made = write(case)
    volume = slicer.util.arrayFromVolume(mri)
    for node, which in ((made.gradient_magnitude, "magnitude"), (made.radial_gradient, "radial")):
        assert np.array_equal(ijk_to_ras_of(node), ijk_to_ras_of(mri))
        assert node.GetTransformNodeID() == moved.GetID()
        values = slicer.util.arrayFromVolume(node)
        assert values.dtype == np.float32
        assert not values[(MASKS["left"] + MASKS["right"]) == 0].any()
        for lesion in result.lesions:
            wanted = np.nan_to_num(getattr(gradient_maps(volume, result.geometry, lesion.lesion), which))
            assert np.array_equal(values[lesion.lesion.box], wanted)


def test_the_displays_say_what_is_shown():
    made = write(a_case())
    radial, magnitude = (node.GetDisplayNode() for node in (made.radial_gradient, made.gradient_magnitude))
    assert radial.GetColorNode().GetName() == "PulsarCAM signed"
    assert (radial.GetWindowLevelMin(), radial.GetWindowLevelMax()) == (-1.0, 1.0)
    assert magnitude.GetColorNode().GetName() == "PulsarCAM spread"
    assert magnitude.GetWindowLevelMin() == 0
    assert magnitude.GetApplyThreshold()


def test_tables_hold_the_rows_and_every_node_says_where_it_came_from():
    from PulsarCAMLib.scene.state import rows_of
    from PulsarCAMLib.scene.writing.provenance import INPUT_VOLUME, read_provenance

    case = a_case()
    made = write(case)
    rows = rows_of(made.agreement_table)
    assert len(rows) == len(case[3].agreement) == 2 * 11 * len(QUANTITIES)
    assert rows[0]["spearman"] == pytest.approx(case[3].agreement[0]["spearman"], nan_ok=True)
    assert len(rows_of(made.shell_table)) == len(case[3].shells)
    for node in made:
        facts = read_provenance(node)
        assert node.GetNodeReference(INPUT_VOLUME) is case[0]
        assert facts["modelName"] == case[2].card.name
        assert facts["sigma_mm"] == "1"


def test_the_plot_has_one_line_for_each_lesion():
    made = write(a_case())
    chart, table = made.profile_chart, made.profile_table
    series = [chart.GetNthPlotSeriesNode(n) for n in range(chart.GetNumberOfPlotSeriesNodes())]
    assert [node.GetYColumnName() for node in series] == ["left", "right"]
    for node in series:
        assert node.GetTableNode() is table
        assert table.GetTable().GetColumnByName(node.GetXColumnName())
        assert table.GetTable().GetColumnByName(node.GetYColumnName())
    assert "Grad-CAM, response" in chart.GetTitle()


def test_writing_again_uses_the_nodes_that_are_there_and_drops_lines_that_are_over():
    case = a_case()
    made = write(case)
    count = slicer.mrmlScene.GetNumberOfNodes()
    one = compare_maps(case[2], slicer.util.arrayFromVolume(case[0]), lesions=["right"])
    again = write((*case[:3], one), nodes=made)
    assert list(again) == list(made)
    assert slicer.mrmlScene.GetNumberOfNodes() == count - 1
    assert again.profile_chart.GetNumberOfPlotSeriesNodes() == 1
    assert again.profile_chart.GetNthPlotSeriesNode(0).GetYColumnName() == "right"


def test_another_map_can_be_plotted_without_comparing_anew():
    from PulsarCAMLib.scene.state import rows_of
    from PulsarCAMLib.scene.writing.map_comparison import rewrite_profile

    case = a_case()
    made = write(case)
    rewrite_profile(case[3], ("pixelwise", "non-response"), made)
    wanted = case[3].profile("pixelwise", "non-response")
    assert [row["left"] for row in rows_of(made.profile_table)] == pytest.approx([row["left"] for row in wanted])
    assert "Pixel-wise CAM" in made.profile_chart.GetTitle()
    assert made.profile_table.GetAttribute("PulsarCAM.method") == "pixelwise"


@pytest.mark.parametrize("is_new", [True, False], ids=["new nodes", "nodes that are there"])
@pytest.mark.parametrize("step", [0, 3, 5, 6])
def test_a_stop_at_any_step_leaves_the_scene_as_it_was(step, is_new):
    case = a_case()
    nodes = None if is_new else write(case)
    before, left = state_of_scene(), [step]

    def checkpoint():
        if not left[0]:
            raise Cancelled("Stopped.")
        left[0] -= 1

    other = compare_maps(case[2], slicer.util.arrayFromVolume(case[0]) * 2, lesions=["left"])
    with pytest.raises(Cancelled):
        write((*case[:3], other), nodes=nodes, checkpoint=checkpoint)
    assert state_of_scene() == before


def test_an_input_or_a_node_of_another_kind_is_never_overwritten():
    from PulsarCAMLib.scene.writing.map_comparison import ComparisonNodes

    case = a_case()
    before = state_of_scene()
    with pytest.raises(InputError, match="is the MRI"):
        write(case, nodes=ComparisonNodes(gradient_magnitude=case[0]))
    with pytest.raises(OutputError, match="cannot take the agreement table"):
        write(case, nodes=ComparisonNodes(agreement_table=case[0]))
    assert state_of_scene() == before


def test_a_stop_while_comparing_and_a_lesion_that_is_not_there_are_told():
    mri = an_mri()
    result, volume = a_result(mri, MASKS), slicer.util.arrayFromVolume(mri)
    with pytest.raises(Cancelled):
        compare_maps(result, volume, cancelled=lambda: True)
    with pytest.raises(InputError, match="no lesion “other”"):
        compare_maps(result, volume, lesions=["other"])
