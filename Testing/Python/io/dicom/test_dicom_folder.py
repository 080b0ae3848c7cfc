"""Folders of DICOM files as they are exported: mixed, nested, damaged; and what in them belongs together."""

from __future__ import annotations

import shutil

import numpy as np
import pydicom
import pytest
from making_dicom import a_folder
from making_structures import (
    DEFORMABLE,
    FRAME,
    a_registration,
    a_series,
    a_square,
    a_structure_set,
    an_object,
    on_plane,
)
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.io.dicom.folder import take_stock
from PulsarCAMLib.io.dicom.pairing import RENAMED, choose, pairs_of, refusals_of, told
from PulsarCAMLib.io.dicom.registration import read_registration
from PulsarCAMLib.io.volumes import read_image_of

pytestmark = pytest.mark.filterwarnings("error")

MRI = VolumeGeometry((5, 6, 8), (0.5, 1.5, 3.0), (-4, -5, 10))
VOXELS = np.arange(5 * 6 * 8, dtype=np.int16).reshape(5, 6, 8)


def everywhere(**values):
    def change(data, n):
        for keyword, value in values.items():
            setattr(data, keyword, value)

    return change


def series(folder, uid="1.2.3.2", **values):
    return a_series(folder, VOXELS, MRI, uid, everywhere(**values), spread=values.pop("spread", 0))


def structures(path, frame=FRAME, uid="1.2.3.5.1", refers_to=(), **elements):
    def refer(data):
        data.SOPInstanceUID, data.SeriesInstanceUID = uid, f"{uid}.9"
        study, frame_item = Dataset(), data.ReferencedFrameOfReferenceSequence[0]
        items = []
        for each in refers_to:
            item = Dataset()
            item.SeriesInstanceUID = each
            items.append(item)
        study.RTReferencedSeriesSequence = Items(items)
        if items:
            frame_item.RTReferencedStudySequence = Items([study])

    return a_structure_set(path, [("GTV", [on_plane(a_square(1), 2, MRI)])], frame=frame, change=refer, **elements)


def how(chosen):
    return chosen.pair.series.number, chosen.pair.structures.number, chosen.pair.how


def test_junk_of_every_kind_is_counted_and_named_and_nothing_is_fatal(tmp_path):
    series(tmp_path / "a" / "b")
    structures(tmp_path / "a" / "rs")
    series(tmp_path / "again")  # the same export a second time
    (tmp_path / "a" / "notes.txt").write_text("no DICOM")
    (tmp_path / "a" / "empty.dcm").touch()
    (tmp_path / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\x08\x00\x05\x00XXXX\xff\xff\xff\xff" * 3)
    an_object("1.2.840.10008.5.1.4.1.1.481.5", "RTPLAN", "1.2.3.6").save_as(tmp_path / "plan", enforce_file_format=True)
    an_object("1.2.840.10008.1.3.10", "", "1.2.3.7").save_as(tmp_path / "DICOMDIR", enforce_file_format=True)
    (tmp_path / "round").symlink_to(tmp_path, target_is_directory=True)
    found = take_stock(tmp_path)
    assert [told(each) for each in found.series] == ["series 1 (MR, 5 slices)"]
    assert [told(each) for each in found.structure_sets] == ["structure set 1 (RTSTRUCT, 1 structure)"]
    assert found.no_dicom == ("a/empty.dcm", "a/notes.txt")
    assert list(found.damaged) == ["broken.dcm"]
    assert (found.directories, found.copies, found.others) == (1, 5, {"RTPLAN": 1})
    assert "Doe" not in repr(found)
    assert found.series[0].instances[0].patient not in repr(found)


def test_two_objects_of_one_instance_that_differ_are_none_and_a_copy_is_passed_over(tmp_path):
    """Which of them is right nobody can tell: the first by name must not be taken."""
    a_series(tmp_path, VOXELS, MRI)
    structures = a_structure_set(tmp_path / "RS.dcm", [("GTV", [on_plane(a_square(6.0), k, MRI) for k in (1, 2)])])
    shutil.copy(structures, tmp_path / "RS_again.dcm")
    data = pydicom.dcmread(structures)
    data.PatientName, data.InstitutionName = "As^another^archive^writes", "the archive's"
    data.save_as(tmp_path / "RS_renamed.dcm")
    found = take_stock(tmp_path)
    assert (found.copies, len(found.structure_sets), found.damaged) == (2, 1, {})
    data.ROIContourSequence[0].ContourSequence[0].ContourData[0] += 1
    data.save_as(tmp_path / "AA.dcm")
    shutil.copy(tmp_path / "AA.dcm", tmp_path / "ZZ.dcm")
    found = take_stock(tmp_path)
    assert not found.structure_sets
    assert {"AA.dcm", "RS.dcm"} <= set(found.damaged)
    assert "another file has its instance and says something else" in found.damaged["AA.dcm"]


def test_a_series_in_many_folders_is_read_whole(tmp_path):
    a_series(tmp_path / "cd" / "disk", VOXELS, MRI, spread=2)
    structures(tmp_path / "cd" / "plan.dcm")
    chosen = choose(take_stock(tmp_path))
    assert chosen.folder == tmp_path / "cd" / "disk"
    image = read_image_of(chosen.folder, chosen.pair.series.first.series)
    np.testing.assert_array_equal(image.voxels, VOXELS)
    assert image.geometry.same_grid(MRI)
    with pytest.raises(InputError, match="no DICOM image series"):
        read_image_of(tmp_path / "cd" / "disk")


def test_a_series_partly_in_a_folder_and_partly_below_it_is_not_cut_short(tmp_path):
    """Below a folder of slices no other is looked into, so that an even part would be taken for the whole."""
    series(tmp_path / "cd")
    (tmp_path / "cd" / "more").mkdir()
    for path in sorted((tmp_path / "cd").glob("*"))[-3:]:
        if path.is_file():
            path.rename(tmp_path / "cd" / "more" / path.name)
    structures(tmp_path / "rs.dcm")
    with pytest.raises(InputError, match=r"partly in .* and partly in folders below it"):
        choose(take_stock(tmp_path))


def test_pairs_are_made_by_reference_before_frames_before_registrations(tmp_path):
    series(tmp_path / "t1")
    series(tmp_path / "flair", "1.2.3.22")
    structures(tmp_path / "rs", refers_to=["1.2.3.22"])
    assert how(choose(take_stock(tmp_path))) == (2, 1, "refers to it")
    assert how(choose(take_stock(tmp_path), series="1")) == (1, 1, "same frame of reference")


def test_two_series_in_one_frame_are_asked_about(tmp_path):
    series(tmp_path / "t1")
    series(tmp_path / "flair", "1.2.3.22")
    structures(tmp_path / "rs")
    found = take_stock(tmp_path)
    with pytest.raises(InputError, match=r"goes with series 1 .*, series 2 .*choose one with --series"):
        choose(found)
    assert how(choose(found, series="2")) == (2, 1, "same frame of reference")
    with pytest.raises(InputError, match="has no series '3'; it has series 1"):
        choose(found, series="3")


def test_two_structure_sets_are_asked_about(tmp_path):
    series(tmp_path / "t1")
    for n in (1, 2):
        structures(tmp_path / f"rs{n}", uid=f"1.2.3.5.{n}")
    found = take_stock(tmp_path)
    with pytest.raises(InputError, match=r"holds several structure sets: .* choose one with --structures NUMBER"):
        choose(found)
    assert how(choose(found, structures="2"))[:2] == (1, 2)


def test_patients_are_kept_apart_even_in_one_frame(tmp_path):
    series(tmp_path / "one")
    series(tmp_path / "two", "1.2.3.22", PatientID="other")
    structures(tmp_path / "two" / "rs", PatientID="other")
    found = take_stock(tmp_path)
    assert [item.patient for item in found.series] == [1, 2]
    assert how(choose(found)) == (2, 1, "same frame of reference")
    with pytest.raises(InputError, match=r"goes with none of series 1 .* other patients or in other frames"):
        choose(found, series="1")


def test_mri_goes_before_the_ct_that_contours_refer_to(tmp_path):
    series(tmp_path / "mr")
    series(tmp_path / "ct", "1.2.3.22", Modality="CT")
    structures(tmp_path / "rs", refers_to=["1.2.3.22"])
    assert how(choose(take_stock(tmp_path)))[::2] == (1, "same frame of reference")


def test_what_is_missing_is_told(tmp_path):
    series(tmp_path / "t1")
    with pytest.raises(InputError, match=r"holds 1 image series and no structure set .*name a segmentation after it"):
        choose(take_stock(tmp_path))
    structures(tmp_path / "rs", frame="9.8.7")
    with pytest.raises(InputError, match="goes with none of series 1"):
        choose(take_stock(tmp_path))


TURNED = np.array([[0.0, -1, 0, 5], [1, 0, 0, -3], [0, 0, 1, 2], [0, 0, 0, 1]])


def with_registration(folder, matrix=TURNED, **options):
    series(folder / "t1")
    structures(folder / "rs", frame="9.8.7")
    a_registration(folder / "reg", matrix, source="9.8.7", **options)
    return take_stock(folder)


def test_a_registration_leads_from_one_frame_to_the_other(tmp_path):
    chosen = choose(with_registration(tmp_path))
    assert how(chosen) == (1, 1, "through registration")
    np.testing.assert_allclose(chosen.matrix, TURNED)
    assert chosen.told.endswith("through registration 1.")
    back = read_registration(tmp_path / "reg", FRAME, "9.8.7")
    np.testing.assert_allclose(back @ TURNED, np.eye(4), atol=1e-12)
    assert read_registration(tmp_path / "reg", "4.4", FRAME) is None


def test_registrations_that_are_not_rigid_or_not_one_are_refused(tmp_path):
    scaled = np.diag([1.1, 1, 1, 1])
    with pytest.raises(InputError, match=r"is not rigid \(it scales"):
        choose(with_registration(tmp_path / "a", scaled, kind="AFFINE"))
    with pytest.raises(InputError, match="deformable, and is not applied"):
        choose(with_registration(tmp_path / "b", sop_class=DEFORMABLE))
    with_registration(tmp_path / "c")
    shifted = TURNED.copy()
    shifted[0, 3] += 2
    a_registration(tmp_path / "c" / "reg2", shifted, source="9.8.7", uid="1.2.3.5.8")
    with pytest.raises(InputError, match=r"Registration 1, registration 2 differ by up to 2\.0 mm"):
        choose(take_stock(tmp_path / "c"))


def test_the_frame_of_reference_is_enough_where_no_slice_is_named(shared_data):
    found = take_stock(shared_data / "dicom_mr_rtstruct")
    assert [len(found.series), len(found.structure_sets)] == [2, 2]
    assert [[pair.series.number for pair in pairs_of(found, each)] for each in found.structure_sets] == [[1], [2]]


def gap(folder):
    next(folder.glob("*-2.dcm")).unlink()


def cut_off(folder):
    path = next(folder.glob("*-2.dcm"))
    path.write_bytes(path.read_bytes()[:-20])


def of_another(folder):
    for path in list(folder.glob("*.dcm"))[:2]:
        data = pydicom.dcmread(path)
        data.PatientID = "another"
        data.save_as(path)


def emptied(folder):
    next(folder.glob("*-4.dcm")).write_bytes(bytes(400))


@pytest.mark.parametrize("spoil", [gap, cut_off, of_another, emptied])
def test_the_list_says_what_the_reading_says(tmp_path, spoil):
    a_folder(tmp_path / "mr")
    structures(tmp_path / "rs", refers_to=["1.2.3.2"])
    found = take_stock(tmp_path)
    assert refusals_of(pairs_of(found, found.structure_sets[0])) == []
    spoil(tmp_path / "mr")
    found = take_stock(tmp_path)
    (said,) = refusals_of(pairs_of(found, found.structure_sets[0]))
    chosen = choose(found)
    with pytest.raises(InputError) as read:
        read_image_of(chosen.folder, chosen.pair.series.first.series)
    assert said == f"Series 1: {read.value}"


def test_what_refers_to_a_series_in_another_frame_goes_with_nothing(tmp_path):
    a_folder(tmp_path / "mr")
    structures(tmp_path / "rs", frame="9.8.7", refers_to=["1.2.3.2"])
    found = take_stock(tmp_path)
    assert pairs_of(found, found.structure_sets[0]) == []
    with pytest.raises(InputError, match="goes with none of series 1"):
        choose(found)


def test_a_registration_that_cannot_be_applied_is_told_beforehand(tmp_path):
    found = with_registration(tmp_path, sop_class=DEFORMABLE)
    (said,) = refusals_of(pairs_of(found, found.structure_sets[0]))
    assert "deformable, and is not applied" in said


def test_two_names_under_one_id_are_told_and_ways_of_writing_one_are_not(tmp_path):
    a_folder(tmp_path / "mr", everywhere(PatientName="Doe^Jane", PatientID="7"))
    structures(tmp_path / "rs", refers_to=["1.2.3.2"], PatientName="DOE^JANE^^", PatientID="7")
    found = take_stock(tmp_path)
    assert (found.renamed, choose(found).doubts) == ({}, ())
    structures(tmp_path / "rs", refers_to=["1.2.3.2"], PatientName="Doe^John", PatientID="7")
    found = take_stock(tmp_path)
    assert (found.renamed, choose(found).doubts) == ({1: 2}, (RENAMED,))
    a_folder(tmp_path / "mixed", lambda data, n: setattr(data, "PatientName", f"Doe^{'AB'[n % 2]}"))
    (note,) = read_image_of(tmp_path / "mixed").notes
    assert "slices under 2 different names of patients and one ID" in note
    assert "Doe" not in note


def test_a_file_that_is_no_dicom_and_is_not_named_as_slices_are_is_counted(tmp_path):
    folder = a_folder(tmp_path / "mr")
    (folder / "x.dcm").write_bytes(b"no DICOM")
    (folder / "empty.dcm").write_bytes(b"")
    image = read_image_of(folder)
    assert image.notes == (
        "2 files in the DICOM folder are no DICOM files and were left out, though the name ends as its slices' do.",
    )
    assert take_stock(folder).no_dicom == ("empty.dcm", "x.dcm")
    (folder / "9-9.dcm").write_bytes(b"no DICOM")
    with pytest.raises(InputError, match=r"9-9.dcm .* is named as its slices are and is no DICOM file"):
        read_image_of(folder)
