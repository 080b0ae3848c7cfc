"""What is written is what pydicom alone would write, to the byte; points of a structure set are never made numbers."""

from __future__ import annotations

import pytest
from making_structures import a_contour, a_square, a_structure_set, an_object
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom.valuerep import IS

from PulsarCAMLib.outputs.dicom.saving import save
from PulsarCAMLib.outputs.dicom.structure_set import _decode


def nested(depth: int = 3) -> Dataset:
    """Items in items, with texts, numbers that are text, lists, and an element whose kind depends on another."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "T-1", "99X", "größer"
    item.ReferencedSOPInstanceUID, item.ReferencedFrameNumber = "1.2.3", [1, 2]
    item.NumberOfContourPoints, item.NumericValue = IS("007"), "1.50"
    item.PixelRepresentation, item.SmallestImagePixelValue = 1, -5
    item.PatientName = "Müller^Anna"
    item.PurposeOfReferenceCodeSequence = []
    item.ContentSequence = [nested(depth - 1), nested(depth - 1)] if depth else []
    return item


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_the_bytes_are_pydicoms(tmp_path, syntax):
    made = an_object("1.2.840.10008.5.1.4.1.1.88.34", "SR")
    made.file_meta.TransferSyntaxUID = syntax
    other, plain = nested(1), nested(1)
    other.SpecificCharacterSet = "ISO_IR 100"
    plain.NumberOfContourPoints = IS("7")
    made.ContentSequence = [nested(), other, plain]
    made.save_as(tmp_path / "pydicom.dcm", enforce_file_format=True)
    save(made, tmp_path / "own.dcm")
    assert (tmp_path / "own.dcm").read_bytes() == (tmp_path / "pydicom.dcm").read_bytes()
    assert made.ContentSequence[0].CodeMeaning == "größer"  # and the object is as it was
    made.save_as(tmp_path / "after.dcm", enforce_file_format=True)
    assert (tmp_path / "after.dcm").read_bytes() == (tmp_path / "pydicom.dcm").read_bytes()


def test_points_of_a_set_that_was_read_are_written_as_they_stood(tmp_path):
    texts = ["1.5\\2\\3\\-0.10\\5\\6\\7\\8\\9.00"]
    contour = a_contour(a_square())
    contour.ContourData, contour.NumberOfContourPoints = texts[0].split("\\"), 3
    latin = {"SpecificCharacterSet": "ISO_IR 100"}
    path = a_structure_set(tmp_path / "old.dcm", [("GTV Größe", [contour]), ("none", [])], **latin)
    made = dcmread(path)
    _decode(made)
    made.SpecificCharacterSet = "ISO_IR 192"
    item = made.ROIContourSequence[0].ContourSequence[0]
    assert isinstance(item.get_item("ContourData"), RawDataElement)
    made.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    save(made, tmp_path / "new.dcm")
    found = dcmread(tmp_path / "new.dcm")
    raw = found.ROIContourSequence[0].ContourSequence[0].get_item("ContourData")
    assert raw.value.decode().strip() == texts[0]
    assert found.StructureSetROISequence[0].ROIName == "GTV Größe"
    assert not found.ROIContourSequence[1].get("ContourSequence")


def test_no_text_of_a_set_that_was_read_stays_in_the_letters_of_its_file(tmp_path):
    latin = {"SpecificCharacterSet": "ISO_IR 100"}

    def label(data):
        data.StructureSetLabel = "Größe"

    path = a_structure_set(tmp_path / "old.dcm", [("GTV Größe", [a_contour(a_square())])], change=label, **latin)
    made = dcmread(path)
    assert isinstance(made.get_item("StructureSetLabel"), RawDataElement)
    _decode(made)
    assert not [each.tag for each in made.values() if isinstance(each, RawDataElement)]
    assert not [each.tag for each in made.StructureSetROISequence[0].values() if isinstance(each, RawDataElement)]
    assert (made.StructureSetLabel, made.StructureSetROISequence[0].ROIName) == ("Größe", "GTV Größe")


def test_a_point_that_is_no_number_is_refused(tmp_path):
    contour = a_contour(a_square())
    path = a_structure_set(tmp_path / "old.dcm", [("GTV", [contour])])
    data = path.read_bytes()
    assert data.count(b"-4\\") > 1
    path.write_bytes(data.replace(b"-4\\", b"-x\\", 1))
    with pytest.raises(ValueError, match="float"):
        _decode(dcmread(path))
