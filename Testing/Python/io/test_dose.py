"""Planned dose from files: RTDOSE in Gy in its place, and refusals that say why."""

import numpy as np
import pytest
from making_files import PLAIN, a_volume, written

from PulsarCAMLib.core.case import Image
from PulsarCAMLib.core.errors import GeometryError, InputError
from PulsarCAMLib.core.inputs import DOSE, InputRole
from PulsarCAMLib.io.dose import _refuse_other_doses, doubts_on_dose, read_dose, read_dose_file
from PulsarCAMLib.io.inputs import doubts_on, read_input, read_map
from PulsarCAMLib.outputs.volumes import write_volume

pydicom = pytest.importorskip("pydicom")

STORED = np.arange(4 * 3 * 5, dtype=np.uint16).reshape(4, 3, 5)


def an_rtdose(path, **changes):
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.481.2"
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["a"])
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    fields = {
        "Modality": "RTDOSE", "DoseUnits": "GY", "DoseType": "PHYSICAL", "DoseSummationType": "PLAN",
        "DoseGridScaling": "0.5", "NumberOfFrames": 4, "Rows": 3, "Columns": 5, "PixelSpacing": [2.0, 1.5],
        "ImagePositionPatient": [10.0, 20.0, 30.0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "GridFrameOffsetVector": [0.0, 3.0, 6.0, 9.0], "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0, "PixelData": STORED.tobytes(),
    } | changes  # fmt: skip
    for name, value in fields.items():
        setattr(data, name, value)
    data.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize(
    ("changes", "third_plane"),
    [
        ({}, 36.0),
        ({"GridFrameOffsetVector": [30.0, 33.0, 36.0, 39.0]}, 36.0),
        ({"GridFrameOffsetVector": [0.0, -3.0, -6.0, -9.0]}, 24.0),
        ({"ImageOrientationPatient": [1, 0, 0, 0, -1, 0]}, 24.0),
        ({"ImageOrientationPatient": [1, 0, 0, 0, -1, 0], "GridFrameOffsetVector": [30.0, 33.0, 36.0, 39.0]}, 36.0),
    ],
)
def test_an_rtdose_is_in_gy_and_its_planes_lie_where_the_offsets_say(tmp_path, changes, third_plane):
    dose, geometry = read_dose(an_rtdose(tmp_path / "rd.dcm", **changes))
    np.testing.assert_array_equal(dose, STORED * np.float32(0.5))
    assert geometry.spacing == (1.5, 2.0, 3.0)
    down = geometry.to_lps((2, 1, 2)) - [10.0, 20.0, 30.0]
    assert down[0] == 3.0
    assert down[1] == 2.0 * changes.get("ImageOrientationPatient", [0, 0, 0, 0, 1])[4]
    assert down[2] + 30 == pytest.approx(third_plane)


def test_what_pulsarcam_painted_is_no_planned_dose(tmp_path):
    painted = {"Manufacturer": "PulsarCAM", "DoseComment": "research use only, not a plan: linear 12 to 20 Gy"}
    write_volume(
        tmp_path / "own.nrrd", np.float32(STORED + 1), PLAIN.cropped((0, 0, 0), STORED.shape), {"measure": "Gy"}
    )
    for path in (an_rtdose(tmp_path / "own.dcm", **painted), tmp_path / "own.nrrd"):
        for read in (read_dose_file, lambda path: read_input(path, InputRole("planned", "dose", DOSE))):
            with pytest.raises(InputError, match=f"The dose {path.name} was made by PulsarCAM"):
                read(path)
    with pytest.raises(InputError, match="was made by PulsarCAM"):
        read_map(tmp_path / "own.dcm")
    assert read_dose_file(an_rtdose(tmp_path / "rd.dcm", Manufacturer="PulsarCAM")).dose.max() == STORED.max() / 2


def test_a_folder_with_one_rtdose_will_do(tmp_path):
    an_rtdose(tmp_path / "rd.dcm")
    assert read_dose(tmp_path)[0].max() == STORED.max() / 2
    an_rtdose(tmp_path / "rd2.dcm")
    with pytest.raises(InputError, match="2 RTDOSE objects"):
        read_dose(tmp_path)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"DoseUnits": "RELATIVE"}, "RELATIVE units, not in Gy"),
        ({"DoseType": "ERROR"}, "difference of doses"),
        ({"DoseSummationType": "BEAM"}, "not the plan's"),
        ({"DoseGridScaling": "1000"}, "cGy or its scaling was lost"),
        (
            {"NumberOfFrames": 1, "PixelData": STORED[0].tobytes() + b"\0" * 2, "GridFrameOffsetVector": 0.0},
            "single plane",
        ),
        ({"GridFrameOffsetVector": [0.0, 3.0, 6.0, 12.0]}, "not evenly spaced"),
        ({"GridFrameOffsetVector": [5.0, 8.0, 11.0, 14.0]}, "does not say where its planes lie"),
        ({"GridFrameOffsetVector": [0.0, 3.0]}, "does not say where its planes lie"),
        ({"PixelData": STORED[:2].tobytes()}, "damaged"),
        ({"DoseGridScaling": None}, "damaged or incomplete"),
        ({"DoseGridScaling": "1e308"}, "NaN or infinite"),
        ({"GridFrameOffsetVector": None}, r"damaged or incomplete|where its planes lie"),
        ({"GridFrameOffsetVector": [0.0, 0.0, 0.0, 0.0]}, "does not say where its planes lie"),
        ({"PixelSpacing": [2.0, 0.0]}, "does not say its voxel size"),
        ({"PixelSpacing": None}, "damaged or incomplete"),
        ({"ImagePositionPatient": [0, 0, 1e9]}, "begins at"),
        ({"ImageOrientationPatient": [0, 0, 0, 0, 1, 0]}, "not perpendicular"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(tmp_path, changes, said):
    with pytest.raises((InputError, GeometryError), match=said):
        read_dose(an_rtdose(tmp_path / "rd.dcm", **changes))


def test_a_volume_is_taken_as_gy_unless_it_cannot_be(tmp_path):
    values = np.zeros(PLAIN.shape, np.float32)
    path = written(tmp_path / "dose.nrrd", values, PLAIN)
    with pytest.raises(InputError, match="zero everywhere"):
        read_dose(path)
    values[3] = 18
    dose, geometry = read_dose(written(path, values, PLAIN))
    assert dose.max() == 18
    assert geometry.same_grid(PLAIN)
    values[0] = -5
    with pytest.raises(InputError, match="below zero"):
        read_dose(written(path, values, PLAIN))
    values[0] = 2000
    with pytest.raises(InputError, match="cGy"):
        read_dose(written(path, values, PLAIN))


def a_smooth_dose(highest):
    """A ball of dose that falls off as a Gaussian."""
    k, j, i = np.indices(PLAIN.shape)
    far = ((k - 6) / 3) ** 2 + ((j - PLAIN.shape[1] / 2) / 7) ** 2 + ((i - PLAIN.shape[2] / 2) / 7) ** 2
    return (highest * np.exp(-far / 2)).astype(np.float32)


@pytest.mark.parametrize("highest", [250, 900, 3000])
def test_an_mri_named_as_the_dose_is_told_from_a_dose_in_cgy(tmp_path, highest):
    mri = a_volume(PLAIN).astype(np.float32)
    mri *= highest / mri.max()
    for values in (mri, mri.astype(np.int16)):
        with pytest.raises(InputError, match=f"reaches {highest} and changes .* was the MRI named instead"):
            read_dose(written(tmp_path / "dose.nrrd", values, PLAIN))
    path = written(tmp_path / "dose.nrrd", a_smooth_dose(highest), PLAIN)
    if highest < 1000:
        assert read_dose(path)[0].max() == pytest.approx(highest, rel=0.05)
    else:
        with pytest.raises(InputError, match="in cGy"):
            read_dose(path)


def test_an_image_of_few_gy_is_doubted_and_a_dose_is_not(shared_data):
    rough = a_volume(PLAIN) / a_volume(PLAIN).max() * 60
    assert ["was the MRI or another image named instead?" in text for text in doubts_on_dose(rough, "Dose 1")] == [True]
    assert list(doubts_on_dose(a_smooth_dose(60), "Dose 1")) == []
    assert list(doubts_on(Image(a_smooth_dose(60), PLAIN), DOSE, "The dose")) == []
    assert next(doubts_on(Image(rough, PLAIN), DOSE, "The dose")).startswith("The dose changes from voxel to voxel")
    for name in ("dicom_rtdose_breast/rtdose.dcm", "slicerrt_dose_seg/EclipseProstate_Dose.nrrd"):
        assert list(doubts_on_dose(read_dose(shared_data / name)[0], "Dose 1")) == []


@pytest.mark.parametrize(("lowest", "taken"), [(-2e-9, True), (-2e-5, True), (-1e-3, False), (-1.0, False)])
def test_what_rounding_has_left_below_zero_is_zero_and_anything_lower_is_refused(tmp_path, lowest, taken):
    values = a_smooth_dose(60)
    values[0, 0, :5] = lowest
    path = written(tmp_path / "dose.nrrd", values, PLAIN)
    if taken:
        np.testing.assert_array_equal(read_dose(path)[0], np.where(values < 0, 0, values))
    else:
        with pytest.raises(InputError, match="below zero"):
            read_dose(path)


def test_a_breast_plan_reads_as_dicompyler_found_it_and_a_template_is_refused(shared_data):
    dose, geometry = read_dose(shared_data / "dicom_rtdose_breast" / "rtdose.dcm")
    assert dose.max() == pytest.approx(14.680764, abs=1e-5)
    assert geometry.spacing == (2.5, 2.5, 3.0)
    assert geometry.shape == (98, 129, 194)
    with pytest.raises(InputError, match="single plane"):
        read_dose(shared_data / "dicom_rtdose_eyeplan" / "rtdose.dcm")


def test_damaged_units_are_told_short_and_visible():
    with pytest.raises(InputError, match=r"in A\\x04B{5}…B{10} units, not in Gy"):
        _refuse_other_doses("d.dcm", {"DoseUnits": "A\x04" + "B" * 300})
