"""DICOM slices and frames are looked at one by one: what forms no even stack of one geometry is refused."""

from __future__ import annotations

import shutil

import numpy as np
import pydicom
import pytest
from making_dicom import AXIAL, a_folder, a_group, an_enhanced_file, an_instance, volume, with_places
from pydicom.dataset import Dataset

from PulsarCAMLib.core.errors import GeometryError, InputError
from PulsarCAMLib.io.dicom import read_series
from PulsarCAMLib.io.dicom.files import read_header
from PulsarCAMLib.io.volumes import read_image_of, read_volume

pytestmark = pytest.mark.filterwarnings("error")


def is_right(path, scale=1):
    voxels, geometry = read_volume(path)
    np.testing.assert_allclose(voxels, volume(len(voxels)) * scale, rtol=1e-6)
    np.testing.assert_allclose(geometry.spacing, (0.5, 1.5, 3))
    np.testing.assert_allclose(geometry.origin, (-4, -5, 10))
    np.testing.assert_allclose(np.diag(geometry.direction), 1)
    return True


def test_an_even_stack_is_read_in_the_order_of_its_places(tmp_path):
    assert is_right(a_folder(tmp_path / "d"))
    assert read_volume(tmp_path / "d")[0].dtype == np.int16


def test_rounding_in_headers_is_no_fault(tmp_path):
    def rounded(data, n):
        data.ImagePositionPatient[2] += 0.02 * (n % 2)
        data.ImageOrientationPatient = [1, 1e-5 * n, 0, 0, 1, 0]
        data.PixelSpacing = [1.5 + 1e-5 * n, 0.5]

    voxels, geometry = read_volume(a_folder(tmp_path / "d", rounded))
    np.testing.assert_array_equal(voxels, volume())
    np.testing.assert_allclose(geometry.spacing, (0.5, 1.5, 3), atol=1e-2)


def only(n_changed, **values):
    """Changes elements of one file; None empties them, "gone" removes them."""

    def change(data, n):
        for keyword, value in values.items() if n == n_changed else ():
            if value == "gone":
                delattr(data, keyword)
            else:
                setattr(data, keyword, value)

    return change


def everywhere(**values):
    def change(data, n):
        only(n, **values)(data, n)

    return change


def bent(data, n):
    data.ImagePositionPatient = [-4, -5 + 0.6 * max(n - 1, 0), 10 + 3 * n]


def slowly_bent(data, n):
    data.ImagePositionPatient = [-4, -5 + 0.02 * n, 10 + 3 * n]


def two_echoes(data, n):
    data.ImagePositionPatient = [-4, -5, 10 + 3 * (n // 2)]
    data.EchoTime = (4, 20)[n % 2]


STACKS = {
    "a step is missing": (only(2, ImagePositionPatient=[-4, -5, 17.5]), GeometryError, r"not equally spaced \(1\.50"),
    "no positions": (everywhere(ImagePositionPatient="gone"), GeometryError, "they have no position"),
    "one without a position": (only(3, ImagePositionPatient="gone"), GeometryError, "1 of 5 have no position"),
    "an empty position": (only(0, ImagePositionPatient=None), GeometryError, "1 of 5 have no position"),
    "two coordinates": (only(0, ImagePositionPatient=[1, 2]), GeometryError, "1 of 5 have no position"),
    "no orientation": (only(1, ImageOrientationPatient="gone"), GeometryError, "1 of 5 have no orientation"),
    "no pixel size": (everywhere(PixelSpacing="gone"), GeometryError, "they have no pixel size"),
    "an empty pixel size": (only(4, PixelSpacing=None), GeometryError, "1 of 5 have no pixel size"),
    "pixels of no size": (everywhere(PixelSpacing=[0, 0]), GeometryError, "does not say its voxel size|voxel size"),
    "pixels of a kilometre": (everywhere(PixelSpacing=[1e6, 1e6]), GeometryError, "cannot be"),
    "pixel sizes differ": (only(3, PixelSpacing=[1.5, 0.6]), GeometryError, r"different pixel sizes \(0\.5 to 1\.5"),
    "one is turned": (only(3, ImageOrientationPatient=[0, 1, 0, 1, 0, 0]), GeometryError, r"1 of 5 are turned"),
    "one is mirrored": (only(0, ImageOrientationPatient=[-1, 0, 0, 0, 1, 0]), GeometryError, "different orientations"),
    "axes of no length": (everywhere(ImageOrientationPatient=[0, 0, 0, 0, 1, 0]), GeometryError, "perpendicular"),
    "axes not perpendicular": (everywhere(ImageOrientationPatient=[1, 0, 0, 0.6, 0.8, 0]), GeometryError, "perpend"),
    "far away": (only(4, ImagePositionPatient=[-4, -5, 1e9]), GeometryError, "cannot be|not equally"),
    "all at one place": (everywhere(ImagePositionPatient=[-4, -5, 10]), GeometryError, "all at one position"),
    "one twice": (only(4, ImagePositionPatient=[-4, -5, 19]), GeometryError, "at 4 positions only, though there are 5"),
    "two echoes": (two_echoes, GeometryError, r"they differ in echo time: 20\.?0?, 4"),
    "bent": (bent, GeometryError, r"tilt of 11\.3 degrees"),
    "no slope": (only(2, RescaleSlope=None, RescaleIntercept=0), InputError, "how their values are scaled"),
    "a slope of nothing": (everywhere(RescaleSlope=0, RescaleIntercept=0), InputError, "how their values are scaled"),
    "only an offset": (only(2, RescaleIntercept=5), InputError, "how their values are scaled"),
    "one slope of 1000": (
        only(2, RescaleSlope=1000, RescaleIntercept=0),
        InputError,
        r"\(RescaleSlope\), and slice 3 of 5 has \d+ times the values of its neighbours; export",
    ),
    "more pixels than rows": (only(1, PixelData=bytes(112)), InputError, "holds 112 bytes .* its header says 96"),
    "another size": (only(2, Rows=8, Columns=6), InputError, "differ in size or kind"),
    "no rows": (only(2, Rows="gone"), InputError, "does not say the size"),
    "another kind": (only(2, PhotometricInterpretation="MONOCHROME1"), InputError, "differ in size or kind"),
    "pixels cut": (only(1, PixelData=b"\0" * 50), InputError, "holds 50 of 96 bytes"),
    "no pixels": (only(1, PixelData="gone"), InputError, "holds 0 of 96 bytes"),
}


@pytest.mark.parametrize("case", STACKS)
def test_what_is_no_even_stack_is_refused(tmp_path, case):
    change, error, told = STACKS[case]
    with pytest.raises(error, match=told):
        read_volume(a_folder(tmp_path / "d", change))


def test_small_tilts_that_add_up_are_refused(tmp_path):
    with pytest.raises(GeometryError, match=r"up to 0\.4 mm off"):
        read_volume(a_folder(tmp_path / "d", slowly_bent, slices=20))


@pytest.mark.parametrize("keyword", ["ImagePositionPatient", "PixelSpacing", "RescaleSlope"])
@pytest.mark.parametrize("text", [b"left", b"1\\two\\3", b"nan\\nan\\nan", b" ", b"1e999\\0\\0"])
def test_words_where_numbers_belong_are_told(tmp_path, keyword, text):
    folder = a_folder(tmp_path / "d", everywhere(RescaleSlope=1, RescaleIntercept=0))
    path = sorted(folder.iterdir())[2]
    number = int(pydicom.datadict.tag_for_keyword(keyword))
    tag = (number >> 16).to_bytes(2, "little") + (number & 0xFFFF).to_bytes(2, "little") + b"DS"
    content = path.read_bytes()
    at = content.index(tag) + len(tag)
    end = at + 2 + int.from_bytes(content[at : at + 2], "little")
    text += b" " * (len(text) % 2)
    path.write_bytes(content[:at] + len(text).to_bytes(2, "little") + text + content[end:])
    with pytest.raises(InputError, match=r"1 of 5 have no|how their values are scaled"):
        read_volume(folder)


def test_slopes_and_types_of_each_slice_are_kept(tmp_path):
    def scaled(data, n):
        data.RescaleSlope, data.RescaleIntercept = (1, 0.01)[n > 0], 0
        data.PixelData = (volume()[n] * (1, 100)[n > 0] + n).astype("<i2").tobytes()

    voxels, _ = read_volume(a_folder(tmp_path / "d", scaled))
    assert voxels.dtype == np.float32
    np.testing.assert_allclose(voxels, volume() + np.array([0, 0.01, 0.02, 0.03, 0.04])[:, None, None], rtol=1e-6)

    def unsigned(data, n):
        if n == 3:
            data.PixelRepresentation = 0
            data.PixelData = np.full((6, 8), 60000, "<u2").tobytes()

    assert read_volume(a_folder(tmp_path / "e", unsigned))[0][3].min() == 60000


def test_positions_in_tenths_of_a_millimetre_are_rounded(tmp_path):
    """Steps of 0.75 mm come as 0.7 and 0.8, and oblique ones seem to bend: 0.05 mm in each coordinate, no more."""

    def rounded(data, n):
        data.ImagePositionPatient = [-4, round(-5 + 0.04 * n, 1), round(10 + 0.75 * n, 1)]

    _, geometry = read_volume(a_folder(tmp_path / "d", rounded, slices=3))
    assert geometry.spacing[2] == pytest.approx(0.75, abs=0.03)

    def lacks_one(data, n):
        data.ImagePositionPatient = [-4, -5, round(10 + 0.3 * (n + (n > 5)), 1)]

    with pytest.raises(GeometryError, match=r"not equally spaced \(0\.30 to 0\.60 mm\): slices are missing"):
        read_volume(a_folder(tmp_path / "e", lacks_one, slices=12))


def test_a_copy_of_a_slice_is_taken_once_and_told(tmp_path):
    folder = a_folder(tmp_path / "d")
    one = sorted(folder.iterdir())[1]
    (folder / "copy of it.dcm").write_bytes(one.read_bytes())
    image = read_image_of(folder)
    np.testing.assert_array_equal(image.voxels, volume())
    assert image.notes == (
        "copy of it.dcm in the DICOM folder is a copy of a slice that is there already, and was left out.",
    )
    data = pydicom.dcmread(one)
    data.PixelData = bytes(96)
    data.save_as(folder / "copy of it.dcm")
    with pytest.raises(GeometryError, match="at 5 positions only, though there are 6"):
        read_volume(folder)


def test_what_is_no_mr_by_its_header_is_told(tmp_path):
    image = read_image_of(a_folder(tmp_path / "d", everywhere(Modality="CT", PhotometricInterpretation="MONOCHROME1")))
    assert [each.split("d is of ")[-1].split("d says ")[-1] for each in image.notes] == [
        "the modality CT by its header; was an MRI meant?",
        "that its low values are bright (MONOCHROME1); its numbers are taken as they are.",
    ]
    assert read_image_of(a_folder(tmp_path / "e")).notes == ()
    (told,) = read_image_of(a_folder(tmp_path / "f", only(2, FrameOfReferenceUID="1.9"))).notes
    assert "slices of several frames of reference" in told


@pytest.mark.parametrize("held", [b"", bytes(300), b"no DICOM at all"])
def test_a_slice_whose_file_was_emptied_is_missed(tmp_path, held):
    """Also the first or the last, which leaves no gap."""
    folder = a_folder(tmp_path / "d")
    last = next(folder.glob("*-4.dcm"))
    last.write_bytes(held)
    (folder / "notes.txt").write_bytes(held)
    with pytest.raises(InputError, match=rf"{last.name} .* is no DICOM file, .*; copy the folder again"):
        read_volume(folder)
    for path in list(folder.glob("*.dcm")):
        path.rename(path.with_suffix(""))
    if held[:1] == b"n":
        assert read_volume(folder)[0].shape == (4, 6, 8)
    else:
        with pytest.raises(InputError, match="is empty"):
            read_volume(folder)


@pytest.mark.parametrize("count", [None, 1, 3])
def test_frames_that_the_header_does_not_count_are_missed(tmp_path, count):
    path = an_enhanced_file(tmp_path / "e.dcm", range(5))
    data = pydicom.dcmread(path)
    del data.NumberOfFrames
    if count:
        data.NumberOfFrames = count
    data.PixelData = data.PixelData[: (count or 1) * 96]
    data.save_as(path)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "e.dcm").write_bytes(path.read_bytes())
    for where in (path, tmp_path / "d"):
        with pytest.raises(InputError, match=rf"says {count or 1} frames \(NumberOfFrames\), and where 5 lie"):
            read_volume(where)


def test_a_damaged_file_in_a_folder_is_named(tmp_path):
    folder = a_folder(tmp_path / "d")
    last = sorted(folder.iterdir())[-1]
    content = last.read_bytes()
    for held in (len(content) - 10, 700, 300, 140):
        last.write_bytes(content[:held])
        with pytest.raises(InputError, match=r"damaged|holds 2 DICOM image series"):
            read_volume(folder)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"])
def test_what_follows_the_voxels_must_be_elements(tmp_path, syntax):
    """A native reader would take lengths from it, and as much memory."""
    folder = a_folder(tmp_path / "d")
    for path in folder.iterdir():
        data = pydicom.dcmread(path)
        data.DataSetTrailingPadding = b"\0" * 20
        order = {"implicit_vr": syntax.endswith(".1.2"), "little_endian": not syntax.endswith(".2.2")}
        if syntax.endswith(".2.2"):
            data.PixelData = np.frombuffer(data.PixelData, "<i2").astype(">i2").tobytes()
        data.file_meta.TransferSyntaxUID = syntax
        pydicom.dcmwrite(path, data, enforce_file_format=True, **order)
    assert is_right(folder)
    path = sorted(folder.iterdir())[1]
    path.write_bytes(path.read_bytes() + bytes(range(1, 40)))
    with pytest.raises(InputError, match="its elements cannot be read"):
        read_volume(folder)


def nested(path):
    """A slice with a sequence in a sequence; the length of the innermost element stands 4 bytes before "inner"."""
    data = an_instance(volume(1)[0], 1)
    data.ImagePositionPatient, data.ImageOrientationPatient, data.PixelSpacing = [-4, -5, 13], AXIAL, [1.5, 0.5]
    outer, inner = Dataset(), Dataset()
    inner.ImageComments = "inner"
    outer.ReferencedImageSequence = [inner]
    data.SourceImageSequence = [outer]
    data.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("length", [b"\xff\xf0", b"\x08\x00"])
def test_elements_must_lie_within_their_sequences(tmp_path, length):
    path = nested(tmp_path / "s.dcm")
    assert read_header(path).pixel_bytes == 96
    content = path.read_bytes()
    at = content.index(b"inner")
    path.write_bytes(content[: at - 2] + length + content[at:])
    with pytest.raises(InputError, match="its elements cannot be read"):
        read_header(path)


@pytest.mark.parametrize(("old", "new"), [(b"UI", b"U("), (b"UI\x1a\x00", b"UI\x1a\xff"), (b"CS", b"??")])
def test_kinds_and_lengths_of_elements_must_be_known(tmp_path, old, new):
    path = nested(tmp_path / "s.dcm")
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    with pytest.raises(InputError, match="its elements cannot be read"):
        read_header(path)


def test_other_files_of_a_folder_are_passed_over(tmp_path):
    folder = a_folder(tmp_path / "d")
    (folder / "readme.txt").write_text("hello")
    (folder / "DICOMDIR").write_bytes(b"")
    (folder / "deeper").mkdir()
    other = an_instance(volume(1)[0], 9)
    other.Modality, other.SeriesInstanceUID = "SR", "1.2.3.9"
    other.save_as(folder / "report.dcm", enforce_file_format=True)
    assert is_right(folder)


def test_a_file_without_a_preamble_is_read(tmp_path):
    folder = a_folder(tmp_path / "d")
    for path in folder.iterdir():
        data = pydicom.dcmread(path)
        data.preamble = None
        data.file_meta.preamble = None
        path.write_bytes(path.read_bytes()[132:])
    assert is_right(folder)


def test_a_folder_with_one_slice_is_refused(tmp_path):
    with pytest.raises(InputError, match="a single DICOM slice, which has no thickness to the next"):
        read_volume(a_folder(tmp_path / "d", slices=1))


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (0, 2, 4, 1, 3)])
def test_frames_are_sorted_by_their_own_places(tmp_path, order):
    path = an_enhanced_file(tmp_path / "e.dcm", order)
    assert is_right(path)
    (tmp_path / "d").mkdir()
    shutil.copy(path, tmp_path / "d")
    assert is_right(tmp_path / "d")
    assert read_image_of(path).source.instance_uids == ("1.2.3.4.7",)


def test_frames_have_their_own_slopes(tmp_path):
    def scaled(slopes):
        return lambda frame, n: a_group(
            frame, "PixelValueTransformationSequence", RescaleSlope=slopes[n], RescaleIntercept=0, RescaleType="US"
        )

    assert is_right(an_enhanced_file(tmp_path / "e.dcm", range(5), scaled([2] * 5)), 2)
    slopes = [2, 0.5, 1, 1, 1e-3]
    found = is_right(an_enhanced_file(tmp_path / "f.dcm", range(5), scaled(slopes)), np.array(slopes)[:, None, None])
    assert found


def echo(frame, n):
    a_group(frame, "MREchoSequence", EffectiveEchoTime=(4.0, 20.0)[n % 2])


def time_point(frame, n):
    a_group(frame, "FrameContentSequence", TemporalPositionIndex=1 + n % 2)


FRAMES = {
    "one is missing": ((0, 1, 3, 4), lambda frame, n: None, r"not equally spaced \(3\.00 to 6\.00"),
    "two echoes": ((0, 0, 1, 1, 2, 2), echo, r"at 3 positions only, though there are 6 \(they differ in echo time: 20"),
    "two time points": ((0, 0, 1, 1, 2, 2), time_point, r"they differ in time point: 1, 2\)"),
    "a copy": ((0, 1, 2, 3, 3), lambda frame, n: None, "several time points, echoes or copies"),
    "one position": ((2, 2, 2), lambda frame, n: None, "are all at one position"),
    "one is turned": (
        (0, 1, 2),
        lambda frame, n: (
            a_group(frame, "PlaneOrientationSequence", ImageOrientationPatient=[0, 1, 0, 0, 0, -1]) if n == 1 else None
        ),
        "1 of 3 are turned",
    ),
    "no place": ((0, 1, 2), lambda frame, n: delattr(frame, "PlanePositionSequence"), "they have no position"),
    "one empty place": (
        (0, 1, 2),
        lambda frame, n: a_group(frame, "PlanePositionSequence") if n == 1 else None,
        "1 of 3 have no position",
    ),
}


@pytest.mark.parametrize("case", FRAMES)
def test_frames_that_are_no_even_stack_are_refused(tmp_path, case):
    order, change, told = FRAMES[case]
    with pytest.raises(GeometryError, match=told):
        read_volume(an_enhanced_file(tmp_path / "e.dcm", order, change))


def test_a_multi_frame_object_without_functional_groups_has_no_place(tmp_path):
    data = an_instance(volume(), 7, "1.2.840.10008.5.1.4.1.1.7.3")
    data.NumberOfFrames, data.ImagePositionPatient, data.PixelSpacing = 5, [0, 0, 0], [1, 1]
    data.save_as(tmp_path / "e.dcm", enforce_file_format=True)
    with pytest.raises(GeometryError, match="they have no position"):
        read_volume(tmp_path / "e.dcm")


@pytest.mark.parametrize(("count", "told"), [(50, "holds 480 of 4800 bytes"), (10**9, "holds 480 of 96000000000")])
def test_a_file_with_fewer_frames_than_it_says_is_damaged(tmp_path, count, told):
    path = an_enhanced_file(tmp_path / "e.dcm", range(5))
    data = pydicom.dcmread(path)
    data.NumberOfFrames = count
    data.save_as(path)
    with pytest.raises(InputError, match=told):
        read_volume(path)


def test_several_multi_frame_files_of_a_series_are_told(tmp_path):
    (tmp_path / "d").mkdir()
    an_enhanced_file(tmp_path / "d" / "a.dcm", range(5))
    an_enhanced_file(tmp_path / "d" / "b.dcm", range(4, -1, -1))
    with pytest.raises(InputError, match=r"2 files with many frames each \(a\.dcm, b\.dcm\); give one of them"):
        read_volume(tmp_path / "d")
    assert is_right(tmp_path / "d" / "a.dcm")


def test_colours_are_refused(tmp_path):
    def coloured(data, n):
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
        data.BitsAllocated = data.BitsStored = 8
        data.HighBit = 7
        data.PixelRepresentation = 0
        data.PixelData = bytes(6 * 8 * 3)

    with pytest.raises(InputError, match="not one 3D volume with one value per voxel"):
        read_volume(a_folder(tmp_path / "d", coloured))


def test_shared_positions_count_for_every_frame(tmp_path):
    data = an_instance(volume(), 7, "1.2.840.10008.5.1.4.1.1.4.1")
    data.NumberOfFrames = 5
    with_places(data, [[-4, -5, 10]] * 5)
    shared, frames = data.SharedFunctionalGroupsSequence[0], data.PerFrameFunctionalGroupsSequence
    shared.PlanePositionSequence = frames[0].PlanePositionSequence
    for frame in frames:
        del frame.PlanePositionSequence
    data.save_as(tmp_path / "e.dcm", enforce_file_format=True)
    with pytest.raises(GeometryError, match="all at one position"):
        read_volume(tmp_path / "e.dcm")


def test_slices_of_two_patients_are_no_image(tmp_path):
    def change(data, n):
        data.PatientID = "A" if n < 3 else "B"

    with pytest.raises(InputError, match="different patients"):
        read_series(a_folder(tmp_path / "mixed", change))


def test_cosines_of_three_decimals_are_no_tilt(tmp_path):
    row, column = np.array([0.983, 0.105, -0.151]), np.array([-0.084, 0.987, 0.139])  # as long as 0.9998
    along = np.cross(row, column)

    def change(data, n):
        data.ImageOrientationPatient = [*row, *column]
        data.ImagePositionPatient = list(map(float, 3 * n * along / np.linalg.norm(along)))

    assert read_series(a_folder(tmp_path / "rounded", change)).geometry.shape == (5, 6, 8)
