"""What the panel tells of inputs that belong together, or do not."""

from __future__ import annotations

import slicer

from PulsarCAMScenarios.dose import make_dose
from PulsarCAMScenarios.looking import tip_of

FRAME, REFERS_TO = "DICOM.FrameOfReferenceUID", "DICOM.ReferencedInstanceUIDs"


def stand_under(patient: int, *nodes, **attributes) -> None:
    """Put nodes under a patient's item of the Data module, as the DICOM module does, with attributes of each."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    for node in nodes:
        item = hierarchy.CreateItem(patient, node)
        for name, value in attributes.items():
            hierarchy.SetItemAttribute(item, {"frame": FRAME, "refers_to": REFERS_TO}[name], value)


def a_patient(name: str) -> int:
    """Item of a new patient."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    return hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), name)


class Belonging:
    """Mixed into ``Scenarios``, whose helpers it uses."""

    def told_below(self) -> str:
        """What stands under the inputs when the panel looks again: items of the Data module tell it of no change."""
        self.panel.refresh()
        return self.fit()

    def test_what_dicom_tells_of_inputs_stands_below_them(self):
        volume, lesions = self.choose(1)
        dose = make_dose(volume)
        slicer.app.processEvents()
        assert self.told_below() == "", "no DICOM, no line"
        patient = a_patient("A")
        volume.SetAttribute("DICOM.instanceUIDs", "1.1 1.2")
        stand_under(patient, volume, frame="1.9")
        assert self.told_below() == "Whether “GTVs” and “dose” belong to “MRI” is not told by DICOM."
        stand_under(patient, lesions, refers_to="1.1")
        stand_under(patient, dose, frame="1.9")
        assert self.told_below() == "“GTVs” was made on “MRI”. “dose” lies in the frame of reference of “MRI”."
        stand_under(patient, dose, frame="2.9")
        assert "“dose” has another frame of reference than “MRI”, and nothing registers them" in self.told_below()
        assert "“GTVs” was made on “MRI”." in self.told_below()

    def test_a_dose_of_another_patient_is_a_question(self):
        volume, dose = self.explained_with_dose(1)
        stand_under(a_patient("A"), volume)
        stand_under(a_patient("B"), dose, frame="2.9")
        assert "“dose” and “MRI” stand under different patients in the Data module." in self.told_below()
        self.tell_dose()
        assert self.panel.state.doseTable is None
        assert "Nothing was changed." in self.panel.ui.statusLabel.text
        self.answer(agree=True)
        self.tell_dose()
        assert self.panel.state.doseTable is not None
        lesions = self.panel.state.inputSegmentation
        stand_under(a_patient("C"), lesions)
        self.panel.refresh()
        assert "could be those of either" in tip_of(self.panel.ui.exportDicomCheckBox)
