"""A chart beside the panel: knows which chart it shows and draws its series, plainly."""

from __future__ import annotations

import math

import slicer
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Signal

from .node_view import qMRMLWidget
from .observing import weakly

_MARGIN = QtCore.QMargins(48, 24, 12, 36)


class qMRMLPlotView(QtWidgets.QWidget):  # noqa: N801 - Slicer's names
    mrmlSceneChanged = Signal(object)
    SIGNALS = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}  # noqa: RUF012
    HIDDEN = ("paintEvent",)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene = self._view = None
        self.setMinimumHeight(60)

    def setMRMLScene(self, scene):
        self._scene = scene

    def setMRMLPlotViewNode(self, node):
        self._view = node
        if node is not None:
            node.AddObserver("ModifiedEvent", weakly(self, "_modified", with_node=False))

    def fitToContent(self):
        self.update()

    def _modified(self, _node):
        self.update()

    def _series(self, chart):
        for index in range(chart.GetNumberOfPlotSeriesNodes()):
            series = chart.GetNthPlotSeriesNode(index)
            table = series.GetTableNode() if series is not None else None
            column = table.GetTable().GetColumnByName(series.GetYColumnName()) if table is not None else None
            if column is not None:
                across = table.GetTable().GetColumnByName(series.GetXColumnName() or "")
                rows = range(column.GetNumberOfTuples())
                values = [column.GetVariantValue(r).ToDouble() for r in rows]
                places = [across.GetVariantValue(r).ToDouble() if across is not None else float(r) for r in rows]
                known = [(x, y) for x, y in zip(places, values, strict=True) if math.isfinite(x) and math.isfinite(y)]
                if known:  # a value that is not finite is no point, as in VTK's charts
                    yield series, *zip(*known, strict=True)

    def paintEvent(self, _event):
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.Antialiasing)
        painter.fillRect(self.rect(), QtCore.Qt.white)
        chart = self._view.GetPlotChartNode() if self._view is not None else None
        drawn = list(self._series(chart)) if chart is not None else []
        if not drawn:
            return
        area = QtCore.QRectF(self.rect().marginsRemoved(_MARGIN))
        everything = [x for _, places, _ in drawn for x in places], [y for *_, values in drawn for y in values]
        (left, right), (low, high) = (
            self._range(chart, axis, found) for axis, found in zip("XY", everything, strict=True)
        )

        def at(x, y):
            return QtCore.QPointF(
                area.left() + area.width() * (x - left) / ((right - left) or 1),
                area.bottom() - area.height() * (y - low) / ((high - low) or 1),
            )

        self._axes(painter, area, chart, (left, right, low, high))
        for series, places, values in drawn:
            color = QtGui.QColor.fromRgbF(*series.GetColor())
            painter.setPen(QtGui.QPen(color, 2))
            points = [at(x, y) for x, y in zip(places, values, strict=True)]
            if series.GetLineStyle() != slicer.vtkMRMLPlotSeriesNode.LineStyleNone:
                painter.drawPolyline(points)
            if series.GetMarkerStyle() != slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone:
                painter.setBrush(color)
                for point in points:
                    painter.drawEllipse(point, 3, 3)
        if chart.GetLegendVisibility():
            self._legend(painter, area, [series for series, *_ in drawn])

    @staticmethod
    def _legend(painter, area, drawn):
        for n, series in enumerate(drawn):
            y = area.top() + 6 + 16 * n
            painter.fillRect(QtCore.QRectF(area.right() - 92, y + 5, 14, 4), QtGui.QColor.fromRgbF(*series.GetColor()))
            painter.setPen(QtCore.Qt.black)
            painter.drawText(QtCore.QRectF(area.right() - 74, y - 1, 74, 16), QtCore.Qt.AlignLeft, series.GetName())

    @staticmethod
    def _range(chart, axis, values):
        if getattr(chart, f"Get{axis}AxisRangeAuto")():
            return min(values), max(values)
        low, high = getattr(chart, f"Get{axis}AxisRange")()
        return low, high

    @staticmethod
    def _axes(painter, area, chart, limits):
        painter.setPen(QtGui.QPen(QtCore.Qt.darkGray, 1))
        painter.drawRect(area)
        painter.setPen(QtCore.Qt.black)
        left, right, low, high = limits
        below = QtCore.QRectF(area.left(), area.bottom() + 2, area.width(), 32)
        painter.drawText(below, QtCore.Qt.AlignLeft, f"{left:g}")
        painter.drawText(below, QtCore.Qt.AlignRight, f"{right:g}")
        painter.drawText(below, QtCore.Qt.AlignHCenter, chart.GetXAxisTitle() or "")
        beside = QtCore.QRectF(0, area.top() - 8, area.left() - 4, area.height() + 16)
        painter.drawText(beside, QtCore.Qt.AlignRight | QtCore.Qt.AlignTop, f"{high:.3g}")
        painter.drawText(beside, QtCore.Qt.AlignRight | QtCore.Qt.AlignBottom, f"{low:.3g}")
        painter.drawText(
            QtCore.QRectF(area.left(), 2, area.width(), 20), QtCore.Qt.AlignHCenter, chart.GetTitle() or ""
        )
        painter.save()
        painter.translate(12, area.center().y())
        painter.rotate(-90)
        painter.drawText(
            QtCore.QRectF(-area.height() / 2, -8, area.height(), 16), QtCore.Qt.AlignCenter, chart.GetYAxisTitle() or ""
        )
        painter.restore()


class qMRMLPlotWidget(qMRMLWidget):  # noqa: N801
    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._plot, self._view = qMRMLPlotView(), None
        layout.addWidget(self._plot)

    def plotView(self):
        return self._plot

    def mrmlPlotViewNode(self):
        return self._view

    def setMRMLPlotViewNode(self, node):
        self._view = node
        self._plot.setMRMLPlotViewNode(node)
