"""Nodes to arrays: the lesion lands on the MRI's voxels, whatever the mask's geometry; the unusable is refused."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

import slicer
import vtk
from host.making import (
    GRIDS,
    SHAPE,
    a_label_map,
    a_segmentation,
    an_mri,
    box,
    full,
    ijk_to_ras_of,
    matrix,
    rotation,
    segment_id,
    state_of_scene,
)
from making_files import written

from PulsarCAMLib.core.errors import GeometryError, InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry

pytestmark = pytest.mark.usefixtures("a_scene")

ONE = box((4, 10, 12), (8, 22, 30))
TWO = box((7, 18, 26), (11, 30, 40))


def read(*args, **kwargs):
    from PulsarCAMLib.scene.reading.inputs import read_inputs

    return read_inputs(*args, **kwargs)


@pytest.mark.parametrize("grid", GRIDS)
def test_a_segment_drawn_on_the_mri_comes_back_voxel_by_voxel(grid):
    mri = an_mri(ijk_to_ras=GRIDS[grid])
    inputs = read(mri, a_segmentation({"GTV": ONE}, mri))
    assert np.array_equal(full(inputs.lesions[0]), ONE.astype(bool))
    assert np.allclose(inputs.geometry.ijk_to_ras, GRIDS[grid])
    assert inputs.warnings == ()


def test_the_volume_is_a_read_only_view_of_the_users_voxels():
    mri = an_mri()
    inputs = read(mri, a_segmentation({"GTV": ONE}, mri))
    assert np.array_equal(inputs.volume, slicer.util.arrayFromVolume(mri))
    with pytest.raises(ValueError, match="read-only"):
        inputs.volume[0, 0, 0] = 1


@pytest.mark.parametrize("grid", GRIDS)
def test_a_mask_of_finer_voxels_and_other_axes_lands_within_half_a_voxel(grid):
    mri = an_mri(ijk_to_ras=GRIDS[grid])
    centre = (GRIDS[grid] @ [25.0, 22.0, 6.0, 1.0])[:3]
    fine = matrix(rotation(8), (0.5, 0.5, 0.5), (0, 0, 0))
    fine[:3, 3] = centre - (fine @ [20.0, 20.0, 20.0, 0.0])[:3]
    blob = box((5, 5, 5), (36, 36, 36), (41, 41, 41))
    lesion = read(mri, a_label_map(blob, fine)).lesions[0]
    found = lesion.centroid_lps(read(mri, a_label_map(blob, fine)).geometry) * [-1, -1, 1]
    assert np.linalg.norm(found - centre) < 0.5
    assert lesion.volume_cm3(read(mri, a_label_map(blob, fine)).geometry) == pytest.approx(
        31**3 * 0.125 / 1000, rel=0.05
    )


def test_overlapping_segments_are_kept_apart():
    mri = an_mri()
    inputs = read(mri, a_segmentation({"left": ONE, "right": TWO}, mri))
    assert [x.name for x in inputs.lesions] == ["left", "right"]
    assert np.array_equal(full(inputs.lesions[0]), ONE.astype(bool))
    assert np.array_equal(full(inputs.lesions[1]), TWO.astype(bool))
    assert (full(inputs.lesions[0]) & full(inputs.lesions[1])).any()


def test_only_the_chosen_segments_are_read():
    mri = an_mri()
    node = a_segmentation({"left": ONE, "right": TWO}, mri)
    inputs = read(mri, node, [segment_id(node, "right")])
    assert [x.name for x in inputs.lesions] == ["right"]
    assert inputs.segment_of == {"right": segment_id(node, "right")}


def test_two_segments_of_one_name_stay_two_lesions():
    mri = an_mri()
    node = a_segmentation({"a": ONE, "b": TWO}, mri)
    for index in range(2):
        node.GetSegmentation().GetNthSegment(index).SetName("GTV")
    assert [x.name for x in read(mri, node).lesions] == ["GTV", "GTV [2]"]


def test_a_closed_surface_is_rasterised_on_the_mri_and_the_users_node_is_not_touched():
    mri = an_mri(ijk_to_ras=GRIDS["oblique"])
    node = a_segmentation({"GTV": ONE}, mri)
    node.CreateClosedSurfaceRepresentation()
    node.SetSourceRepresentationToClosedSurface()
    before = state_of_scene()
    lesion = read(mri, node).lesions[0]
    assert state_of_scene() == before
    overlap = 2 * (full(lesion) & ONE.astype(bool)).sum() / (lesion.voxels + ONE.sum())
    assert overlap > 0.9
    assert np.array_equal(
        full(lesion), slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id(node, "GTV"), mri) > 0
    )


@pytest.mark.parametrize("kind", ["binary", "surface", "label map"])
def test_transforms_of_both_nodes_are_respected(kind):
    mri = an_mri(ijk_to_ras=GRIDS["oblique"])
    moved = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    shift = np.eye(4)
    shift[:3, 3] = GRIDS["oblique"][:3, :3] @ [3, -2, 1]
    slicer.util.updateTransformMatrixFromArray(moved, shift)
    mask = a_label_map(ONE, GRIDS["oblique"]) if kind == "label map" else a_segmentation({"GTV": ONE}, mri)
    if kind == "surface":
        mask.CreateClosedSurfaceRepresentation()
        mask.SetSourceRepresentationToClosedSurface()
    still = full(read(mri, mask).lesions[0])
    mask.SetAndObserveTransformNodeID(moved.GetID())
    shifted = full(read(mri, mask).lesions[0])
    assert np.array_equal(shifted, np.roll(still, (1, -2, 3), (0, 1, 2)))
    mri.SetAndObserveTransformNodeID(moved.GetID())
    assert np.array_equal(full(read(mri, mask).lesions[0]), still)


def test_a_mask_under_a_warp_follows_it():
    mri = an_mri()
    mask = a_label_map(ONE, matrix())
    still = read(mri, mask).lesions[0].centroid_lps(read(mri, mask).geometry)
    fixed, pulled = vtk.vtkPoints(), vtk.vtkPoints()
    corners = [(i, j, k) for i in (0, 55) for j in (0, 47) for k in (0, 13)]
    for point in [*corners, (20.5, 15.5, 5.5)]:
        ras = (matrix() @ [*point, 1.0])[:3]
        fixed.InsertNextPoint(*ras)
        pulled.InsertNextPoint(*(ras + ([5.0, 0.0, 0.0] if point not in corners else [0.0] * 3)))
    warp = vtk.vtkThinPlateSplineTransform()
    warp.SetBasisToR()
    warp.SetSourceLandmarks(fixed)
    warp.SetTargetLandmarks(pulled)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode")
    node.SetAndObserveTransformToParent(warp)
    mask.SetAndObserveTransformNodeID(node.GetID())
    inputs = read(mri, mask)
    moved = inputs.lesions[0].centroid_lps(inputs.geometry) - still
    assert -5.0 < moved[0] < -2.5
    assert np.abs(moved[1:]).max() < 1.0
    mask.SetAndObserveTransformNodeID(None)
    mri.SetAndObserveTransformNodeID(node.GetID())
    inputs = read(mri, mask)
    assert inputs.lesions[0].centroid_lps(inputs.geometry)[0] - still[0] > 2.5
    assert "under a transform that changes sizes" in inputs.warnings[0]


def test_a_rigid_transform_of_the_mri_is_no_reason_to_warn():
    mri = an_mri()
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    turned = np.eye(4)
    turned[:3, :3] = rotation(2)
    slicer.util.updateTransformMatrixFromArray(node, turned)
    mask = a_segmentation({"GTV": ONE}, mri)
    for n in (mri, mask):
        n.SetAndObserveTransformNodeID(node.GetID())
    assert read(mri, mask).warnings == ()


def test_an_empty_segment_is_left_out_by_name_but_refused_when_it_was_chosen():
    mri = an_mri()
    node = a_segmentation({"GTV": ONE, "nothing": ONE * 0}, mri)
    inputs = read(mri, node)
    assert [x.name for x in inputs.lesions] == ["GTV"]
    assert inputs.warnings == ("Empty in “GTVs”: “nothing”: left out.",)
    with pytest.raises(InputError, match="Empty in “GTVs”: “nothing”"):
        read(mri, node, [segment_id(node, "nothing")])


def test_a_mask_apart_from_the_mri_is_refused_with_both_places():
    mri = an_mri()
    away = matrix(origin=(200.0, 15.0, -31.0))
    with pytest.raises(
        GeometryError, match=r"“labels” lies outside the MRI “t1c” by \d+ mm .*wrong header or transform"
    ):
        read(mri, a_label_map(ONE, away))
    far = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    slicer.util.updateTransformMatrixFromArray(far, matrix(spacing=(1, 1, 1), origin=(500, 0, 0)))
    node = a_segmentation({"GTV": ONE}, mri)
    node.SetAndObserveTransformNodeID(far.GetID())
    with pytest.raises(GeometryError, match="“GTVs” lies outside"):
        read(mri, node)


def test_the_share_outside_the_mri_is_told():
    mri = an_mri()
    half_out = matrix()
    half_out[:3, 3] -= half_out[:3, :3] @ [0, 16, 0]
    inputs = read(mri, a_label_map(ONE[:, :-1], half_out))
    assert inputs.warnings == ("50.0 % of “Lesion 1” lies outside the MRI and is not seen by the model.",)
    assert inputs.lesions[0].voxels == ONE.sum() / 2
    assert inputs.lesions[0].volume_cm3(inputs.geometry) == pytest.approx(ONE.sum() * 2.64 / 1000)


def test_a_mask_of_the_mris_size_must_lie_on_it_as_with_files():
    mri = an_mri()
    half_out = matrix()
    half_out[:3, 3] -= half_out[:3, :3] @ [0, 16, 0]
    with pytest.raises(GeometryError, match="“labels” has the size of the MRI “t1c”, but its header puts 50"):
        read(mri, a_label_map(ONE, half_out))
    moved = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    slicer.util.updateTransformMatrixFromArray(moved, matrix(spacing=(1, 1, 1), origin=(0, -17.6, 0)))
    mask = a_label_map(ONE, matrix())
    mask.SetAndObserveTransformNodeID(moved.GetID())
    (warning,) = read(mri, mask).warnings  # somebody put it there
    assert warning.startswith("50.0 % of “Lesion 1” lies outside")


@pytest.mark.parametrize("kind", ["segmentation", "label map"])
def test_a_mirrored_or_moved_header_is_warned_of_unless_a_transform_put_it_there(kind):
    mri = an_mri()
    turned = matrix(np.diag([-1.0, -1.0, 1.0]))
    turned[:3, 3] = (matrix() @ [SHAPE[2] - 1, SHAPE[1] - 1, 0, 1])[:3]
    other = an_mri("other", ijk_to_ras=turned)
    mask = a_label_map(ONE, turned) if kind == "label map" else a_segmentation({"GTV": ONE}, other)
    (warning,) = read(mri, mask).warnings
    assert "runs the axes i (left-right) and j (front-back) the other way" in warning
    here = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    mask.SetAndObserveTransformNodeID(here.GetID())
    assert read(mri, mask).warnings == ()


@pytest.mark.parametrize("kind", ["segmentation", "label map"])
@pytest.mark.parametrize("shift", [(0.5, 0.5, 0.5), (0.3, -0.4, 0.1)])
def test_masks_of_another_grid_come_as_they_come_from_files(tmp_path, kind, shift):
    """One rule: the same voxels, the drawn volume, the same sentences but for names."""
    from PulsarCAMLib.lesions.from_files import read_lesions

    mri = an_mri(ijk_to_ras=GRIDS["oblique"])
    aside = GRIDS["oblique"].copy()
    aside[:3, 3] += aside[:3, :3] @ shift
    other = an_mri("other", ijk_to_ras=aside, shape=(14, 50, 57))
    grown = np.pad(ONE, [(0, 0), (0, 2), (0, 1)])
    mask = a_label_map(grown, aside) if kind == "label map" else a_segmentation({"Lesion 1": grown}, other)
    inputs = read(mri, mask)
    geometry = VolumeGeometry.from_ijk_to_ras(aside, grown.shape)
    (lesion,), warnings = read_lesions(written(tmp_path / "mask.nrrd", grown, geometry), inputs.geometry)
    assert np.array_equal(full(inputs.lesions[0]), full(lesion))
    assert inputs.lesions[0].volume_cm3(inputs.geometry) == pytest.approx(ONE.sum() * 2.64 / 1000)
    assert abs(inputs.lesions[0].voxels - ONE.sum()) <= 1
    assert list(inputs.warnings) == warnings


def test_what_is_no_mask_of_lesions_is_refused_as_with_files():
    mri = an_mri()
    values = slicer.util.arrayFromVolume(mri)
    for labels, values_chosen, words in [
        (values, None, "“labels” holds .* it is an image, not a mask; were the two swapped"),
        (ONE + 1, None, "“labels” has no background: no voxel is 0, and the value 1 fills"),
        (ONE + 1, ["1"], "“labels”: “Lesion 1” fills .* of it and holds all its corners"),
        (ONE.astype(np.int16) - 1, None, r"“labels” holds negative label values \(-1\)"),
        ((np.indices(SHAPE) % 2).all(0), None, "“labels” has 4704 parts that do not touch"),
    ]:
        with pytest.raises(InputError, match=words):
            read(mri, a_label_map(labels.astype(np.int16), matrix()), values_chosen)
    with pytest.raises(InputError, match="holds all its corners, so it is background"):
        read(mri, a_segmentation({"outside": 1 - ONE}, mri))


def test_values_of_no_segment_are_warned_of(tmp_path):
    """As 3D Slicer reads a fractional label map: one value of many."""
    mri = an_mri()
    shares = (ONE * 216).astype(np.uint8)
    shares[5, 12, 12:20], shares[6, 12, 12:20] = 1, 107
    grid = VolumeGeometry.from_ijk_to_ras(matrix(), SHAPE)
    fields = {"Segment0_ID": "S1", "Segment0_Name": "GTV", "Segment0_LabelValue": "1", "Segment0_Layer": "0"}
    written(tmp_path / "s.seg.nrrd", shares, grid, **fields)
    node = slicer.util.loadSegmentation(str(tmp_path / "s.seg.nrrd"))
    node.SetName("GTVs")
    inputs = read(mri, node)
    assert inputs.lesions[0].voxels == 8
    assert "“GTVs” holds voxels of 2 values that no segment has: it may be a fractional" in inputs.warnings[0]
    assert read(mri, a_segmentation({"left": ONE, "right": TWO}, mri)).warnings == ()


def test_one_label_value_means_one_lesion_per_part_and_names_come_only_from_the_users_table():
    mri = an_mri()
    labels = a_label_map(ONE + box((10, 40, 45), (13, 46, 52)), matrix())
    assert len(read(mri, labels).lesions) == 2
    assert len(read(mri, labels, parts="together").lesions) == 1
    labels.CreateDefaultDisplayNodes()
    assert read(mri, labels, parts="together").lesions[0].name == "Lesion 1"
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLColorTableNode")
    table.SetTypeToUser()
    table.SetNumberOfColors(2)
    table.SetColor(0, "background", 0, 0, 0, 0)
    table.SetColor(1, "cerebellar metastasis", 1, 0, 0, 1)
    labels.GetDisplayNode().SetAndObserveColorNodeID(table.GetID())
    assert read(mri, labels, parts="together").lesions[0].name == "cerebellar metastasis"


def test_what_is_no_scalar_mri_or_no_mask_is_refused_by_name():
    mri = an_mri()
    node = a_segmentation({"GTV": ONE}, mri)
    color = slicer.util.addVolumeFromArray(
        np.zeros((4, 5, 6, 3), np.uint8), name="rgb", nodeClassName="vtkMRMLVectorVolumeNode"
    )
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "hollow")
    none = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "blank")
    for args, message in [
        ((None, node), "Choose the MRI volume"),
        ((mri, None), "Choose a segmentation"),
        ((color, node), "“rgb” has 3 values per voxel"),
        ((slicer.util.addVolumeFromArray(ONE, name="drawn"), node), "“drawn” holds only 2 values .* so it is a mask"),
        ((empty, node), "“hollow” holds no image"),
        ((a_label_map(ONE, matrix()), node), "not a scalar volume"),
        ((mri, mri), "neither a segmentation nor a label map"),
        ((mri, none), "“blank” has no segment"),
        ((mri, node, ["S7"]), "no segment with the ID S7"),
        ((mri, a_label_map(ONE * 0, matrix(), "void")), "“void” is empty"),
    ]:
        with pytest.raises(InputError, match=message):
            read(*args)


def test_a_sheared_grid_is_refused():
    sheared = matrix()
    sheared[0, 2] = 1.5
    mri = an_mri(ijk_to_ras=sheared)
    with pytest.raises(GeometryError, match="not perpendicular"):
        read(mri, a_label_map(ONE, sheared))


def test_reading_changes_nothing_in_the_scene():
    mri = an_mri()
    node = a_segmentation({"GTV": ONE, "nothing": ONE * 0}, mri)
    before = state_of_scene()
    read(mri, node)
    with pytest.raises(InputError):
        read(mri, node, ["S7"])
    assert state_of_scene() == before


def test_the_real_mri_with_a_flipped_axis_and_two_lesions_in_one_label(shared_data):
    folder = shared_data / "t1c_brain1"
    mri = slicer.util.loadVolume(str(folder / "brain1_image.nrrd"), properties={})
    labels = slicer.util.loadLabelVolume(str(folder / "brain1_label.nrrd"), properties={})
    inputs = read(mri, labels)
    assert len(inputs.lesions) == 2
    together = sum(full(x, inputs.volume.shape) for x in inputs.lesions)
    assert np.array_equal(together > 0, slicer.util.arrayFromVolume(labels) > 0)
    assert np.allclose(inputs.geometry.ijk_to_ras, ijk_to_ras_of(mri))


def test_the_real_mask_with_the_wrong_header_is_refused_with_the_reason(shared_data):
    folder = shared_data / "brats_gli_00001"
    mri = slicer.util.loadVolume(str(folder / "t1c.nii.gz"), properties={})
    right = slicer.util.loadLabelVolume(str(folder / "seg-BraTS23_1.nii.gz"), properties={})
    assert read(mri, right).warnings == ()
    wrong = slicer.util.loadLabelVolume(str(folder / "seg-BraTS23_1_mapped.nii.gz"), properties={})
    with pytest.raises(GeometryError, match="wrong header"):
        read(mri, wrong)
