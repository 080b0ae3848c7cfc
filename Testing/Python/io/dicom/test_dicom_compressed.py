"""Compressed DICOM: what SimpleITK decodes, what pydicom decodes, and a sentence where nothing does."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from making_dicom import a_folder, a_group, an_enhanced_file, volume
from pydicom.encaps import encapsulate
from pydicom.uid import HTJ2KLossless, RLELossless

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.io.volumes import read_image_of


def packed(data, _n):
    data.compress(RLELossless, generate_instance_uid=False)


def test_compressed_slices_are_read_and_by_pydicom_where_simpleitk_fails(tmp_path, monkeypatch):
    def scaled(data, n):
        packed(data, n)
        data.RescaleSlope, data.RescaleIntercept = 2, -1

    folder = a_folder(tmp_path / "d", scaled)
    here = read_image_of(folder)

    def fail(_reader):
        raise RuntimeError("no codec")

    monkeypatch.setattr(sitk.ImageSeriesReader, "Execute", fail)
    there = read_image_of(folder)
    for image in (here, there):
        np.testing.assert_array_equal(image.voxels, volume() * 2 - 1)
        assert image.geometry.spacing == pytest.approx((0.5, 1.5, 3))


def test_frames_that_only_pydicom_decodes_keep_the_slope_that_they_share(tmp_path, monkeypatch):
    path = an_enhanced_file(tmp_path / "e.dcm", range(5))
    data = pydicom.dcmread(path)
    shared = data.SharedFunctionalGroupsSequence[0]
    a_group(shared, "PixelValueTransformationSequence", RescaleSlope=0.5, RescaleIntercept=-3, RescaleType="US")
    data.compress(RLELossless, generate_instance_uid=False)
    data.save_as(path)
    here = read_image_of(path).voxels
    monkeypatch.setattr(sitk.ImageFileReader, "Execute", fail)
    there = read_image_of(path).voxels
    for voxels in (here, there):
        np.testing.assert_array_equal(voxels, volume() * 0.5 - 3)


def fail(_reader):
    raise RuntimeError("no codec")


def test_without_a_decoder_it_is_told_what_to_install(tmp_path):
    def unknown(data, _n):
        data.PixelData = encapsulate([b"\xff\x4f\xff\x51" + b"\0" * 60])
        data["PixelData"].is_undefined_length = True
        data.file_meta.TransferSyntaxUID = HTJ2KLossless

    with pytest.raises(InputError, match=r"\(High-Throughput JPEG 2000.*pip install 'pulsarcam\[dicom\]'|are damaged"):
        read_image_of(a_folder(tmp_path / "d", unknown))


def test_a_transfer_syntax_that_is_none_is_damage(tmp_path, monkeypatch):
    """Found by chance among 20,000 damaged files: pydicom refuses to say whether such a UID means compression."""
    folder = a_folder(tmp_path / "d")
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.9.1\0"))

    def fail(_reader):
        raise RuntimeError("cannot read requested file")

    monkeypatch.setattr(sitk.ImageSeriesReader, "Execute", fail)
    with pytest.raises(InputError, match="damaged"):
        read_image_of(folder)
