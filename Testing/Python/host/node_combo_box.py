"""Selectors of nodes: ``qMRMLNodeComboBox`` and ``qMRMLColorTableComboBox`` over a real combo box.

The rows are None (if enabled), the nodes, a separator and the actions; what happens to the choice when rows come and go
is left to Qt, as in Slicer, where removing the chosen node therefore moves the choice to its neighbour.
"""

from __future__ import annotations

from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import Property, Signal

from .combo_parts import Elided, flag, held, qMRMLSortFilterProxyModel
from .dialogs import DIALOGS
from .observing import weakly

_ID, _ACTION = QtCore.Qt.UserRole, QtCore.Qt.UserRole + 1


class qMRMLNodeComboBox(QtWidgets.QWidget):  # noqa: N801 - Slicer's name
    nodeChanged = Signal(object)
    validChanged = Signal(bool)
    currentNodeIDChanged = Signal(str)
    nodeAdded_ = Signal(object)
    nodeAddedByUser_ = Signal(object)
    nodeActivated_ = Signal(object)
    currentNodeRenamed = Signal(str)
    SIGNALS = {  # noqa: RUF012
        "currentNodeChanged(vtkMRMLNode*)": "nodeChanged",
        "currentNodeChanged(bool)": "validChanged",
        "currentNodeIDChanged(QString)": "currentNodeIDChanged",
        "nodeAdded(vtkMRMLNode*)": "nodeAdded_",
        "nodeAddedByUser(vtkMRMLNode*)": "nodeAddedByUser_",
        "nodeActivated(vtkMRMLNode*)": "nodeActivated_",
        "currentNodeRenamed(QString)": "currentNodeRenamed",
    }
    HIDDEN = ("nodeChanged", "validChanged", "nodeAdded_", "nodeAddedByUser_", "nodeActivated_", "refresh")

    addEnabled = flag("addEnabled", True, "_list_actions")
    removeEnabled = flag("removeEnabled", True, "_list_actions")
    renameEnabled = flag("renameEnabled", False, "_list_actions")
    editEnabled = flag("editEnabled", False, "_list_actions")
    selectNodeUponCreation = flag("selectNodeUponCreation", True)
    showChildNodeTypes = flag("showChildNodeTypes", True, "refresh")
    showHidden = flag("showHidden", False, "refresh")
    noneEnabled = flag("noneEnabled", False, "refresh")
    noneDisplay = held(str, "noneDisplay", "None", "refresh")
    nodeTypes = held("QStringList", "nodeTypes", (), "refresh")
    hideChildNodeTypes = held("QStringList", "hideChildNodeTypes", (), "refresh")
    interactionNodeSingletonTag = held(str, "interactionNodeSingletonTag", "")
    sizeAdjustPolicy = held(int, "sizeAdjustPolicy", 0)

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._box = Elided(self)
        layout.addWidget(self._box)
        self.setSizePolicy(QtWidgets.QSizePolicy.Preferred, QtWidgets.QSizePolicy.Fixed)
        self.setFocusProxy(self._box)
        self._scene, self._tags, self._watched, self._attributes, self._labels = None, [], {}, [], {}
        self._base_names, self._requested, self._listing = {}, None, False
        self._box.currentIndexChanged.connect(self._index_changed)
        self._box.activated.connect(self._activated)
        self._proxy = qMRMLSortFilterProxyModel(self)
        self._proxy.changed.connect(self._filter_again)
        self.setEnabled(False)

    def _set_base_name(self, name):
        for kind in self.nodeTypes:
            self._base_names[kind] = name

    baseName = Property(
        str,
        lambda self: self._base_names.get(next(iter(self.nodeTypes), ""), ""),
        lambda self, n: self._set_base_name(n),
    )
    currentNodeID = Property(
        str, lambda self: self._current_id(), lambda self, i: self.setCurrentNodeID(i), notify=currentNodeIDChanged
    )

    def setMRMLScene(self, scene):
        if scene is self._scene:
            return
        before = self._current_id()
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._scene, self._tags = scene, []
        if scene is not None:
            self._tags = [
                scene.AddObserver(scene.NodeAddedEvent, weakly(self, "_on_added")),
                scene.AddObserver(scene.NodeAboutToBeRemovedEvent, weakly(self, "_on_removed")),
                scene.AddObserver(scene.EndImportEvent, weakly(self, "_on_scene", with_node=False)),
                scene.AddObserver(scene.EndCloseEvent, weakly(self, "_on_scene", with_node=False)),
            ]
        wanted, self._requested = self._requested or before, None
        self.setEnabled(scene is not None)
        self.refresh(wanted)

    def mrmlScene(self):
        return self._scene

    def currentNode(self):
        node_id = self._current_id()
        return self._scene.GetNodeByID(node_id) if self._scene is not None and node_id else None

    def setCurrentNode(self, node):
        if node is not None and not hasattr(node, "GetID"):
            raise TypeError("setCurrentNode needs a node")
        self.setCurrentNodeID((node.GetID() or "") if node is not None else "")

    def setCurrentNodeID(self, node_id):
        if self._scene is None:
            self._requested = node_id
            return
        index = self._box.findData(node_id, _ID) if node_id else -1
        self._box.setCurrentIndex(index if index >= 0 else 0 if self.noneEnabled else -1)

    def setCurrentNodeIndex(self, index):
        index = -1 if index >= self.nodeCount() else index
        self._box.setCurrentIndex(index + bool(self.noneEnabled))

    def nodeFromIndex(self, index):
        node_id = self._box.itemData(index + bool(self.noneEnabled), _ID)
        return self._scene.GetNodeByID(node_id) if node_id else None

    def nodeCount(self):
        return sum(bool(self._box.itemData(i, _ID)) for i in range(self._box.count()))

    def addNode(self, kind=None):
        kind = kind or next(iter(self.nodeTypes), None)
        if kind is None or kind not in self.nodeTypes:
            return None
        name = self._scene.GenerateUniqueName(self._base_names.get(kind) or self._type_label(kind))
        node = self._scene.CreateNodeByClass(kind)
        node.UnRegister(None)
        node.SetName(name)
        for attribute, value in self._attributes_of(kind):
            node.SetAttribute(attribute, value)
        node = self._scene.AddNode(node)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        self.nodeAddedByUser_.emit(node)
        return node

    def removeCurrentNode(self):
        self._scene.RemoveNode(self.currentNode())

    def renameCurrentNode(self):
        node, name = self.currentNode(), DIALOGS.file()
        if node is not None and name:
            node.SetName(name)
            self.currentNodeRenamed.emit(name)

    def addAttribute(self, kind, name, value=None):
        self._attributes.append((kind, name, value))
        self.refresh()

    def removeAttribute(self, kind, name):
        self._attributes = [a for a in self._attributes if a[:2] != (kind, name)]
        self.refresh()

    def sortFilterProxyModel(self):
        return self._proxy

    def nodeTypeLabel(self, kind):
        return self._type_label(kind)

    def setNodeTypeLabel(self, label, kind):
        self._labels[kind] = label
        self._list_actions()

    def _current_id(self):
        return self._box.currentData(_ID) or ""

    def _type_label(self, kind):
        shown = self._scene.GetTypeDisplayNameByClassName(kind) if self._scene is not None else ""
        return self._labels.get(kind) or shown or "node"

    def _attributes_of(self, kind):
        return [(name, value) for k, name, value in self._attributes if k == kind and value is not None]

    def refresh(self, wanted=None):
        """List everything again; the choice stays if it still exists."""
        wanted = self._current_id() if wanted is None else wanted
        before = self._current_id()
        self._listing = True
        self._box.clear()
        if self._scene is not None:
            if self.noneEnabled:
                self._box.addItem(self.noneDisplay)
            for node in self._nodes():
                self._insert(self._box.count(), node)
            self._append_actions()
        self.setCurrentNodeID(wanted)
        self._listing = False
        if self._current_id() != before:
            self._index_changed()

    def _list_actions(self):
        self._listing = True
        for index in reversed(range(self._box.count())):
            if self._box.itemData(index, _ACTION):
                self._box.removeItem(index)
        self._append_actions()
        self._listing = False

    def _append_actions(self):
        if self._scene is None:
            return
        label = self._type_label(self.nodeTypes[0]) if len(self.nodeTypes) == 1 else "node"
        actions = [("RENAME", f"Rename current {label}")] if self.renameEnabled else []
        actions += [("EDIT", f"Edit current {label}")] if self.editEnabled else []
        for kind in self.nodeTypes if self.addEnabled else ():
            actions.append((f"CREATE/{kind}", f"Create new {self._type_label(kind)}"))
        actions += [("DELETE", f"Delete current {label}")] if self.removeEnabled else []
        index = self._box.currentIndex()
        for action, text in [("SEPARATOR", ""), *actions] if actions else ():
            self._box.addItem(text)
            self._box.setItemData(self._box.count() - 1, action, _ACTION)
        self._box.setCurrentIndex(index)

    def _insert(self, index, node):
        self._box.insertItem(index, node.GetName() or "", node.GetID())
        if node.GetID() not in self._watched:
            self._watched[node.GetID()] = node
            node.AddObserver("ModifiedEvent", weakly(self, "_on_modified", with_node=False))

    def _nodes(self):
        nodes = [self._scene.GetNthNode(i) for i in range(self._scene.GetNumberOfNodes())]
        return [n for n in nodes if self._fits(n)]

    def _fits(self, node):
        if (node.GetHideFromEditors() and not self.showHidden) or node.GetID() in self._proxy.hiddenNodeIDs:
            return False
        for kind in self.nodeTypes:
            wanted = node.IsA(kind) if self.showChildNodeTypes else node.GetClassName() == kind
            if not wanted or any(node.IsA(hidden) for hidden in self.hideChildNodeTypes):
                continue
            rules = [(name, value) for k, name, value in self._attributes if k == kind]
            if all(node.GetAttribute(n) is not None and v in (None, node.GetAttribute(n)) for n, v in rules):
                return True
        return False

    def _filter_again(self):
        """Rows go one by one, so that the choice moves to a neighbour where its own row goes."""
        for node in [n for n in self._watched.values() if n.GetScene() is not None]:
            self._on_modified(node)
        for node in self._nodes() if self._scene is not None else ():
            if self._box.findData(node.GetID(), _ID) < 0:
                self._on_added(node)

    def _on_scene(self, _data):
        self._watched = {i: n for i, n in self._watched.items() if n.GetScene() is not None}
        self.refresh()

    def _on_added(self, node):
        if self._scene.IsImporting() or not self._fits(node):
            return
        ids = [n.GetID() for n in self._nodes()]
        self._insert(ids.index(node.GetID()) + bool(self.noneEnabled), node)
        self.nodeAdded_.emit(node)

    def _on_removed(self, node):
        index = self._box.findData(node.GetID(), _ID)
        if index < 0 or self._scene.IsClosing():
            return
        self._box.removeItem(index)
        if not self._current_id():
            self.setCurrentNodeID("")

    def _on_modified(self, node):
        index, fits = self._box.findData(node.GetID(), _ID), self._fits(node)
        if index >= 0 and fits:
            self._box.setItemText(index, node.GetName() or "")
        elif index >= 0:
            self._on_removed(node)
        elif fits and node.GetScene() is not None:
            self._on_added(node)

    def _index_changed(self, _index=None):
        if self._listing:
            return
        index, node = self._box.currentIndex(), self.currentNode()
        if node is None and index != (0 if self.noneEnabled else -1):
            last = self.nodeFromIndex(self.nodeCount() - 1)
            if last is not None:
                self.setCurrentNode(last)
            return
        self.nodeChanged.emit(node)
        self.validChanged.emit(node is not None)
        self.currentNodeIDChanged.emit(node.GetID() if node is not None else "")

    def _activated(self, index):
        """A person chose a row; actions act."""
        action = self._box.itemData(index, _ACTION) or ""
        if action.startswith("CREATE"):
            self.addNode(action.split("/")[1])
        elif action == "DELETE":
            self.removeCurrentNode()
        elif action == "RENAME":
            self.renameCurrentNode()
        else:
            self.nodeActivated_.emit(self.currentNode())


class qMRMLColorTableComboBox(qMRMLNodeComboBox):  # noqa: N801
    def __init__(self, parent=None):
        super().__init__(parent)
        self.nodeTypes = ["vtkMRMLColorNode"]
        self.addEnabled = self.removeEnabled = False

    def _nodes(self):
        nodes = super()._nodes()
        return [n for n in nodes if n.GetAttribute("Category")] + [n for n in nodes if not n.GetAttribute("Category")]
