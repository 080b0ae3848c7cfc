"""A window as in Slicer: the panel on the left, three real slice views on the right, drawn without a screen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import slicer
from PIL import Image
from PySide6 import QtCore, QtGui, QtWidgets

from PulsarCAMLib.scene.showing import side_by_side

from .plot_widgets import qMRMLPlotView
from .views import SliceView
from .wrapping import unwrap

VIEWS = (("Red", "Axial", "#f34a33", "S"), ("Green", "Coronal", "#6eb04b", "A"), ("Yellow", "Sagittal", "#edd54c", "R"))
PANEL_WIDTH, BAR, GAP = 400, 18, 4
STEP = 5
"""Of the values in a saved picture: nobody sees it, and the noise of the MRI becomes half as large."""


class Screen:
    """The window.

    Args:
        desktop: with an open panel.
        size: width and height in pixels.
        panel_width: in pixels.
    """

    def __init__(self, desktop, size: tuple[int, int] = (1280, 900), panel_width: int = PANEL_WIDTH) -> None:
        self._size, self._panel_width = size, panel_width
        self._panel = unwrap(desktop.widget.parent)
        self._area = QtWidgets.QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarAlwaysOff)
        self._area.setFrameShape(QtWidgets.QFrame.NoFrame)
        self._area.setWidget(self._panel)
        desktop.kept.append(self._area)  # it owns the panel now
        self._panel.layout().addStretch(1)
        self._left = panel_width + GAP
        self._views, self._places = self._make_views(size[0] - panel_width - 2 * GAP, size[1])
        for view in self.views:
            view.logic.ResizeSliceNode(*view.size)

    def _make_views(self, width: int, height: int):
        """View, color and letter of each, and where they stand."""
        tall = (width * 3 // 5 - GAP, height - BAR)
        small = (width - tall[0] - GAP, (height - GAP) // 2 - BAR)
        sizes = {"Red": tall, "Green": small, "Yellow": small}
        views = [(SliceView(name, axis, sizes[name]), color, letter) for name, axis, color, letter in VIEWS]
        right = self._left + tall[0] + GAP
        return views, ((self._left, 0), (right, 0), (right, small[1] + BAR + GAP))

    @property
    def views(self) -> list[SliceView]:
        """Axial, coronal, sagittal."""
        return [view for view, *_ in self._views]

    def fit(self) -> None:
        """Show the whole MRI in each view."""
        for view in self.views:
            view.logic.FitSliceToBackground(*view.size)

    def zoom(self, millimetres: float) -> None:
        """Field of view of each view, around the place it shows."""
        for view in self.views:
            depth = view.node.GetFieldOfView()[2]
            width, height = view.size
            view.node.SetFieldOfView(millimetres, millimetres * height / width, depth)

    def scroll_to(self, widget) -> None:
        """Bring a control of the panel into view."""
        self._settle()
        self._area.ensureWidgetVisible(unwrap(widget), 0, 8)

    def image(self) -> QtGui.QImage:
        """The window."""
        self._settle()
        canvas = QtGui.QImage(*self._size, QtGui.QImage.Format_RGB32)
        canvas.fill(QtGui.QColor("#3c3c3c"))
        painter = QtGui.QPainter(canvas)
        painter.drawPixmap(0, 0, self._area.grab())
        for (view, color, letter), (x, y) in zip(self._views, self._places, strict=True):
            self._draw(painter, view, QtGui.QColor(color), letter, x, y)
        self._draw_more(painter)
        painter.end()
        return canvas

    def save(self, path: str | Path) -> None:
        """Write the window as PNG."""
        save_small(self.image(), path)

    def _settle(self) -> None:
        self._area.resize(self._panel_width, self._size[1])
        self._area.show()
        for _ in range(4):  # sections that grow make others move
            QtWidgets.QApplication.processEvents()

    def _draw_more(self, painter) -> None:
        """What is no slice view."""

    def _draw(self, painter, view: SliceView, color, letter: str, x: int, y: int) -> None:
        width, height = view.size
        bar = QtCore.QRect(x, y, width, BAR)
        painter.fillRect(bar, color)
        painter.setPen(QtCore.Qt.black)
        offset = f"{letter}: {view.node.GetSliceOffset():.1f} mm"
        name = view.node.GetLayoutLabel() or view.node.GetName()[0]
        painter.drawText(bar.adjusted(6, 0, -6, 0), QtCore.Qt.AlignVCenter | QtCore.Qt.AlignLeft, name)
        painter.drawText(bar.adjusted(6, 0, -6, 0), QtCore.Qt.AlignVCenter | QtCore.Qt.AlignRight, offset)
        pixels = view.pixels()
        image = QtGui.QImage(pixels.tobytes(), width, height, 3 * width, QtGui.QImage.Format_RGB888)
        painter.drawImage(x, y + BAR, image)


class SideScreen(Screen):
    """The panel beside the four linked views of its comparison and the plot beneath them."""

    def _make_views(self, width: int, height: int):
        self._plot_height = height // 4
        small = ((width - GAP) // 2, (height - self._plot_height) // 2 - BAR - GAP)
        views = [(SliceView(tag, "Axial", small), "#777777", "S") for tag in side_by_side.VIEWS]
        lefts, tops = (self._left, self._left + small[0] + GAP), (0, small[1] + BAR + GAP)
        self._plot_width = width
        return views, [(x, y) for y in tops for x in lefts]

    def _draw_more(self, painter) -> None:
        plot = qMRMLPlotView()
        plot.setMRMLPlotViewNode(slicer.mrmlScene.GetSingletonNode(side_by_side.PLOT_VIEW, "vtkMRMLPlotViewNode"))
        plot.resize(self._plot_width, self._plot_height)
        painter.drawPixmap(self._left, self._size[1] - self._plot_height, plot.grab())


def save_small(picture, path: str | Path) -> None:
    """Write a picture of Qt as PNG with fewer values, which keeps it small.

    Args:
        picture: ``QImage`` or ``QPixmap``.
        path: of the file.
    """
    image = picture.toImage() if isinstance(picture, QtGui.QPixmap) else picture
    image = image.convertToFormat(QtGui.QImage.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    save_pixels(rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3), path)


def save_pixels(pixels: np.ndarray, path: str | Path) -> None:
    """The same of an array ``[row, column, 3]``, uint8."""
    made = Image.fromarray(np.ascontiguousarray(pixels))
    made.point(lambda value: min(255, (value + STEP // 2) // STEP * STEP)).save(path, optimize=True)
