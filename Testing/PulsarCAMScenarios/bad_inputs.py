"""What a person does with inputs that cannot be used: one sentence, and the scene is as it was."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import slicer

from PulsarCAMScenarios.looking import tip_of


def nodes_of_scene() -> list[tuple]:
    """ID, name, attributes and references of every node: what a careless action would change."""
    scene, found = slicer.mrmlScene, []
    for node in (scene.GetNthNode(n) for n in range(scene.GetNumberOfNodes())):
        roles: list[str] = []
        node.GetNodeReferenceRoles(roles)
        attributes = tuple((name, node.GetAttribute(name)) for name in node.GetAttributeNames())
        references = tuple((role, node.GetNodeReferenceID(role)) for role in roles)
        found.append((node.GetID(), node.GetName(), attributes, references))
    return found


class BadInputs:
    """Mixed into ``Scenarios``, whose helpers it uses."""

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Nodes stay as they are, and the panel is ready again and says something, in one sentence each line."""
        before = nodes_of_scene()
        yield
        after = nodes_of_scene()
        assert after == before, [each for each in after if each not in before]
        self.assert_ready()
        assert self.panel.ui.statusLabel.text
        assert "unexpected" not in self.panel.ui.statusLabel.text, self.panel.ui.statusLabel.text
        assert "Traceback" not in self.panel.ui.statusLabel.text

    def press_with(self, spoil: Callable[[], None], said: str) -> None:
        """Choose good inputs, spoil them, press Apply whether the panel lets one or not."""
        slicer.mrmlScene.Clear()
        self.choose()
        spoil()
        self.panel.refresh()
        with self.unchanged():
            self.panel.ui.applyButton.click()
        told = f"{self.panel.ui.statusLabel.text} {tip_of(self.panel.ui.applyButton)} {self.fit()}"
        assert said in told, (said, told)

    def volume(self):
        """The chosen MRI."""
        return self.panel.state.inputVolume

    def test_apply_with_bad_inputs_is_one_sentence_and_an_unchanged_scene(self):
        panel = self.panel
        cases = (
            (lambda: self.volume().SetAndObserveImageData(None), "holds no image; load it again"),
            (self._several_values, "values per voxel"),
            (self._sheared, "not perpendicular"),
            (self._nothing_finite, "finite"),
            (lambda: panel.ui.inputVolumeSelector.setCurrentNode(None), "Choose the MRI first"),
            (lambda: panel.ui.inputSegmentationSelector.setCurrentNode(None), "Choose the segmentation"),
            (self._no_voxel, "contour them or leave them out"),
            (self._an_image_as_mask, "it is an image, not a mask"),
            (self._label_map_without_image, "holds no image; load it again"),
            (self._far_away, "lies outside the MRI"),
            (lambda: setattr(panel.state, "model", "nothing"), "Choose a model first"),
            (lambda: panel.ui.noSegmentsButton.click(), "Tick at least one lesion first"),
        )
        for spoil, said in cases:
            self.press_with(spoil, said)
            panel.state.model = panel.models._names[0]

    def _several_values(self) -> None:
        image = self.volume().GetImageData()
        import vtk

        made = vtk.vtkImageData()
        made.SetDimensions(*image.GetDimensions())
        made.AllocateScalars(vtk.VTK_SHORT, 3)
        self.volume().SetAndObserveImageData(made)

    def _sheared(self) -> None:
        from PulsarCAMScenarios import IJK_TO_RAS

        matrix = IJK_TO_RAS.copy()
        matrix[0, 1] = 0.4
        self.volume().SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))

    def _nothing_finite(self) -> None:
        values = np.full(slicer.util.arrayFromVolume(self.volume()).shape, np.nan, dtype=np.float32)
        slicer.util.updateVolumeFromArray(self.volume(), values)

    def _no_voxel(self) -> None:
        node = self.panel.state.inputSegmentation
        values = np.zeros(slicer.util.arrayFromVolume(self.volume()).shape, dtype=np.uint8)
        segmentation = node.GetSegmentation()
        for n in range(segmentation.GetNumberOfSegments()):
            slicer.util.updateSegmentBinaryLabelmapFromArray(
                values, node, segmentation.GetNthSegmentID(n), self.volume()
            )

    def _label_map(self, values: np.ndarray):
        from PulsarCAMScenarios import IJK_TO_RAS

        node = slicer.util.addVolumeFromArray(
            values, ijkToRAS=IJK_TO_RAS, name="labels", nodeClassName="vtkMRMLLabelMapVolumeNode"
        )
        self.panel.ui.inputSegmentationSelector.setCurrentNode(node)
        return node

    def _an_image_as_mask(self) -> None:
        self._label_map(slicer.util.arrayFromVolume(self.volume()).copy())

    def _label_map_without_image(self) -> None:
        self._label_map(np.ones((4, 4, 4), dtype=np.uint8)).SetAndObserveImageData(None)

    def _far_away(self) -> None:
        moved = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        matrix = np.eye(4)
        matrix[:3, 3] = 700
        slicer.util.updateTransformMatrixFromArray(moved, matrix)
        self.panel.state.inputSegmentation.SetAndObserveTransformNodeID(moved.GetID())

    def test_other_actions_with_bad_inputs_are_one_sentence_and_an_unchanged_scene(self):
        ui = self.panel.ui
        self.explained()
        with tempfile.TemporaryDirectory() as folder:
            damaged = Path(folder) / "damaged"
            damaged.mkdir()
            (damaged / "card.json").write_bytes(b"\xff\xfe{")
            missing = str(Path(folder) / "missing")
            self.panel.dialogs.zip_file = lambda _title: str(damaged / "card.json")
            try:
                for where, button in (
                    (str(damaged), ui.modelAddFolderButton),
                    (missing, ui.modelAddFolderButton),
                    (missing, ui.modelAddZipButton),
                    (str(damaged), ui.openCohortAgreementButton),
                    (missing, ui.openCohortAgreementButton),
                    (missing, ui.exportButton),
                ):
                    self.answer(folder=where)
                    with self.unchanged():
                        button.click()
            finally:
                vars(self.panel.dialogs).pop("zip_file")
        self.answer()
        self.panel.state.inputVolume.SetAndObserveImageData(None)
        self.panel.refresh()
        for button in (ui.compareMapsButton, ui.compareButton, ui.inspectButton, ui.exportButton):
            with self.unchanged():
                button.click()
            assert not button.enabled, tip_of(button)
