"""Linear transforms from files, those with the odd name among them; what bends space is refused."""

import os
import struct

import numpy as np
import pytest
import SimpleITK as sitk

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.io.transforms import read_transform

TEXT = """#Insight Transform File V1.0
#Transform 0
Transform: Euler3DTransform_double_3_3
Parameters: {}
FixedParameters: {}
"""


def motion():
    found = sitk.Euler3DTransform((1.0, -2.0, 3.0), 0.1, -0.2, 0.3, (4.0, 5.0, -6.0))
    return found, np.array([7.0, -30.0, 11.0])


@pytest.mark.parametrize("ending", ["tfm", "txt", "mat", "h5"])
def test_a_transform_takes_points_where_itk_takes_them(tmp_path, ending):
    transform, point = motion()
    sitk.WriteTransform(transform, str(tmp_path / f"t.{ending}"))
    matrix = read_transform(tmp_path / f"t.{ending}")
    np.testing.assert_allclose(
        matrix[:3, :3] @ point + matrix[:3, 3], transform.TransformPoint(point.tolist()), atol=1e-9
    )


def test_several_after_each_other_are_one(tmp_path):
    transform, point = motion()
    both = sitk.CompositeTransform([transform, sitk.TranslationTransform(3, (1.0, 2.0, 3.0))])
    sitk.WriteTransform(both, str(tmp_path / "t.tfm"))
    matrix = read_transform(tmp_path / "t.tfm")
    np.testing.assert_allclose(matrix[:3, :3] @ point + matrix[:3, 3], both.TransformPoint(point.tolist()), atol=1e-9)


def test_the_odd_name_is_read_and_the_file_stays_as_it_is(tmp_path):
    affine = sitk.AffineTransform([1.01, 0.02, 0, 0, 0.99, 0.1, 0, -0.1, 1.0], [1, 2, 3], [10, 20, 30])
    file = tmp_path / "t.txt"
    sitk.WriteTransform(affine, str(file))
    text = file.read_text().replace("AffineTransform_double_3_3", "MatrixOffsetTransformBase_double_3_3")
    file.write_text(text)
    assert "MatrixOffset" in text
    matrix = read_transform(file)
    np.testing.assert_allclose(matrix[:3, 3], affine.TransformPoint((0.0, 0.0, 0.0)), atol=1e-9)
    assert file.read_text() == text


def bent():
    field = sitk.GetImageFromArray(np.random.default_rng(0).normal(0, 3, (9, 9, 9, 3)), isVector=True)
    field.SetSpacing((100.0,) * 3)
    field.SetOrigin((-400.0,) * 3)
    return sitk.DisplacementFieldTransform(sitk.Cast(field, sitk.sitkVectorFloat64))


def _scaled(*lengths):
    return sitk.AffineTransform(np.diag(np.array(lengths, float)).ravel().tolist(), [0, 0, 0])


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda file: None, "There is no file"),
        (lambda file: file.write_text("MatrixOffsetTransformBase_double_3_3 and nothing else"), "is no transform"),
        (lambda file: file.write_bytes(b"\xff\x00\x12"), "is no transform"),
        (lambda file: sitk.WriteTransform(sitk.Euler2DTransform(), str(file)), "of 2 dimensions"),
        (lambda file: sitk.WriteTransform(bent(), str(file)), "bends space"),
        (lambda file: sitk.WriteTransform(sitk.AffineTransform([0.0] * 9, [0, 0, 0]), str(file)), "turned round"),
        (lambda file: sitk.WriteTransform(_scaled(1000, 1000, 1000), str(file)), "stretches by 1e.03 to 1e.03, which"),
        (lambda file: sitk.WriteTransform(_scaled(1, 1, 0.4), str(file)), "stretches by 0.4 to 1, which takes no head"),
        (lambda file: sitk.WriteTransform(_scaled(-1, 1, 1), str(file)), "mirrors, which takes no head to another one"),
        (lambda file: sitk.WriteTransform(sitk.TranslationTransform(3, [1e308] * 3), str(file)), "turned round"),
        (lambda file: sitk.WriteTransform(sitk.TranslationTransform(3, [float("nan")] * 3), str(file)), "Parameters"),
        (lambda file: sitk.WriteTransform(sitk.TranslationTransform(3, [1e7, 0, 0]), str(file)), "turned round"),
        (lambda file: file.write_text(TEXT.format("1 2 3 4 5", "0 0 0 0")), "5 Parameters of Euler3DTransform"),
        (lambda file: file.write_text(TEXT.format("1 2 3 4 5 6", "0 0")), "2 FixedParameters of Euler3DTransform"),
        (lambda file: file.write_text(TEXT.format("1 2 3 4 5 x", "0 0 0")), "Parameters “1 2 3 4 5 x”"),
        (lambda file: file.write_text(TEXT.format("1 2 3 4 5 6", "0 0 0") + "Transform: A\n"), "no transform"),
        (lambda file: file.write_text(TEXT.format("1 2 3 4 5 6", "0 0 0") + "More: 1\n"), "has a line “More: 1”"),
        (lambda file: file.write_text(TEXT.format("1 2 3 4 5 6", "0").split("Fixed")[0]), "ends too early"),
        (lambda file: file.write_text("#Insight Transform File V1.0\n" + "# x\n" * 300_000), "longer than a linear"),
        (lambda file: os.mkfifo(file), "is a named pipe, not a file"),
    ],
)
def test_what_is_no_linear_transform_is_refused_in_one_sentence(tmp_path, write, says):
    write(tmp_path / "t.tfm")
    with pytest.raises(InputError, match=says):
        read_transform(tmp_path / "t.tfm")


def _mat(*matrices, order="<"):
    """A MATLAB file of level 4, little-endian: names and values of columns."""
    parts = []
    for name, values in matrices:
        parts += [struct.pack(f"{order}5i", 0, len(values), 1, 0, len(name) + 1), name.encode() + b"\0"]
        parts += [struct.pack(f"{order}{len(values)}d", *values)]
    return b"".join(parts)


EULER, CENTRE = ("Euler3DTransform_double_3_3", [0.1, -0.2, 0.3, 1, 2, 3]), ("fixed", [0.0, 0, 0, 0])


@pytest.mark.parametrize(
    ("held", "says"),
    [
        (b"", "ends too early"),
        (_mat(EULER), "ends too early"),
        (_mat(EULER, CENTRE)[:-3], "ends too early"),
        (_mat(EULER, CENTRE)[:100], "ends too early"),
        (_mat((EULER[0], [1.0, 2]), CENTRE), "2 Parameters of Euler3DTransform"),
        (_mat(EULER, ("fixed", [1.0])), "1 FixedParameters of Euler3DTransform"),
        (_mat((EULER[0], [float("nan")] * 6), CENTRE), "values of “Euler3DTransform_double_3_3” that are no numbers"),
        (_mat(CENTRE, EULER), "is no transform"),
        (_mat(("BSplineTransform_double_3_3", [1.0]), CENTRE), "bends space"),
        (_mat(("Euler2DTransform_double_2_2", [1.0] * 3), ("fixed", [1.0, 2])), "of 2 dimensions"),
        (_mat(("CompositeTransform_double_3_3", [1.0] * 3), ("fixed", [])), "3 Parameters of CompositeTransform"),
        (_mat(EULER, CENTRE, order=">"), "is no transform"),
        (struct.pack("<5i", 0, 2**30, 2**30, 0, 8) + b"a" * 99, "is no transform"),
        (b"1 0 0 5\n0 1 0 5\n0 0 1 5\n0 0 0 1\n", "is no transform"),
        (b"MATLAB 5.0 MAT-file" + bytes(200), "is no transform"),
        (bytes(2 << 20), "longer than a linear"),
    ],
)
def test_a_matlab_file_is_checked_before_a_native_reader_sees_it(tmp_path, monkeypatch, held, says):
    monkeypatch.setattr(sitk, "ReadTransform", lambda *_: pytest.fail("the native reader was asked"))
    (tmp_path / "t.mat").write_bytes(held)
    with pytest.raises(InputError, match=says):
        read_transform(tmp_path / "t.mat")


def _h5(file):
    sitk.WriteTransform(motion()[0], str(file))
    return file.read_bytes()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda held: b"no HDF5", "is no transform"),
        (lambda held: held[:50], "is no transform"),
        (lambda held: held[:-9], r"has \d+ bytes where its header says \d+"),
        (lambda held: held + b"more", r"has \d+ bytes where its header says \d+"),
        (lambda held: held[:8] + b"\x09" + held[9:], "of a kind that is not read; save it as .tfm"),
        (lambda held: held + bytes(17 << 20), "longer than a linear"),
        (lambda held: held[:96] + bytes(len(held) - 96), "is no transform|ends the program"),
    ],
)
def test_hdf5_is_checked_from_outside_and_read_in_a_process_of_its_own(tmp_path, monkeypatch, change, says):
    file = tmp_path / "t.h5"
    file.write_bytes(change(_h5(file)))
    monkeypatch.setattr(sitk, "ReadTransform", lambda *_: pytest.fail("the native reader was asked in this process"))
    with pytest.raises(InputError, match=says):
        read_transform(file)


@pytest.mark.parametrize("name", ["t.xfm", "t", "t.tfm.bak", "t.lta"])
def test_a_transform_of_an_ending_that_is_not_known_reaches_no_native_reader(tmp_path, name):
    (tmp_path / name).write_bytes(_h5(tmp_path / "t.h5"))
    with pytest.raises(InputError, match=r"is no transform that can be read; save it as an ITK transform"):
        read_transform(tmp_path / name)
