"""Section: what can only be meant is chosen before anybody asks."""

from __future__ import annotations

import qt
import slicer

from ...scene.reading.doses import doses_of_scene, is_dose
from ...scene.writing.provenance import is_output
from ..dose.parameters import DOSES
from ..results.result_sets import MASK
from ..section import Section, slot

IMAGE, SEGMENTATION, LABEL_MAP = "vtkMRMLScalarVolumeNode", "vtkMRMLSegmentationNode", "vtkMRMLLabelMapVolumeNode"


class Preselect(Section):
    """The scene's first image, its contours where there is one segmentation or label map only, and the only dose."""

    def set_up(self) -> None:
        """Nothing waits."""
        self._waits = False

    def choose(self) -> None:
        """Where nothing is chosen; a result is no input, and contours kept for another MRI are that MRI's."""
        state = self.state
        if state is None or self.panel.isRunning:
            return
        if state.inputVolume is None:
            found = [node for node in _inputs(IMAGE) if not is_dose(node)]
            if found:
                state.inputVolume = found[0]
        if state.inputSegmentation is None and state.inputVolume is not None:
            found = [*_inputs(SEGMENTATION), *_inputs(LABEL_MAP)]
            if len(found) == 1 and not self.panel.resultSets.is_kept(found[0], MASK):
                state.inputSegmentation = found[0]
        self.choose_dose()

    def choose_dose(self) -> None:
        """Where none is chosen and the scene has one that says so; one kept for another MRI is that MRI's."""
        state = self.state
        if state.inputVolume is None or any(getattr(state, name) is not None for name in DOSES):
            return
        found = [node for node in doses_of_scene() if node is not state.inputVolume]
        if len(found) == 1 and not self.panel.resultSets.is_kept(found[0], *DOSES):
            setattr(state, DOSES[0], found[0])

    def on_added(self, node) -> None:
        """Something came into the scene while the panel is open: choose when all of it is there.

        MRI and contours only as long as the parameter set had no MRI yet: afterwards an empty selector is somebody's
        wish. A dose may come later.
        """
        if self._waits or not any(node.IsA(kind) for kind in (IMAGE, SEGMENTATION)):
            return
        self._waits = True
        qt.QTimer.singleShot(0, self.on_time)

    @slot
    def on_time(self) -> None:
        """The application has come to rest."""
        self._waits = False
        scene, state = slicer.mrmlScene, self.state
        busy = scene.IsImporting() or scene.IsClosing() or scene.IsBatchProcessing()
        if state is None or busy or self.panel.isRunning:
            return
        if self.panel.resultSets.has_any():
            self.choose_dose()
        else:
            self.choose()


def _inputs(kind: str) -> list:
    found = slicer.util.getNodesByClass(kind)
    return [node for node in found if node.GetClassName() == kind and not is_output(node)]
