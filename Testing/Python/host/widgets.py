"""The CTK and MRML widgets of the panel, as small PySide6 widgets over real MRML.

Names, properties, slots and signals are those of the real ones (a test holds them to Slicer's headers).
"""

from __future__ import annotations

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal


class qMRMLWidget(QtWidgets.QWidget):  # noqa: N801 - Slicer's name
    mrmlSceneChanged = Signal(object)
    SIGNALS = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}  # noqa: RUF012

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene = None

    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene):
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)


class qSlicerScriptedLoadableModuleWidget(qMRMLWidget):  # noqa: N801
    """Parent of a scripted panel."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._entered = False

    isEntered = Property(bool, lambda self: self._entered)


def _flag(name: str, default: bool, on_change: str = ""):
    key = f"_{name}"

    def put(self, value):
        setattr(self, key, bool(value))
        if on_change:
            getattr(self, on_change)()

    return Property(bool, lambda self: getattr(self, key, default), put)


class qMRMLNodeComboBox(QtWidgets.QWidget):  # noqa: N801
    nodeChanged = Signal(object)
    validChanged = Signal(bool)
    currentNodeIDChanged = Signal(str)
    SIGNALS = {  # noqa: RUF012
        "currentNodeChanged(vtkMRMLNode*)": "nodeChanged",
        "currentNodeChanged(bool)": "validChanged",
        "currentNodeIDChanged(QString)": "currentNodeIDChanged",
    }
    HIDDEN = ("nodeChanged", "validChanged", "refresh")

    addEnabled = _flag("addEnabled", True)
    removeEnabled = _flag("removeEnabled", True)
    renameEnabled = _flag("renameEnabled", False)
    selectNodeUponCreation = _flag("selectNodeUponCreation", True)
    showChildNodeTypes = _flag("showChildNodeTypes", True, "refresh")
    noneEnabled = _flag("noneEnabled", False, "refresh")

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._box = QtWidgets.QComboBox(self)
        layout.addWidget(self._box)
        self.setFocusProxy(self._box)
        self._box.currentIndexChanged.connect(lambda _index: self._changed())
        self._scene, self._tags, self._types, self._last = None, [], [], None
        self._base_name, self._none = "", "None"

    def _set_types(self, types):
        self._types = list(types)
        self.refresh()

    def _set_base_name(self, name):
        self._base_name = name

    def _set_none(self, text):
        self._none = text
        self.refresh()

    nodeTypes = Property("QStringList", lambda self: self._types, _set_types)
    baseName = Property(str, lambda self: self._base_name, _set_base_name)
    noneDisplay = Property(str, lambda self: self._none, _set_none)
    currentNodeID = Property(str, lambda self: self._box.currentData() or "", lambda self, i: self.setCurrentNodeID(i))

    def setMRMLScene(self, scene):
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._scene, self._tags = scene, []
        if scene is not None:
            events = (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent, scene.EndBatchProcessEvent)
            self._tags = [scene.AddObserver(event, lambda *_: self.refresh()) for event in events]
        self.refresh()

    def mrmlScene(self):
        return self._scene

    def currentNode(self):
        node_id = self._box.currentData()
        return self._scene.GetNodeByID(node_id) if self._scene is not None and node_id else None

    def setCurrentNode(self, node):
        if node is not None and not hasattr(node, "GetID"):
            raise TypeError("setCurrentNode needs a node")
        self.setCurrentNodeID(node.GetID() if node is not None else "")

    def setCurrentNodeID(self, node_id):
        index = self._box.findData(node_id or "")
        self._box.setCurrentIndex(index if index >= 0 else self._box.findData(""))

    def nodeCount(self):
        return sum(bool(self._box.itemData(i)) for i in range(self._box.count()))

    def addNode(self):
        node = self._scene.AddNewNodeByClass(self._types[0], self._base_name)
        self.setCurrentNode(node)
        return node

    def refresh(self):
        """List the nodes again; the choice stays if it still exists."""
        before = self._box.currentData()
        self._box.blockSignals(True)
        self._box.clear()
        if self.noneEnabled:
            self._box.addItem(self._none, "")
        for node in self._nodes():
            self._box.addItem(node.GetName(), node.GetID())
        self._box.setCurrentIndex(max(self._box.findData(before or ""), 0 if self._box.count() else -1))
        self._box.blockSignals(False)
        self._changed()

    def _nodes(self):
        if self._scene is None:
            return []
        nodes = [self._scene.GetNthNode(i) for i in range(self._scene.GetNumberOfNodes())]
        return [n for n in nodes if not n.GetHideFromEditors() and any(self._fits(n, kind) for kind in self._types)]

    def _fits(self, node, kind):
        return node.IsA(kind) if self.showChildNodeTypes else node.GetClassName() == kind

    def _changed(self):
        node_id = self._box.currentData() or ""
        if node_id == self._last:
            return
        self._last = node_id
        node = self.currentNode()
        self.nodeChanged.emit(node)
        self.validChanged.emit(node is not None)
        self.currentNodeIDChanged.emit(node_id)


class qMRMLTableView(QtWidgets.QTableView):  # noqa: N801
    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene = self._node = None
        self.setModel(QtGui.QStandardItemModel(self))

    def setMRMLScene(self, scene):
        self._scene = scene

    def mrmlTableNode(self):
        return self._node

    def setMRMLTableNode(self, node):
        self._node = node
        model = self.model()
        model.clear()
        table = node.GetTable() if node is not None else None
        if table is None:
            return
        columns = range(table.GetNumberOfColumns())
        model.setHorizontalHeaderLabels([table.GetColumnName(c) for c in columns])
        for row in range(table.GetNumberOfRows()):
            model.appendRow([QtGui.QStandardItem(table.GetValue(row, c).ToString()) for c in columns])
        self.resizeColumnsToContents()


class ctkCollapsibleButton(QtWidgets.QAbstractButton):  # noqa: N801
    contentsCollapsed = Signal(bool)
    HEADER = 24

    def __init__(self, parent=None):
        super().__init__(parent)
        self._collapsed = False
        self.setContentsMargins(0, self.HEADER, 0, 0)

    def _set_collapsed(self, value):
        self._collapsed = bool(value)
        for child in self.findChildren(QtWidgets.QWidget, options=QtCore.Qt.FindDirectChildrenOnly):
            child.setVisible(not self._collapsed)
        self.setMaximumHeight(self.HEADER if self._collapsed else 16777215)
        self.contentsCollapsed.emit(self._collapsed)

    collapsed = Property(bool, lambda self: self._collapsed, _set_collapsed)

    def showEvent(self, event):
        self._set_collapsed(self._collapsed)
        super().showEvent(event)

    def mouseReleaseEvent(self, event):
        if event.position().y() < self.HEADER:
            self._set_collapsed(not self._collapsed)

    def sizeHint(self):
        inner = self.layout().sizeHint() if self.layout() and not self._collapsed else QtCore.QSize(100, 0)
        return QtCore.QSize(inner.width(), max(inner.height(), self.HEADER))

    def minimumSizeHint(self):
        return QtCore.QSize(0, self.sizeHint().height())

    def paintEvent(self, _event):
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, self.width(), self.HEADER - 2)
        painter.drawControl(QtWidgets.QStyle.CE_PushButtonBevel, option)
        painter.drawText(
            option.rect.adjusted(8, 0, 0, 0), QtCore.Qt.AlignVCenter, f"{'▸' if self._collapsed else '▾'} {self.text()}"
        )


class ctkSliderWidget(QtWidgets.QWidget):  # noqa: N801
    valueChanged = Signal(float)
    SIGNALS = {"valueChanged(double)": "valueChanged"}  # noqa: RUF012

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Horizontal)
        self._spin = QtWidgets.QDoubleSpinBox()
        layout.addWidget(self._slider)
        layout.addWidget(self._spin)
        self.setFocusProxy(self._slider)
        self._slider.valueChanged.connect(lambda v: self._spin.setValue(float(v)))
        self._spin.valueChanged.connect(self._moved)

    def _moved(self, value):
        self._slider.blockSignals(True)
        self._slider.setValue(round(value))
        self._slider.blockSignals(False)
        self.valueChanged.emit(value)

    def setValue(self, value):
        self._spin.setValue(value)

    def setDecimals(self, value):
        self._spin.setDecimals(value)

    def _set_minimum(self, value):
        self._spin.setMinimum(value)
        self._slider.setMinimum(int(value))

    def _set_maximum(self, value):
        self._spin.setMaximum(value)
        self._slider.setMaximum(int(value))

    value = Property(float, lambda self: self._spin.value(), setValue)
    decimals = Property(int, lambda self: self._spin.decimals(), setDecimals)
    minimum = Property(float, lambda self: self._spin.minimum(), _set_minimum)
    maximum = Property(float, lambda self: self._spin.maximum(), _set_maximum)
    singleStep = Property(float, lambda self: self._spin.singleStep(), lambda self, v: self._spin.setSingleStep(v))
    pageStep = Property(
        float, lambda self: float(self._slider.pageStep()), lambda self, v: self._slider.setPageStep(int(v))
    )
    suffix = Property(str, lambda self: self._spin.suffix(), lambda self, v: self._spin.setSuffix(v))


CTK = (ctkCollapsibleButton, ctkSliderWidget)
MRML = (qMRMLWidget, qMRMLNodeComboBox, qMRMLTableView, qSlicerScriptedLoadableModuleWidget)
