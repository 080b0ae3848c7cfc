"""DICOM slices and frames are looked at one by one: what forms no even stack of one geometry is refused."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from making_dicom import AXIAL, a_folder, an_enhanced_file, an_instance, is_right, volume
from pydicom.dataset import Dataset

from PulsarCAMLib.core.errors import GeometryError, InputError
from PulsarCAMLib.io.dicom import read_series
from PulsarCAMLib.io.dicom.files import read_header
from PulsarCAMLib.io.volumes import read_image_of, read_volume

pytestmark = pytest.mark.filterwarnings("error")


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
        "that its low values are shown bright (MONOCHROME1), so its numbers are turned round, as viewers and 3D Slicer "
        "show them; if it looks like a negative there, export it as MONOCHROME2.",
    ]
    assert read_image_of(a_folder(tmp_path / "e")).notes == ()
    (told,) = read_image_of(a_folder(tmp_path / "f", only(2, FrameOfReferenceUID="1.9"))).notes
    assert "slices of several frames of reference" in told


def test_an_image_whose_low_values_are_bright_is_read_as_viewers_show_it(tmp_path):
    """For 16 bits as SimpleITK, and so 3D Slicer, reads each slice; of 12 bits, which that cannot read, by hand."""
    negative = {"PhotometricInterpretation": "MONOCHROME1"}
    for n, own in enumerate(({}, {"RescaleSlope": 2, "RescaleIntercept": -5}, {"PixelRepresentation": 0})):
        folder = a_folder(tmp_path / str(n), everywhere(**negative, **own))
        files = sorted(folder.iterdir(), key=lambda path: path.stem[-1])
        expected = np.concatenate([sitk.GetArrayFromImage(sitk.ReadImage(str(path))) for path in files])
        np.testing.assert_array_equal(read_volume(folder)[0], expected)
    for sign, top in ((0, 4095), (1, -1)):
        own = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": sign}
        voxels, geometry = read_volume(a_folder(tmp_path / f"{sign}-12", everywhere(**negative, **own)))
        np.testing.assert_array_equal(voxels, top - volume())
        np.testing.assert_allclose(geometry.origin, (-4, -5, 10))
    path = an_enhanced_file(tmp_path / "e.dcm", (3, 1, 4, 0, 2))
    data = pydicom.dcmread(path)
    data.PhotometricInterpretation = "MONOCHROME1"
    data.save_as(path)
    image = read_image_of(path)
    np.testing.assert_array_equal(image.voxels, -1 - volume())
    assert "turned round" in image.notes[0]


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


def test_colours_are_refused(tmp_path):
    def coloured(data, n):
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
        data.BitsAllocated = data.BitsStored = 8
        data.HighBit = 7
        data.PixelRepresentation = 0
        data.PixelData = bytes(6 * 8 * 3)

    with pytest.raises(InputError, match="not one 3D volume with one value per voxel"):
        read_volume(a_folder(tmp_path / "d", coloured))


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
