"""What a person does to take results away as DICOM."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import slicer

from PulsarCAMScenarios.looking import tip_of

KINDS = {"RTSTRUCT", "SEG", "SR"}


class Database:
    """What the panel asks of Slicer's DICOM database, over a folder of its own: nobody's own is touched."""

    isOpen = True

    def __init__(self, folder: Path) -> None:
        self.folder, self.files, self.full = folder, {}, False
        self._add(folder)

    def instanceValue(self, uid, tag):
        if uid not in self.files:
            return ""
        element = self._read(self.files[uid]).get(tuple(int(part, 16) for part in tag.split(",")))
        return "" if element is None else str(element.value)

    def fileForInstance(self, uid):
        return str(self.files.get(uid, ""))

    def prepareInsert(self):
        pass

    def insert(self, path, _store_file=True):
        if not self.full:
            self._add(Path(shutil.copy(path, self.folder)))

    def removeSeries(self, series):
        self.files = {uid: path for uid, path in self.files.items() if self._read(path).SeriesInstanceUID != series}
        return True

    def _add(self, place: Path) -> None:
        for path in sorted(place.rglob("*.dcm")) if place.is_dir() else [place]:
            self.files[str(self._read(path).SOPInstanceUID)] = path

    def _read(self, path: Path):
        import pydicom

        return pydicom.dcmread(path, stop_before_pixels=True)


class TakingDicom:
    """Mixed into ``Scenarios``, whose helpers it uses."""

    @contextmanager
    def loaded_from_dicom(self) -> Iterator[Database]:
        """The chosen MRI as Slicer's DICOM module loads it: its files are in the database, it knows their UIDs."""
        from PulsarCAMLib.core.geometry.volume import VolumeGeometry
        from PulsarCAMLib.core.lesion import Lesion
        from PulsarCAMLib.outputs.dicom.study import write_study
        from PulsarCAMScenarios import IJK_TO_RAS, SHAPE

        volume, before = self.panel.state.inputVolume, getattr(slicer, "dicomDatabase", None)
        with tempfile.TemporaryDirectory() as folder:
            study = Path(folder) / "study"
            geometry = VolumeGeometry.from_ijk_to_ras(IJK_TO_RAS, SHAPE)
            lesion = Lesion("GTV", np.ones((2, 4, 4), dtype=bool), (3, 10, 10))
            voxels = slicer.util.arrayFromVolume(volume)
            write_study(study, voxels, geometry, [lesion], np.ones(SHAPE), geometry, "PATIENT-7")
            slicer.dicomDatabase = database = Database(study)
            uids = [uid for uid, path in database.files.items() if path.parent.name == "MR"]
            volume.SetAttribute("DICOM.instanceUIDs", " ".join(uids))
            self.panel.refresh()
            try:
                yield database
            finally:
                slicer.dicomDatabase = before

    def test_dicom_is_no_choice_where_the_mri_is_none(self):
        self.explained(1)
        box = self.panel.ui.exportDicomCheckBox
        assert not box.enabled
        assert tip_of(box).startswith("“MRI” was not loaded from DICOM")
        self.panel.state.inputVolume.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
        self.panel.refresh()
        assert "has other slices than the DICOM series" in tip_of(box)
        uids = " ".join(f"1.2.{n}" for n in range(12))
        self.panel.state.inputVolume.SetAttribute("DICOM.instanceUIDs", uids)
        self.panel.refresh()
        assert "does not know the files" in tip_of(box)

    def test_dicom_objects_go_into_the_folder_or_the_database(self):
        if importlib.util.find_spec("highdicom") is None:
            self.delayDisplay("highdicom is not installed")
            return
        import pydicom

        self.explained(1)
        ui = self.panel.ui
        with self.loaded_from_dicom() as database, tempfile.TemporaryDirectory() as folder:
            assert ui.exportDicomCheckBox.enabled, tip_of(ui.exportDicomCheckBox)
            for name in ("exportHeatMap", "exportSubRegions", "exportTables", "exportReport", "exportDicom"):
                getattr(ui, f"{name}CheckBox").checked = name == "exportDicom"
            self.answer(folder=folder)
            ui.exportButton.click()
            made = [pydicom.dcmread(path) for path in sorted((Path(folder) / "dicom").iterdir())]
            assert {each.Modality for each in made} > KINDS, ui.statusLabel.text
            assert [path.name for path in Path(folder).iterdir()] == ["dicom"]
            source = pydicom.dcmread(next(iter(database.files.values())))
            assert {(each.PatientID, each.StudyInstanceUID) for each in made} == {
                ("PATIENT-7", source.StudyInstanceUID)
            }
            structures = next(each for each in made if each.Modality == "RTSTRUCT")
            names = [item.ROIName for item in structures.StructureSetROISequence]
            assert names[0] == "GTV 1"
            assert structures.StructureSetROISequence[0].ReferencedFrameOfReferenceUID == source.FrameOfReferenceUID
            self.answer()
            ui.exportDicomPlaceComboBox.currentIndex = 1
            before = len(database.files)
            database.full = True
            ui.exportButton.click()
            assert "did not take" in ui.statusLabel.text
            assert len(database.files) == before
            database.full = False
            ui.exportButton.click()
            assert len(database.files) == before + len(made)
            assert f"{len(made)} DICOM objects put into" in ui.statusLabel.text
            self.assert_ready()
