"""Structure sets as they come: which structures are meant, what encloses nothing, names, numbers, frames."""

from __future__ import annotations

import numpy as np
import pytest
from making_structures import FRAME, a_circle, a_contour, a_square, a_structure_set, on_plane, shoelace_mm2

from PulsarCAMLib.core.errors import GeometryError, InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.io.apart import reading_apart
from PulsarCAMLib.io.dicom.structures import read_structures
from PulsarCAMLib.io.volumes import read_image_of
from PulsarCAMLib.lesions.from_files import read_lesions

pytestmark = pytest.mark.filterwarnings("error")

MRI = VolumeGeometry((9, 40, 50), (0.8, 0.8, 2.0), (-20, -16, 3))


def squares(*ks, half=4.0, at=(0.0, 0.0)):
    return [on_plane(a_square(half, at), k, MRI) for k in ks]


def read(path, *, frame=FRAME, **options):
    return read_lesions(path, MRI, frame=frame, **options)


def names(lesions):
    return [lesion.name for lesion in lesions]


def test_taken_are_those_whose_name_or_type_says_gtv_and_the_others_are_counted(tmp_path):
    sets = [("gtv_left", squares(3, 4)), ("Met 2", squares(4)), ("Brain", squares(1, 2)), ("GTV empty", [])]
    path = a_structure_set(tmp_path / "rs.dcm", sets, kinds=("", "GTV", "ORGAN", "GTV"))
    lesions, told = read(path)
    assert names(lesions) == ["gtv_left", "Met 2"]
    assert any("one other is left out" in text for text in told)
    assert any("“GTV empty” has no contours" in text for text in told)
    assert not any("Brain" in text for text in told)
    assert names(read(path, segments=["Brain", "2"])[0]) == ["Met 2", "Brain"]
    with pytest.raises(InputError, match="no structure “liver”; it has “gtv_left”, “Met 2”, “Brain”, “GTV empty”"):
        read(path, segments=["liver"])
    with pytest.raises(InputError, match="“GTV empty” has no contours; leave it out"):
        read(path, segments=["GTV empty"])
    with pytest.raises(InputError, match="named structures or segments, not label values; choose them by --segments"):
        read(path, labels=[1])


def test_without_a_gtv_the_names_are_listed(tmp_path):
    path = a_structure_set(tmp_path / "rs.dcm", [("Brain", squares(3)), ("CTV", squares(4))])
    with pytest.raises(InputError, match='it has “Brain”, “CTV”; choose by --segments "NAME,NAME"'):
        read(path)


def test_points_and_open_lines_are_left_out_and_told(tmp_path):
    plane = on_plane(a_square(), 4, MRI)
    mixed = [plane, a_contour(plane[:1], "POINT"), a_contour(plane, "OPEN_PLANAR"), a_contour(plane[:2])]
    only = [a_contour(plane[:1], "POINT")]
    path = a_structure_set(tmp_path / "rs.dcm", [("GTV 1", mixed), ("GTV 2", only)])
    (lesion,), told = read(path)
    assert lesion.volume_cm3(MRI) == pytest.approx(64 * 2 / 1000)
    assert any("“GTV 1” are contours that enclose nothing: 1 POINT, 1 OPEN_PLANAR, 1 of fewer" in t for t in told)
    assert any("“GTV 2” has only contours that enclose nothing (1 POINT)" in text for text in told)


def test_xor_contours_cut_holes(tmp_path):
    planes = [a_contour(on_plane(a_square(half), k, MRI), "CLOSEDPLANAR_XOR") for k in (3, 4) for half in (8, 3)]
    (lesion,), _ = read(a_structure_set(tmp_path / "rs.dcm", [("GTV", planes)]))
    assert lesion.volume_cm3(MRI) == pytest.approx((16**2 - 6**2) * 4 / 1000)


def test_a_first_point_that_is_repeated_changes_nothing(tmp_path):
    (plane,) = squares(4)
    closed = np.concatenate([plane, plane[:1]])
    masks = [
        read(a_structure_set(tmp_path / f"{n}.dcm", [("GTV", [each])]))[0][0].full_mask(MRI.shape)
        for n, each in enumerate((plane, closed))
    ]
    np.testing.assert_array_equal(*masks)


def test_names_with_odd_characters_and_twice_the_same(tmp_path):
    odd = ["GTV Größe ä/β", "GTV\\2", "GTV", "GTV", ""]
    path = a_structure_set(tmp_path / "rs.dcm", [(n, squares(3)) for n in odd], kinds=("GTV",) * 5)
    assert names(read(path)[0])[2:] == ["GTV", "GTV [2]", "ROI 5"]
    assert names(read(path)[0])[0] == "GTV Größe ä/β"
    assert names(read(path, segments=["GTV"])[0]) == ["GTV", "GTV [2]"]
    assert names(read(path, segments=["GTV [2]"])[0]) == ["GTV [2]"]


def test_one_number_twice_goes_by_the_place_in_the_list_or_is_refused(tmp_path):
    sets = [("GTV a", squares(3)), ("GTV b", squares(5, half=2)), ("GTV c", squares(6))]
    (a, b, _), told = read(a_structure_set(tmp_path / "rs.dcm", sets, numbers=(7, 7, 8)))
    assert (a.offset[0], b.offset[0]) == (3, 5)
    assert any("2 structures have the number 7" in text for text in told)

    def one_gone(data):
        del data.ROIContourSequence[1]

    path = a_structure_set(tmp_path / "lost.dcm", sets, numbers=(7, 7, 8), change=one_gone)
    (c,), told = read(path)
    assert c.name == "GTV c"
    assert any("“GTV a” cannot be read (2 structures have the number 7)" in text for text in told)
    with pytest.raises(InputError, match="2 structures have the number 7"):
        read(path, segments=["GTV b"])


def test_damaged_points_spoil_their_own_structure_only(tmp_path):
    def spoil(data):
        data.ROIContourSequence[0].ContourSequence[0].NumberOfContourPoints = 9

    path = a_structure_set(tmp_path / "rs.dcm", [("GTV a", squares(3)), ("GTV b", squares(5))], change=spoil)
    (lesion,), told = read(path)
    assert lesion.name == "GTV b"
    assert any("a contour holds 4 of its 9 points" in text for text in told)


def test_a_file_that_ends_too_early_loses_no_contour_in_silence(tmp_path):
    path = a_structure_set(tmp_path / "rs.dcm", [("GTV", squares(2, 3, 4, 5))])
    whole = path.read_bytes()
    for share in (0.5, 0.6, 0.7, 0.8):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(InputError, match=r"is damaged: its elements cannot be read|names no structures"):
            read(path)


def test_contours_of_another_frame_of_reference_are_refused(tmp_path):
    path = a_structure_set(tmp_path / "rs.dcm", [("GTV", squares(3))], frame="9.8.7")
    with pytest.raises(GeometryError, match=r"another frame of reference than the MRI .*give the folder that holds"):
        read(path)
    (_,), told = read(path, frame="")
    assert "does not say its frame of reference" in told[0]
    with pytest.raises(InputError, match=r"a \.seg\.nrrd or a label volume that 3D Slicer makes of it"):
        read(path, frame=None)  # as for cohort tables, where nobody asks


@pytest.mark.parametrize("degrees", [0, 25])
def test_a_registration_brings_contours_to_the_mri(tmp_path, degrees):
    turn = np.radians(degrees)
    matrix = np.eye(4)
    matrix[:3, :3] = [[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]]
    matrix[:3, 3] = [3, -2, 1.0]
    there = np.linalg.inv(matrix)
    middle = MRI.to_lps(np.array([24.5, 19.5, 4.0]))
    own = there[:3, :3] @ middle + there[:3, 3]
    ball = [np.column_stack([a_circle(np.sqrt(36 - z**2), own[:2], 90), np.full(90, own[2] + z)]) for z in range(-5, 6)]
    path = a_structure_set(tmp_path / "rs.dcm", [("GTV", ball)], frame="9.8.7")
    (lesion,), _ = read(path, registration=matrix)
    assert lesion.volume_cm3(MRI) == pytest.approx(sum(map(shoelace_mm2, ball)) / 1000, rel=1e-6)
    np.testing.assert_allclose(lesion.centroid_lps(MRI), middle, atol=0.15)
    jj = np.argwhere(lesion.full_mask(MRI.shape))
    far = np.linalg.norm(MRI.to_lps(jj[:, ::-1]) - middle, axis=1)
    assert far.max() < 6 + 1.3  # half a diagonal of a voxel and half a contour's distance


def test_what_lies_beyond_the_outermost_slice_is_told_in_mm(tmp_path):
    path = a_structure_set(tmp_path / "rs.dcm", [("GTV", squares(6, 7, 8, 9, 10))])
    lesions, told = read(path)
    assert lesions[0].volume_cm3(MRI) == pytest.approx(5 * 2 * 64 / 1000)
    assert any("“GTV” reaches 4.0 mm beyond the outermost slice" in text for text in told)
    with pytest.raises(GeometryError, match="lies outside the MRI by 13 mm"):
        read(a_structure_set(tmp_path / "far.dcm", [("GTV", squares(15, 16))]))


def test_what_lies_beside_the_mri_and_a_point_that_stands_alone_are_told_in_mm(tmp_path):
    rounded = [on_plane(a_circle(5, count=90), k, MRI) for k in (3, 4, 5)]
    assert read(a_structure_set(tmp_path / "rs.dcm", [("GTV", rounded)]))[1] == []
    beside = [points + np.array([17, 0, 0]) for points in rounded]
    told = read(a_structure_set(tmp_path / "beside.dcm", [("GTV", beside)]))[1]
    assert any("“GTV” reaches 2.4 mm beyond the edge of the MRI's slices; that part is not seen." in t for t in told)
    rounded[1][7, 1] += 300
    told = read(a_structure_set(tmp_path / "far.dcm", [("GTV", rounded)]))[1]
    assert any("mm beyond the edge of the MRI's slices" in text for text in told)
    assert any("One contour of “GTV” has a single point 300 mm away from those before and after" in t for t in told)
    rounded[1][7, 1] -= 288  # within the MRI
    told = read(a_structure_set(tmp_path / "spike.dcm", [("GTV", rounded)]))[1]
    assert [text.split("; ")[0] for text in told] == [
        "One contour of “GTV” has a single point 12 mm away from those before and after it"
    ]


def test_parts_may_be_lesions_of_their_own(tmp_path):
    two = [*squares(3, 4, half=2, at=(-10, 0)), *squares(3, 4, 5, half=3, at=(8, 0))]
    path = a_structure_set(tmp_path / "rs.dcm", [("GTV", two)])
    assert len(read(path)[0]) == 1
    lesions, _ = read(path, parts="separate")
    assert names(lesions) == ["GTV (1)", "GTV (2)"]
    assert sum(each.volume_cm3(MRI) for each in lesions) == pytest.approx(2 * (2 * 16 + 3 * 36) / 1000)


def test_it_is_read_alike_in_a_process_of_its_own(tmp_path):
    path = a_structure_set(tmp_path / "rs.dcm", [("GTV ä", squares(3, 4)), ("x", [])], kinds=("GTV",))
    here = read_structures(path)
    with reading_apart():
        there = read_structures(path)
    assert [(s.name, s.kind, len(s.contours)) for s in there.structures] == [("GTV ä", "GTV", 2), ("x", "", 0)]
    np.testing.assert_array_equal(here.structures[0].contours[1], there.structures[0].contours[1])


@pytest.mark.parametrize("patient", ["STS_008", "STS_042"])
def test_published_masks_are_met_voxel_by_voxel(shared_data, patient):
    folder = shared_data / "dicom_mr_rtstruct" / patient
    image, published = read_image_of(folder / "image"), read_image_of(folder / "MR_T1_mask.nii.gz")
    assert published.geometry.same_grid(image.geometry)
    (lesion,), told = read_lesions(
        folder / "mask" / "RS.dcm", image.geometry, frame=image.source.frame_of_reference_uid
    )
    assert told == []
    np.testing.assert_array_equal(lesion.full_mask(image.geometry.shape), published.voxels > 0)
    (structure,) = read_structures(folder / "mask" / "RS.dcm").structures
    volume = sum(shoelace_mm2(each) for each in structure.contours) * image.geometry.spacing[2] / 1000
    assert lesion.volume_cm3(image.geometry) == pytest.approx(volume, rel=2e-3)


def test_a_name_with_a_backslash_is_no_list(tmp_path):
    path = a_structure_set(tmp_path / "rs.dcm", [("GTV\\left", squares(3, 4))])
    lesions, _ = read(path)
    assert names(lesions) == ["GTV\\left"]
    assert names(read(path, segments=["GTV\\left"])[0]) == ["GTV\\left"]
