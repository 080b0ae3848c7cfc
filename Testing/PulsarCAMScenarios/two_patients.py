"""What a person does with two patients in one scene."""

from __future__ import annotations

import tempfile
from pathlib import Path

import slicer

from PulsarCAMScenarios.looking import tip_of

INPUT_SELECTORS = ("inputVolumeSelector", "inputSegmentationSelector")


class TwoPatients:
    """Mixed into ``Scenarios``, whose helpers it uses."""

    def offered(self, name: str) -> list[str]:
        """Names of the nodes that a selector offers."""
        selector = getattr(self.panel.ui, name)
        return sorted(selector.nodeFromIndex(n).GetName() for n in range(selector.nodeCount()))

    def test_what_was_made_is_not_offered_as_an_input(self):
        self.compared()
        self.panel.ui.compareButton.click()
        self.panel.ui.compareButton.click()
        assert [self.offered(name) for name in INPUT_SELECTORS] == [["MRI"], ["GTVs"]]
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "scene.mrb")
            assert slicer.util.saveScene(path, properties={})
            slicer.mrmlScene.Clear()
            slicer.util.loadScene(path, properties={})
        assert [self.offered(name) for name in INPUT_SELECTORS] == [["MRI"], ["GTVs"]]
        assert self.panel.ui.heatMapSelector.currentNode() is not None, "outputs may be chosen as outputs"
        slicer.mrmlScene.Clear()
        self.choose()
        assert [self.offered(name) for name in INPUT_SELECTORS] == [["MRI"], ["GTVs"]], "IDs are given again"

    def test_a_heat_map_of_an_old_scene_is_refused_as_the_mri(self):
        self.explained()
        state, ui = self.panel.state, self.panel.ui
        state.inputVolume = state.heatMapVolume
        assert not ui.applyButton.enabled
        assert tip_of(ui.applyButton).endswith("not an image; choose “MRI”, from which it was made.")
