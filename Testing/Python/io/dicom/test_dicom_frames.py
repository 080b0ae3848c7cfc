"""Multi-frame objects: every frame has its own place and slope, and what is no even stack is refused."""

from __future__ import annotations

import shutil

import numpy as np
import pydicom
import pytest
from making_dicom import a_group, an_enhanced_file, an_instance, is_right, volume, with_places

from PulsarCAMLib.core.errors import GeometryError, InputError
from PulsarCAMLib.io.volumes import read_image_of, read_volume


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
