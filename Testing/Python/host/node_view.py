"""What widgets of MRML share: a scene, and a node that is followed."""

from __future__ import annotations

from PySide6 import QtWidgets
from PySide6.QtCore import Signal

from .observing import weakly


class qMRMLWidget(QtWidgets.QWidget):  # noqa: N801 - Slicer's name - Slicer's names
    mrmlSceneChanged = Signal(object)
    SIGNALS = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}  # noqa: RUF012

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene = None

    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene):
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


class NodeView:
    """Shows one node and follows its changes."""

    def _follow(self, node):
        if getattr(self, "_node", None) is not None:
            self._node.RemoveObserver(self._tag)
        self._node = node
        self._tag = (
            node.AddObserver("ModifiedEvent", weakly(self, "_update", with_node=False)) if node is not None else None
        )
        self._update(node)
