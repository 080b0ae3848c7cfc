"""Slice views drawn without a screen, by Slicer's own displayable managers: MRI, heat map, outlines, legend."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

MANAGERS = (
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLColorLegendDisplayableManager",
)


class SliceView:
    """One slice view.

    Args:
        name: of its slice node ("Red", "Yellow", "Green").
        orientation: "Axial", "Sagittal" or "Coronal".
        size: width and height in pixels.
    """

    def __init__(self, name: str = "Red", orientation: str = "Axial", size: tuple[int, int] = (600, 600)) -> None:
        self._application = slicer.app.applicationLogic()
        self.size = size
        if not os.environ.get("DISPLAY"):
            os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
        self._renderer, self._window = vtk.vtkRenderer(), vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._window.SetSize(*size)
        self._window.SetMultiSamples(0)
        self._window.AddRenderer(self._renderer)
        self._interactor = vtk.vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        self._interactor.Initialize()
        self._renderer.GetActiveCamera().ParallelProjectionOn()
        self.logic = self._logic_of_the_desktop(name) or self._own_logic(name)
        self.node = self.logic.GetSliceNode()
        self.node.SetOrientation(orientation)
        self._group = self._displayable_managers()
        self._image = self._background()

    @staticmethod
    def _logic_of_the_desktop(name: str):
        manager = slicer.app.layoutManager()
        widget = manager.sliceWidget(name) if manager is not None else None
        return widget.sliceLogic() if widget is not None else None

    def _own_logic(self, name: str):
        logic = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLApplicationLogic(self._application)
        self._application.GetSliceLogics().AddItem(logic)
        logic.SetMRMLScene(slicer.mrmlScene)
        logic.AddSliceNode(name)
        return logic

    def show(self, background, foreground=None, opacity: float = 0.5) -> None:
        """Set the layers and fit the view to the background."""
        composite = self.logic.GetSliceCompositeNode()
        composite.SetBackgroundVolumeID(background.GetID())
        composite.SetForegroundVolumeID(foreground.GetID() if foreground else None)
        composite.SetForegroundOpacity(opacity)
        self.logic.ResizeSliceNode(*self.size)
        self.logic.FitSliceToBackground(*self.size)
        self.logic.SnapSliceOffsetToIJK()

    def jump_to(self, ras, field_of_view_mm: float | None = None) -> None:
        """Centre the view on a place, and zoom to a field of view."""
        self.node.JumpSliceByCentering(*ras)
        self.logic.SnapSliceOffsetToIJK()
        if field_of_view_mm:
            depth = self.node.GetFieldOfView()[2]
            self.node.SetFieldOfView(field_of_view_mm, field_of_view_mm * self.size[1] / self.size[0], depth)

    def pixel_of(self, ras) -> tuple[int, int]:
        """Array index (row from the top, column) of a place in :meth:`pixels`."""
        to_ras = vtk.vtkMatrix4x4()
        to_ras.DeepCopy(self.node.GetXYToRAS())
        to_ras.Invert()
        x, y = to_ras.MultiplyPoint((*ras, 1.0))[:2]
        return self.size[1] - 1 - round(y), round(x)

    def pixels(self) -> np.ndarray:
        """The picture, uint8 ``[row, column, 3]``, first row on top."""
        self._image.SetInputConnection(self.logic.GetImageDataConnection())
        self._window.Render()
        grabber = vtk.vtkWindowToImageFilter()
        grabber.SetInput(self._window)
        grabber.ReadFrontBufferOff()
        grabber.Update()
        image = grabber.GetOutput()
        width, height, _ = image.GetDimensions()
        return numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, 3)[::-1].copy()

    def save(self, path: str | Path) -> None:
        """Write the picture as PNG."""
        from PIL import Image

        Image.fromarray(self.pixels()).save(path)

    def _displayable_managers(self):
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        factory.SetMRMLApplicationLogic(self._application)
        for name in MANAGERS:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        group = slicer.vtkMRMLDisplayableManagerGroup()
        group.SetRenderer(self._renderer)
        group.Initialize(factory, self._renderer)
        group.SetMRMLDisplayableNode(self.node)
        return group

    def _background(self) -> vtk.vtkImageMapper:
        mapper = vtk.vtkImageMapper()
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        actor = vtk.vtkActor2D()
        actor.SetMapper(mapper)
        actor.GetProperty().SetDisplayLocationToBackground()
        self._renderer.AddViewProp(actor)
        return mapper
