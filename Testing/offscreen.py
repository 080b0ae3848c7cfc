"""Draws one picture without a screen; exit code 0 when VTK and, where installed, Qt have the libraries they need."""

from __future__ import annotations

import importlib.util
import sys


def draw_with_vtk() -> bool:
    """Returns whether a red background comes back red."""
    import vtkmodules.vtkRenderingOpenGL2  # noqa: F401 - registers the OpenGL classes
    from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow, vtkWindowToImageFilter

    renderer = vtkRenderer()
    renderer.SetBackground(1.0, 0.0, 0.0)
    window = vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetSize(16, 16)
    window.AddRenderer(renderer)
    window.Render()
    picture = vtkWindowToImageFilter()
    picture.SetInput(window)
    picture.ReadFrontBufferOff()
    picture.Update()
    return picture.GetOutput().GetScalarComponentAsDouble(8, 8, 0, 0) > 200


def load_qt() -> None:
    """Imports the Qt modules that a panel uses, if PySide6 is there at all."""
    if importlib.util.find_spec("PySide6"):
        import PySide6.QtUiTools
        import PySide6.QtWidgets  # noqa: F401


if __name__ == "__main__":
    load_qt()
    sys.exit(not draw_with_vtk())
