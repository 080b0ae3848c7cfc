"""Lists of segments and labels, and when a result no longer belongs to its inputs."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

import slicer
from host.making import GRIDS, a_label_map, a_segmentation, an_mri, box, segment_id

from PulsarCAMLib.systems.bundles.bundle import find_card

MASKS = {"left": box((4, 10, 12), (8, 22, 30)), "right": box((9, 30, 34), (12, 40, 44))}
VOXEL_CM3 = 0.8 * 1.1 * 3.0 / 1000


@pytest.fixture
def case(a_scene):
    mri = an_mri(ijk_to_ras=GRIDS["oblique"])
    return mri, a_segmentation(MASKS, mri)


def moved_by(*offset):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.eye(4)
    matrix[:3, 3] = offset
    slicer.util.updateTransformMatrixFromArray(node, matrix)
    return node


def test_segments_have_names_colors_and_volumes(case):
    from PulsarCAMLib.scene.reading.segments import parts_of

    found = parts_of(case[1])
    assert [part.name for part in found] == ["left", "right"]
    assert [part.volume_cm3 for part in found] == pytest.approx([m.sum() * VOXEL_CM3 for m in MASKS.values()])
    assert all(0 <= c <= 1 for part in found for c in part.color)
    assert parts_of(None) == []


def test_a_closed_surface_has_nearly_the_same_volume(case):
    from PulsarCAMLib.scene.reading.segments import parts_of

    node = case[1]
    node.CreateClosedSurfaceRepresentation()
    segmentation = node.GetSegmentation()
    segmentation.SetSourceRepresentationName("Closed surface")
    segmentation.RemoveRepresentation("Binary labelmap")
    assert [part.volume_cm3 for part in parts_of(node)] == pytest.approx(
        [m.sum() * VOXEL_CM3 for m in MASKS.values()], rel=0.25
    )


def test_an_empty_segment_has_no_volume_and_no_centre(case):
    from PulsarCAMLib.scene.reading.segments import centre_of, parts_of

    node = case[1]
    empty = node.GetSegmentation().AddEmptySegment("", "empty")
    assert parts_of(node)[-1].volume_cm3 in (0.0, None)
    assert centre_of(node, empty) is None


def test_labels_are_listed_by_value(a_scene):
    from PulsarCAMLib.scene.reading.segments import centre_of, parts_of

    node = a_label_map(MASKS["left"] + 7 * MASKS["right"], GRIDS["axial"])
    assert [part.id for part in parts_of(node)] == ["1", "7"]
    assert parts_of(node)[1].volume_cm3 == pytest.approx(MASKS["right"].sum() * VOXEL_CM3)
    kji = np.argwhere(MASKS["right"]).mean(axis=0)
    expected = (GRIDS["axial"] @ [*kji[::-1], 1])[:3]
    assert centre_of(node, "7") == pytest.approx(tuple(expected))
    assert centre_of(node, "3") is None
    node.SetAndObserveTransformNodeID(moved_by(5, 0, -9).GetID())
    assert centre_of(node, "7") == pytest.approx(tuple(expected + np.array([5, 0, -9])))


def test_pieces_are_counted_where_they_become_lesions_of_their_own(case):
    from PulsarCAMLib.scene.reading.segments import pieces_of

    both = MASKS["left"] + MASKS["right"]
    one, two = (a_label_map(values, GRIDS["axial"]) for values in (both, MASKS["left"] + 2 * MASKS["right"]))
    assert pieces_of(one, ["1"], "auto") == pieces_of(one, ["1"], "separate") == {"1": 2}
    assert pieces_of(one, ["1"], "together") == pieces_of(two, ["1", "2"], "auto") == pieces_of(None, [], "auto") == {}
    assert pieces_of(two, ["1", "2"], "separate") == {"1": 1, "2": 1}
    assert pieces_of(two, [str(n) for n in range(1000)], "separate") == {}, "an image that is no mask"
    node = a_segmentation({"both": both}, case[0])
    segment = node.GetSegmentation().GetNthSegmentID(0)
    assert pieces_of(node, [segment], "auto") == {}
    assert pieces_of(node, [segment], "separate") == {segment: 2}


def test_the_centre_of_a_segment_follows_its_transform(case):
    from PulsarCAMLib.scene.reading.segments import centre_of

    node = case[1]
    left = segment_id(node, "left")
    before = np.array(centre_of(node, left))
    kji = np.argwhere(MASKS["left"]).mean(axis=0)
    assert before == pytest.approx((GRIDS["oblique"] @ [*kji[::-1], 1])[:3], abs=2)
    node.SetAndObserveTransformNodeID(moved_by(5, 0, -9).GetID())
    assert np.array(centre_of(node, left)) - before == pytest.approx([5, 0, -9])


def test_the_key_of_inputs_changes_with_what_the_model_sees_and_with_nothing_else(case, a_model):
    from PulsarCAMLib.scene.state import inputs_key

    mri, mask = case

    def key(ids=None, parts="auto"):
        return inputs_key({"t1c": mri}, mask, ids, parts, find_card(a_model))

    before = key()
    mask.GetSegmentation().GetNthSegment(0).SetColor(0.1, 0.2, 0.3)
    mask.GetDisplayNode().SetVisibility(False)
    mri.SetName("renamed")
    mri.CreateDefaultDisplayNodes()
    mri.GetDisplayNode().SetWindow(7)
    assert key() == before
    assert key(ids=[segment_id(mask, "left")]) != before
    assert key(parts="separate") != before
    seen = {before}
    slicer.util.arrayFromVolumeModified(mri)
    seen.add(key())
    mri.SetOrigin(1, 2, 3)
    seen.add(key())
    transform = moved_by(1, 0, 0)
    mask.SetAndObserveTransformNodeID(transform.GetID())
    seen.add(key())
    slicer.util.updateTransformMatrixFromArray(transform, np.diag([1, 1, 1, 1]) + np.eye(4, k=3))
    seen.add(key())
    left = segment_id(mask, "left")
    slicer.util.updateSegmentBinaryLabelmapFromArray(box((1, 1, 1), (3, 3, 3)), mask, left, mri)
    seen.add(key())
    mask.GetSegmentation().GetSegment(left).SetName("other")
    seen.add(key())
    assert len(seen) == 7
    slicer.mrmlScene.RemoveNode(mask)
    assert key() is None


def test_explaining_does_not_change_the_key(case, a_model):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from PulsarCAMLib.scene.run import explain_nodes
    from PulsarCAMLib.scene.state import inputs_key

    mri, mask = case
    before = inputs_key({"t1c": mri}, mask, None, "auto", find_card(a_model))
    explain_nodes({"t1c": mri}, mask, model=a_model)
    assert inputs_key({"t1c": mri}, mask, None, "auto", find_card(a_model)) == before


def test_rows_of_a_table_are_what_was_written(a_scene):
    from PulsarCAMLib.scene.state import rows_of
    from PulsarCAMLib.scene.writing.contents import table_from

    rows = [{"lesion": "a", "slices": 3, "p": 0.25}, {"lesion": "b", "slices": 4, "p": 0.5}]
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode")
    node.SetAndObserveTable(table_from(rows)[0])
    assert rows_of(node) == rows
    assert rows_of(None) == []
