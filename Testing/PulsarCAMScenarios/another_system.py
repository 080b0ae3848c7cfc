"""A model of a system that the panel has never seen is chosen."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import slicer

from PulsarCAMScenarios.looking import tip_of


class AnotherSystem:
    """Mixed into the scenarios."""

    @contextmanager
    def a_strangers_model(self) -> Iterator[None]:
        """A registered system with three classes, an optional second image and no lesions, and a model of it."""
        from PulsarCAMLib.systems.registry import register, unregister
        from PulsarCAMScenarios.stranger import Stranger, write_bundle

        register(Stranger())
        with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, {"PULSARCAM_MODELS": folder}):
            write_bundle(Path(folder) / "stranger")
            self.panel.models.list_models()
            try:
                yield
            finally:
                slicer.mrmlScene.Clear()
                unregister(Stranger.name)
        self.panel.models.list_models()
        self.panel.refresh()

    def choose_stranger(self, volume) -> None:
        """Choose the first image and the model."""
        combo = self.panel.ui.modelComboBox
        self.panel.ui.inputVolumeSelector.setCurrentNode(volume)
        combo.setCurrentIndex(combo.findText("A stranger with random weights"))

    def shown_methods(self) -> list[str]:
        """Rows of the combo box of methods."""
        box = self.panel.ui.methodComboBox
        return [box.itemText(n) for n in range(box.count)]

    def test_another_systems_selectors_appear_and_it_answers_without_a_segmentation(self):
        with self.a_strangers_model():
            self._another_system()

    def _another_system(self) -> None:
        from PulsarCAMScenarios import make_mri

        ui, panel = self.panel.ui, self.panel
        usual = self.shown_methods()
        relative = ["Pixel-wise CAM, relative", "Grad-CAM, relative"]
        signed = "Pixel-wise CAM, signed (both classes)"
        assert usual == ["Pixel-wise CAM", "Grad-CAM", "Grad-CAM++", *relative, signed]
        self.choose_stranger(make_mri("T1"))
        (role,) = panel.images.roles
        selector = panel.images.selector(role)
        label = ui.inputsCollapsibleButton.layout().labelForField(selector)
        assert ui.inputVolumeSelectorLabel.text == "T1 MRI:"
        assert label.text == "FLAIR MRI (optional):", label.text
        assert not selector.isHidden()
        assert ui.inputSegmentationSelector.isHidden()
        assert self.shown_methods() == ["Grad-CAM", "Saliency", "Slow saliency"]
        assert ui.targetComboBox.currentText == "Grade-4 (has grade 4)", ui.targetComboBox.currentText
        self.press_apply()
        assert panel.state.heatMapVolume.GetAttribute("PulsarCAM.target") == "grade-4"
        assert len(self.rows()) == 1
        headings = [ui.resultsTable.horizontalHeaderItem(n).text() for n in range(ui.resultsTable.columnCount)]
        assert headings == ["Patient", "Answer", "P(grade-2)", "P(grade-3)", "P(grade-4)"], (
            "a head's own volume says nothing"
        )
        assert "1 patient explained." in ui.statusLabel.text
        alone = slicer.util.arrayFromVolume(panel.state.heatMapVolume).copy()
        self._second_image(role, selector, alone)

    def _second_image(self, role, selector, alone) -> None:
        from PulsarCAMScenarios import make_mri

        ui, panel = self.panel.ui, self.panel
        flair = make_mri("FLAIR")
        values = slicer.util.arrayFromVolume(flair)
        values[:] = values[::-1] * 3
        slicer.util.arrayFromVolumeModified(flair)
        selector.setCurrentNode(flair)
        assert panel.images.chosen() == {"flair": flair}
        assert "The inputs changed" in ui.statusLabel.text
        self.press_apply()
        assert (slicer.util.arrayFromVolume(panel.state.heatMapVolume) != alone).any()
        ui.methodComboBox.currentIndex = 1
        assert panel.state.heatMapVolume.GetAttribute("PulsarCAM.method") == "saliency"
        with tempfile.TemporaryDirectory() as folder:
            ui.exportReportCheckBox.checked = False
            self.answer(folder=folder)
            ui.exportButton.click()
            names = {path.name for path in Path(folder).iterdir()}
            assert {"T1_patients.csv", "T1_saliency_grade-4_mean.nrrd"} <= names, names
            path = str(Path(folder) / "scene.mrb")
            assert slicer.util.saveScene(path, properties={})
            slicer.mrmlScene.Clear()
            assert panel.images.chosen() == {}
            slicer.util.loadScene(path, properties={})
        assert ui.methodComboBox.currentText == "Saliency"
        assert selector.currentNode().GetName() == "FLAIR"
        slicer.mrmlScene.RemoveNode(panel.images.node_of(role))
        assert panel.images.chosen() == {}
        assert selector.currentNode() is None
        ui.modelComboBox.setCurrentIndex(0)
        assert selector.isHidden()
        assert tip_of(ui.applyButton) == "Choose the segmentation of the lesions first"
        assert len(self.shown_methods()) == 6
