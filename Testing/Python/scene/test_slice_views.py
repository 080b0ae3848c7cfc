"""What the panel does to slice views and displays, on real slice nodes without pixels."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

import slicer
from host.making import GRIDS, a_result, a_segmentation, an_mri, box, shown_as

MASKS = {"left": box((4, 10, 12), (8, 22, 30)), "right": box((9, 30, 34), (12, 40, 44))}


@pytest.fixture
def shown(a_scene):
    from PulsarCAMLib.scene.writing.outputs import write_result

    mri = an_mri(ijk_to_ras=GRIDS["axial"])
    mask = a_segmentation(MASKS, mri)
    result = a_result(mri, MASKS)
    return mri, mask, result, write_result(result, mri, mask)


def composite(name="Red"):
    node = slicer.vtkMRMLSliceCompositeNode()
    node.SetSingletonTag(name)
    node.SetLayoutName(name)
    return slicer.mrmlScene.AddNode(node)


def test_every_slice_view_jumps_to_the_place(a_scene):
    from PulsarCAMLib.scene.showing.views import jump_to

    nodes = []
    for name, orientation in (("Red", "Axial"), ("Green", "Coronal"), ("Yellow", "Sagittal")):
        node = slicer.vtkMRMLSliceNode()
        node.SetSingletonTag(name)
        nodes.append(slicer.mrmlScene.AddNode(node))
        nodes[-1].SetOrientation(orientation)
    jump_to((11.0, -7.0, 3.0))
    for node in nodes:
        to_ras = slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())
        assert to_ras[:3, 3] == pytest.approx([11, -7, 3])


def test_views_come_closer_to_a_lesion_and_go_back_where_it_is_larger_than_they_are(a_scene):
    from PulsarCAMLib.scene.showing.views import zoom_to

    node = slicer.mrmlScene.AddNode(slicer.vtkMRMLSliceNode())
    a_ball_of_20_mm = 4 / 3 * np.pi
    for field, come_closer, expected in (
        ((240, 160), True, (120, 80)),  # four diameters on the shorter side
        ((240, 160), False, (240, 160)),  # another row was chosen: the zoom is the user's
        ((60, 30), True, (60, 30)),
        ((30, 10), False, (240, 80)),  # it would not be seen
    ):
        node.SetFieldOfView(*field, 1.0)
        zoom_to(a_ball_of_20_mm, come_closer=come_closer)
        assert node.GetFieldOfView() == pytest.approx((*expected, 1.0))
    zoom_to(None, come_closer=True)
    assert node.GetFieldOfView()[:2] == pytest.approx((240, 80))
    zoom_to(0.001, come_closer=True)
    assert min(node.GetFieldOfView()[:2]) == pytest.approx(60), "so that one sees where"


def test_a_comparison_is_left_alone_when_another_map_is_shown(shown):
    from PulsarCAMLib.scene.showing.views import OWN_VIEWS, set_opacity, show_over

    mri, _, _, nodes = shown
    usual, compared = composite(), composite(f"{OWN_VIEWS}1")
    show_over(mri, nodes.heat_map, 0.5)
    assert usual.GetForegroundVolumeID() == nodes.heat_map.GetID()
    assert compared.GetForegroundVolumeID() is None
    set_opacity([nodes.heat_map, None], 0.3)
    assert usual.GetForegroundOpacity() == pytest.approx(0.3)


def test_only_views_that_show_the_map_change_to_the_spread(shown):
    from PulsarCAMLib.scene.showing.views import show_over

    mri, _, _, nodes = shown
    ours, others = composite("Red"), composite("Green")
    other = an_mri("CT")
    ours.SetForegroundVolumeID(nodes.heat_map.GetID())
    others.SetForegroundVolumeID(other.GetID())
    show_over(mri, nodes.spread, 0.5, instead_of=(nodes.heat_map, None))
    assert ours.GetForegroundVolumeID() == nodes.spread.GetID()
    assert others.GetForegroundVolumeID() == other.GetID()


def test_contours_go_with_their_mri_and_come_back_with_it(shown):
    from PulsarCAMLib.scene.showing.contours import contours_follow
    from PulsarCAMLib.scene.showing.views import show_over
    from PulsarCAMLib.scene.writing.outputs import write_result

    mri, mask, _, nodes = shown
    other = an_mri("MRI of another patient", ijk_to_ras=GRIDS["axial"])
    others = a_segmentation(MASKS, other)
    theirs = write_result(a_result(other, MASKS), other, others)
    organs = a_segmentation(MASKS, mri)
    everything = (mask, nodes.sub_regions, others, theirs.sub_regions, organs)
    for node in everything:
        node.CreateDefaultDisplayNodes()

    def visible():
        return [bool(node.GetDisplayNode().GetVisibility()) for node in everything]

    contours_follow(mri)
    assert all(visible()), "without a view nothing is shown over anything"
    first, second = composite("Red"), composite("Green")
    show_over(mri, nodes.heat_map, 0.5)
    contours_follow(mri, mask)
    assert visible() == [True, True, False, False, True], "organs are nobody's result"
    show_over(other, theirs.heat_map, 0.5)
    contours_follow(other, others)
    assert visible() == [False, False, True, True, True]
    theirs.sub_regions.GetDisplayNode().SetVisibility(False)  # by the person
    second.SetBackgroundVolumeID(mri.GetID())
    contours_follow(other, others)
    assert visible() == [True, True, True, False, True], "both are in view; what the person hid stays so"
    first.SetBackgroundVolumeID(other.GetID())
    second.SetBackgroundVolumeID(other.GetID())
    contours_follow(other, mask)
    assert visible() == [True, False, True, False, True], "contours that are chosen for both"


def test_colors_follow_what_is_shown_unless_chosen(shown):
    from PulsarCAMLib.scene.showing.views import set_colors
    from PulsarCAMLib.scene.writing.outputs import rewrite_result

    mri, mask, result, nodes = shown

    def colors(node):
        return node.GetDisplayNode().GetColorNode().GetName()

    set_colors(nodes.heat_map, "PulsarCAM spread")
    assert colors(nodes.heat_map) == "PulsarCAM spread"
    rewrite_result(result, mri, mask, shown_as(method="pixelwise-signed"), nodes)
    set_colors(nodes.heat_map, "auto")
    set_colors(nodes.spread, "auto", spread=True)
    assert (colors(nodes.heat_map), colors(nodes.spread)) == ("PulsarCAM signed", "PulsarCAM spread")
    set_colors(nodes.heat_map, "Grey")
    assert colors(nodes.heat_map) == "Grey"
    set_colors(None, "auto")


def test_the_legend_comes_goes_and_says_what_it_shows(shown):
    from PulsarCAMLib.scene.showing.views import set_legend

    node = shown[3].heat_map
    find = slicer.modules.colors.logic().GetColorLegendDisplayNode
    view = slicer.vtkMRMLSliceNode()
    view.SetSingletonTag("Red")
    view.SetLayoutName("Red")
    slicer.mrmlScene.AddNode(view)
    set_legend(node, False, "none")
    assert find(node) is None
    set_legend(node, True, "Grad-CAM")
    assert find(node).GetVisibility()
    set_legend(node, False, "Grad-CAM++")
    assert not find(node).GetVisibility()
    assert find(node).GetTitleText() == "Grad-CAM++"
    assert find(node).GetViewNodeIDs() == ("vtkMRMLSliceNodeRed",), "one view is enough; in all it covers anatomy"


def test_a_map_is_clear_where_it_says_little_and_its_colors_are_stored_with_the_scene(shown, tmp_path):
    """As Slicer's own pipeline makes pixels of it, and as its own reader finds the table again."""
    from vtk.util.numpy_support import vtk_to_numpy

    from PulsarCAMLib.core.display import CLEAR_UNTIL
    from PulsarCAMLib.scene.showing.colors import HEAT, SIGNED, color_node

    node = shown[3].heat_map
    display = node.GetDisplayNode()
    values = vtk_to_numpy(node.GetImageData().GetPointData().GetScalars())
    values[:] = np.linspace(0, display.GetWindowLevelMax(), len(values))
    node.GetImageData().Modified()
    port = display.GetOutputImageDataConnection()
    port.GetProducer().Update()
    drawn = vtk_to_numpy(port.GetProducer().GetOutputDataObject(port.GetIndex()).GetPointData().GetScalars())
    share = values / display.GetWindowLevelMax()
    assert not drawn[share < CLEAR_UNTIL / 2 - 0.01, 3].any()
    assert drawn[share > CLEAR_UNTIL / 2 + 0.01, 3].all()
    assert (share > 0.03).sum() > (drawn[:, 3] > 0).sum() > 0
    for name in (HEAT, SIGNED):
        table = color_node(name)
        storage = table.CreateDefaultStorageNode()
        storage.UnRegister(None)
        storage.SetFileName(str(tmp_path / f"{name}.ctbl"))
        assert storage.WriteData(table)
        again = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLColorTableNode")
        assert storage.ReadData(again)
        alphas = [[each.GetLookupTable().GetTableValue(n)[3] for n in range(0, 256, 5)] for each in (table, again)]
        assert alphas[0] == pytest.approx(alphas[1], abs=1 / 255)
        assert len(set(alphas[0])) > 5, "it rises as in the pictures"


def test_a_rewrite_of_the_threshold_touches_sub_regions_and_lesion_table_only(shown):
    from PulsarCAMLib.core.display import Threshold
    from PulsarCAMLib.scene.writing.outputs import rewrite_result

    mri, mask, result, nodes = shown
    batches = []
    slicer.mrmlScene.AddObserver(slicer.mrmlScene.StartBatchProcessEvent, lambda *_: batches.append(1))
    count, image = slicer.mrmlScene.GetNumberOfNodes(), nodes.heat_map.GetImageData()
    slices = nodes.slice_table.GetTable()
    rewrite_result(
        result, mri, mask, shown_as(threshold=Threshold("fraction", 0.9)), nodes, ("sub_regions", "lesion_table")
    )
    assert nodes.sub_regions.GetAttribute("PulsarCAM.threshold").startswith("above 90%")
    assert nodes.heat_map.GetImageData() is image
    assert nodes.slice_table.GetTable() is slices
    assert slicer.mrmlScene.GetNumberOfNodes() == count
    assert not batches, "a batch makes every selector of the application begin anew"


def test_a_rewrite_makes_no_node_that_the_user_deleted(shown):
    from PulsarCAMLib.scene.writing.output_nodes import OutputNodes
    from PulsarCAMLib.scene.writing.outputs import rewrite_result

    mri, mask, result, nodes = shown
    count = slicer.mrmlScene.GetNumberOfNodes()
    rewrite_result(result, mri, mask, shown_as(method="gradcam"), OutputNodes(spread=nodes.spread))
    rewrite_result(result, mri, mask, shown_as(method="gradcam"), OutputNodes())
    assert slicer.mrmlScene.GetNumberOfNodes() == count
    assert nodes.spread.GetAttribute("PulsarCAM.method") == "gradcam"
    assert nodes.heat_map.GetAttribute("PulsarCAM.method") == "pixelwise"


def test_compared_maps_are_made_once_and_written_again(shown):
    from PulsarCAMLib.scene.writing.all_methods import comparison_maps

    mri, mask, result, nodes = shown
    maps = comparison_maps(result, mri, mask, shown_as())
    methods = ["pixelwise", "gradcam", "gradcam++", "pixelwise-relative", "gradcam-relative"]
    assert [m.GetAttribute("PulsarCAM.method") for m in maps] == methods
    made = [m.GetAttribute("PulsarCAM.made") for m in maps]
    assert made[:3] == [None] * 3
    assert all(each.startswith("Relative to the mean") for each in made[3:])
    assert nodes.heat_map not in maps
    again = comparison_maps(result, mri, mask, shown_as(target="response"))
    assert again == maps
    assert {m.GetAttribute("PulsarCAM.target") for m in maps} == {"response"}
    assert not np.array_equal(slicer.util.arrayFromVolume(maps[0]), slicer.util.arrayFromVolume(maps[1]))


def test_comparing_without_a_desktop_is_one_sentence(shown):
    from PulsarCAMLib.core.errors import OutputError
    from PulsarCAMLib.scene.showing.views import compare

    mri, _, _, nodes = shown
    with pytest.raises(OutputError, match="no slice views"):
        compare(mri, [nodes.heat_map], ["one"], 0.5)


def test_segments_stay_while_the_threshold_moves(shown):
    from PulsarCAMLib.core.display import Threshold
    from PulsarCAMLib.scene.writing.outputs import rewrite_result

    mri, mask, result, nodes = shown
    node = nodes.sub_regions
    segmentation = node.GetSegmentation()
    node.CreateClosedSurfaceRepresentation()
    ids = [segmentation.GetNthSegmentID(n) for n in range(2)]
    segmentation.GetSegment(ids[0]).SetColor(0.1, 0.2, 0.3)
    node.GetDisplayNode().SetSegmentVisibility(ids[1], False)
    surface = segmentation.GetSegment(ids[0]).GetRepresentation("Closed surface").GetNumberOfPoints()
    for value in (0.2, 0.6):
        threshold = Threshold("fraction", value)
        rewrite_result(result, mri, mask, shown_as(threshold=threshold), nodes, ("sub_regions",))
        for segment_id, region in zip(ids, result.sub_regions(threshold=threshold), strict=True):
            found = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, mri)
            assert np.array_equal(found > 0, region.full_mask(found.shape))
    assert segmentation.GetSegment(ids[0]).GetColor() == pytest.approx((0.1, 0.2, 0.3))
    assert not node.GetDisplayNode().GetSegmentVisibility(ids[1])
    assert segmentation.GetSegment(ids[0]).GetRepresentation("Closed surface").GetNumberOfPoints() != surface


def test_a_lesion_without_sub_region_goes_and_comes_back(shown):
    from PulsarCAMLib.core.display import Threshold
    from PulsarCAMLib.scene.writing.outputs import rewrite_result

    mri, mask, result, nodes = shown
    for value, count in ((1.0, 0), (0.3, 2)):
        settings = shown_as(threshold=Threshold("fraction", value))
        rewrite_result(result, mri, mask, settings, nodes, ("sub_regions",))
        assert nodes.sub_regions.GetSegmentation().GetNumberOfSegments() == count
