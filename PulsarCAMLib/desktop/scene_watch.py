"""What happens to the scene beneath the panel: it closes, another is opened, a node that was chosen is removed."""

from __future__ import annotations

import slicer
import vtk
from slicer.util import VTKObservationMixin

from .compare.parameters import COMPARE_OUTPUTS
from .dose.parameters import DOSE_OUTPUTS, DOSES
from .painting.parameters import PAINTING_OUTPUTS
from .results.result_cache import OUTPUTS

BEFORE_SELECTORS, AFTER_SELECTORS = 1000.0, -1000.0
"""Priorities of observers: Slicer's selectors have 0."""

NODE_PARAMETERS = (
    *("inputVolume", "inputSegmentation", "compareWithVolume", *DOSES, "organsSegmentation"),
    *(*OUTPUTS, *COMPARE_OUTPUTS, *DOSE_OUTPUTS, *PAINTING_OUTPUTS),
)
"""Of the parameter node; images beside the first are node references, see :mod:`.inputs.images`."""


class SceneWatch(VTKObservationMixin):
    """Observes the scene as long as there is a panel.

    Args:
        panel: the module's widget, with its sections.
    """

    def __init__(self, panel) -> None:
        VTKObservationMixin.__init__(self)
        self.panel = panel
        self._emptied: list[str] = []
        self._deleted: list[str] = []
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.on_start_close)
        self.addObserver(scene, scene.EndCloseEvent, self.on_end_close)
        self.addObserver(scene, scene.EndImportEvent, self.on_end_import, priority=AFTER_SELECTORS)
        self.addObserver(scene, scene.NodeAddedEvent, self.on_node_added, priority=BEFORE_SELECTORS)
        event = scene.NodeAboutToBeRemovedEvent
        self.addObserver(scene, event, self.on_node_about_to_be_removed, priority=BEFORE_SELECTORS)
        self.addObserver(scene, scene.NodeRemovedEvent, self.on_node_removed)

    def is_emptying(self, name: str) -> bool:
        """Whether the node of a parameter is being removed."""
        return name in self._emptied

    def on_start_close(self, _caller, _event) -> None:
        """The scene is about to be closed: what was shown of it is forgotten."""
        self.panel.forgetScene()

    def on_end_close(self, _caller, _event) -> None:
        """The scene was closed."""
        if self.panel.parent.isEntered:
            self.panel.initializeParameterNode()

    def on_end_import(self, _caller, _event) -> None:
        """A scene was opened or added: what the parameter node's wrapper read meanwhile lacked its nodes."""
        if self.panel.parent.isEntered:
            self.panel.initializeParameterNode()
        elif not self.panel.isRunning:
            self.panel.setParameterNode(None)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def on_node_added(self, _caller, _event, node) -> None:
        """No selector of inputs shall offer a result, not even for a moment."""
        self.panel.ownOutputs.on_added(node)
        self.panel.preselect.on_added(node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def on_node_about_to_be_removed(self, _caller, _event, node) -> None:
        """Note what was chosen: a selector whose node goes moves to its neighbour, which nobody chose."""
        state = self.panel.state
        # A volume's display node goes with it, between this and the volume's own removal.
        self._emptied += [name for name in NODE_PARAMETERS if state and getattr(state, name) is node]
        self._emptied += self.panel.images.references_to(node) if state else []
        if state and node.IsA("vtkMRMLVolumeNode"):
            self._deleted += [node.GetName()] if self.panel.resultSets.has_results(node) else []
            self.panel.resultCache.forget_image(node)

    def on_node_removed(self, _caller, _event) -> None:
        """Leave empty what lost its node, so that the next Apply overwrites nothing of the user's."""
        emptied, self._emptied = self._emptied, []
        deleted, self._deleted = self._deleted, []
        for name in emptied if self.panel.state else ():
            if name in NODE_PARAMETERS:
                setattr(self.panel.state, name, None)
            else:
                self.panel.images.choose(name, None)
        for name in deleted if self.panel.state else ():
            self.panel.resultSets.on_removed(name)
