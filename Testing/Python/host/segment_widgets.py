"""Tables and selectors of segments."""

from __future__ import annotations

from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import Property, Signal

from .ctk_values import kept
from .node_combo_box import qMRMLNodeComboBox
from .node_view import NodeView, qMRMLWidget
from .observing import weakly

_ROLE = QtCore.Qt.UserRole


def _segments_of(node) -> list[tuple[str, str]]:
    segmentation = node.GetSegmentation() if node is not None else None
    ids = [segmentation.GetNthSegmentID(i) for i in range(segmentation.GetNumberOfSegments() if segmentation else 0)]
    return [(segment_id, segmentation.GetSegment(segment_id).GetName()) for segment_id in ids]


def _watch_segments(widget, node, tags: list) -> list:
    for observed, tag in tags:
        observed.RemoveObserver(tag)
    segmentation = node.GetSegmentation() if node is not None else None
    events = ("SegmentAdded", "SegmentRemoved", "SegmentModified") if segmentation is not None else ()
    observe = weakly(widget, "_update", with_node=False)
    return [(segmentation, segmentation.AddObserver(getattr(segmentation, e), observe)) for e in events]


class qMRMLSegmentsTableView(NodeView, qMRMLWidget):  # noqa: N801
    """Name of every segment; rows are chosen as in a list."""

    selectionChanged_ = Signal(object, object)
    segmentAboutToBeModified = Signal(str)
    SIGNALS = {  # noqa: RUF012
        "selectionChanged(QItemSelection,QItemSelection)": "selectionChanged_",
        "mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged",
    }
    HIDDEN = ("selectionChanged_",)

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._table = QtWidgets.QTableWidget(0, 1)
        self._table.setHorizontalHeaderLabels(["Name"])
        self._table.horizontalHeader().setStretchLastSection(True)
        self._table.verticalHeader().hide()
        self._table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectRows)
        layout.addWidget(self._table)
        self._node, self._tags, self._held = None, [], {}
        self._table.selectionModel().selectionChanged.connect(lambda a, b: self.selectionChanged_.emit(a, b))

    def tableWidget(self):
        return self._table

    def segmentationNode(self):
        return self._node

    def setSegmentationNode(self, node):
        self._follow(node)
        self._tags = _watch_segments(self, node, self._tags)

    def selectedSegmentIDs(self):
        rows = sorted({i.row() for i in self._table.selectedIndexes()})
        return [self._table.item(row, 0).data(_ROLE) for row in rows]

    def setSelectedSegmentIDs(self, ids):
        self._table.clearSelection()
        for row in range(self._table.rowCount()):
            if self._table.item(row, 0).data(_ROLE) in ids:
                self._table.selectRow(row)

    def clearSelection(self):
        self._table.clearSelection()

    def rowForSegmentID(self, segment_id):
        rows = range(self._table.rowCount())
        return next((r for r in rows if self._table.item(r, 0).data(_ROLE) == segment_id), -1)

    def segmentIDForRow(self, row):
        item = self._table.item(row, 0)
        return item.data(_ROLE) if item is not None else ""

    def _update(self, _node):
        chosen = self.selectedSegmentIDs()
        segments = _segments_of(self._node)
        self._table.setRowCount(len(segments))
        for row, (segment_id, name) in enumerate(segments):
            item = QtWidgets.QTableWidgetItem(name)
            item.setData(_ROLE, segment_id)
            self._table.setItem(row, 0, item)
        self.setSelectedSegmentIDs(chosen)

    segmentCount = Property(int, lambda self: self._table.rowCount())
    headerVisible, readOnly = kept(bool, "headerVisible", True), kept(bool, "readOnly", False)
    visibilityColumnVisible, colorColumnVisible = kept(bool, "visible", True), kept(bool, "color", True)
    opacityColumnVisible, statusColumnVisible = kept(bool, "opacity", True), kept(bool, "status", False)
    layerColumnVisible, filterBarVisible = kept(bool, "layer", False), kept(bool, "filter", False)
    selectionMode = kept(int, "mode", 3)
    jumpToSelectedSegmentEnabled = kept(bool, "jump", False)


class qMRMLSegmentSelectorWidget(qMRMLWidget):  # noqa: N801
    """A selector of segmentations above one of segments."""

    nodeChanged = Signal(object)
    currentSegmentChanged = Signal(str)
    SIGNALS = {  # noqa: RUF012
        "currentNodeChanged(vtkMRMLNode*)": "nodeChanged",
        "currentSegmentChanged(QString)": "currentSegmentChanged",
        "mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged",
    }
    HIDDEN = ("nodeChanged",)

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._nodes, self._segments, self._tags = qMRMLNodeComboBox(), QtWidgets.QComboBox(), []
        self._nodes.nodeTypes = ["vtkMRMLSegmentationNode"]
        self._nodes.addEnabled = self._nodes.removeEnabled = False
        layout.addWidget(self._nodes)
        layout.addWidget(self._segments)
        self._nodes.nodeChanged.connect(self._node_changed)
        self._segments.currentIndexChanged.connect(lambda _i: self.currentSegmentChanged.emit(self.currentSegmentID()))

    def setMRMLScene(self, scene):
        super().setMRMLScene(scene)
        self._nodes.setMRMLScene(scene)

    def currentNode(self):
        return self._nodes.currentNode()

    def setCurrentNode(self, node):
        self._nodes.setCurrentNode(node)

    def currentNodeID(self):
        return self._nodes.currentNodeID

    def setCurrentNodeID(self, node_id):
        self._nodes.setCurrentNodeID(node_id)

    def currentSegmentID(self):
        return self._segments.currentData(_ROLE) or ""

    def setCurrentSegmentID(self, segment_id):
        self._segments.setCurrentIndex(self._segments.findData(segment_id, _ROLE))

    def _node_changed(self, node):
        self._tags = _watch_segments(self, node, self._tags)
        self._update(node)
        self.nodeChanged.emit(node)

    def _update(self, _node):
        chosen, node = self.currentSegmentID(), self.currentNode()
        blocked = self._segments.blockSignals(True)
        self._segments.clear()
        for segment_id, name in _segments_of(node):
            self._segments.addItem(name, segment_id)
        self._segments.setCurrentIndex(max(self._segments.findData(chosen, _ROLE), 0 if self._segments.count() else -1))
        self._segments.blockSignals(blocked)
        if self.currentSegmentID() != chosen:
            self.currentSegmentChanged.emit(self.currentSegmentID())

    def _set_none(self, on):
        self._nodes.noneEnabled = on

    noneEnabled = Property(bool, lambda self: self._nodes.noneEnabled, _set_none)
