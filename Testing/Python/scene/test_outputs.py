"""A result as MRML nodes: the MRI's own grid and transform, displays, provenance, and all or nothing."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

import slicer
import vtk
from host.making import (
    GRIDS,
    SHAPE,
    a_result,
    a_segmentation,
    an_mri,
    box,
    empty_of,
    ijk_to_ras_of,
    matrix,
    rotation,
    shown_as,
    state_of_scene,
)
from vtk.util import numpy_support

from PulsarCAMLib.core.errors import Cancelled, InputError, OutputError

pytestmark = pytest.mark.usefixtures("a_scene")

MASKS = {"left": box((4, 10, 12), (8, 22, 30)), "right": box((9, 30, 34), (12, 40, 44))}
ALL = ("heat_map", "spread", "sub_regions", "lesion_table", "slice_table")


def write(mri, mask, result=None, settings=None, **kwargs):
    from PulsarCAMLib.scene.writing.outputs import write_result

    return write_result(result or a_result(mri, MASKS), mri, mask, settings, **kwargs)


def outputs(**nodes):
    from PulsarCAMLib.scene.writing.output_nodes import OutputNodes

    return OutputNodes(**nodes)


def a_case(grid="oblique"):
    mri = an_mri(ijk_to_ras=GRIDS[grid])
    return mri, a_segmentation(MASKS, mri)


@pytest.mark.parametrize("grid", GRIDS)
def test_the_heat_map_is_on_the_mris_exact_grid_under_its_transform(grid):
    mri, mask = a_case(grid)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    turned = matrix(rotation(6), (1, 1, 1), (5, 6, 7))
    slicer.util.updateTransformMatrixFromArray(node, turned)
    mri.SetAndObserveTransformNodeID(node.GetID())
    made = write(mri, mask)
    assert np.array_equal(ijk_to_ras_of(made.heat_map), ijk_to_ras_of(mri))
    assert slicer.util.arrayFromVolume(made.heat_map).dtype == np.float32
    result = a_result(mri, MASKS)
    assert np.array_equal(slicer.util.arrayFromVolume(made.heat_map), result.heat_map())
    assert np.array_equal(slicer.util.arrayFromVolume(made.spread), result.heat_map(statistic="std"))
    for derived in (made.heat_map, made.spread, made.sub_regions):
        assert derived.GetParentTransformNode() is node


@pytest.mark.parametrize("grid", GRIDS)
def test_a_sub_region_is_at_its_millimetre_for_slicer(grid):
    mri, mask = a_case(grid)
    result = a_result(mri, MASKS)
    made = write(mri, mask, result)
    region = result.sub_regions()[0]
    expected = [(GRIDS[grid] @ [*index[::-1], 1.0])[:3] for index in np.argwhere(region.mask) + region.offset]
    segmentation = made.sub_regions.GetSegmentation()
    image = segmentation.GetSegment(segmentation.GetNthSegmentID(0)).GetRepresentation("Binary labelmap")
    to_world = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(to_world)
    low = np.array(image.GetExtent()[::2])
    shape = image.GetDimensions()[::-1]
    values = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(shape)
    to_world = slicer.util.arrayFromVTKMatrix(to_world)
    found = [(to_world @ [*(index[::-1] + low), 1.0])[:3] for index in np.argwhere(values)]
    assert np.allclose(found, expected, atol=1e-6)


def test_the_display_has_a_known_range_and_is_clear_at_zero():
    mri, mask = a_case()
    made = write(mri, mask)
    display = made.heat_map.GetDisplayNode()
    _, top = a_result(mri, MASKS).display_range("pixelwise")
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == pytest.approx((0.0, top))
    assert not display.GetAutoWindowLevel()
    assert display.GetApplyThreshold()
    assert 0 < display.GetLowerThreshold() < top / 20
    assert display.GetUpperThreshold() > slicer.util.arrayFromVolume(made.heat_map).max()
    assert display.GetColorNode().GetName() == "PulsarCAM heat"
    assert made.spread.GetDisplayNode().GetColorNode().GetName() == "PulsarCAM spread"
    assert made.heat_map.GetAttribute("PulsarCAM.range") == f"0 to {top:.4g}"
    normalised = write(mri, mask, settings=shown_as(normalisation="lesion"))
    assert normalised.heat_map.GetDisplayNode().GetWindowLevelMax() == 1.0
    assert normalised.heat_map.GetAttribute("PulsarCAM.units") == "share of the joint maximum of both classes"


def test_a_signed_map_is_shown_around_zero_with_a_clear_middle():
    mri, mask = a_case()
    made = write(mri, mask, settings=shown_as(method="pixelwise-signed"))
    display = made.heat_map.GetDisplayNode()
    assert display.GetWindowLevelMin() == pytest.approx(-display.GetWindowLevelMax())
    assert made.heat_map.GetAttribute("PulsarCAM.target") == "both"
    assert slicer.util.arrayFromVolume(made.heat_map).min() < 0
    assert not display.GetApplyThreshold()
    color = np.zeros(4)
    display.GetColorNode().GetColor(128, color)
    assert color[3] < 0.05
    display.GetColorNode().GetColor(255, color)
    assert color[3] == 1.0
    assert color[0] > color[2]


def test_the_color_tables_are_made_once_and_grow_brighter_throughout():
    mri, mask = a_case()
    first, second = write(mri, mask), write(mri, mask)
    colors = first.heat_map.GetDisplayNode().GetColorNode()
    assert second.heat_map.GetDisplayNode().GetColorNode() is colors
    table = np.array([[colors.GetLookupTable().GetTableValue(i)[c] for c in range(3)] for i in range(256)])
    assert (np.diff(table @ [0.2126, 0.7152, 0.0722]) > -1e-3).all()


def test_sub_regions_carry_the_lesions_name_a_terminology_and_the_mris_geometry():
    mri, mask = a_case()
    node = write(mri, mask).sub_regions
    segmentation = node.GetSegmentation()
    names = [segmentation.GetNthSegment(i).GetName() for i in range(2)]
    assert names == ["left: non-response sub-region", "right: non-response sub-region"]
    tag = segmentation.GetNthSegment(0).GetTerminology()
    assert "SCT^4147007^Mass" in tag
    assert segmentation.GetNthSegment(0).GetColor() != segmentation.GetNthSegment(1).GetColor()
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is mri
    for index, region in enumerate(a_result(mri, MASKS).sub_regions()):
        array = slicer.util.arrayFromSegmentBinaryLabelmap(node, segmentation.GetNthSegmentID(index), mri)
        assert np.array_equal(array > 0, region.full_mask(SHAPE))
    assert node.GetDisplayNode().GetVisibility2DOutline()
    assert not node.GetDisplayNode().GetVisibility2DFill()


def test_the_tables_have_one_row_per_lesion_and_per_slice_with_units():
    mri, mask = a_case()
    made = write(mri, mask)
    table = made.lesion_table.GetTable()
    assert table.GetNumberOfRows() == 2
    assert table.GetValueByName(1, "lesion").ToString() == "right"
    probabilities = slicer.util.arrayFromTableColumn(made.lesion_table, "probability_response")
    assert list(probabilities) == [x.probability for x in a_result(mri, MASKS).lesions]
    assert list(slicer.util.arrayFromTableColumn(made.lesion_table, "slices")) == [4, 3]
    assert made.lesion_table.GetColumnUnitLabel("volume_cm3") == "cm3"
    assert made.slice_table.GetTable().GetNumberOfRows() == 7
    assert made.slice_table.GetColumnUnitLabel("area_mm2") == "mm2"


def test_what_is_not_asked_for_is_not_made():
    mri, mask = a_case()
    made = write(mri, mask, roles=("heat_map",))
    assert list(made) == [made.heat_map]


def test_results_stand_in_a_folder_beside_the_mri():
    mri, mask = a_case()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "P")
    hierarchy.CreateItem(patient, mri)
    first, second = write(mri, mask), write(mri, mask)
    folders = {hierarchy.GetItemParent(hierarchy.GetItemByDataNode(n)) for made in (first, second) for n in made}
    assert len(folders) == 1
    assert hierarchy.GetItemParent(folders.pop()) == patient


def test_the_data_module_knows_the_sub_regions_before_their_segments_come():
    mri, mask = a_case()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    known = []  # of each segment's node; without an item Slicer reports an error for each

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def on_added(_scene, _event, node):
        if node.IsA("vtkMRMLSegmentationNode"):
            node.GetSegmentation().AddObserver(
                slicer.vtkSegmentation.SegmentAdded,
                lambda *_: known.append(bool(hierarchy.GetItemByDataNode(node))),
            )

    tag = slicer.mrmlScene.AddObserver(slicer.vtkMRMLScene.NodeAddedEvent, on_added)
    try:
        write(mri, mask)
    finally:
        slicer.mrmlScene.RemoveObserver(tag)
    assert known == [True] * len(MASKS)


def test_a_folder_that_came_with_another_scene_keeps_its_own_mri():
    first, second = an_mri("A"), an_mri("B")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)

    def folder_of(written):
        (found,) = {hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) for node in written}
        return found

    own = folder_of(write(first, None))
    hierarchy.SetItemAttribute(own, "PulsarCAM.inputVolume", second.GetID())  # as where an added scene's IDs change
    others = folder_of(write(second, None))
    assert others != own
    assert hierarchy.GetItemName(others) == "B PulsarCAM"
    again = folder_of(write(first, None))
    assert again == own, "the results in it refer to A"


def test_provenance_and_display_survive_a_saved_scene(tmp_path, a_scene):
    from PulsarCAMLib.scene.headless import HeadlessSlicer
    from PulsarCAMLib.scene.writing.provenance import read_provenance

    mri, mask = a_case()
    mri.SetAttribute("DICOM.patientName", "Doe^Jane")
    made = write(mri, mask)
    names = {role: getattr(made, role).GetName() for role in ALL}
    values = slicer.util.arrayFromVolume(made.heat_map).copy()
    top = made.heat_map.GetDisplayNode().GetWindowLevelMax()
    path = a_scene.save(tmp_path / "case.mrb")
    with HeadlessSlicer():
        slicer.util.loadScene(str(path), properties={})
        for role in ALL:
            node = slicer.util.getNode(names[role])
            facts = read_provenance(node)
            assert facts["modelName"] == "made-up"
            assert facts["modelHash"] == "0" * 64
            assert (facts["synthetic"], facts["researchUseOnly"]) == ("true", "true")
            if role != "slice_table":  # it is the same for every method and class
                assert (facts["method"], facts["target"]) == ("pixelwise", "non-response")
            assert "Jane" not in " ".join(facts.values())
            assert node.GetNodeReference("PulsarCAM.inputVolume").GetName() == "t1c"
            assert node.GetNodeReference("PulsarCAM.inputSegmentation").GetName() == "GTVs"
        heat = slicer.util.getNode(names["heat_map"])
        assert np.array_equal(slicer.util.arrayFromVolume(heat), values)
        assert np.allclose(ijk_to_ras_of(heat), GRIDS["oblique"])
        display = heat.GetDisplayNode()
        assert display.GetWindowLevelMax() == pytest.approx(top, rel=1e-5)
        assert display.GetApplyThreshold()
        color = np.zeros(4)
        display.GetColorNode().GetColor(255, color)
        assert np.allclose(color[:3], [0.988, 1.0, 0.643], atol=0.01)
        assert heat.GetVoxelValueQuantity().GetCodeMeaning() == "Evidence for non-response"
        segmentation = slicer.util.getNode(names["sub_regions"]).GetSegmentation()
        assert segmentation.GetNthSegment(0).GetName() == "left: non-response sub-region"
        assert slicer.util.getNode(names["lesion_table"]).GetColumnUnitLabel("volume_cm3") == "cm3"


def test_given_nodes_are_written_into_and_keep_the_users_colors():
    mri, mask = a_case()
    made = write(mri, mask)
    made.heat_map.GetDisplayNode().SetAndObserveColorNodeID("vtkMRMLColorTableNodeIron")
    count = slicer.mrmlScene.GetNumberOfNodes()
    again = write(mri, mask, a_result(mri, {"left": MASKS["left"]}), nodes=made)
    assert list(again) == list(made)
    assert slicer.mrmlScene.GetNumberOfNodes() == count
    assert again.heat_map.GetDisplayNode().GetColorNode().GetID() == "vtkMRMLColorTableNodeIron"
    assert again.sub_regions.GetSegmentation().GetNumberOfSegments() == 1
    assert again.lesion_table.GetTable().GetNumberOfRows() == 1


def test_a_name_made_by_an_earlier_run_follows_the_content_but_the_users_stays():
    mri, mask = a_case()
    made = write(mri, mask)
    made.spread.SetName("my spread")
    again = write(mri, mask, settings=shown_as(method="gradcam"), nodes=made)
    assert again.heat_map.GetName() == "t1c heat map non-response gradcam"
    assert again.spread.GetName() == "my spread"


@pytest.mark.parametrize("reuse", [False, True], ids=["new nodes", "given nodes"])
@pytest.mark.parametrize("error", [Cancelled, RuntimeError, MemoryError])
def test_an_error_or_cancel_at_any_step_leaves_the_scene_as_it_was(reuse, error):
    mri, mask = a_case()
    nodes = write(mri, mask) if reuse else outputs()
    before = state_of_scene()
    result = a_result(mri, {"left": MASKS["left"]}, seed=1)
    for step in range(12):
        left = [step]

        def checkpoint(left=left):
            left[0] -= 1
            if left[0] < 0:
                raise error("stop")

        try:
            write(mri, mask, result, shown_as(method="gradcam"), nodes=nodes, checkpoint=checkpoint)
        except error:
            assert state_of_scene() == before, f"step {step}"
            assert not slicer.mrmlScene.IsBatchProcessing()
        else:
            assert step > 8
            return
    raise AssertionError("never reached the end")


def test_inputs_are_never_overwritten_and_unfit_outputs_are_refused():
    mri, mask = a_case()
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "numbers")
    gone = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "gone")
    slicer.mrmlScene.RemoveNode(gone)
    before = state_of_scene()
    for nodes, kind, message in [
        (outputs(heat_map=mri), InputError, "“t1c” is an input"),
        (outputs(sub_regions=mask), InputError, "“GTVs” is an input"),
        (outputs(lesion_table=table, slice_table=table), InputError, "chosen for two outputs"),
        (outputs(heat_map=mask), OutputError, "“GTVs” cannot take the heat map"),
        (outputs(lesion_table=gone), OutputError, "no longer in the scene"),
    ]:
        with pytest.raises(kind, match=message):
            write(mri, mask, nodes=nodes)
    assert state_of_scene() == before


def test_an_empty_map_is_shown_with_an_honest_range():
    mri, mask = a_case()
    made = write(mri, mask, empty_of(a_result(mri, MASKS)))
    node = made.heat_map
    assert made.sub_regions.GetSegmentation().GetNumberOfSegments() == 0
    assert not slicer.util.arrayFromVolume(node).any()
    assert node.GetAttribute("PulsarCAM.range") == "0 to 1"
    assert slicer.util.arrayFromVolume(node).shape == SHAPE
