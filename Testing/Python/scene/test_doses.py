"""Which volumes are planned doses, and what DICOM tells of which nodes belong together."""

from __future__ import annotations

import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

import slicer
from host.making import GRIDS, a_segmentation, an_mri, box

from PulsarCAMLib.scene.reading.belonging import are_of_two_patients, belonging
from PulsarCAMLib.scene.reading.doses import doses_of_scene, is_dose, planned_fractions, why_not_gray

FRAME, REFERS_TO, UNIT = "DICOM.FrameOfReferenceUID", "DICOM.ReferencedInstanceUIDs", "DicomRtImport.DoseUnitName"


@pytest.fixture
def hierarchy(a_scene):
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)


def in_gray(node):
    """The unit of its voxels, as others than SlicerRT say it."""
    unit = slicer.vtkCodedEntry()
    unit.SetValueSchemeMeaning("Gy", "UCUM", "Gray")
    node.SetVoxelValueUnits(unit)


@pytest.mark.parametrize(
    ("mark", "wanted"),
    [
        (lambda node: None, False),
        (lambda node: node.SetAttribute("DicomRtImport.DoseVolume", "1"), True),
        (lambda node: node.SetAttribute("DicomRtImport.DoseVolume", "0"), False),
        (lambda node: node.SetAttribute(UNIT, "GY"), True),
        (in_gray, True),
    ],
)
def test_a_volume_is_a_dose_when_it_says_so(hierarchy, mark, wanted):
    node = an_mri("dose")
    mark(node)
    assert is_dose(node) is wanted
    assert doses_of_scene() == ([node] if wanted else [])
    node.SetAttribute("PulsarCAM.output", "true")
    assert not is_dose(node), "a painted prescription is no planned dose"


def test_a_modality_of_the_data_module_and_a_relative_dose(hierarchy):
    node = an_mri("dose")
    study = hierarchy.CreateStudyItem(hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "P"), "S")
    item = hierarchy.CreateItem(study, node)
    hierarchy.SetItemAttribute(item, "DICOM.Modality", "MR")
    assert not is_dose(node)
    hierarchy.SetItemAttribute(item, "DICOM.Modality", "RTDOSE")
    assert is_dose(node)
    assert why_not_gray(node) == ""
    hierarchy.SetItemAttribute(study, UNIT, "GY")
    assert why_not_gray(node) == ""
    hierarchy.SetItemAttribute(study, UNIT, "RELATIVE")
    assert "in RELATIVE units, not in Gy" in why_not_gray(node)


def test_fractions_are_those_of_the_plan_in_slicers_database(hierarchy, tmp_path, monkeypatch):
    from making_dicom import Items
    from making_structures import an_object
    from pydicom.dataset import Dataset

    dose = an_object("1.2.840.10008.5.1.4.1.1.481.2", "RTDOSE", "1.2.3.9.1")
    plan = an_object("1.2.840.10008.5.1.4.1.1.481.5", "RTPLAN", "1.2.3.9.2")
    reference, group = Dataset(), Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = plan.SOPClassUID, plan.SOPInstanceUID
    dose.ReferencedRTPlanSequence = Items([reference])
    group.FractionGroupNumber, group.NumberOfFractionsPlanned = 1, 5
    plan.FractionGroupSequence = Items([group])
    files = {each.SOPInstanceUID: tmp_path / each.Modality for each in (dose, plan)}
    for each in (dose, plan):
        each.save_as(files[each.SOPInstanceUID], enforce_file_format=True)

    class Database:
        isOpen = True

        def fileForInstance(self, uid):
            return str(files.get(uid, ""))

    node = an_mri("dose")
    assert planned_fractions(node) is None
    hierarchy.SetItemUID(hierarchy.CreateItem(hierarchy.GetSceneItemID(), node), "DICOMInstanceUID", "1.2.3.9.1")
    assert planned_fractions(node) is None, "no database"
    monkeypatch.setattr(slicer, "dicomDatabase", Database(), raising=False)
    assert planned_fractions(node) == 5
    del files["1.2.3.9.2"]
    assert planned_fractions(node) is None


def test_what_dicom_tells_of_nodes_that_belong_together(hierarchy):
    mri, dose = an_mri(), an_mri("dose", GRIDS["axial"])
    mask = a_segmentation({"GTV": box((4, 10, 12), (8, 22, 30))}, mri)
    assert belonging(mri, [mask, dose]) == ([], []), "nothing of DICOM's, nothing to say"
    patients = [hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), name) for name in ("one", "other")]
    studies = [hierarchy.CreateStudyItem(patient, "study") for patient in (*patients[:1], *patients)]
    items = {node: hierarchy.CreateItem(studies[0], node) for node in (mri, mask, dose)}
    hierarchy.SetItemAttribute(items[mri], FRAME, "1.9")
    mri.SetAttribute("DICOM.instanceUIDs", "1.1 1.2")
    told, against = belonging(mri, [mask, dose])
    assert told == ["“GTVs” and “dose” stand in the study of “t1c”; whether in its space is not told."]
    assert against == []
    hierarchy.SetItemAttribute(items[mask], REFERS_TO, "7.7 1.2")
    hierarchy.CreateItem(studies[1], dose)
    told, _ = belonging(mri, [mask, dose])
    assert told == ["“GTVs” was made on “t1c”.", "“dose” stands under the patient of “t1c”, in another study."]
    hierarchy.SetItemAttribute(hierarchy.GetItemByDataNode(dose), FRAME, "2.9")
    assert "nothing registers them" in belonging(mri, [dose])[1][0]
    moved = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    dose.SetAndObserveTransformNodeID(moved.GetID())
    assert "a transform brings it there" in belonging(mri, [dose])[1][0]
    assert not are_of_two_patients(mri, dose)
    hierarchy.CreateItem(studies[2], dose)
    assert are_of_two_patients(mri, dose)
    assert "different patients" in belonging(mri, [dose])[1][0]
