"""Section: several sets of settings in one scene."""

from __future__ import annotations

import slicer

from .section import Section, slot, slot_with_value

NODE_CLASS = "vtkMRMLScriptedModuleNode"


class ParameterSets(Section):
    """The selector at the top of the panel."""

    def set_up(self) -> None:
        """Offer only PulsarCAM's own sets."""
        self.ui.parameterSetSelector.addAttribute(NODE_CLASS, "ModuleName", self.logic.moduleName)
        self.ui.parameterSetSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.on_chosen)
        self.ui.parameterSetSelector.connect("nodeAddedByUser(vtkMRMLNode*)", self.on_made)

    @slot_with_value
    def on_made(self, node) -> None:
        """The user made a set."""
        if self.state is not None and not self.panel.isRunning:
            self.panel.setParameterNode(self.logic.wrap(node))

    @slot
    def on_chosen(self) -> None:
        """The user chose, made or deleted a set."""
        node = self.ui.parameterSetSelector.currentNode()
        if self.state is None or self.panel.isRunning or slicer.mrmlScene.IsClosing():
            return
        if node is None:
            self.panel.initializeParameterNode()
        elif node is not self.state.parameterNode:
            self.panel.setParameterNode(self.logic.wrap(node))

    def refresh(self) -> None:
        """Show the set in use."""
        selector = self.ui.parameterSetSelector
        if selector.currentNode() is not self.state.parameterNode:
            was_blocked = selector.blockSignals(True)
            selector.setCurrentNode(self.state.parameterNode)
            selector.blockSignals(was_blocked)
