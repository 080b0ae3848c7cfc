"""Structure set, segmentation, parametric map and dose, made of known voxels and read back by other code."""

import numpy as np
import pydicom
import pytest

pytest.importorskip("highdicom", reason="highdicom (extra dicom) is not installed")

from making_dicom_objects import a_maker, a_ramp, a_source, some_regions, valid
from making_files import OBLIQUE, reversed_axes
from making_structures import a_contour, a_square, a_structure_set, on_plane, shoelace_mm2

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.io.dicom.segments import read_segment_voxels, read_segments
from PulsarCAMLib.io.dicom.structures import read_structures
from PulsarCAMLib.io.dose import read_dose
from PulsarCAMLib.lesions.from_structures import lesions_from_structures
from PulsarCAMLib.outputs.dicom.dose_grid import dose_of
from PulsarCAMLib.outputs.dicom.parametric_map import _in_order, parametric_map_of
from PulsarCAMLib.outputs.dicom.segmentation import segmentation_of
from PulsarCAMLib.outputs.dicom.structure_set import Region, structure_set_of
from PulsarCAMLib.outputs.dicom.tracking import tracked

OF_PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "FrameOfReferenceUID")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return a_source(tmp_path_factory.mktemp("study") / "mri")[0]


def saved(made, path):
    made.save_as(path, enforce_file_format=True)
    return pydicom.dcmread(path)


def regions_of(lesions, activated=True):
    return [Region(each, "above half the maximum", "" if activated else "GTV", activated) for each in lesions]


def a_map(source, values, inside=None):
    return parametric_map_of(values, source, a_maker(), "a ramp", ("ramp", "Ramp"), "no unit", (0.0, 12.0), inside)


def test_structures_are_read_back_voxel_by_voxel(source, tmp_path):
    path = tmp_path / "rs.dcm"
    made = saved(structure_set_of(regions_of(some_regions()), source, a_maker()), path)
    names = ["GTV links, ä activated", "small_one activated"]
    assert [each.ROIName for each in made.StructureSetROISequence] == names
    found, _ = lesions_from_structures(path, OBLIQUE, wanted=names, frame=str(made.FrameOfReferenceUID))
    for lesion, region in zip(found, some_regions()[:2], strict=True):
        assert np.array_equal(lesion.full_mask(OBLIQUE.shape), region.full_mask(OBLIQUE.shape))
        assert lesion.volume_cm3(OBLIQUE) == pytest.approx(region.voxels * OBLIQUE.voxel_volume_mm3 / 1000, rel=1e-5)


def test_contours_lie_on_the_border_of_the_voxels(source, tmp_path):
    path = tmp_path / "rs.dcm"
    saved(structure_set_of(regions_of(some_regions()), source, a_maker()), path)
    structure = read_structures(path).structures[1]
    (contour,) = structure.contours
    corners = OBLIQUE.to_lps(np.array([[49.5, 39.5, 9], [50.5, 39.5, 9], [50.5, 40.5, 9], [49.5, 40.5, 9]]))
    assert max(np.linalg.norm(corners - point, axis=1).min() for point in contour) < 1e-4
    assert shoelace_mm2(contour) == pytest.approx(OBLIQUE.spacing[0] * OBLIQUE.spacing[1], rel=1e-4)


def test_numbers_fit_into_sixteen_characters_and_contours_name_their_slice(source, tmp_path):
    made = saved(structure_set_of(regions_of(some_regions()), source, a_maker()), tmp_path / "rs.dcm")
    for item in made.ROIContourSequence:
        for contour in item.ContourSequence:
            assert max(len(text) for text in contour.get_item("ContourData").value.decode().split("\\")) <= 16
            k = OBLIQUE.to_ijk(np.array(contour.ContourData[:3], float))[2]
            image = contour.ContourImageSequence[0]
            assert image.ReferencedSOPInstanceUID == source.headers[round(k)].SOPInstanceUID


def test_the_users_structures_stay_as_they_are(source, tmp_path):
    old = tmp_path / "user.dcm"
    drawn = [("GTV 1", [on_plane(a_square(5), 4, OBLIQUE)]), ("point", [a_contour(np.zeros((1, 3)), "POINT")])]
    a_structure_set(old, drawn, kinds=("GTV", "ISOCENTER"), numbers=(7, 3), change=valid, ApprovalStatus="APPROVED")
    before = old.read_bytes()
    made = saved(structure_set_of(regions_of(some_regions()), source, a_maker(), old), tmp_path / "rs.dcm")
    theirs = pydicom.dcmread(old)
    assert old.read_bytes() == before
    assert [each.ROINumber for each in made.StructureSetROISequence] == [7, 3, 8, 9]
    assert made.StructureSetROISequence[:2] == theirs.StructureSetROISequence[:2]
    assert made.ROIContourSequence[:2] == theirs.ROIContourSequence[:2]
    assert made.PredecessorStructureSetSequence[0].ReferencedSOPInstanceUID == theirs.SOPInstanceUID
    assert made.SOPInstanceUID != theirs.SOPInstanceUID
    assert made.SeriesInstanceUID != theirs.SeriesInstanceUID
    assert made.ApprovalStatus == "UNAPPROVED"
    assert str(made.PatientName) == "Müller^Jürgen"
    assert "Research use only" in made.StructureSetDescription


def test_a_structure_set_of_another_patient_is_refused(source, tmp_path):
    a_structure_set(tmp_path / "o.dcm", [("GTV", [on_plane(a_square(5), 4, OBLIQUE)])], PatientID="other")
    with pytest.raises(InputError, match="of another patient"):
        structure_set_of([], source, a_maker(), tmp_path / "o.dcm")


def test_segments_are_read_back_voxel_by_voxel(source, tmp_path):
    regions = some_regions()
    path = tmp_path / "seg.dcm"
    made = saved(segmentation_of(regions, source, a_maker(), "lesion", "activated", True), path)
    assert made.SegmentationType == "BINARY"
    assert [each.name for each in read_segments(path).segments] == ["GTV links, ä activated", "small_one activated"]
    assert_voxels(path, regions[:2])
    own = made.SegmentSequence[0]
    assert own.TrackingUID == tracked(source, "GTV links, ä", True)[0] != made.SegmentSequence[1].TrackingUID
    algorithm = own.SegmentationAlgorithmIdentificationSequence[0]
    assert algorithm.AlgorithmName == "PulsarCAM"
    assert a_maker().card.sha256 in algorithm.AlgorithmParameters


def test_segments_that_overlap_keep_all_their_voxels(source, tmp_path):
    first, second, _ = some_regions()
    within = type(second)("within", first.mask[1:3, 1:5, 1:5].copy(), (4, 11, 9))
    made = segmentation_of([first, within, second], source, a_maker(), "lesion", "x", True)
    saved(made, tmp_path / "seg.dcm")
    assert_voxels(tmp_path / "seg.dcm", [first, within, second])


def assert_voxels(path, regions):
    voxels, place = read_segment_voxels(path, range(1, len(regions) + 1))
    for own, region in zip(voxels, regions, strict=True):
        there = place.to_lps(np.argwhere(own)[:, ::-1])
        wanted = OBLIQUE.to_lps((np.argwhere(region.mask) + region.offset)[:, ::-1])
        assert there.shape == wanted.shape
        order = [np.lexsort(np.round(points, 2).T) for points in (there, wanted)]
        assert np.allclose(there[order[0]], wanted[order[1]], atol=1e-3)


def test_nothing_to_segment_is_no_object(source):
    assert segmentation_of(some_regions()[2:], source, a_maker(), "lesion", "activated", True) is None


@pytest.mark.parametrize("order", [[2, 3, 4], [4, 3, 2], [1, 0], [0, 1], [5], [0, 2, 1], [5, 3, 1]])
def test_frames_are_put_in_any_order(order):
    frames = np.arange(24.0).reshape(6, 2, 2)
    assert np.array_equal(_in_order(frames, np.array(order)), np.stack([frames[n] for n in order]))


@pytest.mark.parametrize("inside", [None, (4, 7), (11, 12), (0, 1)])
def test_frames_of_a_map_ascend_along_the_normal(source, tmp_path, inside):
    ramp = a_ramp()
    made = saved(a_map(source, ramp, inside), tmp_path / "pm.dcm")
    shared = made.SharedFunctionalGroupsSequence[0]
    cosines = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
    places = [group.PlanePositionSequence[0].ImagePositionPatient for group in made.PerFrameFunctionalGroupsSequence]
    heights = np.array(places, float) @ np.cross(cosines[:3], cosines[3:])
    assert len(heights) >= 2
    assert (np.diff(heights) > 2.9).all()
    frames = np.frombuffer(made.FloatPixelData, "<f4").reshape(-1, made.Rows, made.Columns)
    for n, (frame, place) in enumerate(zip(frames, places, strict=True)):
        k = round(OBLIQUE.to_ijk(np.array(place, float))[2])
        assert np.array_equal(frame, ramp[k])
        group = made.PerFrameFunctionalGroupsSequence[n]
        image = group.DerivationImageSequence[0].SourceImageSequence[0]
        assert image.ReferencedSOPInstanceUID == source.headers[k].SOPInstanceUID
        assert group.FrameContentSequence[0].DimensionIndexValues in (n + 1, [n + 1])
    assert shared.FrameAnatomySequence[0].FrameLaterality == "U"


def test_ohif_finds_what_it_asks_of_a_map(source, tmp_path):
    """Rows and columns of the source, its series, one orientation for all frames, and a real-world value mapping."""
    made = saved(a_map(source, a_ramp(), (4, 7)), tmp_path / "pm.dcm")
    assert (made.Rows, made.Columns) == OBLIQUE.shape[1:]
    assert made.ReferencedSeriesSequence[0].SeriesInstanceUID == source.first.SeriesInstanceUID
    shared = made.SharedFunctionalGroupsSequence[0]
    mapping = shared.RealWorldValueMappingSequence[0]
    assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1, 0)
    assert mapping.LUTExplanation == "Ramp: no unit"
    assert mapping.QuantityDefinitionSequence[0].ConceptCodeSequence[0].CodeMeaning == "Ramp"
    assert made.ContentCreatorName == "PulsarCAM^"
    assert made.ContentLabel == "RESEARCH_ONLY"
    assert made.ContentDescription.startswith("Research use only")


@pytest.mark.parametrize("geometry", [OBLIQUE, reversed_axes(OBLIQUE, (2,)), reversed_axes(OBLIQUE, (0,))])
def test_a_dose_is_read_back_where_it_is(source, tmp_path, geometry):
    dose = a_ramp() * 5
    made = saved(dose_of(dose, geometry, source, a_maker(), "prescription"), tmp_path / "rd.dcm")
    found, place = read_dose(tmp_path / "rd.dcm")
    ijk = np.array([[0, 0, 0], [3, 40, 9], [60, 2, 11]])
    at = np.rint(place.to_ijk(geometry.to_lps(ijk))).astype(int)
    for (i, j, k), (ii, jj, kk) in zip(ijk, at, strict=True):
        assert found[kk, jj, ii] == pytest.approx(dose[k, j, i], abs=1e-5)
    assert np.allclose(place.to_lps(at), geometry.to_lps(ijk), atol=1e-3)
    assert made.DoseComment == "Research use only: prescription"


@pytest.mark.parametrize("change", [lambda dose: dose - 1, lambda dose: dose * np.nan, lambda dose: dose + 2000])
def test_what_is_no_dose_is_refused(source, change):
    with pytest.raises(InputError, match="between 0 and 1000 Gy"):
        dose_of(change(a_ramp()), OBLIQUE, source, a_maker(), "prescription")


def test_every_object_is_the_patients_and_new(source, tmp_path):
    made = [
        structure_set_of(regions_of(some_regions()), source, a_maker()),
        segmentation_of(some_regions(), source, a_maker(), "lesion", "activated", True),
        a_map(source, a_ramp()),
        dose_of(a_ramp(), OBLIQUE, source, a_maker(), "prescription"),
    ]
    read = [saved(each, tmp_path / f"{n}.dcm") for n, each in enumerate(made)]
    for each in read:
        assert [str(each.get(key)) for key in OF_PATIENT] == [str(source.first.get(key)) for key in OF_PATIENT]
        assert str(each.PatientName) == "Müller^Jürgen"
        assert "Research use only" in each.SeriesDescription
        assert each.DeviceSerialNumber == a_maker().card.sha256
        assert each.SoftwareVersions[0].startswith("PulsarCAM ")
    for key in ("SOPInstanceUID", "SeriesInstanceUID"):
        uids = [each.get(key) for each in read]
        assert len({*uids, source.first.get(key)}) == len(read) + 1


def test_a_lesion_keeps_its_tracking_uid_at_the_next_visit(source, tmp_path):
    def next_visit(data, n):
        valid(data, n)
        data.StudyInstanceUID, data.StudyDate = "1.2.3.77", "20260901"

    def another_patient(data, n):
        valid(data, n)
        data.PatientID = "other"

    later, _ = a_source(tmp_path / "later", next_visit)
    other, _ = a_source(tmp_path / "other", another_patient)
    own = tracked(source, "GTV 1", False)
    assert tracked(later, "GTV 1", False) == own
    assert (
        len({own, tracked(other, "GTV 1", False), tracked(source, "GTV 2", False), tracked(source, "GTV 1", True)}) == 4
    )


def test_headers_that_the_standard_does_not_know_still_do(tmp_path):
    def odd(data, n):
        data.PatientSex, data.PatientBirthDate, data.StudyTime = "unknown", "1962", "noon"

    source, _ = a_source(tmp_path / "mri", odd)
    made = saved(a_map(source, a_ramp()), tmp_path / "pm.dcm")
    assert (made.PatientSex, made.PatientBirthDate, made.StudyTime) == ("", "", "")
    assert made.PatientID == "12345"
