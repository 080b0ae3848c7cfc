"""The MRML widgets that a panel may use, as small PySide6 widgets over real MRML."""

from __future__ import annotations

import sys

import slicer
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal

from .ctk_values import ctkDoubleSpinBox, ctkSliderWidget, kept
from .node_combo_box import qMRMLColorTableComboBox, qMRMLNodeComboBox
from .node_view import NodeView, qMRMLWidget
from .plot_widgets import qMRMLPlotView, qMRMLPlotWidget
from .segment_widgets import qMRMLSegmentSelectorWidget, qMRMLSegmentsTableView
from .wrapping import wrap


class qSlicerScriptedLoadableModuleWidget(qMRMLWidget):  # noqa: N801
    """Parent of a scripted panel; ``reload`` makes the Python class anew, as the C++ class does."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._entered, self._made = False, None

    isEntered = Property(bool, lambda self: self._entered)

    def self(self):
        return self._made

    def reload(self):
        name = "PulsarCAM"
        self._made = getattr(sys.modules[name], f"{name}Widget")(wrap(self))
        setattr(slicer.modules, f"{name}Widget", self._made)
        self._made.setup()
        if self._entered:
            self._made.enter()

    def enter(self):
        self._entered = True
        self._made.enter()

    def exit(self):
        self._entered = False
        self._made.exit()


class qMRMLSliderWidget(ctkSliderWidget):  # noqa: N801
    def setMRMLScene(self, scene):
        pass


class qMRMLSpinBox(ctkDoubleSpinBox):  # noqa: N801
    def setMRMLScene(self, scene):
        pass


class qMRMLTableView(NodeView, QtWidgets.QTableView):  # noqa: N801
    selectionChanged_ = Signal()
    mrmlSceneChanged = Signal(object)
    SIGNALS = {"selectionChanged()": "selectionChanged_"}  # noqa: RUF012
    HIDDEN = ("selectionChanged_",)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene = self._node = None
        self._held = {}
        self._model = QtGui.QStandardItemModel(self)
        self._proxy = QtCore.QSortFilterProxyModel(self)
        self._proxy.setSourceModel(self._model)
        self.setModel(self._proxy)
        self.selectionModel().selectionChanged.connect(lambda *_: self.selectionChanged_.emit())

    def setMRMLScene(self, scene):
        self._scene = scene

    def mrmlScene(self):
        return self._scene

    def mrmlTableNode(self):
        return self._node

    def tableModel(self):
        return self._model

    def sortFilterProxyModel(self):
        return self._proxy

    def setMRMLTableNode(self, node):
        self._follow(node)

    def _update(self, node):
        self._model.clear()
        table = node.GetTable() if node is not None else None
        if table is None:
            return
        columns = range(table.GetNumberOfColumns())
        self._model.setHorizontalHeaderLabels([table.GetColumnName(c) for c in columns])
        for row in range(table.GetNumberOfRows()):
            self._model.appendRow([QtGui.QStandardItem(table.GetValue(row, c).ToString()) for c in columns])
        self.resizeColumnsToContents()

    transposed, firstRowLocked, firstColumnLocked = (kept(bool, n, False) for n in ("transposed", "row", "column"))


MRML = (
    qMRMLWidget,
    qMRMLNodeComboBox,
    qMRMLColorTableComboBox,
    qMRMLTableView,
    qMRMLPlotView,
    qMRMLPlotWidget,
    qMRMLSegmentsTableView,
    qMRMLSegmentSelectorWidget,
    qMRMLSliderWidget,
    qMRMLSpinBox,
    qSlicerScriptedLoadableModuleWidget,
)
