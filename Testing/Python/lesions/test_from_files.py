"""Lesions from label volumes and Slicer segmentations."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
import slicerio
from making_files import OBLIQUE, PLAIN, a_volume, two_boxes, written

from PulsarCAMLib.core.errors import GeometryError, InputError
from PulsarCAMLib.core.geometry.volume import LPS_RAS, VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.io.volumes import read_volume
from PulsarCAMLib.lesions.from_files import read_lesions
from PulsarCAMLib.outputs.segmentations import write_segmentation
from PulsarCAMLib.outputs.volumes import write_volume


def full(lesions, geometry=OBLIQUE):
    return {lesion.name: lesion.full_mask(geometry.shape) for lesion in lesions}


def test_labels_on_the_same_grid_are_the_files_own_voxels(tmp_path):
    labels = two_boxes(second=4)
    lesions, warnings = read_lesions(written(tmp_path / "l.nrrd", labels, OBLIQUE), OBLIQUE)
    assert warnings == []
    np.testing.assert_array_equal(full(lesions)["Lesion 1"], labels == 1)
    np.testing.assert_array_equal(full(lesions)["Lesion 4"], labels == 4)


def test_the_parts_of_a_single_label_are_lesions_unless_told_otherwise(tmp_path):
    path = written(tmp_path / "l.nrrd", two_boxes(), OBLIQUE)
    assert [each.name for each in read_lesions(path, OBLIQUE)[0]] == ["Lesion 1 (1)", "Lesion 1 (2)"]
    assert [each.name for each in read_lesions(path, OBLIQUE, "together")[0]] == ["Lesion 1"]


def test_only_the_labels_asked_for_are_taken(tmp_path):
    path = written(tmp_path / "l.nrrd", two_boxes(second=4).astype(np.float64), OBLIQUE)
    assert [each.name for each in read_lesions(path, OBLIQUE, labels=[4])[0]] == ["Lesion 4"]
    with pytest.raises(InputError, match="no value"):
        read_lesions(path, OBLIQUE, labels=[2])
    with pytest.raises(InputError, match="choose by --labels"):
        read_lesions(path, OBLIQUE, segments=["GTV"])


def test_an_image_instead_of_a_mask_is_refused(tmp_path):
    path = written(tmp_path / "mri.nrrd", a_volume(dtype=np.float32) + np.float32(0.5), OBLIQUE)
    with pytest.raises(InputError, match="it is an image, not a mask"):
        read_lesions(path, OBLIQUE)


def three_regions():
    masks = {"GTV α/1": two_boxes() == 1, "over": np.zeros(OBLIQUE.shape, bool), "empty": np.zeros(OBLIQUE.shape, bool)}
    masks["over"][4:6, 12:40, 10:45] = True
    whole = [Lesion.from_mask(n, m) for n, m in masks.items() if m.any()]
    return masks, [*whole, Lesion("empty", np.zeros((1, 1, 1), bool), (0, 0, 0))]


def test_a_segmentation_with_overlap_goes_out_and_comes_back(tmp_path):
    masks, regions = three_regions()
    write_segmentation(tmp_path / "s.seg.nrrd", regions, OBLIQUE, {})
    lesions, warnings = read_lesions(tmp_path / "s.seg.nrrd", OBLIQUE)
    assert warnings == ["Left out because empty: “empty”."]
    assert [each.name for each in lesions] == ["GTV α/1", "over"]
    for name, mask in full(lesions).items():
        np.testing.assert_array_equal(mask, masks[name])


def test_slicerio_reads_what_we_write(tmp_path):
    masks, regions = three_regions()
    masks["GTV 1"], regions[0] = masks["GTV α/1"], replace(regions[0], name="GTV 1")  # slicerio drops what is not ASCII
    write_segmentation(tmp_path / "s.seg.nrrd", regions, OBLIQUE, {"modelName": "m"})
    read = slicerio.read_segmentation(str(tmp_path / "s.seg.nrrd"))
    np.testing.assert_allclose(read["ijkToLPS"], OBLIQUE.ijk_to_lps, atol=1e-9)
    assert read["PulsarCAM.modelName"] == "m"
    for segment in read["segments"]:
        layer = read["voxels"][segment["layer"]] if read["voxels"].ndim == 4 else read["voxels"]
        np.testing.assert_array_equal((layer == segment["labelValue"]).T, masks[segment["name"]])


def test_slicer_reads_what_we_write(tmp_path, a_scene):
    import slicer

    masks, regions = three_regions()
    write_segmentation(tmp_path / "s.seg.nrrd", regions, OBLIQUE, {})
    volume = slicer.util.addVolumeFromArray(a_volume(), ijkToRAS=OBLIQUE.ijk_to_ras)
    node = slicer.util.loadSegmentation(str(tmp_path / "s.seg.nrrd"))
    segmentation = node.GetSegmentation()
    for name in ("GTV α/1", "over"):
        segment = segmentation.GetSegmentIdBySegmentName(name)
        read = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment, volume)
        np.testing.assert_array_equal(read != 0, masks[name])


def test_segments_are_chosen_by_name_or_id_and_unknown_ones_named(tmp_path):
    write_segmentation(tmp_path / "s.seg.nrrd", three_regions()[1], OBLIQUE, {})
    path = tmp_path / "s.seg.nrrd"
    assert [each.name for each in read_lesions(path, OBLIQUE, segments=["over"])[0]] == ["over"]
    assert [each.name for each in read_lesions(path, OBLIQUE, segments=["region-1"])[0]] == ["GTV α/1"]
    with pytest.raises(InputError, match=r"no segment “none”; it has “GTV α/1”, “over”, “empty”"):
        read_lesions(path, OBLIQUE, segments=["none"])
    with pytest.raises(InputError, match="empty segments: “empty”"):
        read_lesions(path, OBLIQUE, segments=["empty", "over"])


@pytest.mark.parametrize("key", ["threshold", "painting"])
def test_what_pulsarcam_drew_is_no_lesion_unless_it_is_named(tmp_path, key):
    """Sub-regions and boosts, as they stand in a folder of results, as segmentation and as label map."""
    write_segmentation(tmp_path / "own.seg.nrrd", three_regions()[1], OBLIQUE, {key: "half of the maximum"})
    write_volume(tmp_path / "own.nii.gz", two_boxes(), OBLIQUE, {key: "half of the maximum"})
    for name in ("own.seg.nrrd", "own.nii.gz"):
        with pytest.raises(InputError, match=f"{name} holds what PulsarCAM drew"):
            read_lesions(tmp_path / name, OBLIQUE)
    assert [each.name for each in read_lesions(tmp_path / "own.seg.nrrd", OBLIQUE, segments=["over"])[0]] == ["over"]


def test_two_segments_of_one_name_stay_apart(tmp_path):
    regions = [replace(each, name="GTV") for each in three_regions()[1][:2]]
    write_segmentation(tmp_path / "s.seg.nrrd", regions, OBLIQUE, {})
    assert [each.name for each in read_lesions(tmp_path / "s.seg.nrrd", OBLIQUE)[0]] == ["GTV", "GTV [2]"]


def old_layout(path, mask, geometry, extent_start):
    """A segmentation as Slicer 4.10 wrote it: 4D, no space field, RAS vectors, voxels cropped to the extent."""
    kji = np.argwhere(mask)
    low, high = kji.min(axis=0), kji.max(axis=0)
    block = mask[tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))].astype(np.uint8)
    start = low[::-1] + extent_start
    matrix = LPS_RAS @ geometry.ijk_to_lps
    matrix[:3, 3] -= matrix[:3, :3] @ extent_start
    vectors = " ".join(f"({','.join(repr(float(c)) for c in column)},0)" for column in matrix[:3, :3].T)
    extent = " ".join(f"{a} {a + n - 1}" for a, n in zip(start, block.shape[::-1], strict=True))
    origin = ",".join(repr(float(c)) for c in matrix[:3, 3])
    header = (
        f"NRRD0004\ntype: unsigned char\ndimension: 4\nspace dimension: 4\n"
        f"sizes: {' '.join(map(str, block.shape[::-1]))} 1\nspace directions: {vectors} (0,0,0,1)\n"
        f"kinds: domain domain domain domain\nencoding: raw\nspace origin: ({origin},0)\n"
        f"Segment0_Extent:={extent}\nSegment0_ID:=gtv\nSegment0_Name:=GTV\nSegmentation_Extent:={extent}\n"
        f"Segmentation_MasterRepresentation:=Binary labelmap\n\n"
    )
    path.write_bytes(header.encode() + block.tobytes())
    return path


@pytest.mark.parametrize("extent_start", [(0, 0, 0), (5, -2, 7)])
def test_the_old_layout_of_slicer_lands_in_its_place(tmp_path, extent_start):
    mask = two_boxes(PLAIN) == 1
    path = old_layout(tmp_path / "old.seg.nrrd", mask, PLAIN, np.array(extent_start))
    lesions, warnings = read_lesions(path, PLAIN)
    np.testing.assert_array_equal(full(lesions, PLAIN)["GTV"], mask)
    assert warnings == []


def test_the_old_layout_is_read_as_slicer_itself_reads_it(tmp_path, a_scene):
    import slicer

    mask = two_boxes(PLAIN) == 1
    path = old_layout(tmp_path / "old.seg.nrrd", mask, PLAIN, np.array((5, -2, 7)))
    node = slicer.util.loadSegmentation(str(path))
    bounds = [0.0] * 6
    node.GetRASBounds(bounds)
    kji = np.argwhere(mask)
    ends = PLAIN.to_lps(np.array([kji.min(axis=0)[::-1] - 0.5, kji.max(axis=0)[::-1] + 0.5])) * [-1, -1, 1]
    np.testing.assert_allclose(np.reshape(bounds, (3, 2)).T, np.sort(ends, axis=0), atol=1e-3)


def test_an_axis_reversed_copy_of_the_mask_is_the_same_lesion(tmp_path):
    image = OBLIQUE.to_sitk(two_boxes(second=2))
    sitk.WriteImage(sitk.Flip(image, (False, True, True)), str(tmp_path / "flipped.nrrd"))
    lesions, warnings = read_lesions(tmp_path / "flipped.nrrd", OBLIQUE)
    np.testing.assert_array_equal(full(lesions)["Lesion 2"], two_boxes(second=2) == 2)
    assert lesions[0].drawn_mm3 is None
    (warning,) = warnings  # signs that were lost look just so
    assert "its header runs the axes j (left-right) and k (front-back) the other way" in warning


def test_a_cropped_mask_keeps_its_place(tmp_path):
    image = OBLIQUE.to_sitk(two_boxes(second=2))[5:60, 4:55, 2:10]
    sitk.WriteImage(image, str(tmp_path / "cropped.nrrd"))
    lesions, warnings = read_lesions(tmp_path / "cropped.nrrd", OBLIQUE)
    np.testing.assert_array_equal(full(lesions)["Lesion 1"], two_boxes() * (two_boxes(second=2) == 1))
    assert warnings == []


def test_a_mask_on_a_finer_oblique_grid_is_resampled_with_a_warning(tmp_path):
    fine = VolumeGeometry((40, 150, 150), (0.4, 0.45, 1.0), OBLIQUE.origin, OBLIQUE.direction)
    box = np.zeros(fine.shape, np.uint8)
    box[9:28, 30:80, 40:90] = 1
    lesions, warnings = read_lesions(written(tmp_path / "fine.nrrd", box, fine), OBLIQUE)
    assert "another grid" in warnings[0]
    volume = box.sum() * fine.voxel_volume_mm3 / 1000
    assert lesions[0].volume_cm3(OBLIQUE) == pytest.approx(volume, rel=0.12)
    where = fine.to_lps(np.argwhere(box).mean(axis=0)[::-1])
    np.testing.assert_allclose(lesions[0].centroid_lps(OBLIQUE), where, atol=1.0)


def test_a_lesion_smaller_than_the_mris_voxels_keeps_one(tmp_path):
    fine = VolumeGeometry((40, 150, 150), (0.4, 0.45, 1.0), OBLIQUE.origin, OBLIQUE.direction)
    dot = np.zeros(fine.shape, np.uint8)
    dot[10, 31, 41] = 1
    lesions, warnings = read_lesions(written(tmp_path / "dot.nrrd", dot, fine), OBLIQUE)
    assert lesions[0].voxels == 1
    assert any("taken as one voxel: “Lesion 1”" in w for w in warnings)


def test_a_lesion_beside_the_mri_is_left_out_but_refused_when_asked_for(tmp_path):
    wide = VolumeGeometry((12, 200, 64), OBLIQUE.spacing, OBLIQUE.origin, OBLIQUE.direction)
    labels = np.zeros(wide.shape, np.uint8)
    labels[:, :60] = two_boxes()
    labels[4:6, 150:160, 20:30] = 7
    path = written(tmp_path / "wide.nrrd", labels, wide)
    lesions, warnings = read_lesions(path, OBLIQUE)
    assert [each.name for each in lesions] == ["Lesion 1"]
    assert warnings == ["Left out because outside the MRI: “Lesion 7”."]
    with pytest.raises(GeometryError, match="outside the MRI by"):
        read_lesions(path, OBLIQUE, labels=[7])


def test_a_mask_with_the_mris_size_and_a_moved_header_is_refused(tmp_path):
    moved = replace(OBLIQUE, origin=tuple(np.array(OBLIQUE.origin) + 20 * np.array(OBLIQUE.direction)[:, 0]))
    with pytest.raises(GeometryError, match="has the size of the MRI, but its header puts"):
        read_lesions(written(tmp_path / "l.nrrd", two_boxes(), moved), OBLIQUE)


def test_the_real_mask_with_a_wrong_header_is_refused(shared_data):
    folder = shared_data / "brats_gli_00001"
    _, geometry = read_volume(folder / "t1c.nii.gz")
    with pytest.raises(GeometryError, match=r"lies outside the MRI by \d+ mm .* header is probably wrong"):
        read_lesions(folder / "seg-BraTS23_1_mapped.nii.gz", geometry)
    assert len(read_lesions(folder / "seg-BraTS23_1.nii.gz", geometry)[0]) == 3


def test_real_old_segmentations_give_the_published_dose_statistics(shared_data):
    folder = shared_data / "slicerrt_dose_seg"
    dose, geometry = read_volume(folder / "EclipseProstate_Dose.nrrd")

    def mask(name):
        (lesion,), _ = read_lesions(folder / f"EclipseProstate_{name}.seg.nrrd", geometry)
        return lesion.full_mask(geometry.shape)

    bladder = mask("Bladder_Subtract_PTV")
    target = mask("Bladder_Union_PTV") & ~bladder
    assert dose[target].mean() == pytest.approx(45.88, abs=0.01)
